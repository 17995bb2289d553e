"""A refusal: 0 requests on the wire, 1 decision, one typed error, from every way into the SDK (promise 9)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import openai
import pydantic
import pytest

import farthing

from .conftest import CHEAP, MODEL, Shop

NOTHING = farthing.Cap("0 USD", per="day", id="nothing")


class Answer(pydantic.BaseModel):
    text: str


def _responses(client: Any) -> Any:
    return client.responses.create(model=MODEL, input="hello", max_output_tokens=64)


SYNC: dict[str, Callable[[Any], Any]] = {
    "create": lambda c: c.chat.completions.create(**CHEAP),
    "create stream": lambda c: c.chat.completions.create(**CHEAP, stream=True),
    "parse": lambda c: c.chat.completions.parse(**CHEAP, response_format=Answer),
    "stream helper": lambda c: c.chat.completions.stream(**CHEAP).__enter__(),
    "raw": lambda c: c.chat.completions.with_raw_response.create(**CHEAP),
    "streaming_response": lambda c: c.chat.completions.with_streaming_response.create(
        **CHEAP
    ).__enter__(),
    "responses": _responses,
    "responses stream": lambda c: c.responses.create(
        model=MODEL, input="hi", max_output_tokens=64, stream=True
    ),
    "responses stream helper": lambda c: c.responses.stream(
        model=MODEL, input="hi", max_output_tokens=64
    ).__enter__(),
    "embeddings": lambda c: c.embeddings.create(model="text-embedding-3-small", input="hello"),
    "client.post": lambda c: c.post("/chat/completions", body=CHEAP, cast_to=object),
    "images": lambda c: c.images.generate(model="gpt-image-1", prompt="a cat"),
    "transcription": lambda c: c.audio.transcriptions.create(
        model="whisper-1", file=("a.wav", b"RIFF0000")
    ),
    "speech": lambda c: c.audio.speech.create(model="tts-1", voice="alloy", input="hi"),
    "with_options": lambda c: c.with_options(timeout=5).chat.completions.create(**CHEAP),
}

ASYNC: dict[str, Callable[[Any], Any]] = {
    **SYNC,
    "stream helper": lambda c: c.chat.completions.stream(**CHEAP).__aenter__(),
    "streaming_response": lambda c: c.chat.completions.with_streaming_response.create(
        **CHEAP
    ).__aenter__(),
    "responses stream helper": lambda c: c.responses.stream(
        model=MODEL, input="hi", max_output_tokens=64
    ).__aenter__(),
}

RETRIES: list[dict[str, int]] = [{"max_retries": 0}, {}, {"max_retries": 10}]


@pytest.mark.parametrize("retries", RETRIES, ids=["0", "default", "10"])
@pytest.mark.parametrize("way", SYNC)
def test_sync(shop: Shop, decisions: list[object], way: str, retries: dict[str, int]) -> None:
    options = {"max_retries": openai.DEFAULT_MAX_RETRIES, **retries}
    client = shop.guard(NOTHING).wrap(shop.client(**options))
    with pytest.raises(farthing.Denied) as caught:
        SYNC[way](client)
    assert isinstance(caught.value, openai.APIStatusError)
    assert (shop.requests(), len(decisions)) == (0, 1)


@pytest.mark.parametrize("retries", RETRIES, ids=["0", "default", "10"])
@pytest.mark.parametrize("way", ASYNC)
async def test_async(
    shop: Shop, decisions: list[object], way: str, retries: dict[str, int]
) -> None:
    options = {"max_retries": openai.DEFAULT_MAX_RETRIES, **retries}
    async with shop.guard(NOTHING).wrap(shop.aclient(**options)) as client:
        with pytest.raises(farthing.Denied) as caught:
            await ASYNC[way](client)
    assert isinstance(caught.value, openai.APIStatusError)
    assert (shop.requests(), len(decisions)) == (0, 1)


def _azure(shop: Shop) -> dict[str, Any]:
    return {
        "azure_endpoint": shop.provider.azure_endpoint,
        "api_key": "az-1",
        "api_version": "2024-10-21",
        "max_retries": 2,
    }


def test_azure(shop: Shop, decisions: list[object]) -> None:
    with openai.AzureOpenAI(**_azure(shop)) as client:
        shop.guard(NOTHING).wrap(client)
        with pytest.raises(farthing.CapExceeded):
            client.chat.completions.create(**CHEAP)
    assert (shop.requests(), len(decisions)) == (0, 1)


async def test_async_azure(shop: Shop, decisions: list[object]) -> None:
    async with openai.AsyncAzureOpenAI(**_azure(shop)) as client:
        shop.guard(NOTHING).wrap(client)
        with pytest.raises(farthing.CapExceeded):
            await client.chat.completions.create(**CHEAP)
    assert (shop.requests(), len(decisions)) == (0, 1)


def test_azure_deployment_of_another_name_is_named_by_wrap(shop: Shop) -> None:
    """R31: an unknown deployment is refused with what to add; `deployments=` makes it a model."""
    guard = shop.guard(farthing.Cap("5 USD", per="day"))
    ask = {**CHEAP, "model": "prod-chat"}
    with openai.AzureOpenAI(**_azure(shop)) as client:
        guard.wrap(client)
        with pytest.raises(farthing.Unpriced, match="prod-chat") as caught:
            client.chat.completions.create(**ask)
        assert caught.value.code == "unpriced_model"
        assert 'wrap(client, deployments={"prod-chat": "gpt-5-mini"})' in str(caught.value)
        assert 'deployments = { "prod-chat" = "gpt-5-mini" }' in str(caught.value)
        guard.wrap(client, deployments={"prod-chat": MODEL})
        client.chat.completions.create(**ask)
    assert next(guard.ledger()).model == MODEL


@pytest.mark.parametrize("by", ["wrap", "install"])
def test_module_level_client(
    shop: Shop, decisions: list[object], monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    monkeypatch.setattr(openai, "api_key", "sk-test-0001")
    monkeypatch.setattr(openai, "base_url", shop.provider.url + "/")
    monkeypatch.setattr(openai, "_client", None)
    monkeypatch.setattr(openai, "http_client", None)
    guard = shop.guard(NOTHING)
    if by == "wrap":
        assert guard.wrap(openai) is openai
    else:
        guard.install()
    try:
        with pytest.raises(farthing.CapExceeded):
            openai.chat.completions.create(**CHEAP)
    finally:
        guard.uninstall()
        openai._client.close()  # type: ignore[attr-defined]
    assert (shop.requests(), len(decisions)) == (0, 1)


def test_a_refusal_changes_nothing(shop: Shop) -> None:
    """R2: no amount, no hold, no row."""
    guard = shop.guard(farthing.Cap("0.000000001 USD", per="day", id="tiny"))
    client = guard.wrap(shop.client())
    with pytest.raises(farthing.CapExceeded):
        client.chat.completions.create(**CHEAP)
    status = guard.status()
    assert status.open_holds == 0
    assert [(c.cap.spent, c.cap.reserved) for c in status.counters] == [(0, 0)]
    assert list(guard.ledger()) == []
    assert len(guard.denials()) == 1


def test_free_calls_pass_untouched(shop: Shop, decisions: list[object]) -> None:
    guard = shop.guard(NOTHING)
    client = guard.wrap(shop.client())
    assert client.models.list().data
    client.moderations.create(input="hello")
    assert shop.requests() == 2
    assert list(guard.ledger()) == []


SOCKETS = {"realtime", "responses", "live", "beta.realtime", "beta.responses"}


def _sockets(client: Any) -> dict[str, Any]:
    """What can open a WebSocket, of the client and one level below it, in the installed version."""
    named = {name: name for name in dir(client) if not name.startswith("_")}
    named |= {f"beta.{name}": name for name in dir(client.beta) if not name.startswith("_")}
    found = {}
    for path, name in named.items():
        resource = getattr(client.beta if "." in path else client, name, None)
        if hasattr(type(resource), "connect"):
            found[path] = resource
    return found


@pytest.mark.parametrize("by", ["wrap", "install"])
@pytest.mark.parametrize("way", ["sync", "async"])
def test_websockets_of_a_guarded_client_are_refused(shop: Shop, way: str, by: str) -> None:
    guard = shop.guard(NOTHING)
    client: Any = shop.aclient() if way == "async" else shop.client()
    guard.install() if by == "install" else guard.wrap(client)
    try:
        sockets = _sockets(client)
        for name, resource in sockets.items():
            with pytest.raises(farthing.Denied, match="WebSocket") as caught:
                resource.connect()
            assert caught.value.code == "unknown_endpoint", name
    finally:
        guard.uninstall()
    if int(openai.__version__.split(".")[0]) >= 3:
        assert sockets.keys() >= SOCKETS


def test_a_raw_http_client_gets_the_402(shop: Shop) -> None:
    """Without an SDK there is no error to raise: the answer is a response, and says what the error would."""
    import httpx

    with httpx.Client() as http:
        shop.guard(NOTHING).wrap(http)
        answer = http.post(
            f"{shop.provider.url}/chat/completions",
            json=CHEAP,
            headers={"authorization": "Bearer sk-test-0001"},
        )
        assert answer.status_code == 402
        assert answer.headers["x-should-retry"] == "false"
        assert answer.json()["error"]["code"] == "cap_exceeded"
        assert answer.elapsed.total_seconds() == 0
        denied = farthing.find_cap_exceeded(answer)
        assert isinstance(denied, farthing.CapExceeded) and denied.cap == "nothing"
        with pytest.raises(httpx.HTTPStatusError) as caught:
            answer.raise_for_status()
        assert isinstance(farthing.find_cap_exceeded(caught.value), farthing.CapExceeded)
    assert shop.requests() == 0
