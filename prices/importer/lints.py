"""The lints of the price book (prices/README.md), on the rows of one model. The compiler holds the same; here they
decide what of a table is left out.

A finding says which cell is wrong, and whether the model can do without it: a cheaper tier or a cache read that is left
out costs as the standard price or as input, which is dearer. Anything else would make the model cheaper than it may be,
so then the whole model is left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from fractions import Fraction

from .model import TOKENS, Draft, Price, Row, significant_digits

DIGITS_MOST = 9
MILLION_MOST = 1000  # USD for a million tokens
TIMES_MOST = 10
CHANGE_MOST = 5
STEPS_MOST = 7
CHEAPER = ("batch", "flex")


@dataclass(frozen=True)
class Finding:
    lint: str
    text: str
    row: int  # which row of the model, and which of its prices, is to go
    quantity: str
    spare: bool  # the model can do without it


def begins(row: Row) -> date:
    return row.start or date.min


def holds_at(row: Row, at: date) -> bool:
    return begins(row) <= at and (row.end is None or at < row.end)


def row_for(rows: list[Row], call: Row, quantity: str) -> Row | None:
    """The row that gives a quantity to a call with exactly these terms, at the time the row begins."""
    best: Row | None = None
    for row in rows:
        if (
            quantity not in row.prices
            or not call.terms.narrows(row.terms)
            or not holds_at(row, begins(call))
        ):
            continue
        if best is None or row.terms.narrows(best.terms):
            best = row
    return best


def shown(row: Row, quantity: str) -> str:
    return " ".join(part for part in (str(row.terms), quantity, str(row.prices[quantity])) if part)


def amounts(draft: Draft) -> Iterator[Finding]:
    for i, row in enumerate(draft.rows):
        for quantity, price in row.prices.items():
            spare = quantity == "cache_read_tokens" or row.terms.tier in CHEAPER
            if (
                quantity == "cache_write_tokens"
            ):  # without it a write costs as input: where that is dearer
                standing_in = row_for(draft.rows, row, "input_tokens")
                spare = (
                    standing_in is not None
                    and standing_in.prices["input_tokens"].value >= price.value
                )
            text = shown(row, quantity)
            if price.amount < 0:
                yield Finding("negative", f"{text} is negative", i, quantity, False)
            if significant_digits(price.amount) > DIGITS_MOST:
                yield Finding(
                    "digits", f"{text} has more than 9 significant digits", i, quantity, spare
                )
            if quantity in TOKENS and price.value * 10**6 > MILLION_MOST:
                yield Finding(
                    "absurd", f"{text} is above 1000 USD per million tokens", i, quantity, False
                )
            if (price.amount == 0) != bool(draft.free):
                yield Finding(
                    "zero",
                    f"{text} in a model that is {'' if draft.free else 'not '}free",
                    i,
                    quantity,
                    False,
                )


ORDER = (  # lint, low, high, times, which is to go, whether the model can do without it
    ("read_at_most_input", "cache_read_tokens", "input_tokens", 1, "cache_read_tokens", True),
    ("read_at_most_write", "cache_read_tokens", "cache_write_tokens", 1, "cache_read_tokens", True),
    (
        "write_at_most_1h",
        "cache_write_tokens",
        "cache_write_1h_tokens",
        1,
        "cache_write_1h_tokens",
        True,
    ),
    (
        "write_at_most_3_inputs",
        "cache_write_tokens",
        "input_tokens",
        3,
        "cache_write_tokens",
        False,
    ),
    (
        "write_at_most_3_inputs",
        "cache_write_1h_tokens",
        "input_tokens",
        3,
        "cache_write_1h_tokens",
        False,
    ),
)


def caches(draft: Draft) -> Iterator[Finding]:
    for lint, low, high, times, gone, spare in ORDER:
        for call in draft.rows:
            if low not in call.prices and high not in call.prices:
                continue
            below, above = row_for(draft.rows, call, low), row_for(draft.rows, call, high)
            if below is None or above is None:
                continue
            if below.prices[low].value <= above.prices[high].value * times:
                continue
            factor = f" times {times}" if times > 1 else ""
            text = f"{shown(below, low)} is above {shown(above, high)}{factor}"
            if gone in call.prices:
                yield Finding(lint, text, draft.rows.index(call), gone, spare)
            elif call.terms.tier in CHEAPER:
                # The standard price of a cache above a cheap tier's input: the tier is the one to go.
                quantity = low if low in call.prices else high
                yield Finding(lint, text, draft.rows.index(call), quantity, True)
            else:
                holder = below if gone == low else above
                yield Finding(lint, text, draft.rows.index(holder), gone, spare)


def tiers(draft: Draft) -> Iterator[Finding]:
    for i, row in enumerate(draft.rows):
        if not row.terms.tier:
            continue
        call = replace(row, terms=row.terms.without("tier"))
        for quantity, price in row.prices.items():
            standard_row = row_for(draft.rows, call, quantity)
            if standard_row is None:
                continue
            standard = standard_row.prices[quantity]
            text = f"{shown(row, quantity)} against {shown(standard_row, quantity)}"
            cheaper = row.terms.tier in CHEAPER
            # Where the standard price is the dearer one, or the same, it stands in for the tier's.
            if price.value >= standard.value if cheaper else price.value <= standard.value:
                yield Finding("tier_order", text, i, quantity, True)
            elif max(price.value, standard.value) > TIMES_MOST * min(price.value, standard.value):
                yield Finding("tier_within_10", text, i, quantity, price.value < standard.value)


def contexts(draft: Draft) -> Iterator[Finding]:
    for i, row in enumerate(draft.rows):
        if not row.terms.context_above:
            continue
        call = replace(row, terms=replace(row.terms, context_above=row.terms.context_above - 1))
        for quantity, price in row.prices.items():
            below = row_for(draft.rows, call, quantity)
            if below is not None and price.value < below.prices[quantity].value:
                text = f"{shown(row, quantity)} is below {shown(below, quantity)}"
                yield Finding("context_order", text, i, quantity, True)
    steps = {row.terms.context_above for row in draft.rows} - {0}
    if len(steps) > STEPS_MOST:
        yield Finding(
            "steps", f"{len(steps)} context tiers", 0, next(iter(draft.rows[0].prices)), False
        )


def changes(draft: Draft) -> Iterator[Finding]:
    for i, later in enumerate(draft.rows):
        for earlier in draft.rows:
            if later.start is None or earlier.end != later.start or earlier.terms != later.terms:
                continue
            for quantity, price in later.prices.items():
                before = earlier.prices.get(quantity)
                if before and too_different(before, price):
                    text = f"{shown(later, quantity)} after {before}"
                    yield Finding("change_over_5", text, i, quantity, False)


def too_different(before: Price, after: Price) -> bool:
    return max(before.value, after.value) > CHANGE_MOST * min(before.value, after.value)


def wanted(draft: Draft) -> Iterator[Finding]:
    """What a call of this kind always has."""
    always = {"text": ("input_tokens", "output_tokens"), "embedding": ("input_tokens",)}
    for quantity in always.get(draft.modality, ()):
        if not any(row.terms.count() == 0 and quantity in row.prices for row in draft.rows):
            yield Finding("missing", f"there is no price of {quantity}", 0, quantity, False)


def overlap(a: Row, b: Row) -> tuple[date | None, date | None]:
    """The time in which both hold."""
    start = max(begins(a), begins(b))
    ends = [row.end for row in (a, b) if row.end]
    return (None if start == date.min else start), (min(ends) if ends else None)


def covers(row: Row, start: date | None, end: date | None) -> bool:
    return begins(row) <= (start or date.min) and (
        row.end is None or (end is not None and row.end >= end)
    )


def ambiguous(draft: Draft) -> list[tuple[Row, Row, str]]:
    """Rows that can hold together, of which neither is the more specific one, without a row for both."""
    found = []
    for i, a in enumerate(draft.rows):
        for b in draft.rows[i + 1 :]:
            if not a.terms.meets(b.terms) or a.terms.narrows(b.terms) or b.terms.narrows(a.terms):
                continue
            if (a.end and a.end <= begins(b)) or (b.end and b.end <= begins(a)):
                continue
            both = a.terms.both(b.terms)
            start, end = overlap(a, b)
            for quantity in sorted(a.prices.keys() & b.prices.keys()):
                if not any(
                    quantity in row.prices and row.terms == both and covers(row, start, end)
                    for row in draft.rows
                ):
                    found.append((a, b, quantity))
    return found


def findings(draft: Draft) -> list[Finding]:
    if not draft.rows:
        return [Finding("missing", "there is no price that a meter counts", 0, "", False)]
    # No comparison is right while an amount is wrong by itself.
    wrong = [*amounts(draft), *wanted(draft)]
    found = wrong or [*caches(draft), *tiers(draft), *contexts(draft), *changes(draft)]
    return [one for one in found if one.lint not in draft.waive]


def merged_price(draft: Draft, a: Row, b: Row, quantity: str) -> Price:
    """The price for calls that meet both rows' terms, where no table has it: the tier's share of the other row's price,
    or, where neither is a tier's, the dearer of the two."""
    tier_row, other = (a, b) if a.terms.tier and not b.terms.tier else (b, a)
    dearer = max(a.prices[quantity], b.prices[quantity], key=lambda price: price.value)
    call = replace(tier_row, terms=tier_row.terms.without("tier"), start=overlap(a, b)[0])
    standard = row_for(draft.rows, call, quantity)
    if (
        not tier_row.terms.tier
        or other.terms.tier
        or standard is None
        or not standard.prices[quantity].amount
    ):
        return dearer
    share = tier_row.prices[quantity].value / standard.prices[quantity].value
    return shared(other.prices[quantity], share) or dearer


def shared(price: Price, share: Fraction) -> Price | None:
    """A share of a price, where that is a price with few digits."""
    amount = Fraction(price.amount) * share
    exact = Decimal(amount.numerator) / Decimal(amount.denominator)
    if Fraction(exact) != amount or significant_digits(exact) > DIGITS_MOST:
        return None
    return Price(exact, price.per)


CACHES = ("cache_read_tokens", "cache_write_tokens", "cache_write_1h_tokens")


def caches_in_tier(draft: Draft) -> list[tuple[Row, str, Price]]:
    """A cheap tier without a price for a cache, whose input is too cheap for the standard price of that cache to be
    right: for all caches that it does not price, the tier's share of the standard price."""
    for row in draft.rows:
        if row.terms.tier not in CHEAPER or "input_tokens" not in row.prices:
            continue
        call = replace(row, terms=row.terms.without("tier"))
        standard = row_for(draft.rows, call, "input_tokens")
        if standard is None or not standard.prices["input_tokens"].amount:
            continue
        share = row.prices["input_tokens"].value / standard.prices["input_tokens"].value
        missing = []
        wrong = False
        for quantity in CACHES:
            found = row_for(draft.rows, row, quantity)
            if quantity in row.prices or found is None or found.terms.tier:
                continue
            most = row.prices["input_tokens"].value * (1 if quantity == "cache_read_tokens" else 3)
            wrong |= found.prices[quantity].value > most
            if (price := shared(found.prices[quantity], share)) is not None:
                missing.append((row, quantity, price))
        if wrong and missing:
            return missing
    return []
