"""`guard.aio`: the verbs of a guard as coroutines, where they do I/O."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from farthing._loops import in_thread
from farthing.receipt import Estimate
from farthing.report import Change, Job, LedgerRow, Status

if TYPE_CHECKING:
    from farthing.guard import Guard


class Aio:
    """Verbs of a guard as coroutines; each runs in a thread, so the event loop never waits for the store."""

    __slots__ = ("_guard",)

    def __init__(self, guard: Guard) -> None:
        self._guard = guard

    async def estimate(self, endpoint: str, **request: Any) -> Estimate:
        """`await guard.aio.estimate(...)`: Guard.estimate."""
        return await in_thread(self._guard.estimate, endpoint, **request)

    async def status(self) -> Status:
        """`await guard.aio.status(...)`: Guard.status."""
        return await in_thread(self._guard.status)

    async def ledger(self, **filters: Any) -> list[LedgerRow]:
        """`await guard.aio.ledger(...)`: Guard.ledger."""
        return await in_thread(lambda: list(self._guard.ledger(**filters)))

    async def jobs(self) -> list[Job]:
        """`await guard.aio.jobs(...)`: Guard.jobs."""
        return await in_thread(self._guard.jobs)

    async def end_job(self, id: str, amount: str | None = None, **more: Any) -> None:
        """`await guard.aio.end_job(...)`: Guard.end_job."""
        await in_thread(self._guard.end_job, id, amount, **more)

    async def denials(self, limit: int = 100) -> list[dict[str, Any]]:
        """`await guard.aio.denials(...)`: Guard.denials."""
        return await in_thread(self._guard.denials, limit)

    async def changes(self, limit: int = 100) -> list[Change]:
        """`await guard.aio.changes(...)`: Guard.changes."""
        return await in_thread(self._guard.changes, limit)

    async def why(self, id: str) -> str:
        """`await guard.aio.why(...)`: Guard.why."""
        return await in_thread(self._guard.why, id)

    async def halt(self, why: str, **more: Any) -> int:
        """`await guard.aio.halt(...)`: Guard.halt."""
        return await in_thread(self._guard.halt, why, **more)

    async def resume(self, id: int | None = None, **more: Any) -> None:
        """`await guard.aio.resume(...)`: Guard.resume."""
        await in_thread(self._guard.resume, id, **more)

    async def set_limit(self, cap: str, limit: str, **more: Any) -> None:
        """`await guard.aio.set_limit(...)`: Guard.set_limit."""
        await in_thread(self._guard.set_limit, cap, limit, **more)

    async def clear_limit(self, cap: str, **more: Any) -> None:
        """`await guard.aio.clear_limit(...)`: Guard.clear_limit."""
        await in_thread(self._guard.clear_limit, cap, **more)

    async def flush(self, wait_ms: int = 2000) -> None:
        """`await guard.aio.flush(...)`: Guard.flush."""
        await in_thread(self._guard.flush, wait_ms)

    async def close(self) -> None:
        """`await guard.aio.close(...)`: Guard.close."""
        await in_thread(self._guard.close)
