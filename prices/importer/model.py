"""What the importer knows of a model, in the words of prices/README.md: terms, prices, drafts; and what it reports."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, fields, replace
from datetime import date
from decimal import Decimal
from fractions import Fraction

UNITS = {
    "each": 1,
    "thousand": 1000,
    "million": 10**6,
    "second": 1000,
    "minute": 60_000,
    "hour": 3_600_000,
}
TOKENS = (
    "input_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "cache_write_1h_tokens",
    "input_audio_tokens",
    "input_image_tokens",
    "output_tokens",
    "reasoning_tokens",
    "output_audio_tokens",
    "output_image_tokens",
)
QUANTITIES = (
    *TOKENS,
    "requests",
    "images",
    "video_ms",
    "audio_ms",
    "characters",
    "web_searches",
    "tool_calls",
    "code_sessions",
    "file_searches",
)


@dataclass(frozen=True, order=True)
class Price:
    """An amount of USD for a unit, both as published."""

    amount: Decimal
    per: str

    @property
    def value(self) -> Fraction:
        return Fraction(self.amount) / UNITS[self.per]

    def times(self, factor: Decimal) -> Price:
        return Price(self.amount * factor, self.per)

    def __str__(self) -> str:
        return f"{text_of(self.amount)} {self.per if self.per == 'each' else 'per ' + self.per}"


def text_of(amount: Decimal) -> str:
    """Decimal text without an exponent, with at least two decimals."""
    plain = format(amount.normalize(), "f")
    whole, _, decimals = plain.partition(".")
    return f"{whole}.{decimals.ljust(2, '0')}"


def significant_digits(amount: Decimal) -> int:
    return len(amount.normalize().as_tuple().digits)


@dataclass(frozen=True, order=True)
class Terms:
    """Conditions of a row; empty or 0: any."""

    tier: str = ""
    region: str = ""
    size: str = ""
    quality: str = ""
    resolution: str = ""
    search_context: str = ""
    context_above: int = 0
    hours: str = ""

    def count(self) -> int:
        return sum(1 for one in fields(self) if getattr(self, one.name))

    def narrows(self, other: Terms) -> bool:
        """Whether every call that meets these terms meets those of the other."""
        return self.context_above >= other.context_above and all(
            getattr(other, name) in ("", getattr(self, name)) for name in WORDS
        )

    def meets(self, other: Terms) -> bool:
        """Whether one call can meet both."""
        return all(
            "" in (pair := {getattr(self, n), getattr(other, n)}) or len(pair) == 1 for n in WORDS
        )

    def both(self, other: Terms) -> Terms:
        words = {name: getattr(self, name) or getattr(other, name) for name in WORDS}
        return Terms(**words, context_above=max(self.context_above, other.context_above))

    def without(self, *names: str) -> Terms:
        changed: dict[str, str | int] = {
            name: 0 if name == "context_above" else "" for name in names
        }
        return replace(self, **changed)  # type: ignore[arg-type]

    def __str__(self) -> str:
        words = [getattr(self, name) for name in WORDS if getattr(self, name)]
        return " ".join([*words, *([f"above {self.context_above}"] if self.context_above else [])])


WORDS = tuple(one.name for one in fields(Terms) if one.name != "context_above")
PLAIN = Terms()
Cells = dict[Terms, dict[str, Price]]


@dataclass
class Period:
    """Prices between two dates, midnight UTC; None: always."""

    start: date | None
    end: date | None
    cells: Cells


@dataclass
class Row:
    terms: Terms
    start: date | None
    end: date | None
    prices: dict[str, Price]


@dataclass
class Draft:
    """One model as one table has it."""

    provider: str
    name: str
    modality: str
    key: str  # in the table's own words
    cells: Cells = field(default_factory=dict)
    aliases: set[str] = field(default_factory=set)
    context: int = 0
    output: int = 0
    sees: bool = False  # takes images
    hears: bool = False
    reasoning: bool = False
    deprecated: date | None = None
    source: str = ""
    free: str = ""  # why, where the table says so
    regions: dict[str, str] = field(default_factory=dict)
    # Other times than today's; the table's prices of today then begin and end at these.
    start: date | None = None
    end: date | None = None
    periods: list[Period] = field(default_factory=list)
    waive: dict[str, str] = field(default_factory=dict)
    tables: tuple[str, ...] = ()
    dated: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)  # what was left out while it was read
    rows: list[Row] = field(default_factory=list)  # once everything is decided

    def put(self, terms: Terms, quantity: str, price: Price) -> None:
        self.cells.setdefault(terms, {})[quantity] = price

    def price(self, terms: Terms, quantity: str) -> Price | None:
        return self.cells.get(terms, {}).get(quantity)

    def drop(self, terms: Terms, quantity: str) -> None:
        self.cells[terms].pop(quantity, None)
        if not self.cells[terms]:
            del self.cells[terms]

    def quantities(self) -> set[str]:
        return {quantity for prices in self.cells.values() for quantity in prices}


@dataclass(frozen=True, order=True)
class Disagreement:
    provider: str
    model: str
    terms: str
    quantity: str
    litellm: str
    genai: str
    chosen: str
    why: str


@dataclass
class Report:
    """Everything that was decided. Nothing is left out without a line."""

    left_out: set[tuple[str, str, str]] = field(default_factory=set)  # provider, model, why
    dropped: set[tuple[str, str, str]] = field(default_factory=set)  # parts of a model
    filled: set[tuple[str, str, str]] = field(default_factory=set)
    kept: set[tuple[str, str, str]] = field(default_factory=set)  # of the book before, for a person
    disagreements: set[Disagreement] = field(default_factory=set)
    not_counted: Counter[str] = field(default_factory=Counter)  # prices of what no meter counts
    by_hand: Counter[str] = field(default_factory=Counter)

    def leave_out(self, provider: str, name: str, why: str) -> None:
        self.left_out.add((provider, name, why))

    def drop(self, draft: Draft, why: str) -> None:
        self.dropped.add((draft.provider, draft.name, why))
