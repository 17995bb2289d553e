"""Labels, from keyword arguments to the core's pairs."""

from __future__ import annotations

from collections.abc import Mapping

from farthing._arguments import mapping
from farthing._farthing import SET_BY_FARTHING
from farthing.errors import ArgumentError

LabelValue = str | int


def pairs(labels: Mapping[str, LabelValue]) -> list[tuple[str, str]]:
    """`[(kind, value)]` of labels that somebody gives to calls.

    Raises ArgumentError for a value that is neither text nor a whole number, and for what Farthing sets itself (R29).
    """
    for kind in mapping("labels", labels, '{"user": "u1"}'):
        if kind in SET_BY_FARTHING:
            raise ArgumentError(
                f"label {kind} is set by Farthing for each call; remove it, or choose another name",
                "invalid_argument",
            )
    return wanted(labels)


def wanted(labels: Mapping[str, LabelValue]) -> list[tuple[str, str]]:
    """`[(kind, value)]` of labels that somebody looks for, any of them."""
    return [
        (_kind(kind), _text(kind, value))
        for kind, value in mapping("labels", labels, '{"user": "u1"}').items()
    ]


def _kind(kind: object) -> str:
    if isinstance(kind, str):
        return kind
    raise ArgumentError(
        f"label {kind!r}: expected the name of a label, found {type(kind).__name__}",
        "invalid_argument",
    )


def _text(kind: str, value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise ArgumentError(
        f"label {kind}={value!r}: expected text or a whole number, found {type(value).__name__}",
        "invalid_argument",
    )
