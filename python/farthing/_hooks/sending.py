"""One `send` on its way: the requests that it consists of, and the attempts that they go under.

A client makes several requests of one `send`: it follows redirects, and asks again where authentication wants it; a
transport of the caller's own may try more than once, also at the same time. Whatever was sent and may be billed is an
attempt of its own, so the next request of the call is begun anew. What costs nothing goes on under the same attempt: a
request that never left, a redirect to the same origin, and 401 or 407, which authentication answers.

A request also passes several of our hooks (R32): `send`, the one of single requests and the one of the stack's
transport, each in two layers where a tracer was taken off late, and those of another client that a transport sends it
through. It is one request as long as it goes further in: a hook that sees an attempt again, or one that was used
further in, sees another try.
"""

from __future__ import annotations

import socket
from contextvars import ContextVar
from typing import Any
from weakref import ref

from farthing._farthing import NOT_SENT, SENT, Attempt, CallSlot
from farthing._hooks.binding import Bound
from farthing._hooks.family import Family
from farthing._hooks.steps import delivered, never_left, redirected, rewritten

UNAUTHORIZED = (401, 407)


class Try:
    """What one attempt was used for, and what came of it."""

    __slots__ = (
        "answer",
        "asked_more",
        "attempt",
        "content",
        "depth",
        "error_body",
        "flying",
        "left",
        "place",
        "seen",
        "stream",
        "written_anew",
    )

    def __init__(self, attempt: Attempt, depth: int) -> None:
        self.attempt: Attempt | None = attempt
        """Nothing once its end was told."""
        self.content = attempt.sent()
        """The body that the attempt allows, where it is another than the caller's."""
        self.asked_more = self.content is not None
        self.stream: Any = None
        """Of a request that has it."""
        self.depth = depth
        """How far in it was used."""
        self.answer: Any = None
        """The last one."""
        self.error_body: bytes | None = None
        """What was read of it ahead of the caller, where it is an error."""
        self.place: Any = None
        """A request as the stack's own transport had it."""
        self.seen = False
        """Whether the stack's own transport had it, which tells what came of it."""
        self.flying = False
        """Whether a hook waits for its answer, and settles it if the `send` does not."""
        self.left = False
        """Whether something was sent under it of which nobody knows how it ended."""
        self.written_anew = False
        """Whether something else was sent meanwhile, which may be the call as a transport of the caller's wrote it."""

    def is_free(self) -> bool:
        """Whether nothing that went under it is billed, so that the next request may."""
        if self.flying or self.left:
            return False
        answer = self.answer
        return answer is None or answer.has_redirect_location or answer.status_code in UNAUTHORIZED

    def may_be_taken(self) -> bool:
        """Whether its answer is open, so that the caller may get it though the call went out again."""
        answer = self.answer
        return answer is not None and not _costs_nothing(answer) and not _is_read(answer)

    def end(self, family: Family) -> None:
        """Settles it by what is known."""
        attempt, self.attempt = self.attempt, None
        if attempt is None:
            return
        answer = self.answer
        if self.left or (answer is None and self.written_anew and not self.seen):
            attempt.abort(SENT)
        elif answer is None:
            attempt.abort(NOT_SENT)
        elif answer.has_redirect_location:
            redirected(attempt, answer, family)
        elif self.error_body is not None or _is_read(answer):
            delivered(attempt, answer, family, self.asked_more, family.SyncBody, self.error_body)
        else:
            attempt.abort(SENT)


class Tries:
    """All tries of one `send`, whose hooks and those further in share them."""

    def __init__(self, bound: Bound, slot: CallSlot, callers: Any) -> None:
        self.bound = bound
        self.slot = slot
        self.callers = callers
        """The caller's request; nobody's once the `send` is over."""
        self.now: Try | None = None
        """What the next request goes under; nothing after a refusal, and where the core lets everything pass."""
        self.passes = False
        self.all: list[Try] = []
        self.over = False
        self.beside: list[tuple[Any, bool]] = []
        """What did not look like the call where a transport sent it, and whether it is one by where it went."""
        self.late: tuple[Any, ...] = ()
        """Weak references to the requests that were handed on, once the `send` is over."""

    def begun(self, attempt: Attempt, depth: int) -> Try:
        """The core lets `attempt` be sent."""
        made = Try(attempt, depth)
        self.now = made
        self.all.append(made)
        return made

    def again(self, depth: int) -> bool:
        """Whether the call goes out again, and not only further in, under what may be billed for it."""
        now = self.now
        if now is None:
            return not self.passes
        if now.depth >= depth and not now.is_free():
            return True
        now.depth = depth
        return False

    def renew(self, family: Family) -> None:
        """Ends what is over, before the call goes out again."""
        for one in self.all:
            if not one.flying and not one.may_be_taken():
                one.end(family)
        self.now, self.passes = None, False

    def restored(self, request: Any, family: Family) -> Any:
        """What to begin for `request`: with the body of the caller where it has one of ours."""
        ours = [one for one in self.all if one.content is not None]
        if not ours or self.callers is None:
            return request
        stream, content = request.stream, _content(request)
        if not any(one.stream is stream or one.content == content for one in ours):
            return request
        return rewritten(request, self.callers.content, family)

    def carried(self, request: Any, family: Family, begun: Any = None) -> Any:
        """`request` with the body that the attempt allows. `begun`: what it was begun for, if that is another."""
        now = self.now
        if now is None or (now.content is None and begun is None):
            return request
        if now.content is None:
            body = _content(begun)
            same = body is None or body == _content(request)
            return request if same else rewritten(request, body, family)
        carrier = rewritten(request, now.content, family)
        now.stream = carrier.stream
        return carrier

    def of(self, response: Any) -> Try | None:
        """What the answer of the `send` is told to; nothing: it was told before."""
        now = self.now
        if now is not None and now.answer is response:
            return now
        for one in self.all:
            if one.answer is response:
                return one if one.attempt is not None else None
        # Somebody made it of another.
        open_ = [one for one in self.all if one.attempt is not None and not one.flying]
        answered = [one for one in open_ if one.answer is not None]
        if not answered:
            return now if now in open_ else None
        owner = answered[-1]
        if _costs_nothing(response) and not _costs_nothing(owner.answer):
            return None  # an error that somebody made of an answer: what that cost is owed all the same
        owner.error_body = None
        return owner

    def end_all(self, but: Try | None, family: Family) -> None:
        """What still waits for an answer is left to the hook that waits for it."""
        for one in self.all:
            if one is not but and not one.flying:
                one.end(family)

    def is_late(self, request: Any) -> bool:
        """Whether the call is tried after its `send` is over."""
        return any(one() is request for one in self.late)


class Sending:
    """What a hook of `send` is at. The hooks further in find it."""

    first: Any = None
    """The request that was handed on first. Redirects keep its stream, unless they make a GET of it."""
    out: Any = None
    """The request that was handed on last; none after a refusal."""
    content: Any = None
    """Of the call, as it was handed on last: somebody may write another into it."""
    begun: Any = None
    """The request that was begun last, where it is not the caller's."""
    followed = True
    """Whether this chain of redirects is the caller's, and not of what authentication asks for itself."""
    under_way = False
    """Whether `out` has no answer yet."""
    answer: Any = None
    """The last answer to one that carries the call; nothing where sending raised."""

    def __init__(self, client: Any, request: Any, tries: Tries, depth: int = 0) -> None:
        self.client = client
        """Whose `send` it is; nobody's once it is over."""
        self.request = request
        self.tries = tries
        self.depth = depth

    def handed(self, request: Any) -> None:
        """`request` is what the client sends first."""
        self.out = self.first = request
        self.content = _content(request)

    def is_ours(self, request: Any) -> bool:
        """Whether `request` carries the call on, and is not what authentication asks for itself: a token's host must
        never get the prompt."""
        stream = request.stream
        if stream is self.first.stream or (self.begun is not None and stream is self.begun.stream):
            return True
        # A copy that somebody made, or a new one that authentication wrote.
        return _same(self.first, request) or _same_place(self.first, request)

    def leaves(self, request: Any, ours: bool) -> bool:
        """Whether `request` goes elsewhere than the attempt was begun for, or follows a refusal."""
        before = self.answer
        if ours:
            self.followed = True
        elif before is None or not before.has_redirect_location:
            self.followed = False
        if self.out is None:
            return self.followed
        begun = self.request if self.begun is None else self.begun
        return self.followed and not _same_origin(request, begun)

    def carries(self, request: Any) -> bool:
        """Whether a request at the stack's own transport is a try of `out`: one of the caller's own may have written it
        anew, and asks elsewhere for tokens."""
        out = self.out if self.followed else None
        # httpx before 0.20 gives it in parts.
        if out is None or request is out or not hasattr(request, "stream"):
            return request is out
        if self.is_ours(request) or (
            _same_origin(request, out) and bool(request.url.raw_path == out.url.raw_path)
        ):
            return True
        content = _content(request)
        return bool(content) and content == _content(out)

    def changed(self, request: Any) -> bool:
        """Whether somebody wrote another body than was handed on."""
        content = _content(request)
        return content is not None and content is not self.content and content != self.content

    def moved(self, request: Any) -> bool:
        """Whether a try is another than the one before under the same attempt, which cost nothing: it goes elsewhere,
        or has another body."""
        now = self.tries.now
        if now is None or now.place is None:
            return False
        content = _content(request)
        return bool(content) and (
            content != _content(now.place) or not _same_origin(request, now.place)
        )

    def is_another(self, request: Any) -> bool:
        """Whether what does not look like the call is another try of it all the same: a call by where it goes, or what
        went to the same place before. What asks for tokens is neither."""
        tries = self.tries
        now = tries.now if self.under_way and self.followed else None
        if now is None or not _content(request):
            return False
        before = tries.beside
        if any(_same_place(one, request) for one, _ in before):
            return True
        if not now.seen and not any(call for _, call in before):
            return False
        return self.is_call(request)

    def is_call(self, request: Any) -> bool:
        url = request.url
        return self.tries.bound.core.is_call(request.method, url.netloc.decode("ascii"), url.path)

    def stands_for(self, request: Any, family: Family) -> tuple[Any, bool]:
        """What to begin for a request at the stack's own transport, and whether that is another than what is sent then.
        Where the first try goes is the affair of who sends it there: a gateway is priced as what it stands for. Another
        try elsewhere is another call."""
        out = self.out
        if request is out or out is None:
            return request, False
        if not self.carries(request):
            known = any(_same_place(one, request) for one, _ in self.tries.beside)
            return (out, True) if known else (request, False)
        places = [one.place for one in self.tries.all if one.place is not None]
        if places and not any(_same_origin(place, request) for place in places):
            return request, False
        changed = self.changed(request)
        return rewritten(out, _content(request), family) if changed else out, False

    def goes(self, request: Any) -> Try | None:
        """A single request is handed on. What it goes under, where it carries the call."""
        self.out, self.under_way = request, True
        if self.followed:
            self.content = _content(request)
        now = self.tries.now if self.followed else None
        if now is not None and self.depth > 0:
            now.flying = True  # whoever sends further out need not wait for it
        return now

    def raised(
        self, error: BaseException, trying: Try | None, request: Any, family: Family
    ) -> None:
        """A single request raised. Whoever catches it may send again."""
        self.answer, self.under_way = None, False
        if trying is None or self._waits_further_in(trying):
            return
        if not trying.seen:
            trying.left = not _never_reached(error, self.client, request, family)
        if self.tries.over:
            trying.end(family)

    def answered(self, response: Any, trying: Try | None) -> Try | None:
        """A single request was answered. Whom to tell, where its `send` is over."""
        self.under_way = False
        if self.followed:
            self.answer = response
        if trying is None or self._waits_further_in(trying):
            return None
        if not trying.seen:
            trying.answer = response
        return trying if self.tries.over else None

    def _waits_further_in(self, trying: Try) -> bool:
        """Whether a transport that did not wait has gone on. Where it is us who waited, nobody does any more."""
        if self.depth > 0:
            trying.flying = False
        return trying.flying

    def failed(self, error: BaseException, family: Family) -> None:
        """Sending raised: released where nothing can have left (R23), else settled by what is known, or charged."""
        now = self.tries.now
        # Authentication or a hook of the caller's own may have raised before the request was handed on. Where nobody
        # told us of that, only the error does.
        if (
            now is not None
            and now.depth <= self.depth
            and not family.shows_requests_of(self.client)
        ):
            closed = isinstance(error, RuntimeError) and self.client.is_closed
            now.left = not (closed or _never_reached(error, self.client, self.request, family))
        self.over(None, family)

    def over(self, owner: Try | None, family: Family) -> None:
        """Tasks that were started meanwhile still find us, for as long as they live: nothing of theirs goes under it,
        and nothing of the call is kept. `owner`: what its answer is told to."""
        tries = self.tries
        tries.over = True
        if len(tries.all) > 1 or owner is None:
            tries.end_all(owner, family)
        if self.out is not None:
            first = ref(self.first)
            tries.late = (first,) if self.out is self.first else (first, ref(self.out))
        tries.callers = tries.now = None
        tries.all, tries.beside = [], []
        self.left_behind()

    def left_behind(self) -> None:
        """Keeps nothing of the call."""
        self.client = self.request = self.first = self.begun = self.out = self.answer = None
        self.content = None

    def below(self, client: Any, request: Any) -> Sending:
        """The same for the `send` of another client further in, which follows redirects for itself."""
        inner = Sending(client, request, self.tries, self.depth + 2)
        inner.handed(request)
        return inner


SENDING: ContextVar[Sending | None] = ContextVar("farthing_sending", default=None)


def is_begun(outer: Sending, bound: Bound, slot: CallSlot, request: Any) -> bool:
    """Whether a hook further out has begun `request` on the same store."""
    tries = outer.tries
    if tries.slot is not slot or tries.over or tries.passes or not _same(outer.out, request):
        return False
    return tries.bound.core is bound.core or tries.bound.guard.store_id == bound.guard.store_id


def _never_reached(error: BaseException, client: Any, request: Any, family: Family) -> bool:
    """Whether an error proves that nothing has left, where the stack's own transport did not have the request. Others
    raise the same errors for other reasons: those over aiohttp `ConnectTimeout` where a connection broke."""
    if not never_left(error, family):
        return False
    try:
        if isinstance(client._transport_for_url(request.url), family.MockTransport):
            return True
    except Exception:  # another client's way
        pass
    proved, link = False, error.__cause__ or error.__context__
    while link is not None:
        refused = isinstance(link, (ConnectionRefusedError, socket.gaierror)) or any(
            kind.__name__ == "ClientConnectorError" for kind in type(link).__mro__
        )
        if not refused and not isinstance(link, (*family.never_left, *_CONNECTING)):
            return False
        proved = proved or refused
        link = link.__cause__ or link.__context__
    return proved or isinstance(error, ConnectionRefusedError)


_CONNECTING = (BlockingIOError, InterruptedError)
"""What loops meet on the way to a connection."""


def _content(request: Any) -> Any:
    content = getattr(
        request, "_content", None
    )  # asked several times in each call: `content` is a property
    if content is not None:
        return content
    try:
        return request.content
    except Exception:  # a body that is not read
        return None


def _same(outer: Any, request: Any) -> bool:
    """Compared by what it says, not only by where it runs: tasks that are started while a request is sent inherit its
    context, and their own requests must be guarded."""
    if outer is request:
        return True
    try:
        return bool(
            outer.method == request.method
            and outer.url.raw_path == request.url.raw_path
            and outer.content == request.content
            and outer.content
        )
    except Exception:  # a body that is not read: not the same
        return False


def _costs_nothing(response: Any) -> bool:
    return bool(response.status_code >= 300)


def _is_read(response: Any) -> bool:
    try:
        return bool(response.is_closed and response.content is not None)
    except Exception:  # closed before it was read
        return False


def _same_place(one: Any, other: Any) -> bool:
    return bool(
        one.method == other.method
        and _same_origin(one, other)
        and one.url.raw_path == other.url.raw_path
    )


def _same_origin(one: Any, other: Any) -> bool:
    if one is other:
        return True
    a, b = one.url, other.url
    return bool((a.scheme, a.raw_host, a.port) == (b.scheme, b.raw_host, b.port))
