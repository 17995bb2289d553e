"""Recorded answers of real providers, replayed for an equal request. Where they come from: tests/recorded/README.md.

A request is equal when its path and its JSON are, whatever the order of keys. If there is none, fields that a guard
may have added or lowered are left out of the comparison. Several recordings of one request are given in turn.
A recorded answer does not honour another output limit than the one it was recorded with.
"""

from __future__ import annotations

import gzip
import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from .ask import JSON, Ask
from .compose import Usage

ADDED = ("stream_options", "max_tokens", "max_completion_tokens", "max_output_tokens")


@dataclass
class Recording:
    index: int
    source: str
    provider: str
    endpoint: str
    path: str
    request: JSON
    status: int
    content_type: str
    sse: bool
    response: bytes


class Recordings:
    def __init__(self, rows: list[Recording]) -> None:
        self.rows = rows
        self._exact: dict[tuple[str, str], list[Recording]] = defaultdict(list)
        self._loose: dict[tuple[str, str], list[Recording]] = defaultdict(list)
        self._by_source = {row.source: row for row in rows}
        self._turns: dict[int, int] = defaultdict(int)
        for row in rows:
            self._exact[row.path, canonical(row.request)].append(row)
            self._loose[row.path, canonical(row.request, loose=True)].append(row)

    @classmethod
    def load(cls, files: Iterable[Path]) -> Recordings:
        rows: list[Recording] = []
        for file in files:
            with gzip.open(file, "rt", encoding="utf-8") as lines:
                rows.extend(_row(json.loads(line), len(rows) + at) for at, line in enumerate(lines))
        return cls(rows)

    def reset(self) -> None:
        self._turns.clear()

    def find(self, ask: Ask, wanted: int | str | None) -> Recording | None:
        if isinstance(wanted, int):
            return self.rows[wanted] if 0 <= wanted < len(self.rows) else None
        if wanted is not None:
            return self._by_source.get(wanted)
        if not self.rows or not ask.body:
            return None
        rows = self._exact.get((ask.path, canonical(ask.body)))
        rows = rows or self._loose.get((ask.path, canonical(ask.body, loose=True)))
        if not rows:
            return None
        turn = self._turns[id(rows)]
        self._turns[id(rows)] = turn + 1
        return rows[turn % len(rows)]


def canonical(request: JSON, loose: bool = False) -> str:
    if loose:
        request = {name: value for name, value in request.items() if name not in ADDED}
    return json.dumps(request, sort_keys=True, separators=(",", ":"))


def _row(row: JSON, index: int) -> Recording:
    return Recording(
        index=index,
        source=row["source"],
        provider=row["provider"],
        endpoint=row["endpoint"],
        path=urlsplit(row["url"]).path,
        request=json.loads(row["request"]),
        status=row["status"],
        content_type=row["content_type"],
        sse=row["sse"],
        response=row["response"].encode("utf-8", "surrogatepass"),
    )


# ---- what a recorded answer says was used (OpenAI's shapes)


@dataclass
class Said:
    """Ids and usage as the answer itself tells them."""

    id: str = ""
    model: str = ""
    tier: str = "default"
    usage: Usage | None = None
    refused: bool = False  # nothing but an error, whatever the status: not billed


def said(row: Recording) -> Said:
    found = Said()
    if row.provider in ("anthropic", "gemini", "vertex"):  # their usage is not read yet
        return found
    for part in _parts(row):
        inner = part.get("response") if isinstance(part.get("response"), dict) else part
        assert inner is not None
        found.id = inner.get("id") or found.id
        found.model = inner.get("model") or found.model
        tier = inner.get("service_tier")
        found.tier = tier if tier in ("flex", "priority") else found.tier
        found.refused = "id" not in inner and isinstance(inner.get("error"), dict)
        usage = inner.get("usage") or (inner.get("x_groq") or {}).get("usage")
        if isinstance(usage, dict):
            found.usage = normal(usage) or found.usage
    return found


def _parts(row: Recording) -> list[JSON]:
    if not row.sse:
        return [one for one in [_json(row.response)] if one]
    texts = (line[5:] for line in row.response.splitlines() if line.startswith(b"data:"))
    return [one for one in map(_json, texts) if one]


def _json(text: bytes) -> JSON | None:
    try:
        value: Any = json.loads(text)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def normal(usage: JSON) -> Usage | None:
    inputs = usage.get("prompt_tokens", usage.get("input_tokens"))
    if not isinstance(inputs, int):
        return None
    read = usage.get("prompt_tokens_details") or usage.get("input_tokens_details") or {}
    wrote = usage.get("completion_tokens_details") or usage.get("output_tokens_details") or {}
    return Usage(
        input_tokens=inputs,
        cached_tokens=read.get("cached_tokens") or 0,
        output_tokens=usage.get("completion_tokens") or usage.get("output_tokens") or 0,
        reasoning_tokens=wrote.get("reasoning_tokens") or 0,
    )
