"""The synchronous send."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from farthing._ambient import CALL
from farthing._farthing import ANSWER, NEED_BODY, NOT_SENT, PASS, SEND, Attempt, CallSlot
from farthing._hooks import steps
from farthing._hooks.binding import KEY, everywhere
from farthing._hooks.family import Family
from farthing._hooks.sending import SENDING, Sending, is_begun
from farthing._hooks.steps import delivered


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
        if outer is not None and is_begun(outer, slot, request, send):
            return further_in(outer, self, request, kwargs)
        sending = Sending(self, bound, slot, request)
        attempt = begin(bound, slot, request, family, False)
        if attempt.kind == SEND:
            sending.allowed(attempt)
        else:
            refusal = _asked(sending, attempt, request, family)
            if refusal is not None:
                return refusal
        if not family.shows_requests:
            kwargs["follow_redirects"] = False
        if sending.content is not None:
            request = sending.carried(request, family)
        sending.out = sending.first = request
        sending_now.set(sending)
        try:
            response = inner(self, request, **kwargs)
            error_body = _error_body(response, family) if sending.attempt is not None else None
        except BaseException as error:
            sending.failed(error, family)
            raise
        finally:
            sending_now.set(outer)
        ended = sending.over()
        if ended is not None:
            delivered(ended, response, family, sending.asked_more, family.SyncBody, error_body)
        return response

    def alone(self: Any, request: Any, kwargs: Any) -> Any:
        """A request outside any SDK call: a call of its own (R27)."""
        CALL.set(CallSlot())
        try:
            return send(self, request, **kwargs)
        finally:
            CALL.set(None)

    def further_in(outer: Sending, self: Any, request: Any, kwargs: Any) -> Any:
        """Begun already, by a hook further out."""
        if outer.client is self:
            return inner(self, request, **kwargs)
        sending = outer.below(self, request)
        sending_now.set(sending)
        try:
            response = inner(self, request, **kwargs)
            error_body = _error_body(response, family) if sending.attempt is not None else None
        except BaseException as error:
            sending.hands_back(outer, error, family)
            sending.failed(error, family)
            raise
        finally:
            sending_now.set(outer)
        sending.hands_back(outer, None, family)
        ended = sending.over()
        if ended is not None:
            delivered(ended, response, family, sending.asked_more, family.SyncBody, error_body)
        return response

    return send


def single(inner: Callable[..., Any], family: Family) -> Callable[..., Any]:
    """`Client`'s method for a single request, of which a `send` may make several."""

    sending_now = SENDING

    @functools.wraps(inner)
    def send_single(self: Any, request: Any, *rest: Any) -> Any:
        sending = sending_now.get()
        if sending is None or sending.client is not self or sending.under_way:
            return inner(self, request, *rest)
        if request is not sending.out:
            ours = sending.is_ours(request)
            if sending.leaves(request, ours):
                request = sending.redirected(request, ours, family, family.SyncBody)
                attempt = steps.begin(sending.bound, sending.slot, request, family, False)
                sending.answer = _asked(sending, attempt, request, family)
                if sending.answer is not None:
                    return sending.answer
                request = sending.carried(request, family)
            elif ours:
                request = sending.carried(request, family)
            sending.out, sending.hooks = request, frozenset()
        sending.under_way, sending.left, sending.trying = True, False, None
        before = sending.handed
        if sending.followed:
            sending.handed = True
        try:
            response = inner(self, request, *rest)
        except BaseException as error:
            sending.raised(error, before, family)
            raise
        finally:
            sending.under_way = False
        if sending.followed:
            sending.answer = response
        return response

    family.singles.add(send_single)
    return send_single


def carrying(inner: Callable[..., Any], family: Family) -> Callable[..., Any]:
    """`HTTPTransport`'s method: what came of a request, whatever a transport around it makes of that. httpx before 0.20
    gives it the request in parts, which tell nothing."""

    sending_now = SENDING

    @functools.wraps(inner)
    def handle_request(self: Any, request: Any, *rest: Any, **more: Any) -> Any:
        sending = sending_now.get()
        if sending is None or sending.client is None:
            return inner(self, request, *rest, **more)
        carries = sending.carries(request)
        if carries and sending.tries(family, family.SyncBody):
            request = sending.again(request, family)
            attempt = steps.begin(sending.bound, sending.slot, request, family, False)
            refusal = _asked(sending, attempt, request, family)
            if refusal is not None:
                return refusal
            request = sending.carried(request, family)
        try:
            response = inner(self, request, *rest, **more)
            error_body = None
            if carries and response.status_code >= 400 and sending.is_wrapped(self):
                error_body = _error_body(response, family)
        except BaseException as error:
            sending.tried(error, carries, None, None, family)
            raise
        sending.tried(None, carries, response, error_body, family)
        return response

    return handle_request


def _error_body(response: Any, family: Family) -> bytes | None:
    """The bytes of an error's body that is still to come, and comes all the same: what it cost stands in it (R23), and
    SDKs close it unread to try again."""
    if response.status_code < 400 or response.is_closed:
        return None
    body = b"".join(response.stream)
    response.stream.close()
    steps.put_back(body, response, family)
    return body


def _asked(sending: Sending, attempt: Attempt, request: Any, family: Family) -> Any:
    """Goes on until the core has decided whether `request` may be sent; answers the refusal."""
    verdict = attempt.kind
    while verdict != SEND:
        if verdict == PASS:
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
    sending.allowed(attempt)
    return None
