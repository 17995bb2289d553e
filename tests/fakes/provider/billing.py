"""The provider's own log of what it would bill: the independent witness. It knows quantities, no prices.

One JSON line per billed request, flushed when written and written before the client can have read the whole answer.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

from .ask import Ask
from .compose import Usage


@dataclass
class Bill:
    """What one request costs so far; written once."""

    request_id: str
    response_id: str
    model: str
    tier: str
    usage: Usage | None  # None: a recording that does not say
    policy: str = "generated"  # how much of a broken answer is billed: generated, full, nothing
    status: int = 200
    recorded: int | None = None
    recorded_source: str | None = None
    made_usage: bool = False
    written: bool = False


class BillLog:
    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._file: BinaryIO | None = open(path, "ab", buffering=0) if path else None
        self._lines: list[bytes] = []

    def __len__(self) -> int:
        return len(self._lines)

    def write(
        self, ask: Ask, bill: Bill, *, generated: int | None, disconnected: bool, broken: str | None
    ) -> None:
        """`generated`: the output tokens until the client left or the answer broke; None: all of it."""
        if bill.written or bill.policy == "nothing":
            return
        bill.written = True
        usage = bill.usage
        if usage is not None and generated is not None and bill.policy == "generated":
            output = min(generated, usage.output_tokens)
            usage = replace(
                usage, output_tokens=output, reasoning_tokens=min(usage.reasoning_tokens, output)
            )
        line: dict[str, Any] = {
            "seq": len(self._lines) + 1,
            "request_id": bill.request_id,
            "response_id": bill.response_id,
            "endpoint": ask.endpoint,
            "path": ask.path,
            "status": bill.status,
            "stream": ask.stream,
            "model_asked": ask.model,
            "model": bill.model,
            "service_tier": bill.tier,
            "usage": usage.as_json() if usage else None,
            "disconnected": disconnected,
            "broken": broken,
            "recorded": bill.recorded,
            "recorded_source": bill.recorded_source,
            "made_usage": bill.made_usage,
            "api_key_last4": ask.key_last4,
            "retry_count": _number(ask.headers.get("x-stainless-retry-count")),
        }
        data = json.dumps(line).encode() + b"\n"
        self._lines.append(data)
        if self._file is not None:
            self._file.write(data)

    def read(self) -> bytes:
        return b"".join(self._lines)

    def clear(self) -> None:
        self._lines.clear()
        if self._file is not None:
            self._file.truncate(0)  # opened for appending: the next line begins the file again


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and text.isdigit() else None
