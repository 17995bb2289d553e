"""Who a call is for: scopes, tasks, actions, and how they travel (R27, R28)."""

from __future__ import annotations

import asyncio
import base64
import contextvars
import json
import os
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import pytest

import farthing
from farthing import _ambient

from .conftest import CHEAP, Shop
from .money import billed


def _labels() -> dict[str, str]:
    return _ambient.scope().labels


def test_scopes_nest_and_end(shop: Shop) -> None:
    guard = shop.guard()
    with guard.scope(user="u1", team="a"):
        with guard.scope(user="u2"):
            assert _labels() == {"user": "u2", "team": "a"}
        assert _labels() == {"user": "u1", "team": "a"}
    assert _labels() == {}


def test_labels_reach_the_ledger_and_the_bound_ones_win(shop: Shop) -> None:
    guard = shop.guard(labels={"org": "acme", "user": "nobody"})
    client = guard.wrap(shop.client(), project="bound")
    with guard.scope(user="u1", project="ambient", number=7):
        client.chat.completions.create(**CHEAP)
    (row,) = guard.ledger(labels={"user": "u1"})
    assert {k: row.labels[k] for k in ("org", "user", "project", "number")} == {
        "org": "acme",
        "user": "u1",
        "project": "bound",
        "number": "7",
    }


def test_a_task_without_a_limit_is_counted_and_nothing_is_said_to_remain(shop: Shop) -> None:
    guard = shop.guard(farthing.Cap("5 USD", per="day"))
    client = guard.wrap(shop.client())
    with guard.task("free"):
        reply = client.chat.completions.create(**CHEAP)
    receipt = farthing.receipt(reply)
    assert receipt is not None
    (counter,) = [counter.cap for counter in guard.status().counters if counter.cap.run]
    assert (counter.limit, counter.remaining, counter.spent) == (None, None, receipt.cost_usd)


def test_a_task_has_its_own_money(shop: Shop) -> None:
    guard = shop.guard(farthing.Cap("5 USD", per="day"))
    client = guard.wrap(shop.client())
    with guard.task("triage", limit="0.50 USD") as task:
        assert (task.spent, task.remaining) == (0, Decimal("0.50"))
        client.chat.completions.create(**CHEAP)
    assert task.spent == billed(shop.provider) > 0
    assert task.remaining == Decimal("0.50") - task.spent
    assert task.reserved == 0 and task.limit == Decimal("0.50")
    (row,) = guard.ledger(run=task.run_id)
    assert row.runs == ((task.run_id, "triage"),)
    assert row.labels["task"] == "triage"


def test_a_task_refuses_at_its_limit_and_says_so(shop: Shop) -> None:
    guard = shop.guard()
    client = guard.wrap(shop.client())
    with guard.task("triage", limit="0.000001 USD"):
        with pytest.raises(farthing.CapExceeded) as caught:
            client.chat.completions.create(**CHEAP)
    assert caught.value.level == "task"
    assert "triage" in str(caught.value)
    client.chat.completions.create(**CHEAP)


def test_a_call_is_held_on_all_tasks_around_it(shop: Shop) -> None:
    guard = shop.guard()
    client = guard.wrap(shop.client())
    with guard.task("outer") as outer:
        with guard.task("inner", limit="1 USD") as inner:
            client.chat.completions.create(**CHEAP)
        client.chat.completions.create(**CHEAP)
    assert outer.spent == billed(shop.provider) > inner.spent > 0
    assert outer.remaining is None


def test_eight_deep_and_no_more(shop: Shop) -> None:
    guard = shop.guard()
    entered = [guard.task(f"t{i}").__enter__() for i in range(8)]
    with pytest.raises(farthing.ArgumentError, match="8"):
        guard.task("one more").__enter__()
    for task in reversed(entered):
        task.__exit__()
    assert _labels() == {}


@pytest.mark.parametrize("limit", ["5", "5 EUR", "-1 USD", "1e3 USD"])
def test_a_limit_is_an_amount(shop: Shop, limit: str) -> None:
    with pytest.raises(farthing.ArgumentError):
        shop.guard().task("x", limit=limit)


def test_decorated_functions_are_a_run_each(shop: Shop) -> None:
    guard = shop.guard()
    seen: list[str] = []

    @guard.task("job", limit="0.50 USD")
    def job(x: int) -> int:
        """Docs."""
        seen.append(_ambient.scope().runs[-1][0])
        return x + 1

    assert (job(1), job(2), job.__doc__, job.__name__) == (2, 3, "Docs.", "job")
    assert len(set(seen)) == 2
    assert _labels() == {}


async def test_decorated_coroutines(shop: Shop) -> None:
    guard = shop.guard()

    @guard.task("job")
    async def job() -> str:
        await asyncio.sleep(0)
        return _ambient.scope().runs[-1][0]

    runs = await asyncio.gather(*(job() for _ in range(5)))
    assert len(set(runs)) == 5
    assert _labels() == {}


def test_decorated_generators_are_inside_only_while_they_run(shop: Shop) -> None:
    guard = shop.guard()
    cleaned: list[dict[str, str]] = []

    @guard.task("gen")
    def gen() -> Iterator[Any]:
        try:
            with guard.scope(user="body"):
                got = yield _labels()
                yield (got, _labels())
        finally:
            cleaned.append(_labels())

    with guard.scope(user="caller"):
        body = gen()
        assert next(body) == {"task": "gen", "user": "body"}
        assert _labels() == {"user": "caller"}
    with guard.scope(user="other"):
        assert body.send("sent") == ("sent", {"task": "gen", "user": "body"})
        assert _labels() == {"user": "other"}
        body.close()
        assert _labels() == {"user": "other"}
    assert cleaned == [{"task": "gen", "user": "caller"}]
    assert _labels() == {}


def test_decorated_generators_pass_exceptions_and_return_values(shop: Shop) -> None:
    guard = shop.guard()

    @guard.scope(user="g")
    def gen() -> Iterator[str]:
        try:
            yield "one"
        except KeyError:
            yield "caught"
        return "done"

    def outer() -> Iterator[str]:
        result = yield from gen()  # type: ignore[misc]
        yield result

    body = outer()
    assert next(body) == "one"
    assert body.throw(KeyError()) == "caught"  # type: ignore[attr-defined]
    assert next(body) == "done"


async def test_decorated_async_generators(shop: Shop) -> None:
    guard = shop.guard()
    cleaned: list[dict[str, str]] = []

    @guard.task("agen")
    async def agen() -> AsyncIterator[Any]:
        try:
            yield _labels()
            await asyncio.sleep(0)
            yield _labels()
        finally:
            cleaned.append(_labels())

    async for labels in agen():
        assert labels == {"task": "agen"}
        assert _labels() == {}
    early = agen()
    assert await early.__anext__() == {"task": "agen"}
    await early.aclose()  # type: ignore[attr-defined]
    assert cleaned == [{"task": "agen"}] * 2
    assert _labels() == {}


async def test_async_with(shop: Shop) -> None:
    guard = shop.guard()
    async with guard.scope(user="a"), guard.task("t") as task, guard.action() as action:
        assert _labels() == {"user": "a", "task": "t"}
        assert task.run_id and action.id
    assert _labels() == {}


async def test_tasks_of_asyncio_do_not_mix(shop: Shop) -> None:
    guard = shop.guard()
    async with guard.wrap(shop.aclient()) as client:

        async def one(user: str) -> None:
            async with guard.scope(user=user):
                await client.chat.completions.create(**CHEAP)

        await asyncio.gather(*(one(f"u{i}") for i in range(10)))
    assert sorted(row.labels["user"] for row in guard.ledger()) == [f"u{i}" for i in range(10)]


async def test_to_thread_inherits_and_plain_threads_join(shop: Shop) -> None:
    guard = shop.guard()
    with guard.scope(user="u1") as scope, guard.task("t") as task:
        assert await asyncio.to_thread(_labels) == {"user": "u1", "task": "t"}
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(_labels).result() == {}, "executors lose context variables"
            loop = asyncio.get_running_loop()
            assert await loop.run_in_executor(pool, _labels) == {}
            carried = contextvars.copy_context().run
            assert pool.submit(carried, _labels).result() == {"user": "u1", "task": "t"}
            token = guard.token()

            def joined() -> tuple[dict[str, str], Any]:
                with guard.join(token):
                    return _labels(), _ambient.scope().runs

            assert pool.submit(joined).result() == (
                {"user": "u1", "task": "t"},
                [(task.run_id, "t")],
            )
        assert scope.token != task.token


def test_what_is_joined_inside_a_task_is_held_on_both(shop: Shop) -> None:
    """R28: a token does not lead out of the task that it is joined in."""
    guard = shop.guard()
    client = guard.wrap(shop.client())
    with guard.scope(user="far"), guard.task("far", limit="5 USD") as far:
        token = guard.token()
    with guard.scope(team="near"), guard.task("near", limit="0.00001 USD") as near:
        with guard.join(token):
            assert _labels() == {"team": "near", "user": "far", "task": "far"}
            with guard.join(token):  # again: still one run of each
                assert [run for run, _ in _ambient.scope().runs] == [near.run_id, far.run_id]
            with pytest.raises(farthing.CapExceeded) as refused:
                client.chat.completions.create(**CHEAP)
    assert refused.value.counter == {"task": "near"}


def test_a_token_reaches_a_child_process(shop: Shop) -> None:
    guard = shop.guard()
    with guard.scope(user="u1"), guard.task("t", limit="1 USD") as task:
        environment = {**os.environ, "FARTHING_SCOPE": guard.token()}
    program = "from farthing import _ambient; s = _ambient.scope(); print(s.labels, s.runs)"
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    )
    expected = ({"task": "t", "user": "u1"}, [(task.run_id, "t")])
    assert done.stdout.strip() == f"{expected[0]} {expected[1]}"


def test_a_bad_token_says_so(shop: Shop) -> None:
    with pytest.raises(farthing.ArgumentError, match="token"):
        shop.guard().join("nonsense")


def test_a_token_that_names_a_run_twice_is_none(shop: Shop) -> None:
    """R28: a call is held once on a run."""
    guard = shop.guard()
    with guard.task("t", limit="1 USD"):
        token = guard.token()
    scope = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    scope["runs"] *= 2
    twice = base64.urlsafe_b64encode(json.dumps(scope).encode()).decode().rstrip("=")
    with pytest.raises(farthing.ArgumentError, match="token"):
        guard.join(twice)


def test_one_object_is_entered_once_at_a_time(shop: Shop) -> None:
    scope = shop.guard().scope(user="u1")
    with scope:
        with pytest.raises(RuntimeError, match="already entered"):
            scope.__enter__()
    with scope:
        assert _labels() == {"user": "u1"}


def test_left_in_another_context(shop: Shop) -> None:
    """A fixture's generator may be finished in another task than it was begun in: no ValueError."""
    import contextvars

    scope = shop.guard().scope(user="u1")
    contextvars.copy_context().run(scope.__enter__)
    scope.__exit__()
    assert _labels() == {}


def test_each_counts_per_user(shop: Shop) -> None:
    guard = shop.guard(farthing.Cap("1 requests", per="day", each=["user"]))
    client = guard.wrap(shop.client())
    outcomes = []
    for user in ("a", "b", "a"):
        with guard.scope(user=user):
            try:
                client.chat.completions.create(**CHEAP)
                outcomes.append(user)
            except farthing.CapExceeded as error:
                outcomes.append(error.counter)
    assert outcomes == ["a", "b", {"user": "a"}]


def test_threads_in_their_own_scopes(shop: Shop) -> None:
    guard = shop.guard()
    client = guard.wrap(shop.client())

    def one(user: str) -> None:
        with guard.scope(user=user):
            client.chat.completions.create(**CHEAP)

    threads = [threading.Thread(target=one, args=(f"u{i}",)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(row.labels["user"] for row in guard.ledger()) == [f"u{i}" for i in range(8)]


@pytest.mark.parametrize("value", [1.5, None, True, b"x", ["a"]])
def test_labels_are_text(shop: Shop, value: Any) -> None:
    with pytest.raises(farthing.ArgumentError, match="user="):
        shop.guard().scope(user=value)
