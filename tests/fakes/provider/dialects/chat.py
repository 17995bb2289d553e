"""/v1/chat/completions, as recorded from OpenAI and Azure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .. import compose
from ..ask import JSON, Ask
from ..behaviour import Behaviour
from ..compose import Choice, Reply, Usage
from . import usage as usages
from .event import Event

FINGERPRINT = "fp_fa7e000001"
SAFE = {
    name: {"filtered": False, "severity": "safe"}
    for name in ("hate", "self_harm", "sexual", "violence")
}
PROMPT_FILTER = [{"prompt_index": 0, "content_filter_results": SAFE}]


def plain(ask: Ask, do: Behaviour, reply: Reply) -> JSON:
    body: JSON = {
        "id": reply.id,
        "object": "chat.completion",
        "created": reply.created,
        "model": reply.model,
        "choices": [_message(ask, index, choice) for index, choice in enumerate(reply.choices)],
    }
    usages.put(body, usages.shown(usages.chat(reply.usage), do))
    body["service_tier"] = reply.tier
    body["system_fingerprint"] = FINGERPRINT
    if ask.azure:
        body["prompt_filter_results"] = PROMPT_FILTER
    return body


def _message(ask: Ask, index: int, choice: Choice) -> JSON:
    message: JSON = {"role": "assistant", "content": choice.text}
    if choice.calls:
        message["tool_calls"] = [_call(call) for call in choice.calls]
    message["refusal"] = None
    message["annotations"] = []
    one = {"index": index, "message": message, "logprobs": None, "finish_reason": choice.finish}
    if ask.azure:
        one["content_filter_results"] = SAFE
    return one


def _call(call: compose.ToolCall) -> JSON:
    return {
        "id": call.id,
        "type": "function",
        "function": {"name": call.name, "arguments": call.arguments},
    }


def events(ask: Ask, do: Behaviour, reply: Reply) -> list[Event]:
    stream = _Stream(ask, do, reply)
    made = list(stream.events())
    return made


class _Stream:
    def __init__(self, ask: Ask, do: Behaviour, reply: Reply) -> None:
        self.ask, self.do, self.reply = ask, do, reply
        self.own_usage = ask.include_usage or do.usage_in == "unasked"
        self.generated = 0

    def events(self) -> Iterator[Event]:
        if self.do.prelude if self.do.prelude is not None else self.ask.azure:
            yield Event(
                {
                    "choices": [],
                    "created": 0,
                    "id": "",
                    "model": "",
                    "object": "",
                    "prompt_filter_results": PROMPT_FILTER,
                },
                0,
                "prelude",
            )
        for index, choice in enumerate(self.reply.choices):
            yield from self._choice(index, choice)
        if self.own_usage and self.do.usage_in in (None, "own", "unasked"):
            chunk = self._chunk([])
            shown = usages.shown(usages.chat(self.reply.usage), self.do)
            if shown is not usages.MISSING:
                yield Event(usages.put(chunk, shown), self.generated, "usage")
        if self.do.moderation:
            chunk = self._chunk([])
            chunk["moderation"] = {"input": {"flagged": False}, "output": {"flagged": False}}
            yield Event(chunk, self.generated, "moderation")
        yield Event("[DONE]", self.generated, "done")

    def _choice(self, index: int, choice: Choice) -> Iterator[Event]:
        before = self.generated
        self.generated = before + choice.reasoning
        start: JSON = {
            "role": "assistant",
            "content": "" if choice.text is not None else None,
            "refusal": None,
        }
        yield self._event(index, start, None, "start")
        deltas = list(_deltas(choice, self.do))
        for delta, tokens in zip(deltas, compose.ramp(choice.tokens, len(deltas)), strict=True):
            self.generated = before + choice.reasoning + tokens
            yield self._event(index, delta, None, "delta")
        self.generated = before + choice.reasoning + choice.tokens
        yield self._event(index, {}, choice.finish, "finish")

    def _event(self, index: int, delta: JSON, finish: str | None, kind: str) -> Event:
        choice: JSON = {"index": index, "delta": delta, "logprobs": None, "finish_reason": finish}
        if self.ask.azure:
            choice["content_filter_results"] = SAFE if kind == "delta" else {}
        chunk = self._chunk([choice])
        where = self.do.usage_in
        if where == "every" or (where in ("finish", "x_groq") and finish is not None):
            full = self.reply.usage
            cumulative = Usage(
                full.input_tokens, full.cached_tokens, self.generated, full.reasoning_tokens
            )
            shown = usages.shown(usages.chat(cumulative), self.do)
            if where == "x_groq":
                chunk["x_groq"] = usages.put({"id": self.reply.id}, shown)
            else:
                usages.put(chunk, shown)
        return Event(chunk, self.generated, kind)

    def _chunk(self, choices: list[Any]) -> JSON:
        chunk: JSON = {
            "id": self.reply.id,
            "object": "chat.completion.chunk",
            "created": self.reply.created,
            "model": self.reply.model,
            "service_tier": self.reply.tier,
            "system_fingerprint": FINGERPRINT,
            "choices": choices,
        }
        if self.own_usage:
            chunk["usage"] = None
        return chunk


def _deltas(choice: Choice, do: Behaviour) -> Iterator[JSON]:
    for number, call in enumerate(choice.calls):
        head = {
            "index": number,
            "id": call.id,
            "type": "function",
            "function": {"name": call.name, "arguments": ""},
        }
        yield {"tool_calls": [head]}
        for piece in compose.pieces(call.arguments, do.deltas, max(1, len(call.arguments) // 4)):
            yield {"tool_calls": [{"index": number, "function": {"arguments": piece}}]}
    if choice.text:
        for piece in compose.pieces(choice.text, do.deltas, choice.tokens):
            yield {"content": piece}


def error_event(error: JSON) -> Event:
    return Event({"error": error}, 0, "error")
