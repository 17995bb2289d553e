"""/v1beta/models/NAME:generateContent and :streamGenerateContent, as Google documents them."""

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

FINISHES = {"stop": "STOP", "length": "MAX_TOKENS", "tool_calls": "STOP"}


def plain(ask: Ask, do: Behaviour, reply: Reply) -> JSON:
    candidates = [
        _candidate(index, list(_parts(choice)), FINISHES[choice.finish])
        for index, choice in enumerate(reply.choices)
    ]
    return _response(reply, candidates, usages.shown(usages.gemini(reply.usage), do))


def _response(reply: Reply, candidates: list[JSON], usage: Any) -> JSON:
    body: JSON = {"candidates": candidates}
    usages.put(body, usage, "usageMetadata")
    return {**body, "modelVersion": reply.model, "responseId": reply.id}


def _candidate(index: int, parts: list[JSON], finish: str | None = None) -> JSON:
    made: JSON = {"content": {"parts": parts, "role": "model"}, "index": index}
    if finish is not None:
        made["finishReason"] = finish
    return made


def _parts(choice: Choice) -> Iterator[JSON]:
    if choice.text:
        yield {"text": choice.text}
    for call in choice.calls:
        try:
            given = json.loads(call.arguments)
        except ValueError:  # cut by the limit
            given = {}
        yield {"functionCall": {"name": call.name, "args": given}}


def events(ask: Ask, do: Behaviour, reply: Reply) -> list[Event]:
    """Each chunk a whole response with the usage so far; the last says why it ended. There is no other end."""
    made: list[Event] = []
    full = reply.usage
    generated = thought = 0
    for index, choice in enumerate(reply.choices):
        before, thought = generated, thought + choice.reasoning
        if choice.calls or not choice.text:
            deltas = [list(_parts(choice))]
        else:
            deltas = [
                [{"text": text}] for text in compose.pieces(choice.text, do.deltas, choice.tokens)
            ]
        ramp = list(compose.ramp(choice.tokens, len(deltas)))
        for number, (parts, tokens) in enumerate(zip(deltas, ramp, strict=True), 1):
            generated = before + choice.reasoning + tokens
            last = number == len(deltas)
            candidate = _candidate(index, parts, FINISHES[choice.finish] if last else None)
            so_far = Usage(full.input_tokens, full.cached_tokens, generated, thought)
            shown = usages.shown(usages.gemini(so_far), do)
            kind = "done" if last and index == len(reply.choices) - 1 else "delta"
            made.append(Event(_response(reply, [candidate], shown), generated, kind))
    return made


def error_event(error: JSON) -> Event:
    data = {"error": {"code": 500, "message": error.get("message"), "status": "INTERNAL"}}
    return Event(data, 0, "error")
