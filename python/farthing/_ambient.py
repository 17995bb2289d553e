"""What goes with the running code: the scope it works for, the SDK call it is in, the last refusal it met.

All are context variables: tasks of asyncio and `asyncio.to_thread` inherit them, plain threads and executors do not
(carry a token over with `guard.join`).
"""

from __future__ import annotations

import os
from contextvars import ContextVar

from farthing import _farthing

SCOPE: ContextVar[_farthing.Scope | None] = ContextVar("farthing_scope", default=None)

CALL: ContextVar[_farthing.CallSlot | None] = ContextVar("farthing_call", default=None)
"""Inside an SDK's request method: where its attempts find the call that they share (R27)."""

REFUSED: ContextVar[bytes | None] = ContextVar("farthing_refused", default=None)
"""The body of the last refusal in this context: the last resort of `find_cap_exceeded`."""

_root: _farthing.Scope | None = None


def root() -> _farthing.Scope:
    """Where nothing was entered: what `FARTHING_SCOPE` carries over from a parent process, else nothing."""
    global _root
    if _root is None:
        token = os.environ.get("FARTHING_SCOPE")
        _root = _farthing.Scope.join(token) if token else _farthing.Scope.root()
    return _root


def scope() -> _farthing.Scope:
    return SCOPE.get() or root()
