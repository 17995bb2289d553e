"""Putting wrappers into classes that are not ours, and taking them out again."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from farthing._hooks import aio, sync
from farthing._hooks.binding import clients, everywhere
from farthing._hooks.family import Family

_lock = threading.RLock()
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
        if self.owner.__dict__.get(self.name) is self.replacement:
            setattr(self.owner, self.name, self.original)


def replace(owner: type, name: str, make: Callable[[Any], Any]) -> None:
    """Replaces `owner.name` by `make(original)`, once, on the class that defines it."""
    with _lock:
        if (owner, name) in _patches or name not in owner.__dict__:
            return
        original = owner.__dict__[name]
        replacement = make(original)
        _patches[owner, name] = Patch(owner, name, original, replacement)
        setattr(owner, name, replacement)


def hook(family: Family) -> None:
    """Hooks the sends of a family."""
    replace(family.Client, "send", lambda inner: sync.guarded(inner, family))
    replace(family.AsyncClient, "send", lambda inner: aio.guarded(inner, family))


def unhook() -> None:
    """Restores every class exactly, unless something is still guarded."""
    with _lock:
        if everywhere.bound is not None or len(clients):
            return
        for patch in _patches.values():
            patch.restore()
        _patches.clear()
