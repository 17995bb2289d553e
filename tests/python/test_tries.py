"""Transports of the caller's own that try again, or several at once: each try is an attempt (R23, R27)."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import pytest

import farthing

from .conftest import CHEAP, Shop, sdk_family
from .money import billed, counted
from .test_transports import nobody

DAY = farthing.Cap("5 USD", per="day", id="day")
AUTHORIZED = {"authorization": "Bearer sk-test-0001"}


def retrying(asynchronous: bool, statuses: tuple[int, ...] = (429, 503, 504)) -> Any:
    """As packages for retries do it: around the stack's transport, closing answers unread."""
    stack = sdk_family()

    class Retrying(stack.BaseTransport):  # type: ignore[name-defined,misc]
        def __init__(self) -> None:
            self.inner = stack.HTTPTransport()

        def handle_request(self, request: Any) -> Any:
            for _ in range(4):
                try:
                    response = self.inner.handle_request(request)
                    if response.status_code not in statuses:
                        return response
                    response.close()
                except stack.ReadError as error:
                    last: Any = error
                except stack.RemoteProtocolError as error:
                    last = error
            raise last

        def close(self) -> None:
            self.inner.close()

    class AsyncRetrying(stack.AsyncBaseTransport):  # type: ignore[name-defined,misc]
        def __init__(self) -> None:
            self.inner = stack.AsyncHTTPTransport()

        async def handle_async_request(self, request: Any) -> Any:
            for _ in range(4):
                try:
                    response = await self.inner.handle_async_request(request)
                    if response.status_code not in statuses:
                        return response
                    await response.aclose()
                except stack.ReadError as error:
                    last: Any = error
                except stack.RemoteProtocolError as error:
                    last = error
            raise last

        async def aclose(self) -> None:
            await self.inner.aclose()

    return AsyncRetrying() if asynchronous else Retrying()


def _sent_over(
    transport: Any, guard: farthing.Guard, url: str, asynchronous: bool, body: Any
) -> Any:
    """One call over this transport; its answer."""
    stack = sdk_family()

    async def main() -> Any:
        async with stack.AsyncClient(transport=transport, headers=AUTHORIZED) as http:
            return await guard.wrap(http).post(url, json=body)

    if asynchronous:
        return asyncio.run(main())
    with stack.Client(transport=transport, headers=AUTHORIZED) as http:
        return guard.wrap(http).post(url, json=body)


@pytest.mark.parametrize("asynchronous", [False, True])
def test_each_try_of_a_transport_is_billed_for_itself(shop: Shop, asynchronous: bool) -> None:
    """Tries that were sent and broke off are charged their hold (R23), the provider's own errors nothing."""
    guard = shop.guard(DAY)
    shop.provider.script(
        {"cut": "reset_head"}, {"status": 429}, {"status": 504, "foreign": True}, {}
    )
    url = f"{shop.provider.url}/chat/completions"
    answer = _sent_over(retrying(asynchronous), guard, url, asynchronous, CHEAP)
    assert answer.status_code == 200
    rows = list(reversed(list(guard.ledger())))
    assert [row.how for row in rows] == ["hold", "provider_error", "hold", "usage"]
    assert len({row.call for row in rows}) == 1
    receipt = farthing.receipt(answer)
    assert receipt is not None and receipt.attempt == rows[-1].id
    costs = [rows[0].ceiling_usd or 0, rows[2].ceiling_usd or 0, receipt.cost_usd or 0]
    assert counted(guard, "day") == (sum(costs), 0)
    assert sum(costs) > billed(shop.provider)


@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_try_of_a_transport_that_does_not_fit_is_refused(shop: Shop, asynchronous: bool) -> None:
    with shop.guard() as pricing:
        ceiling = pricing.estimate("chat.completions", host=shop.host, **CHEAP).hold_usd
    assert ceiling is not None
    guard = shop.guard(farthing.Cap(f"{ceiling * Decimal('1.5'):f} USD", per="day", id="day"))
    shop.provider.default(cut="reset_head")
    url = f"{shop.provider.url}/chat/completions"
    answer = _sent_over(retrying(asynchronous), guard, url, asynchronous, CHEAP)
    assert answer.status_code == 402
    assert shop.requests() == 1
    assert counted(guard, "day") == (ceiling, 0)


def test_tries_at_the_same_time_are_charged_each(shop: Shop) -> None:
    stack = sdk_family()

    class Hedging(stack.AsyncBaseTransport):  # type: ignore[name-defined,misc]
        def __init__(self) -> None:
            self.inner = stack.AsyncHTTPTransport()

        async def handle_async_request(self, request: Any) -> Any:
            both = [asyncio.create_task(self.inner.handle_async_request(request)) for _ in range(2)]
            first, second = await asyncio.gather(*both)
            await second.aclose()
            return first

        async def aclose(self) -> None:
            await self.inner.aclose()

    guard = shop.guard(DAY)
    url = f"{shop.provider.url}/chat/completions"
    assert _sent_over(Hedging(), guard, url, True, CHEAP).status_code == 200
    rows = list(guard.ledger())
    assert sorted(row.how for row in rows) == ["hold", "usage"]
    assert counted(guard, "day")[0] >= billed(shop.provider) > 0


@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_last_try_that_had_no_connection_costs_nothing(shop: Shop, asynchronous: bool) -> None:
    """R23: what was sent before it is charged, and it alone."""
    stack = sdk_family()

    class Twice(stack.BaseTransport):  # type: ignore[name-defined,misc]
        def handle_request(self, request: Any) -> Any:
            with stack.HTTPTransport() as first, stack.HTTPTransport(proxy=nowhere) as second:
                try:
                    return first.handle_request(request)
                except stack.TransportError:
                    return second.handle_request(request)

    class AsyncTwice(stack.AsyncBaseTransport):  # type: ignore[name-defined,misc]
        async def handle_async_request(self, request: Any) -> Any:
            async with (
                stack.AsyncHTTPTransport() as first,
                stack.AsyncHTTPTransport(proxy=nowhere) as second,
            ):
                try:
                    return await first.handle_async_request(request)
                except stack.TransportError:
                    return await second.handle_async_request(request)

    guard = shop.guard(DAY)
    shop.provider.script({"cut": "reset_head"})
    url = f"{shop.provider.url}/chat/completions"
    with nobody() as nowhere, pytest.raises(stack.ConnectError):
        _sent_over(AsyncTwice() if asynchronous else Twice(), guard, url, asynchronous, CHEAP)
    rows = list(reversed(list(guard.ledger())))
    assert [row.how for row in rows] == ["hold", "released"]
    assert counted(guard, "day") == (rows[0].ceiling_usd, 0)
