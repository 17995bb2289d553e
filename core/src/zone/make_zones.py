"""Makes the time zone table that is compiled into the core (R13): python make_zones.py OUTPUT

Source: the PyPI package `tzdata`, pinned in requirements/. Standard library otherwise. The layout, little-endian, is
read in place by zone.cpp:

    header       8 bytes "FZONES01", 6 x u32: names, zones, spans, moments, offsets, bytes of text;
                 16 bytes tzdata version
    moments      i64 each: unix seconds at which an offset begins
    names        u32 place in text, u16 length, u16 zone; sorted by name; links are names of the same zone
    zones        i32 seconds east of UTC before the first moment, u32 old span, u32 new span
    spans        u32 first moment, u32 count
    offsets      i32 seconds east of UTC
    which        u16 per moment: its offset
    text         the names

A zone's moments are two spans, before and from SPLIT on: most zones of a continent share the rules, so the second.
"""

from __future__ import annotations

import importlib.metadata
import importlib.resources
import struct
import sys
from bisect import bisect_right
from datetime import datetime, timedelta, timezone
from typing import NamedTuple
from zoneinfo import ZoneInfo

LAST_YEAR = 2150
END = int(datetime(LAST_YEAR + 1, 1, 1, tzinfo=timezone.utc).timestamp())
SPLIT = int(datetime(2026, 1, 1, tzinfo=timezone.utc).timestamp())
WEEK = 7 * 86400
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)

Moment = tuple[int, int]  # unix seconds, offset in seconds from then on


class History(NamedTuple):
    first_offset: int
    moments: tuple[Moment, ...]


def history_of(tzif: bytes, zone: ZoneInfo) -> History:
    """Every change of the offset, from the first recorded one to the end of LAST_YEAR."""
    moments, first_offset = recorded_moments(tzif)
    footer = tzif.rstrip(b"\n").rsplit(b"\n", 1)[1]
    if b"," in footer:  # daylight saving goes on by rule
        begin = max(moments[-1][0] if moments else 0, 0)
        moments += ruled_moments(zone, begin)
    changes: list[Moment] = []
    current = first_offset
    for at, offset in moments:
        if offset != current:  # a new abbreviation alone is no change
            changes.append((at, offset))
            current = offset
    return History(first_offset, tuple(changes))


def recorded_moments(tzif: bytes) -> tuple[list[Moment], int]:
    """The 64-bit block of a TZif file (RFC 9636)."""
    header = struct.Struct(">4s1s15x6I")
    skip = 0
    for _ in range(2):
        magic, version, isut, isstd, leap, times, types, chars = header.unpack_from(tzif, skip)
        assert magic == b"TZif" and version >= b"2"
        body = skip + header.size
        size = 4 if skip == 0 else 8
        if size == 4:
            skip = body + times * 5 + types * 6 + chars + leap * 8 + isstd + isut
    ats = struct.unpack_from(f">{times}q", tzif, body)
    kinds = struct.unpack_from(f">{times}B", tzif, body + 8 * times)
    offsets = [struct.unpack_from(">i", tzif, body + 9 * times + 6 * i)[0] for i in range(types)]
    return [(at, offsets[kind]) for at, kind in zip(ats, kinds, strict=True)], offsets[0]


def ruled_moments(zone: ZoneInfo, begin: int) -> list[Moment]:
    """Changes after `begin`: looked at once a week, then halved down to the second."""

    def offset_at(at: int) -> int:
        shift = (EPOCH + timedelta(seconds=at)).astimezone(zone).utcoffset()
        assert shift is not None
        return int(shift.total_seconds())

    found: list[Moment] = []
    low, low_offset = begin, offset_at(begin)
    while low < END:
        high = low + WEEK
        high_offset = offset_at(high)
        if high_offset != low_offset:
            before, after = low, high
            while after - before > 1:
                middle = (before + after) // 2
                before, after = (
                    (middle, after) if offset_at(middle) == low_offset else (before, middle)
                )
            found.append((after, high_offset))
        low, low_offset = high, high_offset
    return found


def read_all() -> dict[str, History]:
    root = importlib.resources.files("tzdata") / "zoneinfo"
    names = (importlib.resources.files("tzdata") / "zones").read_text().split()
    by_content: dict[bytes, History] = {}
    histories: dict[str, History] = {}
    for name in names:
        content = root.joinpath(*name.split("/")).read_bytes()
        if content not in by_content:
            with root.joinpath(*name.split("/")).open("rb") as file:
                by_content[content] = history_of(content, ZoneInfo.from_file(file, key=name))
        histories[name] = by_content[content]
    return histories


def table(histories: dict[str, History]) -> bytes:
    moments: list[Moment] = []
    spans: dict[tuple[Moment, ...], int] = {}
    span_rows: list[tuple[int, int]] = []

    def span(part: tuple[Moment, ...]) -> int:
        if part not in spans:
            spans[part] = len(span_rows)
            span_rows.append((len(moments), len(part)))
            moments.extend(part)
        return spans[part]

    zones: dict[History, int] = {}
    zone_rows: list[tuple[int, int, int]] = []
    name_rows: list[tuple[int, int, int]] = []
    text = b""
    for name in sorted(histories):
        history = histories[name]
        if history not in zones:
            cut = bisect_right(history.moments, (SPLIT, -(10**9)))
            zones[history] = len(zone_rows)
            zone_rows.append(
                (history.first_offset, span(history.moments[:cut]), span(history.moments[cut:]))
            )
        name_rows.append((len(text), len(name), zones[history]))
        text += name.encode()

    offsets = sorted({offset for _, offset in moments})
    place = {offset: i for i, offset in enumerate(offsets)}
    version = importlib.metadata.version("tzdata").encode()
    counts = (len(name_rows), len(zone_rows), len(span_rows), len(moments), len(offsets), len(text))
    parts = [
        struct.pack("<8s6I16s", b"FZONES01", *counts, version),
        b"".join(struct.pack("<q", at) for at, _ in moments),
        b"".join(struct.pack("<IHH", *row) for row in name_rows),
        b"".join(struct.pack("<iII", *row) for row in zone_rows),
        b"".join(struct.pack("<II", *row) for row in span_rows),
        b"".join(struct.pack("<i", offset) for offset in offsets),
        b"".join(struct.pack("<H", place[offset]) for _, offset in moments),
        text,
    ]
    return b"".join(parts)


def main() -> None:
    with open(sys.argv[1], "wb") as out:
        out.write(table(read_all()))


if __name__ == "__main__":
    main()
