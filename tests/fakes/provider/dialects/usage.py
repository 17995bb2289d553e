"""How the usage is shown; what is billed stays true, whatever is shown."""

from __future__ import annotations

from typing import Any

from ..behaviour import Behaviour
from ..compose import Usage

HUGE = 10**15
MISSING = object()  # the field is left out


def chat(usage: Usage) -> dict[str, Any]:
    return {
        "prompt_tokens": usage.input_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": usage.input_tokens + usage.output_tokens,
        "prompt_tokens_details": {"cached_tokens": usage.cached_tokens, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": usage.reasoning_tokens,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def responses(usage: Usage) -> dict[str, Any]:
    return {
        "input_tokens": usage.input_tokens,
        "input_tokens_details": {"cached_tokens": usage.cached_tokens},
        "output_tokens": usage.output_tokens,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
        "total_tokens": usage.input_tokens + usage.output_tokens,
    }


def completions(usage: Usage) -> dict[str, Any]:
    return {
        "prompt_tokens": usage.input_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": usage.input_tokens + usage.output_tokens,
    }


def embeddings(usage: Usage) -> dict[str, Any]:
    return {"prompt_tokens": usage.input_tokens, "total_tokens": usage.input_tokens}


def messages(usage: Usage) -> dict[str, Any]:
    """Anthropic's: the input without the cached part."""
    return {
        "input_tokens": usage.input_tokens - usage.cached_tokens,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": usage.cached_tokens,
        "output_tokens": usage.output_tokens,
    }


def gemini(usage: Usage) -> dict[str, Any]:
    """Gemini's: thoughts beside the candidates, not within."""
    made: dict[str, Any] = {
        "promptTokenCount": usage.input_tokens,
        "candidatesTokenCount": usage.output_tokens - usage.reasoning_tokens,
        "totalTokenCount": usage.input_tokens + usage.output_tokens,
    }
    if usage.cached_tokens:
        made["cachedContentTokenCount"] = usage.cached_tokens
    if usage.reasoning_tokens:
        made["thoughtsTokenCount"] = usage.reasoning_tokens
    return made


def shown(true: dict[str, Any], do: Behaviour) -> Any:
    """The usage as the test wants it seen; MISSING to leave the field out."""
    wanted = do.usage
    if wanted is None:
        return true
    if not isinstance(wanted, str):
        return wanted
    if wanted == "missing":
        return MISSING
    if wanted == "null":
        return None
    if wanted == "empty":
        return {}
    number: Any = {"zero": 0, "huge": HUGE, "negative": -7, "text": "many"}[wanted]
    return _replaced(true, number)


def _replaced(value: Any, number: Any) -> Any:
    if isinstance(value, dict):
        return {name: _replaced(part, number) for name, part in value.items()}
    return number


def put(body: dict[str, Any], usage: Any, name: str = "usage") -> dict[str, Any]:
    if usage is MISSING:
        body.pop(name, None)
    else:
        body[name] = usage
    return body
