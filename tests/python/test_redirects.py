"""A redirect to another origin is a new begin: priced, held and refused there; what it came from costs nothing (R23).
To the same origin it is one hold."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import openai
import pytest

import farthing
from tests.fakes.provider.handle import FakeProvider, start

from .conftest import CHEAP, MODEL, Shop, sdk_family
from .money import billed, booked, counted

DAY = farthing.Cap("5 USD", per="day", id="day")
NOTHING = farthing.Cap("0 USD", per="day", id="day")
UNLIMITED: dict[str, Any] = {"model": MODEL, "messages": CHEAP["messages"]}
AUTHORIZED = {"api-key": "sk-test-0001"}  # of Azure's form: httpx takes it along to another host
STACKS = ["httpx", "httpx2"] if int(openai.__version__.split(".")[0]) >= 3 else ["httpx"]


@pytest.fixture(scope="module")
def _other() -> Iterator[FakeProvider]:
    with start() as running:
        yield running


class Elsewhere:
    """The provider that the first one sends its callers to."""

    def __init__(self, provider: FakeProvider) -> None:
        self.provider = provider
        self.host = f"127.0.0.1:{provider.port}"
        self.chat = f"{provider.url}/chat/completions"

    def requests(self) -> int:
        seen: int = self.provider.stats()["seen"]
        return seen


@pytest.fixture
def elsewhere(_other: FakeProvider) -> Elsewhere:
    _other.reset()
    return Elsewhere(_other)


WAYS = ["plain", "stream", "async", "async stream"]


def call(shop: Shop, guard: farthing.Guard, way: str, **ask: Any) -> Any:
    """One call of the SDK: its text."""
    ask = {**CHEAP, **ask, "stream": way.endswith("stream")}
    more: dict[str, Any] = {"default_headers": AUTHORIZED}

    async def main() -> str:
        async with guard.wrap(shop.aclient(**more)) as client:
            reply: Any = await client.chat.completions.create(**ask)
            if not ask["stream"]:
                return str(reply.choices[0].message.content)
            return "".join([piece.choices[0].delta.content or "" async for piece in reply])

    if way.startswith("async"):
        return asyncio.run(main())
    reply: Any = guard.wrap(shop.client(**more)).chat.completions.create(**ask)
    if not ask["stream"]:
        return reply.choices[0].message.content
    return "".join(piece.choices[0].delta.content or "" for piece in reply)


@pytest.mark.parametrize("way", WAYS)
def test_from_a_free_host_to_one_that_costs(shop: Shop, elsewhere: Elsewhere, way: str) -> None:
    hosts = {shop.host: "free", elsewhere.host: {"provider": "openai"}}
    guard = shop.guard(DAY, hosts=hosts)
    shop.provider.script({"redirect": elsewhere.chat})
    assert call(shop, guard, way)
    guard.flush()
    there, here = guard.ledger()
    assert (here.host, here.how, here.actual_usd) == (shop.host, "provider_error", 0)
    assert (there.host, there.how) == (elsewhere.host, "usage")
    assert here.call == there.call and (here.attempt_number, there.attempt_number) == (1, 2)
    assert counted(guard, "day") == (billed(elsewhere.provider), 0)
    assert booked(guard) == billed(elsewhere.provider) > 0


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("first", ["free", {"guard": False, "provider": "openai"}])
def test_what_does_not_fit_there_is_refused(
    shop: Shop, elsewhere: Elsewhere, way: str, first: Any
) -> None:
    guard = shop.guard(NOTHING, hosts={shop.host: first, elsewhere.host: {"provider": "openai"}})
    shop.provider.script({"redirect": elsewhere.chat})
    with pytest.raises(farthing.CapExceeded) as caught:
        call(shop, guard, way)
    assert isinstance(caught.value, openai.APIStatusError)
    assert caught.value.response.request.url.port == elsewhere.provider.port
    assert [one.status_code for one in caught.value.response.history] == [307]
    assert (shop.requests(), elsewhere.requests()) == (1, 0)
    assert counted(guard, "day") == (0, 0)


@pytest.mark.parametrize("way", WAYS)
def test_to_a_host_that_nobody_knows(shop: Shop, elsewhere: Elsewhere, way: str) -> None:
    guard = shop.guard(DAY)
    shop.provider.script({"redirect": elsewhere.chat})
    with pytest.raises(farthing.Unpriced):
        call(shop, guard, way)
    assert (shop.requests(), elsewhere.requests()) == (1, 0)
    (row,) = guard.ledger()
    assert (row.host, row.how, row.actual_usd) == (shop.host, "provider_error", 0)
    assert counted(guard, "day") == (0, 0)


@pytest.mark.parametrize("name", STACKS)
def test_from_where_nothing_is_ours(shop: Shop, elsewhere: Elsewhere, name: str) -> None:
    """`install` leaves a POST to an unknown host alone; where it leads is known."""
    stack = pytest.importorskip(name)
    guard = shop.guard(DAY, hosts={elsewhere.host: {"provider": "openai"}})
    guard.install()
    to_chat = {"when": {"path": "/go"}, "do": {"redirect": elsewhere.chat}, "times": None}
    shop.provider.script(to_chat)
    with stack.Client(follow_redirects=True, headers=AUTHORIZED) as http:
        answer = http.post(f"http://{shop.host}/go", json=CHEAP)
        assert (answer.status_code, str(answer.url)) == (200, elsewhere.chat)
        assert farthing.receipt(answer).cost_usd == billed(elsewhere.provider) > 0
        assert counted(guard, "day") == (billed(elsewhere.provider), 0)
        guard.set_limit("day", "0 USD")
        answer = http.post(f"http://{shop.host}/go", json=CHEAP)
        assert (answer.status_code, elsewhere.requests()) == (402, 1)
    (row,) = guard.ledger()
    assert (row.host, row.attempt_number) == (elsewhere.host, 1)


@pytest.mark.parametrize("way", WAYS)
def test_each_is_asked_what_it_was_granted(shop: Shop, elsewhere: Elsewhere, way: str) -> None:
    """The caller's own body is what is begun there, not what was made of it here; and what is granted there is what
    goes on to the same origin."""
    with shop.guard(DAY) as pricing:
        per_token = Decimal(pricing.estimate("chat.completions", host=shop.host, **CHEAP).hold_usd)
    # The same model at another price: what fits under the cap is another limit.
    hosts = {
        shop.host: {"provider": "openai", "deployments": {"same": "gpt-4.1-nano"}},
        elsewhere.host: {"provider": "openai", "deployments": {"same": "gpt-4.1"}},
    }
    cap = farthing.Cap(f"{per_token * 80:f} USD", per="day", id="day")
    guard = shop.guard(cap, hosts=hosts)
    shop.provider.script({"redirect": elsewhere.chat})
    elsewhere.provider.script({"redirect": True, "model": "gpt-4.1"}, {"model": "gpt-4.1"})
    assert call(shop, guard, way, model="same", max_tokens=4096)
    guard.flush()
    (here,) = [one["json"] for one in shop.provider.requests()]
    first, second = (one["json"] for one in elsewhere.provider.requests())
    assert first == second
    assert here["max_tokens"] > first["max_tokens"] > 0
    for asked in (here, first):
        assert asked.get("stream_options") == (
            {"include_usage": True} if way.endswith("stream") else None
        )
    assert len(list(guard.ledger())) == 2
    assert counted(guard, "day") == (billed(elsewhere.provider), 0)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("name", STACKS)
def test_the_stack_keeps_what_it_does(
    shop: Shop, elsewhere: Elsewhere, name: str, stream: bool
) -> None:
    """History, cookies and event hooks are those of the client without a guard."""
    stack = pytest.importorskip(name)
    guard = shop.guard(DAY, hosts={h: {"provider": "openai"} for h in (shop.host, elsewhere.host)})
    told: list[list[Any]] = []
    for guarded in (False, True):
        seen: list[Any] = []
        hooks = {
            "request": [lambda one, seen=seen: seen.append((one.method, str(one.url)))],
            "response": [lambda one, seen=seen: seen.append((one.status_code, str(one.url)))],
        }
        back = {"redirect": f"{shop.provider.url}/chat/completions"}
        shop.provider.script({"redirect": elsewhere.chat, "headers": {"set-cookie": "a=1"}})
        elsewhere.provider.script({**back, "headers": {"set-cookie": "b=2"}})
        with stack.Client(event_hooks=hooks, headers=AUTHORIZED) as http:
            if guarded:
                guard.wrap(http)
            url = f"{shop.provider.url}/chat/completions"
            request = http.build_request("POST", url, json=CHEAP)
            answer = http.send(request, stream=stream, follow_redirects=True)
            seen.append([(one.status_code, str(one.url)) for one in answer.history])
            seen.append(dict(http.cookies))
            seen.append(answer.read() != b"" and answer.status_code)
        told.append(seen)
    assert told[0] == told[1]
    assert [row.how for row in guard.ledger()] == ["usage", "provider_error", "provider_error"]
    assert counted(guard, "day")[1] == 0


@pytest.mark.parametrize("name", STACKS)
def test_who_follows_redirects_himself(shop: Shop, elsewhere: Elsewhere, name: str) -> None:
    stack = pytest.importorskip(name)
    guard = shop.guard(DAY)
    shop.provider.script({"redirect": elsewhere.chat})
    with stack.Client(headers=AUTHORIZED) as http:
        guard.wrap(http)
        answer = http.post(f"{shop.provider.url}/chat/completions", json=CHEAP)
        assert (answer.status_code, answer.history) == (307, [])
        assert str(answer.next_request.url) == elsewhere.chat
        refused = http.send(answer.next_request)
    assert (refused.status_code, elsewhere.requests()) == (402, 0)
    assert [row.how for row in guard.ledger()] == ["provider_error"]


@pytest.mark.parametrize("there", ["here", "elsewhere"])
@pytest.mark.parametrize("name", STACKS)
def test_a_circle_ends_as_the_stack_ends_it(
    shop: Shop, elsewhere: Elsewhere, name: str, there: str
) -> None:
    stack = pytest.importorskip(name)
    guard = shop.guard(DAY, hosts={h: {"provider": "openai"} for h in (shop.host, elsewhere.host)})
    here = f"{shop.provider.url}/chat/completions"
    shop.provider.default(redirect=here if there == "here" else elsewhere.chat)
    elsewhere.provider.default(redirect=here)
    with stack.Client(follow_redirects=True, max_redirects=4, headers=AUTHORIZED) as http:
        guard.wrap(http)
        with pytest.raises(stack.TooManyRedirects):
            http.post(here, json=CHEAP)
    assert shop.requests() + elsewhere.requests() == 5
    rows = list(guard.ledger())
    assert {(row.how, row.actual_usd) for row in rows} == {("provider_error", 0)}
    assert len(rows) == (1 if there == "here" else 5)
    assert counted(guard, "day") == (0, 0)


@pytest.mark.parametrize("location", ["http://[no", "ftp://127.0.0.1/v1/chat/completions"])
def test_to_nowhere(shop: Shop, location: str) -> None:
    guard = shop.guard(DAY)
    shop.provider.script({"redirect": location})
    with pytest.raises((openai.APIConnectionError, farthing.Unpriced)):
        call(shop, guard, "plain")
    (row,) = guard.ledger()
    assert (row.how, row.actual_usd) == ("provider_error", 0)
    assert counted(guard, "day") == (0, 0)


def test_nobody_listens_there(shop: Shop) -> None:
    guard = shop.guard(DAY, hosts={h: {"provider": "openai"} for h in (shop.host, "127.0.0.1:9")})
    shop.provider.script({"redirect": "http://127.0.0.1:9/v1/chat/completions"})
    with pytest.raises(openai.APIConnectionError):
        call(shop, guard, "plain")
    assert [row.how for row in guard.ledger()] == ["released", "provider_error"]
    assert counted(guard, "day") == (0, 0)


def test_a_redirect_that_makes_a_get(shop: Shop, elsewhere: Elsewhere) -> None:
    """303: nothing is asked for there."""
    guard = shop.guard(DAY)
    shop.provider.script({"redirect": f"{elsewhere.provider.url}/models", "status": 303})
    with sdk_family().Client(follow_redirects=True) as http:
        guard.wrap(http)
        answer = http.post(f"{shop.provider.url}/chat/completions", json=CHEAP)
    assert (answer.status_code, answer.request.method) == (200, "GET")
    assert [row.how for row in guard.ledger()] == ["provider_error"]


def test_authentication_begins_again_where_it_began(shop: Shop, elsewhere: Elsewhere) -> None:
    """Its second request goes to the first host, after the first attempt has ended: a hold of its own."""
    stack = sdk_family()

    class Twice(stack.Auth):  # type: ignore[name-defined,misc]
        def auth_flow(self, request: Any) -> Iterator[Any]:
            answer = yield request
            if answer.status_code == 401:
                yield request

    guard = shop.guard(DAY, hosts={h: {"provider": "openai"} for h in (shop.host, elsewhere.host)})
    shop.provider.script({"redirect": elsewhere.chat})
    elsewhere.provider.script({"status": 401})
    with stack.Client(auth=Twice(), headers=AUTHORIZED, follow_redirects=True) as http:
        guard.wrap(http)
        answer = http.post(f"{shop.provider.url}/chat/completions", json=UNLIMITED)
    assert answer.status_code == 200
    rows = [(row.host, row.how) for row in guard.ledger()]
    assert rows[::-1] == [
        (shop.host, "provider_error"),
        (elsewhere.host, "provider_error"),
        (shop.host, "usage"),
    ]
    first, second = (one["json"] for one in shop.provider.requests())
    assert first == second and first["max_completion_tokens"] > 0
    assert counted(guard, "day") == (billed(shop.provider), 0)


def test_what_authentication_asks_for_itself_is_not_the_call(
    shop: Shop, elsewhere: Elsewhere, decisions: list[object]
) -> None:
    """A token, from a host of its own that sends it on to another."""
    stack = sdk_family()
    away = f"http://{elsewhere.host}/token"

    class Token(stack.Auth):  # type: ignore[name-defined,misc]
        def auth_flow(self, request: Any) -> Iterator[Any]:
            yield stack.Request("POST", away, content=b"grant")
            yield request

    guard = shop.guard(DAY)
    elsewhere.provider.script({"redirect": f"http://localhost:{elsewhere.provider.port}/token"})
    with stack.Client(auth=Token(), headers=AUTHORIZED, follow_redirects=True) as http:
        guard.wrap(http)
        answer = http.post(f"{shop.provider.url}/chat/completions", json=CHEAP)
    assert (answer.status_code, elsewhere.requests(), len(decisions)) == (200, 2, 1)
    assert counted(guard, "day") == (billed(shop.provider), 0)


@pytest.mark.parametrize("cap", [DAY, NOTHING])
def test_a_redirect_that_a_client_further_in_follows(
    shop: Shop, elsewhere: Elsewhere, cap: farthing.Cap
) -> None:
    """A transport that sends through another guarded client: it is one send, and one that leaves is begun again."""
    stack = sdk_family()
    guard = shop.guard(cap, hosts={shop.host: "free", elsewhere.host: {"provider": "openai"}})
    guard.install()
    inner = stack.Client(follow_redirects=True)

    class Through(stack.BaseTransport):  # type: ignore[name-defined,misc]
        def handle_request(self, request: Any) -> Any:
            answer = inner.send(request)
            return stack.Response(answer.status_code, headers=answer.headers, content=answer.read())

    shop.provider.script({"redirect": elsewhere.chat})
    with inner, stack.Client(transport=Through(), headers=AUTHORIZED) as http:
        answer = http.post(f"{shop.provider.url}/chat/completions", json=CHEAP)
    fits = cap is DAY
    assert answer.status_code == (200 if fits else 402)
    assert elsewhere.requests() == (1 if fits else 0)
    assert counted(guard, "day") == (billed(elsewhere.provider), 0)
    hows = ["usage", "provider_error"] if fits else ["provider_error"]
    assert [row.how for row in guard.ledger()] == hows


@pytest.mark.parametrize("way", WAYS)
def test_a_stack_that_does_not_show_its_requests_follows_none(
    shop: Shop, elsewhere: Elsewhere, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a later version may be that has another method for them."""
    from farthing._hooks.family import family_of

    monkeypatch.setattr(family_of(sdk_family()), "shows_requests", False)
    guard = shop.guard(DAY, hosts={h: {"provider": "openai"} for h in (shop.host, elsewhere.host)})
    shop.provider.script({"redirect": elsewhere.chat})
    with pytest.raises(openai.APIStatusError) as caught:
        call(shop, guard, way)
    assert (caught.value.status_code, elsewhere.requests()) == (307, 0)


@pytest.mark.parametrize("name", STACKS)
def test_the_stack_shows_its_requests(name: str) -> None:
    from farthing._hooks.family import family_of

    assert family_of(pytest.importorskip(name)).shows_requests
