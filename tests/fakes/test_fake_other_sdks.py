"""The fake answers the real clients of anthropic and google-genai, and logs what it would bill."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.fakes.provider.handle import FakeProvider

anthropic = pytest.importorskip("anthropic")
genai = pytest.importorskip("google.genai")

ASK: dict[str, Any] = {
    "model": "claude-haiku-4-5",
    "max_tokens": 100,
    "messages": [{"role": "user", "content": "Say hello to the mill, please."}],
}
SAY: dict[str, Any] = {
    "model": "gemini-2.5-flash",
    "contents": "Say hello to the mill, please.",
}
PLACE = {"type": "object", "properties": {"path": {"type": "string"}}}


@pytest.fixture
def claude(provider: FakeProvider) -> Iterator[Any]:
    url = provider.url.removesuffix("/v1")
    with anthropic.Anthropic(base_url=url, api_key="sk-ant-abcd", max_retries=0) as made:
        yield made


@pytest.fixture
def gemini(provider: FakeProvider) -> Iterator[Any]:
    options = {"base_url": provider.url.removesuffix("/v1")}
    with genai.Client(api_key="gk-abcd", http_options=options) as made:
        yield made


def billed(provider: FakeProvider) -> dict[str, Any]:
    (line,) = provider.log()
    assert line["api_key_last4"] == "abcd"
    usage: dict[str, Any] = line["usage"]
    return usage


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("cached", [0, 3])
def test_messages(provider: FakeProvider, claude: Any, stream: bool, cached: int) -> None:
    provider.default(cached_tokens=cached)
    if stream:
        with claude.messages.stream(**ASK) as events:
            message = events.get_final_message()
    else:
        message = claude.messages.create(**ASK)
    usage = billed(provider)
    assert message.usage.output_tokens == usage["output_tokens"] > 0
    assert message.usage.cache_read_input_tokens == usage["cached_tokens"] == cached
    assert message.usage.input_tokens == usage["input_tokens"] - cached
    assert message.stop_reason == "end_turn"
    assert len(message.content[0].text.split()) == usage["output_tokens"]
    assert provider.log()[0]["response_id"] == message.id


def test_messages_limit_and_errors(provider: FakeProvider, claude: Any) -> None:
    message = claude.messages.create(**{**ASK, "max_tokens": 3})
    assert (message.stop_reason, message.usage.output_tokens) == ("max_tokens", 3)
    with pytest.raises(anthropic.NotFoundError) as caught:
        claude.messages.create(**{**ASK, "model": "no-such"})
    assert caught.value.body["error"]["type"] == "not_found_error"
    provider.script({"status": 529})
    with pytest.raises(anthropic.APIStatusError, match="overloaded_error"):
        claude.messages.create(**ASK)
    assert claude.messages.count_tokens(model="claude-haiku-4-5", messages=ASK["messages"])
    assert len(provider.log()) == 1


@pytest.mark.parametrize("stream", [False, True])
def test_messages_tools(claude: Any, stream: bool) -> None:
    tools: Any = [{"name": "read_file", "input_schema": PLACE}]
    if stream:
        with claude.messages.stream(**ASK, tools=tools) as events:
            message = events.get_final_message()
    else:
        message = claude.messages.create(**ASK, tools=tools)
    (block,) = message.content
    assert (block.name, block.input, message.stop_reason) == (
        "read_file",
        {"path": "copper"},
        "tool_use",
    )


@pytest.mark.parametrize("stream", [False, True])
def test_generate_content(provider: FakeProvider, gemini: Any, stream: bool) -> None:
    if stream:
        chunks = list(gemini.models.generate_content_stream(**SAY))
        reply, text = chunks[-1], "".join(chunk.text for chunk in chunks)
        shown = [chunk.usage_metadata.total_token_count for chunk in chunks]
        assert len(chunks) > 5 and shown == sorted(shown)
    else:
        reply = gemini.models.generate_content(**SAY)
        text = reply.text
    usage, shown = billed(provider), reply.usage_metadata
    assert shown.prompt_token_count == usage["input_tokens"]
    thoughts = shown.thoughts_token_count or 0
    assert thoughts == usage["reasoning_tokens"]
    assert shown.candidates_token_count + thoughts == usage["output_tokens"]
    assert shown.total_token_count == usage["input_tokens"] + usage["output_tokens"]
    assert len(text.split()) == shown.candidates_token_count
    assert reply.candidates[0].finish_reason == "STOP"
    assert provider.log()[0]["response_id"] == reply.response_id


def test_generate_content_limit_and_errors(provider: FakeProvider, gemini: Any) -> None:
    config: Any = {
        "max_output_tokens": 3,
        "candidate_count": 2,
        "thinking_config": {"thinking_budget": 0},
    }
    reply = gemini.models.generate_content(**SAY, config=config)
    assert [one.finish_reason for one in reply.candidates] == ["MAX_TOKENS"] * 2
    assert billed(provider)["output_tokens"] == 6
    with pytest.raises(genai.errors.ClientError) as caught:
        gemini.models.generate_content(model="no-such", contents="hi")
    assert (caught.value.code, caught.value.status) == (404, "NOT_FOUND")
    assert gemini.models.count_tokens(**SAY).total_tokens > 0
    assert len(provider.log()) == 1


def test_generate_content_tools(gemini: Any) -> None:
    declared = {"name": "read_file", "parameters_json_schema": PLACE}
    config: Any = {"tools": [{"function_declarations": [declared]}]}
    (call,) = gemini.models.generate_content(**SAY, config=config).function_calls
    assert (call.name, call.args) == ("read_file", {"path": "copper"})


def test_a_stream_without_sse_is_a_list(provider: FakeProvider) -> None:
    import httpx

    with httpx.Client() as http:
        url = provider.url.removesuffix("/v1")
        answer = http.post(
            f"{url}/v1beta/models/gemini-2.5-flash:streamGenerateContent",
            json={"contents": [{"parts": [{"text": "hi"}]}]},
            headers={"x-goog-api-key": "gk-abcd"},
        )
    assert answer.json()[-1]["candidates"][0]["finishReason"] == "STOP"
