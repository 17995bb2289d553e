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

from farthing._farthing import Attempt, CallSlot
from farthing._hooks.binding import Bound
from farthing._hooks.family import Family
from farthing._hooks.steps import broken_off, delivered, redirected, rewritten


class Sending:
    """What a hook of `send` is at. The hook of single requests finds it, and so do hooks further in."""

    attempt: Attempt | None = None
    """What the request goes under now; nothing where it is not ours, or was refused."""
    asked_more = False
    """Whether the attempt's own body was put into the request."""
    content: bytes | None = None
    """The body that the attempt allows, once it was another than the caller's."""
    out: Any = None
    """The request that was handed on last."""
    begun: Any = None
    """The request that was begun last, where a redirect has led elsewhere."""
    followed = True
    """Whether this chain of redirects is the caller's, and not of what authentication asks for itself."""
    under_way = False
    """Whether `out` has no answer yet."""
    answer: Any = None
    """The answer before."""
    hooks: frozenset[Callable[..., Any]] = frozenset()
    """Hooks further in that have let `out` through."""

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
        if self.content is None or request.method != self.callers.method:
            return request  # as it is; or the redirect has made a GET of it
        return rewritten(request, self.content, family)

    def leaves(self, request: Any) -> bool:
        """Whether a redirect takes `request` away from where the attempt was begun."""
        before = self.answer
        if before is None or not before.has_redirect_location:
            self.followed = _same_origin(request, self.request)
        begun = self.request if self.begun is None else self.begun
        return self.followed and not _same_origin(request, begun)

    def redirected(self, request: Any, family: Family, body: type) -> Any:
        """Ends the attempt by the answer that it got. Answers what to begin: `request` with the body of the caller."""
        if self.attempt is not None:
            delivered(self.attempt, self.answer, family, self.asked_more, body)
            self.attempt = None
        self.begun = request
        if self.content is not None:
            self.content = self.callers.content
        return self.carried(request, family)

    def failed(self, error: BaseException, family: Family) -> None:
        """Sending raised."""
        attempt, answer = self.over(), self.answer
        if attempt is None:
            return
        if answer is not None and answer.has_redirect_location and not self.under_way:
            redirected(attempt, answer, family)  # too many of them, or one to nowhere
        else:
            broken_off(attempt, error, self.client, family)

    def over(self) -> Attempt | None:
        """The attempt that this ended with. Tasks that were started meanwhile still find us: nothing goes under it."""
        attempt, self.attempt = self.attempt, None
        return attempt

    def below(self, client: Any, request: Any) -> Sending:
        """The same for the `send` of another client further in, which follows redirects for itself."""
        inner = Sending(client, self.bound, self.slot, request)
        inner.callers = self.callers
        inner.out = request
        inner.takes_over(self)
        return inner

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


def _same_origin(one: Any, other: Any) -> bool:
    if one is other:
        return True
    a, b = one.url, other.url
    return bool((a.scheme, a.raw_host, a.port) == (b.scheme, b.raw_host, b.port))
