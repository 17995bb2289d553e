"""Makes the answer to a request, before any dialect writes it: texts, tool calls and the exact usage.

Deterministic: the same request gets the same answer, whatever limits or options were added to it, as long as its
limit is not reached. The text is words, one a token, so its tokens never exceed its bytes.
"""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from . import models
from .ask import JSON, Ask
from .behaviour import Behaviour

WORDS = (
    "the copper mill turns slowly while seven grey herons wait beside quiet water and nobody counts "
    "every coin twice because an honest ledger already knows what each small thing costs"
).split()
WORDS_MAX = 200_000  # longer texts repeat; nothing made to order comes near
_TEXT = " ".join(itertools.islice(itertools.cycle(WORDS), 4096))
_ENDS = [0] + [i for i, letter in enumerate(_TEXT) if letter == " "] + [len(_TEXT)]


@dataclass
class Usage:
    """What is billed. `input_tokens` include the cached ones, `output_tokens` the reasoning."""

    input_tokens: int
    cached_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0
    pieces: dict[str, int] = field(default_factory=dict)  # images, seconds, image tokens, ...

    def as_json(self) -> dict[str, int]:
        return {
            "input_tokens": self.input_tokens,
            "cached_tokens": self.cached_tokens,
            "output_tokens": self.output_tokens,
            "reasoning_tokens": self.reasoning_tokens,
            **self.pieces,
        }


@dataclass
class ToolCall:
    id: str
    name: str
    arguments: str


@dataclass
class Choice:
    text: str | None
    tokens: int  # of text and tool calls, without reasoning
    reasoning: int = 0
    finish: str = "stop"  # stop, length, tool_calls
    calls: list[ToolCall] = field(default_factory=list)


@dataclass
class Reply:
    id: str
    created: int
    model: str
    tier: str
    usage: Usage
    choices: list[Choice]


class Ids:
    """Ids that no other provider process gives out."""

    def __init__(self, run: str) -> None:
        self._run = run
        self._next = itertools.count(1)

    def new(self, prefix: str) -> str:
        return f"{prefix}{self._run}{next(self._next):010x}"


PREFIX = {
    "chat.completions": "chatcmpl-",
    "responses": "resp_",
    "completions": "cmpl-",
    "embeddings": "emb-",
    "messages": "msg_",
    "generate_content": "",
    "videos": "video_",
    "videos.remix": "video_",
}  # the others' answers have no id
WITH_TOOLS = ("chat.completions", "responses", "messages", "generate_content")


def compose(
    ask: Ask, do: Behaviour, ids: Ids, hidden_input: int = 0, used: Usage | None = None
) -> Reply:
    """`used`: what a request that is no text uses."""
    model = models.find(ask.model)
    inputs = do.input_tokens if do.input_tokens is not None else ask.input_tokens + hidden_input
    usage = used or Usage(inputs, _cached(do, inputs))
    choices: list[Choice] = []
    if ask.endpoint != "embeddings" and used is None:
        choices = [_choice(ask, do, model, index, ids) for index in range(ask.n)]
        usage.output_tokens = sum(choice.tokens + choice.reasoning for choice in choices)
        usage.reasoning_tokens = sum(choice.reasoning for choice in choices)
    asked_tier = ask.body.get("service_tier")
    tier = asked_tier if asked_tier in ("flex", "priority") else "default"
    return Reply(
        id=ids.new(PREFIX.get(ask.endpoint or "", "")),
        created=int(time.time()),
        model=do.model or model.served,
        tier=do.service_tier or tier,
        usage=usage,
        choices=choices,
    )


def _cached(do: Behaviour, inputs: int) -> int:
    if do.cached_tokens is not None:
        return min(do.cached_tokens, inputs)
    if do.cached_share is not None:
        return int(inputs * min(1.0, max(0.0, do.cached_share)))
    return 0


def _choice(ask: Ask, do: Behaviour, model: models.Model, index: int, ids: Ids) -> Choice:
    seed = ask.seed ^ (index * 0x9E3779B1)
    calls = _calls(ask, do, ids) if ask.endpoint in WITH_TOOLS else []
    text: str | None = None
    if calls:
        visible = sum(_tokens(call.name) + _tokens(call.arguments) for call in calls)
    elif do.text is not None:
        text = str(do.text)
        visible = _tokens(text)
    elif (schema := _schema(ask)) is not None:
        text = json.dumps(sample(schema))
        visible = _tokens(text)
    else:
        visible = 8 + seed % 41
    reasoning = _reasoning(ask, do, model, seed)
    if do.output_tokens is not None:
        reasoning = min(reasoning, do.output_tokens)
        visible = do.output_tokens - reasoning
    finish = "tool_calls" if calls else "stop"
    limit = ask.limit
    if limit is None and model.output_max:
        limit = model.output_max
    if limit is not None and reasoning + visible > limit and not do.over_limit:
        reasoning = min(reasoning, limit)
        cut = visible
        visible = limit - reasoning
        finish = "length"
        if text is not None:
            text = text[: len(text) * visible // max(1, cut)]
        for call in calls:
            call.arguments = call.arguments[: len(call.arguments) * visible // max(1, cut)]
        if visible == 0:
            calls = []
    if text is None and not calls:
        text = words(visible)
    return Choice(text, visible, reasoning, finish, calls)


def _reasoning(ask: Ask, do: Behaviour, model: models.Model, seed: int) -> int:
    if do.reasoning_tokens is not None:
        return do.reasoning_tokens
    if not model.reasoning:
        return 0
    effort = ask.body.get("reasoning_effort")
    if effort is None and isinstance(ask.body.get("reasoning"), dict):
        effort = ask.body["reasoning"].get("effort")
    if effort in ("none", "minimal") or _config(ask, "thinkingConfig").get("thinkingBudget") == 0:
        return 0
    return 64 * (seed // 41 % 4)


def _tokens(text: str) -> int:
    return (len(text.encode("utf-8", "surrogatepass")) + 3) // 4


def words(count: int) -> str:
    """A text of that many tokens, one a word."""
    whole, rest = divmod(min(count, WORDS_MAX), len(_ENDS) - 1)
    return (_TEXT + " ") * whole + _TEXT[: _ENDS[rest]]


def pieces(text: str, wanted: int | None, tokens: int) -> list[str]:
    """The text as the deltas of a stream: one a word, at most 200, or as many as wanted."""
    count = wanted if wanted is not None else min(200, tokens)
    count = max(1, min(count, len(text) or 1))
    if wanted is None and text.count(" ") + 1 == count:
        return [word if i == 0 else " " + word for i, word in enumerate(text.split(" "))]
    size, more = divmod(len(text), count)
    cuts = itertools.accumulate((size + (i < more) for i in range(count)), initial=0)
    return [text[a:b] for a, b in itertools.pairwise(cuts)]


# ---- tools and structured output


def _calls(ask: Ask, do: Behaviour, ids: Ids) -> list[ToolCall]:
    if isinstance(do.tool, (dict, list)):
        wanted: list[JSON] = do.tool if isinstance(do.tool, list) else [do.tool]
        return [
            ToolCall(ids.new("call_"), str(one["name"]), _text(one.get("arguments", {})))
            for one in wanted
        ]
    given = [one for tool in ask.body.get("tools") or [] for one in _declared(tool)]
    tools = [tool for tool in map(_function, given) if tool]
    choice = ask.body.get("tool_choice", "auto")
    if not tools or do.tool is False or choice == "none":
        return []
    rounds = _tool_rounds(ask)
    if isinstance(choice, dict) and choice.get("type") in ("auto", "any", "none"):  # Anthropic's
        choice = choice["type"]
    if choice == "none":
        return []
    if choice == "auto" and do.tool is not True and (rounds >= 2 or do.text is not None):
        return []
    tool = tools[rounds % len(tools)]
    if isinstance(choice, dict):
        name = choice.get("name") or (choice.get("function") or {}).get("name")
        tool = next((one for one in tools if one["name"] == name), tool)
    return [
        ToolCall(ids.new("call_"), tool["name"], json.dumps(sample(tool.get("parameters") or {})))
    ]


def _text(arguments: Any) -> str:
    return arguments if isinstance(arguments, str) else json.dumps(arguments)


def _function(tool: Any) -> JSON:
    """A function tool, in the form of chat (nested), of responses (flat), of Anthropic or of Gemini."""
    if not isinstance(tool, dict) or tool.get("type", "function") not in ("function", "custom"):
        return {}
    function = tool.get("function", tool)
    if not isinstance(function, dict) or "name" not in function:
        return {}
    for name in ("input_schema", "parametersJsonSchema", "parameters_json_schema"):
        if name in function:
            return {"name": function["name"], "parameters": function[name]}
    return function


def _declared(tool: Any) -> list[Any]:
    """Gemini puts several functions into one tool."""
    if isinstance(tool, dict) and isinstance(tool.get("functionDeclarations"), list):
        return list(tool["functionDeclarations"])
    return [tool]


def _config(ask: Ask, name: str) -> JSON:
    """A part of Gemini's generationConfig."""
    config = ask.body.get("generationConfig")
    found = config.get(name) if isinstance(config, dict) else None
    return found if isinstance(found, dict) else {}


def _tool_rounds(ask: Ask) -> int:
    """How many tool results came since the user spoke last: after two, the answer is text."""
    rounds = 0
    items = ask.body.get("messages") or ask.body.get("input") or ask.body.get("contents")
    for item in reversed(items if isinstance(items, list) else []):
        if isinstance(item, dict) and _results(item):
            rounds += 1
            continue
        if not isinstance(item, dict) or item.get("role") == "user":
            break
        if item.get("role") == "tool" or item.get("type") == "function_call_output":
            rounds += 1
    return rounds


def _results(item: JSON) -> bool:
    """Whether a message of the user's only says what tools answered, as Anthropic's and Gemini's do."""
    parts = item.get("content") or item.get("parts")
    return isinstance(parts, list) and any(
        isinstance(part, dict) and (part.get("type") == "tool_result" or "functionResponse" in part)
        for part in parts
    )


def _schema(ask: Ask) -> JSON | None:
    if ask.endpoint == "generate_content":
        return _config(ask, "responseJsonSchema") or _config(ask, "responseSchema") or None
    if ask.endpoint == "chat.completions":
        wanted = ask.body.get("response_format") or {}
        schema = (wanted.get("json_schema") or {}).get("schema")
    else:
        wanted = (
            (ask.body.get("text") or {}).get("format") or {}
            if isinstance(ask.body.get("text"), dict)
            else {}
        )
        schema = wanted.get("schema")
    if isinstance(schema, dict):
        return schema
    return {"type": "object"} if wanted.get("type") == "json_object" else None


def sample(schema: JSON, root: JSON | None = None) -> Any:
    """The simplest value that a JSON schema allows."""
    root = schema if root is None else root
    if "$ref" in schema:
        found: Any = root
        for part in str(schema["$ref"]).split("/")[1:]:
            found = found.get(part, {})
        return sample(found, root)
    for form in ("anyOf", "oneOf", "allOf"):
        if schema.get(form):
            return sample(schema[form][0], root)
    if "const" in schema:
        return schema["const"]
    if schema.get("enum"):
        return schema["enum"][0]
    kind = schema.get("type", "object")
    kind = str(kind[0] if isinstance(kind, list) else kind).lower()  # Gemini writes STRING
    if kind == "object":
        return {name: sample(part, root) for name, part in (schema.get("properties") or {}).items()}
    if kind == "array":
        return [
            sample(schema.get("items") or {"type": "string"}, root)
            for _ in range(schema.get("minItems", 1))
        ]
    return {"string": "copper", "integer": 7, "number": 7.5, "boolean": True}.get(kind)


def ramp(total: int, count: int) -> Iterator[int]:
    """`count` growing numbers that end at `total`: what was generated after each piece."""
    for index in range(1, count + 1):
        yield total * index // count
