"""The synchronous send."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from farthing._farthing import ANSWER, NEED_BODY, NOT_SENT, PASS, SEND
from farthing._hooks import steps
from farthing._hooks.binding import bound_of
from farthing._hooks.family import Family
from farthing._hooks.nesting import SENDING, same_request


def guarded(inner: Callable[..., Any], family: Family) -> Callable[..., Any]:
    """`Client.send` with the core in front of it."""

    @functools.wraps(inner)
    def send(self: Any, request: Any, **kwargs: Any) -> Any:
        bound = bound_of(self)
        if bound is None or self.is_closed or same_request(request):
            return inner(self, request, **kwargs)
        attempt = steps.attempt_of(bound)
        verdict = steps.begin(attempt, request, family)
        while verdict != SEND:
            if verdict == PASS:
                return inner(self, request, **kwargs)
            if verdict == ANSWER:
                return steps.refused(attempt, request, family)
            if verdict == NEED_BODY:
                request.read()
                verdict = steps.begin(attempt, request, family)
                continue
            try:
                attempt.wait()
            except BaseException:
                attempt.abort(NOT_SENT)
                raise
            verdict = attempt.proceed()

        body = attempt.body
        outgoing = request if body is None else steps.rewritten(request, body, family)
        outer = SENDING.get()
        SENDING.set(outgoing)
        attempt.sent()
        try:
            response = inner(self, outgoing, **kwargs)
        except BaseException as error:
            steps.failed(attempt, error, family)
            raise
        finally:
            SENDING.set(outer)
        if steps.delivered(attempt, response, family, body is not None):
            steps.streamed(attempt, response, family, family.SyncBody)
        return response

    return send
