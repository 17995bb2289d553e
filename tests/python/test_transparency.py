"""The wrapped client behaves as the bare one does (promise 10)."""

from __future__ import annotations

import asyncio
import copy
import inspect
from typing import Any

import openai
import pytest

import farthing

from .conftest import CHEAP, Shop, sdk_family

DAY = farthing.Cap("5 USD", per="day", id="day")


def test_the_same_object_and_type(shop: Shop) -> None:
    client = shop.client()
    before = (repr(type(client)), sorted(vars(client)), client._client)
    assert shop.guard(DAY).wrap(client) is client
    assert (repr(type(client)), sorted(vars(client)), client._client) == before
    assert isinstance(client, openai.OpenAI)
    assert type(client.chat.completions).__module__.startswith("openai.")


def test_signatures_names_and_docs_stay() -> None:
    stack = sdk_family()
    with farthing.Guard(caps=[DAY], store="memory:") as guard:
        bare = {
            c: (inspect.signature(c.send), c.send.__doc__, c.send.__qualname__)
            for c in _clients(stack)
        }
        guard.install()
        for c, before in bare.items():
            assert (inspect.signature(c.send), c.send.__doc__, c.send.__qualname__) == before
        assert inspect.iscoroutinefunction(stack.AsyncClient.send)
        assert inspect.iscoroutinefunction(openai._base_client.AsyncAPIClient.request)
        guard.uninstall()


def _clients(stack: Any) -> list[Any]:
    return [stack.Client, stack.AsyncClient]


def test_copies_share_the_guard(shop: Shop) -> None:
    guard = shop.guard(DAY)
    client = guard.wrap(shop.client(), project="marketing")
    for other in (
        client.with_options(timeout=9),
        client.copy(),
        client.with_options(max_retries=3),
    ):
        other.chat.completions.create(**CHEAP)
    assert [row.labels["project"] for row in guard.ledger()] == ["marketing"] * 3


def test_deepcopy_and_pickle_as_bare(shop: Shop) -> None:
    def outcome(http: Any) -> Any:
        try:
            return type(copy.deepcopy(http))
        except Exception as error:
            return type(error)

    stack = sdk_family()
    with stack.Client() as bare, stack.Client() as guarded:
        shop.guard(DAY).wrap(guarded)
        assert outcome(guarded) == outcome(bare)
        assert type(copy.copy(guarded)) is stack.Client


def test_the_callers_request_is_never_changed(shop: Shop) -> None:
    """Rewritten for the provider (an output limit, usage in streams), the caller's own object stays as it was."""
    stack = sdk_family()
    with stack.Client() as http:
        shop.guard(DAY).wrap(http)
        ask = {**CHEAP, "stream": True}
        del ask["max_tokens"]
        request = http.build_request(
            "POST",
            f"{shop.provider.url}/chat/completions",
            json=ask,
            headers={"authorization": "Bearer sk-test-0001", "x-mine": "1"},
            extensions={"mine": object()},
        )
        before = (request.content, request.headers.raw, dict(request.extensions), request.stream)
        answer = http.send(request, stream=True)
        answer.read()
        assert (
            request.content,
            request.headers.raw,
            dict(request.extensions),
            request.stream,
        ) == before
        sent = shop.provider.requests(1)[0]
        assert sent["json"]["stream_options"] == {"include_usage": True}
        assert sent["headers"]["x-mine"] == "1"
        assert int(sent["headers"]["content-length"]) == len(sent["body"].encode())
        assert answer.request.extensions["mine"] is before[2]["mine"]


def test_request_and_response_hooks_run(shop: Shop) -> None:
    stack = sdk_family()
    seen: list[str] = []
    hooks = {
        "request": [lambda request: seen.append(request.method)],
        "response": [lambda response: seen.append(str(response.status_code))],
    }
    http = stack.Client(event_hooks=hooks)
    client = shop.guard(DAY).wrap(shop.client(http_client=http))
    client.chat.completions.create(**CHEAP)
    assert seen == ["POST", "200"]


def test_errors_of_the_transport_are_the_same(shop: Shop) -> None:
    class Odd(Exception):
        pass

    stack = sdk_family()

    def handler(request: Any) -> Any:
        raise Odd("mine")

    guard = shop.guard(DAY)
    with stack.Client(transport=stack.MockTransport(handler)) as http:
        guard.wrap(http)
        with pytest.raises(Odd, match="mine"):
            http.post(f"{shop.provider.url}/chat/completions", json=CHEAP)
    (row,) = guard.ledger()
    assert row.how == "hold", "whether it left is not known"


def test_a_closed_client_says_what_it_always_said(shop: Shop) -> None:
    stack = sdk_family()
    guard = shop.guard(DAY)
    http = stack.Client()
    guard.wrap(http)
    http.close()
    with pytest.raises(RuntimeError, match="closed"):
        http.post(f"{shop.provider.url}/chat/completions", json=CHEAP)
    assert [row.how for row in guard.ledger()] == ["released"]


def test_multipart_and_generator_bodies_are_sent_whole(shop: Shop) -> None:
    stack = sdk_family()
    with stack.Client() as http:
        shop.guard().wrap(http)
        http.post(f"{shop.provider.url}/moderations", json={"input": "x"})
        import json

        def parts() -> Any:
            text = json.dumps(CHEAP).encode()
            yield text[:10]
            yield text[10:]

        answer = http.post(
            f"{shop.provider.url}/chat/completions",
            content=parts(),
            headers={"authorization": "Bearer sk-test-0001", "content-type": "application/json"},
        )
        assert answer.status_code == 200
        assert shop.provider.requests(1)[0]["json"] == CHEAP


async def test_async_generator_bodies(shop: Shop) -> None:
    import json

    stack = sdk_family()

    async def parts() -> Any:
        yield json.dumps(CHEAP).encode()

    async with stack.AsyncClient() as http:
        shop.guard(DAY).wrap(http)
        answer = await http.post(
            f"{shop.provider.url}/chat/completions",
            content=parts(),
            headers={"authorization": "Bearer sk-test-0001", "content-type": "application/json"},
        )
    assert answer.status_code == 200


async def test_asgi_transport(shop: Shop) -> None:
    stack = sdk_family()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        while (await receive()).get("more_body"):
            pass
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        usage = b'"usage":{"prompt_tokens":10,"completion_tokens":5}'
        body = b'{"id":"chatcmpl-1","model":"gpt-4.1-nano","choices":[],' + usage + b"}"
        await send({"type": "http.response.body", "body": body})

    guard = shop.guard(DAY, hosts={"asgi": {"provider": "openai"}})
    http = stack.AsyncClient(transport=stack.ASGITransport(app=app))
    async with guard.wrap(shop.aclient(http_client=http, base_url="http://asgi/v1")) as client:
        await client.chat.completions.create(**CHEAP)
    (row,) = guard.ledger()
    assert row.how == "usage" and row.quantities["output_tokens"] == 5


def test_the_attempts_header_and_nothing_else_is_added(shop: Shop) -> None:
    bare = shop.client().chat.completions.with_raw_response.create(**CHEAP)
    client = shop.guard(DAY).wrap(shop.client())
    raw = client.chat.completions.with_raw_response.create(**CHEAP)
    assert set(raw.headers) - set(bare.headers) == {"x-farthing-attempt"}
    assert raw.elapsed.total_seconds() > 0
    with client.chat.completions.with_streaming_response.create(**CHEAP) as response:
        response.read()
        assert response.elapsed.total_seconds() > 0


def test_parsed_helpers_and_raw_wrappers_work(shop: Shop) -> None:
    client = shop.guard(DAY).wrap(shop.client())
    shop.provider.default(text='{"text": "hi"}', output_tokens=8)

    import pydantic

    class Answer(pydantic.BaseModel):
        text: str

    parsed = client.chat.completions.parse(**CHEAP, response_format=Answer)
    assert parsed.choices[0].message.parsed == Answer(text="hi")
    with client.chat.completions.with_streaming_response.create(**CHEAP) as response:
        assert b'"usage"' in b"".join(response.iter_bytes(64))
    with client.chat.completions.with_streaming_response.create(**CHEAP) as response:
        assert any('"usage"' in line for line in response.iter_lines())


def test_a_shared_http_client_warns_when_labels_would_be_mixed(shop: Shop) -> None:
    stack = sdk_family()
    guard = shop.guard(DAY)
    with stack.Client() as http:
        guard.wrap(shop.client(http_client=http), project="a")
        with pytest.warns(farthing.FarthingWarning, match="shares its HTTP client"):
            guard.wrap(shop.client(http_client=http), project="b")


def test_wrap_says_what_it_takes(shop: Shop) -> None:
    guard = shop.guard(DAY)
    with pytest.raises(farthing.ArgumentError, match=r"guard\.install"):
        guard.wrap(object())
    with pytest.raises(farthing.ArgumentError, match="project"):
        guard.wrap(shop.client(), project=1.5)  # type: ignore[arg-type]


def test_nested_clients_of_one_request_count_once(shop: Shop, decisions: list[object]) -> None:
    """A transport that sends through another guarded client (R32)."""
    stack = sdk_family()
    guard = shop.guard(DAY)
    guard.install()
    inner = stack.Client()

    def through(request: Any) -> Any:
        answer = inner.send(
            stack.Request(
                request.method, request.url, headers=request.headers, content=request.content
            )
        )
        return stack.Response(
            answer.status_code, headers={"content-type": "application/json"}, content=answer.content
        )

    client = guard.wrap(
        shop.client(http_client=stack.Client(transport=stack.MockTransport(through)))
    )
    client.chat.completions.create(**CHEAP)
    inner.close()
    assert len(decisions) == 1
    assert len(list(guard.ledger())) == 1


async def test_a_task_that_a_request_leaves_behind_is_on_its_own(
    shop: Shop, decisions: list[object]
) -> None:
    """It has the context of the request that started it, and sends the same when that is over."""
    stack = sdk_family()
    guard = shop.guard(DAY)
    over = asyncio.Event()
    left: list[asyncio.Task[Any]] = []
    url = f"{shop.provider.url}/chat/completions"
    more = {"json": CHEAP, "headers": {"authorization": "Bearer sk-test-0001"}}
    async with stack.AsyncClient() as http:
        guard.wrap(http)

        async def later() -> None:
            await over.wait()
            await http.post(url, **more)

        async def leave(_: Any) -> None:
            if not left:
                left.append(asyncio.create_task(later()))

        http.event_hooks = {"request": [leave]}
        await http.post(url, **more)
        over.set()
        await left[0]
    assert shop.requests() == len(decisions) == len(list(guard.ledger())) == 2


def test_a_transport_that_sends_twice_sends_two_requests(
    shop: Shop, decisions: list[object]
) -> None:
    """R32: once for each HTTP request; what the transport sends again is another one."""
    stack = sdk_family()
    guard = shop.guard(DAY)
    guard.install()
    inner = stack.Client()

    def twice(request: Any) -> Any:
        for _ in range(2):
            answer = inner.send(
                stack.Request(
                    request.method, request.url, headers=request.headers, content=request.content
                )
            )
        return stack.Response(
            answer.status_code, headers={"content-type": "application/json"}, content=answer.content
        )

    client = guard.wrap(shop.client(http_client=stack.Client(transport=stack.MockTransport(twice))))
    client.chat.completions.create(**CHEAP)
    inner.close()
    assert shop.requests() == len(decisions) == len(list(guard.ledger())) == 2
