"""Writes tests/vectors/prices/{names,costs}.txt: python make_vectors.py [FOLDER] (Python 3.11)

Costs are an independent reading of prices/*.toml, in Fractions. Names come from the recorded traffic; those below it in
names.txt are written here by hand, with what they must be.
"""

from __future__ import annotations

import gzip
import json
import math
import random
import sys
from collections.abc import Iterator
from datetime import date, datetime, timezone
from fractions import Fraction
from pathlib import Path
from typing import Any

import tomllib

ROOT = Path(__file__).resolve().parents[3]
VECTORS = ROOT / "tests" / "vectors" / "prices"
UNITS = {
    "each": 1,
    "thousand": 1000,
    "million": 10**6,
    "second": 1000,
    "minute": 60_000,
    "hour": 3_600_000,
}
CONDITIONS = {"tier", "context_above", "hours", "from", "until", "per"}
WORDS = {"region", "size", "quality", "resolution", "search_context"}
LIKE = {
    "reasoning_tokens": "output_tokens",
    "cache_write_1h_tokens": "cache_write_tokens",
    "cache_write_tokens": "input_tokens",
    "cache_read_tokens": "input_tokens",
    "code_sessions": "tool_calls",
    "file_searches": "tool_calls",
}
CHAT = {"chat.completions", "responses", "embeddings", "completions"}
DEPLOYMENTS = {"openllmetry-testing", "embedding"}  # names that only a policy can resolve

BY_HAND = """
openai gpt-5-mini gpt-5-mini
openai gpt-5-mini-2025-08-07 gpt-5-mini
openai gpt-5-mini-2031-02-28 gpt-5-mini
openai gpt-5-mini-2025-02-29 -
openai gpt-5-mini-2025-13-01 -
openai gpt-5-mini-20250807 -
openai gpt-5-mini-0807 -
openai gpt-5-mini-latest -
openai gpt-5-min -
openai gpt-5-mini- -
openai GPT-5-mini -
openai openai/gpt-5-mini -
openai gpt-4o-2024-08-06 gpt-4o
openai gpt-4o-2024-05-13 gpt-4o-2024-05-13
openai gpt-3.5-turbo-0125 gpt-3.5-turbo
openai gpt-3.5-turbo-1106 gpt-3.5-turbo-1106
openai gpt-3.5-turbo-0613 gpt-3.5-turbo-0613
openai gpt-3.5-turbo-9999 -
openai gpt-3.5-turbo-16k-0613 gpt-3.5-turbo-16k
openai gpt-35-turbo -
openai gpt-4-0314 gpt-4
openai gpt-4-1106-vision-preview gpt-4-vision-preview
openai gpt-5.6 gpt-5.6-sol
openai chat-latest chat-latest
openai chat-latest-2026-01-01 -
openai text-embedding-ada-002-v2 text-embedding-ada-002
openai ft:gpt-4o-mini-2024-07-18:acme:support:9abc ft:gpt-4o-mini
openai ft:gpt-4o-mini-2024-07-18:acme::9abc:ckpt-step-100 ft:gpt-4o-mini
openai ft:gpt-3.5-turbo-0125:acme::9abc ft:gpt-3.5-turbo
openai ft:gpt-5:acme::9abc -
openai ft:gpt-4o-mini-2024-07-18 ft:gpt-4o-mini
openai ft: -
openai ft::acme -
openai - -
azure gpt-35-turbo gpt-3.5-turbo
azure gpt-35-turbo-0125 gpt-3.5-turbo
azure gpt-5-nano-2025-08-07 gpt-5-nano
azure gpt-5.1-chat gpt-5.1-chat-latest
azure text-embedding-3-large text-embedding-3-large
azure my-deployment -
mistral mistral-embed-2312 mistral-embed
mistral mistral-embed-2313 -
mistral mistral-large-latest mistral-large-2512
openrouter openai/gpt-4o-mini-2024-07-18 openai/gpt-4o-mini
openrouter gpt-4o-mini -
groq gpt-4o-mini -
nobody gpt-4o-mini -
"""


def served_models(record: dict[str, Any]) -> Iterator[str]:
    """The model names that an answer or its stream says."""
    lines = [record["response"] or ""]
    if record["sse"]:
        lines = [line[5:] for line in lines[0].splitlines() if line.startswith("data:")]
    for line in lines:
        try:
            answer = json.loads(line)
        except ValueError:
            continue
        answer = answer.get("response", answer) if isinstance(answer, dict) else {}
        if isinstance(answer, dict) and answer.get("model"):
            yield answer["model"]


def recorded_names() -> set[tuple[str, str]]:
    names = set()
    for path in sorted((ROOT / "tests" / "recorded").glob("*.jsonl.gz")):
        with gzip.open(path, "rt") as lines:
            for record in map(json.loads, lines):
                if record["endpoint"] not in CHAT:
                    continue
                asked = json.loads(record["request"]).get("model")
                names |= {
                    (record["provider"], name) for name in [asked, *served_models(record)] if name
                }
    return names


class Book:
    """The book's files, read by the rules of prices/README.md."""

    def __init__(self, folder: str = "prices") -> None:
        self.models: dict[tuple[str, str], dict[str, Any]] = {}
        for path in sorted((ROOT / folder).glob("*.toml")):
            document = tomllib.loads(path.read_text())
            for model in document.get("model", []):
                provider = (
                    document.get("provider", {}).get("name") or document["imported"]["provider"]
                )
                self.models[provider, model["name"]] = model

    def price(
        self, model: dict[str, Any], quantity: str, at: datetime, tier: str, context: int
    ) -> Fraction | None:
        best: tuple[int, int] = (-1, -1)
        price = None
        for row in model["rates"]:
            if quantity not in row or not self.holds(row, at, tier, context):
                continue
            conditions = sum(key in row for key in ("tier", "context_above", "hours"))
            rank = (conditions, row.get("context_above", 0))
            if rank > best:
                best, price = (
                    rank,
                    Fraction(row[quantity]) / (UNITS.get(row["per"]) or int(row["per"])),
                )
        if price is None and quantity in LIKE:
            return self.price(model, LIKE[quantity], at, tier, context)
        return price

    @staticmethod
    def holds(row: dict[str, Any], at: datetime, tier: str, context: int) -> bool:
        if row.get("tier", tier) != tier or context <= row.get("context_above", -1):
            return False
        if "hours" in row:
            start, end = row["hours"].split("-")
            now = at.strftime("%H:%M")
            if not (start <= now < end if start < end else now >= start or now < end):
                return False
        midnight = {
            key: datetime.combine(row[key], datetime.min.time(), timezone.utc)
            for key in ("from", "until")
            if isinstance(row.get(key), date)
        }
        return midnight.get("from", at) <= at and (
            "until" not in midnight or at < midnight["until"]
        )


def imported_costs(chance: random.Random) -> Iterator[str]:
    """The same for some of the imported models: those that are billed by tokens, on terms that `Book` reads."""
    book = Book("prices/imported")
    plain = [
        key
        for key, model in sorted(book.models.items())
        if "input_tokens" in model["rates"][0]
        and not any(word in row for row in model["rates"] for word in WORDS)
    ]
    book.models = {key: book.models[key] for key in chance.sample(plain, 120)}
    yield from costs(chance, book)


def costs(chance: random.Random, book: Book) -> Iterator[str]:
    """Calls of every model at several times, tiers and lengths; quantities of chance."""
    times = [
        datetime(2026, 11, 21, 12, tzinfo=timezone.utc),
        datetime(2026, 7, 29, 23, 59, 59, tzinfo=timezone.utc),
        datetime(2026, 7, 30, tzinfo=timezone.utc),
        datetime(2026, 11, 21, 6, 30, tzinfo=timezone.utc),
    ]
    for (provider, name), model in sorted(book.models.items()):
        if model["modality"] == "image":  # no tokens
            continue
        tiers = {"", "default", *(row["tier"] for row in model["rates"] if "tier" in row)}
        thresholds = {row["context_above"] for row in model["rates"] if "context_above" in row}
        contexts = {1000, *thresholds, *(above + 1 for above in thresholds)}
        cases = [
            (at, tier, context)
            for at in times
            for tier in sorted(tiers)
            for context in sorted(contexts)
        ]
        for at, tier, context in chance.sample(cases, min(len(cases), 6)):
            yield from cost(book, chance, provider, name, model, at, tier, context)


def cost(
    book: Book,
    chance: random.Random,
    provider: str,
    name: str,
    model: dict[str, Any],
    at: datetime,
    tier: str,
    context: int,
) -> Iterator[str]:
    known = [
        key
        for key in (
            "input_tokens",
            "cache_read_tokens",
            "cache_write_tokens",
            "output_tokens",
            "reasoning_tokens",
        )
        if book.price(model, key, at, tier or "default", context) is not None
    ]
    quantities = {key: chance.randint(0, 10 ** chance.randint(0, 6)) for key in known}
    nano = sum(
        (
            count * (book.price(model, key, at, tier or "default", context) or 0) * 10**9
            for key, count in quantities.items()
        ),
        Fraction(0),
    )
    shown = ",".join(f"{key}={count}" for key, count in quantities.items())
    at_ms = round(at.timestamp() * 1000)
    yield f"{provider}\t{name}\t{at_ms}\t{tier or '-'}\t{context}\t{shown}\t{round(nano)}\t{math.ceil(nano)}\n"


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else VECTORS
    head = "# Written by tests/core/prices/make_vectors.py; tab-separated.\n"
    names = (
        head
        + "# provider  name  canonical name, - where it is unknown ({name} of recorded calls: ? is any)\n"
    )
    for provider, name in sorted(recorded_names()):
        if provider in {"anthropic", "gemini", "vertex"}:
            continue
        names += f"{provider}\t{name}\t{'-' if name in DEPLOYMENTS else '?'}\n"
    for line in BY_HAND.split("\n"):
        if line:
            names += line.replace(" ", "\t") + "\n"
    (folder / "names.txt").write_text(names)
    columns = "# provider  model  time in ms  tier served  input tokens  quantities  nano half-even  nano rounded up\n"
    lines = [
        *costs(random.Random(20261121), Book()),
        *imported_costs(random.Random(20261122)),
    ]
    (folder / "costs.txt").write_text(head + columns + "".join(lines))


if __name__ == "__main__":
    main()
