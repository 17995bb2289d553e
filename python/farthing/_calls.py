"""One SDK call has one id for all its attempts (R27)."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

from farthing._ambient import CALL
from farthing._farthing import CallSlot


def one_call(inner: Callable[..., Any]) -> Callable[..., Any]:
    """An SDK's request method in which all attempts share one call id."""
    get, put = CALL.get, CALL.set  # looked up here, not in every call
    if inspect.iscoroutinefunction(inner):

        @functools.wraps(inner)
        async def arequest(self: Any, *args: Any, **kwargs: Any) -> Any:
            outer = get()
            slot = CallSlot()
            put(slot)
            try:
                return await inner(self, *args, **kwargs)
            finally:
                slot.over()  # for a task that was started in it and inherits it
                put(outer)

        return arequest

    @functools.wraps(inner)
    def request(self: Any, *args: Any, **kwargs: Any) -> Any:
        outer = get()
        slot = CallSlot()
        put(slot)
        try:
            return inner(self, *args, **kwargs)
        finally:
            slot.over()
            put(outer)

    return request
