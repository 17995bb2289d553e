"""Putting wrappers into classes that are not ours, and taking them out again."""

from __future__ import annotations

import functools
import inspect
import threading
from collections.abc import Callable
from types import FunctionType, ModuleType
from typing import Any

from farthing._hooks import aio, sync
from farthing._hooks.binding import KEY, Bound, clients, everywhere
from farthing._hooks.family import SINGLE, Family

_lock = threading.RLock()
_ABSENT = object()
_patches: dict[tuple[type | ModuleType, str], Patch] = {}
# Those that could not be taken out, because somebody had wrapped them: their wrapper may be gone by now.
_left: list[Patch] = []


class Patch:
    """One attribute of one class or module, replaced."""

    __slots__ = ("name", "original", "owner", "replacement")

    def __init__(
        self, owner: type | ModuleType, name: str, original: Any, replacement: Any
    ) -> None:
        self.owner = owner
        self.name = name
        self.original = original
        self.replacement = replacement

    def restore(self) -> bool:
        """Answers whether it could: somebody else may have wrapped ours since; theirs stays, and ours passes everything
        through."""
        present = self.owner.__dict__.get(self.name)
        ours, original = self.replacement, self.original
        while present is not ours and hasattr(original, "__wrapped__"):
            ours, original = ours.__wrapped__, original.__wrapped__  # they took off what was below
        if present is not ours:
            return False
        if original is _ABSENT:
            delattr(self.owner, self.name)
        else:
            setattr(self.owner, self.name, original)
        return True


def replace(owner: type | ModuleType, name: str, make: Callable[[Any], Any]) -> None:
    """Replaces `owner.name` by `make(original)`, once, on the class or module that defines it."""
    with _lock:
        if (owner, name) not in _patches and name in owner.__dict__:
            _restore_left()
            original = owner.__dict__[name]
            _put(owner, name, original, _over(original, make))


def add(owner: type, name: str, value: Any) -> None:
    """Adds `owner.name`, once, if the class does not define it itself."""
    with _lock:
        if (owner, name) not in _patches and name not in owner.__dict__:
            _put(owner, name, _ABSENT, value)


def _over(original: Any, make: Callable[[Any], Any]) -> Any:
    """`make(original)`, also where others have wrapped it before us.

    They may take theirs off again by putting back what the attribute's `__wrapped__` is (ddtrace does): then that is
    ours without their layer, never the bare method.
    """
    if isinstance(original, classmethod):
        return make(original)
    ours = make(_function(original))
    below = getattr(original, "__wrapped__", None)
    ours.__wrapped__ = original if below is None else _over(below, make)
    return ours


def _function(original: Any) -> Callable[..., Any]:
    """What is called with `self` first. A wrapper that is no function (wrapt's) wants to be bound, or it takes `self`
    for the first argument; what cannot be bound (a mock) is called without, as Python does."""
    if type(original) is FunctionType:
        return original
    bound = original.__get__ if hasattr(type(original), "__get__") else lambda *_: original
    if inspect.iscoroutinefunction(original):

        @functools.wraps(original)
        async def acall(self: Any, *args: Any, **kwargs: Any) -> Any:
            return await bound(self, type(self))(*args, **kwargs)

        return acall

    @functools.wraps(original)
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        return bound(self, type(self))(*args, **kwargs)

    return call


def _put(owner: type | ModuleType, name: str, original: Any, value: Any) -> None:
    _patches[owner, name] = Patch(owner, name, original, value)
    setattr(owner, name, value)


def bind(client: Any, family: Family, bound: Bound) -> None:
    """Guards an HTTP client of a family, as `bound` says."""
    client.__dict__[KEY] = bound
    clients.add(client)
    hook(family)


def hook(family: Family) -> None:
    """Hooks the sends of a family, and what carries them."""
    replace(family.Transport, "handle_request", lambda inner: sync.carrying(inner, family))
    replace(
        family.AsyncTransport, "handle_async_request", lambda inner: aio.carrying(inner, family)
    )
    replace(family.Client, SINGLE, lambda inner: sync.single(inner, family))
    replace(family.AsyncClient, SINGLE, lambda inner: aio.single(inner, family))
    replace(family.Client, "send", lambda inner: sync.guarded(inner, family))
    replace(family.AsyncClient, "send", lambda inner: aio.guarded(inner, family))


def unhook() -> bool:
    """Restores every class exactly, unless something is still guarded; answers whether it did."""
    with _lock:
        if everywhere.bound is not None or len(clients):
            return False
        _restore_left()
        _left.extend(patch for patch in _patches.values() if not patch.restore())
        _patches.clear()
        return True


def _restore_left() -> None:
    """The newest first: an older one may lie below it."""
    _left[:] = [patch for patch in reversed(_left) if not patch.restore()][::-1]
