"""The fake answers the real OpenAI client as the real provider does, and logs what it would bill."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Iterator
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI, AzureOpenAI, OpenAI

from tests.fakes.provider.handle import FakeProvider

HELLO: Any = [{"role": "user", "content": "Say hello to the mill, please."}]
TOOLS: Any = [
    {
        "type": "function",
        "function": {
            "name": "read_file",
            "parameters": {
                "type": "object",
                "properties": {"path": {"type": "string"}, "line": {"type": "integer"}},
            },
        },
    },
    {
        "type": "function",
        "function": {"name": "run_tests", "parameters": {"type": "object", "properties": {}}},
    },
]


@pytest.fixture
def client(provider: FakeProvider) -> Iterator[OpenAI]:
    with OpenAI(base_url=provider.url, api_key="sk-test-abcd", max_retries=0) as made:
        yield made


def billed(provider: FakeProvider) -> dict[str, Any]:
    lines = provider.log()
    assert len(lines) == 1, lines
    return lines[0]


def test_plain_chat_is_billed_as_it_says(provider: FakeProvider, client: OpenAI) -> None:
    reply = client.chat.completions.create(model="gpt-4o-mini", messages=HELLO)
    line = billed(provider)
    assert reply.usage is not None
    assert reply.model == line["model"] == "gpt-4o-mini-2024-07-18"
    assert reply.id == line["response_id"]
    assert reply._request_id == line["request_id"]
    assert reply.choices[0].finish_reason == "stop"
    assert len(reply.choices[0].message.content.split()) == reply.usage.completion_tokens  # type: ignore[union-attr]
    assert line["usage"] == {
        "input_tokens": reply.usage.prompt_tokens,
        "cached_tokens": 0,
        "output_tokens": reply.usage.completion_tokens,
        "reasoning_tokens": 0,
    }
    assert (line["api_key_last4"], line["retry_count"], line["endpoint"]) == (
        "abcd",
        0,
        "chat.completions",
    )
    assert not line["disconnected"] and line["broken"] is None


def test_same_text_same_answer_whatever_options(provider: FakeProvider, client: OpenAI) -> None:
    first = client.chat.completions.create(model="gpt-4o-mini", messages=HELLO)
    again = client.chat.completions.create(
        model="gpt-4o-mini", messages=HELLO, max_tokens=4000, temperature=0
    )
    assert first.choices[0].message.content == again.choices[0].message.content


def test_input_never_exceeds_the_bytes(provider: FakeProvider, client: OpenAI) -> None:
    for text in ("", "x", "h\u00e9llo", "\u4f60\u597d" * 50, "word " * 1000):
        reply = client.chat.completions.create(
            model="gpt-4o-mini", messages=[{"role": "user", "content": text}]
        )
        assert reply.usage is not None
        assert 1 <= reply.usage.prompt_tokens <= max(4, len(text.encode()) + len("user"))


@pytest.mark.parametrize(
    ("model", "name"), [("gpt-4o-mini", "max_tokens"), ("gpt-5-mini", "max_completion_tokens")]
)
def test_chat_limit_is_honoured(
    provider: FakeProvider, client: OpenAI, model: str, name: str
) -> None:
    extra: Any = {name: 5}
    reply = client.chat.completions.create(model=model, messages=HELLO, **extra)
    assert reply.usage is not None
    assert reply.usage.completion_tokens == 5
    assert reply.choices[0].finish_reason == "length"


def test_reasoning_models_refuse_max_tokens(provider: FakeProvider, client: OpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match="max_completion_tokens"):
        client.chat.completions.create(model="gpt-5-mini", messages=HELLO, max_tokens=100)
    assert provider.log() == []


def test_reasoning_counts_as_output(provider: FakeProvider, client: OpenAI) -> None:
    provider.script({"reasoning_tokens": 128, "output_tokens": 150})
    reply = client.chat.completions.create(model="gpt-5", messages=HELLO)
    assert reply.usage is not None and reply.usage.completion_tokens_details is not None
    assert reply.usage.completion_tokens == 150
    assert reply.usage.completion_tokens_details.reasoning_tokens == 128
    assert len(str(reply.choices[0].message.content).split()) == 22


def test_several_choices_add_up(provider: FakeProvider, client: OpenAI) -> None:
    reply = client.chat.completions.create(model="gpt-4o-mini", messages=HELLO, n=3, max_tokens=4)
    assert reply.usage is not None
    assert len(reply.choices) == 3
    assert reply.usage.completion_tokens == 12


def test_stream_shows_usage_only_when_asked(provider: FakeProvider, client: OpenAI) -> None:
    asked = list(
        client.chat.completions.create(
            model="gpt-4o-mini", messages=HELLO, stream=True, stream_options={"include_usage": True}
        )
    )
    unasked = list(client.chat.completions.create(model="gpt-4o-mini", messages=HELLO, stream=True))
    assert asked[-1].choices == [] and asked[-1].usage is not None
    assert all(chunk.usage is None for chunk in [*asked[:-1], *unasked])
    assert unasked[-1].choices[0].finish_reason == "stop"
    assert asked[0].choices[0].delta.role == "assistant"
    for line in provider.log():
        assert line["usage"]["output_tokens"] == asked[-1].usage.completion_tokens
        assert line["stream"] is True


def test_stream_text_is_the_plain_text(provider: FakeProvider, client: OpenAI) -> None:
    plain = client.chat.completions.create(model="gpt-4o-mini", messages=HELLO)
    stream = client.chat.completions.create(model="gpt-4o-mini", messages=HELLO, stream=True)
    text = "".join(chunk.choices[0].delta.content or "" for chunk in stream)
    assert text == plain.choices[0].message.content


def test_tools_are_called_in_turn_then_answered(provider: FakeProvider, client: OpenAI) -> None:
    messages: Any = list(HELLO)
    names = []
    for _ in range(5):
        reply = client.chat.completions.create(model="gpt-4.1", messages=messages, tools=TOOLS)
        message = reply.choices[0].message
        messages.append(message.model_dump(exclude_none=True))
        if not message.tool_calls:
            break
        assert reply.choices[0].finish_reason == "tool_calls"
        for call in message.tool_calls:
            assert call.type == "function"
            names.append((call.function.name, json.loads(call.function.arguments)))
            messages.append({"role": "tool", "tool_call_id": call.id, "content": "ok"})
    assert names == [("read_file", {"path": "copper", "line": 7}), ("run_tests", {})]
    assert messages[-1]["content"]


def test_tool_calls_stream(provider: FakeProvider, client: OpenAI) -> None:
    provider.script({"tool": {"name": "run_tests", "arguments": {"only": "money"}}})
    with client.chat.completions.stream(model="gpt-4.1", messages=HELLO, tools=TOOLS) as stream:
        reply = stream.get_final_completion()
    call = reply.choices[0].message.tool_calls[0]  # type: ignore[index]
    assert (call.function.name, json.loads(call.function.arguments)) == (
        "run_tests",
        {"only": "money"},
    )


def test_responses_plain_and_streamed_agree(provider: FakeProvider, client: OpenAI) -> None:
    plain = client.responses.create(model="gpt-5-mini", input="Say hello to the mill.")
    events = list(
        client.responses.create(model="gpt-5-mini", input="Say hello to the mill.", stream=True)
    )
    assert events[0].type == "response.created"
    last = events[-1]
    assert last.type == "response.completed"
    assert last.response.output_text == plain.output_text != ""
    assert last.response.usage == plain.usage
    assert (
        "".join(e.delta for e in events if e.type == "response.output_text.delta")
        == plain.output_text
    )
    assert [e.sequence_number for e in events] == list(range(len(events)))
    first, second = provider.log()
    assert first["usage"] == second["usage"]
    assert first["usage"]["output_tokens"] == plain.usage.output_tokens  # type: ignore[union-attr]


def test_responses_cut_by_the_limit_are_incomplete(provider: FakeProvider, client: OpenAI) -> None:
    provider.default(output_tokens=500, reasoning_tokens=0)
    reply = client.responses.create(model="gpt-5-mini", input="hello", max_output_tokens=16)
    events = list(
        client.responses.create(
            model="gpt-5-mini", input="hello", max_output_tokens=16, stream=True
        )
    )
    assert (
        reply.status == "incomplete" and reply.usage is not None and reply.usage.output_tokens == 16
    )
    assert events[-1].type == "response.incomplete"
    with pytest.raises(openai.BadRequestError, match="minimum"):
        client.responses.create(model="gpt-5-mini", input="hello", max_output_tokens=15)


def test_responses_tools_and_previous_context(provider: FakeProvider, client: OpenAI) -> None:
    tools: Any = [{"type": "function", **TOOLS[0]["function"], "strict": False}]
    first = client.responses.create(model="gpt-4.1", input="look", tools=tools)
    assert first.output[0].type == "function_call"
    assert first.usage is not None
    then = client.responses.create(
        model="gpt-4.1", input="and", previous_response_id=first.id, tools=tools
    )
    assert then.usage is not None
    assert then.usage.input_tokens > first.usage.total_tokens


def test_structured_output_fits_its_schema(provider: FakeProvider, client: OpenAI) -> None:
    from pydantic import BaseModel

    class Coin(BaseModel):
        name: str
        worth: float
        old: bool

    reply = client.chat.completions.parse(model="gpt-4o-mini", messages=HELLO, response_format=Coin)
    assert reply.choices[0].message.parsed == Coin(name="copper", worth=7.5, old=True)
    answer = client.responses.parse(model="gpt-4o-mini", input="a coin", text_format=Coin)
    assert answer.output_parsed == Coin(name="copper", worth=7.5, old=True)


def test_embeddings_as_floats_and_base64(provider: FakeProvider, client: OpenAI) -> None:
    default = client.embeddings.create(model="text-embedding-3-small", input=["one", "two"])
    floats = client.embeddings.create(
        model="text-embedding-3-small", input=["one", "two"], encoding_format="float"
    )
    coded = client.embeddings.create(
        model="text-embedding-3-small", input="one", encoding_format="base64", dimensions=256
    )
    assert len(default.data) == 2 and len(default.data[0].embedding) == 1536
    assert default.data[0].embedding == pytest.approx(floats.data[0].embedding)
    raw: Any = coded.data[0].embedding
    assert len(base64.b64decode(raw)) == 256 * 4
    assert all(
        line["usage"]["output_tokens"] == 0 < line["usage"]["input_tokens"]
        for line in provider.log()
    )


def test_old_completions(provider: FakeProvider, client: OpenAI) -> None:
    reply = client.completions.create(model="gpt-3.5-turbo-instruct", prompt="Once", max_tokens=6)
    assert reply.usage is not None and reply.usage.completion_tokens == 6
    stream = client.completions.create(
        model="gpt-3.5-turbo-instruct", prompt="Once", max_tokens=6, stream=True
    )
    assert "".join(chunk.choices[0].text for chunk in stream) == reply.choices[0].text


def test_cached_tier_and_served_model(provider: FakeProvider, client: OpenAI) -> None:
    provider.script(
        {"input_tokens": 1000, "cached_tokens": 640, "service_tier": "flex", "model": "gpt-5-next"},
        {"input_tokens": 1000, "cached_share": 0.25},
    )
    one = client.chat.completions.create(model="gpt-5", messages=HELLO)
    two = client.chat.completions.create(model="gpt-5", messages=HELLO, service_tier="priority")
    assert one.usage is not None and one.usage.prompt_tokens_details is not None
    assert (one.usage.prompt_tokens_details.cached_tokens, one.service_tier, one.model) == (
        640,
        "flex",
        "gpt-5-next",
    )
    assert two.service_tier == "priority"
    assert [line["usage"]["cached_tokens"] for line in provider.log()] == [640, 250]
    assert [line["service_tier"] for line in provider.log()] == ["flex", "priority"]


def test_azure_paths(provider: FakeProvider) -> None:
    azure = AzureOpenAI(
        azure_endpoint=provider.azure_endpoint,
        api_key="azure-key-wxyz",
        api_version="2024-10-21",
        max_retries=0,
    )
    with azure:
        plain = azure.chat.completions.create(model="gpt-4o-mini", messages=HELLO)
        chunks = list(
            azure.chat.completions.create(model="gpt-4o-mini", messages=HELLO, stream=True)
        )
    assert plain.model == "gpt-4o-mini-2024-07-18"
    assert chunks[0].choices == [] and chunks[0].usage is None
    assert [line["api_key_last4"] for line in provider.log()] == ["wxyz", "wxyz"]
    assert provider.log()[0]["path"] == "/openai/deployments/gpt-4o-mini/chat/completions"


def test_free_and_unknown_requests_are_not_billed(provider: FakeProvider, client: OpenAI) -> None:
    assert "gpt-5-mini" in [model.id for model in client.models.list()]
    assert client.models.retrieve("gpt-5").id == "gpt-5"
    assert client.moderations.create(input="hello").results[0].flagged is False
    assert client.responses.input_tokens.count(model="gpt-5", input="hello there").input_tokens > 0
    with pytest.raises(openai.NotFoundError, match="Invalid URL"):
        client.post("/no/such/thing", cast_to=object, body={})
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("gpt-9")
    assert provider.log() == []


def test_async_client_many_at_once(provider: FakeProvider) -> None:
    async def ask() -> list[Any]:
        async with AsyncOpenAI(base_url=provider.url, api_key="sk-test", max_retries=0) as client:
            plain = [
                client.chat.completions.create(model="gpt-4o-mini", messages=HELLO)
                for _ in range(20)
            ]
            stream = await client.chat.completions.create(
                model="gpt-4o-mini", messages=HELLO, stream=True
            )
            chunks = [chunk async for chunk in stream]
            return [*await asyncio.gather(*plain), chunks]

    replies = asyncio.run(ask())
    assert len({reply.id for reply in replies[:20]}) == 20
    assert len(provider.log()) == 21
    assert provider.stats()["by_path"] == {"POST /v1/chat/completions": 21}


def test_the_log_file_is_the_log(provider: FakeProvider, client: OpenAI) -> None:
    client.chat.completions.create(model="gpt-4o-mini", messages=HELLO)
    client.embeddings.create(model="text-embedding-3-small", input="one")
    assert provider.log_path is not None
    lines = [json.loads(line) for line in provider.log_path.read_text().splitlines()]
    assert lines == provider.log()
    assert "sk-test" not in provider.log_path.read_text()
