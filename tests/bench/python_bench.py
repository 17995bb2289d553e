"""What a guard adds to a call of the newest OpenAI client on loopback.

    .venv/bin/python -m tests.bench.python_bench [--quick] [--only NAME]

Prints a JSON row a line: {"name", "unit", "value", "baseline", "ratio"}; `rows()` gives them as a list. The value is
the median of guarded calls, the baseline the median of bare ones, taken in one process in random order (separate
processes scatter by 4 to 10 %). Goals: ratio <= 1.02 with a store in memory, <= 1.05 with a file;
`request_200kb.added` <= 300 us. `ratio_p10` compares the calls that a busy machine disturbed least. What is measured
is the module that `import farthing` finds: every preset but those of sanitizers optimises it. docs/performance.md.
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
TWO_KB: dict[str, Any] = {
    "model": MODEL,
    "max_tokens": 256,
    "messages": [
        {"role": "system", "content": "You are a helpful assistant. " * 10},
        {"role": "user", "content": "The quick brown fox jumps over the lazy dog. " * 36},
    ],
}
STREAM: dict[str, Any] = {
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
    quick_value, quick_baseline = (
        statistics.quantiles(times, n=10)[0] for times in (guarded, bare)
    )
    return {
        "name": name,
        "unit": "us",
        "value": round(value, 1),
        "baseline": round(baseline, 1),
        "ratio": round(value / baseline, 4),
        "baseline_is": "the same call without a guard",
        "ratio_p10": round(quick_value / quick_baseline, 4),
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


def _answer(provider: FakeProvider) -> Any:
    with openai.OpenAI(base_url=provider.url, api_key="sk-bench-0001") as client:
        return client.chat.completions.with_raw_response.create(**TWO_KB).http_response


def _instant(answer: Any) -> Any:
    """A client whose transport answers at once, with what the provider said."""
    stack = sys.modules[type(answer).__module__.partition(".")[0]]
    headers = [(name, value) for name, value in answer.headers.raw if name != b"content-length"]

    class Instant(stack.BaseTransport):  # type: ignore[misc, name-defined]
        def handle_request(self, request: Any) -> Any:
            return stack.Response(200, headers=headers, content=answer.content)

    return stack.Client(transport=Instant())


def measure_200kb(provider: FakeProvider, rounds: int) -> dict[str, Any]:
    """A history of 200 KB, resent with one new message each time: what the hook adds to sending it.

    The steps are differences between bodies: `scan` is what a long one takes more than a short one, `rewrite` what one
    without a limit takes more than one with it; the rest of a short one's begin is `plan_size_reserve`. What they leave
    of the whole is Python's.
    """
    from farthing._ambient import CALL, root
    from farthing._farthing import CallSlot, start
    from farthing._hooks.binding import KEY

    history = [
        {
            "role": ("user", "assistant")[i % 2],
            "content": f"turn {i}: " + "some words of history " * 45,
        }
        for i in range(200)
    ]
    answer = _answer(provider)
    answer_headers = list(answer.headers.raw)
    bare, guarded = _instant(answer), _instant(answer)
    url = f"{provider.url}/chat/completions"
    headers = {"authorization": "Bearer sk-bench-0001", "content-type": "application/json"}
    random_order = random.Random(SEED)
    taken: dict[str, list[float]] = {}

    def timed(name: str, work: Callable[..., Any], *given: Any) -> Any:
        began = time.perf_counter()
        result = work(*given)
        taken.setdefault(name, []).append(time.perf_counter() - began)
        return result

    with _guard(provider, "memory") as guard:
        guard.wrap(guarded, project="bench")
        binding = guarded.__dict__[KEY].binding

        def begin(body: bytes) -> Any:
            return start(
                binding,
                root(),
                CallSlot(),
                "POST",
                "http",
                "127.0.0.1",
                provider.port,
                "/v1/chat/completions",
                None,
                [(name.encode(), value.encode()) for name, value in headers.items()],
                body,
                False,
            )

        def send(client: Any, request: Any) -> None:
            CALL.set(CallSlot())
            client.send(request)
            CALL.set(None)

        def steps(turn: list[Any], body: bytes) -> None:
            limited = {"model": MODEL, "max_tokens": 256}
            short = json.dumps({**limited, "messages": turn[-1:]}).encode()
            long = json.dumps({**limited, "messages": turn}).encode()
            order = [("short", short), ("long", long), ("unlimited", body)]
            random_order.shuffle(order)
            for name, text in order:
                attempt = timed(name, begin, text)
                timed(f"{name}.sent", attempt.sent)
                timed("settle", attempt.whole, 200, answer_headers, answer.content)

        gc.collect()
        gc.freeze()
        for i in range(rounds):
            turn = [*history[i % 7 :], {"role": "user", "content": f"and now number {i}?"}]
            body = json.dumps({"model": MODEL, "messages": turn}).encode()
            request = bare.build_request("POST", url, content=body, headers=headers)
            order = [("guarded", guarded), ("bare", bare)]
            random_order.shuffle(order)
            for name, client in order:
                timed(name, send, client, request)
            steps(turn, body)
        gc.unfreeze()
    us = {name: statistics.median(times) * 1e6 for name, times in taken.items()}
    added = us["guarded"] - us["bare"]
    parts = {
        "scan": us["long"] - us["short"],
        "plan_size_reserve": us["short"],
        "rewrite": us["unlimited"] - us["long"] + us["unlimited.sent"],
        "settle": us["settle"],
    }
    parts["python"] = added - sum(parts.values())
    return {
        "name": "request_200kb.added",
        "unit": "us",
        "value": round(added, 1),
        "baseline": round(us["bare"], 1),
        "ratio": round(added / us["bare"], 4),
        "baseline_is": "the same send without a guard, to a transport that answers at once",
        "steps": {name: round(value, 1) for name, value in parts.items()},
    }


def rows(quick: bool = False, only: str = "") -> list[dict[str, Any]]:
    """The rows whose names contain `only`. All of them take two minutes; `quick` makes a tenth of the calls."""
    return list(measured(quick, only))


def measured(quick: bool, only: str) -> Iterator[dict[str, Any]]:
    pairs = 150 if quick else 2000
    with start() as provider:
        for store in ("memory", "file"):
            for kind in ("sync", "async", "stream"):
                name = f"openai_python.{kind}.{store}"
                if only not in name:
                    continue
                if kind == "async":
                    yield asyncio.run(measure_async(name, provider, store, _aask, pairs))
                else:
                    call = _ask if kind == "sync" else _stream
                    count = pairs if kind == "sync" else pairs // 4
                    yield measure_sync(name, provider, store, call, count)
        if only in "request_200kb.added":
            yield measure_200kb(provider, 60 if quick else 600)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    options.add_argument("--quick", action="store_true", help="a tenth of the calls")
    options.add_argument("--only", default="", help="rows whose name contains this")
    given = options.parse_args()
    for row in measured(given.quick, given.only):
        print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()
