"""One request may pass several of our hooks (R32): a transport may send what it was given through another client of a
guarded family, and a tracer that was taken off late may leave a hook of ours below a newer one. It is one request."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class Passed:
    """A request that a hook further out is sending, and the hooks below it that have let it through."""

    __slots__ = ("hooks", "request")

    def __init__(self, request: Any, hook: Callable[..., Any]) -> None:
        self.request = request
        self.hooks = {hook}


def is_begun(slot: Any, request: Any, hook: Callable[..., Any]) -> bool:
    """Whether a hook further out has begun `request`, so that `hook` lets it through: each does once, to send it again
    is another request."""
    outer = slot.sending
    if type(outer) is not Passed:
        if not _same(outer, request):
            return False
        slot.sending = Passed(outer, hook)
        return True
    if hook in outer.hooks or not _same(outer.request, request):
        return False
    outer.hooks.add(hook)
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
