"""Writes tests/vectors/zones.txt from Python's own zoneinfo and the pinned tzdata: python make_vectors.py

An independent reading of the same data: zoneinfo follows the rules of a zone, the core looks up a table.
"""

from __future__ import annotations

import random
import zoneinfo
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

ZONES = """
    UTC US/Eastern Africa/Cairo Africa/Casablanca Africa/Monrovia America/Asuncion America/Havana America/New_York
    America/Santiago America/Sao_Paulo America/St_Johns Antarctica/Troll Asia/Beirut Asia/Gaza Asia/Kathmandu
    Asia/Kolkata Asia/Tehran Asia/Tokyo Australia/Lord_Howe Australia/Sydney Europe/Berlin Europe/Dublin Europe/London
    Pacific/Apia Pacific/Auckland Pacific/Chatham Pacific/Kiritimati
""".split()
HEAD = """\
# Written by tests/core/zone/make_vectors.py; tab-separated.
# offset  zone  unix seconds                seconds east of UTC
# local   zone  local time                  unix seconds; a gap gives the first instant after it, twice the earlier one
# civil   unix seconds  UTC date and time   weekday (0 Monday)
"""
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
DAY = 86400


def utc(at: int) -> datetime:
    return EPOCH + timedelta(seconds=at)


def unix(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(seconds=1)


def offset_at(zone: zoneinfo.ZoneInfo, at: int) -> int:
    shift = utc(at).astimezone(zone).utcoffset()
    assert shift is not None
    return shift // timedelta(seconds=1)


def change_in(zone: zoneinfo.ZoneInfo, low: int, high: int) -> int:
    """The first second of the offset that holds at `high`."""
    last = offset_at(zone, high)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if offset_at(zone, middle) == last else (middle, high)
    return high


def to_unix(zone: zoneinfo.ZoneInfo, local: datetime) -> int:
    readings = [unix(local.replace(tzinfo=zone, fold=fold)) for fold in (0, 1)]
    exact = [at for at in readings if utc(at).astimezone(zone).replace(tzinfo=None) == local]
    return min(exact) if exact else change_in(zone, min(readings), max(readings))


def changes(zone: zoneinfo.ZoneInfo, first_year: int, last_year: int) -> Iterator[int]:
    at = unix(datetime(first_year, 1, 1, tzinfo=timezone.utc))
    end = unix(datetime(last_year + 1, 1, 1, tzinfo=timezone.utc))
    while at < end:
        if offset_at(zone, at) != offset_at(zone, at + 5 * DAY):
            yield change_in(zone, at, at + 5 * DAY)
        at += 5 * DAY


def lines() -> Iterator[str]:
    chance = random.Random(13)
    for name in ZONES:
        zone = zoneinfo.ZoneInfo(name)
        near = [
            at
            for years in ((2018, 2019), (2026, 2027), (2149, 2149))
            for at in changes(zone, *years)
        ]
        old = list(changes(zone, 1850, 2015))
        picked = sorted(near + chance.sample(old, min(8, len(old))))
        moments = {at + shift for at in picked for shift in (-1, 0)}
        moments |= {
            chance.randrange(-(2**32), unix(datetime(2150, 1, 1, tzinfo=timezone.utc)))
            for _ in range(8)
        }
        for at in sorted(moments):
            yield f"offset\t{name}\t{at}\t{offset_at(zone, at)}"

        locals_ = {datetime(2026, month, 1) for month in (1, 3, 7, 12)} | {datetime(2149, 7, 1)}
        for at in picked:
            if at < -2 * 10**9:  # minutes of arc, not of a clock
                continue
            change = utc(at).replace(tzinfo=None) + timedelta(seconds=offset_at(zone, at))
            midnight = change.replace(hour=0, minute=0, second=0)
            locals_ |= {midnight, midnight + timedelta(days=1), change - timedelta(minutes=10)}
            locals_ |= {change - timedelta(seconds=1), change, change + timedelta(minutes=10)}
        for local in sorted(locals_):
            yield f"local\t{name}\t{local.isoformat(sep=' ')}\t{to_unix(zone, local)}"

    for moment in (
        datetime(1600, 2, 29),
        datetime(1969, 12, 31, 23, 59, 59),
        datetime(2000, 2, 29, 12),
    ):
        yield civil(unix(moment.replace(tzinfo=timezone.utc)))
    for _ in range(40):
        yield civil(chance.randrange(-(2**34), 2**34))


def civil(at: int) -> str:
    moment = utc(at)
    return f"civil\t{at}\t{moment.replace(tzinfo=None).isoformat(sep=' ')}\t{moment.weekday()}"


def main() -> None:
    zoneinfo.reset_tzpath([])  # the pinned tzdata only, nothing of this machine
    target = Path(__file__).parents[2] / "vectors" / "zones.txt"
    target.write_text(HEAD + "\n".join(lines()) + "\n")


if __name__ == "__main__":
    main()
