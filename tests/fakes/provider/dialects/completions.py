"""/v1/completions, the old text endpoint."""

from __future__ import annotations

from .. import compose
from ..ask import JSON, Ask
from ..behaviour import Behaviour
from ..compose import Reply
from . import usage as usages
from .event import Event


def plain(ask: Ask, do: Behaviour, reply: Reply) -> JSON:
    choices = [
        {"text": choice.text, "index": index, "logprobs": None, "finish_reason": choice.finish}
        for index, choice in enumerate(reply.choices)
    ]
    body: JSON = {
        "id": reply.id,
        "object": "text_completion",
        "created": reply.created,
        "model": reply.model,
        "choices": choices,
    }
    return usages.put(body, usages.shown(usages.completions(reply.usage), do))


def events(ask: Ask, do: Behaviour, reply: Reply) -> list[Event]:
    made: list[Event] = []
    generated = 0

    def add(choices: list[JSON], kind: str) -> JSON:
        chunk: JSON = {
            "id": reply.id,
            "object": "text_completion",
            "created": reply.created,
            "choices": choices,
            "model": reply.model,
        }
        if ask.include_usage:
            chunk["usage"] = None
        made.append(Event(chunk, generated, kind))
        return chunk

    for index, choice in enumerate(reply.choices):
        before = generated + choice.reasoning
        texts = compose.pieces(choice.text or "", do.deltas, choice.tokens)
        for text, tokens in zip(texts, compose.ramp(choice.tokens, len(texts)), strict=True):
            generated = before + tokens
            add([{"text": text, "index": index, "logprobs": None, "finish_reason": None}], "delta")
        add(
            [{"text": "", "index": index, "logprobs": None, "finish_reason": choice.finish}],
            "finish",
        )
    if ask.include_usage or do.usage_in == "unasked":
        shown = usages.shown(usages.completions(reply.usage), do)
        if shown is not usages.MISSING:
            usages.put(add([], "usage"), shown)
    made.append(Event("[DONE]", generated, "done"))
    return made
