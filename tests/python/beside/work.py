"""What a program does beside a tracer: calls of both kinds, plain and streamed, then the same ones refused."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import openai

import farthing

CHAT: Any = {
    "model": "gpt-4.1-nano",
    "max_tokens": 64,
    "messages": [{"role": "user", "content": "hello there"}],
}
KINDS: list[dict[str, Any]] = [
    {},
    {"stream": True},
    {"stream": True, "stream_options": {"include_usage": True}},
]
CALLS = 2 * len(KINDS)


def guard(host: str) -> farthing.Guard:
    cap = farthing.Cap("5 USD", per="day", id="day")
    return farthing.Guard(caps=[cap], store="memory:", hosts={host: {"provider": "openai"}})


def call(url: str, kind: dict[str, Any], **more: Any) -> Any:
    """One call by a synchronous client of its own: the reply, or the chunks."""
    with openai.OpenAI(base_url=url, api_key="sk-test-0001") as client:
        assert type(client) is openai.OpenAI
        reply = client.chat.completions.create(**CHAT, **kind, **more)
        if not kind:
            return reply
        assert isinstance(reply, openai.Stream)
        return list(reply)


async def acall(url: str, kind: dict[str, Any], **more: Any) -> Any:
    """The same in an event loop."""
    async with openai.AsyncOpenAI(base_url=url, api_key="sk-test-0001") as client:
        assert type(client) is openai.AsyncOpenAI
        reply = await client.chat.completions.create(**CHAT, **kind, **more)
        if not kind:
            return reply
        assert isinstance(reply, openai.AsyncStream)
        return [chunk async for chunk in reply]


def all_kinds(url: str) -> list[Any]:
    return [call(url, kind) for kind in KINDS] + [asyncio.run(acall(url, kind)) for kind in KINDS]


def refused(url: str) -> list[str]:
    """The codes of refusals, of each kind of call."""
    return [
        code for kind in KINDS for code in (_refused(url, kind), asyncio.run(_arefused(url, kind)))
    ]


def _refused(url: str, kind: dict[str, Any]) -> str:
    try:
        call(url, kind)
    except openai.APIStatusError as error:
        return _code(error)
    return "sent"


async def _arefused(url: str, kind: dict[str, Any]) -> str:
    try:
        await acall(url, kind)
    except openai.APIStatusError as error:
        return _code(error)
    return "sent"


def _code(error: Exception) -> str:
    return str(error.code) if isinstance(error, farthing.CapExceeded) else repr(error)


def said(guard: farthing.Guard, replies: list[Any], codes: list[str]) -> dict[str, Any]:
    """What the test wants to know of it."""
    (counter,) = guard.status().counters
    rows = list(guard.ledger())
    return {
        "texts": [one.choices[0].message.content for one in replies if not isinstance(one, list)],
        "usage_shown": [
            any(chunk.usage for chunk in one) for one in replies if isinstance(one, list)
        ],
        "refused": codes,
        "how": [row.how for row in rows],
        "booked": str(sum((Decimal(row.booked["usd"]) for row in rows), Decimal(0))),
        "spent": str(counter.cap.spent),
        "reserved": str(counter.cap.reserved),
    }
