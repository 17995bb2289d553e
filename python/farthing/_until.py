"""When an override ends: a datetime, ISO text, a weekday, or a span from now."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime, timedelta, timezone
from typing import Any

from farthing.errors import ArgumentError

_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_SPAN = re.compile(r"(\d+)\s*(s|m|min|h|d|w)")
_UNIT_MS = {
    "s": 1_000,
    "m": 60_000,
    "min": 60_000,
    "h": 3_600_000,
    "d": 86_400_000,
    "w": 604_800_000,
}


def moment_ms(
    value: datetime | str,
    *,
    zone: str,
    now_ms: int,
    next_weekday_ms: Callable[[int, int], int],
    ago: bool = False,
) -> int:
    """Unix ms. Days are their midnight in `zone`, "2h" is from now on: coming ones, or past ones by `ago`."""
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise _bad(value, "this datetime has no time zone; give it one, or use text")
        return _ms(value)
    if isinstance(value, str):
        text = value.strip()
        days = [
            at for at, day in enumerate(_DAYS) if len(text) > 2 and day.startswith(text.lower())
        ]
        week_ago = now_ms - _UNIT_MS["w"]
        if days:
            return next_weekday_ms(days[0], week_ago if ago else now_ms)
        if text.lower() in ("today", "yesterday"):
            midnights = sorted(next_weekday_ms(day, week_ago) for day in range(7))
            return midnights[-1 if text.lower() == "today" else -2]
        if text.lower() == "tomorrow":
            return min(next_weekday_ms(day, now_ms) for day in range(7))
        span = _SPAN.fullmatch(text.lower())
        if span:
            length = int(span[1]) * _UNIT_MS[span[2]]
            return now_ms - length if ago else now_ms + length
        try:
            parsed = datetime.fromisoformat(re.sub("[zZ]$", "+00:00", text))
        except ValueError:
            raise _bad(value, "") from None
        return _ms(parsed if parsed.tzinfo is not None else parsed.replace(tzinfo=_zone(zone)))
    raise _bad(value, "")


def _zone(name: str) -> Any:
    if name == "UTC":
        return timezone.utc
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        return ZoneInfo(name)
    except ZoneInfoNotFoundError:
        raise ArgumentError(
            f"this machine has no time zone data for {name}: write the offset, "
            '"2026-08-21T18:00:00+02:00", or install the package tzdata',
            "invalid_argument",
        ) from None


def _ms(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=timezone.utc)) // timedelta(milliseconds=1)


def _bad(value: datetime | date | str, why: str) -> ArgumentError:
    return ArgumentError(
        f"{value!r} is not a moment{': ' + why if why else ''}; expected a datetime with a time zone, "
        '"2026-08-21", "2026-08-21T18:00:00+02:00", "friday", "today", "yesterday", "tomorrow" or "2h"',
        "invalid_argument",
    )
