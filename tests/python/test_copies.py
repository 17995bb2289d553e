"""`with_options` and `copy` of a guarded client (R32): what they make is guarded, also with another HTTP client."""

from __future__ import annotations

import asyncio
from typing import Any

import openai
import pytest

import farthing

from .conftest import CHEAP

NOTHING = farthing.Cap("0 USD", per="day", id="nothing")
DAY = farthing.Cap("5 USD", per="day", id="day")
CLAUDE = "claude-haiku-4-5"
ASK: dict[str, Any] = {"model": CLAUDE, "max_tokens": 64, "messages": CHEAP["messages"]}

SAID = {"index": 0, "message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop"}
CHAT = {
    "id": "c",
    "object": "chat.completion",
    "created": 1,
    "model": CHEAP["model"],
    "choices": [SAID],
    "usage": {"prompt_tokens": 9, "completion_tokens": 5, "total_tokens": 14},
}
MESSAGE = {
    "id": "m",
    "type": "message",
    "role": "assistant",
    "model": CLAUDE,
    "content": [{"type": "text", "text": "hi"}],
    "stop_reason": "end_turn",
    "usage": {"input_tokens": 9, "output_tokens": 5},
}


class Sdk:
    """Clients of one SDK, sync or async, over a transport that notes what it is given."""

    def __init__(self, name: str, way: str) -> None:
        self.way = way
        self.sdk = pytest.importorskip(name)
        newer = int(self.sdk.__version__.split(".")[0]) >= {"openai": 3, "anthropic": 1}[name]
        self.stack = pytest.importorskip("httpx2" if newer else "httpx")
        self.answer = CHAT if name == "openai" else MESSAGE
        self.kind = {"openai": "OpenAI", "anthropic": "Anthropic"}[name]
        self.wire: list[str] = []

    def http(self, stack: Any = None) -> Any:
        stack = stack or self.stack

        def handle(request: Any) -> Any:
            self.wire.append(request.url.host)
            return stack.Response(200, json=self.answer)

        kind = stack.AsyncClient if self.way == "async" else stack.Client
        return kind(transport=stack.MockTransport(handle))

    def client(self, **more: Any) -> Any:
        kind = getattr(self.sdk, f"{'Async' if self.way == 'async' else ''}{self.kind}")
        return kind(**{"api_key": "k", "http_client": self.http(), "max_retries": 2, **more})

    def ask(self, client: Any) -> Any:
        if self.kind == "Anthropic":
            create, ask = client.messages.create, ASK
        else:
            create, ask = client.chat.completions.create, CHEAP
        if self.way == "sync":
            return create(**ask)

        async def main() -> Any:
            return await create(**ask)

        return asyncio.run(main())


@pytest.fixture(params=["openai-sync", "openai-async", "anthropic-sync", "anthropic-async"])
def sdk(request: pytest.FixtureRequest) -> Sdk:
    return Sdk(*request.param.split("-"))


@pytest.mark.parametrize("verb", ["with_options", "copy"])
def test_a_copy_with_an_http_client_of_its_own_is_held(
    sdk: Sdk, decisions: list[object], verb: str
) -> None:
    client = farthing.Guard(caps=[NOTHING], store="memory:").wrap(sdk.client())
    made = getattr(client, verb)(http_client=sdk.http())
    for one in (made, made.with_options(timeout=5), made.copy(http_client=sdk.http())):
        decisions.clear()
        with pytest.raises(farthing.CapExceeded):
            sdk.ask(one)
        assert (sdk.wire, len(decisions)) == ([], 1)


def test_a_copy_is_booked_under_the_labels_of_its_original(sdk: Sdk) -> None:
    guard = farthing.Guard(caps=[DAY], store="memory:")
    made = guard.wrap(sdk.client(), project="web").with_options(http_client=sdk.http())
    sdk.ask(made)
    (row,) = guard.ledger()
    assert (row.how, row.labels["project"]) == ("usage", "web")
    guard.wrap(made, project="shop")  # without the warning about HTTP clients that are shared
    sdk.ask(made)
    assert next(guard.ledger()).labels["project"] == "shop"


def test_an_http_client_that_is_guarded_keeps_its_guard(sdk: Sdk) -> None:
    guard, other = (farthing.Guard(caps=[DAY], store="memory:") for _ in range(2))
    http = other.wrap(sdk.http(), project="scripts")
    sdk.ask(guard.wrap(sdk.client(), project="web").with_options(http_client=http))
    assert list(guard.ledger()) == []
    assert [row.labels["project"] for row in other.ledger()] == ["scripts"]


def test_a_copy_of_a_client_that_is_not_guarded_is_not(sdk: Sdk) -> None:
    guard = farthing.Guard(caps=[NOTHING], store="memory:")
    guard.wrap(sdk.client())  # its classes are hooked
    sdk.ask(sdk.client().with_options(http_client=sdk.http()))
    assert len(sdk.wire) == 1


def test_the_copy_of_the_module_level_client_is_held(monkeypatch: pytest.MonkeyPatch) -> None:
    sdk = Sdk("openai", "sync")
    monkeypatch.setattr(openai, "api_key", "k")
    monkeypatch.setattr(openai, "http_client", sdk.http())
    monkeypatch.setattr(openai, "_client", None)
    farthing.Guard(caps=[NOTHING], store="memory:").wrap(openai)
    made = openai._load_client().with_options(http_client=sdk.http())  # type: ignore[attr-defined]
    with pytest.raises(farthing.CapExceeded):
        sdk.ask(made)
    assert sdk.wire == []


@pytest.mark.skipif(int(openai.__version__.split(".")[0]) < 3, reason="before, httpx is its own")
@pytest.mark.parametrize("way", ["sync", "async"])
@pytest.mark.parametrize("by", ["wrap", "copy", "install"])
def test_a_client_of_httpx_inside_openai_3(way: str, by: str, decisions: list[object]) -> None:
    """It may be given one of the family that it does not stand on."""
    sdk, httpx = Sdk("openai", way), pytest.importorskip("httpx")
    guard = farthing.Guard(caps=[DAY], store="memory:")
    if by == "copy":
        client = guard.wrap(sdk.client()).with_options(http_client=sdk.http(httpx))
    else:
        client = sdk.client(http_client=sdk.http(httpx))
        guard.install() if by == "install" else guard.wrap(client)
    try:
        sdk.ask(client)
        assert [row.how for row in guard.ledger()] == ["usage"]
        guard.set_limit("day", "0 USD")
        with pytest.raises(farthing.CapExceeded) as caught:
            sdk.ask(client)
    finally:
        guard.uninstall()
    assert isinstance(caught.value, openai.APIStatusError)
    assert (len(sdk.wire), len(decisions)) == (1, 2)
