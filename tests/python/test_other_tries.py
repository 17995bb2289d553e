"""Tries of transports, hooks and authentication that are not what was asked before: elsewhere, with another body, or an
answer that somebody made. What they cost is held and charged (R23, R27)."""

from __future__ import annotations

import asyncio
import json
from decimal import Decimal
from typing import Any

import pytest

import farthing

from .conftest import CHEAP, Shop, sdk_family
from .money import billed, counted
from .test_transports import nobody
from .test_tries import AUTHORIZED, DAY, _ceiling, _hows, _sent_over, written

both = pytest.mark.parametrize("asynchronous", [False, True])


def _to(request: Any, url: str, **members: Any) -> Any:
    """`request` as somebody wrote it anew."""
    body = json.dumps({**json.loads(request.content), **members}).encode()
    headers = [
        (k, v) for k, v in request.headers.raw if k.lower() not in (b"host", b"content-length")
    ]
    stack = sdk_family()
    return stack.Request("POST", url, headers=headers, content=body, extensions=request.extensions)


def _elsewhere(shop: Shop) -> str:
    """The same provider at another origin."""
    return f"{shop.provider.url}/chat/completions".replace("127.0.0.1", "localhost")


def _hosts(shop: Shop, **first: Any) -> dict[str, Any]:
    priced = {"provider": "openai"}
    return {shop.host: first or priced, shop.host.replace("127.0.0.1", "localhost"): priced}


@both
@pytest.mark.parametrize("status", [401, 429, 500, 503])
def test_a_fallback_to_another_provider_is_a_call_to_that_one(
    shop: Shop, asynchronous: bool, status: int
) -> None:
    """With that one's own model in the body, after an error of the first."""

    def falls_back(request: Any) -> Any:
        answer = yield request
        assert answer.status_code == status
        return (yield _to(request, _elsewhere(shop), model="gpt-4.1"))

    dear = _ceiling(shop, model="gpt-4.1")
    cap = farthing.Cap(f"{dear:f} USD", per="day", id="day")
    guard = shop.guard(cap, hosts=_hosts(shop), output="as_asked")
    url = f"{shop.provider.url}/chat/completions"
    shop.provider.script({"status": status}, {"model": "gpt-4.1"}, {"status": status})
    answer = _sent_over(written(asynchronous, falls_back), guard, url, asynchronous, CHEAP)
    assert answer.status_code == 200 and farthing.receipt(answer) is not None
    assert _hows(guard) == ["provider_error", "usage"]
    assert counted(guard, "day") == (billed(shop.provider), 0)
    guard.set_limit("day", f"{billed(shop.provider) + dear / 2:f} USD")
    refused = _sent_over(written(asynchronous, falls_back), guard, url, asynchronous, CHEAP)
    assert (refused.status_code, shop.requests()) == (402, 3)


@both
@pytest.mark.parametrize("first", ["free", "priced"])
def test_what_cost_nothing_elsewhere_lends_no_attempt(
    shop: Shop, asynchronous: bool, first: str
) -> None:
    """After 401 at one origin, the same body at another one."""

    def goes_on(request: Any) -> Any:
        yield request
        return (yield _to(request, _elsewhere(shop)))

    free = {"free": True} if first == "free" else {}
    guard = shop.guard(DAY, hosts=_hosts(shop, **free))
    url = f"{shop.provider.url}/chat/completions"
    shop.provider.script({"status": 401})
    answer = _sent_over(written(asynchronous, goes_on), guard, url, asynchronous, CHEAP)
    assert answer.status_code == 200
    assert _hows(guard) == ["provider_error", "usage"]
    assert counted(guard, "day") == (billed(shop.provider), 0) and billed(shop.provider) > 0


@both
def test_another_body_after_401_is_another_attempt(shop: Shop, asynchronous: bool) -> None:
    def dearer(request: Any) -> Any:
        yield request
        return (yield _to(request, str(request.url), model="gpt-4.1", max_tokens=16000))

    limit = _ceiling(shop) * 2
    guard = shop.guard(farthing.Cap(f"{limit:f} USD", per="day", id="day"), output="as_asked")
    shop.provider.script({"status": 401})
    url = f"{shop.provider.url}/chat/completions"
    answer = _sent_over(written(asynchronous, dearer), guard, url, asynchronous, CHEAP)
    assert (answer.status_code, shop.requests()) == (402, 1)
    assert _hows(guard) == ["provider_error"]


@pytest.mark.parametrize("read", [True, False], ids=["read", "unread"])
@pytest.mark.parametrize("status", [307, 400, 503])
def test_an_error_that_is_made_of_an_answer_does_not_pay_for_it(
    shop: Shop, status: int, read: bool
) -> None:
    stack = sdk_family()

    def judges(request: Any) -> Any:
        answer = yield request
        if read:
            answer.read()
        return stack.Response(status, json={"error": {"message": "not good enough"}})

    guard = shop.guard(DAY)
    url = f"{shop.provider.url}/chat/completions"
    answer = _sent_over(written(False, judges), guard, url, False, CHEAP)
    assert answer.status_code == status
    assert _hows(guard) == (["usage"] if read else ["hold"])
    assert counted(guard, "day")[0] >= billed(shop.provider) > 0


@both
def test_tries_of_what_a_transport_wrote_for_a_gateway_are_charged_each(
    shop: Shop, asynchronous: bool
) -> None:
    def gateway(request: Any) -> Any:
        for _ in range(4):
            told = yield _to(request, _elsewhere(shop), routed=True)
            if getattr(told, "status_code", 0) == 200:
                return told
        raise AssertionError

    guard = shop.guard(DAY)
    shop.provider.script(
        {"cut": "reset_head"}, {"cut": "reset_head"}, {"status": 504, "foreign": True}
    )
    url = f"{shop.provider.url}/chat/completions"
    answer = _sent_over(written(asynchronous, gateway), guard, url, asynchronous, CHEAP)
    assert answer.status_code == 200
    assert _hows(guard) == ["hold", "hold", "hold", "usage"]
    assert all(request["json"]["routed"] for request in shop.provider.requests())
    assert counted(guard, "day")[0] >= billed(shop.provider)


@both
def test_a_token_before_it_does_not_make_a_failed_connection_cost(
    shop: Shop, asynchronous: bool
) -> None:
    stack = sdk_family()

    def with_token(request: Any) -> Any:
        told = yield stack.Request("GET", f"{shop.provider.url}/models")
        assert told.status_code == 200
        told = yield request
        raise told

    with nobody() as nowhere:
        host = nowhere.removeprefix("http://")
        guard = shop.guard(DAY, hosts={**_hosts(shop), host: {"provider": "openai"}})
        url = f"{nowhere}/v1/chat/completions"
        with pytest.raises(stack.ConnectError):
            _sent_over(written(asynchronous, with_token), guard, url, asynchronous, CHEAP)
    assert _hows(guard) == ["released"]


def _dear(request: Any) -> None:
    """As recipes for hooks do it: into the request that is there."""
    stack = sdk_family()
    body = json.dumps(
        {**json.loads(request.content), "model": "gpt-4.1", "max_tokens": 16000}
    ).encode()
    request._content, request.stream = body, stack.ByteStream(body)
    request.headers["content-length"] = str(len(body))


@both
@pytest.mark.parametrize("where", ["event hook", "transport", "auth"])
def test_another_body_in_the_same_request_is_what_is_held(
    shop: Shop, asynchronous: bool, where: str
) -> None:
    stack = sdk_family()

    async def later(request: Any) -> None:
        _dear(request)

    def changes(request: Any) -> Any:
        _dear(request)
        return (yield request)

    more: dict[str, Any] = {
        "event hook": {"event_hooks": {"request": [later if asynchronous else _dear]}},
        "transport": {"transport": written(asynchronous, changes)},
        "auth": {"auth": type("Own", (stack.Auth,), {"auth_flow": lambda _, r: changes(r)})()},
    }[where]
    limit = _ceiling(shop) * 2
    guard = shop.guard(farthing.Cap(f"{limit:f} USD", per="day", id="day"), output="as_asked")

    async def main() -> Any:
        async with stack.AsyncClient(headers=AUTHORIZED, **more) as http:
            return await guard.wrap(http).post(url, json=CHEAP)

    url = f"{shop.provider.url}/chat/completions"
    if asynchronous:
        answer = asyncio.run(main())
    else:
        with stack.Client(headers=AUTHORIZED, **more) as http:
            answer = guard.wrap(http).post(url, json=CHEAP)
    assert (answer.status_code, shop.requests()) == (402, 0)
    assert _hows(guard) == ["released"]


@both
def test_authentication_that_signs_the_body_is_the_call(shop: Shop, asynchronous: bool) -> None:
    """A new request with a signature in its body, sent twice though it was answered."""
    stack = sdk_family()

    def signs(request: Any) -> Any:
        signed = _to(request, str(request.url), signature="abc")
        yield signed
        yield signed

    guard = shop.guard(DAY)
    auth = type("Own", (stack.Auth,), {"auth_flow": lambda _, request: signs(request)})()

    async def main() -> Any:
        async with stack.AsyncClient(headers=AUTHORIZED, auth=auth) as http:
            return await guard.wrap(http).post(url, json=CHEAP)

    url = f"{shop.provider.url}/chat/completions"
    if asynchronous:
        answer = asyncio.run(main())
    else:
        with stack.Client(headers=AUTHORIZED, auth=auth) as http:
            answer = guard.wrap(http).post(url, json=CHEAP)
    assert answer.status_code == 200
    assert _hows(guard) == ["released", "usage", "usage"]
    assert counted(guard, "day") == (billed(shop.provider), 0)
    assert [one["json"]["signature"] for one in shop.provider.requests()] == ["abc"] * 2


def test_a_client_of_another_guard_further_in_is_held_there_too(shop: Shop) -> None:
    """R32: once for each request and store."""
    stack = sdk_family()

    class Over(stack.BaseTransport):  # type: ignore[name-defined,misc]
        def handle_request(self, request: Any) -> Any:
            return inner.send(request, stream=True)

    outer = shop.guard(DAY)
    tight = shop.guard(farthing.Cap("0.000001 USD", per="day", id="tight"))
    url = f"{shop.provider.url}/chat/completions"
    with stack.Client(headers=AUTHORIZED) as inner:
        tight.wrap(inner)
        assert _sent_over(Over(), outer, url, False, CHEAP).status_code == 402
        tight.close()
        roomy = shop.guard(DAY)
        roomy.wrap(inner)
        assert _sent_over(Over(), outer, url, False, CHEAP).status_code == 200
    assert shop.requests() == 1
    assert counted(roomy, "day") == counted(outer, "day") == (billed(shop.provider), 0)


@both
@pytest.mark.parametrize("stream", [False, True])
def test_the_answer_of_an_earlier_try_is_the_caller_s(
    shop: Shop, asynchronous: bool, stream: bool
) -> None:
    """A second try while the first one's answer is open, and the first is taken: nothing that was asked for beyond the
    caller's wish is shown."""

    def hedges(request: Any) -> Any:
        first = yield request
        yield request
        return first

    guard = shop.guard(DAY)
    url = f"{shop.provider.url}/chat/completions"
    answer = _sent_over(
        written(asynchronous, hedges), guard, url, asynchronous, {**CHEAP, "stream": stream}
    )
    assert answer.status_code == 200
    receipt = farthing.receipt(answer)
    assert receipt is not None and receipt.how == "usage"
    assert (b"prompt_tokens" in answer.content) != stream
    assert sorted(_hows(guard)) == ["hold", "usage"]
    assert counted(guard, "day")[0] >= billed(shop.provider)


def test_an_answer_that_is_given_again_names_its_newest_attempt(shop: Shop) -> None:
    """A cache's one response for all: it does not grow."""
    stack = sdk_family()
    kept = stack.Response(200, json={"id": "x", "object": "chat.completion", "choices": []})
    guard = shop.guard(DAY)
    url = f"{shop.provider.url}/chat/completions"
    with stack.Client(transport=stack.MockTransport(lambda _: kept), headers=AUTHORIZED) as http:
        guard.wrap(http)
        for _ in range(3):
            answer = http.post(url, json=CHEAP)
            assert len(answer.headers.get_list("x-farthing-attempt")) == 1
            assert farthing.receipt(answer) is not None


def test_a_length_is_told_of_what_the_caller_sees(shop: Shop) -> None:
    """Of a stream, whose last chunk with usage only we asked for."""
    stack = sdk_family()
    chunk = {"id": "x", "object": "chat.completion.chunk", "model": "gpt-4.1-nano"}
    text = {**chunk, "choices": [{"index": 0, "delta": {"content": "a"}, "finish_reason": "stop"}]}
    usage = {"prompt_tokens": 5, "completion_tokens": 1, "total_tokens": 6}
    last = {**chunk, "choices": [], "usage": usage}
    body = b"".join(b"data: " + json.dumps(one).encode() + b"\n\n" for one in (text, last))
    body += b"data: [DONE]\n\n"
    headers = {"content-type": "text/event-stream", "content-length": str(len(body))}

    contents = [{"content": body}, {"stream": stack.ByteStream(body)}]

    def answers(_: Any) -> Any:
        return stack.Response(200, headers=headers, **contents.pop())

    guard = shop.guard(DAY)
    url = f"{shop.provider.url}/chat/completions"
    with stack.Client(transport=stack.MockTransport(answers), headers=AUTHORIZED) as http:
        guard.wrap(http)
        while contents:
            with http.stream("POST", url, json={**CHEAP, "stream": True}) as answer:
                seen = answer.read()
            assert b"usage" not in seen
            assert answer.headers.get("content-length", str(len(seen))) == str(len(seen))
    assert counted(guard, "day")[0] > Decimal(0)
