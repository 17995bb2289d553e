"""Streams: read to the end, closed, broken, cancelled, never read, forgotten; settled exactly once, and transparent."""

from __future__ import annotations

import asyncio
import gc
import queue
import threading
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import openai
import pytest

import farthing

from .conftest import BR, CHEAP, MODEL, Shop, sdk_family
from .money import billed, booked, counted

DAY = farthing.Cap("5 USD", per="day", id="day")
STREAM = {**CHEAP, "stream": True}
ASKED = {**STREAM, "stream_options": {"include_usage": True}}


def _one(guard: farthing.Guard) -> farthing.LedgerRow:
    (row,) = guard.ledger()
    assert counted(guard, "day") == (Decimal(row.booked.get("usd", 0)), 0)
    return row


@pytest.mark.parametrize("encoding", ["identity", "gzip", "deflate", BR])
@pytest.mark.parametrize("asked", [False, True], ids=["unasked", "asked"])
def test_usage_is_asked_for_and_the_extra_chunk_is_not_shown(
    shop: Shop, asked: bool, encoding: str
) -> None:
    bare = list(shop.client().chat.completions.create(**(ASKED if asked else STREAM)))
    shop.provider.reset()
    guard = shop.guard(DAY)
    client = guard.wrap(shop.client())
    shop.provider.script({"encoding": encoding})
    chunks = list(client.chat.completions.create(**(ASKED if asked else STREAM)))
    assert shop.provider.requests(1)[0]["json"]["stream_options"]["include_usage"] is True
    assert len(chunks) == len(bare)
    assert [c.choices for c in chunks] == [c.choices for c in bare]
    assert any(c.usage for c in chunks) is asked
    assert (_one(guard).how, booked(guard)) == ("usage", billed(shop.provider))


@pytest.mark.parametrize("encoding", ["identity", "gzip", "deflate", BR])
async def test_async_stream(shop: Shop, encoding: str) -> None:
    guard = shop.guard(DAY)
    shop.provider.script({"encoding": encoding})
    async with guard.wrap(shop.aclient()) as client:
        chunks = [chunk async for chunk in await client.chat.completions.create(**STREAM)]
    assert chunks and not any(chunk.usage for chunk in chunks)
    assert (_one(guard).how, booked(guard)) == ("usage", billed(shop.provider))


def _azure(shop: Shop) -> dict[str, Any]:
    where = shop.provider.azure_endpoint
    return {"azure_endpoint": where, "api_key": "az-1", "api_version": "2024-10-21"}


def _shown(chunks: list[Any]) -> list[Any]:
    """What a chunk says, but for its id and time."""
    return [(c.choices, c.usage, c.model_extra) for c in chunks]


@pytest.mark.parametrize("ask", [STREAM, ASKED], ids=["unasked", "asked"])
def test_azure_stream(shop: Shop, ask: dict[str, Any]) -> None:
    """It begins with a chunk without choices, which is the caller's; the one with the usage is if it was asked for."""
    with openai.AzureOpenAI(**_azure(shop)) as client:
        bare = list(client.chat.completions.create(**ask))
        shop.provider.reset()
        guard = shop.guard(DAY, hosts={shop.host: {"provider": "azure"}})
        guard.wrap(client)
        stream = client.chat.completions.create(**ask)
        chunks = list(stream)
    assert chunks[0].choices == [] and chunks[0].usage is None and chunks[1].choices
    assert _shown(chunks) == _shown(bare)
    assert [bool(c.usage) for c in chunks] == [False] * (len(chunks) - 1) + [ask is ASKED]
    receipt = farthing.receipt(stream)
    assert (_one(guard).how, receipt.cost_usd) == ("usage", billed(shop.provider))
    assert booked(guard) == billed(shop.provider) > 0


async def test_async_azure_stream(shop: Shop) -> None:
    guard = shop.guard(DAY, hosts={shop.host: {"provider": "azure"}})
    async with openai.AsyncAzureOpenAI(**_azure(shop)) as client:
        guard.wrap(client)
        chunks = [chunk async for chunk in await client.chat.completions.create(**STREAM)]
        assert chunks[0].choices == [] and not any(chunk.usage for chunk in chunks)
        assert (_one(guard).how, booked(guard)) == ("usage", billed(shop.provider))
        guard.set_limit("day", "0 USD")
        with pytest.raises(farthing.CapExceeded):
            await client.chat.completions.create(**STREAM)
    assert shop.requests() == 1


def test_responses_stream(shop: Shop) -> None:
    guard = shop.guard(DAY)
    client = guard.wrap(shop.client())
    events = list(
        client.responses.create(model=MODEL, input="hi", max_output_tokens=64, stream=True)
    )
    assert events[-1].type == "response.completed"
    assert "stream_options" not in shop.provider.requests(1)[0]["json"]
    assert (_one(guard).how, booked(guard)) == ("usage", billed(shop.provider))


def test_stream_helper(shop: Shop) -> None:
    guard = shop.guard(DAY)
    client = guard.wrap(shop.client())
    with client.chat.completions.stream(**CHEAP) as stream:
        final = stream.get_final_completion()
    assert final.choices[0].message.content
    assert _one(guard).how == "usage"


def test_a_loop_that_stops_at_the_finish_reason_still_gets_usage(shop: Shop) -> None:
    """R24: the chunk with the finish_reason comes together with the next event."""
    guard = shop.guard(DAY)
    client = guard.wrap(shop.client())
    for chunk in client.chat.completions.create(**STREAM):
        if chunk.choices[0].finish_reason:
            break
    del chunk
    gc.collect()
    assert (_one(guard).how, booked(guard)) == ("usage", billed(shop.provider))


def _close(stream: Any) -> None:
    next(iter(stream))
    stream.close()


def _leave_with(stream: Any) -> None:
    with stream:
        next(iter(stream))


def _never_read(stream: Any) -> None:
    stream.close()


def _forget(stream: Any) -> None:
    next(iter(stream))


def _drop(stream: Any) -> None:
    pass


@pytest.mark.parametrize("leave", [_close, _leave_with, _never_read, _forget, _drop])
def test_left_early_is_settled_once_and_never_for_nothing(
    shop: Shop, leave: Callable[[Any], None]
) -> None:
    guard = shop.guard(DAY)
    http = sdk_family().Client()
    client = guard.wrap(shop.client(http_client=http))
    shop.provider.script({"hold": {"3": "there"}, "deltas": 12, "output_tokens": 12})
    stream = client.chat.completions.create(**STREAM)
    shop.provider.wait(holding="there")
    leave(stream)
    del stream
    gc.collect()
    row = _one(guard)
    assert row.how in ("counted", "hold")
    assert row.ceiling_usd is not None and 0 < booked(guard) <= row.ceiling_usd
    shop.provider.release("there")
    http.close()
    shop.provider.wait(in_flight=0)
    assert booked(guard) >= billed(shop.provider)


@pytest.mark.parametrize("ending", ["no_finish", "no_done"])
def test_ended_without_its_marker(shop: Shop, ending: str) -> None:
    guard = shop.guard(DAY)
    client = guard.wrap(shop.client())
    shop.provider.script({"ending": ending})
    list(client.chat.completions.create(**STREAM))
    row = _one(guard)
    assert booked(guard) >= billed(shop.provider)
    assert row.how in ("usage", "hold")


@pytest.mark.parametrize("cut", ["reset_middle", "close_middle", "truncated"])
def test_broken(shop: Shop, cut: str) -> None:
    guard = shop.guard(DAY)
    client = guard.wrap(shop.client())
    shop.provider.script({"cut": cut, "deltas": 12})
    try:
        list(client.chat.completions.create(**STREAM))
    except (openai.APIError, sdk_family().HTTPError):
        pass  # a stream without a length that ends early looks whole to the client
    row = _one(guard)
    assert (row.how, booked(guard)) == ("hold", row.ceiling_usd)


def test_an_error_event_inside_a_200(shop: Shop) -> None:
    guard = shop.guard(DAY)
    client = guard.wrap(shop.client())
    shop.provider.script({"ending": "error", "cut_at": 3})
    with pytest.raises(openai.APIError):
        list(client.chat.completions.create(**STREAM))
    row = _one(guard)
    assert booked(guard) >= billed(shop.provider)
    assert row.how in ("hold", "provider_error", "usage")


def test_a_server_that_lingers_after_done_keeps_nobody_waiting(shop: Shop) -> None:
    guard = shop.guard(DAY)
    client = guard.wrap(shop.client())
    shop.provider.script({"ending": "linger"})
    assert list(client.chat.completions.create(**STREAM))
    assert (_one(guard).how, booked(guard)) == ("usage", billed(shop.provider))
    shop.provider.release("linger")


@pytest.mark.parametrize("cut", ["reset_middle", "close_middle", "truncated"])
async def test_async_broken(shop: Shop, cut: str) -> None:
    guard = shop.guard(DAY)
    shop.provider.script({"cut": cut, "deltas": 12})
    async with guard.wrap(shop.aclient()) as client:
        try:
            async for _ in await client.chat.completions.create(**STREAM):
                pass
        except (openai.APIError, sdk_family().HTTPError):
            pass
    row = _one(guard)
    assert (row.how, booked(guard)) == ("hold", row.ceiling_usd)


def test_timed_out_in_the_middle(shop: Shop) -> None:
    """What comes after it is not known: the hold."""
    guard = shop.guard(DAY)
    client = guard.wrap(shop.client(timeout=openai.Timeout(30, read=0.3)))
    shop.provider.script({"hold": {"3": "never"}, "deltas": 12})
    with pytest.raises((openai.APITimeoutError, sdk_family().ReadTimeout)):
        list(client.chat.completions.create(**STREAM))
    row = _one(guard)
    assert (row.how, booked(guard)) == ("hold", row.ceiling_usd)
    shop.provider.release("never")


async def test_async_timed_out_in_the_middle(shop: Shop) -> None:
    guard = shop.guard(DAY)
    async with guard.wrap(shop.aclient(timeout=openai.Timeout(30, read=0.3))) as client:
        shop.provider.script({"hold": {"3": "never"}, "deltas": 12})
        with pytest.raises((openai.APITimeoutError, sdk_family().ReadTimeout)):
            async for _ in await client.chat.completions.create(**STREAM):
                pass
    row = _one(guard)
    assert (row.how, booked(guard)) == ("hold", row.ceiling_usd)
    shop.provider.release("never")


async def test_cancelled(shop: Shop) -> None:
    guard = shop.guard(DAY)
    async with guard.wrap(shop.aclient()) as client:
        shop.provider.script({"hold": {"3": "there"}, "deltas": 12})

        async def read() -> None:
            async for _ in await client.chat.completions.create(**STREAM):
                pass

        task = asyncio.create_task(read())
        await asyncio.to_thread(shop.provider.wait, holding="there")
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        row = _one(guard)
        assert row.how in ("counted", "hold") and booked(guard) > 0
        shop.provider.release("there")


async def test_cancelled_before_the_answer(shop: Shop) -> None:
    guard = shop.guard(DAY)
    async with guard.wrap(shop.aclient()) as client:
        shop.provider.script({"hold": "there"})
        task = asyncio.create_task(client.chat.completions.create(**CHEAP))
        await asyncio.to_thread(shop.provider.wait, holding="there")
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        row = _one(guard)
        assert (row.how, booked(guard)) == ("hold", row.ceiling_usd)
        shop.provider.release("there")


async def test_async_left_early(shop: Shop) -> None:
    guard = shop.guard(DAY)
    async with guard.wrap(shop.aclient()) as client:
        shop.provider.script({"hold": {"3": "there"}, "deltas": 12})
        stream = await client.chat.completions.create(**STREAM)
        async with stream:
            await stream.__anext__()
        assert _one(guard).how in ("counted", "hold")
        shop.provider.release("there")


async def _begin(stream: Any) -> None:
    await stream.__anext__()


async def _leave(stream: Any) -> None:
    pass


@pytest.mark.parametrize("leave", [_begin, _leave])
def test_async_forgotten(
    shop: Shop, leave: Callable[[Any], Any], run_async: Callable[[Any], Any]
) -> None:
    """Nobody closes it: what is left of it is collected, and settles it."""
    guard = shop.guard(DAY)
    shop.provider.script({"hold": {"3": "there"}, "deltas": 12, "output_tokens": 12})

    async def main() -> None:
        async with guard.wrap(shop.aclient()) as client:
            stream = await client.chat.completions.create(**STREAM)
            await asyncio.to_thread(shop.provider.wait, holding="there")
            await leave(stream)
            del stream
            gc.collect()

    run_async(main)
    row = _one(guard)
    assert row.how in ("counted", "hold")
    assert row.ceiling_usd is not None and 0 < booked(guard) <= row.ceiling_usd
    shop.provider.release("there")


def test_read_where_it_was_not_begun(shop: Shop) -> None:
    """As a web framework does: each piece is taken in another thread, under other labels. It is its beginner's."""
    guard = shop.guard(DAY)
    client = guard.wrap(shop.client())
    with guard.scope(user="beginner"), guard.task("begun", limit="1 USD") as task:
        stream = client.chat.completions.create(**STREAM)
    pieces = iter(stream)

    def take() -> object:
        with guard.scope(user="reader"), guard.task("read", limit="0 USD"):
            return next(pieces, None)

    taken = []
    while not taken or taken[-1] is not None:
        thread = threading.Thread(target=lambda: taken.append(take()))
        thread.start()
        thread.join()
    row = _one(guard)
    assert (row.how, booked(guard)) == ("usage", billed(shop.provider))
    assert (row.labels["user"], row.labels["task"]) == ("beginner", "begun")
    assert task.spent == booked(guard) > 0


async def test_read_by_another_task(shop: Shop) -> None:
    guard = shop.guard(DAY)
    async with guard.wrap(shop.aclient()) as client:
        async with guard.scope(user="beginner"):
            stream = await client.chat.completions.create(**STREAM)

        async def rest() -> int:
            async with guard.scope(user="reader"):
                return len([chunk async for chunk in stream])

        await stream.__anext__()
        assert await asyncio.create_task(rest()) > 1
    row = _one(guard)
    assert (row.how, booked(guard)) == ("usage", billed(shop.provider))
    assert row.labels["user"] == "beginner"


def test_first_byte_comes_before_the_rest(shop: Shop) -> None:
    """Nothing is gathered: a chunk is delivered while the provider still holds the next."""
    client = shop.guard(DAY).wrap(shop.client())
    shop.provider.script({"hold": {"2": "there"}, "deltas": 12})
    stream = client.chat.completions.create(**STREAM)
    first = next(iter(stream))
    assert first.choices
    shop.provider.wait(holding="there")
    shop.provider.release("there")
    assert len(list(stream)) > 5


def test_closed_from_another_thread(shop: Shop) -> None:
    guard = shop.guard(DAY)
    client = guard.wrap(shop.client())
    for seed in range(8):
        stream = client.chat.completions.create(
            **STREAM, extra_headers={"x-fake-chunks": str(seed)}
        )
        closer = threading.Thread(target=stream.close)
        closer.start()
        try:
            list(stream)
        except Exception:  # whatever the SDK makes of it
            pass
        closer.join()
        del stream
    gc.collect()
    rows = list(guard.ledger())
    assert len(rows) == 8
    assert counted(guard, "day") == (booked(guard), 0)


def test_two_readers_of_one_stream(shop: Shop) -> None:
    """While one waits for the provider, Python tells the other that it is inside; nothing is lost."""
    guard = shop.guard(DAY)
    client = guard.wrap(shop.client())
    shop.provider.script({"hold": {"3": "there"}, "deltas": 12})
    stream = client.chat.completions.create(**STREAM)
    read: list[Any] = []
    told: queue.Queue[str] = queue.Queue()

    def reader() -> None:
        try:
            for chunk in stream:
                read.append(chunk)
        except ValueError as error:
            told.put(str(error))

    both = [threading.Thread(target=reader) for _ in range(2)]
    for thread in both:
        thread.start()
    assert told.get(timeout=10) == "generator already executing"
    shop.provider.release("there")
    for thread in both:
        thread.join()
    assert len(read) == 14
    assert (_one(guard).how, booked(guard)) == ("usage", billed(shop.provider))


def test_two_readers_in_turn(shop: Shop) -> None:
    guard = shop.guard(DAY)
    client = guard.wrap(shop.client())
    shop.provider.script({"deltas": 12})
    stream = client.chat.completions.create(**STREAM)
    one, two = iter(stream), iter(stream)
    read = [chunk for pair in zip(one, two, strict=False) for chunk in pair]
    read += list(stream)
    assert len(read) == 14
    assert (_one(guard).how, booked(guard)) == ("usage", billed(shop.provider))


async def test_two_readers_in_an_event_loop(shop: Shop) -> None:
    guard = shop.guard(DAY)
    async with guard.wrap(shop.aclient()) as client:
        shop.provider.script({"hold": {"3": "there"}, "deltas": 12})
        stream = await client.chat.completions.create(**STREAM)

        async def read() -> list[Any]:
            return [chunk async for chunk in stream]

        first = asyncio.create_task(read())
        await asyncio.to_thread(shop.provider.wait, holding="there")
        with pytest.raises(RuntimeError, match="already running"):
            await read()
        shop.provider.release("there")
        assert len(await first) == 14
    assert (_one(guard).how, booked(guard)) == ("usage", billed(shop.provider))


def test_a_body_is_read_once(shop: Shop) -> None:
    """As without us: whoever comes after the first reader is told so, and nothing is settled again."""
    stack = sdk_family()
    guard = shop.guard(DAY)
    with stack.Client() as http:
        guard.wrap(http)
        headers = {"authorization": "Bearer sk-test-0001"}
        url = f"{shop.provider.url}/chat/completions"
        with http.stream("POST", url, json=STREAM, headers=headers) as answer:
            assert b"".join(answer.iter_raw())
            with pytest.raises(stack.StreamConsumed):
                next(answer.iter_raw())
    assert (_one(guard).how, booked(guard)) == ("usage", billed(shop.provider))


@pytest.mark.parametrize("seed", range(6))
def test_cut_anywhere_gives_the_same(shop: Shop, seed: int) -> None:
    guard = shop.guard(DAY)
    client = guard.wrap(shop.client())
    flags = [["cr"], ["crlf"], ["comments", "bom"], ["multiline"], ["tight"], ["ids", "mixed"]][
        seed
    ]
    shop.provider.script({"chunks": seed, "sse": flags})
    list(client.chat.completions.create(**STREAM))
    assert (_one(guard).how, booked(guard)) == ("usage", billed(shop.provider))


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
def test_mocked_transports_are_settled_too(shop: Shop, stream: bool) -> None:
    """A mock's response may hold its whole body before the hook sees it."""
    stack = sdk_family()
    with stack.Client() as http:
        answer = http.post(
            f"{shop.provider.url}/chat/completions",
            json=ASKED if stream else CHEAP,
            headers={"authorization": "Bearer sk-test-0001"},
        )
    kind = answer.headers["content-type"]

    def handler(request: Any) -> Any:
        return stack.Response(200, content=answer.content, headers={"content-type": kind})

    guard = shop.guard(DAY)
    mock = stack.Client(transport=stack.MockTransport(handler))
    client = guard.wrap(shop.client(http_client=mock))
    reply = client.chat.completions.create(**(STREAM if stream else CHEAP))
    if stream:
        chunks = list(reply)
        assert chunks and all(chunk.choices for chunk in chunks), "the usage chunk was ours"
    assert (_one(guard).how, booked(guard)) == ("usage", billed(shop.provider))


async def test_mocked_async_stream_read_twice_by_the_sdks_drain(shop: Shop) -> None:
    stack = sdk_family()
    with stack.Client() as http:
        answer = http.post(
            f"{shop.provider.url}/chat/completions",
            json=ASKED,
            headers={"authorization": "Bearer sk-test-0001"},
        )

    async def parts() -> Any:
        yield answer.content

    def handler(request: Any) -> Any:
        return stack.Response(200, content=parts(), headers={"content-type": "text/event-stream"})

    guard = shop.guard(DAY)
    mock = stack.AsyncClient(transport=stack.MockTransport(handler))
    async with guard.wrap(shop.aclient(http_client=mock)) as client:
        chunks = [chunk async for chunk in await client.chat.completions.create(**STREAM)]
    assert all(chunk.choices for chunk in chunks)
    assert (_one(guard).how, booked(guard)) == ("usage", billed(shop.provider))


HELPERS: dict[str, Callable[[Any], Any]] = {
    "chat": lambda client: client.chat.completions.stream(**CHEAP),
    "responses": lambda client: client.responses.stream(
        model=MODEL, input="hi", max_output_tokens=64
    ),
}


@pytest.mark.parametrize("helper", HELPERS)
def test_receipts_of_the_stream_helpers(shop: Shop, helper: str) -> None:
    guard = shop.guard(DAY)
    client = guard.wrap(shop.client())
    with HELPERS[helper](client) as stream:
        assert list(stream)
    final = getattr(stream, "get_final_completion", None) or stream.get_final_response
    _found(guard, shop, stream, final())


@pytest.mark.parametrize("helper", HELPERS)
async def test_receipts_of_the_async_stream_helpers(shop: Shop, helper: str) -> None:
    guard = shop.guard(DAY)
    async with guard.wrap(shop.aclient()) as client:
        async with HELPERS[helper](client) as stream:
            assert [event async for event in stream]
        final = getattr(stream, "get_final_completion", None) or stream.get_final_response
        _found(guard, shop, stream, await final())


def _found(guard: farthing.Guard, shop: Shop, *replies: object) -> None:
    for reply in replies:
        receipt = farthing.receipt(reply)
        assert receipt is not None, reply
        assert (receipt.attempt, receipt.how) == (_one(guard).id, "usage")
        assert receipt.cost_usd == billed(shop.provider) > 0
