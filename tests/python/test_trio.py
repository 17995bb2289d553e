"""httpx runs on trio as well as on asyncio, and so do guarded clients."""

from __future__ import annotations

import fcntl
from collections.abc import Awaitable, Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import openai
import pytest

import farthing
from farthing._hooks.waiting import wait

from .conftest import CHEAP, Shop
from .money import billed, booked, counted

trio = pytest.importorskip("trio")
testing = pytest.importorskip("trio.testing")
DAY = farthing.Cap("5 USD", per="day", id="day")

# trio warns of generators that nobody closes: without a guard too, as the SDK stops at [DONE].
UNCLOSED = "ignore:Async generator:ResourceWarning"

STREAM = {**CHEAP, "stream": True}
SMALL = {**CHEAP, "max_tokens": 16}


def _run(main: Callable[[], Awaitable[None]]) -> None:
    async def in_time() -> None:
        with trio.fail_after(30):
            await main()

    trio.run(in_time)


async def _wait(shop: Shop, **state: Any) -> None:
    await trio.to_thread.run_sync(lambda: shop.provider.wait(**state))


def _ceiling(shop: Shop) -> Decimal:
    with shop.guard(store="memory:") as pricing:
        ceiling = pricing.estimate("chat.completions", host=shop.host, **CHEAP).hold_usd
    assert ceiling is not None
    return ceiling


@pytest.mark.filterwarnings(UNCLOSED)
def test_calls_and_streams(shop: Shop) -> None:
    guard = shop.guard(DAY)

    async def main() -> None:
        async with guard.wrap(shop.aclient()) as client:
            reply = await client.chat.completions.create(**CHEAP)
            receipt = farthing.receipt(reply)
            assert receipt is not None and receipt.cost_usd == billed(shop.provider)
            shop.provider.script({"encoding": "gzip"})
            chunks = [chunk async for chunk in await client.chat.completions.create(**STREAM)]
            assert chunks and not any(chunk.usage for chunk in chunks)
            async with client.chat.completions.with_streaming_response.create(**CHEAP) as answer:
                assert b'"usage"' in await answer.read()

    _run(main)
    assert [row.how for row in guard.ledger()] == ["usage"] * 3
    assert counted(guard, "day") == (billed(shop.provider), 0)
    assert booked(guard) == billed(shop.provider) > 0


def test_refused(shop: Shop, decisions: list[object]) -> None:
    guard = shop.guard(farthing.Cap("0 USD", per="day"))

    async def main() -> None:
        async with guard.wrap(shop.aclient(max_retries=2)) as client:
            for ask in (CHEAP, STREAM):
                with pytest.raises(farthing.CapExceeded) as caught:
                    await client.chat.completions.create(**ask)
                assert isinstance(caught.value, openai.APIStatusError)

    _run(main)
    assert (shop.requests(), len(decisions)) == (0, 2)


def test_a_nursery_sends_what_can_be_paid(shop: Shop) -> None:
    """Twelve calls with money for five."""
    guard = shop.guard(farthing.Cap(f"{_ceiling(shop) * 5} USD", per="day", id="day"))
    shop.provider.default(hold="gate")
    outcomes: list[str] = []

    async def main() -> None:
        sender, refusals = trio.open_memory_channel(12)
        async with guard.wrap(shop.aclient()) as client:

            async def one() -> None:
                try:
                    await client.chat.completions.create(**CHEAP)
                except farthing.CapExceeded:
                    outcomes.append("refused")
                    await sender.send(None)
                else:
                    outcomes.append("sent")

            async with trio.open_nursery() as nursery:
                for _ in range(12):
                    nursery.start_soon(one)
                for _ in range(7):
                    await refusals.receive()
                await _wait(shop, holding="gate", count=5)
                shop.provider.release("gate", stay_open=True)

    _run(main)
    assert (outcomes.count("sent"), outcomes.count("refused")) == (5, 7)
    assert shop.requests() == 5
    assert counted(guard, "day") == (billed(shop.provider), 0)


def test_a_refusal_comes_out_of_a_nursery_in_its_group(shop: Shop) -> None:
    """And the call beside it, which the nursery cancels after it was sent, is charged its hold."""
    guard = shop.guard(farthing.Cap(f"{_ceiling(shop)} USD", per="day", id="day"))
    shop.provider.default(hold="gate")

    async def main() -> None:
        async with guard.wrap(shop.aclient()) as client:

            async def one() -> None:
                await client.chat.completions.create(**CHEAP)

            async with trio.open_nursery() as nursery:
                nursery.start_soon(one)
                await _wait(shop, holding="gate")
                nursery.start_soon(one)

    with pytest.raises(Exception) as caught:
        _run(main)
    assert type(caught.value).__name__ == "ExceptionGroup"
    found = farthing.find_cap_exceeded(caught.value)
    assert isinstance(found, farthing.CapExceeded) and found.cap == "day"
    (row,) = guard.ledger()
    assert (row.how, booked(guard)) == ("hold", row.ceiling_usd)
    assert counted(guard, "day") == (row.ceiling_usd, 0)
    shop.provider.release("gate")


def _while_the_first_is_held(
    shop: Shop, guard: farthing.Guard, then: Callable[[Any, Any], Awaitable[None]]
) -> None:
    """`then(client, nursery)` while one call has all the money, and nothing else is under way."""

    async def main() -> None:
        async with guard.wrap(shop.aclient()) as client, trio.open_nursery() as nursery:
            shop.provider.script({"hold": "first", "output_tokens": 1})

            async def first() -> None:
                await client.chat.completions.create(**CHEAP)

            nursery.start_soon(first)
            await _wait(shop, holding="first")
            await then(client, nursery)

    _run(main)


def test_what_others_hold_is_waited_for(shop: Shop) -> None:
    """R21: there is money for one; the second waits while the loop runs, and goes when the first has settled."""
    guard = shop.guard(
        farthing.Cap(f"{_ceiling(shop)} USD", per="day", id="day"), held_wait="3600s"
    )

    async def then(client: Any, nursery: Any) -> None:
        answered = trio.Event()

        async def second() -> None:
            await client.chat.completions.create(**SMALL)
            answered.set()

        nursery.start_soon(second)
        await testing.wait_all_tasks_blocked()
        assert not answered.is_set() and shop.requests() == 1
        shop.provider.release("first")
        await answered.wait()

    _while_the_first_is_held(shop, guard, then)
    assert [row.how for row in guard.ledger()] == ["usage", "usage"]
    assert counted(guard, "day") == (billed(shop.provider), 0)


def test_a_guard_closes_also_where_its_task_is_cancelled(shop: Shop) -> None:
    guard = shop.guard(DAY)

    async def main() -> None:
        with trio.CancelScope() as scope:
            async with guard:
                guard.install()
                scope.cancel()
                await trio.sleep_forever()
        assert scope.cancelled_caught

    _run(main)
    assert guard.closed


def test_in_no_loop_at_all_asyncio_says_so(shop: Shop) -> None:
    step = shop.guard(DAY).aio.status()
    with pytest.raises(RuntimeError, match="no running event loop"):
        step.send(None)


def test_a_waiter_sleeps_until_it_is_woken() -> None:
    """From any thread, and also when its loop has ended."""

    class Waiting:
        wait_ms = 3_600_000
        wake: Callable[[], None]

        def on_wake(self, wake: Callable[[], None]) -> None:
            self.wake = wake

    attempt: Any = Waiting()

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(wait, attempt)
            await testing.wait_all_tasks_blocked(0.1)  # it does not look again and again
            await trio.to_thread.run_sync(attempt.wake)

    _run(main)
    attempt.wake()


def test_a_cancelled_waiter_leaves_the_line(shop: Shop) -> None:
    guard = shop.guard(
        farthing.Cap(f"{_ceiling(shop)} USD", per="day", id="day"), held_wait="3600s"
    )

    async def then(client: Any, nursery: Any) -> None:
        with trio.CancelScope() as waiting:

            async def cancel() -> None:
                await testing.wait_all_tasks_blocked()
                waiting.cancel()

            nursery.start_soon(cancel)
            await client.chat.completions.create(**SMALL)
        assert waiting.cancelled_caught
        shop.provider.release("first")

    _while_the_first_is_held(shop, guard, then)
    assert shop.requests() == 1
    assert [row.how for row in guard.ledger()] == ["usage"]
    assert counted(guard, "day") == (billed(shop.provider), 0)


def test_the_wait_ends_in_time(shop: Shop) -> None:
    guard = shop.guard(farthing.Cap(f"{_ceiling(shop)} USD", per="day"), held_wait="20ms")

    async def then(client: Any, nursery: Any) -> None:
        with pytest.raises(farthing.CapExceeded) as caught:
            await client.chat.completions.create(**CHEAP)
        assert caught.value.held is True
        shop.provider.release("first")

    _while_the_first_is_held(shop, guard, then)


@pytest.mark.filterwarnings(UNCLOSED)
@pytest.mark.parametrize(
    ("where", "ask", "how"),
    [("head", CHEAP, {"hold"}), ("3", STREAM, {"counted", "hold"})],
    ids=["before the answer", "in a stream"],
)
def test_cancelled(shop: Shop, where: str, ask: dict[str, Any], how: set[str]) -> None:
    guard = shop.guard(DAY)
    shop.provider.script({"hold": {where: "there"}, "deltas": 12})

    async def main() -> None:
        async with guard.wrap(shop.aclient()) as client, trio.open_nursery() as nursery:
            with trio.CancelScope() as scope:

                async def cancel() -> None:
                    await _wait(shop, holding="there")
                    scope.cancel()

                nursery.start_soon(cancel)
                reply = await client.chat.completions.create(**ask)
                async for _ in reply:
                    pass
            assert scope.cancelled_caught

    _run(main)
    (row,) = guard.ledger()
    assert row.how in how and row.ceiling_usd is not None
    assert 0 < booked(guard) <= row.ceiling_usd
    assert counted(guard, "day") == (booked(guard), 0)
    shop.provider.release("there")


@pytest.mark.filterwarnings(UNCLOSED)
def test_left_early(shop: Shop) -> None:
    guard = shop.guard(DAY)
    shop.provider.script({"hold": {"3": "there"}, "deltas": 12})

    async def main() -> None:
        async with guard.wrap(shop.aclient()) as client:
            async with await client.chat.completions.create(**STREAM) as stream:
                await stream.__anext__()

    _run(main)
    (row,) = guard.ledger()
    assert row.how in ("counted", "hold") and booked(guard) > 0
    assert counted(guard, "day") == (booked(guard), 0)
    shop.provider.release("there")


def test_scopes_of_tasks_do_not_mix_and_threads_inherit_them(shop: Shop) -> None:
    guard = shop.guard(DAY)
    sync = guard.wrap(shop.client())

    async def main() -> None:
        async with guard.wrap(shop.aclient()) as client, trio.open_nursery() as nursery:

            async def one(user: str) -> None:
                async with guard.scope(user=user):
                    await client.chat.completions.create(**CHEAP)
                    await trio.to_thread.run_sync(lambda: sync.chat.completions.create(**CHEAP))

            for user in "abcd":
                nursery.start_soon(one, user)

    _run(main)
    assert sorted(row.labels["user"] for row in guard.ledger()) == list("aabbccdd")


def test_the_loop_never_waits_in_the_gate(file_shop: Shop) -> None:
    """R42: it is the loop itself that lets go of the file."""
    guard = file_shop.guard(DAY)

    async def main() -> None:
        async with guard.wrap(file_shop.aclient()) as client:
            await client.chat.completions.create(**CHEAP)
            with Path(file_shop.store.removeprefix("file:") + "-gate").open("r+b") as gate:
                fcntl.flock(gate, fcntl.LOCK_EX)
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(lambda: client.chat.completions.create(**CHEAP))
                    await testing.wait_all_tasks_blocked()
                    assert file_shop.requests() == 1
                    fcntl.flock(gate, fcntl.LOCK_UN)

    _run(main)
    guard.flush()
    assert file_shop.requests() == 2
    assert booked(guard) == counted(guard, "day")[0] == billed(file_shop.provider)


def test_the_verbs_of_a_guard(shop: Shop) -> None:
    async def main() -> None:
        async with await farthing.Guard.aopen(caps=[DAY], store="memory:") as guard:
            await guard.aio.set_limit("day", "1 USD")
            status = await guard.aio.status()
            assert [counter.cap.limit for counter in status.counters] == [1]

    _run(main)


@pytest.mark.parametrize("name", ["httpx", "httpx2"])
def test_raw_clients_wait_their_turn(shop: Shop, name: str) -> None:
    stack = pytest.importorskip(name)
    guard = shop.guard(farthing.Cap("1 concurrent"), DAY, held_wait="3600s")
    statuses: list[int] = []

    async def main() -> None:
        headers = {"authorization": "Bearer sk-test-0001"}
        async with guard.wrap(stack.AsyncClient(headers=headers)) as http:

            async def one() -> None:
                answer = await http.post(f"{shop.provider.url}/chat/completions", json=CHEAP)
                statuses.append(answer.status_code)

            async with trio.open_nursery() as nursery:
                for _ in range(3):
                    nursery.start_soon(one)

    _run(main)
    assert statuses == [200] * 3
    assert shop.provider.stats()["most_in_flight"] == 1
    assert counted(guard, "day") == (billed(shop.provider), 0)
