"""Pictures under a cap: what one would cost, what it did cost, and what happens when the next ones do not fit.

OPENAI_API_KEY=sk-... python -m examples.image      makes one small picture, about a cent
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from openai import OpenAI

import farthing

POLICY = Path(__file__).parents[1] / "farthing.toml"
PICTURE: dict[str, Any] = {
    "model": "gpt-image-1-mini",
    "prompt": "A penny farthing leaning against a bank, in the style of an etching",
    "size": "1024x1024",
    "quality": "low",
}


def main() -> None:
    guard = farthing.Guard(POLICY)
    client = guard.wrap(OpenAI())

    before = guard.estimate("images.generations", **PICTURE)
    print(f"estimate    likely {before.likely_usd} USD, at most {before.ceiling_usd} USD")

    reply = client.images.generate(**PICTURE)
    receipt = guard.receipt(reply)
    assert receipt is not None
    print(f"one picture {receipt.cost_usd} USD for {dict(receipt.quantities)}")
    for left in receipt.left:
        print(f"            {left.cap}: {left.remaining} of {left.limit} USD left")

    try:
        client.images.generate(**{**PICTURE, "quality": "high", "n": 10})
    except farthing.CapExceeded as refused:
        print(f"ten of high quality were not sent:\n{refused}")
    guard.close()


if __name__ == "__main__":
    main()
