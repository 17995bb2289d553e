"""Every recorded call, estimated before and settled after: what `likely` and the ceiling were, and what it was.

The calls go through a guarded httpx client whose transport answers with the recording, so the real quantities and costs
are those that the ledger books.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import random
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

import farthing

RECORDED = Path(__file__).resolve().parents[1] / "recorded"

# Seeds: recorded calls are made again in these orders to measure what learning changes.
ORDERS = (1, 2, 3, 4, 5)

# The member that says how long an answer may be, by endpoint.
OUTPUT_LIMITS = {
    "chat.completions": "max_completion_tokens",
    "responses": "max_output_tokens",
    "completions": "max_tokens",
    "messages": "max_tokens",
}
IMAGES = ('"image_url"', '"input_image"', '"type": "image"', '"type":"image"', '"image/')
AUDIO = ('"input_audio"', '"audio/')
FILES = ("file_id", "fileUri", "file_uri", "file_url")


@dataclass(frozen=True)
class Measured:
    """One call. Tokens are all input tokens, cache included."""

    source: str
    provider: str
    host: str
    model: str
    kind: str
    """plain, tools, schema, images, images by URL, audio or provider tools."""
    request: dict[str, Any]
    endpoint: str
    characters: int
    actual: int
    likely: int
    confidence: str
    ceiling_tokens: int
    ceiling_usd: Decimal | None
    tight_ceiling_usd: Decimal | None
    """With the output limit set to the output that came."""
    actual_usd: Decimal | None
    unbounded: bool
    output: int
    """Tokens that came."""
    likely_output: int
    learned: bool
    """`likely` is what calls before it taught."""

    @property
    def family(self) -> str:
        return family_of(self.model)

    @property
    def size(self) -> str:
        for bound in (100, 1_000, 10_000):
            if self.actual < bound:
                return f"under {bound:,}"
        return "10,000 and more"

    @property
    def error(self) -> float:
        return abs(self.likely - self.actual) / self.actual

    @property
    def half(self) -> int:
        """0 or 1 by a hash of what was asked: equal requests are on one side."""
        asked = json.dumps([self.endpoint, self.model, self.request], sort_keys=True)
        return hashlib.sha256(asked.encode()).digest()[0] % 2


def family_of(model: str) -> str:
    """A model's name without its maker, date and size: "gpt-4o" of "openai/gpt-4o-mini-2024-07-18"."""
    name = model.rpartition("/")[2]
    found = re.match(
        r"gpt-oss|gpt-\d+(\.\d+|o)?|o\d|claude-\d|claude-[a-z]+-\d+([.-]\d(?!\d))?|gemini-\d+(\.\d+)?|[a-z]+(-[a-z]+)?",
        name,
    )
    return found.group() if found else name


def rows() -> Iterator[dict[str, Any]]:
    for file in sorted(RECORDED.glob("*.jsonl.gz")):
        with gzip.open(file, "rt", encoding="utf-8") as lines:
            for line in lines:
                yield json.loads(line)


def kind_of(row: dict[str, Any], request: dict[str, Any]) -> str:
    text = row["request"]
    if any(mark in text for mark in AUDIO):
        return "audio"
    if any(mark in text for mark in IMAGES):
        return "images by URL" if points_elsewhere(request) else "images"
    own = ("function", "custom", None)
    tools = request.get("tools") or []
    if any(tool.get("type") not in own for tool in tools) or any(
        name in tool
        for tool in tools
        for name in ("googleSearch", "google_search", "codeExecution", "code_execution")
    ):
        return "provider tools"
    if any(word in text for word in ('"json_schema"', '"responseSchema"', '"responseJsonSchema"')):
        return "schema"
    parts = ("tools", "functions", "tool_calls", "function_call", "functionCall", "tool_use")
    return "tools" if any(f'"{part}"' in text for part in parts) else "plain"


def points_elsewhere(value: Any) -> bool:
    """It names a file or an address, whose contents nobody knows before the call."""
    if isinstance(value, list):
        return any(map(points_elsewhere, value))
    if not isinstance(value, dict):
        return False
    return any(
        name in FILES
        or (name in ("url", "image_url") and isinstance(inner, str) and inner.startswith("http"))
        or points_elsewhere(inner)
        for name, inner in value.items()
    )


@dataclass(frozen=True)
class Bound:
    """What was recorded, whatever came of it: has its input a ceiling of its own?"""

    source: str
    unbounded_by: tuple[str, ...]
    may_have_none: bool
    """It asks for server tools, or for files or addresses."""


def bounds() -> list[Bound]:
    found = []
    with farthing.Guard(store="memory:", unbounded="context_window", output="as_asked") as guard:
        for row in rows():
            request = json.loads(row["request"])
            named = re.search(r"/(?:models|deployments)/([^/:]+)", row["url"])
            if named is not None:
                request.setdefault("model", named.group(1))
            address = urlsplit(row["url"])
            endpoint = row["endpoint"]
            if endpoint == "images":
                endpoint += "." + address.path.rpartition("/")[2]
            estimate = guard.estimate(endpoint, host=address.netloc, **request)
            excused = kind_of(row, request) == "provider tools" or points_elsewhere(request)
            found.append(Bound(row["source"], estimate.unbounded_by, excused))
    return found


def characters_of(value: Any) -> int:
    """Of all texts in it, without inline media."""
    if isinstance(value, dict):
        return sum(
            characters_of(inner)
            for name, inner in value.items()
            if name not in ("data", "image_url", "model")
        )
    if isinstance(value, list):
        return sum(map(characters_of, value))
    return len(value) if isinstance(value, str) else 0


def limited(endpoint: str, request: dict[str, Any], output: int) -> dict[str, Any] | None:
    """The request with just the output limit that its answer needed."""
    if endpoint.endswith("enerateContent"):
        config = {**request.get("generationConfig", {}), "maxOutputTokens": output}
        return {**request, "generationConfig": config}
    name = OUTPUT_LIMITS.get(endpoint)
    if name is None or output < 1:
        return None
    names = set(OUTPUT_LIMITS.values())
    return {key: value for key, value in request.items() if key not in names} | {name: output}


def replayed() -> Iterator[tuple[dict[str, Any], farthing.LedgerRow]]:
    """Every recorded call that is let through, and what the ledger says of it."""
    with _replaying() as (guard, call):
        for row in rows():
            if call(row):
                (booked,) = guard.ledger(limit=1)
                yield row, booked


def measured() -> list[Measured]:
    """All recorded calls whose answers say what they used. The others are not told apart here: no usage, no error."""
    # What is estimated after its call must not know of it.
    unlearned = farthing.Guard(store="memory:", unbounded="context_window", output="as_asked")
    found = [one for row, booked in replayed() if (one := _one(unlearned, row, booked)) is not None]
    unlearned.close()
    return found


@contextmanager
def _replaying() -> Iterator[tuple[farthing.Guard, Callable[[dict[str, Any]], bool]]]:
    """A guard, and how a recorded call is made: False where it was refused, an endpoint that is not priced."""
    guard = farthing.Guard(store="memory:", unbounded="context_window", output="as_asked")
    answers: list[httpx.Response] = []

    def call(row: dict[str, Any]) -> bool:
        answers[:] = [
            httpx.Response(
                row["status"],
                headers={"content-type": row["content_type"] or "application/json"},
                content=row["response"].encode(),
            )
        ]
        answer = client.post(
            row["url"], content=row["request"].encode(), headers={"authorization": "Bearer sk"}
        )
        return not answers and answer.status_code == 200

    with httpx.Client(transport=httpx.MockTransport(lambda _: answers.pop())) as client:
        guard.wrap(client)
        yield guard, call
    guard.close()


def _one(guard: farthing.Guard, row: dict[str, Any], booked: farthing.LedgerRow) -> Measured | None:
    if booked.how != "usage":
        return None
    request = json.loads(row["request"])
    # What the path names, or what served it where that is a deployment.
    served = booked.model_served or booked.model
    asked = request.get("model") or booked.model_asked
    model = served if row["provider"] == "azure" or not asked else asked
    named = {**request, "model": model}
    host = urlsplit(row["url"]).netloc
    estimate = guard.estimate(row["endpoint"], host=host, **named)
    actual = int(booked.booked.get("input_tokens", 0))
    if actual == 0:
        return None
    output = int(booked.booked.get("output_tokens", 0))
    limit = limited(row["endpoint"], named, output)
    tight = None if limit is None else guard.estimate(row["endpoint"], host=host, **limit)
    return Measured(
        source=row["source"],
        provider=row["provider"],
        host=host,
        model=served,
        kind=kind_of(row, request),
        request=named,
        endpoint=row["endpoint"],
        characters=characters_of(request),
        actual=actual,
        likely=int(estimate.likely["input_tokens"]),
        confidence=estimate.confidence,
        ceiling_tokens=int(estimate.ceiling["input_tokens"]),
        ceiling_usd=estimate.ceiling_usd,
        tight_ceiling_usd=None if tight is None else tight.ceiling_usd,
        actual_usd=booked.actual_usd,
        unbounded=bool(estimate.unbounded_by),
        output=output,
        likely_output=int(estimate.likely.get("output_tokens", 0)),
        learned=estimate.learned_calls > 0,
    )


def once_learned(calls: list[Measured], seed: int) -> list[Measured]:
    """The same calls in an order by seed, each estimated just before it was made, with what those before it taught."""
    recorded = {row["source"]: row for row in rows()}
    order = list(calls)
    random.Random(seed).shuffle(order)
    found: list[Measured] = []
    with _replaying() as (guard, call):
        for one in order:
            estimate = guard.estimate(one.endpoint, host=one.host, **one.request)
            found.append(
                replace(
                    one,
                    likely=int(estimate.likely["input_tokens"]),
                    likely_output=int(estimate.likely.get("output_tokens", 0)),
                    confidence=estimate.confidence,
                    ceiling_tokens=int(estimate.ceiling["input_tokens"]),
                    ceiling_usd=estimate.ceiling_usd,
                    learned=estimate.learned_calls > 0,
                )
            )
            call(recorded[one.source])
    return found
