"""Decisions: which table is believed where they differ, what is left out, and which rows come of it.

In this order: the hand-checked files win over both; a choice of prices/importer/choices.toml, with its reason; the
table whose price passes the lints where the other's does not; else the dearer price, since neither can be shown to be
wrong.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import tomllib

from .lints import (
    ambiguous,
    caches_in_tier,
    findings,
    holds_at,
    merged_price,
    overlap,
    row_for,
    shared,
    too_different,
)
from .model import PLAIN, Cells, Disagreement, Draft, Price, Report, Row, Terms

DEARER = "the dearer: neither can be shown to be wrong"
LINTS = {
    "dated_equals_undated",
    "change_over_5",
    "tier_order",
    "tier_within_10",
    "context_order",
    "absurd",
}


@dataclass
class Choices:
    """prices/importer/choices.toml: what a person decided, and why."""

    chosen: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    accepted: dict[tuple[str, str], dict[str, str]] = field(default_factory=dict)
    free: dict[tuple[str, str], str] = field(default_factory=dict)
    aliases: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    used: set[tuple[str, str, str]] = field(default_factory=set)

    @classmethod
    def of(cls, document: dict[str, Any]) -> Choices:
        choices = cls()
        for entry in document.get("choice", []):
            if (
                entry["choose"] not in ("litellm", "genai-prices", "both", "hand")
                or not entry["why"]
            ):
                raise ValueError(
                    f"choices.toml: {entry}: choose litellm, genai-prices, both or hand, and say why"
                )
            choices.chosen[entry["provider"], entry["model"]] = entry
        for entry in document.get("accept", []):
            if entry["lint"] not in LINTS or not entry["why"]:
                raise ValueError(f"choices.toml: {entry}: a lint of {sorted(LINTS)}, and why")
            choices.accepted.setdefault((entry["provider"], entry["model"]), {})[entry["lint"]] = (
                entry["why"]
            )
        for entry in document.get("free", []):
            choices.free[entry["provider"], entry["model"]] = entry["why"]
        for entry in document.get("alias", []):
            choices.aliases.setdefault((entry["provider"], entry["model"]), []).append(
                entry["alias"]
            )
        return choices

    @classmethod
    def read(cls, file: Path) -> Choices:
        return cls.of(tomllib.loads(file.read_text()))


class Decider:
    def __init__(
        self, choices: Choices, report: Report, tiers_of: dict[str, set[str]], at: date
    ) -> None:
        self.choices, self.report, self.tiers_of, self.at = choices, report, tiers_of, at

    def model(self, litellm: Draft | None, genai: Draft | None) -> Draft | None:
        """The model as the book will have it, or nothing and a line in the report."""
        for draft in (litellm, genai):
            if draft is not None:
                for note in draft.notes:
                    self.report.drop(draft, note)
                self.prepare(draft)
        if litellm is not None and genai is not None:
            genai.modality = litellm.modality
            self.same_steps(litellm, genai)
        if litellm is not None and genai is not None:
            chosen = self.choose(litellm, genai)
            chosen.tables = ("litellm", "genai-prices")
        else:
            chosen = litellm or genai  # type: ignore[assignment]
            chosen.tables = ("litellm",) if litellm else ("genai-prices",)
        accepted = self.choices.accepted.get((chosen.provider, chosen.name), {})
        chosen.waive = {
            lint: why
            for lint, why in accepted.items()
            if lint not in ("change_over_5", "dated_equals_undated")
        }
        if chosen.output > chosen.context > 0:
            chosen.context = chosen.output
        return chosen if self.keep(chosen, genai) else None

    # One table at a time.

    def prepare(self, draft: Draft) -> None:
        """Zeros, prices that say the same twice, tiers that are not served; what an unknown size costs."""
        self.zeros(draft)
        quantities = draft.quantities()
        if (
            draft.modality == "image"
            and "output_image_tokens" in quantities
            and "images" in quantities
        ):
            # Both would be added up. Usage has tokens, whatever the size.
            for terms in [terms for terms, prices in draft.cells.items() if "images" in prices]:
                draft.drop(terms, "images")
            self.report.drop(
                draft, "prices of images repeat the price of their tokens, which is kept"
            )
        for terms, prices in list(draft.cells.items()):
            # Reasoning costs as output where it has no price of its own.
            own, output = prices.get("reasoning_tokens"), draft.price(terms, "output_tokens")
            if own is not None and output is not None and own.value == output.value:
                draft.drop(terms, "reasoning_tokens")
        served = self.tiers_of.get(draft.provider)
        for terms in list(draft.cells):
            if terms.tier and served is not None and terms.tier not in served:
                self.report.drop(
                    draft, f"{draft.provider} is not known to serve the tier {terms.tier}"
                )
                del draft.cells[terms]
        if draft.modality not in ("text", "image", "speech", "transcription"):
            for terms in list(draft.cells):
                for quantity in ("output_tokens", "reasoning_tokens"):
                    if draft.modality == "embedding":
                        draft.cells.get(terms, {}).pop(quantity, None)
                if not draft.cells.get(terms):
                    draft.cells.pop(terms, None)
        self.unknown_words(draft)

    def zeros(self, draft: Draft) -> None:
        """A zero is a price only in a model that is free, and that only where the table or a person says so."""
        amounts = [price.amount for prices in draft.cells.values() for price in prices.values()]
        if amounts and not any(amounts):
            why = self.choices.free.get((draft.provider, draft.name))
            if why:
                self.choices.used.add(("free", draft.provider, draft.name))
            draft.free = why or draft.free
            if draft.free:
                draft.cells = {
                    PLAIN: {
                        q: Price(Decimal("0.00"), p.per)
                        for q, p in draft.cells.get(PLAIN, {}).items()
                    }
                }
                draft.periods, draft.start, draft.end = [], None, None
                return
        draft.free = ""
        needed = {"text": ("input_tokens", "output_tokens"), "embedding": ("input_tokens",)}.get(
            draft.modality, ()
        )
        for terms in list(draft.cells):
            for quantity, price in list(draft.cells[terms].items()):
                if price.amount != 0:
                    continue
                if quantity in needed and terms == PLAIN:
                    continue  # the lint `zero` says so
                draft.drop(terms, quantity)
        for period in draft.periods:
            period.cells = {
                terms: kept
                for terms, prices in period.cells.items()
                if (kept := {quantity: price for quantity, price in prices.items() if price.amount})
            }

    def unknown_words(self, draft: Draft) -> None:
        """A call whose size, quality or resolution is not known costs what the dearest one does."""
        words = ("size", "quality", "resolution", "search_context")
        for terms, prices in list(draft.cells.items()):
            plain = terms.without(*words)
            if not any(getattr(terms, word) for word in words):
                continue
            for quantity, price in prices.items():
                known = draft.price(plain, quantity)
                if known is None or price.value > known.value:
                    draft.put(plain, quantity, price)
        for terms, prices in list(draft.cells.items()):
            if terms.region and not terms.tier and not terms.context_above:
                for quantity, price in prices.items():
                    known = draft.price(PLAIN, quantity)
                    if known is None:
                        draft.put(PLAIN, quantity, price)

    # Both tables.

    def choose(self, litellm: Draft, genai: Draft) -> Draft:
        result = replace(litellm, cells={}, aliases=litellm.aliases, periods=[])
        if litellm.free != genai.free and bool(litellm.free) != bool(genai.free):
            # Free in one table and not in the other: then it is not.
            result.free = ""
        written = self.choices.chosen.get((litellm.provider, litellm.name))
        if written:
            self.choices.used.add(("choice", litellm.provider, litellm.name))
        wins = written["choose"] if written else ""
        unsound = {"litellm": self.unsound(litellm), "genai-prices": self.unsound(genai)}
        for terms in sorted({*litellm.cells, *genai.cells}):
            ours, theirs = litellm.cells.get(terms, {}), genai.cells.get(terms, {})
            for quantity in sorted({*ours, *theirs}):
                price, chosen, why = self.cell(
                    litellm,
                    genai,
                    terms,
                    quantity,
                    wins,
                    written["why"] if written else "",
                    unsound,
                )
                if price is not None:
                    result.put(terms, quantity, price)
                if chosen:
                    self.report.disagreements.add(
                        Disagreement(
                            litellm.provider,
                            litellm.name,
                            str(terms),
                            quantity,
                            str(ours.get(quantity, "none")),
                            str(theirs.get(quantity, "none")),
                            chosen,
                            why,
                        )
                    )
        result.context = max(litellm.context, genai.context)
        result.source = litellm.source or genai.source
        return result

    def same_steps(self, litellm: Draft, genai: Draft) -> None:
        """ "From 200,000 on" and "above 200,000": one step, that begins at the lower of the two numbers."""
        for terms in sorted(litellm.cells):
            lower = replace(terms, context_above=terms.context_above - 1)
            if (
                terms.context_above < 2
                or terms in genai.cells
                or not any(other.context_above == lower.context_above for other in genai.cells)
            ):
                continue
            litellm.cells[lower] = litellm.cells.pop(terms)
            self.report.drop(
                litellm,
                f"its long context begins above {terms.context_above} tokens (litellm) or above {lower.context_above} "
                "(genai-prices): the lower is taken",
            )

    def unsound(self, draft: Draft) -> set[str]:
        """The quantities that fail a lint in one table alone."""
        probe = replace(draft, rows=self.rows(draft.cells), waive={})
        self.fill(probe, silent=True)
        return {one.quantity for one in findings(probe) if one.lint != "missing"}

    def cell(
        self,
        litellm: Draft,
        genai: Draft,
        terms: Terms,
        quantity: str,
        wins: str,
        written: str,
        unsound: dict[str, set[str]],
    ) -> tuple[Price | None, str, str]:
        """The price, and where the tables differ the one that was chosen, and why."""
        ours, theirs = litellm.price(terms, quantity), genai.price(terms, quantity)
        if ours is not None and theirs is not None:
            if ours.value == theirs.value:
                return min(ours, theirs, key=lambda price: len(str(price))), "", ""
            if wins in ("litellm", "genai-prices"):
                return (ours if wins == "litellm" else theirs), wins, written
            wrong = {name for name, quantities in unsound.items() if quantity in quantities}
            if len(wrong) == 1:
                name = "genai-prices" if wrong == {"litellm"} else "litellm"
                return (ours if name == "litellm" else theirs), name, "the other's fails a lint"
            name = "litellm" if ours.value > theirs.value else "genai-prices"
            return (ours if name == "litellm" else theirs), name, DEARER
        price, name, other = (
            (ours, "litellm", genai) if ours is not None else (theirs, "genai-prices", litellm)
        )
        assert price is not None
        if not terms.context_above or other.price(PLAIN, quantity) is None:
            if (
                wins
                and wins not in ("both", name)
                and other.price(PLAIN, quantity) is not None
                and not terms.tier
            ):
                return None, wins, written
            return price, "", ""
        if terms.tier or terms.region:  # the same step on other terms
            return price, "", ""
        # A context tier that only one of them has.
        if wins in ("litellm", "genai-prices"):
            return (price if wins == name or terms.tier else None), wins, written
        return price, name, "a context tier that the other lacks: with it is the dearer"

    # Rows.

    @staticmethod
    def rows(cells: Cells) -> list[Row]:
        return [
            Row(terms, None, None, dict(prices))
            for terms, prices in sorted(cells.items())
            if prices
        ]

    def keep(self, draft: Draft, genai: Draft | None) -> bool:
        """Leaves out what the lints find, until they find nothing; false when that is the whole model."""
        while True:
            draft.rows = self.rows(draft.cells)
            self.fill(draft)
            found = findings(draft)
            if not found:
                break
            fatal = next((one for one in found if not one.spare), None)
            if fatal is not None:
                self.report.leave_out(draft.provider, draft.name, f"{fatal.text} [{fatal.lint}]")
                return False
            first = found[0]
            row = draft.rows[first.row]
            standard = row_for(
                draft.rows, replace(row, terms=row.terms.without("tier")), first.quantity
            )
            if (
                first.lint != "tier_order"
                or standard is None
                or standard.prices[first.quantity].value != row.prices[first.quantity].value
            ):  # a tier that repeats the standard price says nothing
                self.report.drop(draft, f"{first.text} [{first.lint}]")
            self.drop_like(draft, row.terms, first.quantity)
        self.dates(draft, genai)
        return True

    @staticmethod
    def drop_like(draft: Draft, terms: Terms, quantity: str) -> None:
        if draft.price(terms, quantity) is not None:
            draft.drop(terms, quantity)
            return
        # A row that was filled in: what it was made from goes, the tier first.
        for other in sorted(draft.cells, key=lambda one: (not one.tier, one)):
            if terms.narrows(other) and other != PLAIN and quantity in draft.cells[other]:
                draft.drop(other, quantity)
                return
        if draft.price(terms, "input_tokens") is not None:  # a tier's cache, made from its input
            draft.drop(terms, "input_tokens")
            return
        raise AssertionError(
            f"{draft.provider} {draft.name}: {terms} {quantity} comes from nowhere"
        )

    def fill(self, draft: Draft, silent: bool = False) -> None:
        """Rows for calls that meet two rows' terms, so that one is always the most specific; caches of cheap tiers."""
        filled = set()
        while True:
            if pairs := ambiguous(draft):
                a, b, quantity = pairs[0]
                price = merged_price(draft, a, b, quantity)
                new = [(self.row_of(draft, a.terms.both(b.terms), *overlap(a, b)), quantity, price)]
            else:
                new = caches_in_tier(draft)
            if not new:
                break
            for row, quantity, price in new:
                row.prices[quantity] = price
                filled.add((draft.provider, draft.name, f"{row.terms} {quantity}"))
        if not silent and not findings(draft):
            self.report.filled |= filled

    @staticmethod
    def row_of(draft: Draft, terms: Terms, start: date | None, end: date | None) -> Row:
        for row in draft.rows:
            if (row.terms, row.start, row.end) == (terms, start, end):
                return row
        row = Row(terms, start, end, {})
        draft.rows.append(row)
        draft.rows.sort(key=lambda one: (one.terms, one.start or date.min))
        return row

    def dates(self, draft: Draft, genai: Draft | None) -> None:
        """The prices of other times, where the prices of today are those of the table that has dates."""
        if genai is None or not genai.periods:
            return
        current = {
            (terms, q): price
            for terms, prices in genai.cells.items()
            for q, price in prices.items()
            if not terms.tier
        }
        if any(
            (known := draft.price(*cell)) is None or known.value != p.value
            for cell, p in current.items()
        ):
            self.report.drop(
                draft,
                "earlier and later prices: today's are not those of genai-prices, which has the dates",
            )
            return
        probe = replace(draft, rows=self.dated_rows(draft, genai))
        self.fill(probe, silent=True)
        wrong = findings(probe)
        accepted = self.choices.accepted.get((draft.provider, draft.name), {})
        if wrong and all(one.lint in accepted for one in wrong):
            for one in wrong:
                draft.waive[one.lint] = accepted[one.lint]
                self.choices.used.add(("accept", draft.provider, draft.name))
        elif wrong:
            self.report.drop(draft, f"earlier and later prices: {wrong[0].text} [{wrong[0].lint}]")
            return
        draft.rows = probe.rows

    def dated_rows(self, draft: Draft, genai: Draft) -> list[Row]:
        now = Row(PLAIN, genai.start, genai.end, {})
        times = sorted(
            [(one.start, one.end, one.cells) for one in genai.periods]
            + [(now.start, now.end, genai.cells)],
            key=lambda one: one[0] or date.min,
        )
        cells = sorted(
            {
                (t, q)
                for _, _, some in times
                for t, prices in some.items()
                for q in prices
                if not t.tier
            }
        )
        rows: dict[tuple[Terms, date | None, date | None], Row] = {}
        dated = set()
        for terms, quantity in cells:
            pieces: list[tuple[date | None, date | None, Price | None]] = []
            for start, end, some in times:
                price = some.get(terms, {}).get(quantity)
                if pieces and (pieces[-1][2] and pieces[-1][2].value) == (price and price.value):
                    pieces[-1] = (pieces[-1][0], end, price)
                else:
                    pieces.append((start, end, price))
            dated.add((terms, quantity))
            for start, end, price in pieces:
                if price is not None:
                    row = rows.setdefault((terms, start, end), Row(terms, start, end, {}))
                    row.prices[quantity] = price
        for row in draft.rows:
            for quantity, price in row.prices.items():
                if (row.terms, quantity) in dated:
                    continue
                for start, end, then in self.with_the_standard(
                    row.terms, quantity, price, list(rows.values())
                ):
                    same = rows.setdefault((row.terms, start, end), Row(row.terms, start, end, {}))
                    same.prices[quantity] = then
        return sorted(rows.values(), key=lambda row: (row.terms, row.start or date.min))

    def with_the_standard(
        self, terms: Terms, quantity: str, price: Price, dated: list[Row]
    ) -> list[tuple[date | None, date | None, Price]]:
        """A tier's price while the standard price changes: always the same share of it, or, where that is no price with
        few digits, the dearer of the two."""
        plain = terms.without("tier", "region")
        standard = [row for row in dated if row.terms == plain and quantity in row.prices]
        now = next((row for row in standard if holds_at(row, self.at)), None)
        if plain == terms or len(standard) < 2 or now is None:
            return [(None, None, price)]
        share = price.value / now.prices[quantity].value
        return [
            (
                row.start,
                row.end,
                price
                if row is now
                else shared(row.prices[quantity], share)
                or max(row.prices[quantity], price, key=lambda one: one.value),
            )
            for row in standard
        ]

    def change(self, draft: Draft, before: list[Row]) -> str:
        """A price that is more than five times away from the one in the book before."""
        for row in draft.rows:
            for old in before:
                if old.terms != row.terms or (old.start, old.end) != (row.start, row.end):
                    continue
                for quantity, price in row.prices.items():
                    if quantity in old.prices and too_different(old.prices[quantity], price):
                        return f"{quantity} {str(row.terms) or 'standard'}: {old.prices[quantity]} before, {price} now"
        return ""
