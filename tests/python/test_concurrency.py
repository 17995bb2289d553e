"""N calls with money for k: exactly k leave, whoever makes them, and the money is exact."""

from __future__ import annotations

import asyncio
import fcntl
import functools
import multiprocessing
import threading
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from typing import Any

import openai
import pytest

import farthing

from .conftest import CHEAP, Shop
from .money import billed, booked, counted

N = 24
K = 7


def _priced(shop: Shop) -> Decimal:
    """What one of these calls can cost at most."""
    with shop.guard(store="memory:") as guard:
        ceiling = guard.estimate("chat.completions", host=shop.host, **CHEAP).hold_usd
    assert ceiling is not None
    return ceiling


def _outcome(call: Any) -> str:
    try:
        call()
    except farthing.CapExceeded:
        return "refused"
    return "sent"


@pytest.mark.parametrize("kind", ["memory", "file"])
def test_threads(shop: Shop, file_shop: Shop, kind: str) -> None:
    """No answer comes before all were decided, so every hold stands at its ceiling: exactly k leave."""
    place = shop if kind == "memory" else file_shop
    guard = place.guard(farthing.Cap(f"{_priced(shop) * K} USD", per="day", id="k"))
    client = guard.wrap(place.client())
    place.provider.default(hold="gate")
    refused = threading.Semaphore(0)

    def one() -> str:
        outcome = _outcome(lambda: client.chat.completions.create(**CHEAP))
        if outcome == "refused":
            refused.release()
        return outcome

    with ThreadPoolExecutor(N) as pool:
        calls = [pool.submit(one) for _ in range(N)]
        place.provider.wait(holding="gate", count=K)
        for _ in range(N - K):
            assert refused.acquire(timeout=30)
        place.provider.release("gate", stay_open=True)
        outcomes = [call.result(30) for call in calls]
    assert outcomes.count("sent") == K == place.requests()
    assert counted(guard, "k") == (billed(place.provider), 0)
    assert booked(guard) == billed(place.provider)


@pytest.mark.parametrize("kind", ["memory", "file"])
async def test_gather(shop: Shop, file_shop: Shop, kind: str) -> None:
    place = shop if kind == "memory" else file_shop
    guard = place.guard(farthing.Cap(f"{_priced(shop) * K} USD", per="day", id="k"))
    async with guard.wrap(place.aclient()) as client:
        place.provider.default(hold="gate")
        refused = asyncio.Semaphore(0)

        async def one() -> str:
            try:
                await client.chat.completions.create(**CHEAP)
            except farthing.CapExceeded:
                refused.release()
                return "refused"
            return "sent"

        calls = [asyncio.create_task(one()) for _ in range(N)]
        for _ in range(N - K):
            await asyncio.wait_for(refused.acquire(), 30)
        await asyncio.to_thread(place.provider.wait, holding="gate", count=K)
        place.provider.release("gate", stay_open=True)
        outcomes = await asyncio.gather(*calls)
    assert outcomes.count("sent") == K == place.requests()
    assert counted(guard, "k") == (billed(place.provider), 0)


def _in_a_process(url: str, host: str, store: str, cap: str) -> str:
    """One call, by a guard and a client of its own."""
    caps = [farthing.Cap(cap, per="day", id="k")]
    hosts = {host: {"provider": "openai"}}
    with (
        farthing.Guard(caps=caps, store=store, hosts=hosts, held_wait="0s", name="k") as guard,
        guard.wrap(openai.OpenAI(base_url=url, api_key="sk-test-0001", max_retries=0)) as client,
    ):
        return _outcome(lambda: client.chat.completions.create(**CHEAP))


def test_processes(file_shop: Shop) -> None:
    """Each with a guard of its own on one file."""
    cap = f"{_priced(file_shop) * K} USD"
    file_shop.provider.default(hold="gate")
    with multiprocessing.get_context("fork").Pool(N) as pool:
        place = (file_shop.provider.url, file_shop.host, file_shop.store)
        outcomes = pool.imap_unordered(functools.partial(_in_a_process, *place), [cap] * N)
        assert [next(outcomes) for _ in range(N - K)] == ["refused"] * (N - K)
        file_shop.provider.wait(holding="gate", count=K)
        file_shop.provider.release("gate", stay_open=True)
        assert list(outcomes) == ["sent"] * K
        pool.close()
        pool.join()
    assert file_shop.requests() == K
    with file_shop.guard(farthing.Cap(cap, per="day", id="k"), name="k") as guard:
        assert counted(guard, "k") == (billed(file_shop.provider), 0)
        assert booked(guard) == billed(file_shop.provider)
        assert len({row.process for row in guard.ledger()}) == K


def test_waiting_lets_all_pass_that_can(shop: Shop) -> None:
    """R21: a refusal that settlements would mend waits for them; none of these has to be refused."""
    guard = shop.guard(farthing.Cap(f"{_priced(shop) * 2} USD", per="day"), held_wait="30s")
    client = guard.wrap(shop.client())
    with ThreadPoolExecutor(3) as pool:
        calls = [
            pool.submit(_outcome, lambda: client.chat.completions.create(**CHEAP)) for _ in range(3)
        ]
        assert [call.result(30) for call in calls] == ["sent"] * 3


async def test_waiting_in_an_event_loop(shop: Shop) -> None:
    """Two calls with money for one: the second waits without blocking the loop, and goes when the first settles."""
    guard = shop.guard(farthing.Cap(f"{_priced(shop)} USD", per="day"), held_wait="30s")
    # What is left after the first covers the second: it costs a small part of its ceiling.
    small = {**CHEAP, "max_tokens": 16}
    async with guard.wrap(shop.aclient()) as client:
        shop.provider.script({"hold": "first", "output_tokens": 1})
        first = asyncio.create_task(client.chat.completions.create(**CHEAP))
        await asyncio.to_thread(shop.provider.wait, holding="first")
        second = asyncio.create_task(client.chat.completions.create(**small))
        done, _ = await asyncio.wait([second], timeout=0.05)
        assert not done and shop.requests() == 1, "it waits, and the loop runs"
        shop.provider.release("first")
        await asyncio.wait_for(asyncio.gather(first, second), 30)
    assert shop.requests() == 2


async def test_a_cancelled_waiter_leaves_the_line(shop: Shop) -> None:
    guard = shop.guard(farthing.Cap(f"{_priced(shop)} USD", per="day", id="one"), held_wait="30s")
    small = {**CHEAP, "max_tokens": 16}
    async with guard.wrap(shop.aclient()) as client:
        shop.provider.script({"hold": "first", "output_tokens": 1})
        first = asyncio.create_task(client.chat.completions.create(**CHEAP))
        await asyncio.to_thread(shop.provider.wait, holding="first")
        second = asyncio.create_task(client.chat.completions.create(**small))
        await asyncio.wait([second], timeout=0.05)
        second.cancel()
        with pytest.raises(asyncio.CancelledError):
            await second
        shop.provider.release("first")
        await asyncio.wait_for(first, 30)
        await client.chat.completions.create(**small)
    assert shop.requests() == 2
    assert counted(guard, "one") == (billed(shop.provider), 0)


def test_refused_after_waiting_in_vain(shop: Shop) -> None:
    guard = shop.guard(farthing.Cap(f"{_priced(shop)} USD", per="day"), held_wait="20ms")
    client = guard.wrap(shop.client())
    shop.provider.script({"hold": "first"})
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(client.chat.completions.create, **CHEAP)
        shop.provider.wait(holding="first")
        with pytest.raises(farthing.CapExceeded) as caught:
            client.chat.completions.create(**CHEAP)
        assert caught.value.held is True
        shop.provider.release("first")
        first.result(30)


async def test_an_event_loop_never_waits_in_the_gate(file_shop: Shop) -> None:
    """R42: while another process has the file, the loop runs on; here it is the loop itself that lets go of it."""
    guard = file_shop.guard(farthing.Cap("5 USD", per="day", id="day"))
    client = guard.wrap(file_shop.aclient())
    await client.chat.completions.create(**CHEAP)
    gate = Path(file_shop.store.removeprefix("file:") + "-gate").open("r+b")
    fcntl.flock(gate, fcntl.LOCK_EX)
    waiting = asyncio.create_task(client.chat.completions.create(**CHEAP))
    for _ in range(20):
        await asyncio.sleep(0.001)
        assert file_shop.requests() == 1
    fcntl.flock(gate, fcntl.LOCK_UN)
    await waiting

    stream = await client.chat.completions.create(**CHEAP, stream=True)
    fcntl.flock(gate, fcntl.LOCK_EX)
    await stream.close()  # settled later, by the guard's own thread
    fcntl.flock(gate, fcntl.LOCK_UN)
    gate.close()
    await asyncio.to_thread(guard.flush)
    assert [row.how for row in guard.ledger()][1:] == ["usage", "usage"]
    assert guard.status().open_holds == 0
    assert booked(guard) == counted(guard, "day")[0]
    await client.close()
