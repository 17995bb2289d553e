"""Writes tests/vectors/windows/around.txt from Python's zoneinfo and the pinned tzdata: python make_window_vectors.py

An independent definition of a window, found by walking minute by minute: a day begins at the first instant at which a
clock on the wall shows that date or a later one; an hour lasts as long as the clock shows that hour at one offset.
"""

from __future__ import annotations

import calendar
import random
import zoneinfo
from collections.abc import Iterator
from datetime import date, datetime, timedelta, timezone
from pathlib import Path

zoneinfo.reset_tzpath(to=())  # only the pinned tzdata, never the machine's

HEAD = """\
# Written by tests/core/policy/make_window_vectors.py; tab-separated.
# per  zone  billing day  an instant  the start and end of the window around it (UTC)
"""
MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)
DAY = timedelta(days=1)
UTC = timezone.utc

# Zones, and instants near which something happens there.
NEAR: dict[str, list[str]] = {
    "UTC": ["2026-12-31T23:59:59", "2028-02-29T12:00:00"],
    "Europe/Berlin": ["2026-03-29T01:00:00", "2026-10-25T01:00:00", "2026-12-31T23:00:00"],
    "America/New_York": ["2026-03-08T07:00:00", "2026-11-01T06:00:00"],
    "America/Sao_Paulo": ["2017-10-15T03:00:00", "2018-02-18T02:00:00"],
    "America/Havana": ["2025-03-09T05:00:00", "2025-11-02T05:00:00"],
    "America/Asuncion": ["2023-10-01T04:00:00", "2024-03-24T03:00:00"],
    "America/Santiago": ["2026-04-05T03:00:00", "2026-09-06T04:00:00"],
    "America/St_Johns": ["2006-10-29T02:31:00", "2007-03-11T03:31:00"],
    "Africa/Cairo": ["2026-04-23T22:00:00", "2026-10-29T21:00:00"],
    "Africa/Casablanca": ["2026-02-15T02:00:00", "2026-03-22T02:00:00"],
    "Asia/Beirut": ["2026-03-28T22:00:00", "2026-10-24T21:00:00"],
    "Asia/Kathmandu": ["2026-06-30T18:15:00"],
    "Asia/Kolkata": ["2026-01-31T18:30:00"],
    "Asia/Tokyo": ["2027-02-28T15:00:00"],
    "Australia/Lord_Howe": ["2026-04-04T15:00:00", "2026-10-03T15:30:00"],
    "Antarctica/Troll": ["2026-03-29T01:00:00", "2026-10-25T01:00:00"],
    "Pacific/Apia": ["2011-12-30T10:00:00"],
    "Pacific/Kiritimati": ["2026-12-31T10:00:00"],
}
BILLING_DAYS = [1, 2, 15, 28, 29, 30, 31]


def local(zone: zoneinfo.ZoneInfo, at: datetime) -> datetime:
    return at.astimezone(zone).replace(tzinfo=None, fold=0)


def first_showing(zone: zoneinfo.ZoneInfo, day: date) -> datetime:
    """The first instant at which the clock shows midnight of `day` or later."""
    midnight = datetime(day.year, day.month, day.day)
    at = midnight.replace(tzinfo=UTC) - timedelta(hours=27)
    while local(zone, at) < midnight:
        at += MINUTE
    return at


def clock_window(zone: zoneinfo.ZoneInfo, at: datetime, minutes: int) -> tuple[datetime, datetime]:
    def shows(moment: datetime) -> tuple[int, timedelta | None]:
        clock = local(zone, moment)
        passed = clock.toordinal() * 1440 + clock.hour * 60 + clock.minute
        return passed // minutes, moment.astimezone(zone).utcoffset()

    start = at.replace(second=0)
    while shows(start - MINUTE) == shows(at):
        start -= MINUTE
    end = at.replace(second=0) + MINUTE
    while shows(end) == shows(at):
        end += MINUTE
    return start, end


def billing_start(year: int, month: int, day: int) -> date:
    year, month = year + (month - 1) // 12, (month - 1) % 12 + 1
    return date(year, month, min(day, calendar.monthrange(year, month)[1]))


def calendar_window(
    zone: zoneinfo.ZoneInfo, per: str, billing_day: int, at: datetime
) -> tuple[datetime, datetime]:
    day = local(zone, at).date()
    if per == "day":
        starts = [day + n * DAY for n in range(-2, 4)]
    elif per == "week":
        monday = day - day.weekday() * DAY
        starts = [monday + 7 * n * DAY for n in range(-1, 3)]
    else:
        starts = [billing_start(day.year, day.month + n, billing_day) for n in range(-2, 4)]
    instants = [first_showing(zone, start) for start in starts]
    start = max(instant for instant in instants if instant <= at)
    end = min(instant for instant in instants if instant > at)
    return start, end


def instants(rng: random.Random, name: str) -> Iterator[datetime]:
    for text in NEAR[name]:
        near = datetime.fromisoformat(text).replace(tzinfo=UTC)
        yield from (near + shift for shift in (-DAY, -SECOND, 0 * SECOND, 31 * MINUTE, 59 * MINUTE))
    for _ in range(2):
        yield datetime(2024, 1, 1, tzinfo=UTC) + timedelta(seconds=rng.randrange(20 * 365 * 86400))


def rows() -> Iterator[str]:
    rng = random.Random(12)
    for name in NEAR:
        zone = zoneinfo.ZoneInfo(name)
        for at in instants(rng, name):
            for per in ("minute", "hour", "day", "week", "month"):
                if per == "minute" and rng.random() < 0.9:
                    continue
                billing_day = rng.choice(BILLING_DAYS) if per == "month" else 1
                if per in ("minute", "hour"):
                    start, end = clock_window(zone, at, 60 if per == "hour" else 1)
                else:
                    start, end = calendar_window(zone, per, billing_day, at)
                times = [moment.strftime("%Y-%m-%dT%H:%M:%SZ") for moment in (at, start, end)]
                yield "\t".join([per, name, str(billing_day), *times])


def main() -> None:
    root = Path(__file__).resolve().parents[3]
    table = root / "tests" / "vectors" / "windows" / "around.txt"
    table.write_text(HEAD + "".join(row + "\n" for row in rows()), encoding="utf-8")


if __name__ == "__main__":
    main()
