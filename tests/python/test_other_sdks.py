"""anthropic and google-genai: typed errors after one attempt, receipts, the call that attempts share, WebSockets.

What is answered with success is skipped for as long as the core does not read the dialect (`unknown_endpoint`).
"""

from __future__ import annotations

import asyncio
import copy
import pickle
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest

import farthing

from .conftest import Shop

anthropic = pytest.importorskip("anthropic")
genai = pytest.importorskip("google.genai")

NOTHING = farthing.Cap("0 USD", per="day", id="nothing")
DAY = farthing.Cap("5 USD", per="day", id="day")
CLAUDE = "claude-haiku-4-5"
GEMINI = "gemini-2.5-flash-lite"
ASK: dict[str, Any] = {
    "model": CLAUDE,
    "max_tokens": 64,
    "messages": [{"role": "user", "content": "hello there"}],
}
SAY: dict[str, Any] = {
    "model": GEMINI,
    "contents": "hello there",
    "config": {"max_output_tokens": 64},
}
RATES = {"input_tokens": "1 USD per million", "output_tokens": "5 USD per million"}
QUICK = {"attempts": 3, "initial_delay": 0.001, "max_delay": 0.002, "jitter": 0.001}

pytestmark = pytest.mark.filterwarnings(
    "ignore::google.genai._common.ExperimentalWarning",
    "ignore:.*is experimental:UserWarning",
    "ignore:.*is deprecated:DeprecationWarning",
    "ignore:.*not supported in ..interactions:UserWarning",
)


class Place:
    """Clients of both SDKs for the fake provider."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.url = shop.provider.url.removesuffix("/v1")
        self.closing: list[Any] = []

    def guard(self, cap: farthing.Cap, provider: str) -> farthing.Guard:
        prices = [
            {"provider": provider, "model": model, "rates": RATES} for model in (CLAUDE, GEMINI)
        ]
        hosts: Any = {self.shop.host: {"provider": provider}}
        return self.shop.guard(cap, hosts=hosts, prices=prices)

    def free(self) -> farthing.Guard:
        """Nothing is counted: what the provider answers comes as it is."""
        return self.shop.guard(DAY, hosts={self.shop.host: "free"})

    def claude(self, **more: Any) -> Any:
        client = anthropic.Anthropic(base_url=self.url, api_key="sk-ant-0001", **more)
        self.closing.append(client)
        return client

    def aclaude(self, **more: Any) -> Any:
        return anthropic.AsyncAnthropic(base_url=self.url, api_key="sk-ant-0001", **more)

    def gemini(self, retry: dict[str, Any] | None = None, **more: Any) -> Any:
        options = {"base_url": self.url, "retry_options": retry, **more}
        client = genai.Client(api_key="gk-0001", http_options=options)
        self.closing.append(client)
        return client

    def close(self) -> None:
        for client in self.closing:
            client.close()


@pytest.fixture
def place(shop: Shop) -> Iterator[Place]:
    made = Place(shop)
    yield made
    made.close()


def answered(call: Callable[[], Any]) -> Any:
    """What the call answers; the test is skipped where this core cannot price the endpoint yet."""
    try:
        return call()
    except farthing.Unpriced as error:
        if error.code == "unknown_endpoint":
            pytest.skip("the core does not read this dialect")
        raise


async def aanswered(call: Callable[[], Any]) -> Any:
    try:
        return await call()
    except farthing.Unpriced as error:
        if error.code == "unknown_endpoint":
            pytest.skip("the core does not read this dialect")
        raise


# ---- refusals


def _enter(block: Any) -> Any:
    return block.__enter__() if hasattr(block, "__enter__") else block.__aenter__()


def _all(stream: Any) -> Any:
    return _drained(stream) if hasattr(stream, "__await__") else list(stream)


async def _drained(stream: Any) -> list[Any]:
    return [chunk async for chunk in await stream]


CLAUDE_WAYS: dict[str, Callable[[Any], Any]] = {
    "create": lambda c: c.messages.create(**ASK),
    "create stream": lambda c: c.messages.create(**ASK, stream=True),
    "raw": lambda c: c.messages.with_raw_response.create(**ASK),
    "beta": lambda c: c.beta.messages.create(**ASK),
    "batches": lambda c: c.messages.batches.create(requests=[{"custom_id": "1", "params": ASK}]),
    "client.post": lambda c: c.post("/v1/messages", body=ASK, cast_to=object),
    "with_options": lambda c: c.with_options(timeout=5).messages.create(**ASK),
    "stream helper": lambda c: _enter(c.messages.stream(**ASK)),
    "streaming_response": lambda c: _enter(c.messages.with_streaming_response.create(**ASK)),
}
CLAUDE_RETRIES: list[dict[str, int]] = [{"max_retries": 0}, {}, {"max_retries": 10}]


@pytest.mark.parametrize("retries", CLAUDE_RETRIES, ids=["0", "default", "10"])
@pytest.mark.parametrize("way", CLAUDE_WAYS)
def test_anthropic_is_refused_once(
    place: Place, decisions: list[object], way: str, retries: dict[str, int]
) -> None:
    client = place.guard(NOTHING, "anthropic").wrap(place.claude(**retries))
    with pytest.raises(farthing.Denied) as caught:
        CLAUDE_WAYS[way](client)
    _is_refusal(caught.value, anthropic.APIStatusError)
    assert (place.shop.requests(), len(decisions)) == (0, 1)


@pytest.mark.parametrize("retries", CLAUDE_RETRIES, ids=["0", "default", "10"])
@pytest.mark.parametrize("way", CLAUDE_WAYS)
async def test_async_anthropic_is_refused_once(
    place: Place, decisions: list[object], way: str, retries: dict[str, int]
) -> None:
    async with place.guard(NOTHING, "anthropic").wrap(place.aclaude(**retries)) as client:
        with pytest.raises(farthing.Denied) as caught:
            await CLAUDE_WAYS[way](client)
    _is_refusal(caught.value, anthropic.APIStatusError)
    assert (place.shop.requests(), len(decisions)) == (0, 1)


def tool(a: str) -> str:
    """Called by the model."""
    return a


GEMINI_WAYS: dict[str, Callable[[Any], Any]] = {
    "generate": lambda c: c.models.generate_content(**SAY),
    "generate with tools": lambda c: c.models.generate_content(
        model=GEMINI, contents="hi", config={"tools": [tool]}
    ),
    "chat": lambda c: c.chats.create(model=GEMINI).send_message("hi"),
    "embed": lambda c: c.models.embed_content(model="gemini-embedding-001", contents="hi"),
    "stream": lambda c: _all(c.models.generate_content_stream(**SAY)),
    "chat stream": lambda c: _all(c.chats.create(model=GEMINI).send_message_stream("hi")),
}
GEMINI_RETRIES: list[dict[str, Any] | None] = [None, {"attempts": 1}, {"attempts": 5}, QUICK]


@pytest.mark.parametrize("retry", GEMINI_RETRIES, ids=["default", "1", "5", "quick"])
@pytest.mark.parametrize("way", GEMINI_WAYS)
def test_genai_is_refused_once(
    place: Place, decisions: list[object], way: str, retry: dict[str, Any] | None
) -> None:
    client = place.guard(NOTHING, "gemini").wrap(place.gemini(retry))
    with pytest.raises(farthing.Denied) as caught:
        GEMINI_WAYS[way](client)
    _is_refusal(caught.value, genai.errors.ClientError)
    assert (place.shop.requests(), len(decisions)) == (0, 1)


@pytest.mark.parametrize("retry", GEMINI_RETRIES, ids=["default", "1", "5", "quick"])
@pytest.mark.parametrize("way", GEMINI_WAYS)
@pytest.mark.parametrize("wrapped", ["client", "aio"])
async def test_async_genai_is_refused_once(
    place: Place, decisions: list[object], way: str, retry: dict[str, Any] | None, wrapped: str
) -> None:
    """Its asynchronous client sends through another one, which is not the one that was wrapped."""
    client = place.gemini(retry)
    place.guard(NOTHING, "gemini").wrap(client if wrapped == "client" else client.aio)
    async with client.aio as aclient:
        with pytest.raises(farthing.Denied) as caught:
            await GEMINI_WAYS[way](aclient)
    _is_refusal(caught.value, genai.errors.ClientError)
    assert (place.shop.requests(), len(decisions)) == (0, 1)


@pytest.mark.parametrize("how", ["sync", "async"])
def test_interactions_are_refused_once(place: Place, decisions: list[object], how: str) -> None:
    """A generated SDK inside the SDK, with errors of its own; imported after the client was wrapped."""
    client = place.guard(NOTHING, "gemini").wrap(place.gemini())
    if not hasattr(client, "interactions"):
        pytest.skip("this version has none")
    ask = {
        "sync": lambda: client.interactions.create(model=GEMINI, input="hi"),
        "async": lambda: asyncio.run(client.aio.interactions.create(model=GEMINI, input="hi")),
    }[how]
    with pytest.raises(farthing.Denied) as caught:
        ask()
    assert caught.value.code in ("cap_exceeded", "unknown_endpoint")
    _survives(caught.value)
    assert (place.shop.requests(), len(decisions)) == (0, 1)


def _is_refusal(error: Any, sdk: type[Exception]) -> None:
    assert isinstance(error, farthing.Denied) and isinstance(error, sdk)
    assert error.code in ("cap_exceeded", "unknown_endpoint")
    assert error.status_code == 402
    assert error.cap == ("nothing" if error.code == "cap_exceeded" else None)
    assert str(error).endswith(f"[{error.code}]")
    _survives(error)


def _survives(error: Any) -> None:
    for other in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
        assert type(other) is type(error)
        assert str(other) == str(error) and repr(other) == repr(error)
        for name in ("code", "cap", "limit", "resets_at", "caps", "status_code"):
            assert getattr(other, name) == getattr(error, name)
        assert other.response.status_code == 402


@pytest.mark.parametrize("kind", ["anthropic", "genai"])
def test_a_cap_that_refuses(place: Place, kind: str) -> None:
    """The whole of a refusal by a cap, as it is on the wire."""
    details = {
        "message": 'cap "team" has 0.10 USD left [cap_exceeded]',
        "type": "farthing",
        "code": "cap_exceeded",
        "farthing": {
            "cap": "team",
            "meter": "usd",
            "per": "day",
            "limit": "5",
            "spent": "4.9",
            "reserved": "0",
            "requested": "0.2",
            "remaining": "0.1",
            "caps": [{"cap": "team"}],
            "attempt": "a1",
        },
    }
    headers = {"x-should-retry": "false"}
    place.shop.provider.script({"status": 402, "body": {"error": details}, "headers": headers})
    guard = place.free()
    claude, gemini = guard.wrap(place.claude()), guard.wrap(place.gemini(QUICK))
    ask = {
        "anthropic": lambda: claude.messages.create(**ASK),
        "genai": lambda: gemini.models.generate_content(**SAY),
    }[kind]
    with pytest.raises(farthing.CapExceeded) as caught:
        ask()
    error: Any = caught.value
    sdk = anthropic.APIStatusError if kind == "anthropic" else genai.errors.ClientError
    assert isinstance(error, sdk)
    assert (error.code, error.cap, error.status_code) == ("cap_exceeded", "team", 402)
    assert (error.limit, error.remaining) == (Decimal(5), Decimal("0.1"))
    assert type(error).__name__ == "CapExceeded" and repr(error).startswith("CapExceeded(")
    _survives(error)
    assert place.shop.requests() == 1

    class WithoutTheChain(Exception):
        pass

    assert farthing.find_cap_exceeded(error) is error
    again = WithoutTheChain("402")
    name = "body" if kind == "anthropic" else "details"
    setattr(again, name, getattr(error, name))
    found = farthing.find_cap_exceeded(again)
    assert isinstance(found, farthing.CapExceeded) and found.cap == "team"


@pytest.mark.parametrize("status", [402, 404])
def test_the_sdks_own_errors_stay_their_own(place: Place, status: int) -> None:
    place.shop.provider.default(status=status)
    guard = place.free()
    claude, gemini = guard.wrap(place.claude()), guard.wrap(place.gemini())
    with pytest.raises(anthropic.APIStatusError) as claudes:
        claude.messages.create(**ASK)
    with pytest.raises(genai.errors.ClientError) as geminis:
        gemini.models.generate_content(**SAY)
    for error in (claudes.value, geminis.value):
        assert not isinstance(error, farthing.FarthingError)
        assert type(error).__module__.split(".")[0] in ("anthropic", "google")
    assert geminis.value.code == status


async def test_live_connections_of_a_guarded_client_are_refused(place: Place) -> None:
    client = place.guard(NOTHING, "gemini").wrap(place.gemini())
    for resource in (client.aio.live, client.aio.live.music):
        with pytest.raises(farthing.Denied, match="WebSocket") as caught:
            async with resource.connect(model="gemini-live"):
                pass
        assert caught.value.code == "unknown_endpoint"
    await client.aio.aclose()


# ---- answers


def _cost(line: dict[str, Any]) -> Decimal:
    usage = line["usage"]
    return (usage["input_tokens"] + 5 * usage["output_tokens"]) / Decimal(1_000_000)


def _settled(place: Place, guard: farthing.Guard, reply: object) -> farthing.Receipt:
    """The receipt of the only call, which is what the provider bills."""
    receipt = farthing.receipt(reply)
    assert receipt is not None
    (line,) = place.shop.provider.log()
    (row,) = guard.ledger()
    assert receipt.how == row.how == "usage"
    assert receipt.cost_usd == row.actual_usd == _cost(line)
    assert receipt.attempt == row.id
    return receipt


def test_anthropic_receipts(place: Place) -> None:
    guard = place.guard(DAY, "anthropic")
    place.shop.provider.default(model=CLAUDE)
    client = guard.wrap(place.claude(), project="mill")
    reply = answered(lambda: client.messages.create(**ASK))
    receipt = _settled(place, guard, reply)
    assert receipt.response_id == reply.id
    assert receipt.quantities["output_tokens"] == reply.usage.output_tokens
    raw = client.messages.with_raw_response.create(**ASK)
    assert farthing.receipt(raw) is not None
    assert {row.labels["project"] for row in guard.ledger()} == {"mill"}


@pytest.mark.parametrize("way", ["create", "helper"])
def test_anthropic_streams(place: Place, way: str) -> None:
    guard = place.guard(DAY, "anthropic")
    place.shop.provider.default(model=CLAUDE)
    client = guard.wrap(place.claude())
    if way == "create":
        stream = answered(lambda: client.messages.create(**ASK, stream=True))
        kinds = [event.type for event in stream]
        assert kinds[0] == "message_start" and kinds[-1] == "message_stop"
        _settled(place, guard, stream)
        return
    manager = client.messages.stream(**ASK)
    with answered(manager.__enter__) as stream:
        assert stream.get_final_text()
    _settled(place, guard, stream.response)
    _settled(place, guard, stream.get_final_message())


async def test_async_anthropic(place: Place) -> None:
    guard = place.guard(DAY, "anthropic")
    place.shop.provider.default(model=CLAUDE)
    async with guard.wrap(place.aclaude()) as client:
        stream = await aanswered(lambda: client.messages.create(**ASK, stream=True))
        async for _ in stream:
            pass
        _settled(place, guard, stream)


def test_genai_receipts(place: Place) -> None:
    guard = place.guard(DAY, "gemini")
    client = guard.wrap(place.gemini(), project="mill")
    reply = answered(lambda: client.models.generate_content(**SAY))
    assert reply.text
    receipt = _settled(place, guard, reply)
    assert reply.sdk_http_response.headers["x-farthing-attempt"] == receipt.attempt
    assert [row.labels["project"] for row in guard.ledger()] == ["mill"]


def test_genai_streams(place: Place) -> None:
    guard = place.guard(DAY, "gemini")
    client = guard.wrap(place.gemini())
    chunks = answered(lambda: list(client.models.generate_content_stream(**SAY)))
    assert len(chunks) > 1
    _settled(place, guard, chunks[-1])


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
async def test_async_genai(place: Place, decisions: list[object], stream: bool) -> None:
    guard = place.guard(DAY, "gemini")
    guard.install()  # both see the request; it is one
    async with guard.wrap(place.gemini()).aio as client:
        if stream:
            reply = (
                await aanswered(lambda: _drained(client.models.generate_content_stream(**SAY)))
            )[-1]
        else:
            reply = await aanswered(lambda: client.models.generate_content(**SAY))
    _settled(place, guard, reply)
    assert len(decisions) == 1


@pytest.mark.parametrize("kind", ["anthropic", "gemini", "gemini async"])
def test_attempts_share_one_call(place: Place, kind: str) -> None:
    """R27: two attempts that fail and one that is answered are one call."""
    guard = place.guard(DAY, kind.split()[0])
    place.shop.provider.default(model=CLAUDE if kind == "anthropic" else GEMINI)
    place.shop.provider.script(
        *({"status": 503, "headers": {"retry-after-ms": "1"}} for _ in range(2))
    )
    if kind == "anthropic":
        claude = guard.wrap(place.claude(max_retries=2))
        answered(lambda: claude.messages.create(**ASK))
    elif kind == "gemini":
        gemini = guard.wrap(place.gemini(QUICK))
        answered(lambda: gemini.models.generate_content(**SAY))
    else:
        gemini = guard.wrap(place.gemini(QUICK))

        async def ask() -> None:
            async with gemini.aio as client:
                await aanswered(lambda: client.models.generate_content(**SAY))

        asyncio.run(ask())
    rows = list(guard.ledger())
    assert [row.how for row in rows] == ["usage", "provider_error", "provider_error"]
    assert len({row.call for row in rows}) == 1


async def _awaited(call: Callable[[], Any]) -> Any:
    answer = call()
    return await answer if hasattr(answer, "__await__") else answer


@pytest.mark.parametrize("kind", ["anthropic", "gemini", "gemini async", "interactions"])
def test_attempts_find_one_slot(place: Place, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """R27 without the core: what stands for the call is the same in every attempt, and another in the next call."""
    from farthing._hooks import steps

    slots: list[Any] = []
    original = steps.start

    def seen(*parts: Any) -> Any:
        slots.append(parts[2])
        return original(*parts)

    monkeypatch.setattr(steps, "start", seen)
    place.shop.provider.default(status=503, headers={"retry-after-ms": "1"})
    guard = place.free()
    claude = guard.wrap(place.claude(max_retries=2))
    gemini = guard.wrap(place.gemini(QUICK))
    if kind == "interactions" and not hasattr(gemini, "interactions"):
        pytest.skip("this version has none")
    ways: dict[str, Callable[[], Any]] = {
        "anthropic": lambda: claude.messages.create(**ASK),
        "gemini": lambda: gemini.models.generate_content(**SAY),
        "gemini async": lambda: gemini.aio.models.generate_content(**SAY),
        "interactions": lambda: gemini.interactions.create(model=GEMINI, input="hi"),
    }

    async def ask_twice() -> None:
        for _ in range(2):
            with pytest.raises(Exception, match=r"503|overloaded"):
                await _awaited(ways[kind])
        await gemini.aio.aclose()

    asyncio.run(ask_twice())
    first, second = slots[: len(slots) // 2], slots[len(slots) // 2 :]
    assert len(first) > 1
    assert all(slot is first[0] for slot in first) and all(slot is second[0] for slot in second)
    assert first[0] is not second[0]


# ---- where the SDK would not use httpx


async def test_genai_with_aiohttp_sends_over_httpx(
    place: Place, decisions: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where aiohttp is installed the SDK prefers it, and nobody would see the request."""
    monkeypatch.setattr(genai._api_client, "has_aiohttp", True)
    client = place.gemini()
    place.guard(NOTHING, "gemini").wrap(client)
    assert client._api_client._use_aiohttp(), "only within a call is it another"
    with pytest.raises(farthing.Denied):
        await client.aio.models.generate_content(**SAY)
    assert (place.shop.requests(), len(decisions)) == (0, 1)
    await client._api_client._async_httpx_client.aclose()


async def test_genai_with_a_session_of_the_callers_is_refused(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(genai._api_client, "has_aiohttp", True)
    client = place.gemini()
    place.guard(NOTHING, "gemini").wrap(client)
    options = client._api_client._http_options
    monkeypatch.setattr(type(options), "aiohttp_client", object(), raising=False)
    options.__dict__["aiohttp_client"] = object()
    with pytest.raises(farthing.Unpriced, match="httpx_async_client") as caught:
        await client.aio.models.generate_content(**SAY)
    assert caught.value.code == "unknown_endpoint"
    assert place.shop.requests() == 0


# ---- the whole process


def _run(program: str, place: Place) -> str:
    code = textwrap.dedent(program).replace("URL", repr(place.url))
    code = code.replace("HOST", repr(place.shop.host))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_installed_before_anything_is_imported(place: Place) -> None:
    out = _run(
        """
        import asyncio, sys
        import farthing
        assert not {"httpx", "httpx2", "anthropic", "google"} & set(sys.modules), "we import none of them"
        finders = list(sys.meta_path)
        guard = farthing.Guard(caps=[farthing.Cap("0 USD", per="day")], store="memory:",
                               hosts={HOST: {"provider": "anthropic"}})
        guard.install()
        import anthropic
        from google import genai
        claude = anthropic.Anthropic(base_url=URL, api_key="sk-x")
        gemini = genai.Client(api_key="gk-x", http_options={"base_url": URL})
        ask = dict(model="claude-haiku-4-5", max_tokens=16, messages=[{"role": "user", "content": "x"}])
        say = dict(model="gemini-2.5-flash", contents="x")
        for call, sdk in (
            (lambda: claude.messages.create(**ask), anthropic.APIStatusError),
            (lambda: gemini.models.generate_content(**say), genai.errors.ClientError),
            (lambda: asyncio.run(gemini.aio.models.generate_content(**say)), genai.errors.ClientError),
        ):
            try:
                call()
            except farthing.Denied as error:
                print(isinstance(error, sdk))
        try:
            gemini.aio.live.connect(model="x")
        except farthing.Denied as error:
            print(error.code)
        guard.uninstall()
        print(sys.meta_path == finders)
        """,
        place,
    )
    assert out.split() == ["True", "True", "True", "unknown_endpoint", "True"]
    assert place.shop.requests() == 0


def test_restores_exactly(place: Place) -> None:
    out = _run(
        """
        import sys
        import farthing, anthropic
        from google import genai
        from google.genai import _api_client, errors, live, live_music
        base = anthropic._base_client
        classes = [base.BaseClient, base.SyncAPIClient, base.AsyncAPIClient, _api_client.BaseApiClient,
                   errors.APIError, live.AsyncLive, live_music.AsyncLiveMusic]
        before, finders = [dict(vars(cls)) for cls in classes], list(sys.meta_path)
        guard = farthing.Guard(caps=[farthing.Cap("5 USD", per="day")], store="memory:")
        guard.install()
        changed = [dict(vars(cls)) != was for cls, was in zip(classes, before)]
        guard.uninstall()
        print(changed, [dict(vars(cls)) for cls in classes] == before, sys.meta_path == finders)
        """,
        place,
    )
    assert out.strip() == f"{[True] * 7} True True"


def test_wrapping_again_replaces_the_labels_without_a_warning(place: Place) -> None:
    client = place.gemini()
    guard = place.free()
    assert guard.wrap(client, project="a") is client
    assert guard.wrap(client.aio, project="b") is client.aio
