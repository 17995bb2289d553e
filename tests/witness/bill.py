#!/usr/bin/env python3
"""The bill, worked out from the provider's own log: the witness that Farthing's ledger is compared with.

    python tests/witness/bill.py bills.jsonl            a line per call, and the total
    python tests/witness/bill.py bills.jsonl --json     the same as JSON
    python tests/witness/bill.py bills.jsonl --total    the total alone

Standard library only, Decimal only, its own price list (prices.json beside it), nothing of Farthing's: so that the two
can disagree. The cost of a call is the exact sum of its quantities times their prices, rounded once, half to even, to
a nano-dollar (10^-9 USD); the total is the sum of the calls.

Exit code 1 if a call cannot be priced (an unknown model or tier, or a recording that does not say what was used); it
is named and not counted. Exit code 2 if the log cannot be read.
"""

from __future__ import annotations

import argparse
import json
import sys
from decimal import ROUND_HALF_EVEN, Context, Decimal, localcontext
from pathlib import Path
from typing import Any, NamedTuple

PRICES = Path(__file__).with_name("prices.json")
NANO = Decimal("1e-9")
MILLION = Decimal(1_000_000)
# What every call tells; anything else is billed under its own name.
TOKENS = ("input_tokens", "cached_tokens", "output_tokens", "reasoning_tokens")
# Input that is counted beside them.
BESIDE_INPUT = ("cache_write_tokens", "cache_write_1h_tokens", "input_audio_tokens")


class Unpriced(ValueError):
    """The call has no price here; its text says why."""


class Line(NamedTuple):
    """One call of the log, priced."""

    request_id: str
    response_id: str
    model: str
    usage: dict[str, int] | None
    nano_usd: int | None  # None: not priced
    why: str = ""


def read_prices(path: Path = PRICES) -> dict[str, Any]:
    models: dict[str, Any] = json.loads(path.read_text())["models"]
    return models


def find(models: dict[str, Any], name: str) -> dict[str, str]:
    """The prices of a model by its name, its other names, or a dated form of them (gpt-5-mini-2025-08-07)."""
    for known, entry in models.items():
        if name == known or name in entry.get("also", ()):
            prices: dict[str, str] = entry
            return prices
    parts = name.split("-")
    if (
        len(parts) > 3
        and [len(part) for part in parts[-3:]] == [4, 2, 2]
        and "".join(parts[-3:]).isdigit()
    ):
        if name not in models.get("-".join(parts[:-3]), {}).get("not", ()):
            return find(models, "-".join(parts[:-3]))
    raise Unpriced(f"no price for model {name!r}")


def cost(
    models: dict[str, Any], model: str, tier: str, usage: dict[str, int], region: str = ""
) -> int:
    """Nano-USD of one call. `input_tokens` include the cached ones, `output_tokens` the reasoning.

    What is written into a cache, sound and images are counted beside them. A longer input than a step under "above"
    has the step's prices, all of it; a region multiplies every price.
    """
    entry: Any = find(models, model)
    times = Decimal(entry.get("regions", {}).get(region, "1"))
    if tier != "default":
        if tier not in entry:
            raise Unpriced(f"no {tier} price for model {model!r}")
        entry = entry[tier]
    whole = usage["input_tokens"] + sum(usage.get(name, 0) for name in BESIDE_INPUT)
    reached = [int(step) for step in entry.get("above", {}) if whole > int(step)]
    if reached:
        entry = entry["above"][str(max(reached))]
    cached = usage["cached_tokens"]
    quantities = {
        "input": usage["input_tokens"] - cached,
        "cached": cached,
        "output": usage["output_tokens"],
    }
    if min(quantities.values()) < 0:
        raise Unpriced(f"impossible usage {usage}")
    quantities |= {name: count for name, count in usage.items() if name not in TOKENS}
    with localcontext(Context(prec=60)):
        total = Decimal(0)
        for name, count in quantities.items():
            if count:
                price = entry.get(name, entry.get("input") if name == "cached" else None)
                if price is None:
                    raise Unpriced(f"no {name} price for model {model!r}")
                total += count * Decimal(price) / MILLION
        return int((total * times).quantize(NANO, ROUND_HALF_EVEN).scaleb(9))


def bill(log: str, models: dict[str, Any]) -> list[Line]:
    lines = []
    for text in log.splitlines():
        call = json.loads(text)
        usage = call["usage"]
        nano, why = None, ""
        try:
            if usage is None:
                raise Unpriced("the log does not say what was used")
            tier, region = call["service_tier"], call.get("region", "")
            nano = cost(models, call["model"], tier, usage, region)
        except Unpriced as error:
            why = str(error)
        lines.append(Line(call["request_id"], call["response_id"], call["model"], usage, nano, why))
    return lines


def total(lines: list[Line]) -> int:
    return sum(line.nano_usd for line in lines if line.nano_usd is not None)


def dollars(nano: int) -> str:
    """All nine decimals, always: 0.000012300."""
    return f"{nano // 10**9}.{nano % 10**9:09d}"


def main(argv: list[str] | None = None) -> int:
    options = argparse.ArgumentParser(description="the bill, from the provider's own log")
    options.add_argument("log", type=Path)
    options.add_argument("--prices", type=Path, default=PRICES)
    options.add_argument("--json", action="store_true")
    options.add_argument("--total", action="store_true", help="print the total alone")
    chosen = options.parse_args(argv)
    try:
        lines = bill(chosen.log.read_text(), read_prices(chosen.prices))
    except (OSError, ValueError, KeyError) as error:
        print(f"bill: {chosen.log}: {type(error).__name__}: {error}", file=sys.stderr)
        return 2
    unpriced = [line for line in lines if line.nano_usd is None]
    if chosen.json:
        whole = {
            "calls": [line._asdict() for line in lines],
            "total_nano_usd": total(lines),
            "total_usd": dollars(total(lines)),
            "unpriced": len(unpriced),
        }
        print(json.dumps(whole, indent=1))
    elif chosen.total:
        print(dollars(total(lines)))
    else:
        print_table(lines)
    for line in unpriced:
        print(f"bill: {line.request_id}: {line.why}", file=sys.stderr)
    return 1 if unpriced else 0


def print_table(lines: list[Line]) -> None:
    print(f"{'model':<28} {'input':>8} {'cached':>8} {'output':>8} {'USD':>15}")
    for line in lines:
        usage = line.usage or {}
        counts = [
            usage.get(name, "?") for name in ("input_tokens", "cached_tokens", "output_tokens")
        ]
        amount = "?" if line.nano_usd is None else dollars(line.nano_usd)
        print(f"{line.model:<28} {counts[0]:>8} {counts[1]:>8} {counts[2]:>8} {amount:>15}")
    print(f"{f'total of {len(lines)} calls':<28} {'':>26} {dollars(total(lines)):>15}")


if __name__ == "__main__":
    sys.exit(main())
