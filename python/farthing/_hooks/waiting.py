"""Waiting in an event loop for what others hold (R21). The core wakes from any of its threads."""

from __future__ import annotations

import asyncio
from typing import Any

from farthing._farthing import Attempt
from farthing._loops import trio_here


async def wait(attempt: Attempt) -> None:
    """Until the core says that it is worth asking again, or its time is over. A cancellation passes through."""
    trio = trio_here()
    if trio is not None:
        return await _wait_in_trio(attempt, trio)
    loop = asyncio.get_running_loop()
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


async def _wait_in_trio(attempt: Attempt, trio: Any) -> None:
    token = trio.lowlevel.current_trio_token()
    woken = trio.Event()

    def wake() -> None:
        try:
            token.run_sync_soon(woken.set)
        except trio.RunFinishedError:  # nobody waits any more
            pass

    attempt.on_wake(wake)
    with trio.move_on_after(attempt.wait_ms / 1000):
        await woken.wait()
