"""What a call costs by what the provider told, next to the witness: wrong costs that were seen elsewhere, each once.

The witness (tests/witness) has its own prices and its own sums; answers are written as the providers document them.
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import httpx
import pytest

import farthing

from .money import WITNESS

JSON = dict[str, Any]
CHAT = "https://api.openai.com/v1/chat/completions"
MESSAGES = "https://api.anthropic.com/v1/messages"
GEMINI = "https://generativelanguage.googleapis.com/v1beta/models/{}:generateContent"
DAY = farthing.Cap("100 USD", per="day", id="day")


def usage(inputs: int, output: int = 0, cached: int = 0, **beside: int) -> dict[str, int]:
    """In the witness's words."""
    told = {"input_tokens": inputs, "cached_tokens": cached, "output_tokens": output}
    return {**told, "reasoning_tokens": 0, **beside}


def chat(
    model: str, told: JSON, *, asked: JSON | None = None, **answer: Any
) -> tuple[str, JSON, JSON]:
    request = {"model": model, "messages": [{"role": "user", "content": "hello"}], **(asked or {})}
    reply = {"id": "c", "object": "chat.completion", "created": 1, "model": model, "usage": told}
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": ""}}
    return CHAT, request, {**reply, "choices": [choice], **answer}


def message(model: str, told: JSON, **asked: Any) -> tuple[str, JSON, JSON]:
    request = {"model": model, "max_tokens": 4000, "messages": [{"role": "user", "content": "x"}]}
    reply = {"id": "m", "type": "message", "role": "assistant", "model": model, "content": []}
    return MESSAGES, {**request, **asked}, {**reply, "stop_reason": "end_turn", "usage": told}


def generate(model: str, told: JSON) -> tuple[str, JSON, JSON]:
    request = {"contents": [{"role": "user", "parts": [{"text": "hello"}]}]}
    candidate = {"finishReason": "STOP", "content": {"role": "model", "parts": [{"text": "x"}]}}
    return (
        GEMINI.format(model),
        request,
        {
            "responseId": "g",
            "modelVersion": model,
            "candidates": [candidate],
            "usageMetadata": told,
        },
    )


def openai_usage(inputs: int, output: int, cached: int = 0, reasoning: int = 0) -> JSON:
    return {
        "prompt_tokens": inputs,
        "completion_tokens": output,
        "total_tokens": inputs + output,
        "prompt_tokens_details": {"cached_tokens": cached},
        "completion_tokens_details": {"reasoning_tokens": reasoning},
    }


def audio(text: int, sound: int) -> JSON:
    return {
        "promptTokenCount": text + sound,
        "candidatesTokenCount": 20,
        "thoughtsTokenCount": 80,
        "totalTokenCount": text + sound + 100,
        "promptTokensDetails": [
            {"modality": "TEXT", "tokenCount": text},
            {"modality": "AUDIO", "tokenCount": sound},
        ],
    }


CACHED = {
    "input_tokens": 10,
    "cache_read_input_tokens": 90_000,
    "cache_creation_input_tokens": 3_000,
    "cache_creation": {"ephemeral_5m_input_tokens": 2_000, "ephemeral_1h_input_tokens": 1_000},
    "output_tokens": 100,
}
BESIDE = {"cache_write_tokens": 2_000, "cache_write_1h_tokens": 1_000}
LONG = {"promptTokenCount": 200_001, "candidatesTokenCount": 5, "totalTokenCount": 200_006}

# What was sent and answered; the tier, usage and region that the witness bills.
CALLS: dict[str, tuple[tuple[str, JSON, JSON], str, dict[str, int], str]] = {
    "cached tokens are inside the input, and once": (
        chat("gpt-5-mini", openai_usage(100_000, 10, cached=99_000)),
        "default",
        usage(100_000, 10, 99_000),
        "",
    ),
    "anthropic's cached tokens are outside of it": (
        message("claude-opus-5", CACHED),
        "default",
        usage(90_010, 100, 90_000, **BESIDE),
        "",
    ),
    "reasoning is inside the output, and once": (
        chat("gpt-5", openai_usage(10, 1_000, reasoning=900)),
        "default",
        usage(10, 1_000),
        "",
    ),
    "gemini's thoughts are beside the answer": (
        generate("gemini-2.5-flash", audio(50, 0)),
        "default",
        usage(50, 100),
        "",
    ),
    "sound costs as sound": (
        generate("gemini-2.5-flash", audio(50, 3_200)),
        "default",
        usage(50, 100, input_audio_tokens=3_200),
        "",
    ),
    "the tier that served, not the one asked for": (
        chat(
            "gpt-5-mini",
            openai_usage(1_000, 1_000),
            asked={"service_tier": "priority"},
            service_tier="default",
        ),
        "default",
        usage(1_000, 1_000),
        "",
    ),
    "a tier that served": (
        chat(
            "gpt-5-mini",
            openai_usage(1_000, 1_000, cached=500),
            asked={"service_tier": "flex"},
            service_tier="flex",
        ),
        "flex",
        usage(1_000, 1_000, 500),
        "",
    ),
    "gemini's tier": (
        generate("gemini-2.5-flash", {**audio(50, 7), "trafficType": "ON_DEMAND_PRIORITY"}),
        "priority",
        usage(50, 100, input_audio_tokens=7),
        "",
    ),
    "fast mode is dearer": (
        message("claude-opus-5", {**CACHED, "speed": "fast"}, speed="fast"),
        "fast",
        usage(90_010, 100, 90_000, **BESIDE),
        "",
    ),
    "fast mode that was not given": (
        message("claude-opus-5", {**CACHED, "speed": "standard"}, speed="fast"),
        "default",
        usage(90_010, 100, 90_000, **BESIDE),
        "",
    ),
    "processing in one country is dearer": (
        message("claude-opus-5", {**CACHED, "inference_geo": "us"}, inference_geo="us"),
        "default",
        usage(90_010, 100, 90_000, **BESIDE),
        "us",
    ),
    "a batch": (
        message("claude-opus-5", {**CACHED, "service_tier": "batch"}),
        "batch",
        usage(90_010, 100, 90_000, **BESIDE),
        "",
    ),
    "a long context reprices the whole request": (
        chat("gpt-5.4", openai_usage(272_001, 10)),
        "default",
        usage(272_001, 10),
        "",
    ),
    "up to it, nothing is dearer": (
        chat("gpt-5.4", openai_usage(272_000, 10)),
        "default",
        usage(272_000, 10),
        "",
    ),
    "what is written into a cache makes a context long too": (
        message("claude-haiku-5-5", {**CACHED, "input_tokens": 8_000}),
        "default",
        usage(98_000, 100, 90_000, **BESIDE),
        "",
    ),
    "gemini's long context": (generate("gemini-2.5-pro", LONG), "default", usage(200_001, 5), ""),
}


def settled(call: tuple[str, JSON, JSON]) -> farthing.LedgerRow:
    url, request, reply = call
    with farthing.Guard(caps=[DAY], store="memory:", unbounded="context_window") as guard:
        transport = httpx.MockTransport(lambda _: httpx.Response(200, json=reply))
        with httpx.Client(transport=transport) as client:
            guard.wrap(client)
            answer = client.post(url, json=request, headers={"authorization": "Bearer sk"})
        assert answer.status_code == 200, answer.text
        (row,) = guard.ledger()
        return row


@pytest.mark.parametrize("case", CALLS)
def test_the_ledger_says_what_the_witness_bills(case: str) -> None:
    call, tier, used, region = CALLS[case]
    row = settled(call)
    nano = WITNESS.cost(WITNESS.read_prices(), row.model, tier, used, region)
    assert row.how == "usage"
    assert row.actual_usd == Decimal(nano).scaleb(-9), json.dumps(dict(row.quantities))
    assert row.ceiling_usd is not None and nano > 0
