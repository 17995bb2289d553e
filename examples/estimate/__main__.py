"""What a request would cost, before it is sent, and what each part of it adds. Sends nothing, needs no key.

python -m examples.estimate
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import farthing

POLICY = Path(__file__).parents[1] / "farthing.toml"
REQUEST: dict[str, Any] = {
    "model": "gpt-5-mini",
    "max_completion_tokens": 500,
    "messages": [
        {"role": "system", "content": "You answer questions about invoices. Be brief."},
        {"role": "user", "content": "Which of these is overdue?\n" + "INV-1042, 30 days\n" * 40},
    ],
    "tools": [
        {
            "type": "function",
            "function": {
                "name": "find_invoice",
                "description": "Looks up an invoice by its number.",
                "parameters": {"type": "object", "properties": {"number": {"type": "string"}}},
            },
        }
    ],
}


def main() -> None:
    guard = farthing.Guard(POLICY)
    estimate = guard.estimate("chat.completions", count=100, **REQUEST)

    print(f"{estimate.model} at {estimate.provider}, counted: {estimate.confidence}\n")
    for title, parts in (("likely", estimate.likely_parts), ("at most", estimate.ceiling_parts)):
        print(title)
        for part in parts:
            cost = "" if part.cost_usd is None else f"{part.cost_usd} USD"
            print(f"  {part.what:<30} {part.count:>6} {part.quantity:<14} {cost}".rstrip())
    print(f"\none call    likely {estimate.likely_usd} USD, at most {estimate.ceiling_usd} USD")
    for left in estimate.left:
        print(
            f"after 100   {left.cap}: {left.remaining} of {left.limit} USD left, each at its most"
        )
    guard.close()


if __name__ == "__main__":
    main()
