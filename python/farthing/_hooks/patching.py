"""Putting wrappers into classes that are not ours, and taking them out again."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from farthing._hooks import aio, sync
from farthing._hooks.binding import clients, everywhere
from farthing._hooks.family import Family

_lock = threading.RLock()
_ABSENT = object()
_patches: dict[tuple[type, str], Patch] = {}


class Patch:
    """One attribute of one class, replaced."""

    __slots__ = ("name", "original", "owner", "replacement")

    def __init__(self, owner: type, name: str, original: Any, replacement: Any) -> None:
        self.owner = owner
        self.name = name
        self.original = original
        self.replacement = replacement

    def restore(self) -> None:
        # Somebody else may have wrapped ours since; theirs stays, and ours passes everything through.
        if self.owner.__dict__.get(self.name) is not self.replacement:
            return
        if self.original is _ABSENT:
            delattr(self.owner, self.name)
        else:
            setattr(self.owner, self.name, self.original)


def replace(owner: type, name: str, make: Callable[[Any], Any]) -> None:
    """Replaces `owner.name` by `make(original)`, once, on the class that defines it."""
    with _lock:
        if (owner, name) not in _patches and name in owner.__dict__:
            original = owner.__dict__[name]
            _put(owner, name, original, make(original))


def add(owner: type, name: str, value: Any) -> None:
    """Adds `owner.name`, once, if the class does not define it itself."""
    with _lock:
        if (owner, name) not in _patches and name not in owner.__dict__:
            _put(owner, name, _ABSENT, value)


def _put(owner: type, name: str, original: Any, value: Any) -> None:
    _patches[owner, name] = Patch(owner, name, original, value)
    setattr(owner, name, value)


def hook(family: Family) -> None:
    """Hooks the sends of a family."""
    replace(family.Client, "send", lambda inner: sync.guarded(inner, family))
    replace(family.AsyncClient, "send", lambda inner: aio.guarded(inner, family))


def unhook() -> bool:
    """Restores every class exactly, unless something is still guarded; answers whether it did."""
    with _lock:
        if everywhere.bound is not None or len(clients):
            return False
        for patch in _patches.values():
            patch.restore()
        _patches.clear()
        return True
