"""Every recorded call of OpenAI's chat, responses and embeddings, through the whole stack: what it is settled at is
what its usage costs by the witness's own price list; plain, streamed, and with streams cut anew at random. Of the hosts
that speak OpenAI's form, whose prices the witness does not have: the tokens of their usage, at most at what was held.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import httpx
import pytest

import farthing

from .conftest import Shop
from .money import WITNESS

RECORDED = Path(__file__).resolve().parents[1] / "recorded"
ENDPOINTS = ("chat.completions", "responses", "embeddings")
REFUSED = {  # endpoint: calls whose cost has no bound
    # Searches the web without a limit of its searches.
    "responses": [
        "traceloop/openllmetry@93429cfb97:packages/opentelemetry-instrumentation-openai-agents"
        "/tests/cassettes/test_openai_agents/test_agent_with_web_search_tool_spans.yaml#1"
    ],
}


COMPATIBLE = ("azure", "deepseek", "groq", "mistral", "openrouter", "together")


def _recorded() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for file in sorted(RECORDED.glob("*.jsonl.gz")):
        with gzip.open(file, "rt", encoding="utf-8") as lines:
            found.extend(json.loads(line) for line in lines)
    return found


def _rows() -> list[tuple[int, dict[str, Any]]]:
    return [
        (index, row)
        for index, row in enumerate(_recorded())
        if row["provider"] == "openai" and row["endpoint"] in ENDPOINTS
    ]


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_settles_to_what_its_usage_costs(shop: Shop, endpoint: str) -> None:
    guard = shop.guard(farthing.Cap("5000 USD", per="day", id="day"), unbounded="context_window")
    prices = WITNESS.read_prices()
    asked = 0
    refused: list[str] = []
    wrong: list[str] = []
    with httpx.Client(headers={"authorization": "Bearer sk-test-0001"}) as http:
        guard.wrap(http)
        for index, row in _rows():
            if row["endpoint"] != endpoint:
                continue
            before = len(shop.provider.log())
            path = "/v1" + row["url"].split("/v1", 1)[1].partition("?")[0]
            headers = {"x-fake-recorded": str(index), "x-fake-chunks": str(index)}
            answer = http.post(
                f"http://{shop.host}{path}", content=row["request"].encode(), headers=headers
            )
            asked += 1
            if answer.status_code == 402 and "x-farthing-attempt" in answer.headers:
                refused.append(row["source"])
                continue
            told = shop.provider.log()[before:]
            (booked,) = guard.ledger(limit=1)
            (line,) = WITNESS.bill("\n".join(map(json.dumps, told)), prices)
            cost = None if line.nano_usd is None else Decimal(line.nano_usd).scaleb(-9)
            if cost is None or booked.actual_usd != cost:
                here = f"{booked.how} {booked.actual_usd}"
                wrong.append(f"{row['source']}: {here}, not {line.why or cost}")
    assert not wrong, "\n".join(wrong[:20])
    assert asked > 10 and refused == REFUSED.get(endpoint, [])
    (counter,) = guard.status().counters
    assert counter.cap.reserved == 0


class _Cut(httpx.SyncByteStream):
    """A body in pieces of random sizes."""

    def __init__(self, body: bytes, random: Random) -> None:
        self.body, self.random = body, random

    def __iter__(self) -> Iterator[bytes]:
        at = 0
        while at < len(self.body):
            size = self.random.choice((1, 3, 17, 200, 5_000))
            yield self.body[at : at + size]
            at += size


def _documents(row: dict[str, Any]) -> list[dict[str, Any]]:
    if not row["sse"]:
        return [json.loads(row["response"])]
    events = (line[5:].strip() for line in row["response"].splitlines() if line[:5] == "data:")
    return [json.loads(event) for event in events if event.startswith("{")]


def _usage(documents: list[dict[str, Any]]) -> dict[str, Any] | None:
    told = [
        usage
        for document in documents
        for usage in (document.get("usage"), (document.get("x_groq") or {}).get("usage"))
        if usage
    ]
    return told[-1] if told else None


@pytest.mark.parametrize("provider", COMPATIBLE)
def test_other_hosts_settle_to_their_usage(provider: str) -> None:
    random = Random(provider)
    asked = 0
    for row in _recorded():
        if row["provider"] != provider or row["endpoint"] not in (*ENDPOINTS, "completions"):
            continue

        def answer(_: httpx.Request, row: dict[str, Any] = row) -> httpx.Response:
            return httpx.Response(
                row["status"],
                headers={"content-type": row["content_type"]},
                stream=_Cut(row["response"].encode(), random),
            )

        documents = _documents(row)
        named = (document.get("model") for document in documents)
        served = next(filter(None, named), "gpt-4.1-mini")  # one answer names none
        deployment = row["url"].partition("/deployments/")[2].partition("/")[0]
        with (
            farthing.Guard(
                caps=[farthing.Cap("5000 USD", per="day")],
                store="memory:",
                unbounded="context_window",
            ) as guard,
            httpx.Client(
                transport=httpx.MockTransport(answer), headers={"authorization": "Bearer k"}
            ) as http,
        ):
            guard.wrap(http, deployments={deployment: served} if deployment else None)
            http.post(row["url"], content=row["request"].encode())
            (booked,) = guard.ledger(limit=1)
        asked += 1
        usage = _usage(documents)
        refused = "provider_error" if "error" in documents[0] else "hold"
        assert booked.how == (refused if usage is None else "usage"), row["source"]
        assert booked.actual_usd is not None and booked.ceiling_usd is not None, row["source"]
        assert booked.actual_usd <= booked.ceiling_usd, row["source"]
        if usage is not None:
            assert booked.booked.get("input_tokens", 0) == usage["prompt_tokens"], row["source"]
            output = usage.get("completion_tokens") or 0
            assert booked.booked.get("output_tokens", 0) == output, row["source"]
    assert asked > 0
