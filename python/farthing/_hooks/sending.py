"""One `send` on its way: the requests it consists of, and the attempt that they go under.

A client makes several requests of one `send`: it follows redirects, and asks again where authentication wants it. To
the same origin they are one attempt. A redirect to another one is a new begin (another provider, another price, or
nobody's that we know): the attempt before it ends with the redirect, which costs nothing (R23).

A request may also pass several of our hooks (R32): a transport may send what it was given through another client of a
guarded family, and a tracer that was taken off late may leave a hook of ours below a newer one. It is one request.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from farthing._farthing import NOT_SENT, SENT, Attempt, CallSlot
from farthing._hooks.binding import Bound
from farthing._hooks.family import Family
from farthing._hooks.steps import delivered, never_left, redirected, rewritten

UNTOLD = (None, None)


class Sending:
    """What a hook of `send` is at. The hook of single requests finds it, and so do hooks further in."""

    attempt: Attempt | None = None
    """What the request goes under now; nothing where it is not ours, or was refused."""
    asked_more = False
    """Whether the attempt's own body was put into the request."""
    content: bytes | None = None
    """The body that the attempt allows, once it was another than the caller's."""
    out: Any = None
    """The request that was handed on last; none after a refusal."""
    first: Any = None
    """The request that was handed on first. Redirects keep its stream, unless they make a GET of it."""
    begun: Any = None
    """The request that was begun last, where a redirect has led elsewhere."""
    followed = True
    """Whether this chain of redirects is the caller's, and not of what authentication asks for itself."""
    under_way = False
    """Whether `out` has no answer yet."""
    handed = False
    """Whether a request of the attempt was handed on to the transport, and may have left."""
    left = False
    """Whether `out` may have left since it was handed on: a transport of the caller's own may try more than once."""
    answer: Any = None
    """The last answer to one that carries the call; nothing where sending raised."""
    trying: tuple[Any, bytes | None] | None = None
    """What came of the last try of `out` at the stack's own transport: its answer, with an error's body, or that it is
    not known. A transport of the caller's own may try more than once, also at the same time."""
    known: Any = None
    """The last answer of the attempt, where what was tried after it never left."""
    hooks: frozenset[Callable[..., Any]] = frozenset()
    """Hooks further in that have let `out` through."""

    client: Any
    """Whose `send` it is; nobody's once it is over."""

    def __init__(self, client: Any, bound: Bound, slot: CallSlot, request: Any) -> None:
        self.client = client
        self.bound = bound
        self.slot = slot
        self.request = self.callers = request

    def allowed(self, attempt: Attempt) -> None:
        """The core lets `attempt` be sent."""
        body = attempt.sent()
        self.attempt = attempt
        self.asked_more = body is not None
        if body is not None:
            self.content = body

    def carried(self, request: Any, family: Family) -> Any:
        """`request` with the body that the attempt allows."""
        if self.content is None:
            return request
        return rewritten(request, self.content, family)

    def is_ours(self, request: Any) -> bool:
        """Whether `request` carries the call on, and is not what authentication asks for itself: a token's host must
        never get the prompt."""
        stream = request.stream
        if stream is self.first.stream or (self.begun is not None and stream is self.begun.stream):
            return True
        return _same(self.first, request)  # a copy that somebody made

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

    def redirected(self, request: Any, ours: bool, family: Family, body: type) -> Any:
        """Ends the attempt by the answer that it got. Answers what to begin: `request` with the body of the caller."""
        if self.attempt is not None:
            if self.answer is None:
                self.attempt.abort(SENT if self.handed else NOT_SENT)
            else:
                delivered(self.attempt, self.answer, family, self.asked_more, body)
        self.attempt = self.out = self.content = self.known = None
        self.handed = False
        if ours and self.first is not self.callers:
            self.content = self.callers.content
        self.begun = self.carried(request, family)
        return self.begun

    def raised(self, error: BaseException, before: bool, family: Family) -> None:
        """A single request raised. Whoever catches it may send again. `before`: an earlier one may have left."""
        if not self.followed:
            return
        if never_left(error, family) and not self.left:
            self.handed = before
            self.known = self.known if self.answer is None else self.answer
        else:
            self.known = None
        self.answer = None

    def carries(self, request: Any) -> bool:
        """Whether a request at the stack's own transport is a try of `out`: one of the caller's own may have written it
        anew, and asks elsewhere for tokens."""
        out = self.out
        # httpx before 0.20 gives it in parts.
        if request is out or out is None or not hasattr(request, "stream"):
            return request is out
        return self.is_ours(request) or (
            _same_origin(request, out) and bool(request.url.raw_path == out.url.raw_path)
        )

    def tries(self, family: Family, body: type) -> bool:
        """A try of `out` begins. Whether one before it was sent, which then ends here: it is billed for itself."""
        before, self.trying = self.trying, UNTOLD
        if before is None or self.attempt is None:
            return False
        response, error_body = before
        if response is not None and (error_body is not None or _is_read(response)):
            delivered(self.attempt, response, family, self.asked_more, body, error_body)
        else:
            self.attempt.abort(SENT)
        self.attempt = None
        self.left = False  # of what begins now
        return True

    def again(self, request: Any, family: Family) -> Any:
        """What to begin for it: `request` with the body of the caller."""
        self.answer = self.known = self.content = None
        if self.first is not self.callers:
            self.content = self.callers.content
        return self.carried(request, family)

    def is_wrapped(self, transport: Any) -> bool:
        """Whether `transport` is inside of one of the caller's own, which may close an answer unread and try again."""
        mounts = getattr(self.client, "_mounts", {})
        outermost = getattr(self.client, "_transport", transport)
        return transport is not outermost and transport not in mounts.values()

    def tried(
        self,
        error: BaseException | None,
        carries: bool,
        answer: Any,
        error_body: bytes | None,
        family: Family,
    ) -> None:
        """The stack's own transport was given a request of this send, and answered or raised. Whatever it was: a
        transport of the caller's own may write the call anew before it tries."""
        if self.client is None:
            return
        left = error is None or not never_left(error, family)
        self.left = self.left or left
        if carries:
            self.trying = (answer, error_body) if left else None

    def failed(self, error: BaseException, family: Family) -> None:
        """Sending raised: released where nothing can have left (R23), else settled by what is known, or charged."""
        answer = self.known if self.answer is None else self.answer
        left = self._may_have_left(error, family)
        attempt = self.over()
        if attempt is None:
            return
        if answer is not None and answer.has_redirect_location:
            redirected(attempt, answer, family)  # too many of them, or one to nowhere
        elif answer is not None and _is_read(answer):
            # A hook of the caller's own raised, or its authentication: at an answer that is known.
            delivered(attempt, answer, family, self.asked_more, family.SyncBody)
        else:
            attempt.abort(SENT if left else NOT_SENT)

    def _may_have_left(self, error: BaseException, family: Family) -> bool:
        """Authentication or a hook of the caller's own may have raised before the request was handed on. Where nobody
        told us of that, only the error does."""
        if self.handed or family.shows_requests_of(self.client):
            return self.handed
        closed = isinstance(error, RuntimeError) and self.client.is_closed
        return self.left or not (closed or never_left(error, family))

    def over(self) -> Attempt | None:
        """The attempt that this ended with. Tasks that were started meanwhile still find us, for as long as they live:
        nothing of theirs goes under it, and nothing of the call is kept."""
        attempt, self.attempt = self.attempt, None
        self.client = self.request = self.callers = self.first = self.begun = None
        self.out = self.answer = self.known = self.content = None
        return attempt

    def below(self, client: Any, request: Any) -> Sending:
        """The same for the `send` of another client further in, which follows redirects for itself."""
        inner = Sending(client, self.bound, self.slot, request)
        if self.content is not None:
            inner.callers = self.callers
        inner.out = inner.first = request
        inner.takes_over(self)
        return inner

    def hands_back(self, outer: Sending, error: BaseException | None, family: Family) -> None:
        """To the `send` further out, which settles it. Where that is over (it did not wait for us), it has settled what
        it gave us; what was begun here is left."""
        if outer.client is not None:
            outer.takes_over(self)
            if error is None or self._may_have_left(error, family):
                outer.left = outer.handed = True
            self.attempt = None
        elif self.begun is None:
            self.attempt = None

    def takes_over(self, other: Sending) -> None:
        """What the request goes under there."""
        self.attempt = other.attempt
        self.asked_more = other.asked_more
        self.content = other.content


SENDING: ContextVar[Sending | None] = ContextVar("farthing_sending", default=None)


def is_begun(outer: Sending, slot: CallSlot, request: Any, hook: Callable[..., Any]) -> bool:
    """Whether a hook further out has begun `request`, so that `hook` lets it through: each does once, to send it again
    is another request."""
    if outer.slot is not slot or outer.attempt is None or hook in outer.hooks:
        return False
    if not _same(outer.out, request):
        return False
    outer.hooks |= {hook}
    return True


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


def _is_read(response: Any) -> bool:
    try:
        return bool(response.is_closed and response.content is not None)
    except Exception:  # closed before it was read
        return False


def _same_origin(one: Any, other: Any) -> bool:
    if one is other:
        return True
    a, b = one.url, other.url
    return bool((a.scheme, a.raw_host, a.port) == (b.scheme, b.raw_host, b.port))
