"""Faults of status, connection and timing, seen from the real OpenAI client or from the bare bytes."""

from __future__ import annotations

import asyncio
import http.client
import json
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import httpx2
import openai
import pytest
from openai import AsyncOpenAI, OpenAI

from tests.fakes.bare import ASKED, CHAT, HELLO, only_bill, post
from tests.fakes.provider.handle import FakeProvider

# A stream's own transport errors reach the user unwrapped.
TRANSPORT_ERRORS = (openai.APIError, httpx.TransportError, httpx2.TransportError)


@pytest.fixture
def client(provider: FakeProvider) -> Iterator[OpenAI]:
    with OpenAI(base_url=provider.url, api_key="sk-test-abcd", max_retries=0) as made:
        yield made


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
    # On a connection of its own: whether the end of the first has arrived by now is a race.
    with OpenAI(base_url=provider.url, api_key="sk-test-abcd", max_retries=0) as other:
        other.chat.completions.create(**CHAT)
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
        client.with_options(timeout=openai.Timeout(30, read=0.05)).chat.completions.create(**CHAT)
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
