"""What the demo shows: a line per call, with what is left on every cap. No escape codes unless it is a terminal."""

from __future__ import annotations

import os
import sys
from decimal import Decimal

import farthing

COLOURS = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
CAPS = ("acme", "assistant", "key", "fix-the-build")


def paint(code: str, text: str) -> str:
    return f"\033[{code}m{text}\033[0m" if COLOURS else text


def say(text: str) -> None:
    """A line in one piece: alerts come from another thread."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def title(text: str) -> None:
    say("\n" + paint("1", text))


def money(amount: Decimal | None, digits: int = 4) -> str:
    return "unknown" if amount is None else f"{amount:.{digits}f}"


def head() -> None:
    left = "".join(f"{cap:>15}" for cap in CAPS)
    say(
        f"{'call':>4} {'kind':<7}{'model':<12}{'likely':>8}{'at most':>9}{'cost':>12}   left:{left}"
    )


def line(number: int, kind: str, receipt: farthing.Receipt) -> None:
    left = {item.cap: item.remaining for item in receipt.left}
    cells = "".join(f"{money(Decimal(left.get(cap) or 0)):>15}" for cap in CAPS)
    say(
        f"{number:>4} {kind:<7}{receipt.model:<12}{money(receipt.likely_usd):>8}"
        f"{money(receipt.ceiling_usd):>9}{money(receipt.cost_usd, 8):>12}        {cells}"
    )


def threshold(alert: farthing.Alert) -> None:
    colour = "31" if alert.threshold >= 100 else "33"
    # 100 also fires at the first refusal (R35): what is left then pays for no further call.
    refused = (
        "refuses from here, with " if alert.spent < alert.limit * alert.threshold / 100 else ""
    )
    text = f"-- {alert.threshold} % of cap {alert.cap}: {refused}{alert.spent} of {alert.limit} USD spent --"
    say(paint(colour, f"{text:^96}".rstrip()))
