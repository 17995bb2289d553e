"""What a guard adds to a call of the newest OpenAI client on loopback.

    .venv/bin/python -m tests.bench.python_bench [--quick] [--only NAME]

Prints a JSON row a line: {"name", "unit", "value", "baseline", "ratio"}. The value is the median of guarded calls, the
baseline the median of bare ones, taken in one process in random order (separate processes scatter by 4 to 10 %). Goals:
ratio <= 1.02 with a store in memory, <= 1.05 with a file; `request_200kb.added` <= 300 us. docs/performance.md.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import openai

import farthing
from tests.fakes.provider.handle import FakeProvider, start

MODEL = "gpt-4.1-nano"
TWO_KB = {
    "model": MODEL,
    "max_tokens": 256,
    "messages": [
        {"role": "system", "content": "You are a helpful assistant. " * 10},
        {"role": "user", "content": "The quick brown fox jumps over the lazy dog. " * 36},
    ],
}
STREAM = {
    **TWO_KB,
    "stream": True,
    "extra_headers": {"x-fake-deltas": "50", "x-fake-output-tokens": "50"},
}
CAPS = [
    farthing.Cap("50000 USD", per="month", match={"org": "acme"}),
    farthing.Cap("5000 USD", per="day", each=["api_key"]),
    farthing.Cap("5000 USD", per="day", match={"project": "bench"}),
    farthing.Cap("500 USD", per="call"),
    farthing.Cap("100000000 requests", per="day"),
]
SEED = 20261121


def _ask(client: openai.OpenAI) -> None:
    client.chat.completions.create(**TWO_KB)


def _stream(client: openai.OpenAI) -> None:
    for _ in client.chat.completions.create(**STREAM):
        pass


async def _aask(client: openai.AsyncOpenAI) -> None:
    await client.chat.completions.create(**TWO_KB)


@contextmanager
def _guard(provider: FakeProvider, store: str) -> Iterator[farthing.Guard]:
    with tempfile.TemporaryDirectory() as folder:
        place = "memory:" if store == "memory" else f"file:{Path(folder) / 'bench.db'}"
        hosts = {f"127.0.0.1:{provider.port}": {"provider": "openai"}}
        with farthing.Guard(
            caps=CAPS, store=place, hosts=hosts, labels={"org": "acme"}, name="bench"
        ) as guard:
            yield guard


def _order(pairs: int) -> list[bool]:
    order = [True, False] * pairs
    random.Random(SEED).shuffle(order)
    return order


def _row(name: str, guarded: list[float], bare: list[float]) -> dict[str, Any]:
    value, baseline = (statistics.median(times) * 1e6 for times in (guarded, bare))
    return {
        "name": name,
        "unit": "us",
        "value": round(value, 1),
        "baseline": round(baseline, 1),
        "ratio": round(value / baseline, 4),
    }


def _clients(provider: FakeProvider, kind: Any) -> tuple[Any, Any]:
    made = [kind(base_url=provider.url, api_key="sk-bench-0001", max_retries=0) for _ in range(2)]
    return made[0], made[1]


def measure_sync(
    name: str, provider: FakeProvider, store: str, call: Callable[[Any], None], pairs: int
) -> dict[str, Any]:
    bare, guarded = _clients(provider, openai.OpenAI)
    with _guard(provider, store) as guard:
        guard.wrap(guarded, project="bench")
        times: dict[bool, list[float]] = {True: [], False: []}
        for _ in range(20):
            call(bare)
            call(guarded)
        gc.collect()
        gc.freeze()
        for is_guarded in _order(pairs):
            client = guarded if is_guarded else bare
            began = time.perf_counter()
            call(client)
            times[is_guarded].append(time.perf_counter() - began)
        gc.unfreeze()
        _check(guard, pairs + 20)
        bare.close()
        guarded.close()
    return _row(name, times[True], times[False])


async def measure_async(
    name: str,
    provider: FakeProvider,
    store: str,
    call: Callable[[Any], Awaitable[None]],
    pairs: int,
) -> dict[str, Any]:
    bare, guarded = _clients(provider, openai.AsyncOpenAI)
    with _guard(provider, store) as guard:
        guard.wrap(guarded, project="bench")
        times: dict[bool, list[float]] = {True: [], False: []}
        for _ in range(20):
            await call(bare)
            await call(guarded)
        gc.collect()
        gc.freeze()
        for is_guarded in _order(pairs):
            client = guarded if is_guarded else bare
            began = time.perf_counter()
            await call(client)
            times[is_guarded].append(time.perf_counter() - began)
        gc.unfreeze()
        _check(guard, pairs + 20)
        await bare.close()
        await guarded.close()
    return _row(name, times[True], times[False])


def _check(guard: farthing.Guard, calls: int) -> None:
    """What is measured is real: every guarded call was booked with its usage."""
    rows = list(guard.ledger(how="usage"))
    assert len(rows) >= min(calls, 10_000), (len(rows), calls)


def measure_200kb(provider: FakeProvider, rounds: int) -> list[dict[str, Any]]:
    """A history of 200 KB, resent with one new message each time: what the hook does, step by step."""
    from farthing._farthing import CallSlot
    from farthing._hooks import family, steps
    from farthing._hooks.binding import KEY

    client = openai.OpenAI(base_url=provider.url, api_key="sk-bench-0001")
    stack = sys.modules[type(client._client).__mro__[-3].__module__.partition(".")[0]]
    history = [
        {
            "role": ("user", "assistant")[i % 2],
            "content": f"turn {i}: " + "some words of history " * 45,
        }
        for i in range(200)
    ]
    answer = client.chat.completions.with_raw_response.create(**TWO_KB)
    names = ("begin", "rewrite", "settle")
    times: dict[str, list[float]] = {name: [] for name in (*names, "all")}
    with _guard(provider, "memory") as guard:
        guard.wrap(client, project="bench")
        found = family.of_client(client._client)
        assert found is not None
        bound = client._client.__dict__[KEY]
        for i in range(rounds):
            turn = [*history[i % 7 :], {"role": "user", "content": f"and now number {i}?"}]
            request = client._client.build_request(
                "POST",
                f"{provider.url}/chat/completions",
                content=json.dumps({"model": MODEL, "messages": turn}).encode(),
                headers={**answer.http_request.headers, "content-type": "application/json"},
            )
            response = stack.Response(
                200, headers=answer.headers, content=answer.http_response.content, request=request
            )
            marks = [time.perf_counter()]
            attempt = steps.begin(bound, CallSlot(), request, found[0])
            body = attempt.sent()
            marks.append(time.perf_counter())
            assert body is not None, "without a limit of its own, it gets one"
            steps.rewritten(request, body, found[0])
            marks.append(time.perf_counter())
            steps.delivered(attempt, response, found[0], True, found[0].SyncBody)
            marks.append(time.perf_counter())
            for name, before, after in zip(names, marks, marks[1:]):  # noqa: B905
                times[name].append(after - before)
            times["all"].append(marks[-1] - marks[0])
    client.close()
    rows = []
    for name, taken in times.items():
        full = "request_200kb.added" + ("" if name == "all" else f".{name}")
        value = round(statistics.median(taken) * 1e6, 1)
        rows.append({"name": full, "unit": "us", "value": value, "baseline": None, "ratio": None})
    return rows


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    options.add_argument("--quick", action="store_true", help="a tenth of the calls")
    options.add_argument("--only", default="", help="rows whose name contains this")
    given = options.parse_args()
    pairs = 150 if given.quick else 1500
    with start() as provider:
        for store in ("memory", "file"):
            for kind in ("sync", "async", "stream"):
                name = f"openai_python.{kind}.{store}"
                if given.only not in name:
                    continue
                if kind == "async":
                    row = asyncio.run(measure_async(name, provider, store, _aask, pairs))
                else:
                    call = _ask if kind == "sync" else _stream
                    count = pairs if kind == "sync" else pairs // 3
                    row = measure_sync(name, provider, store, call, count)
                print(json.dumps(row), flush=True)
        if given.only in "request_200kb.added":
            for row in measure_200kb(provider, 60 if given.quick else 400):
                print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()
