"""/v1/responses, as recorded from OpenAI: one response object, or the events that build it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .. import compose
from ..ask import JSON, Ask
from ..behaviour import Behaviour
from ..compose import Choice, Reply
from . import usage as usages
from .event import Event


def plain(ask: Ask, do: Behaviour, reply: Reply) -> JSON:
    choice = reply.choices[0]
    body = _response(ask, reply, "incomplete" if choice.finish == "length" else "completed")
    body["output"] = [item for item, _ in _items(reply, choice)]
    return usages.put(body, usages.shown(usages.responses(reply.usage), do))


def _response(ask: Ask, reply: Reply, status: str) -> JSON:
    asked = ask.body
    reasoning = asked.get("reasoning") or {}
    return {
        "id": reply.id,
        "object": "response",
        "created_at": reply.created,
        "status": status,
        "background": False,
        "error": None,
        "incomplete_details": {"reason": "max_output_tokens"} if status == "incomplete" else None,
        "instructions": asked.get("instructions"),
        "max_output_tokens": asked.get("max_output_tokens"),
        "max_tool_calls": asked.get("max_tool_calls"),
        "model": reply.model,
        "output": [],
        "parallel_tool_calls": asked.get("parallel_tool_calls", True),
        "previous_response_id": asked.get("previous_response_id"),
        "reasoning": {"effort": reasoning.get("effort"), "summary": reasoning.get("summary")},
        "service_tier": reply.tier,
        "store": asked.get("store", True),
        "temperature": asked.get("temperature", 1.0),
        "text": asked.get("text") or {"format": {"type": "text"}, "verbosity": "medium"},
        "tool_choice": asked.get("tool_choice", "auto"),
        "tools": asked.get("tools") or [],
        "top_logprobs": 0,
        "top_p": asked.get("top_p", 1.0),
        "truncation": asked.get("truncation") or "disabled",
        "usage": None,
        "user": asked.get("user"),
        "metadata": asked.get("metadata") or {},
    }


def _items(reply: Reply, choice: Choice) -> Iterator[tuple[JSON, Any]]:
    """The output items, each with the text or the call that is streamed for it."""
    tail = reply.id[5:]
    status = "incomplete" if choice.finish == "length" else "completed"
    if choice.reasoning:
        yield {"id": f"rs_{tail}", "type": "reasoning", "summary": []}, None
    for number, call in enumerate(choice.calls):
        yield (
            {
                "id": f"fc_{tail}{number}",
                "type": "function_call",
                "status": status,
                "arguments": call.arguments,
                "call_id": call.id,
                "name": call.name,
            },
            call,
        )
    if choice.text is not None and (choice.text or not choice.reasoning):
        part = {"type": "output_text", "annotations": [], "logprobs": [], "text": choice.text}
        yield (
            {
                "id": f"msg_{tail}",
                "type": "message",
                "status": status,
                "content": [part],
                "role": "assistant",
            },
            choice.text,
        )


def events(ask: Ask, do: Behaviour, reply: Reply) -> list[Event]:
    made: list[Event] = []
    choice = reply.choices[0]
    generated = 0

    def add(kind: str, name: str, **more: Any) -> JSON:
        data: JSON = {"type": name, "sequence_number": len(made), **more}
        made.append(Event(data, generated, kind, name))
        return data

    opened = _response(ask, reply, "in_progress")
    opened["service_tier"] = "auto"
    add("start", "response.created", response=opened)
    add("start", "response.in_progress", response=opened)
    generated = choice.reasoning
    full = plain(ask, do, reply)
    for index, (item, streamed) in enumerate(_items(reply, choice)):
        place = {"item_id": item["id"], "output_index": index}
        if isinstance(streamed, str):
            add(
                "start",
                "response.output_item.added",
                output_index=index,
                item={**item, "status": "in_progress", "content": []},
            )
            empty = {"type": "output_text", "annotations": [], "logprobs": [], "text": ""}
            add("start", "response.content_part.added", **place, content_index=0, part=empty)
            parts = compose.pieces(streamed, do.deltas, choice.tokens) if streamed else []
            for part, tokens in zip(parts, compose.ramp(choice.tokens, len(parts)), strict=True):
                generated = choice.reasoning + tokens
                add(
                    "delta",
                    "response.output_text.delta",
                    **place,
                    content_index=0,
                    delta=part,
                    logprobs=[],
                )
            add(
                "finish",
                "response.output_text.done",
                **place,
                content_index=0,
                text=streamed,
                logprobs=[],
            )
            add(
                "finish",
                "response.content_part.done",
                **place,
                content_index=0,
                part=item["content"][0],
            )
        elif streamed is not None:
            add(
                "start",
                "response.output_item.added",
                output_index=index,
                item={**item, "status": "in_progress", "arguments": ""},
            )
            for part in compose.pieces(
                streamed.arguments, do.deltas, max(1, len(streamed.arguments) // 4)
            ):
                add("delta", "response.function_call_arguments.delta", **place, delta=part)
            generated = choice.reasoning + choice.tokens
            add(
                "finish",
                "response.function_call_arguments.done",
                **place,
                arguments=streamed.arguments,
            )
        else:
            add("start", "response.output_item.added", output_index=index, item=item)
        add("finish", "response.output_item.done", output_index=index, item=item)
    generated = reply.usage.output_tokens
    if do.ending == "failed":
        wrong = {"code": "server_error", "message": "The model failed to answer."} | do.error
        full = {**full, "status": "failed", "error": wrong, "output": []}
    add("done", f"response.{full['status']}", response=full)
    return made


def error_event(error: JSON) -> Event:
    data = {"type": "error", "sequence_number": 0, "error": error, **error}
    data["type"] = "error"
    return Event(data, 0, "error", "error")
