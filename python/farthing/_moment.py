"""A moment that a caller gives: a datetime, or text that the core reads."""

from __future__ import annotations

import time
from datetime import datetime, timedelta, timezone

from farthing import _arguments, _farthing


def moment_ms(value: datetime | str, *, zone: str, past: bool = False) -> int:
    """Unix ms; days, and times without an offset, are those of `zone`."""
    if isinstance(value, str):
        return _farthing.parse_moment(value, int(time.time() * 1000), zone, past)
    if isinstance(value, datetime) and value.tzinfo is not None:
        epoch = datetime(1970, 1, 1, tzinfo=timezone.utc)
        return (value - epoch) // timedelta(milliseconds=1)
    raise _arguments.bad(
        "moment",
        value,
        'a datetime with a time zone, or text such as "2026-08-21", "friday" or "2h"',
    )
