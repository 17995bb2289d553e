"""What was given where something else is taken: said at once and in words, before the core sees it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from farthing.errors import ArgumentError


def bad(name: str, value: object, expected: str) -> ArgumentError:
    return ArgumentError(f"{name}={value!r}: expected {expected}", "invalid_argument")


def texts(**given: object) -> None:
    """Each is text."""
    for name, value in given.items():
        if not isinstance(value, str):
            raise bad(name, value, f"text, found {type(value).__name__}")


def whole(name: str, value: object, least: int | None = None) -> None:
    """A whole number."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise bad(name, value, f"a whole number, found {type(value).__name__}")
    if least is not None and value < least:
        raise bad(name, value, f"at least {least}")
    if abs(value) >= 2**63:
        raise bad(name, value, "less than 2^63")


def mapping(name: str, value: object, example: str) -> Mapping[Any, Any]:
    if not isinstance(value, Mapping):
        raise bad(name, value, f"a mapping, such as {example}")
    return value


def list_of_texts(name: str, value: object, example: str) -> list[str]:
    """A single text is no list: its letters are not meant."""
    if isinstance(value, (str, bytes)) or not isinstance(value, Sequence):
        raise bad(name, value, f"a list of texts, such as {example}")
    for one in value:
        if not isinstance(one, str):
            raise bad(name, value, f"a list of texts, such as {example}")
    return list(value)


def counter(name: str, value: object) -> list[tuple[str, str]]:
    """Which counter of a cap, as kinds with values; "" for the kind of a bare value."""
    if not isinstance(value, Mapping):
        return [("", one) for one in list_of_texts(name, value, '{"user": "u42"} or ["u42"]')]
    for kind, one in value.items():
        if not isinstance(kind, str) or not isinstance(one, str):
            raise bad(name, value, 'labels with a text each, such as {"user": "u42"}')
    return list(value.items())


def path(name: str, value: object, instead: str = "") -> str:
    if not isinstance(value, (str, os.PathLike)):
        raise bad(name, value, f"a path{instead}, found {type(value).__name__}")
    return str(os.fspath(value))


def store(value: object) -> str:
    """`memory:`, `file:...`, or the path of a file; "" for the project's own."""
    if value is None:
        return ""
    if isinstance(value, os.PathLike):
        return f"file:{os.path.abspath(value)}"
    if isinstance(value, str):
        return value
    raise bad("store", value, '"memory:", "file:/path/farthing.db" or the path of a file')
