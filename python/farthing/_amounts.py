"""Amounts and instants, from the core's form to Python's."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from decimal import Decimal

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_SECONDS = ("audio_seconds", "video_seconds")


def amount(meter: str | None, value: str | int | None) -> Decimal | int | None:
    """`Decimal` for money (given as decimal text) and for seconds (given in whole ms), else `int`."""
    if value is None:
        return None
    if isinstance(value, str):
        return Decimal(value)
    # Built from text: exact whatever the caller's decimal context is.
    return Decimal(f"{value}e-3") if meter in _SECONDS else value


def usd(text: str | None) -> Decimal | None:
    """USD as `Decimal`; None where it is not known, which is not 0."""
    return None if text is None else Decimal(text)


def instant(unix_ms: int | None) -> datetime | None:
    """An aware datetime in UTC. None: never."""
    return None if unix_ms is None else _EPOCH + timedelta(milliseconds=unix_ms)
