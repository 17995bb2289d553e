"""Every recorded call of OpenAI's chat, responses and embeddings, through the whole stack: what it is settled at is
what its usage costs by the witness's own price list; plain, streamed, and with streams cut anew at random."""

from __future__ import annotations

import gzip
import json
from decimal import Decimal
from pathlib import Path
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


def _rows() -> list[tuple[int, dict[str, Any]]]:
    found: list[dict[str, Any]] = []
    for file in sorted(RECORDED.glob("*.jsonl.gz")):
        with gzip.open(file, "rt", encoding="utf-8") as lines:
            found.extend(json.loads(line) for line in lines)
    return [
        (index, row)
        for index, row in enumerate(found)
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
