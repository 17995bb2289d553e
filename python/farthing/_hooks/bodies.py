"""Streamed bodies on their way to the caller: every chunk passes the core, which sees the usage and knows the end.

One class for each family, made from its own base class. Nothing is gathered: a chunk is delivered before the next one
is asked for. However it ends (read to the end, closed early, broken, cancelled, forgotten), the core settles once; a
body that nobody closes is settled when it is collected, by the end of its attempt.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator
from typing import Any

from farthing._farthing import CLOSED, SENT, Attempt


def how_ended(error: BaseException) -> int:
    """A cancellation closes the connection, and so does an interrupt; an error leaves the outcome unknown."""
    return SENT if isinstance(error, Exception) else CLOSED


def pieces(decoded: bytes | Iterable[bytes]) -> Iterable[bytes]:
    """What a content decoder answered: bytes in httpx, an iterator of them in httpx2."""
    if isinstance(decoded, bytes):
        return (decoded,) if decoded else ()
    return decoded


class _Body:
    def __init__(self, attempt: Attempt, inner: Any, decoder: Any) -> None:
        self._attempt = attempt
        self._inner = inner
        self._decoder = decoder

    @property
    def elapsed(self) -> Any:
        # httpx2 asks the stream for it.
        return getattr(self._inner, "elapsed", None)


def cut_body(sync_base: type, async_base: type) -> type:
    """A body that breaks off, in both ways of reading."""

    class Cut(sync_base, async_base):  # type: ignore[misc]
        def __init__(self, body: bytes, broken: Exception) -> None:
            self._body = body
            self._broken = broken

        def __iter__(self) -> Iterator[bytes]:
            if self._body:
                yield self._body
            raise self._broken

        async def __aiter__(self) -> AsyncIterator[bytes]:
            if self._body:
                yield self._body
            raise self._broken

    return Cut


def sync_body(base: type) -> type:
    """The synchronous body of a family; `base` is its SyncByteStream."""

    class SyncBody(_Body, base):  # type: ignore[misc]
        def __iter__(self) -> Iterator[bytes]:
            attempt, decoder = self._attempt, self._decoder
            data = attempt.data
            try:
                if decoder is None:
                    for chunk in self._inner:
                        out = data(chunk)
                        if out:
                            yield out
                else:
                    for chunk in self._inner:
                        for piece in pieces(decoder.decode(chunk)):
                            out = data(piece)
                            if out:
                                yield out
                    for piece in pieces(decoder.flush()):
                        out = data(piece)
                        if out:
                            yield out
                out = attempt.end()
                if out:
                    yield out
            except BaseException as error:
                attempt.abort(how_ended(error))
                raise

        def close(self) -> None:
            self._attempt.abort(CLOSED)
            self._inner.close()

    return SyncBody


def async_body(base: type) -> type:
    """The asynchronous body of a family; `base` is its AsyncByteStream."""

    class AsyncBody(_Body, base):  # type: ignore[misc]
        async def __aiter__(self) -> AsyncIterator[bytes]:
            attempt, decoder = self._attempt, self._decoder
            data = attempt.data
            inner = self._inner.__aiter__()
            try:
                if decoder is None:
                    async for chunk in inner:
                        out = data(chunk)
                        if out:
                            yield out
                else:
                    async for chunk in inner:
                        for piece in pieces(decoder.decode(chunk)):
                            out = data(piece)
                            if out:
                                yield out
                    for piece in pieces(decoder.flush()):
                        out = data(piece)
                        if out:
                            yield out
                out = attempt.end()
                if out:
                    yield out
            except BaseException as error:
                attempt.abort(how_ended(error))
                raise
            finally:
                close = getattr(inner, "aclose", None)
                if close is not None:
                    await close()

        async def aclose(self) -> None:
            self._attempt.abort(CLOSED)
            await self._inner.aclose()

    return AsyncBody
