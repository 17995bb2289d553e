"""The event loop that this code runs in: asyncio's or trio's."""

from __future__ import annotations

import asyncio
import functools
import sys
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")


def trio_here() -> Any:
    """The module `trio` in a task of trio's, also where trio is a guest of asyncio's loop; None elsewhere."""
    trio: Any = sys.modules.get("trio")
    return trio if trio is not None and trio.lowlevel.in_trio_task() else None


async def in_thread(function: Callable[..., T], /, *args: Any, **kwargs: Any) -> T:
    """Runs what may block. It is done even where the task was cancelled before: a guard must close then too."""
    trio = trio_here()
    if trio is None:
        return await asyncio.to_thread(function, *args, **kwargs)
    with trio.CancelScope(shield=True):
        done: T = await trio.to_thread.run_sync(functools.partial(function, *args, **kwargs))
    return done
