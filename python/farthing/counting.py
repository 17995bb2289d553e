"""Tokens of texts and requests, counted without a guard and without network."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from farthing import _farthing
from farthing._arguments import path, texts
from farthing._request import request_json
from farthing.errors import ArgumentError


@dataclass(frozen=True)
class TokenCount:
    """How many tokens an input has.

    farthing.count_tokens("gpt-5-mini", [{"role": "user", "content": "Hello"}]).tokens
    """

    tokens: int
    confidence: str
    """exact; calibrated: near what such requests cost; heuristic: counted with another model's encoding."""
    parts: Mapping[str, int]
    """What the tokens are of: text, around messages, tools, schema; they add up to `tokens`."""

    def __int__(self) -> int:
        return self.tokens


def count_tokens(
    model: str,
    messages: str | Sequence[Any] | None = None,
    *,
    endpoint: str = "",
    policy: str | os.PathLike[str] = "",
    **request: Any,
) -> TokenCount:
    """The input tokens of a text alone, or of a request with what the provider puts around its texts.

        farthing.count_tokens("gpt-5-mini", "Hello, world").tokens
        farthing.count_tokens("claude-sonnet-4-5", messages, system="Be short.", tools=[...])
        farthing.count_tokens("gemini-2.5-flash", contents=[{"role": "user", "parts": [{"text": "Hello"}]}])
        farthing.count_tokens("gpt-4.1", input="Hello", instructions="Be short.")

    All else of a request is given by its names in the provider's API. `endpoint` is told by them ("chat.completions",
    "responses", "messages", ...). `policy` names a policy file, whose models and tokenizers are known then. Raises
    ArgumentError for a model whose tokens nothing is known of, and for contents that are not counted (images, audio,
    files, tools that run at the provider), PolicyError for a policy that is not valid.
    """
    texts(model=model, endpoint=endpoint)
    policy = path("policy", policy)
    if isinstance(messages, str):
        if request or endpoint:
            raise ArgumentError(
                "a text is counted alone: give messages=[...] to count a request with "
                + ", ".join([*request, *(["endpoint"] if endpoint else [])])
            )
        whole = messages.encode("utf-8", "replace").decode()  # a lone surrogate is no text
        return _made(_farthing.count_text(model, whole, policy))
    if messages is not None:
        request["messages"] = list(messages)
    return _made(_farthing.count_request(model, request_json(request), endpoint, policy))


def _made(core: tuple[int, str, list[tuple[str, int]]]) -> TokenCount:
    tokens, confidence, parts = core
    return TokenCount(tokens, confidence, dict(parts))
