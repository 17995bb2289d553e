"""Requests to the fake without any SDK, for its own tests."""

from __future__ import annotations

import http.client
import json
from typing import Any

from tests.fakes.provider.handle import FakeProvider

HELLO: Any = [{"role": "user", "content": "Say hello to the mill, please."}]
CHAT: Any = {"model": "gpt-4o-mini", "messages": HELLO}
ASKED: Any = {"stream": True, "stream_options": {"include_usage": True}}


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
