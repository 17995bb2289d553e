"""Retries, redirects and the call that bounds them (R27)."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import openai
import pytest

import farthing

from .conftest import CHEAP, Shop, sdk_family
from .money import billed, booked, counted


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK waits half a second before a retry; not here."""
    monkeypatch.setattr("openai._base_client.INITIAL_RETRY_DELAY", 0.0)
    monkeypatch.setattr("openai._base_client.MAX_RETRY_DELAY", 0.0)


def test_attempts_of_one_call_share_its_id(shop: Shop) -> None:
    guard = shop.guard(farthing.Cap("5 USD", per="day", id="day"))
    client = guard.wrap(shop.client(max_retries=2))
    shop.provider.script({"status": 500}, {"status": 429})
    client.chat.completions.create(**CHEAP)
    client.chat.completions.create(**CHEAP)
    rows = list(guard.ledger())
    assert [row.how for row in reversed(rows)] == [
        "provider_error",
        "provider_error",
        "usage",
        "usage",
    ]
    assert [row.attempt_number for row in reversed(rows)] == [1, 2, 3, 1]
    assert len({row.call for row in rows}) == 2
    assert len({row.id for row in rows}) == 4
    assert booked(guard) == billed(shop.provider) == counted(guard, "day")[0]


@pytest.mark.parametrize("asynchronous", [False, True])
def test_errors_of_the_provider_cost_nothing_in_a_stream_too(
    shop: Shop, asynchronous: bool
) -> None:
    """SDKs close the answer to a streamed call unread before they try again."""
    guard = shop.guard(farthing.Cap("5 USD", per="day", id="day"))
    shop.provider.script({"status": 429}, {"status": 500}, {})

    async def main() -> None:
        async with shop.aclient(max_retries=2) as client:
            stream = await guard.wrap(client).chat.completions.create(**CHEAP, stream=True)
            async for _ in stream:
                pass

    if asynchronous:
        asyncio.run(main())
    else:
        client = guard.wrap(shop.client(max_retries=2))
        list(client.chat.completions.create(**CHEAP, stream=True))
    rows = list(reversed(list(guard.ledger())))
    assert [row.how for row in rows] == ["provider_error", "provider_error", "usage"]
    assert booked(guard) == billed(shop.provider) == counted(guard, "day")[0]


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
def test_a_streamed_error_is_read_as_without_a_guard(shop: Shop, encoding: str) -> None:
    """It is read ahead of the caller, who may read it in any way."""
    stack = sdk_family()
    url = f"{shop.provider.url}/chat/completions"

    def told(guarded: bool) -> list[object]:
        with stack.Client(headers={"authorization": "Bearer sk-test-0001"}) as http:
            if guarded:
                shop.guard().wrap(http)
            said: list[object] = []
            for read in ("iter_raw", "iter_bytes", "read", "close"):
                shop.provider.script({"status": 429, "encoding": encoding})
                with http.stream("POST", url, json=CHEAP) as response:
                    got = getattr(response, read)()
                    said.append(got if isinstance(got, bytes | None) else b"".join(got))
                    said += [response.status_code, response.headers.get("content-encoding")]
                assert response.is_closed and response.elapsed.total_seconds() > 0
            return said

    assert told(True) == told(False)


def test_cap_crossed_between_two_attempts(shop: Shop) -> None:
    """The first attempt has an unknown outcome and is charged; the retry does not fit any more."""
    with shop.guard() as pricing:
        ceiling = pricing.estimate("chat.completions", host=shop.host, **CHEAP).hold_usd
    assert ceiling is not None
    guard = shop.guard(farthing.Cap(f"{ceiling * Decimal('1.5'):f} USD", per="day", id="day"))
    client = guard.wrap(shop.client(max_retries=5))
    shop.provider.default(status=502, foreign=True)
    with pytest.raises(farthing.CapExceeded):
        client.chat.completions.create(**CHEAP)
    assert shop.requests() == 1
    assert counted(guard, "day") == (ceiling, 0)
    assert [row.how for row in guard.ledger()] == ["hold"]


def test_per_call_bounds_all_attempts(shop: Shop) -> None:
    with shop.guard() as pricing:
        ceiling = pricing.estimate("chat.completions", host=shop.host, **CHEAP).hold_usd
    assert ceiling is not None
    guard = shop.guard(farthing.Cap(f"{ceiling * Decimal('2.5'):f} USD", per="call"))
    client = guard.wrap(shop.client(max_retries=9))
    shop.provider.default(cut="reset_head")
    with pytest.raises(farthing.CapExceeded) as caught:
        client.chat.completions.create(**CHEAP)
    assert caught.value.code == "per_call_cap_exceeded"
    assert shop.requests() == 2
    shop.provider.default()
    client.chat.completions.create(**CHEAP)  # another call has its own


def test_retries_above_the_sdk_are_other_calls_unless_in_an_action(shop: Shop) -> None:
    guard = shop.guard()
    client = guard.wrap(shop.client())
    with guard.action() as action:
        for _ in range(2):
            client.chat.completions.create(**CHEAP)
    rows = list(guard.ledger())
    assert len({row.call for row in rows}) == 2
    assert {row.action for row in rows} == {action.id}


def test_a_redirect_is_one_decision(shop: Shop, decisions: list[object]) -> None:
    guard = shop.guard(farthing.Cap("5 USD", per="day", id="day"))
    client = guard.wrap(shop.client())
    shop.provider.script({"redirect": True})
    client.chat.completions.create(**CHEAP)
    assert (shop.requests(), len(decisions)) == (2, 1)
    assert counted(guard, "day") == (billed(shop.provider), 0)


def test_with_raw_response_counts_its_retries_in_one_call(shop: Shop) -> None:
    guard = shop.guard()
    client = guard.wrap(shop.client(max_retries=1))
    shop.provider.script({"status": 500})
    raw = client.chat.completions.with_raw_response.create(**CHEAP)
    assert raw.retries_taken == 1
    assert len({row.call for row in guard.ledger()}) == 1


def test_calls_inside_a_call_have_their_own_id(shop: Shop) -> None:
    """A token provider that asks a model while the SDK prepares a request."""
    guard = shop.guard()
    inner = guard.wrap(shop.client())

    def key() -> str:
        inner.chat.completions.create(**CHEAP)
        return "sk-test-0001"

    outer = guard.wrap(shop.client(api_key=key))
    outer.chat.completions.create(**CHEAP)
    assert len({row.call for row in guard.ledger()}) == 2


def test_no_request_method_known_each_request_is_a_call(shop: Shop) -> None:
    import httpx

    guard = shop.guard()
    headers: dict[str, Any] = {"authorization": "Bearer sk-test-0001"}
    with httpx.Client() as http:
        guard.wrap(http)
        for _ in range(2):
            http.post(f"{shop.provider.url}/chat/completions", json=CHEAP, headers=headers)
    assert len({row.call for row in guard.ledger()}) == 2


def test_openai_version_is_one_of_those_we_promise() -> None:
    assert int(openai.__version__.split(".")[0]) in (1, 2, 3)


@pytest.mark.parametrize("sdk", [True, False])
def test_a_task_started_in_a_call_makes_calls_of_its_own(shop: Shop, sdk: bool) -> None:
    """It inherits the context of the call, and goes on when that is over."""
    guard = shop.guard(farthing.Cap("1 requests", per="call", id="once"))
    stack = sdk_family()
    url = f"{shop.provider.url}/chat/completions"

    async def main() -> list[int]:
        over, tasks = asyncio.Event(), []

        async def later() -> list[int]:
            await over.wait()
            return [(await http.post(url, json=CHEAP)).status_code for _ in range(2)]

        async def hook(request: Any) -> None:
            if not tasks:
                tasks.append(asyncio.create_task(later()))

        http = stack.AsyncClient(event_hooks={"request": [hook]})
        guard.wrap(http)
        if sdk:
            client = shop.aclient(http_client=http)
            await client.chat.completions.create(**CHEAP)
        else:
            assert (await http.post(url, json=CHEAP)).status_code == 200
        over.set()
        found = await tasks[0]
        await http.aclose()
        return found

    assert asyncio.run(main()) == [200, 200]
    assert len({row.call for row in guard.ledger(how="usage")}) == 3
