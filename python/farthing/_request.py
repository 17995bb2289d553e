"""The JSON of a request that is estimated or counted, not sent."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from farthing.errors import ArgumentError


def request_json(request: Mapping[str, Any]) -> str:
    """Raises ArgumentError for what JSON does not have."""
    try:
        return json.dumps(request, ensure_ascii=False, separators=(",", ":"), default=_jsonable)
    except (TypeError, ValueError, RecursionError) as error:
        raise ArgumentError(
            f"the request cannot be written as JSON: {error}", "invalid_argument"
        ) from None


def _jsonable(value: object) -> Any:
    dump = getattr(value, "model_dump", None)  # the SDK's own objects in messages
    if callable(dump):
        return dump(exclude_none=True)
    raise TypeError(f"{type(value).__name__} is not JSON")
