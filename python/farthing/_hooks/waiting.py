"""Waiting in an event loop for what others hold (R21). The core wakes from any of its threads."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

from farthing._farthing import Attempt

_POLL_SECONDS = 0.02


async def wait(attempt: Attempt) -> None:
    """Until the core says that it is worth asking again, or its time is over. A cancellation passes through."""
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return await _wait_elsewhere(attempt)
    woken: asyncio.Future[None] = loop.create_future()

    def finish() -> None:
        if not woken.done():
            woken.set_result(None)

    def wake() -> None:
        try:
            loop.call_soon_threadsafe(finish)
        except RuntimeError:  # the loop is closed: nobody waits any more
            pass

    attempt.on_wake(wake)
    await asyncio.wait((woken,), timeout=attempt.wait_ms / 1000)
    return None


async def _wait_elsewhere(attempt: Attempt) -> None:
    """trio and others: httpx runs there on anyio, which is imported then."""
    anyio: Any = sys.modules["anyio"]
    woken: list[bool] = []
    attempt.on_wake(lambda: woken.append(True))
    with anyio.move_on_after(attempt.wait_ms / 1000):
        while not woken:
            await anyio.sleep(_POLL_SECONDS)
