"""What the openai, anthropic and google-genai packages let a request say was looked at by somebody:
core/data/members.txt says what each of it does to the cost. A newer package with something new fails here until a line
for it stands there, and the scanner of its dialect reads it where it can cost more (R31)."""

from __future__ import annotations

import typing
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from anthropic.types import beta as anthropic_beta
from anthropic.types import content_block_param, message_create_params, tool_union_param
from anthropic.types.beta import message_create_params as beta_message_create_params
from google.genai import types as gemini
from openai.types import beta as openai_beta
from openai.types import chat, responses
from openai.types.beta import response_create_params as beta_response_create_params
from openai.types.chat import completion_create_params
from openai.types.responses import response_create_params
from typing_extensions import is_typeddict

LIST = Path(__file__).resolve().parents[2] / "core" / "data" / "members.txt"
OF_MEMBERS = {"none", "input", "media", "output", "rates", "tools", "remote", "models", "endless"}
OF_PARTS = {"none", "input", "media", "tools", "remote", "endless"}
OF_TOOLS = {"caller", "server", "both"}
WORDS = {
    "any": OF_MEMBERS,
    "chat": OF_MEMBERS,
    "responses": OF_MEMBERS,
    "messages": OF_MEMBERS,
    "gemini": OF_MEMBERS,
    "gemini.config": OF_MEMBERS,
    "gemini.part": OF_PARTS,
    "gemini.tool": OF_TOOLS,
    "responses.item": OF_PARTS,
    "messages.block": OF_PARTS,
    "chat.part": OF_PARTS,
    "responses.part": OF_PARTS,
    "responses.tool": OF_TOOLS,
    "messages.tool": OF_TOOLS,
}


def _listed() -> dict[str, dict[str, str]]:
    lists: dict[str, dict[str, str]] = {where: {} for where in WORDS}
    for line in LIST.read_text().splitlines():
        if line.startswith("#"):
            continue
        where, name, word = line.split(" ")
        assert name not in lists[where], line
        assert word in WORDS[where], line
        lists[where][name] = word
    return lists


def _each(kind: Any) -> Iterator[Any]:
    """The types of a union, whatever stands around them."""
    if typing.get_origin(kind) is typing.Annotated:
        yield from _each(typing.get_args(kind)[0])
    elif typing.get_origin(kind) is typing.Union:
        for one in typing.get_args(kind):
            yield from _each(one)
    else:
        yield kind


def _words(hint: Any) -> Iterator[str]:
    if typing.get_origin(hint) is typing.Literal:
        yield from typing.get_args(hint)
        return
    for one in typing.get_args(hint):
        yield from _words(one)


def _hints(kind: Any) -> dict[str, Any]:
    """A request may bring back what an answer had: models of pydantic stand among the dicts."""
    fields = getattr(kind, "model_fields", None)
    if fields is not None:
        return {name: field.annotation for name, field in fields.items()}
    return typing.get_type_hints(kind)


def members(kind: Any) -> set[str]:
    return {name for one in _each(kind) for name in _hints(one)}


def types(kind: Any) -> set[str]:
    """What `type` says in each type of a union; one without is known by its other members."""
    return {word for one in _each(kind) for word in _words(_hints(one).get("type"))}


def inner(
    kind: Any, lists: set[str] | None = None, passed: frozenset[Any] = frozenset()
) -> set[str]:
    """What `type` says of all that stands inside: in a list, or (`lists`) alone in a member of that name."""
    found: set[str] = set()
    for one in _each(kind):
        for name, hint in {} if one in passed else _fields(one).items():
            if name in TEXTS:
                continue
            alone = name in (lists or set())
            for below, listed in _inside(hint):
                found |= types(below) if (listed or alone) and _fields(below) else set()
                found |= inner(below, lists, passed | {one})
    return found


def of_items(kind: Any) -> set[str]:
    """What stands in a list of an item itself, or alone as the output of a computer."""
    found: set[str] = set()
    for one in _each(kind):
        for name, hint in _hints(one).items():
            for below, listed in _inside(hint):
                if name not in TEXTS and (listed or name == "output") and _fields(below):
                    found |= types(below)
    return found


# Data of any shape, a tool's definition, and what only names somebody.
TEXTS = {"input", "definition", "tools", "caller", "cache_control"}


def _fields(kind: Any) -> dict[str, Any]:
    return _hints(kind) if is_typeddict(kind) or hasattr(kind, "model_fields") else {}


def _inside(hint: Any, listed: bool = False) -> Iterator[tuple[Any, bool]]:
    origin = typing.get_origin(hint)
    if origin is None:
        yield hint, listed
    elif origin is not typing.Literal:
        arguments = typing.get_args(hint)
        for one in arguments[:1] if origin is typing.Annotated else arguments:
            yield from _inside(one, listed or origin in (list, Iterable))


def aliases(kind: Any) -> set[str]:
    """As Google's package writes them."""
    return {field.alias or name for name, field in kind.model_fields.items()}


# What google-genai does itself, and what it writes by another name.
NOT_SENT = {
    "httpOptions",
    "shouldReturnHttpResponse",
    "automaticFunctionCalling",
    "automaticContinuation",
    "generationOutputConfig",
}

SAID: dict[str, set[str]] = {
    "chat": members(completion_create_params.CompletionCreateParams),
    "responses": members(response_create_params.ResponseCreateParams)
    | members(beta_response_create_params.ResponseCreateParams),
    "messages": members(message_create_params.MessageCreateParams)
    | members(beta_message_create_params.MessageCreateParams),
    "responses.item": types(responses.ResponseInputItemParam)
    | types(openai_beta.BetaResponseInputItemParam),
    "responses.tool": types(responses.ToolParam) | types(openai_beta.BetaToolParam),
    "messages.block": types(content_block_param.ContentBlockParam)
    | types(anthropic_beta.BetaContentBlockParam)
    | inner(content_block_param.ContentBlockParam, {"content"})
    | inner(anthropic_beta.BetaContentBlockParam, {"content"}),
    "chat.part": types(chat.ChatCompletionContentPartParam) | {"text", "refusal"},
    "responses.part": types(responses.ResponseInputContentParam)
    | types(openai_beta.BetaResponseInputContentParam)
    | of_items(responses.ResponseInputItemParam)
    | of_items(openai_beta.BetaResponseInputItemParam),
    "gemini": {"contents", "outputConfig"}
    | (
        aliases(gemini.GenerateContentConfig)
        - aliases(gemini.GenerationConfig)
        - {"imageConfig"}
        - NOT_SENT
    ),
    "gemini.config": aliases(gemini.GenerationConfig) | {"imageConfig", "modelConfig"},
    "gemini.part": aliases(gemini.Part) | aliases(gemini.FunctionResponsePart),
    "gemini.tool": aliases(gemini.Tool),
    "messages.tool": types(tool_union_param.ToolUnionParam)
    | types(anthropic_beta.BetaToolUnionParam),
}


@pytest.mark.parametrize("where", SAID)
def test_all_that_a_request_can_say_was_looked_at(where: str) -> None:
    lists = _listed()
    known = set(lists[where]) | (set() if "." in where else set(lists["any"]))
    assert len(SAID[where]) > (6 if "part" not in where else 2)
    new = sorted(SAID[where] - known)
    assert not new, f"look what these cost, then write them into {LIST.name}: {where} {new}"


def test_what_is_listed_of_the_packages_is_there() -> None:
    """The helpers read the types: what makes a request costly stands among what they found."""
    assert {"multi_agent", "context_management", "background"} <= SAID["responses"]
    assert {"fallbacks", "container"} <= SAID["messages"]
    assert {"additional_tools", "compaction_trigger"} <= SAID["responses.item"]
    assert {"tool_addition", "container_upload"} <= SAID["messages.block"]
    assert {"tool_search", "computer"} <= SAID["responses.tool"]
    assert "advisor_20260301" in SAID["messages.tool"]
    assert {"browser_state", "web_fetch_result", "code_execution_output"} <= SAID["messages.block"]
    assert {"computer_screenshot", "logs", "encrypted_content"} <= SAID["responses.part"]
    assert {"toolResponse", "videoMetadata"} <= SAID["gemini.part"]
    assert {"routingConfig", "responseModalities"} <= SAID["gemini.config"]
    assert {"cachedContent", "systemInstruction"} <= SAID["gemini"]
