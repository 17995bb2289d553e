"""A request as the body that an SDK would send: JSON, or a form where a file goes with it."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from farthing.errors import ArgumentError


def request_body(request: Mapping[str, Any]) -> str | bytes:
    """Files are what openai takes for one: bytes, an open file, a path, or a tuple of a name and one of these."""
    return form_of(request) if any(map(_has_file, request.values())) else request_json(request)


def request_json(request: Mapping[str, Any]) -> str:
    """Raises ArgumentError for what JSON does not have."""
    try:
        return json.dumps(request, ensure_ascii=False, separators=(",", ":"), default=_jsonable)
    except (TypeError, ValueError, RecursionError) as error:
        raise ArgumentError(
            f"the request cannot be written as JSON: {error}", "invalid_argument"
        ) from None


def form_of(request: Mapping[str, Any]) -> bytes:
    """As multipart/form-data; a boundary of 128 random bits stands in no file."""
    boundary = b"--" + secrets.token_hex(16).encode()
    parts: list[bytes] = []
    for name, value in request.items():
        if value is None:  # said by nothing in a form
            continue
        many = isinstance(value, list)
        for one in value if many else [value]:
            kind, content = _part(one)
            field = f'name="{name}[]"' if many else f'name="{name}"'
            head = f"Content-Disposition: form-data; {field}{kind}\r\n\r\n"
            parts.append(boundary + b"\r\n" + head.encode() + content + b"\r\n")
    return b"".join(parts) + boundary + b"--\r\n"


def _part(value: Any) -> tuple[str, bytes]:
    """What follows its name in the head, and its content."""
    if _is_file(value):
        return '; filename="file"\r\nContent-Type: application/octet-stream', _content(value)
    if isinstance(value, str):
        return "", value.encode()
    return "", request_json(value).encode()


def _has_file(value: object) -> bool:
    return any(map(_is_file, value)) if isinstance(value, list) else _is_file(value)


def _is_file(value: object) -> bool:
    if isinstance(value, tuple) and len(value) > 1 and isinstance(value[0], (str, type(None))):
        return _is_file(value[1])
    return isinstance(value, (bytes, bytearray, os.PathLike)) or hasattr(value, "read")


def _content(value: Any) -> bytes:
    """An open file is read from where it stands, and stands there again."""
    if isinstance(value, tuple):
        return _content(value[1])
    if isinstance(value, os.PathLike):
        try:
            return Path(value).read_bytes()
        except OSError as error:
            raise ArgumentError(f"{value} cannot be read: {error}", "invalid_argument") from None
    if isinstance(value, (bytes, bytearray)):
        return bytes(value)
    try:
        at = value.tell() if getattr(value, "seekable", bool)() else None
        content = value.read()
        if at is not None:
            value.seek(at)
    except (OSError, ValueError) as error:  # a closed one
        raise ArgumentError(f"a file of the request: {error}", "invalid_argument") from None
    if not isinstance(content, bytes):
        raise ArgumentError('a file of a request is opened for bytes ("rb")', "invalid_argument")
    return content


def _jsonable(value: object) -> Any:
    dump = getattr(value, "model_dump", None)  # the SDK's own objects in messages
    if callable(dump):
        return dump(exclude_none=True)
    raise TypeError(f"{type(value).__name__} is not JSON")
