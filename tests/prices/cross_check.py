"""Imported prices against a second reader of the tables (prices/tables.py, in fractions): python cross_check.py

Where one table alone has a model, its standard and tier prices must be that table's, to the last digit. Prints how many
prices it compared; exit status 1 and a list where they differ.
"""

from __future__ import annotations

import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import tomllib

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "prices"))

from tables import Call, GenaiPrices, LiteLLM, now  # noqa: E402

UNITS = {"each": 1, "thousand": 1000, "million": 10**6}
OTHER_TERMS = {
    "region",
    "size",
    "quality",
    "resolution",
    "search_context",
    "hours",
    "from",
    "until",
}


def prices(model: dict[str, Any]) -> dict[tuple[Call, str], Fraction]:
    return {
        (Call(row.get("tier", ""), row.get("context_above", 0)), quantity): Fraction(amount)
        / UNITS[row["per"]]
        for row in model["rates"]
        if row["per"] in UNITS and not OTHER_TERMS & row.keys()
        for quantity, amount in row.items()
        if quantity not in ("per", "tier", "context_above")
    }


def main() -> int:
    litellm, genai = LiteLLM(), GenaiPrices(now())
    compared, wrong = 0, []
    for path in sorted((ROOT / "prices" / "imported").glob("*.toml")):
        document = tomllib.loads(path.read_text())
        provider = document["imported"]["provider"]
        for model in document.get("model", []):
            key = model.get("key", model["name"])
            if model["source"].endswith(" via litellm"):
                listed = litellm.prices("", key)
            elif model["source"].endswith(" via genai-prices"):
                listed = genai.prices(provider, key)
            else:
                continue
            for (call, quantity), price in prices(model).items():
                theirs = (listed or {}).get(call, {}).get(quantity)
                if theirs is None:
                    continue  # filled in, or read from a key of another form
                compared += 1
                if theirs != price:
                    wrong.append(
                        f"{provider} {model['name']} {call} {quantity}: {float(price)}, not {float(theirs)}"
                    )
    print("\n".join(wrong))
    print(f"{compared} prices compared")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
