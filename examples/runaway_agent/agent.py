"""A coding agent in a loop: it resends its growing history, calls tools, and never decides that it is done.

Nothing in this file knows Farthing: the client that it is given is guarded, or not.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from openai import OpenAI

MODEL = "gpt-5-mini"
TOOLS: list[Any] = [
    {
        "type": "function",
        "function": {
            "name": "run_tests",
            "description": "Runs the project's tests and answers what failed.",
            "parameters": {
                "type": "object",
                "properties": {"path": {"type": "string"}},
                "required": ["path"],
            },
        },
    }
]
OUTPUT_OF_TESTS = "FAILED tests/test_cart.py::test_total - assert 41.99 == 42\n" * 2


def work(client: OpenAI) -> Iterator[tuple[str, Any]]:
    """Calls for ever: plain with tools, then streamed. Yields what kind of call it was, and the reply."""
    messages: list[Any] = [
        {"role": "system", "content": "You are a careful engineer. Make the tests pass."},
        {
            "role": "user",
            "content": "The build is red. Fix it, and do not stop before it is green.",
        },
    ]
    while True:
        reply = client.chat.completions.create(
            model=MODEL, messages=messages, max_completion_tokens=800, tools=TOOLS
        )
        yield "tools", reply
        answer = reply.choices[0].message
        messages.append(answer.model_dump(exclude_none=True))
        messages.extend(
            {"role": "tool", "tool_call_id": call.id, "content": OUTPUT_OF_TESTS}
            for call in answer.tool_calls or []
        )
        stream = client.chat.completions.create(
            model=MODEL, messages=messages, max_completion_tokens=800, stream=True
        )
        text = "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices)
        yield "stream", stream
        messages.append({"role": "assistant", "content": text})
        messages.append({"role": "user", "content": "Still red: " + OUTPUT_OF_TESTS})
