"""The control endpoints below /__fake__/: scripts, barriers, the log, the counts. Never billed, never counted."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from .ask import JSON, Ask
from .behaviour import ControlError, check
from .provider import Provider

PREFIX = "/__fake__/"
Answer = tuple[int, str, bytes]


async def handle(provider: Provider, ask: Ask) -> Answer:
    name = ask.path[len(PREFIX) :]
    route = ROUTES.get((ask.method, name))
    if route is None:
        return _json(
            404,
            {"error": f"no {ask.method} {ask.path}", "known": [" ".join(one) for one in ROUTES]},
        )
    try:
        return await route(provider, ask)
    except (ControlError, TypeError, KeyError, ValueError) as error:
        return _json(400, {"error": f"{type(error).__name__}: {error}"})


def _json(status: int, body: Any) -> Answer:
    return status, "application/json", json.dumps(body).encode()


def _body(ask: Ask) -> Any:
    return json.loads(ask.raw or b"null")


def _first(ask: Ask, name: str, default: str = "") -> str:
    return ask.query.get(name, [default])[0]


async def _script(provider: Provider, ask: Ask) -> Answer:
    lines = _body(ask)
    provider.script.add(lines)
    return _json(200, {"added": len(lines)})


async def _clear(provider: Provider, ask: Ask) -> Answer:
    provider.script.clear()
    return _json(200, {})


async def _default(provider: Provider, ask: Ask) -> Answer:
    provider.script.default = check(_body(ask) or {})
    return _json(200, {})


async def _release(provider: Provider, ask: Ask) -> Answer:
    wanted: JSON = _body(ask) or {}
    count = provider.gate.release(
        wanted.get("name", "*"), wanted.get("count"), wanted.get("stay_open", False)
    )
    return _json(200, {"released": count})


async def _reset(provider: Provider, ask: Ask) -> Answer:
    provider.reset()
    return _json(200, {})


async def _log(provider: Provider, ask: Ask) -> Answer:
    return 200, "application/jsonl", provider.log.read()


async def _stats(provider: Provider, ask: Ask) -> Answer:
    return _json(200, provider.stats())


async def _requests(provider: Provider, ask: Ask) -> Answer:
    """What came in, as it came in: with its body, without the API key."""
    last = int(_first(ask, "last", "0"))
    kept = list(provider.requests)[-last:]
    return _json(200, [_seen(one, request_id) for one, request_id in kept])


def _seen(ask: Ask, request_id: str) -> JSON:
    headers = {
        name: ("..." + value[-4:] if name in ("authorization", "api-key") else value)
        for name, value in ask.headers.items()
    }
    return {
        "request_id": request_id,
        "method": ask.method,
        "target": ask.target,
        "headers": headers,
        "body": ask.raw.decode("utf-8", "replace"),
    }


async def _wait(provider: Provider, ask: Ask) -> Answer:
    """Answers when the state is reached: holding=NAME&count=N, billed=N, seen=N, in_flight=N, connections=N."""
    conditions: list[Callable[[], bool]] = []
    if holding := _first(ask, "holding"):
        count = int(_first(ask, "count", "1"))
        conditions.append(lambda: provider.gate.holding().get(holding, 0) >= count)
    if billed := _first(ask, "billed"):
        conditions.append(lambda: len(provider.log) >= int(billed))
    if seen := _first(ask, "seen"):
        conditions.append(lambda: provider.seen >= int(seen))
    if in_flight := _first(ask, "in_flight"):
        conditions.append(lambda: provider.in_flight == int(in_flight))
    if connections := _first(ask, "connections"):  # this one is not counted
        conditions.append(lambda: len(provider.connections) - 1 == int(connections))
    reached = await provider.gate.wait(
        lambda: all(one() for one in conditions), float(_first(ask, "timeout", "10"))
    )
    return _json(200 if reached else 408, {"reached": reached, **provider.stats()})


async def _recordings(provider: Provider, ask: Ask) -> Answer:
    rows = [
        {
            "index": row.index,
            "source": row.source,
            "provider": row.provider,
            "endpoint": row.endpoint,
            "path": row.path,
            "status": row.status,
            "sse": row.sse,
        }
        for row in provider.recordings.rows
    ]
    return _json(200, rows)


ROUTES = {
    ("POST", "script"): _script,
    ("DELETE", "script"): _clear,
    ("POST", "default"): _default,
    ("POST", "release"): _release,
    ("POST", "reset"): _reset,
    ("GET", "log"): _log,
    ("GET", "stats"): _stats,
    ("GET", "requests"): _requests,
    ("GET", "wait"): _wait,
    ("GET", "recordings"): _recordings,
}
