"""Compares the price book with the public tables: python prices/check.py

Every price of the book must be in `litellm` or `genai-prices`, and no price of theirs may differ, unless `differs`
beside the model says why. Exit status 1 and a list otherwise. Packages: requirements/prices.lock.

Keys of `differs` begin with the name of a table, or with "unlisted" for a price that neither table has; then, optional,
the tier, "above N" and the quantity: "litellm", "genai-prices flex", "litellm priority input_tokens", "unlisted
priority above 272000". A key that explains nothing is an error too.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import tomllib
from tables import Call, GenaiPrices, LiteLLM, Prices, Table, now

FOLDER = Path(__file__).parent
CONDITIONS = {
    "tier",
    "region",
    "size",
    "quality",
    "resolution",
    "search_context",
    "context_above",
    "hours",
    "from",
    "until",
}
UNITS = {
    "each": 1,
    "thousand": 1000,
    "million": 10**6,
    "second": 1000,
    "minute": 60_000,
    "hour": 3_600_000,
}
# What both tables can be asked for; the rest of the book stands on its own sources.
COMPARED = {*LiteLLM.QUANTITIES.values(), "web_searches"}


@dataclass
class Model:
    """A model of the book, its prices of now, and what explains differences."""

    provider: str
    name: str
    names: list[str]
    rows: list[tuple[Call, Prices]]
    differs: dict[str, str] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)  # the provider in each table's words
    own: bool = True
    taken: frozenset[str] = frozenset()  # names of other models of the provider
    used: set[str] = field(default_factory=set)

    def price(self, call: Call, quantity: str) -> Fraction | None:
        """The most specific price for a call with just these terms; of several hours the dearest."""
        best: tuple[int, int] = (-1, -1)
        price = None
        for row, prices in self.rows:
            if (
                quantity not in prices
                or row.tier not in ("", call.tier)
                or row.context_above > call.context_above
            ):
                continue
            rank = (bool(row.tier) + bool(row.context_above), row.context_above)
            if rank > best or (rank == best and price is not None and prices[quantity] > price):
                best, price = rank, prices[quantity]
        return price

    def explained(self, table: str, call: Call, quantity: str) -> bool:
        terms = str(call)
        for key in (
            table,
            f"{table} {terms}",
            f"{table} {quantity}",
            f"{table} {terms} {quantity}",
        ):
            if self.differs.get(key.replace("  ", " ").strip()):
                self.used.add(key.replace("  ", " ").strip())
                return True
        return False


def in_force(row: dict[str, Any], at: datetime) -> bool:
    def moment(value: date | datetime) -> datetime:
        return (
            value
            if isinstance(value, datetime)
            else datetime(value.year, value.month, value.day, tzinfo=at.tzinfo)
        )

    return ("from" not in row or moment(row["from"]) <= at) and (
        "until" not in row or at < moment(row["until"])
    )


def read_rows(model: dict[str, Any], at: datetime) -> list[tuple[Call, Prices]]:
    rows = []
    for row in model["rates"]:
        if not in_force(row, at):
            continue
        per = UNITS.get(row["per"]) or int(row["per"])
        prices = {
            key: Fraction(value) / per
            for key, value in row.items()
            if key not in CONDITIONS | {"per"}
        }
        rows.append((Call(row.get("tier", ""), row.get("context_above", 0)), prices))
    return rows


def read_book(at: datetime) -> tuple[list[Model], dict[str, dict[str, Any]]]:
    providers: dict[str, dict[str, Any]] = {}
    models: list[Model] = []
    for path in sorted(FOLDER.glob("*.toml")):
        document = tomllib.loads(path.read_text())
        if "provider" not in document:
            continue
        provider = document["provider"]
        providers[provider["name"]] = provider
        for model in document.get("model", []):
            names = [model["name"], *model.get("aliases", [])]
            models.append(
                Model(
                    provider["name"],
                    model["name"],
                    names,
                    read_rows(model, at),
                    model.get("differs", {}),
                    provider.get("tables", {}),
                )
            )
    for model in models:
        others = (
            other for other in models if other.provider == model.provider and other is not model
        )
        model.taken = frozenset(name for other in others for name in other.names)
    for provider in providers.values():
        for taken in provider.get("prices_of", []):
            models += copies(provider, taken, models)
    return models, providers


def copies(provider: dict[str, Any], taken: dict[str, Any], models: list[Model]) -> Iterator[Model]:
    own = {name for model in models if model.provider == provider["name"] for name in model.names}
    for model in [model for model in models if model.provider == taken["provider"] and model.own]:
        name = taken.get("prefix", "") + model.name
        if name in own or ("only" in taken and model.name not in taken["only"]):
            continue
        # Compared on ordinary terms only: who resells has tiers of his own.
        rows = [(call, prices) for call, prices in model.rows if call == Call()]
        explained = {
            key.removeprefix(model.name + " "): why
            for key, why in taken.get("differs", {}).items()
            if key.startswith(model.name + " ")
        }
        yield Model(
            provider["name"],
            name,
            [name],
            rows,
            explained,
            provider["tables"],
            own=False,
            taken=model.taken,
        )


def table_prices(table: Table, model: Model) -> list[dict[Call, Prices]]:
    """All that a table has under the name, the aliases and the dated forms of a model."""
    names = [*model.names, *dated_names(model)]
    return [found for name in names if (found := table.prices(model.keys[table.name], name))]


def dated_names(model: Model) -> Iterator[str]:
    prefix = model.keys["litellm"]
    for key in LITELLM.models:
        name = key.removeprefix(prefix)
        date = name[len(model.name) :] if name.startswith(model.name) else ""
        if (
            key.startswith(prefix)
            and date.startswith("-")
            and date.replace("-", "").isdigit()
            and name not in model.taken
        ):
            yield name


def in_units(quantity: str, price: Fraction | None) -> str:
    if price is None:
        return "none"
    per, unit = (10**6, "million") if quantity.endswith("_tokens") else (1000, "thousand")
    return f"{float(price * per):g} per {unit}"


def compare(model: Model, table: Table, prices: dict[Call, Prices]) -> Iterator[str]:
    for call, listed in sorted(prices.items()):
        if not model.own and call != Call():
            continue
        for quantity, price in sorted(listed.items()):
            ours = model.price(call, quantity)
            # A zero for what the book does not price: the tables fill their columns.
            if ours == price or (price == 0 and ours is None):
                continue
            if not model.own and quantity == "web_searches":
                continue
            if not model.explained(table.name, call, quantity):
                yield (
                    f"{model.provider} {model.name}: {call} {quantity}: the book has {in_units(quantity, ours)}, "
                    f"{table.name} has {in_units(quantity, price)}"
                )


def unlisted(model: Model, listed: list[dict[Call, Prices]]) -> Iterator[str]:
    for call, prices in model.rows:
        for quantity in sorted(prices.keys() & COMPARED):
            if any(quantity in table.get(call, {}) for table in listed):
                continue
            if not model.explained("unlisted", call, quantity):
                yield f"{model.provider} {model.name}: {call} {quantity}: neither table has it"


def check(models: list[Model], tables: list[Table]) -> list[str]:
    problems: list[str] = []
    for model in models:
        everything: list[dict[Call, Prices]] = []
        for table in tables:
            found = table_prices(table, model)
            everything += found
            for prices in found:
                problems += compare(model, table, prices)
        if model.own:
            problems += unlisted(model, everything)
        stale = model.differs.keys() - model.used
        problems += [
            f"{model.provider} {model.name}: differs {key!r} explains nothing"
            for key in sorted(stale)
        ]
    return list(dict.fromkeys(problems))


LITELLM = LiteLLM()


def main() -> int:
    at = now()
    models, providers = read_book(at)
    tables: list[Table] = [LITELLM, GenaiPrices(at)]
    problems = check(models, tables)
    print("\n".join(problems))
    own = [model for model in models if model.own]
    explained = sum(len(model.used) for model in own)
    versions = ", ".join(f"{table.name} {table.version}" for table in tables)
    print(
        f"{len(own)} models of {len(providers)} providers against {versions}: {explained} differences explained, "
        f"{len(problems)} not"
    )
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
