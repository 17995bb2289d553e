"""Other ways to count the same request: litellm's token counter (only in .venv-accuracy), and characters / 4."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import Any

from tests.accuracy.measure import Measured


def by_characters(call: Measured) -> int:
    return max(1, call.characters // 4)


def litellm_counter() -> tuple[str, Callable[[Measured], int | None]] | None:
    """Its name with the version, and the counter; None where it is not installed.

    It uses no network: its vocabularies and its table of models are in its package.
    """
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
    try:
        from importlib.metadata import version

        import litellm
    except ImportError:
        return None

    def count(call: Measured) -> int | None:
        try:
            return int(litellm.token_counter(model=call.model, **asked_of_litellm(call)))
        except Exception:  # it raises many things; then it has no count
            return None

    return f"litellm {version('litellm')}", count


def asked_of_litellm(call: Measured) -> dict[str, Any]:
    """A request in the form that it takes: chat messages with OpenAI's tools, or a text."""
    body = call.request
    if call.endpoint == "chat.completions":
        return {"messages": body["messages"], **_tools(body.get("tools"))}
    if call.endpoint == "messages":
        system = [{"role": "system", "content": body["system"]}] if body.get("system") else []
        tools = [
            {
                "type": "function",
                "function": {
                    "name": tool.get("name"),
                    "description": tool.get("description", ""),
                    "parameters": tool.get("input_schema", {}),
                },
            }
            for tool in body.get("tools") or []
        ]
        return {"messages": [*system, *body["messages"]], **_tools(tools)}
    if call.endpoint == "responses":
        said = body.get("input", [])
        messages = [{"role": "user", "content": said}] if isinstance(said, str) else said
        messages = [
            item
            if "role" in item
            else {"role": "assistant", "content": json.dumps(item, ensure_ascii=False)}
            for item in messages
        ]
        if body.get("instructions"):
            messages = [{"role": "system", "content": body["instructions"]}, *messages]
        messages = [{**item, "content": _plain(item.get("content"))} for item in messages]
        return {
            "messages": messages,
            **_tools([{"type": "function", "function": tool} for tool in body.get("tools") or []]),
        }
    if call.endpoint.endswith("enerateContent"):
        contents = [
            *([body["systemInstruction"]] if body.get("systemInstruction") else []),
            *body["contents"],
        ]
        messages = [
            {
                "role": "assistant" if content.get("role") == "model" else "user",
                "content": "".join(
                    part["text"] if "text" in part else json.dumps(part, ensure_ascii=False)
                    for part in content["parts"]
                ),
            }
            for content in contents
        ]
        declared = [
            {"type": "function", "function": function}
            for tool in body.get("tools") or []
            for function in tool.get("functionDeclarations", [])
        ]
        return {"messages": messages, **_tools(declared)}
    given = body.get("input", body.get("prompt", ""))
    return {"text": given if isinstance(given, str) else "".join(map(str, given))}


def _plain(content: Any) -> Any:
    if not isinstance(content, list):
        return content
    return "".join(str(part.get("text", "")) for part in content)


def _tools(tools: list[Any] | None) -> dict[str, Any]:
    return {"tools": tools} if tools else {}
