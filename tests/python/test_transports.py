"""What lies between the client and the provider: proxies, HTTP/2, authentication inside one send, other event loops."""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import openai
import pytest

import farthing

from .conftest import CHEAP, MODEL, Shop, sdk_family
from .fronts import forward_proxy, http2_front, socks_proxy
from .money import billed, booked, counted

DAY = farthing.Cap("5 USD", per="day", id="day")
NOTHING = farthing.Cap("0 USD", per="day", id="nothing")
STREAM = {**CHEAP, "stream": True}
AUTHORIZED = {"authorization": "Bearer sk-test-0001"}


def test_through_a_proxy(shop: Shop, decisions: list[object]) -> None:
    with forward_proxy() as (url, passed), sdk_family().Client(proxy=url) as http:
        guard = shop.guard(DAY)
        client = guard.wrap(shop.client(http_client=http))
        client.chat.completions.create(**CHEAP)
        assert list(client.chat.completions.create(**STREAM))
        assert (len(passed), len(decisions)) == (2, 2)
        assert [row.host for row in guard.ledger()] == [shop.host] * 2
        assert counted(guard, "day") == (billed(shop.provider), 0)
        guard.close()
        refusing = shop.guard(NOTHING)
        refusing.wrap(client)
        with pytest.raises(farthing.CapExceeded):
            client.chat.completions.create(**CHEAP)
        assert len(passed) == 2


def test_through_a_socks_proxy(shop: Shop, decisions: list[object]) -> None:
    pytest.importorskip("socksio")
    with socks_proxy() as (url, passed), sdk_family().Client(proxy=url) as http:
        guard = shop.guard(DAY)
        client = guard.wrap(shop.client(http_client=http))
        client.chat.completions.create(**CHEAP)
        assert list(client.chat.completions.create(**STREAM))
        assert (passed, len(decisions)) == ([shop.host], 2), "one connection for both"
        assert [(row.host, row.how) for row in guard.ledger()] == [(shop.host, "usage")] * 2
        assert counted(guard, "day") == (billed(shop.provider), 0)
        guard.set_limit("day", "0 USD")
        with pytest.raises(farthing.CapExceeded):
            client.chat.completions.create(**CHEAP)
        assert (len(passed), shop.requests()) == (1, 2)


async def test_through_a_socks_proxy_in_an_event_loop(shop: Shop) -> None:
    pytest.importorskip("socksio")
    with socks_proxy() as (url, passed):
        guard = shop.guard(DAY)
        http = sdk_family().AsyncClient(proxy=url)
        async with guard.wrap(shop.aclient(http_client=http)) as client:
            await client.chat.completions.create(**CHEAP)
            async for _ in await client.chat.completions.create(**STREAM):
                pass
    assert passed == [shop.host]
    assert [row.how for row in guard.ledger()] == ["usage", "usage"]
    assert counted(guard, "day") == (billed(shop.provider), 0)


# httpcore 1.0.9 leaves the connection to a SOCKS proxy that refused open, with a guard and without.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_socks_proxy_that_lets_nobody_through_gives_the_money_back(shop: Shop) -> None:
    pytest.importorskip("socksio")
    with (
        socks_proxy(refuses=True) as (url, passed),
        sdk_family().Client(proxy=url) as http,
    ):
        guard = shop.guard(DAY)
        client = guard.wrap(shop.client(http_client=http))
        with pytest.raises(openai.APIConnectionError):
            client.chat.completions.create(**CHEAP)
    assert (passed, shop.requests()) == ([shop.host], 0)
    assert [row.how for row in guard.ledger()] == ["released"]
    assert counted(guard, "day") == (0, 0)


@pytest.mark.parametrize("kind", [forward_proxy, socks_proxy])
def test_a_proxy_that_is_not_there_gives_the_money_back(shop: Shop, kind: Any) -> None:
    pytest.importorskip("socksio")
    with kind() as (url, _):
        pass
    with sdk_family().Client(proxy=url) as http:
        guard = shop.guard(DAY)
        client = guard.wrap(shop.client(http_client=http))
        with pytest.raises(openai.APIConnectionError):
            client.chat.completions.create(**CHEAP)
    assert [row.how for row in guard.ledger()] == ["released"]
    assert counted(guard, "day") == (0, 0)


def test_http2(shop: Shop) -> None:
    pytest.importorskip("h2")
    with (
        http2_front(shop.provider.port) as port,
        sdk_family().Client(http1=False, http2=True) as http,
    ):
        guard = shop.guard(DAY, hosts={f"127.0.0.1:{port}": {"provider": "openai"}})
        more = {"http_client": http, "base_url": f"http://127.0.0.1:{port}/v1"}
        client = guard.wrap(shop.client(**more))
        raw = client.chat.completions.with_raw_response.create(**CHEAP)
        assert raw.http_response.http_version == "HTTP/2"
        assert list(client.chat.completions.create(**STREAM))
        assert counted(guard, "day") == (billed(shop.provider), 0)
        assert booked(guard) == billed(shop.provider) > 0
        guard.set_limit("day", "0 USD")
        with pytest.raises(farthing.CapExceeded):
            client.chat.completions.create(**CHEAP)
        assert shop.requests() == 2


async def test_http2_in_an_event_loop(shop: Shop) -> None:
    pytest.importorskip("h2")
    with http2_front(shop.provider.port) as port:
        guard = shop.guard(DAY, hosts={f"127.0.0.1:{port}": {"provider": "openai"}})
        http = sdk_family().AsyncClient(http1=False, http2=True)
        more = {"http_client": http, "base_url": f"http://127.0.0.1:{port}/v1"}
        async with guard.wrap(shop.aclient(**more)) as client:
            calls = (client.chat.completions.create(**CHEAP) for _ in range(4))
            await asyncio.gather(*calls)  # streams of one connection
            async for _ in await client.chat.completions.create(**STREAM):
                pass
    assert len(list(guard.ledger())) == 5
    assert counted(guard, "day") == (billed(shop.provider), 0)


STACKS = ["httpx", "httpx2"] if int(openai.__version__.split(".")[0]) >= 3 else ["httpx"]


class Tls:
    """A certificate for loopback that nobody else trusts."""

    def __init__(self) -> None:
        trustme = pytest.importorskip("trustme")
        authority = trustme.CA()
        self.server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1").configure_cert(self.server)
        self.server.set_alpn_protocols(["h2"])
        self.client = ssl.create_default_context()
        authority.configure_trust(self.client)


@pytest.fixture(scope="module")
def tls() -> Tls:
    return Tls()


@contextmanager
def _secure(shop: Shop, tls: Tls) -> Iterator[tuple[farthing.Guard, dict[str, Any]]]:
    """A guard for a server of HTTP/2 over TLS, and what its clients are made with."""
    pytest.importorskip("h2")
    with http2_front(shop.provider.port, tls.server) as port:
        guard = shop.guard(DAY, hosts={f"127.0.0.1:{port}": {"provider": "openai"}})
        yield guard, {"base_url": f"https://127.0.0.1:{port}/v1"}


@pytest.mark.parametrize("name", STACKS)
def test_http2_over_tls(shop: Shop, tls: Tls, name: str) -> None:
    stack = pytest.importorskip(name)
    with (
        _secure(shop, tls) as (guard, where),
        stack.Client(http2=True, verify=tls.client) as http,
    ):
        client = guard.wrap(shop.client(http_client=http, **where))
        raw = client.chat.completions.with_raw_response.create(**CHEAP)
        assert (raw.http_response.http_version, raw.http_response.url.scheme) == ("HTTP/2", "https")
        chunks = list(client.chat.completions.create(**STREAM))
        assert chunks and not any(chunk.usage for chunk in chunks)
        assert [row.how for row in guard.ledger()] == ["usage", "usage"]
        assert counted(guard, "day") == (billed(shop.provider), 0)
        assert booked(guard) == billed(shop.provider) > 0
        guard.set_limit("day", "0 USD")
        for ask in (CHEAP, STREAM):
            with pytest.raises(farthing.CapExceeded):
                client.chat.completions.create(**ask)
        assert shop.requests() == 2


@pytest.mark.parametrize("name", STACKS)
async def test_http2_over_tls_in_an_event_loop(shop: Shop, tls: Tls, name: str) -> None:
    """Streams of one connection, of which some are refused."""
    stack = pytest.importorskip(name)
    with _secure(shop, tls) as (guard, where):
        http = stack.AsyncClient(http2=True, verify=tls.client)
        async with guard.wrap(shop.aclient(http_client=http, **where)) as client:
            raw = await client.chat.completions.with_raw_response.create(**CHEAP)
            assert raw.http_response.http_version == "HTTP/2"
            limit = booked(guard) + 3 * next(guard.ledger()).ceiling_usd
            guard.set_limit("day", f"{limit:f} USD")
            shop.provider.default(hold="gate")
            refused = asyncio.Semaphore(0)

            async def one() -> None:
                try:
                    await client.chat.completions.create(**CHEAP)
                except farthing.CapExceeded:
                    refused.release()

            calls = [asyncio.create_task(one()) for _ in range(8)]
            for _ in range(5):
                await asyncio.wait_for(refused.acquire(), 30)
            await asyncio.to_thread(shop.provider.wait, holding="gate", count=3)
            shop.provider.release("gate", stay_open=True)
            await asyncio.gather(*calls)
            async for _ in await client.chat.completions.create(**STREAM):
                pass
    assert shop.requests() == 1 + 3 + 1
    assert [row.how for row in guard.ledger()] == ["usage"] * 5
    assert counted(guard, "day") == (billed(shop.provider), 0)


def test_a_certificate_that_is_not_trusted_gives_the_money_back(shop: Shop, tls: Tls) -> None:
    with _secure(shop, tls) as (guard, where), sdk_family().Client(http2=True) as http:
        client = guard.wrap(shop.client(http_client=http, **where))
        with pytest.raises(openai.APIConnectionError):
            client.chat.completions.create(**CHEAP)
    assert [row.how for row in guard.ledger()] == ["released"]
    assert (counted(guard, "day"), shop.requests()) == ((0, 0), 0)


def test_through_a_proxy_that_sees_no_more_than_a_connection(shop: Shop, tls: Tls) -> None:
    """TLS goes through a proxy inside CONNECT."""
    with (
        _secure(shop, tls) as (guard, where),
        forward_proxy() as (url, passed),
        sdk_family().Client(http2=True, proxy=url, verify=tls.client) as http,
    ):
        client = guard.wrap(shop.client(http_client=http, **where))
        client.chat.completions.create(**CHEAP)
        assert list(client.chat.completions.create(**STREAM))
        host = where["base_url"].split("/")[2]
        assert passed == [host], "one connection for both"
        assert {row.host for row in guard.ledger()} == {host}
        assert counted(guard, "day") == (billed(shop.provider), 0)
        guard.set_limit("day", "0 USD")
        with pytest.raises(farthing.CapExceeded):
            client.chat.completions.create(**CHEAP)
        assert (len(passed), shop.requests()) == (1, 2)


async def test_a_proxy_that_lets_nobody_through_gives_the_money_back(shop: Shop, tls: Tls) -> None:
    with _secure(shop, tls) as (guard, where), forward_proxy(refuses=True) as (url, passed):
        http = sdk_family().AsyncClient(proxy=url, verify=tls.client)
        async with guard.wrap(shop.aclient(http_client=http, **where)) as client:
            with pytest.raises(openai.APIConnectionError):
                await client.chat.completions.create(**CHEAP)
    assert len(passed) == 1
    assert [row.how for row in guard.ledger()] == ["released"]
    assert (counted(guard, "day"), shop.requests()) == ((0, 0), 0)


def test_authentication_again_inside_one_send_is_one_hold(
    shop: Shop, decisions: list[object]
) -> None:
    """A token that was refused is renewed and the request sent again, below the SDK: both carry the granted limit."""
    stack = sdk_family()
    tokens = iter(["old", "new"])

    class Renewed(stack.Auth):  # type: ignore[name-defined,misc]
        def auth_flow(self, request: Any) -> Iterator[Any]:
            request.headers["authorization"] = f"Bearer {next(tokens)}"
            answer = yield request
            if answer.status_code == 401:
                request.headers["authorization"] = f"Bearer {next(tokens)}"
                yield request

    guard = shop.guard(DAY)
    with stack.Client(auth=Renewed()) as http:
        client = guard.wrap(shop.client(http_client=http))
        shop.provider.script({"status": 401})
        client.chat.completions.create(model=MODEL, messages=CHEAP["messages"])  # type: ignore[arg-type]
    assert (shop.requests(), len(decisions)) == (2, 1)
    first, second = shop.provider.requests()
    assert first["headers"]["authorization"].endswith("old")
    assert second["headers"]["authorization"].endswith("new")
    limit = first["json"]["max_completion_tokens"]
    assert second["json"]["max_completion_tokens"] == limit > 0
    (row,) = guard.ledger()
    assert (row.how, row.attempt_number) == ("usage", 1)
    assert counted(guard, "day") == (billed(shop.provider), 0)


def test_authentication_that_fails_again_costs_nothing(shop: Shop) -> None:
    stack = sdk_family()
    guard = shop.guard(DAY)
    shop.provider.default(status=401)
    with stack.Client() as http:
        guard.wrap(http)
        auth = stack.DigestAuth("user", "password")
        answer = http.post(f"{shop.provider.url}/chat/completions", json=CHEAP, auth=auth)
    assert answer.status_code == 401
    (row,) = guard.ledger()
    assert (row.how, booked(guard)) == ("provider_error", 0)


def test_uvloop(file_shop: Shop) -> None:
    """Waiting for holds wakes any loop; of a file it never waits in the gate (R42)."""
    uvloop = pytest.importorskip("uvloop")
    with file_shop.guard(store="memory:") as pricing:
        ceiling = pricing.estimate("chat.completions", host=file_shop.host, **CHEAP).ceiling_usd
    assert ceiling is not None
    guard = file_shop.guard(
        farthing.Cap(f"{ceiling * 2:f} USD", per="day", id="day"), held_wait="30s"
    )
    file_shop.provider.default(input_tokens=1, output_tokens=1)

    async def main() -> None:
        assert type(asyncio.get_running_loop()).__module__.startswith("uvloop")
        async with guard.wrap(file_shop.aclient()) as client:
            calls = (client.chat.completions.create(**CHEAP) for _ in range(8))
            await asyncio.gather(*calls)
            async for _ in await client.chat.completions.create(**STREAM):
                pass
            async with client.chat.completions.with_streaming_response.create(**CHEAP) as reply:
                await reply.read()

    uvloop.run(main())
    guard.flush()
    assert file_shop.requests() == 10
    assert counted(guard, "day") == (billed(file_shop.provider), 0)


def test_workers_forked_from_a_program_that_is_loaded(file_shop: Shop) -> None:
    """As gunicorn with `preload_app`: guard and client are made once; a worker is killed, others forked after it."""
    with file_shop.guard(store="memory:") as pricing:
        ceiling = pricing.estimate("chat.completions", host=file_shop.host, **CHEAP).hold_usd
    assert ceiling is not None
    calls = 9
    limit = ceiling * calls
    guard = file_shop.guard(farthing.Cap(f"{limit:f} USD", per="day", id="day"))
    client = guard.wrap(file_shop.client(), project="site")
    file_shop.provider.default(output_tokens=64, input_tokens=200, over_limit=True)

    def worker(first: dict[str, Any]) -> None:
        code = 9
        try:
            threads = [threading.Thread(target=serve, args=(first,)) for _ in range(2)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            code = 0
        finally:
            os._exit(code)

    def serve(extra: dict[str, Any]) -> None:
        for _ in range(calls):
            try:
                client.chat.completions.create(**CHEAP, extra_headers=extra)
            except farthing.CapExceeded:
                return

    def fork(extra: dict[str, Any]) -> int:
        pid = os.fork()
        if pid == 0:
            worker(extra)
        return pid

    killed = fork({"x-fake-hold": "never"})
    file_shop.provider.wait(holding="never", count=2)
    os.kill(killed, signal.SIGKILL)
    os.waitpid(killed, 0)
    assert counted(guard, "day") == (0, 2 * ceiling), "what a dead worker held stays held"
    file_shop.provider.wait(in_flight=0)
    lost = billed(file_shop.provider)
    assert 0 < lost <= 2 * ceiling
    workers = [fork({"x-fake-hold": "gate"}) for _ in range(3)]
    file_shop.provider.wait(holding="gate", count=6)
    file_shop.provider.release("gate", stay_open=True)
    assert [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in workers] == [0, 0, 0]
    spent, reserved = counted(guard, "day")
    assert reserved == 2 * ceiling
    assert spent == billed(file_shop.provider) - lost == booked(guard) > 0
    assert spent + reserved <= limit
    assert limit - spent - reserved < ceiling, "the cap is used up"
    assert len({row.process for row in guard.ledger()}) == 3
    assert {row.labels["project"] for row in guard.ledger()} == {"site"}
    with pytest.raises(farthing.CapExceeded):
        client.chat.completions.create(**CHEAP)


BIG = 12_000_000  # bytes of text


class _Mallinfo(ctypes.Structure):
    _fields_ = [
        (name, ctypes.c_size_t)
        for name in (
            *("arena", "ordblks", "smblks", "hblks", "hblkhd"),
            *("usmblks", "fsmblks", "uordblks", "fordblks", "keepcost"),
        )
    ]


def _allocated() -> int:
    """Bytes in use, of Python's objects and of the core's."""
    ask = ctypes.CDLL(None).mallinfo2  # of glibc
    ask.restype = _Mallinfo
    told = ask()
    return int(told.uordblks + told.hblkhd)


def test_a_long_stream_takes_no_memory_and_is_not_read_ahead(shop: Shop) -> None:
    guard = shop.guard(DAY)
    stack = sdk_family()
    shop.provider.script({"text": "word " * (BIG // 5), "deltas": 3000, "output_tokens": 60})
    with stack.Client(timeout=60) as http:
        guard.wrap(http)
        request = http.build_request(
            "POST", f"{shop.provider.url}/chat/completions", json=STREAM, headers=AUTHORIZED
        )
        before, most, length = _allocated(), 0, 0
        answer = http.send(request, stream=True)
        for count, part in enumerate(answer.iter_raw()):
            length += len(part)
            if count % 50 == 0:
                most = max(most, _allocated())
    assert length > BIG
    assert most - before < 2_000_000
    (row,) = guard.ledger()
    assert (row.how, booked(guard)) == ("usage", billed(shop.provider))


def test_a_long_stream_that_is_left_was_not_read_to_its_end(shop: Shop) -> None:
    """Backpressure: what nobody takes stays with the provider, whose socket is full."""
    guard = shop.guard(DAY)
    client = guard.wrap(shop.client())
    shop.provider.script({"text": "word " * (BIG // 5), "deltas": 3000, "output_tokens": 60})
    stream = client.chat.completions.create(**STREAM)
    next(iter(stream))
    assert shop.provider.stats()["in_flight"] == 1
    stream.close()
    shop.provider.wait(in_flight=0)
    (row,) = guard.ledger()
    assert row.how in ("counted", "hold")
    assert Decimal(row.booked["usd"]) > 0
    assert counted(guard, "day")[1] == 0


@contextmanager
def nobody() -> Iterator[str]:
    """A host where nobody listens, and nobody can begin to."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{held.getsockname()[1]}"


def trying(carriers: list[Any], urls: list[str], asynchronous: bool) -> Any:
    """A transport of the caller's own: one URL after the other, each over its carrier (a transport, or a client)."""
    stack = sdk_family()

    def sent(carrier: Any, url: str, request: Any) -> Any:
        method, headers = request.method, request.headers
        again = stack.Request(method, url, headers=headers, content=request.content)
        if isinstance(carrier, stack.Client | stack.AsyncClient):
            return carrier.send(again)
        again.extensions = request.extensions
        return (
            carrier.handle_async_request(again) if asynchronous else carrier.handle_request(again)
        )

    class Trying(stack.BaseTransport):  # type: ignore[name-defined,misc]
        def handle_request(self, request: Any) -> Any:
            for carrier, url in zip(carriers, urls, strict=True):
                try:
                    return sent(carrier, url, request)
                except stack.TransportError as error:
                    last = error
            raise last

    class AsyncTrying(stack.AsyncBaseTransport):  # type: ignore[name-defined,misc]
        async def handle_async_request(self, request: Any) -> Any:
            for carrier, url in zip(carriers, urls, strict=True):
                try:
                    return await sent(carrier, url, request)
                except stack.TransportError as error:
                    last = error
            raise last

    return AsyncTrying() if asynchronous else Trying()


@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.parametrize("over", ["transports", "clients"])
@pytest.mark.parametrize("leaves", [True, False])
def test_a_transport_that_tries_again_hides_nothing(
    shop: Shop, asynchronous: bool, over: str, leaves: bool
) -> None:
    """R23: it raises that there was no connection. Where an earlier try of its own had one, the call may have left."""
    stack = sdk_family()
    guard = shop.guard(DAY, farthing.Cap("9 requests", per="day", id="requests"))
    url = f"{shop.provider.url}/chat/completions"

    async def main(urls: list[str]) -> Any:
        async with (
            stack.AsyncClient() if over == "clients" else stack.AsyncHTTPTransport() as one,
            stack.AsyncClient(transport=trying([one, one], urls, True), headers=AUTHORIZED) as http,
        ):
            return await guard.wrap(http).post(url, json=CHEAP)

    def alone(urls: list[str]) -> Any:
        with (
            stack.Client() if over == "clients" else stack.HTTPTransport() as one,
            stack.Client(transport=trying([one, one], urls, False), headers=AUTHORIZED) as http,
        ):
            return guard.wrap(http).post(url, json=CHEAP)

    shop.provider.script({"cut": "reset_head"})
    with nobody() as where:
        nowhere = f"{where}/openai/deployments/small/chat/completions"  # written anew
        urls = [url if leaves else nowhere, nowhere]
        if leaves:  # another host is another call, and nobody knows this one
            answer = asyncio.run(main(urls)) if asynchronous else alone(urls)
            assert answer.status_code == 402
        else:
            with pytest.raises(stack.ConnectError):
                asyncio.run(main(urls)) if asynchronous else alone(urls)
    (row,) = guard.ledger()
    assert (row.how, shop.requests()) == (("hold", 1) if leaves else ("released", 0))
    assert counted(guard, "day") == ((row.ceiling_usd, 0) if leaves else (0, 0))
    assert counted(guard, "requests") == ((1, 0) if leaves else (0, 0))
