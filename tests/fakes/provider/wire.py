"""Answers as bytes: HTTP heads, chunks, server-sent events, content encodings. No sockets."""

from __future__ import annotations

import gzip
import importlib
import json
import random
import re
import zlib
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Protocol

from .behaviour import Behaviour, ControlError
from .dialects.event import Event

BOM = b"\xef\xbb\xbf"
LAST_CHUNK = b"0\r\n\r\n"
COMPACT = json.JSONEncoder(separators=(",", ":")).encode


@dataclass
class Piece:
    """A part of a stream's body, and the output tokens generated once it was sent."""

    data: bytes
    output: int


def head(status: int, headers: list[tuple[str, str]]) -> bytes:
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = "Unknown"
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers)
    return f"HTTP/1.1 {status} {phrase}\r\n{lines}\r\n".encode("latin-1")


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


# ---- server-sent events


def events(made: list[Event], do: Behaviour) -> list[Piece]:
    """Each event as bytes, in the form that the behaviour wants."""
    if not do.sse and not do.pad:
        return [Piece(_plain(event), event.output) for event in made]
    flags = set(do.sse)
    pieces = [
        Piece(_formed(event, index, flags, do.pad), event.output)
        for index, event in enumerate(made)
    ]
    if "bom" in flags and pieces:
        pieces[0].data = BOM + pieces[0].data
    return pieces


def _plain(event: Event) -> bytes:
    data = event.data if isinstance(event.data, str) else COMPACT(event.data)
    if event.name:
        return f"event: {event.name}\ndata: {data}\n\n".encode()
    return f"data: {data}\n\n".encode()


def _formed(event: Event, index: int, flags: set[str], pad: int) -> bytes:
    data: Any = event.data
    if pad and isinstance(data, dict) and index == 1:
        data = {**data, "obfuscation": "x" * pad}
    colon = ":" if "tight" in flags else ": "
    lines: list[str] = []
    if "comments" in flags:
        lines += [": keep-alive", ":"]
    if "ids" in flags:
        lines += [f"id{colon}{index}", f"retry{colon}1000"]
    if event.name:
        lines.append(f"event{colon}{event.name}")
    if isinstance(data, str):
        texts = [data]
    else:
        texts = (json.dumps(data, indent=1) if "multiline" in flags else json.dumps(data)).split(
            "\n"
        )
    lines += [f"data{colon}{text}" for text in texts]
    newline = "\r" if "cr" in flags else "\r\n" if "crlf" in flags else "\n"
    if "mixed" in flags:
        newline = ("\n", "\r\n", "\r")[index % 3]
    return "".join(line + newline for line in [*lines, ""]).encode()


_EVENT_END = re.compile(rb"\r\n\r\n|\n\n|\r\r")


def split(body: bytes) -> list[bytes]:
    """A recorded stream, cut after each event."""
    ends = [found.end() for found in _EVENT_END.finditer(body)]
    if not ends or ends[-1] != len(body):
        ends.append(len(body))
    starts = [0, *ends[:-1]]
    return [body[a:b] for a, b in zip(starts, ends, strict=True) if b > a]


def rechunk(pieces: list[Piece], seed: int) -> list[Piece]:
    """The same bytes, cut at random places; a token counts as sent with the last byte of its event."""
    rng = random.Random(seed)
    body = b"".join(piece.data for piece in pieces)
    marks: list[tuple[int, int]] = []
    at = 0
    for piece in pieces:
        at += len(piece.data)
        marks.append((at, piece.output))
    made: list[Piece] = []
    at = mark = output = 0
    while at < len(body):
        end = min(len(body), at + rng.choice((1, 2, 3, 7, 20, 60, 300, 2000)))
        while mark < len(marks) and marks[mark][0] <= end:
            output = marks[mark][1]
            mark += 1
        made.append(Piece(body[at:end], output))
        at = end
    return made


# ---- content encodings


class _Encoder(Protocol):
    def add(self, data: bytes) -> bytes: ...

    def end(self) -> bytes: ...


class _Zlib:
    def __init__(self, wbits: int) -> None:
        self._made = zlib.compressobj(wbits=wbits)

    def add(self, data: bytes) -> bytes:
        return self._made.compress(data) + self._made.flush(zlib.Z_SYNC_FLUSH)

    def end(self) -> bytes:
        return self._made.flush()


class _Brotli:
    def __init__(self) -> None:
        try:
            brotli = importlib.import_module("brotli")
        except ImportError:
            raise ControlError("encoding br: the brotli package is not installed") from None
        self._made: Any = brotli.Compressor()

    def add(self, data: bytes) -> bytes:
        out: bytes = self._made.process(data) + self._made.flush()
        return out

    def end(self) -> bytes:
        out: bytes = self._made.finish()
        return out


def _encoder(name: str) -> _Encoder:
    if name == "br":
        return _Brotli()
    return _Zlib(31 if name == "gzip" else 15)


def encode(body: bytes, name: str | None) -> bytes:
    if name in (None, "identity"):
        return body
    if name == "gzip":
        return gzip.compress(body, 6, mtime=0)
    made = _encoder(str(name))
    return made.add(body) + made.end()


def encode_pieces(pieces: list[Piece], name: str | None) -> list[Piece]:
    """Flushed after each piece, as a provider must that streams compressed."""
    if name in (None, "identity") or not pieces:
        return pieces
    made = _encoder(str(name))
    out = [Piece(made.add(piece.data), piece.output) for piece in pieces]
    out[-1].data += made.end()
    return out
