"""The JSON of a request that is estimated or counted, not sent."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


def request_json(request: Mapping[str, Any]) -> str:
    return json.dumps(request, ensure_ascii=False, separators=(",", ":"), default=_jsonable)


def _jsonable(value: object) -> Any:
    dump = getattr(value, "model_dump", None)  # the SDK's own objects in messages
    if callable(dump):
        return dump(exclude_none=True)
    raise TypeError(f"{type(value).__name__} is not JSON")
