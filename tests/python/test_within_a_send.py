"""The requests that one `send` of the HTTP stack consists of: which of them carry the call, and what settles it when
somebody in between asks again, raises, or does not wait."""

from __future__ import annotations

import asyncio
import gc
import json
import weakref
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

import farthing
from farthing._hooks import sending as hooks

from .conftest import CHEAP, MODEL, sdk_family
from .money import counted

DAY = farthing.Cap("5 USD", per="day", id="day")
API = "http://api.example/v1/chat/completions"
ASKED: dict[str, Any] = {"model": MODEL, "messages": CHEAP["messages"]}  # a limit is inserted
STREAMED = {**ASKED, "stream": True}
USAGE = {"prompt_tokens": 9, "completion_tokens": 5, "total_tokens": 14}
ERROR = {"error": {"message": "slow down", "type": "requests", "code": "rate_limit_exceeded"}}
Seen = list[tuple[str, str, bytes]]


@pytest.fixture
def guard() -> farthing.Guard:
    hosts: dict[str, Any] = {"api.example": {"provider": "openai"}}
    return farthing.Guard(caps=[DAY], store="memory:", hosts=hosts, held_wait="0s")


def chat(request: Any) -> Any:
    """The provider's answer."""
    stack = sdk_family()
    head = {"id": "c", "created": 1, "model": MODEL}
    if json.loads(request.content).get("stream"):
        told = {**head, "object": "chat.completion.chunk", "choices": [], "usage": USAGE}
        body = f"data: {json.dumps(told)}\n\ndata: [DONE]\n\n"
        return stack.Response(200, headers={"content-type": "text/event-stream"}, text=body)
    said = {"index": 0, "message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop"}
    told = {**head, "object": "chat.completion", "choices": [said], "usage": USAGE}
    return stack.Response(200, json=told)


def network(seen: Seen, answers: Callable[[Any], Any] = lambda _: None) -> Any:
    """Answers as `answers` does, else as the provider; notes what came where."""

    def handle(request: Any) -> Any:
        request.read()
        seen.append((request.url.host, request.url.path, request.content))
        return answers(request) or chat(request)

    return sdk_family().MockTransport(handle)


def post(guard: farthing.Guard, way: str, ask: dict[str, Any], **client: Any) -> Any:
    """One request of a guarded client that follows redirects."""
    stack = sdk_family()

    async def main() -> Any:
        async with stack.AsyncClient(follow_redirects=True, **client) as http:
            guard.wrap(http)
            return await http.post(API, json=ask)

    if way == "async":
        return asyncio.run(main())
    with stack.Client(follow_redirects=True, **client) as http:
        guard.wrap(http)
        return http.post(API, json=ask)


def authentication(flow: Callable[[Any], Iterator[Any]]) -> Any:
    return type("Own", (sdk_family().Auth,), {"auth_flow": lambda _, request: flow(request)})()


@pytest.mark.parametrize("way", ["sync", "async"])
@pytest.mark.parametrize("ask", [ASKED, STREAMED], ids=["limited", "stream"])
@pytest.mark.parametrize(
    "token",
    ["http://login.example/token", "http://api.example/token", "http://api.example/moved"],
)
@pytest.mark.parametrize("late", [False, True], ids=["before", "after a 401"])
def test_a_token_is_asked_for_with_its_own_body(
    guard: farthing.Guard, way: str, ask: dict[str, Any], token: str, late: bool
) -> None:
    stack, seen = sdk_family(), []

    def answers(request: Any) -> Any:
        if request.url.path == "/moved":
            return stack.Response(307, headers={"location": "http://login.example/token"})
        if request.url.path == "/token":
            return stack.Response(200, json={"access_token": "t"})
        return None if "authorization" in request.headers else stack.Response(401, json=ERROR)

    def flow(request: Any) -> Iterator[Any]:
        if late:
            yield request
        told = yield stack.Request("POST", token, content=b"grant")
        assert told.status_code == 200
        request.headers["authorization"] = "Bearer t"
        yield request

    answer = post(guard, way, ask, transport=network(seen, answers), auth=authentication(flow))
    assert answer.status_code == 200
    asked = [json.loads(body) for _, path, body in seen if path == "/v1/chat/completions"]
    assert len(asked) == 1 + late
    for body in asked:
        assert body["max_completion_tokens"] > 0
        assert ("stream_options" in body) == ("stream" in ask)
    assert {body for _, path, body in seen if path in ("/token", "/moved")} == {b"grant"}
    (row,) = guard.ledger()
    assert row.how == "usage"


@pytest.mark.parametrize("way", ["sync", "async"])
def test_after_a_refusal_nothing_goes_out_unasked(guard: farthing.Guard, way: str) -> None:
    """Authentication that sends again whatever was not answered well: each is an attempt of its own."""
    stack, seen = sdk_family(), []
    away = {"location": "http://unknown.example/v1/chat/completions"}

    def flow(request: Any) -> Iterator[Any]:
        answer = yield request
        assert answer.status_code == 402
        answer = yield answer.request  # what was refused
        assert answer.status_code == 402
        yield request

    def answers(_: Any) -> Any:
        return stack.Response(307, headers=away) if len(seen) == 1 else None

    answer = post(guard, way, ASKED, transport=network(seen, answers), auth=authentication(flow))
    assert answer.status_code == 200
    assert [host for host, _, _ in seen] == ["api.example", "api.example"]
    assert [row.how for row in guard.ledger()] == ["usage", "provider_error"]


@pytest.mark.parametrize("way", ["sync", "async"])
def test_a_send_that_is_over_acts_no_more(guard: farthing.Guard, way: str) -> None:
    """A task that a hook of the caller's started still finds it, and keeps nothing of the call alive."""
    stack, seen = sdk_family(), []
    held: list[Any] = []

    async def hook(_: Any) -> None:
        held.append(hooks.SENDING.get())

    if way == "async":

        async def main() -> None:
            posted: list[Any] = []
            done = asyncio.Event()

            async def metrics(_: Any) -> None:
                await hook(_)
                if not posted:
                    posted.append(asyncio.ensure_future(later()))

            async def later() -> None:
                await done.wait()
                url = "http://metrics.example/v1/chat/completions"
                await http.post(url, content=b"METRICS")

            told = {"request": [metrics]}
            answers = lambda one: stack.Response(200) if "metrics" in str(one.url) else None  # noqa: E731
            async with stack.AsyncClient(
                transport=network(seen, answers), event_hooks=told
            ) as http:
                guard.install()
                await http.post(API, json=STREAMED)
                guard.uninstall()
                guard.close()
                done.set()
                await posted[0]

        asyncio.run(main())
        assert [(host, body) for host, _, body in seen][1:] == [("metrics.example", b"METRICS")]
    else:
        told = {"request": [lambda _: held.append(hooks.SENDING.get())]}
        transport = network(seen)
        with stack.Client(transport=transport, event_hooks=told) as http:
            guard.wrap(http)
            request = http.build_request("POST", API, json=ASKED)
            kept = weakref.ref(request)
            http.send(request)
            del request
        gc.collect()
        assert kept() is None
    over = held[0]
    assert over.client is None and over.answer is None and over.out is None
    assert over.tries.callers is None and over.tries.all == [] and over.tries.now is None


@pytest.mark.parametrize("way", ["sync", "async"])
def test_who_catches_an_error_may_send_again(guard: farthing.Guard, way: str) -> None:
    """The second try is followed as the first: where it is led elsewhere, that is begun."""
    stack, seen = sdk_family(), []
    away = {"location": "http://unknown.example/v1/chat/completions"}

    def answers(_: Any) -> Any:
        if len(seen) == 1:
            raise stack.ReadError("broken")
        return stack.Response(307, headers=away)

    class Again(stack.Client):  # type: ignore[name-defined,misc]
        def _send_single_request(self, request: Any) -> Any:
            try:
                return super()._send_single_request(request)
            except stack.ReadError:
                return super()._send_single_request(request)

    class AsyncAgain(stack.AsyncClient):  # type: ignore[name-defined,misc]
        async def _send_single_request(self, request: Any) -> Any:
            try:
                return await super()._send_single_request(request)
            except stack.ReadError:
                return await super()._send_single_request(request)

    async def main() -> Any:
        async with AsyncAgain(transport=network(seen, answers), follow_redirects=True) as http:
            guard.wrap(http)
            return await http.post(API, json=ASKED)

    if way == "async":
        answer = asyncio.run(main())
    else:
        with Again(transport=network(seen, answers), follow_redirects=True) as http:
            guard.wrap(http)
            answer = http.post(API, json=ASKED)
    assert answer.status_code == 402
    assert [host for host, _, _ in seen] == ["api.example", "api.example"]
    assert [row.how for row in guard.ledger()] == ["provider_error", "hold"]


def test_an_old_signature(guard: farthing.Guard) -> None:
    """Before 0.20 the method takes a timeout too."""
    from farthing._hooks import aio, sync
    from farthing._hooks.family import family_of

    family, got = family_of(sdk_family()), []
    sync.single(lambda *parts: got.append(parts), family)("client", "request", "timeout")

    async def inner(*parts: Any) -> None:
        got.append(parts)

    asyncio.run(aio.single(inner, family)("client", "request", "timeout"))
    assert got == [("client", "request", "timeout")] * 2


@pytest.mark.parametrize("way", ["sync", "async"])
@pytest.mark.parametrize("read", [True, False])
def test_a_hook_that_raises_at_an_answer(guard: farthing.Guard, way: str, read: bool) -> None:
    """What was read says what it cost; of what was not, nobody knows."""
    stack, seen = sdk_family(), []

    def check(answer: Any) -> None:
        if read:
            answer.read()
        answer.raise_for_status()

    async def acheck(answer: Any) -> None:
        if read:
            await answer.aread()
        answer.raise_for_status()

    class Body(stack.SyncByteStream, stack.AsyncByteStream):  # type: ignore[name-defined,misc]
        def __iter__(self) -> Iterator[bytes]:
            yield json.dumps(ERROR).encode()

        async def __aiter__(self) -> AsyncIterator[bytes]:
            yield json.dumps(ERROR).encode()

    def answers(_: Any) -> Any:
        return stack.Response(429, headers={"content-type": "application/json"}, stream=Body())

    told = {"response": [acheck if way == "async" else check]}
    with pytest.raises(stack.HTTPStatusError):
        post(guard, way, ASKED, transport=network(seen, answers), event_hooks=told)
    (row,) = guard.ledger()
    assert (row.how == "provider_error") == read
    assert (counted(guard, "day") == (0, 0)) == read


REQUESTS = farthing.Cap("9 requests", per="day", id="requests")
TOKEN = "http://login.example/token"


def _down(_: Any) -> Any:
    raise OSError("no token today")


def _raises(_: Any) -> Iterator[Any]:
    raise RuntimeError("no token today")
    yield


def _token_first(request: Any) -> Iterator[Any]:
    yield sdk_family().Request("POST", TOKEN, content=b"grant")
    raise RuntimeError("not the token that was expected")


def _token_then_call(request: Any) -> Iterator[Any]:
    yield sdk_family().Request("POST", TOKEN, content=b"grant")
    yield request


def _call_then_token(request: Any) -> Iterator[Any]:
    yield request
    yield sdk_family().Request("POST", TOKEN, content=b"grant")
    yield request


def _fails(way: str, raises: Any, answers: Any, **client: Any) -> tuple[Seen, Any]:
    """What was on the wire, and the guard, after a call that raises as expected."""
    seen: Seen = []
    hosts: dict[str, Any] = {"api.example": {"provider": "openai"}}
    guard = farthing.Guard(caps=[DAY, REQUESTS], store="memory:", hosts=hosts, held_wait="0s")
    with pytest.raises(raises):
        post(guard, way, ASKED, transport=network(seen, answers), **client)
    return seen, guard


def _spent(guard: Any) -> dict[str, Any]:
    return {one.cap.cap: one.cap.spent + one.cap.reserved for one in guard.status().counters}


@pytest.mark.parametrize("way", ["sync", "async"])
@pytest.mark.parametrize("where", ["authentication", "token asked before", "token", "hook"])
def test_what_was_not_handed_on_costs_nothing(way: str, where: str) -> None:
    """R23: the call never reached the transport, whatever was raised, and whatever was asked for before it."""
    stack = sdk_family()

    async def hook(_: Any) -> None:
        _down(_)

    def answers(request: Any) -> Any:
        if where == "token":  # sent, and nobody knows how it ended; but it is not the call
            raise stack.ReadTimeout("slow")
        return stack.Response(200, json={})

    flows = {
        "authentication": _raises,
        "token asked before": _token_first,
        "token": _token_then_call,
    }
    client: dict[str, Any] = (
        {"auth": authentication(flows[where])}
        if where in flows
        else {"event_hooks": {"request": [hook if way == "async" else _down]}}
    )
    raises = (RuntimeError, OSError, stack.ReadTimeout)
    seen, guard = _fails(way, raises, answers, **client)
    assert [host for host, _, _ in seen] == ["login.example"] * (where[:5] == "token")
    assert [row.how for row in guard.ledger()] == ["released"]
    assert _spent(guard) == {"day": 0, "requests": 0}


@pytest.mark.parametrize("way", ["sync", "async"])
@pytest.mark.parametrize("flow", [None, _token_then_call], ids=["plain", "token asked before"])
def test_what_was_handed_on_is_charged(way: str, flow: Any) -> None:
    def answers(request: Any) -> Any:
        if request.url.host == "api.example":
            raise RuntimeError("a transport of the caller's own")
        return sdk_family().Response(200, json={})

    client = {} if flow is None else {"auth": authentication(flow)}
    _, guard = _fails(way, RuntimeError, answers, **client)
    (row,) = guard.ledger()
    assert row.how == "hold"
    assert _spent(guard) == {"day": row.ceiling_usd, "requests": 1}


@pytest.mark.parametrize("way", ["sync", "async"])
def test_a_token_that_cannot_be_renewed_leaves_what_was_answered(way: str) -> None:
    """The call was sent, and its provider said no: that nobody reaches the host of tokens does not undo that."""
    stack = sdk_family()

    def answers(request: Any) -> Any:
        if request.url.host == "login.example":
            raise stack.ConnectError("not there")
        return stack.Response(401, json=ERROR)

    auth = authentication(_call_then_token)
    _, guard = _fails(way, stack.ConnectError, answers, auth=auth)
    assert [row.how for row in guard.ledger()] == ["provider_error"]
    assert _spent(guard) == {"day": 0, "requests": 1}


def _twice(request: Any) -> Iterator[Any]:
    yield request
    yield request


@pytest.mark.parametrize("way", ["sync", "async"])
@pytest.mark.parametrize(
    ("status", "how", "requests"), [(200, "usage", 1), (504, "hold", 1), (307, "provider_error", 1)]
)
def test_what_left_before_stays_what_it_was(way: str, status: int, how: str, requests: int) -> None:
    """A later request of the same send that never left proves nothing of the first."""
    stack = sdk_family()
    asked: list[Any] = []

    def answers(request: Any) -> Any:
        asked.append(request)
        if len(asked) > 1:
            raise stack.ConnectError("not there")
        if status == 307:
            return stack.Response(307, headers={"location": "/v1/other"})
        return None if status == 200 else stack.Response(status, text="a gateway")

    client = {} if status == 307 else {"auth": authentication(_twice)}
    _, guard = _fails(way, stack.ConnectError, answers, **client)
    *later, row = guard.ledger()
    assert (row.how, len(asked)) == (how, 2)
    assert [one.how for one in later] == ([] if status == 307 else ["released"])
    cost = {"usage": row.actual_usd, "hold": row.ceiling_usd}.get(how, 0)
    assert _spent(guard) == {"day": cost, "requests": requests}
    assert (cost or 0) > 0 or how == "provider_error"


@pytest.mark.parametrize("retries", [True, False], ids=["asks again", "sends by itself"])
def test_methods_between_that_are_a_clients_own_prove_nothing(
    guard: farthing.Guard, retries: bool
) -> None:
    stack = sdk_family()
    asked: list[Any] = []

    def answers(request: Any) -> Any:
        asked.append(request)
        if retries and len(asked) > 1:
            raise stack.ConnectError("not there")
        raise stack.ReadTimeout("slow")

    class Own(stack.Client):  # type: ignore[name-defined,misc]
        def _send_handling_redirects(self, request: Any, *rest: Any, **more: Any) -> Any:
            if not retries:
                return self._transport.handle_request(request)
            try:
                return super()._send_handling_redirects(request, *rest, **more)
            except stack.ReadTimeout:
                return super()._send_handling_redirects(request, *rest, **more)

    with Own(transport=network([], answers)) as http, pytest.raises(stack.TransportError):
        guard.wrap(http).post(API, json=ASKED)
    assert len(asked) == 1 + retries
    assert [row.how for row in guard.ledger()] == ["released", "hold"][not retries :]


@pytest.mark.parametrize("way", ["sync", "async"])
def test_a_client_that_sends_by_itself_is_charged(guard: farthing.Guard, way: str) -> None:
    """A method of its own that does not call ours: nobody saw whether the request was handed on."""
    stack = sdk_family()

    class Own(stack.Client):  # type: ignore[name-defined,misc]
        def _send_single_request(self, _: Any) -> Any:
            raise stack.ReadError("broken")

    class AsyncOwn(stack.AsyncClient):  # type: ignore[name-defined,misc]
        async def _send_single_request(self, _: Any) -> Any:
            raise stack.ReadError("broken")

    async def main() -> None:
        async with AsyncOwn() as http:
            await guard.wrap(http).post(API, json=ASKED)

    def alone() -> None:
        with Own() as http:
            guard.wrap(http).post(API, json=ASKED)

    with pytest.raises(stack.ReadError):
        asyncio.run(main()) if way == "async" else alone()
    assert [row.how for row in guard.ledger()] == ["hold"]


def test_a_call_that_is_cancelled_before_it_was_handed_on_costs_nothing(
    guard: farthing.Guard,
) -> None:
    stack, seen = sdk_family(), []

    async def main() -> None:
        waiting = asyncio.Event()

        async def hook(_: Any) -> None:
            waiting.set()
            await asyncio.sleep(60)

        told = {"request": [hook]}
        async with stack.AsyncClient(transport=network(seen), event_hooks=told) as http:
            guard.wrap(http)
            call = asyncio.ensure_future(http.post(API, json=ASKED))
            await waiting.wait()
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call

    asyncio.run(main())
    assert seen == []
    assert [row.how for row in guard.ledger()] == ["released"]


@pytest.mark.parametrize("led", [True, False], ids=["redirected", "not redirected"])
@pytest.mark.parametrize("fails", [False, True])
def test_a_transport_that_does_not_wait(led: bool, fails: bool) -> None:
    """It answers otherwise, while what it sent further in goes on: that is settled there, once."""
    stack = sdk_family()
    hosts: dict[str, Any] = {h: {"provider": "openai"} for h in ("api.example", "two.example")}
    guard = farthing.Guard(caps=[DAY], store="memory:", hosts=hosts, held_wait="0s")

    async def main() -> None:
        go_on, sent = asyncio.Event(), []

        async def further(request: Any) -> Any:
            if led and request.url.host == "api.example":
                location = "http://two.example/v1/chat/completions"
                return stack.Response(307, headers={"location": location})
            await go_on.wait()
            if fails:
                raise stack.ReadError("broken")
            return chat(request)

        inner = stack.AsyncClient(transport=stack.MockTransport(further), follow_redirects=True)

        class Hedge(stack.AsyncBaseTransport):  # type: ignore[name-defined,misc]
            async def handle_async_request(self, request: Any) -> Any:
                sent.append(asyncio.ensure_future(inner.send(request)))
                for _ in range(20):
                    await asyncio.sleep(0)
                return chat(request)

        guard.install()
        async with inner, stack.AsyncClient(transport=Hedge()) as http:
            assert (await http.post(API, json=ASKED)).status_code == 200
            go_on.set()
            (told,) = await asyncio.gather(*sent, return_exceptions=True)
            assert isinstance(told, stack.ReadError) if fails else told.status_code == 200

    asyncio.run(main())
    guard.uninstall()
    rows = {row.host: row.how for row in guard.ledger()}
    if led:
        assert set(rows) == {"api.example", "two.example"}
        assert (rows["two.example"] == "usage") == (not fails)
    else:
        assert rows == {"api.example": "hold" if fails else "usage"}
    assert counted(guard, "day")[1] == 0  # nothing is held any more
