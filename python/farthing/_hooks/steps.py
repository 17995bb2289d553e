"""One request through the core's state machine, without any I/O: what both sends share."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from farthing import _ambient
from farthing._farthing import Attempt, CallSlot, start
from farthing._hooks.binding import Bound
from farthing._hooks.family import Family

ATTEMPT_HEADER = "x-farthing-attempt"
_HEADER = b"x-farthing-attempt"

_scope = _ambient.SCOPE
_root = _ambient.root


def begin(
    bound: Bound, slot: CallSlot, request: Any, family: Family, in_event_loop: bool
) -> Attempt:
    """An attempt of the call that `slot` stands for (R27). In an event loop it never waits for the store (R42)."""
    try:
        body = request.content
    except family.RequestNotRead:
        body = None  # multipart, generators: the core says whether it wants it read
    if family.plain_shapes:
        url = request.url._uri_reference
        scheme, _, host, port, path, query, _ = url
        headers = request.headers._list
    else:
        scheme, host, port, path, query, headers = family.parts(request)
    return start(
        bound.binding,
        _scope.get() or _root(),
        slot,
        request.method,
        scheme,
        host,
        port,
        path,
        query,
        headers,
        body,
        in_event_loop,
    )


def begin_again(attempt: Attempt, request: Any, family: Family) -> int:
    """With the body, which was read meanwhile."""
    scheme, host, port, path, query, headers = family.parts(request)
    return attempt.begin(request.method, scheme, host, port, path, query, headers, request.content)


def rewritten(request: Any, body: bytes, family: Family) -> Any:
    """A request of the same class like `request` with another body; the caller's own object stays as it is.

    Headers, extensions (timeouts, SNI, tracing) and whatever else it carries are the same; content-length follows.
    """
    kind = request.__class__
    copy = kind.__new__(kind)
    fields = copy.__dict__
    fields.update(request.__dict__)
    fields["extensions"] = dict(request.extensions)
    fields["stream"] = family.ByteStream(body)
    fields["headers"] = family.with_length(request.headers, len(body))
    fields["_content"] = body
    return copy


def refused(attempt: Attempt, request: Any, family: Family) -> Any:
    """The answer that stands for the provider's: 402, which no SDK retries (docs/decisions/0009)."""
    status, headers, body = attempt.answer
    _ambient.REFUSED.set(body)
    response = family.Response(status, headers=headers, content=body, request=request)
    response.elapsed = timedelta(0)
    return response


def redirected(attempt: Attempt, response: Any, family: Family) -> None:
    """A redirect is all the answer there is: it costs nothing (R23), whatever its body says."""
    attempt.whole(response.status_code, family.listed(response.headers), b"")


def never_left(error: BaseException, family: Family) -> bool:
    """Whether what a request raised proves that nothing of it has left."""
    if isinstance(error, family.LocalProtocolError):
        # A key with a line break in it and its like: refused before the first byte is written.
        return str(error).startswith("Illegal header")
    return isinstance(error, family.never_left)


def delivered(
    attempt: Attempt,
    response: Any,
    family: Family,
    asked_more: bool,
    body: type,
    error_body: bytes | None = None,
) -> None:
    """Tells the core of an answer; a body that is still to come passes through the core on its way.

    `asked_more`: we asked the provider for more than the caller did, so what comes may hold more than it should see.
    `error_body`: what was read of an error ahead of the caller.
    """
    headers = response.headers
    listed = family.listed(headers)
    if error_body is not None:
        number = attempt.whole(response.status_code, listed, _decoded(headers, error_body, family))
    elif response.is_closed:
        content = response.content
        if asked_more and not content.startswith(b"{"):
            number = attempt.head(response.status_code, listed)
            _shown(attempt, response, content)
        else:
            number = attempt.whole(response.status_code, listed, content)
    else:
        number = attempt.head(response.status_code, listed)
        if asked_more and "content-length" in headers:  # of more than the caller will see
            del headers["content-length"]
        _streamed(attempt, response, family, body)
    if family.plain_shapes:
        if listed and listed[-1][1] == _HEADER:  # an answer that somebody keeps and gives again
            listed.pop()
        listed.append((_HEADER, _HEADER, number))
    else:
        headers[ATTEMPT_HEADER] = number.decode()


def put_back(parts: list[bytes], broken: Exception | None, response: Any, family: Family) -> bytes:
    """A body that was read ahead of the caller is still to come for him, and what broke it off too."""
    elapsed = getattr(response.stream, "elapsed", None)  # httpx2 keeps it there
    if elapsed is not None:
        response.elapsed = elapsed
    body = b"".join(parts)
    response.stream = family.ByteStream(body) if broken is None else family.Cut(body, broken)
    return body


def _decoded(headers: Any, body: bytes, family: Family) -> bytes:
    """As far as it can be: else it tells nothing."""
    encoding = {name: headers[name] for name in ("content-encoding",) if name in headers}
    try:
        content: bytes = family.Response(200, headers=encoding, content=body).content
    except family.DecodingError:
        return b""
    return content


def _shown(attempt: Attempt, response: Any, body: bytes) -> None:
    """A stream that was read already, without what we asked for and the caller did not."""
    shown = attempt.data(body) + attempt.end()
    if shown != body:
        response._content = shown
        if "content-length" in response.headers:
            response.headers["content-length"] = str(len(shown))


def _streamed(attempt: Attempt, response: Any, family: Family, body: type) -> None:
    """Puts our body around the response's. An encoded one is decoded here, so that the core can read it."""
    decoder = None
    headers = response.headers
    if "content-encoding" in headers:
        # From a response of our own: the caller's must not think later that it has to decode again.
        encoding = {"content-encoding": headers["content-encoding"]}
        decoder = family.Response(200, headers=encoding)._get_content_decoder()
        del headers["content-encoding"]
        if "content-length" in headers:
            del headers["content-length"]
    response.stream = body(attempt, response.stream, decoder)
