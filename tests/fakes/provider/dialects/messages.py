"""/v1/messages, as Anthropic documents it: one message, or the events that build it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from .. import compose
from ..ask import JSON, Ask
from ..behaviour import Behaviour
from ..compose import Choice, Reply, Usage
from . import usage as usages
from .event import Event

STOPS = {"stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use"}


def plain(ask: Ask, do: Behaviour, reply: Reply) -> JSON:
    choice = reply.choices[0]
    body = _message(reply, [block for block, _ in _blocks(choice)], STOPS[choice.finish])
    return usages.put(body, _usage(reply, reply.usage, do))


def _message(reply: Reply, content: list[JSON], stop: str | None) -> JSON:
    return {
        "id": reply.id,
        "type": "message",
        "role": "assistant",
        "model": reply.model,
        "content": content,
        "stop_reason": stop,
        "stop_sequence": None,
    }


def _usage(reply: Reply, usage: Usage, do: Behaviour) -> Any:
    true = usages.messages(usage)
    shown = usages.shown(true, do)
    tier = "standard" if reply.tier == "default" else reply.tier
    return {**true, "service_tier": tier} if shown is true else shown


def _blocks(choice: Choice) -> Iterator[tuple[JSON, str]]:
    """The content blocks, each with what is streamed for it."""
    if choice.text is not None:
        yield {"type": "text", "text": choice.text}, choice.text
    for call in choice.calls:
        try:
            given = json.loads(call.arguments)
        except ValueError:  # cut by the limit
            given = {}
        block = {"type": "tool_use", "id": f"toolu_{call.id[5:]}", "name": call.name}
        yield {**block, "input": given}, call.arguments


def events(ask: Ask, do: Behaviour, reply: Reply) -> list[Event]:
    made: list[Event] = []
    choice = reply.choices[0]
    generated = 0

    def add(kind: str, name: str, **more: Any) -> JSON:
        data: JSON = {"type": name, **more}
        made.append(Event(data, generated, kind, name))
        return data

    full = reply.usage
    begun = Usage(full.input_tokens, full.cached_tokens, min(1, full.output_tokens))
    add(
        "start",
        "message_start",
        message=usages.put(_message(reply, [], None), _usage(reply, begun, do)),
    )
    blocks = list(_blocks(choice))
    generated = choice.reasoning
    for index, (block, streamed) in enumerate(blocks):
        text = block["type"] == "text"
        opened = {**block, "text": ""} if text else {**block, "input": {}}
        add("start", "content_block_start", index=index, content_block=opened)
        if index == 0:
            add("start", "ping")
        tokens = choice.tokens if text else max(1, len(streamed) // 4)
        parts = compose.pieces(streamed, do.deltas, tokens) if streamed else []
        for part, so_far in zip(parts, compose.ramp(choice.tokens, len(parts)), strict=True):
            if text:
                generated = choice.reasoning + so_far
                delta = {"type": "text_delta", "text": part}
            else:
                delta = {"type": "input_json_delta", "partial_json": part}
            add("delta", "content_block_delta", index=index, delta=delta)
        generated = choice.reasoning + choice.tokens
        add("finish", "content_block_stop", index=index)
    generated = full.output_tokens
    stop = {"stop_reason": STOPS[choice.finish], "stop_sequence": None}
    shown = usages.shown(usages.messages(full), do)
    usages.put(add("usage", "message_delta", delta=stop), shown)
    add("done", "message_stop")
    return made


def error_event(error: JSON) -> Event:
    kind = "api_error" if error.get("type") == "server_error" else error.get("type")
    data = {"type": "error", "error": {"type": kind, "message": error.get("message")}}
    return Event(data, 0, "error", "error")
