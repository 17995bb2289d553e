"""One request, several models of several providers: what each would cost, likely and at most, the cheapest first.

Sends nothing, needs no key. The counts differ too: every provider has its own tokens.

    python -m examples.compare_models
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import farthing

POLICY = Path(__file__).parents[1] / "farthing.toml"
MODELS = {
    "api.openai.com": ["gpt-5", "gpt-5-mini", "gpt-5-nano", "gpt-4.1", "o4-mini"],
    "api.anthropic.com": ["claude-opus-5", "claude-haiku-4-5"],
    "generativelanguage.googleapis.com": ["gemini-2.5-pro", "gemini-2.5-flash"],
}
QUESTION = "Summarise this contract in five points, with the dates that matter.\n" + (
    "The supplier delivers within thirty days of the order, unless agreed otherwise.\n" * 60
)
MOST = 400  # tokens of the answer


def estimate(guard: farthing.Guard, host: str, model: str) -> farthing.Estimate:
    """The same question in the form that each provider takes."""
    said: dict[str, Any] = {"role": "user", "content": QUESTION}
    if host == "api.anthropic.com":
        return guard.estimate("messages", host=host, model=model, messages=[said], max_tokens=MOST)
    if host.endswith("googleapis.com"):
        return guard.estimate(
            "generateContent",
            host=host,
            model=model,
            contents=[{"role": "user", "parts": [{"text": QUESTION}]}],
            generationConfig={"maxOutputTokens": MOST},
        )
    return guard.estimate(
        "chat.completions", host=host, model=model, messages=[said], max_completion_tokens=MOST
    )


def main() -> None:
    guard = farthing.Guard(POLICY)
    found = [estimate(guard, host, model) for host, models in MODELS.items() for model in models]
    guard.close()
    print(f"{'model':<18} {'provider':<10} {'input':>7} {'likely USD':>12} {'at most USD':>12}")
    for one in sorted(found, key=lambda each: each.likely_usd or 0):
        tokens = one.likely["input_tokens"]
        print(
            f"{one.model:<18} {one.provider:<10} {tokens:>7} {one.likely_usd:>12.6f} "
            f"{one.ceiling_usd:>12.6f}"
        )


if __name__ == "__main__":
    main()
