"""Labels, from keyword arguments to the core's pairs."""

from __future__ import annotations

from collections.abc import Mapping

from farthing.errors import ArgumentError

LabelValue = str | int


def pairs(labels: Mapping[str, LabelValue]) -> list[tuple[str, str]]:
    """`[(kind, value)]`. Raises ArgumentError for a value that is neither text nor a whole number."""
    return [(kind, _text(kind, value)) for kind, value in labels.items()]


def _text(kind: str, value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise ArgumentError(
        f"label {kind}={value!r}: expected text or a whole number, found {type(value).__name__}",
        "invalid_argument",
    )
