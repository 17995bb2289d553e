"""Runs what may block in a thread, from the event loop that this code runs in: asyncio or trio."""

from __future__ import annotations

import asyncio
import functools
import sys
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")


async def in_thread(function: Callable[..., T], /, *args: Any, **kwargs: Any) -> T:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        trio: Any = sys.modules["trio"]
        done: T = await trio.to_thread.run_sync(functools.partial(function, *args, **kwargs))
        return done
    return await asyncio.to_thread(function, *args, **kwargs)
