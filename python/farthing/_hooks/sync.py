"""The synchronous send."""

from __future__ import annotations

import functools
from collections.abc import Callable
from itertools import count
from typing import Any

from farthing._ambient import CALL
from farthing._farthing import ANSWER, NEED_BODY, NOT_SENT, PASS, SEND, Attempt, CallSlot
from farthing._hooks import steps
from farthing._hooks.binding import KEY, everywhere
from farthing._hooks.family import Family
from farthing._hooks.sending import SENDING, Sending, Tries, Try, is_begun
from farthing._hooks.steps import delivered

INNERMOST = 1 << 30
layers = count()
"""Of hooks of a transport: a later one lies around those before it."""


def guarded(inner: Callable[..., Any], family: Family) -> Callable[..., Any]:
    """`Client.send` with the core in front of it."""

    in_call, sending_now, begin = CALL, SENDING, steps.begin  # looked up here, not in every call

    @functools.wraps(inner)
    def send(self: Any, request: Any, **kwargs: Any) -> Any:
        bound = self.__dict__.get(KEY) or everywhere.bound
        if bound is None:
            return inner(self, request, **kwargs)
        slot = in_call.get()
        if slot is None:
            return alone(self, request, kwargs)
        outer = sending_now.get()
        if outer is not None and is_begun(outer, bound, slot, request):
            return further_in(outer, self, request, kwargs)
        tries = Tries(bound, slot, request)
        sending = Sending(self, request, tries)
        attempt = begin(bound, slot, request, family, False)
        if attempt.kind == SEND:
            tries.begun(attempt, 0)
        else:
            refusal = _decided(tries, attempt, request, family, 0)
            if refusal is not None:
                return refusal
        if not family.shows_requests:
            kwargs["follow_redirects"] = False
        request = tries.carried(request, family)
        sending.handed(request)
        sending_now.set(sending)
        try:
            response = inner(self, request, **kwargs)
            owner = tries.of(response)
            if owner is not None and owner.error_body is None:
                owner.error_body = _error_body(response, family)
        except BaseException as error:
            sending.failed(error, family)
            raise
        finally:
            sending_now.set(outer)
        sending.over(owner, family)
        if owner is not None:
            _delivered(owner, response, family)
        return response

    def alone(self: Any, request: Any, kwargs: Any) -> Any:
        """A request outside any SDK call: a call of its own (R27)."""
        slot = CallSlot()
        CALL.set(slot)
        try:
            return send(self, request, **kwargs)
        finally:
            slot.over()
            CALL.set(None)

    def further_in(outer: Sending, self: Any, request: Any, kwargs: Any) -> Any:
        """Begun already, by a hook further out, which settles it: or another try of it."""
        if outer.client is self:
            return inner(self, request, **kwargs)
        sending = outer.below(self, request)
        if sending.tries.again(sending.depth):
            refusal, request, _ = _begun_anew(sending, request, family, sending.depth)
            if refusal is not None:
                return refusal
            sending.handed(request)
        sending_now.set(sending)
        try:
            return inner(self, request, **kwargs)
        finally:
            sending_now.set(outer)
            sending.left_behind()

    return send


def single(inner: Callable[..., Any], family: Family) -> Callable[..., Any]:
    """`Client`'s method for a single request, of which a `send` may make several."""

    sending_now = SENDING

    @functools.wraps(inner)
    def send_single(self: Any, request: Any, *rest: Any) -> Any:
        sending = sending_now.get()
        if sending is None or sending.client is not self or sending.under_way:
            return inner(self, request, *rest)
        tries, depth = sending.tries, sending.depth + 1
        ours, leaves = sending.followed, False
        if request is not sending.out:
            ours = sending.is_ours(request)
            leaves = sending.leaves(request, ours)
        if leaves or (ours and (tries.again(depth) or sending.changed(request))):
            sending.out = None
            refusal, sending.begun, request = _begun_anew(sending, request, family, depth)
            sending.answer = refusal
            if refusal is not None:
                return refusal
        elif ours and request is not sending.out:
            request = tries.carried(request, family)
        trying = sending.goes(request)
        try:
            response = inner(self, request, *rest)
        except BaseException as error:
            sending.raised(error, trying, request, family)
            raise
        late = sending.answered(response, trying)
        if late is not None:
            _delivered(late, response, family)
        return response

    family.singles.add(send_single)
    return send_single


def carrying(inner: Callable[..., Any], family: Family) -> Callable[..., Any]:
    """`HTTPTransport`'s method: what came of a request, whatever a transport around it makes of that. httpx before 0.20
    gives it the request in parts, which tell nothing."""

    sending_now, depth = SENDING, INNERMOST - next(layers)

    @functools.wraps(inner)
    def handle_request(self: Any, request: Any, *rest: Any, **more: Any) -> Any:
        sending = sending_now.get()
        if sending is None:
            return inner(self, request, *rest, **more)
        tries = sending.tries
        late, another = tries.over, False
        if late:
            if not tries.is_late(request):
                return inner(self, request, *rest, **more)
        elif not sending.carries(request):
            if not sending.is_another(request):
                return beside(sending, self, request, rest, more)
            another = True
        trying = tries.now
        fresh = trying is not None and not (late or trying.seen)
        other = sending.changed(request) if fresh else not late and sending.moved(request)
        if another or late or other or tries.again(depth):
            refusal, _, request = _begun_anew(sending, request, family, depth)
            if refusal is not None:
                return refusal
            trying = tries.now
        if trying is None:
            return inner(self, request, *rest, **more)
        trying.seen = trying.flying = True
        trying.place = request
        try:
            response = inner(self, request, *rest, **more)
            trying.error_body = _error_body(response, family)
        except BaseException as error:
            trying.left = not steps.never_left(error, family)
            trying.flying = False
            if tries.over:
                trying.end(family)
            raise
        trying.answer, trying.flying = response, False
        if tries.over:
            tries.all = []
            _delivered(trying, response, family)
        return response

    def beside(sending: Sending, self: Any, request: Any, rest: Any, more: Any) -> Any:
        """What does not look like the call may be it all the same, as a transport of the caller's own wrote it."""
        now = sending.tries.now if sending.under_way and sending.followed else None
        if now is not None:
            sending.tries.beside.append((request, sending.is_call(request)))
        try:
            response = inner(self, request, *rest, **more)
        except BaseException as error:
            if now is not None and not steps.never_left(error, family):
                now.written_anew = True
            raise
        if now is not None:
            now.written_anew = True
        return response

    return handle_request


def _error_body(response: Any, family: Family) -> bytes | None:
    """The bytes of an error's body that is still to come, and comes all the same: what it cost stands in it (R23), and
    SDKs close it unread to try again."""
    if response.status_code < 400 or response.is_closed:
        return None
    parts: list[bytes] = []
    broken: Exception | None = None
    try:
        for part in response.stream:
            parts.append(part)
    except Exception as error:  # the caller meets it where he reads
        broken = error
    finally:
        response.stream.close()
    return steps.put_back(parts, broken, response, family)


def _delivered(owner: Try, response: Any, family: Family) -> None:
    """Tells `owner` of its answer, which the caller gets."""
    attempt, owner.attempt = owner.attempt, None
    if attempt is not None:
        more, error_body = owner.asked_more, owner.error_body
        delivered(attempt, response, family, more, family.SyncBody, error_body)


def _begun_anew(sending: Sending, request: Any, family: Family, depth: int) -> tuple[Any, Any, Any]:
    """Begins `request`, with the body of the caller: the refusal or nothing, what was begun, and what may be sent."""
    tries = sending.tries
    begun, stands = sending.stands_for(request, family)
    tries.renew(family)
    if not stands:
        begun = tries.restored(begun, family)
    attempt = steps.begin(tries.bound, tries.slot, begun, family, False)
    refusal = _decided(tries, attempt, begun, family, depth)
    now = tries.now
    if refusal is None and not (stands and (now is None or now.content is None)):
        request = tries.carried(request, family, begun)
    return refusal, begun, request


def _decided(tries: Tries, attempt: Attempt, request: Any, family: Family, depth: int) -> Any:
    """Goes on until the core has decided whether `request` may be sent; answers the refusal."""
    verdict = attempt.kind
    while verdict != SEND:
        if verdict == PASS:
            tries.passes = True
            return None
        if verdict == ANSWER:
            return steps.refused(attempt, request, family)
        if verdict == NEED_BODY:
            request.read()
            verdict = steps.begin_again(attempt, request, family)
            continue
        try:
            attempt.wait()
        except BaseException:
            attempt.abort(NOT_SENT)
            raise
        verdict = attempt.proceed()
    tries.begun(attempt, depth)
    return None
