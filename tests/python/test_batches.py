"""Batches (R17): held as the sum of their requests, settled by what came out; with the real SDKs."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any

import pytest

import farthing

from .conftest import MODEL, Shop
from .money import billed, booked, counted

anthropic: Any = pytest.importorskip("anthropic")

DAY = farthing.Cap("5 USD", per="day", id="day")
CLAUDE = "claude-haiku-4-5"


def lines(*limits: int) -> bytes:
    """A file with a request for each limit."""
    made = [
        {
            "custom_id": f"r{number}",
            "method": "POST",
            "url": "/v1/chat/completions",
            "body": {
                "model": MODEL,
                "messages": [{"role": "user", "content": "hello there"}],
                "max_tokens": limit,
            },
        }
        for number, limit in enumerate(limits)
    ]
    return b"".join(json.dumps(line).encode() + b"\n" for line in made)


def messages(*limits: int) -> Any:
    return [
        {
            "custom_id": f"r{number}",
            "params": {
                "model": CLAUDE,
                "max_tokens": limit,
                "messages": [{"role": "user", "content": "hello there"}],
            },
        }
        for number, limit in enumerate(limits)
    ]


def start(client: Any, *limits: int) -> Any:
    file = client.files.create(file=("requests.jsonl", lines(*limits)), purpose="batch")
    return client.batches.create(
        input_file_id=file.id, endpoint="/v1/chat/completions", completion_window="24h"
    )


def claude(shop: Shop) -> Any:
    url = shop.provider.url.removesuffix("/v1")
    made = anthropic.Anthropic(base_url=url, api_key="sk-ant-0001", max_retries=0)
    return shop.closing(made)


def claude_guard(shop: Shop, *caps: farthing.Cap) -> farthing.Guard:
    return shop.guard(*caps, hosts={shop.host: {"provider": "anthropic"}})


def used(shop: Shop) -> Decimal:
    """What the provider's log comes to at 0.50 and 2.50 USD per million."""
    usage = [line["usage"] for line in shop.provider.log()]
    return sum(
        (Decimal(u["input_tokens"] * 5 + u["output_tokens"] * 25) / 10**7 for u in usage),
        Decimal(0),
    )


def test_a_batch_of_a_file_is_settled_by_its_usage(shop: Shop) -> None:
    with shop.guard(DAY, farthing.Cap("10 requests", per="day", id="requests")) as guard:
        client = guard.wrap(shop.client())
        batch = start(client, 64, 100)
        [job] = guard.jobs()
        assert (job.id, job.kind, job.state, job.labels["model"]) == (
            batch.id,
            "batch",
            "pending",
            MODEL,
        )
        assert counted(guard, "day") == (0, job.held_usd)
        assert counted(guard, "requests")[1] == 2
        while batch.status != "completed":
            batch = client.batches.retrieve(batch.id)
        assert booked(guard) == billed(shop.provider) == counted(guard, "day")[0] > 0
        assert counted(guard, "day")[1] == 0 and guard.jobs() == []
        assert counted(guard, "requests") == (2, 0)
        client.batches.retrieve(batch.id)
        assert client.files.content(batch.output_file_id).text.count("\n") == 2
        assert booked(guard) == billed(shop.provider)


def test_results_of_messages_settle_when_all_were_read(shop: Shop) -> None:
    with claude_guard(shop, DAY) as guard:
        client = guard.wrap(claude(shop))
        batch = client.messages.batches.create(requests=messages(64, 100, 1_000_000))
        held = counted(guard, "day")[1]
        assert held > 0
        for _ in range(2):
            batch = client.messages.batches.retrieve(batch.id)
        assert batch.processing_status == "ended"
        results = client.messages.batches.results(batch.id)
        next(iter(results))
        results.close()
        assert counted(guard, "day") == (0, held)
        kinds = [line.result.type for line in client.messages.batches.results(batch.id)]
        assert kinds == ["succeeded", "succeeded", "errored"]
        assert booked(guard) == used(shop) == counted(guard, "day")[0] > 0
        assert counted(guard, "day")[1] == 0
        assert len(list(client.messages.batches.results(batch.id))) == 3
        assert booked(guard) == used(shop)


def test_the_beta_paths_too(shop: Shop) -> None:
    with claude_guard(shop, DAY) as guard:
        client = guard.wrap(claude(shop))
        batches = client.beta.messages.batches
        batch = batches.create(requests=messages(64))
        assert batches.cancel(batch.id).processing_status == "canceling"
        assert guard.jobs()[0].state == "pending"
        batches.retrieve(batch.id)
        assert [line.result.type for line in batches.results(batch.id)] == ["succeeded"]
        assert booked(guard) == used(shop) > 0


def test_one_of_which_nothing_succeeded_costs_nothing(shop: Shop) -> None:
    with claude_guard(shop, DAY) as guard:
        client = guard.wrap(claude(shop))
        shop.provider.script({"ending": "failed"})
        batch = client.messages.batches.create(requests=messages(64, 64))
        for _ in range(2):
            client.messages.batches.retrieve(batch.id)
        assert counted(guard, "day") == (0, 0)
        assert [row.how for row in guard.ledger()] == ["provider_error"]


def test_in_an_event_loop_too(
    shop: Shop, run_async: Callable[[Callable[[], Awaitable[Any]]], Any]
) -> None:
    async def main() -> None:
        with shop.guard(DAY) as guard:
            client = guard.wrap(shop.aclient())
            async with client:
                file = await client.files.create(file=("x.jsonl", lines(64)), purpose="batch")
                batch = await client.batches.create(
                    input_file_id=file.id,
                    endpoint="/v1/chat/completions",
                    completion_window="24h",
                )
                while batch.status != "completed":
                    batch = await client.batches.retrieve(batch.id)
            guard.flush()
            assert booked(guard) == billed(shop.provider) > 0

    run_async(main)


def test_a_batch_that_the_cap_cannot_pay_is_not_sent(shop: Shop) -> None:
    with shop.guard(farthing.Cap("0.0001 USD", per="day")) as guard:
        client = guard.wrap(shop.client())
        with pytest.raises(farthing.CapExceeded):
            start(client, 1000, 1000)
        assert shop.provider.stats()["by_path"] == {"POST /v1/files": 1}


def test_a_file_that_no_guard_saw_is_refused_with_the_way_out(shop: Shop) -> None:
    with shop.guard(DAY) as guard:
        bare, client = shop.client(), guard.wrap(shop.client())
        file = bare.files.create(file=("requests.jsonl", lines(64)), purpose="batch")
        with pytest.raises(farthing.Unpriced, match="Upload it with a guarded client") as caught:
            client.batches.create(
                input_file_id=file.id, endpoint="/v1/chat/completions", completion_window="24h"
            )
        assert caught.value.code == "unbounded_request"


CREATOR = """
import sys, openai, farthing
url, host, store, file = sys.argv[1:]
guard = farthing.Guard(
    caps=[farthing.Cap("5 USD", per="day", id="day")],
    labels={"team": "night"},
    store=store,
    hosts={host: {"provider": "openai"}},
)
client = guard.wrap(openai.OpenAI(base_url=url, api_key="sk-test-0002", max_retries=0))
batch = client.batches.create(
    input_file_id=file, endpoint="/v1/chat/completions", completion_window="24h"
)
print(batch.id, flush=True)
import os, signal
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_one_process_uploads_another_begins_and_dies_a_third_settles(file_shop: Shop) -> None:
    shop = file_shop
    with shop.guard(DAY) as guard:
        client = guard.wrap(shop.client())
        file = client.files.create(file=("requests.jsonl", lines(64, 64)), purpose="batch")
        done = subprocess.run(
            [sys.executable, "-c", CREATOR, shop.provider.url, shop.host, shop.store, file.id],
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == -9, done.stderr
        batch = client.batches.retrieve(done.stdout.strip())
        assert counted(guard, "day")[1] > 0
        while batch.status != "completed":
            batch = client.batches.retrieve(batch.id)
        assert booked(guard) == billed(shop.provider) > 0
        [row] = guard.ledger()
        assert row.labels["team"] == "night"


def test_uploads_for_other_ends_arrive_whole(shop: Shop) -> None:
    with shop.guard(DAY) as guard:
        client = guard.wrap(shop.client())
        client.files.create(file=("x.jsonl", b"\x00not ours\r\n"), purpose="fine-tune")
        client.files.create(file=("x.jsonl", lines(64)), purpose="batch")
        seen = [request["body"] for request in shop.provider.requests()]
        assert "not ours" in seen[0] and '"custom_id": "r0"' in seen[1]
        assert list(guard.ledger()) == []
