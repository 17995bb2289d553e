"""The asynchronous send: as the synchronous one, but that it never blocks the event loop."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from farthing._ambient import CALL
from farthing._farthing import ANSWER, NEED_BODY, NOT_SENT, PASS, SEND, CallSlot
from farthing._hooks import steps
from farthing._hooks.binding import KEY, everywhere
from farthing._hooks.family import Family
from farthing._hooks.nesting import is_begun
from farthing._hooks.steps import delivered, rewritten
from farthing._hooks.waiting import wait


def guarded(inner: Callable[..., Any], family: Family) -> Callable[..., Any]:
    """`AsyncClient.send` with the core in front of it."""

    begin = steps.begin  # looked up here, not in every call
    in_call = CALL

    @functools.wraps(inner)
    async def send(self: Any, request: Any, **kwargs: Any) -> Any:
        bound = self.__dict__.get(KEY) or everywhere.bound
        if bound is None:
            return await inner(self, request, **kwargs)
        slot = in_call.get()
        if slot is None:
            return await alone(self, request, kwargs)
        outer = slot.sending
        if outer is not None and is_begun(slot, request, send):
            return await inner(self, request, **kwargs)
        attempt = begin(bound, slot, request, family, True)
        verdict = attempt.kind
        while verdict != SEND:
            if verdict == PASS:
                return await inner(self, request, **kwargs)
            if verdict == ANSWER:
                return steps.refused(attempt, request, family)
            if verdict == NEED_BODY:
                await request.aread()
                verdict = steps.begin_again(attempt, request, family)
                continue
            try:
                await wait(attempt)
            except BaseException:
                attempt.abort(NOT_SENT)
                raise
            verdict = attempt.proceed()

        body = attempt.sent()
        if body is not None:
            request = rewritten(request, body, family)
        slot.sending = request
        try:
            response = await inner(self, request, **kwargs)
        except BaseException as error:
            steps.failed(attempt, error, self, family)
            raise
        finally:
            slot.sending = outer
        delivered(attempt, response, family, body is not None, family.AsyncBody)
        return response

    async def alone(self: Any, request: Any, kwargs: Any) -> Any:
        """A request outside any SDK call: a call of its own (R27)."""
        CALL.set(CallSlot())
        try:
            return await send(self, request, **kwargs)
        finally:
            CALL.set(None)

    return send
