"""Barriers and waiting: answers stop at a named hold until it is released; tests wait for a state, never for a time."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .provider import Provider

Waiter = tuple[Callable[[], bool], "asyncio.Future[None]"]


class Gate:
    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._held: dict[str, deque[asyncio.Future[None]]] = {}
        self._open: set[str] = set()
        self._waiters: list[Waiter] = []

    async def hold(self, name: str) -> None:
        if name in self._open or "*" in self._open:
            return
        future = asyncio.get_running_loop().create_future()
        queue = self._held.setdefault(name, deque())
        queue.append(future)
        self.changed()
        try:
            await future
        finally:
            if future in queue:
                queue.remove(future)

    def release(self, name: str = "*", count: int | None = None, stay_open: bool = False) -> int:
        """Lets those pass that wait there now, or the first `count`; with `stay_open` all that come later too."""
        if stay_open:
            self._open.add(name)
        released = 0
        for one in list(self._held) if name == "*" else [name]:
            queue = self._held.get(one, deque())
            while queue and (count is None or released < count):
                future = queue.popleft()
                if not future.done():
                    future.set_result(None)
                    released += 1
        return released

    def holding(self) -> dict[str, int]:
        return {name: len(queue) for name, queue in self._held.items() if queue}

    def reset(self) -> None:
        self._open.clear()
        self.release()
        self.changed()

    def changed(self) -> None:
        """To be called after any change that somebody may wait for."""
        if not self._waiters:
            return
        for condition, future in self._waiters:
            if not future.done() and condition():
                future.set_result(None)

    async def wait(self, condition: Callable[[], bool], timeout: float) -> bool:
        if condition():
            return True
        waiter: Waiter = (condition, asyncio.get_running_loop().create_future())
        self._waiters.append(waiter)
        try:
            await asyncio.wait_for(waiter[1], timeout)
            return True
        except asyncio.TimeoutError:
            return False
        finally:
            self._waiters.remove(waiter)
