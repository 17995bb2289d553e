"""Transports of the caller's own that try again, or several at once: each try is an attempt (R23, R27)."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import pytest

import farthing
from farthing._hooks import aio, sync
from farthing._hooks.family import family_of

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


def _ceiling(shop: Shop, **ask: Any) -> Decimal:
    with shop.guard() as pricing:
        found: Decimal | None = pricing.estimate(
            "chat.completions", host=shop.host, **{**CHEAP, **ask}
        ).hold_usd
    assert found is not None
    return found


def _hows(guard: farthing.Guard) -> list[str]:
    return [row.how for row in reversed(list(guard.ledger()))]


def written(asynchronous: bool, make: Any, over: Any = None) -> Any:
    """A transport of the caller's own. `make(send, request)` is a generator that is sent answers or errors of what it
    yields, and returns the answer; `over`: what carries it, by default the stack's transport."""
    stack = sdk_family()

    class Written(stack.BaseTransport):  # type: ignore[name-defined,misc]
        def __init__(self) -> None:
            self.inner = over or stack.HTTPTransport()

        def handle_request(self, request: Any) -> Any:
            steps = make(request)
            told: Any = None
            while True:
                try:
                    one = steps.send(told)
                except StopIteration as end:
                    return end.value
                try:
                    told = self.inner.handle_request(one) if over is None else over.send(one)
                except stack.TransportError as error:
                    told = error

        def close(self) -> None:
            self.inner.close()

    class AsyncWritten(stack.AsyncBaseTransport):  # type: ignore[name-defined,misc]
        def __init__(self) -> None:
            self.inner = over or stack.AsyncHTTPTransport()

        async def handle_async_request(self, request: Any) -> Any:
            steps = make(request)
            told: Any = None
            while True:
                try:
                    one = steps.send(told)
                except StopIteration as end:
                    return end.value
                try:
                    if over is None:
                        told = await self.inner.handle_async_request(one)
                    else:
                        told = await over.send(one)
                except stack.TransportError as error:
                    told = error

        async def aclose(self) -> None:
            await self.inner.aclose()

    return AsyncWritten() if asynchronous else Written()


@pytest.mark.parametrize("asynchronous", [False, True])
def test_after_a_refused_try_nothing_goes_out_unasked(shop: Shop, asynchronous: bool) -> None:
    def goes_on(request: Any) -> Any:
        for _ in range(3):
            answer = yield request
        return answer

    limit = _ceiling(shop) * Decimal("1.5")
    guard = shop.guard(farthing.Cap(f"{limit:f} USD", per="day", id="day"))
    shop.provider.script({"cut": "reset_head"})
    url = f"{shop.provider.url}/chat/completions"
    answer = _sent_over(written(asynchronous, goes_on), guard, url, asynchronous, CHEAP)
    assert (answer.status_code, shop.requests()) == (402, 1)
    assert _hows(guard) == ["hold"]


@pytest.mark.parametrize("asynchronous", [False, True])
def test_tries_through_another_guarded_client_are_settled_once(
    shop: Shop, asynchronous: bool
) -> None:
    stack = sdk_family()

    def again(request: Any) -> Any:
        answer = yield request
        while isinstance(answer, Exception) or answer.status_code != 200:
            answer = yield request
        return answer

    guard = shop.guard(DAY)
    guard.install()
    shop.provider.script({"status": 500}, {"cut": "reset_head"})
    url = f"{shop.provider.url}/chat/completions"
    inner = stack.AsyncClient() if asynchronous else stack.Client()

    async def main() -> Any:
        async with inner, stack.AsyncClient(transport=written(True, again, inner)) as http:
            return await http.post(url, json=CHEAP, headers=AUTHORIZED)

    try:
        if asynchronous:
            answer = asyncio.run(main())
        else:
            with inner, stack.Client(transport=written(False, again, inner)) as http:
                answer = http.post(url, json=CHEAP, headers=AUTHORIZED)
    finally:
        guard.uninstall()
    assert answer.status_code == 200
    assert _hows(guard) == ["provider_error", "hold", "usage"]
    receipt = farthing.receipt(answer)
    assert receipt is not None and receipt.how == "usage"
    assert counted(guard, "day") == (_ceiling(shop) + (receipt.cost_usd or 0), 0)


@pytest.mark.parametrize("asynchronous", [False, True])
def test_authentication_that_sends_what_was_answered_again_pays_again(
    shop: Shop, asynchronous: bool
) -> None:
    stack = sdk_family()

    class Thrice(stack.Auth):  # type: ignore[name-defined,misc]
        def auth_flow(self, request: Any) -> Any:
            for _ in range(3):
                yield request

    guard = shop.guard(DAY)
    url = f"{shop.provider.url}/chat/completions"
    shop.provider.script({"status": 504, "foreign": True})

    async def main() -> Any:
        async with stack.AsyncClient(auth=Thrice(), headers=AUTHORIZED) as http:
            return await guard.wrap(http).post(url, json=CHEAP)

    if asynchronous:
        answer = asyncio.run(main())
    else:
        with stack.Client(auth=Thrice(), headers=AUTHORIZED) as http:
            answer = guard.wrap(http).post(url, json=CHEAP)
    assert answer.status_code == 200
    assert _hows(guard) == ["hold", "usage", "usage"]
    assert counted(guard, "day") == (_ceiling(shop) + billed(shop.provider), 0)


@pytest.mark.parametrize("asynchronous", [False, True])
def test_two_layers_of_hooks_see_one_try(
    shop: Shop, asynchronous: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A tracer that was put on between two guards keeps the hooks of the first below those of the second."""
    stack = sdk_family()
    kind = stack.AsyncHTTPTransport if asynchronous else stack.HTTPTransport
    name = "handle_async_request" if asynchronous else "handle_request"
    limit = _ceiling(shop) * Decimal("1.5")
    guard = shop.guard(farthing.Cap(f"{limit:f} USD", per="day", id="day"))
    guard.install()
    hooks: Any = aio if asynchronous else sync
    monkeypatch.setattr(kind, name, hooks.carrying(kind.__dict__[name], family_of(stack)))
    url = f"{shop.provider.url}/chat/completions"
    try:
        answer = _sent_over(None, guard, url, asynchronous, CHEAP)
    finally:
        monkeypatch.undo()
        guard.uninstall()
    assert answer.status_code == 200
    assert _hows(guard) == ["usage"]
    assert counted(guard, "day") == (billed(shop.provider), 0)


@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.parametrize("limit", [True, False], ids=["own limit", "our limit"])
def test_what_a_transport_writes_anew_is_what_is_held(
    shop: Shop, asynchronous: bool, limit: bool
) -> None:
    """Another model, at the first try or at a later one: it is priced as what is sent, and sent as it is."""
    stack = sdk_family()
    ask = CHEAP if limit else {key: CHEAP[key] for key in ("model", "messages")}

    def other_model(request: Any) -> Any:
        body = request.content.replace(b"gpt-4.1-nano", b"gpt-4.1")
        assert body != request.content
        headers = {**request.headers, "content-length": str(len(body))}
        return stack.Request("POST", request.url, headers=headers, content=body)

    def first(request: Any) -> Any:
        return (yield other_model(request))

    def later(request: Any) -> Any:
        yield request
        return (yield other_model(request))

    url = f"{shop.provider.url}/chat/completions"
    dear = _ceiling(shop, model="gpt-4.1") if limit else Decimal("0.5")
    guard = shop.guard(farthing.Cap(f"{dear:f} USD", per="day", id="day"))
    for transport, hows in ((first, ["released", "usage"]), (later, ["provider_error", "usage"])):
        shop.provider.script(*({"status": 500} for _ in range(transport is later)))
        shop.provider.default(model="gpt-4.1")
        before = len(_hows(guard))
        answer = _sent_over(written(asynchronous, transport), guard, url, asynchronous, ask)
        assert (answer.status_code, answer.json()["model"][:7]) == (200, "gpt-4.1")
        assert _hows(guard)[before:] == hows
        asked = shop.provider.requests()[-1]["json"]
        assert asked["model"] == "gpt-4.1" and (limit or asked["max_completion_tokens"] > 0)
        assert counted(guard, "day") == (billed(shop.provider), 0)
        guard.set_limit("day", f"{dear + billed(shop.provider):f} USD")
    guard.set_limit("day", f"{billed(shop.provider) + dear / 2:f} USD")
    if limit:
        answer = _sent_over(written(asynchronous, first), guard, url, asynchronous, ask)
        assert answer.status_code == 402


@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_transport_that_answers_what_it_had_before(shop: Shop, asynchronous: bool) -> None:
    """After a last try without a connection: it is settled once, and names its attempt once."""
    stack = sdk_family()

    class Before(stack.BaseTransport):  # type: ignore[name-defined,misc]
        def handle_request(self, request: Any) -> Any:
            with stack.HTTPTransport() as first, stack.HTTPTransport(proxy=nowhere) as second:
                answer = first.handle_request(request)
                with pytest.raises(stack.ConnectError):
                    second.handle_request(request)
            return answer

    class AsyncBefore(stack.AsyncBaseTransport):  # type: ignore[name-defined,misc]
        async def handle_async_request(self, request: Any) -> Any:
            async with (
                stack.AsyncHTTPTransport() as first,
                stack.AsyncHTTPTransport(proxy=nowhere) as second,
            ):
                answer = await first.handle_async_request(request)
                with pytest.raises(stack.ConnectError):
                    await second.handle_async_request(request)
            return answer

    guard = shop.guard(DAY)
    shop.provider.script({"status": 429})
    url = f"{shop.provider.url}/chat/completions"
    with nobody() as nowhere:
        transport = AsyncBefore() if asynchronous else Before()
        answer = _sent_over(transport, guard, url, asynchronous, CHEAP)
    assert answer.status_code == 429
    assert _hows(guard) == ["provider_error", "released"]
    assert len(answer.headers.get_list("x-farthing-attempt")) == 1
    assert farthing.receipt(answer) is not None


@pytest.mark.parametrize("asynchronous", [False, True])
def test_errors_are_read_over_a_transport_of_a_class_of_its_own(
    shop: Shop, asynchronous: bool
) -> None:
    stack = sdk_family()

    class Own(stack.HTTPTransport):  # type: ignore[name-defined,misc]
        def handle_request(self, request: Any) -> Any:
            while (answer := super().handle_request(request)).status_code == 429:
                answer.close()
            return answer

    class AsyncOwn(stack.AsyncHTTPTransport):  # type: ignore[name-defined,misc]
        async def handle_async_request(self, request: Any) -> Any:
            while (answer := await super().handle_async_request(request)).status_code == 429:
                await answer.aclose()
            return answer

    guard = shop.guard(DAY)
    shop.provider.script({"status": 429}, {"status": 429})
    url = f"{shop.provider.url}/chat/completions"
    own = AsyncOwn() if asynchronous else Own()
    assert _sent_over(own, guard, url, asynchronous, CHEAP).status_code == 200
    assert _hows(guard) == ["provider_error", "provider_error", "usage"]
    assert counted(guard, "day") == (billed(shop.provider), 0)


@pytest.mark.parametrize("cause", [ConnectionResetError, ConnectionRefusedError, None])
def test_who_connects_by_itself_is_believed_where_nobody_listened(
    shop: Shop, cause: type[Exception] | None
) -> None:
    """Transports over other stacks raise `ConnectTimeout` for connections that broke too (httpx_aiohttp)."""
    stack = sdk_family()

    class Elsewhere(stack.BaseTransport):  # type: ignore[name-defined,misc]
        def handle_request(self, request: Any) -> Any:
            raise stack.ConnectTimeout("over") from (cause and cause("it broke"))

    guard = shop.guard(DAY)
    with pytest.raises(stack.ConnectTimeout):
        _sent_over(Elsewhere(), guard, f"{shop.provider.url}/chat/completions", False, CHEAP)
    assert _hows(guard) == ["released" if cause is ConnectionRefusedError else "hold"]


@pytest.mark.parametrize("asynchronous", [False, True])
def test_an_error_that_breaks_off_breaks_off_for_the_caller(shop: Shop, asynchronous: bool) -> None:
    """Not before he reads it."""
    stack = sdk_family()
    guard = shop.guard(DAY)
    url = f"{shop.provider.url}/chat/completions"
    shop.provider.script({"status": 429, "cut": "reset_body"})

    async def main() -> tuple[int, type[BaseException]]:
        async with stack.AsyncClient(headers=AUTHORIZED) as http:
            guard.wrap(http)
            async with http.stream("POST", url, json=CHEAP) as answer:
                with pytest.raises(stack.TransportError) as caught:
                    await answer.aread()
                return answer.status_code, caught.type

    def alone() -> tuple[int, type[BaseException]]:
        with stack.Client(headers=AUTHORIZED) as http:
            guard.wrap(http)
            with http.stream("POST", url, json=CHEAP) as answer:
                with pytest.raises(stack.TransportError) as caught:
                    answer.read()
                return answer.status_code, caught.type

    status, kind = asyncio.run(main()) if asynchronous else alone()
    assert status == 429 and issubclass(kind, stack.ReadError | stack.RemoteProtocolError)
    assert counted(guard, "day")[1] == 0


def test_tries_that_outlive_their_send_are_settled(shop: Shop) -> None:
    """One that has no answer yet, and one that begins after it."""
    stack = sdk_family()
    tasks: list[asyncio.Task[Any]] = []

    class Hedging(stack.AsyncBaseTransport):  # type: ignore[name-defined,misc]
        def __init__(self) -> None:
            self.inner = stack.AsyncHTTPTransport()

        async def handle_async_request(self, request: Any) -> Any:
            async def late() -> Any:
                await over.wait()
                return await self.inner.handle_async_request(request)

            slow = asyncio.create_task(self.inner.handle_async_request(request))
            await asyncio.to_thread(shop.provider.wait, holding="gate", count=1)
            tasks.extend([slow, asyncio.create_task(late())])
            return await self.inner.handle_async_request(request)

        async def aclose(self) -> None:
            await self.inner.aclose()

    async def main() -> None:
        async with stack.AsyncClient(transport=Hedging(), headers=AUTHORIZED) as http:
            shop.provider.script({"hold": "gate"})
            answer = await guard.wrap(http).post(url, json=CHEAP)
            assert answer.status_code == 200
            assert sorted(_hows(guard)) == ["usage"]
            shop.provider.release("gate", stay_open=True)
            over.set()
            for answer in await asyncio.gather(*tasks):
                await answer.aread()
                await answer.aclose()

    guard, over = shop.guard(DAY), asyncio.Event()
    url = f"{shop.provider.url}/chat/completions"
    asyncio.run(main())
    assert shop.requests() == 3
    assert _hows(guard) == ["usage", "usage", "usage"]
    assert counted(guard, "day") == (billed(shop.provider), 0)
