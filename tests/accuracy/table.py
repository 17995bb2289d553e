"""Errors of a group of calls, exact from their counts."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction

from tests.accuracy.measure import Bound, Measured

Counter = Callable[[Measured], int | None]


@dataclass(frozen=True)
class Errors:
    calls: int
    median: Fraction
    p90: Fraction
    under: int
    """Calls of which it says less than was billed."""

    def __str__(self) -> str:
        return f"{percent(self.median)} / {percent(self.p90)} / {percent(Fraction(self.under, self.calls), 0)}"


def billed(call: Measured) -> int:
    return call.actual


def answered(call: Measured) -> int:
    return call.output


def errors(
    calls: Iterable[Measured], count: Counter, actual_of: Callable[[Measured], int] = billed
) -> Errors | None:
    """None where it counts none of them. Quantiles are of the sorted errors, the upper of two middles."""
    counted = [
        (said, actual)
        for call in calls
        if (said := count(call)) is not None and (actual := actual_of(call)) > 0
    ]
    if not counted:
        return None
    shares = sorted(Fraction(abs(said - actual), actual) for said, actual in counted)
    return Errors(
        len(counted),
        quantile(shares, 50),
        quantile(shares, 90),
        sum(said < actual for said, actual in counted),
    )


def quantile(ordered: list[Fraction], percent_of: int) -> Fraction:
    return ordered[len(ordered) * percent_of // 100]


def percent(share: Fraction, digits: int = 1) -> str:
    return f"{float(share * 100):.{digits}f} %"


def likely(call: Measured) -> int:
    return call.likely


def likely_output(call: Measured) -> int:
    return call.likely_output


def factor(calls: Iterable[Measured]) -> Fraction:
    """By what the counts of these calls would have to be multiplied: the median of billed / likely."""
    return quantile(sorted(Fraction(call.actual, max(1, call.likely)) for call in calls), 50)


def scaled(by: Fraction) -> Counter:
    return lambda call: round(call.likely * by)


def over_ceiling(calls: Iterable[Measured]) -> list[str]:
    """What must be empty: calls that used more than their ceiling said."""
    found = []
    for call in calls:
        if call.actual > call.ceiling_tokens:
            found.append(
                f"{call.source}: {call.actual} input tokens, ceiling {call.ceiling_tokens}"
            )
        if call.actual_usd is None:
            continue
        for what, ceiling in (
            ("", call.ceiling_usd),
            (" with the output limit that was needed", call.tight_ceiling_usd),
        ):
            if ceiling is not None and call.actual_usd > ceiling:
                found.append(f"{call.source}: {call.actual_usd} USD, ceiling {ceiling}{what}")
    return found


def openai_text(calls: Iterable[Measured]) -> list[Measured]:
    """Calls to OpenAI's models with nothing but text, tools and schemas included."""
    return [
        call
        for call in calls
        if call.provider in ("openai", "azure") and call.kind in ("plain", "tools", "schema")
    ]


def input_looseness(calls: Iterable[Measured]) -> Fraction | None:
    """The median of ceiling / actual input tokens."""
    ratios = sorted(Fraction(call.ceiling_tokens, call.actual) for call in calls)
    return quantile(ratios, 50) if ratios else None


def without_bound(bounds: Iterable[Bound]) -> tuple[int, int]:
    """Of the calls that should have a bound: how many have none, and how many there are."""
    counted = [bound for bound in bounds if not bound.may_have_none]
    return sum(bool(bound.unbounded_by) for bound in counted), len(counted)


def looseness(calls: Iterable[Measured], tight: bool) -> Fraction | None:
    """The median of ceiling / actual cost, of calls that cost something."""
    ratios = sorted(
        Fraction(ceiling) / Fraction(call.actual_usd)
        for call in calls
        if (ceiling := call.tight_ceiling_usd if tight else call.ceiling_usd) is not None
        and call.actual_usd
    )
    return quantile(ratios, 50) if ratios else None
