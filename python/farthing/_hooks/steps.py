"""One request through the core's state machine, without any I/O: what both sends share."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from farthing import _ambient
from farthing._farthing import NOT_SENT, SENT, Attempt
from farthing._hooks.binding import Bound
from farthing._hooks.family import Family

ATTEMPT_HEADER = "x-farthing-attempt"

_call = _ambient.CALL
_scope = _ambient.SCOPE


def attempt_of(bound: Bound) -> Attempt:
    """An attempt of the SDK call that this is in (R27); without one, of a call of its own."""
    core = bound.core
    slot = _call.get()
    if slot is None or (slot[0] is not None and slot[0] is not core):
        call = core.call()
    elif slot[0] is None:
        slot[0] = core
        call = slot[1] = core.call()
    else:
        call = slot[1]
    return Attempt(core, bound.binding, _scope.get() or _ambient.root(), call)


def begin(attempt: Attempt, request: Any, family: Family) -> int:
    url = request.url
    try:
        body = request.content
    except family.RequestNotRead:
        body = None  # multipart, generators: the core says whether it wants it read
    return attempt.begin(
        request.method, url.scheme, url.netloc, url.raw_path, request.headers.raw, body
    )


def rewritten(request: Any, body: bytes, family: Family) -> Any:
    """A request of the same class like `request` with another body; the caller's own object stays as it is.

    Headers, extensions (timeouts, SNI, tracing) and whatever else it carries are the same; content-length follows.
    """
    copy = request.__class__.__new__(request.__class__)
    fields = copy.__dict__
    fields.update(request.__dict__)
    fields.pop("_content", None)
    headers = copy.headers = request.headers.__class__(request.headers)
    if "transfer-encoding" not in headers:
        headers["content-length"] = str(len(body))
    copy.extensions = dict(request.extensions)
    copy.stream = family.ByteStream(body)
    copy.read()  # as it was: a body that is there can be read by hooks and transports
    return copy


def refused(attempt: Attempt, request: Any, family: Family) -> Any:
    """The answer that stands for the provider's: 402, never retried (interception facts 2 and 3)."""
    status, headers, body = attempt.answer
    _ambient.REFUSED.set(body)
    response = family.Response(status, headers=headers, content=body, request=request)
    response.elapsed = timedelta(0)
    return response


def failed(attempt: Attempt, error: BaseException, family: Family) -> None:
    """Sending raised: released where nothing can have left, else charged."""
    attempt.abort(NOT_SENT if _never_left(error, family) else SENT)


def _never_left(error: BaseException, family: Family) -> bool:
    if isinstance(error, family.never_left):
        return True
    # A key with a line break in it and its like: refused before the first byte is written.
    return isinstance(error, family.LocalProtocolError) and str(error).startswith("Illegal header")


def delivered(attempt: Attempt, response: Any, family: Family, asked_more: bool) -> bool:
    """Tells the core of an answer. True: its body is still to come and wants `streamed`.

    `asked_more`: we asked the provider for more than the caller did, so what comes may hold more than it should see.
    """
    headers = response.headers
    attempt.head(response.status_code, headers.raw)
    headers[ATTEMPT_HEADER] = attempt.id
    if not response.is_closed:
        return True
    body = response.content
    if asked_more:
        shown = attempt.data(body) + attempt.end()
        if shown != body:
            response._content = shown
    else:
        attempt.end_whole(body)
    return False


def streamed(attempt: Attempt, response: Any, family: Family, body: type) -> None:
    """Puts our body around the response's. An encoded one is decoded here, so that the core can read it."""
    decoder = None
    headers = response.headers
    if "content-encoding" in headers:
        # From a response of our own: the caller's must not think later that it has to decode again.
        encoding = headers["content-encoding"]
        decoder = family.Response(
            200, headers={"content-encoding": encoding}
        )._get_content_decoder()
        del headers["content-encoding"]
        if "content-length" in headers:
            del headers["content-length"]
    response.stream = body(attempt, response.stream, decoder)


__all__ = [
    "ATTEMPT_HEADER",
    "attempt_of",
    "begin",
    "delivered",
    "failed",
    "refused",
    "rewritten",
    "streamed",
]
