"""Every fault on demand, seen from the real OpenAI client or from the bare bytes."""

from __future__ import annotations

import asyncio
import http.client
import json
import socket
import threading
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import httpx2
import openai
import pytest
from openai import AsyncOpenAI, OpenAI

from tests.fakes.provider.handle import FakeProvider

HELLO: Any = [{"role": "user", "content": "Say hello to the mill, please."}]
CHAT: Any = {"model": "gpt-4o-mini", "messages": HELLO}
ASKED: Any = {"stream": True, "stream_options": {"include_usage": True}}

# A stream's own transport errors reach the user unwrapped.
TRANSPORT_ERRORS = (openai.APIError, httpx.TransportError, httpx2.TransportError)


@pytest.fixture
def client(provider: FakeProvider) -> Iterator[OpenAI]:
    with OpenAI(base_url=provider.url, api_key="sk-test-abcd", max_retries=0) as made:
        yield made


def post(
    provider: FakeProvider, asked: dict[str, Any], /, **control: Any
) -> tuple[int, dict[str, str], bytes]:
    """A request without any SDK; `control` goes into x-fake-* headers."""
    headers = {
        f"x-fake-{name.replace('_', '-')}": json.dumps(value) for name, value in control.items()
    }
    connection = http.client.HTTPConnection("127.0.0.1", provider.port, timeout=10)
    try:
        connection.request("POST", "/v1/chat/completions", json.dumps(asked), headers)
        answer = connection.getresponse()
        return (
            answer.status,
            {name.lower(): value for name, value in answer.getheaders()},
            answer.read(),
        )
    finally:
        connection.close()


def events(body: bytes) -> list[Any]:
    """What a plain LF stream says."""
    lines = [line[6:] for line in body.decode().split("\n") if line.startswith("data: ")]
    return [line if line == "[DONE]" else json.loads(line) for line in lines]


def only_bill(provider: FakeProvider) -> dict[str, Any]:
    lines = provider.log()
    assert len(lines) == 1, lines
    return lines[0]


# ---- status


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, openai.BadRequestError),
        (401, openai.AuthenticationError),
        (404, openai.NotFoundError),
        (429, openai.RateLimitError),
        (500, openai.InternalServerError),
        (503, openai.InternalServerError),
    ],
)
def test_error_status_is_not_billed(
    provider: FakeProvider, client: OpenAI, status: int, error: type[openai.APIStatusError]
) -> None:
    provider.script(
        {"status": status, "error": {"code": "made_up"}, "retry_after": 2, "rate_limits": True}
    )
    with pytest.raises(error) as caught:
        client.chat.completions.create(**CHAT)
    assert caught.value.code == "made_up"
    assert caught.value.response.headers["retry-after"] == "2"
    assert caught.value.response.headers["x-ratelimit-remaining-requests"] == "9999"
    assert provider.log() == []


def test_foreign_error_page(provider: FakeProvider) -> None:
    status, headers, body = post(provider, CHAT, status=502, foreign=True)
    assert (status, headers["content-type"]) == (502, "text/html")
    assert b"cloudflare" in body
    post(provider, CHAT, status=504, foreign=True, bill="full")  # it worked, and nobody heard of it
    assert only_bill(provider)["status"] == 504


def test_retries_of_the_client_carry_their_count(provider: FakeProvider) -> None:
    provider.script({"status": 500, "headers": {"retry-after-ms": "1"}})
    with OpenAI(base_url=provider.url, api_key="sk-test", max_retries=2) as client:
        client.chat.completions.create(**CHAT)
    assert only_bill(provider)["retry_count"] == 1
    assert provider.stats()["by_status"] == {"500": 1, "200": 1}


def test_any_body_with_200(provider: FakeProvider) -> None:
    assert post(provider, CHAT, body="not json")[2] == b"not json"
    assert post(provider, CHAT, body={"odd": 1})[2] == b'{"odd": 1}'
    assert len(provider.log()) == 2  # the work was done


def test_redirect_once(provider: FakeProvider, client: OpenAI) -> None:
    provider.script({"redirect": True})
    client.chat.completions.create(**CHAT)
    assert provider.stats()["by_status"] == {"307": 1, "200": 1}
    only_bill(provider)


# ---- the script


def test_script_matches_and_counts(provider: FakeProvider, client: OpenAI) -> None:
    provider.script(
        {"do": {"text": "second of gpt-4.1"}, "when": {"model": "gpt-4.1*"}, "nth": 2},
        {"do": {"text": "stream"}, "when": {"stream": True}, "times": None},
    )

    def ask(model: str) -> str | None:
        return (
            client.chat.completions.create(model=model, messages=HELLO).choices[0].message.content
        )

    first, other, second, third = (
        ask("gpt-4.1"),
        ask("gpt-4o-mini"),
        ask("gpt-4.1-mini"),
        ask("gpt-4.1"),
    )
    assert second == "second of gpt-4.1" not in (first, other, third)
    for _ in range(2):
        chunks = list(client.chat.completions.create(**CHAT, stream=True))
        assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == "stream"


def test_a_wrong_script_is_told(provider: FakeProvider) -> None:
    with pytest.raises(ValueError, match="unknown behaviour"):
        provider.script({"statsu": 500})
    with pytest.raises(ValueError, match="one of"):
        provider.script({"cut": "sideways"})
    with pytest.raises(ValueError, match="unknown condition"):
        provider.script({"do": {}, "when": {"modle": "x"}})
    assert post(provider, CHAT, hold={"nowhere": "x"})[0] == 400
    assert post(provider, CHAT, nonsense=1)[0] == 400


# ---- the connection


@pytest.mark.parametrize(
    "cut", ["reset_head", "reset_body", "reset_middle", "close_head", "close_body", "close_middle"]
)
def test_cut_answers_are_connection_errors(
    provider: FakeProvider, client: OpenAI, cut: str
) -> None:
    provider.script({"cut": cut})
    with pytest.raises(openai.APIConnectionError):
        client.chat.completions.create(**CHAT)
    assert only_bill(provider)["broken"] == cut


def test_truncated_content_length(provider: FakeProvider) -> None:
    with pytest.raises(http.client.IncompleteRead):
        post(provider, CHAT, cut="truncated")
    assert only_bill(provider)["broken"] == "truncated"


@pytest.mark.parametrize("cut", ["reset_end", "close_end"])
def test_cut_after_the_body_is_a_whole_answer(
    provider: FakeProvider, client: OpenAI, cut: str
) -> None:
    provider.script({"cut": cut})
    client.chat.completions.create(**CHAT)
    client.chat.completions.create(**CHAT)
    assert len(provider.log()) == 2


@pytest.mark.parametrize("cut", ["reset_middle", "close_middle", "truncated"])
def test_cut_streams_bill_what_was_generated(
    provider: FakeProvider, client: OpenAI, cut: str
) -> None:
    provider.script({"cut": cut, "cut_at": 4, "output_tokens": 20})
    with pytest.raises(TRANSPORT_ERRORS):
        list(client.chat.completions.create(**CHAT, **ASKED))
    line = only_bill(provider)
    assert line["broken"] == cut
    assert line["usage"]["output_tokens"] == 3  # the role, and three words
    provider.reset()
    provider.script({"cut": cut, "cut_at": 4, "output_tokens": 20, "bill": "full"})
    with pytest.raises(TRANSPORT_ERRORS):
        list(client.chat.completions.create(**CHAT, **ASKED))
    assert only_bill(provider)["usage"]["output_tokens"] == 20


# ---- barriers, and clients that leave


def test_held_requests_are_in_flight_together(provider: FakeProvider, client: OpenAI) -> None:
    provider.default(hold="gate")
    with ThreadPoolExecutor(5) as threads:
        replies = [threads.submit(lambda: client.chat.completions.create(**CHAT)) for _ in range(5)]
        state = provider.wait(holding="gate", count=5)
        assert (state["in_flight"], state["most_in_flight"], state["billed"]) == (5, 5, 0)
        assert provider.release("gate", count=2) == 2
        provider.wait(in_flight=3)
        assert provider.release("gate") == 3
        assert len({reply.result().id for reply in replies}) == 5
    assert len(provider.log()) == 5


def test_stream_held_between_events(provider: FakeProvider, client: OpenAI) -> None:
    provider.script({"hold": {"3": "middle"}, "output_tokens": 10})
    stream = client.chat.completions.create(**CHAT, stream=True)
    seen = [next(stream) for _ in range(3)]
    provider.wait(holding="middle")
    assert provider.log() == []
    provider.release("middle")
    seen += list(stream)
    assert seen[-1].choices[0].finish_reason == "stop"
    assert only_bill(provider)["usage"]["output_tokens"] == 10


def test_stream_broken_off_by_the_client(provider: FakeProvider, client: OpenAI) -> None:
    provider.script({"hold": {"5": "never"}, "output_tokens": 50})
    stream = client.chat.completions.create(**CHAT, **ASKED)
    for _ in range(4):
        next(stream)
    provider.wait(holding="never")
    stream.close()
    provider.wait(billed=1, in_flight=0)
    line = only_bill(provider)
    assert line["disconnected"] is True
    assert line["usage"]["output_tokens"] == 4


def test_plain_call_left_by_the_client_is_billed(provider: FakeProvider) -> None:
    async def leave() -> None:
        async with AsyncOpenAI(base_url=provider.url, api_key="sk-test", max_retries=0) as client:
            call = asyncio.create_task(client.chat.completions.create(**CHAT))
            await asyncio.to_thread(provider.wait, holding="never")
            call.cancel()
            await asyncio.gather(call, return_exceptions=True)

    provider.script({"hold": "never", "output_tokens": 7})
    asyncio.run(leave())
    provider.wait(billed=1, in_flight=0)
    line = only_bill(provider)
    assert line["disconnected"] is True and line["usage"]["output_tokens"] == 7


def test_timeouts_need_no_waiting(provider: FakeProvider, client: OpenAI) -> None:
    provider.script({"hold": "never"})
    with pytest.raises(openai.APITimeoutError):
        client.with_options(timeout=0.05).chat.completions.create(**CHAT)
    provider.wait(billed=1)


def test_reset_breaks_off_what_is_under_way(provider: FakeProvider, client: OpenAI) -> None:
    provider.script({"hold": "gate"})
    failed = threading.Event()

    def ask() -> None:
        try:
            client.chat.completions.create(**CHAT)
        except openai.APIConnectionError:
            failed.set()

    thread = threading.Thread(target=ask)
    thread.start()
    provider.wait(holding="gate")
    provider.reset()
    thread.join(10)
    assert failed.is_set()
    provider.wait(in_flight=0)
    assert provider.log() == []


def test_linger_after_done(provider: FakeProvider, client: OpenAI) -> None:
    provider.script({"ending": "linger"})
    chunks = list(client.chat.completions.create(**CHAT, **ASKED))
    assert chunks[-1].usage is not None
    provider.wait(in_flight=0)
    assert only_bill(provider)["disconnected"] is False


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


# ---- below HTTP


def test_pipelined_and_split_requests(provider: FakeProvider) -> None:
    body = json.dumps(CHAT).encode()
    head = f"POST /v1/chat/completions HTTP/1.1\r\nhost: fake\r\ncontent-length: {len(body)}\r\n\r\n".encode()
    with socket.create_connection(("127.0.0.1", provider.port), timeout=10) as sock:
        sock.sendall((head + body) * 3)
        for byte in head + body:
            sock.send(bytes([byte]))
        sock.sendall(b"nonsense\r\n\r\n")
        received = b"".join(iter(lambda: sock.recv(65536), b""))
    assert received.count(b"HTTP/1.1 200 OK") == 4
    assert received.count(b"HTTP/1.1 400 Bad Request") == 1
    assert len(provider.log()) == 4


def test_waits_for_continue(provider: FakeProvider) -> None:
    body = json.dumps(CHAT).encode()
    head = f"POST /v1/chat/completions HTTP/1.1\r\nhost: fake\r\nexpect: 100-continue\r\ncontent-length: {len(body)}"
    with socket.create_connection(("127.0.0.1", provider.port), timeout=10) as sock:
        sock.sendall(head.encode() + b"\r\nconnection: close\r\n\r\n")
        assert sock.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        sock.sendall(body)
        assert b"".join(iter(lambda: sock.recv(65536), b"")).startswith(b"HTTP/1.1 200 OK")


def test_what_came_in_is_kept_without_the_key(provider: FakeProvider, client: OpenAI) -> None:
    client.chat.completions.create(**CHAT, max_tokens=9)
    seen = provider.requests()[-1]
    assert seen["json"]["max_tokens"] == 9
    assert seen["headers"]["authorization"] == "...abcd"
    assert seen["request_id"] == only_bill(provider)["request_id"]
