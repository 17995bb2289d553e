"""Requests out of bytes, by h11. No sockets.

A client sends the same head again and again; one that h11 has read before is known by its exact bytes, which doubles
the requests a core can answer.
"""

from __future__ import annotations

from typing import NamedTuple

import h11

KNOWN_MAX = 512
HEAD_MAX = 8192


class Head(NamedTuple):
    method: str
    target: str
    headers: dict[str, str]
    keep_alive: bool
    length: int  # of the body; only meaningful for a known head


class Incoming(NamedTuple):
    head: Head
    body: bytes


_known: dict[bytes, Head] = {}


class Reader:
    """Fed with bytes; gives whole requests."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._awaited: Head | None = None  # a known head, whose body is still to come
        self._parser: h11.Connection | None = None  # in the middle of a request that was not known
        self._head: Head | None = None
        self._raw_head: bytes | None = None
        self._body: list[bytes] = []
        self.asks_to_continue = (
            False  # the client waits for `100 Continue` before it sends the body
        )

    def feed(self, data: bytes) -> None:
        if self._parser is not None:
            self._parser.receive_data(data)
        else:
            self._buffer += data

    def next(self) -> Incoming | None:
        """The next whole request, or None if more bytes are needed; h11.RemoteProtocolError if it is no HTTP."""
        if self._parser is None:
            if self._awaited is None and not self._begin():
                return None
            if self._awaited is not None:
                return self._from_buffer(self._awaited)
        return self._from_parser()

    def _begin(self) -> bool:
        """Looks whether the next head is known; if not, h11 takes over."""
        buffer = self._buffer
        if not buffer:
            return False
        end = buffer.find(b"\r\n\r\n", 0, HEAD_MAX)
        self._raw_head = bytes(buffer[: end + 4]) if end >= 0 else None
        if self._raw_head is not None and self._raw_head in _known:
            self._awaited = _known[self._raw_head]
            del buffer[: end + 4]
            return True
        self._parser = h11.Connection(h11.SERVER)
        self._parser.receive_data(bytes(buffer))
        buffer.clear()
        return True

    def _from_buffer(self, head: Head) -> Incoming | None:
        if len(self._buffer) < head.length:
            return None
        body = bytes(self._buffer[: head.length])
        del self._buffer[: head.length]
        self._awaited = None
        return Incoming(head, body)

    def _from_parser(self) -> Incoming | None:
        parser = self._parser
        assert parser is not None
        while True:
            event = parser.next_event()
            if isinstance(event, h11.Request):
                self._head = self._read_head(event)
                self.asks_to_continue = parser.they_are_waiting_for_100_continue
            elif isinstance(event, h11.Data):
                self._body.append(bytes(event.data))
            elif isinstance(event, h11.EndOfMessage):
                assert self._head is not None
                made = Incoming(self._head, b"".join(self._body))
                # a fresh parser for each request: the answers are not h11's
                self._buffer += parser.trailing_data[0]
                self._parser, self._head, self._body = None, None, []
                return made
            else:
                return None

    def _read_head(self, event: h11.Request) -> Head:
        headers = {
            name.lower().decode("latin-1"): value.decode("latin-1")
            for name, value in event.headers.raw_items()
        }
        keep = headers.get("connection", "").lower() != "close" and event.http_version != b"1.0"
        length = headers.get("content-length", "0")
        head = Head(
            event.method.decode(), event.target.decode("latin-1"), headers, keep, int(length)
        )
        simple = "transfer-encoding" not in headers and "expect" not in headers
        if simple and self._raw_head is not None:
            if len(_known) >= KNOWN_MAX:
                _known.clear()
            _known[self._raw_head] = head
        return head
