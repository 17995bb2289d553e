"""Faults in what is said: usage, the stream's events and their form, encodings."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from typing import Any

import openai
import pytest
from openai import OpenAI

from tests.fakes.bare import ASKED, CHAT, events, only_bill, post
from tests.fakes.provider.handle import FakeProvider


@pytest.fixture
def client(provider: FakeProvider) -> Iterator[OpenAI]:
    with OpenAI(base_url=provider.url, api_key="sk-test-abcd", max_retries=0) as made:
        yield made


# ---- usage


@pytest.mark.parametrize(
    ("usage", "shown"),
    [
        ("null", None),
        ("empty", {}),
        ("zero", 0),
        ("huge", 10**15),
        ("negative", -7),
        ("text", "many"),
        ([1], [1]),
    ],
)
def test_usage_shown_wrong_is_billed_right(provider: FakeProvider, usage: Any, shown: Any) -> None:
    plain = json.loads(post(provider, CHAT, usage=usage)[2])
    streamed = events(post(provider, CHAT | ASKED, usage=usage)[2])
    for body in (plain, streamed[-2]):
        if isinstance(shown, (int, str)):
            assert body["usage"]["completion_tokens"] == shown
        else:
            assert body["usage"] == shown
    one, two = provider.log()
    assert one["usage"] == two["usage"]
    assert one["usage"]["output_tokens"] > 0


def test_usage_missing(provider: FakeProvider) -> None:
    assert "usage" not in json.loads(post(provider, CHAT, usage="missing")[2])
    streamed = events(post(provider, CHAT | ASKED, usage="missing")[2])
    assert streamed[-2]["choices"][0]["finish_reason"] == "stop"
    assert all(not event["usage"] for event in streamed[:-1])


def test_usage_in_other_places(provider: FakeProvider) -> None:
    stream = {**CHAT, "stream": True}
    unasked = events(post(provider, stream, usage_in="unasked")[2])
    assert unasked[-2]["choices"] == [] and unasked[-2]["usage"]["total_tokens"] > 0
    finish = events(post(provider, stream, usage_in="finish")[2])
    assert (
        finish[-2]["choices"][0]["finish_reason"] == "stop"
        and finish[-2]["usage"]["total_tokens"] > 0
    )
    groq = events(post(provider, stream, usage_in="x_groq")[2])
    assert groq[-2]["x_groq"]["usage"] == finish[-2]["usage"]
    every = events(post(provider, stream, usage_in="every")[2])[:-1]
    counts = [event["usage"]["completion_tokens"] for event in every]
    assert counts == sorted(counts) and counts[-1] == finish[-2]["usage"]["completion_tokens"]


def test_prelude_and_moderation_chunks(provider: FakeProvider) -> None:
    made = events(post(provider, CHAT | ASKED, prelude=True, moderation=True)[2])
    assert made[0]["choices"] == [] and "usage" not in made[0]
    assert made[-3]["usage"]["total_tokens"] > 0
    assert made[-2]["choices"] == [] and "moderation" in made[-2]


def test_over_limit(provider: FakeProvider) -> None:
    body = json.loads(
        post(provider, {**CHAT, "max_tokens": 5}, output_tokens=40, over_limit=True)[2]
    )
    assert body["usage"]["completion_tokens"] == 40


# ---- broken and odd streams


def test_streams_without_their_end(provider: FakeProvider) -> None:
    no_done = events(post(provider, CHAT | ASKED, ending="no_done")[2])
    no_finish = events(post(provider, CHAT | ASKED, ending="no_finish")[2])
    assert no_done[-1]["usage"] is not None
    assert no_finish[-1]["choices"][0]["finish_reason"] is None
    assert [line["broken"] for line in provider.log()] == ["no_done", "no_finish"]


def test_error_event_in_a_200_stream(provider: FakeProvider, client: OpenAI) -> None:
    provider.script({"ending": "error", "cut_at": 3}, {"ending": "error", "cut_at": 5})
    with pytest.raises(openai.APIError, match="server had an error"):
        list(client.chat.completions.create(**CHAT, **ASKED))
    with pytest.raises(openai.APIError, match="server had an error"):
        list(client.responses.create(model="gpt-4o-mini", input="hello", stream=True))
    one, two = provider.log()
    assert one["usage"]["output_tokens"] == 2 and one["broken"] == two["broken"] == "error"


def test_failed_response(provider: FakeProvider, client: OpenAI) -> None:
    provider.script({"ending": "failed", "output_tokens": 10})
    last = list(client.responses.create(model="gpt-4o-mini", input="hello", stream=True))[-1]
    assert last.type == "response.failed"
    assert last.response.usage is not None and last.response.usage.output_tokens == 10
    assert only_bill(provider)["usage"]["output_tokens"] == 10


@pytest.mark.parametrize(
    "form", ["cr", "crlf", "mixed", "comments", "bom", "multiline", "tight", "ids", "crlf,bom,ids"]
)
def test_forms_of_server_sent_events(provider: FakeProvider, client: OpenAI, form: str) -> None:
    provider.script({}, {"sse": form})
    usual = [chunk.choices for chunk in client.chat.completions.create(**CHAT, **ASKED)]
    if form in (
        "bom",
        "crlf,bom,ids",
    ):  # the client takes a BOM for a part of the first field's name
        raw = post(provider, CHAT | ASKED, sse=form)[2]
        assert raw.startswith(b"\xef\xbb\xbf")
        return
    odd = [chunk.choices for chunk in client.chat.completions.create(**CHAT, **ASKED)]
    assert odd == usual


def test_very_long_event(provider: FakeProvider, client: OpenAI) -> None:
    provider.script({"pad": 2_000_000})
    chunks = list(client.chat.completions.create(**CHAT, **ASKED))
    assert chunks[-1].usage is not None


@pytest.mark.parametrize("seed", range(5))
def test_random_chunks_are_the_same_stream(
    provider: FakeProvider, client: OpenAI, seed: int
) -> None:
    provider.script(
        {"text": "\u00e4\u00f6\u4f60\u597d \U0001f600" * 9},
        {"text": "\u00e4\u00f6\u4f60\u597d \U0001f600" * 9, "chunks": seed},
    )
    usual = [chunk.choices for chunk in client.chat.completions.create(**CHAT, **ASKED)]
    cut = [chunk.choices for chunk in client.chat.completions.create(**CHAT, **ASKED)]
    assert cut == usual


# ---- encodings


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "identity"])
def test_encoded_bodies_and_streams(provider: FakeProvider, client: OpenAI, encoding: str) -> None:
    provider.default(encoding=encoding)
    assert client.chat.completions.create(**CHAT).usage is not None
    assert list(client.chat.completions.create(**CHAT, **ASKED))[-1].usage is not None
    _, headers, body = post(provider, CHAT | ASKED)
    if encoding != "identity":
        assert headers["content-encoding"] == encoding
        assert zlib.decompress(body, 31 if encoding == "gzip" else 15).endswith(b"data: [DONE]\n\n")
