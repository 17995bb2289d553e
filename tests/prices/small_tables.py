"""Small tables like those of the packages, and the importer run over them."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from prices.importer import litellm_rows
from prices.importer.decide import Choices
from prices.importer.hand import HandBook
from prices.importer.model import Terms
from prices.importer.names import Providers
from prices.importer.run import Importer
from prices.importer.write import Before

ROOT = Path(__file__).resolve().parents[2]
PLAIN = Terms()
VERSIONS = {"litellm": "1", "genai-prices": "2"}

BOOK = {"book": {"date": date(2026, 11, 21)}}
HAND = {
    "provider": {
        "name": "acme",
        "tiers": {"": ["default"], "flex": ["flex", "default"], "batch": ["batch"]},
        "aliases": {"a1": "a-1"},
    },
    "model": [
        {
            "name": "a-1",
            "aliases": ["a-one"],
            "dated": ["-YYYY-MM-DD"],
            "modality": "text",
            "rates": [{"per": "million", "input_tokens": "1.00", "output_tokens": "4.00"}],
        }
    ],
}
RESELLER = {"provider": {"name": "b", "prices_of": [{"provider": "acme", "prefix": "acme/"}]}}


def chat(provider: str, **prices: Any) -> dict[str, Any]:
    return {
        "litellm_provider": provider,
        "mode": "chat",
        "max_input_tokens": 1000,
        "max_output_tokens": 100,
        **prices,
    }


def text(provider: str, given: str = "1e-06", made: str = "4e-06", **more: Any) -> dict[str, Any]:
    """A text model; prices as the text that stands in the table."""
    prices = {"input_cost_per_token": given, "output_cost_per_token": made, **more}
    return chat(
        provider,
        **{
            key: Number(value) if isinstance(value, str) else value for key, value in prices.items()
        },
    )


class Number(str):
    """A number of the table, as it is written there."""


def parsed(table: dict[str, Any]) -> dict[str, Any]:
    """Through JSON text, as the real table comes."""
    numbers: dict[str, str] = {}

    def mark(value: Any) -> Any:
        if isinstance(value, Number):
            numbers[f"<{len(numbers)}>"] = str(value)
            return f"<{len(numbers) - 1}>"
        if isinstance(value, dict):
            return {key: mark(inner) for key, inner in value.items()}
        return [mark(inner) for inner in value] if isinstance(value, list) else value

    written = json.dumps(mark(table))
    for place, number in numbers.items():
        written = written.replace(f'"{place}"', number)
    return litellm_rows.parse(written)


def genai(provider: str, *models: SimpleNamespace) -> SimpleNamespace:
    return SimpleNamespace(id=provider, pricing_urls=["https://prices.test"], models=list(models))


def sells(name: str, prices: Any, **more: Any) -> SimpleNamespace:
    match = SimpleNamespace(equals=name, is_match=lambda other: other == name)
    return SimpleNamespace(
        **{
            "id": name,
            "match": match,
            "prices": prices,
            "context_window": 1000,
            "price_variants": None,
            **more,
        }
    )


def costs(**prices: str | Any) -> SimpleNamespace:
    return SimpleNamespace(
        **{
            key: Decimal(value) if isinstance(value, str) else value
            for key, value in prices.items()
        }
    )


def tiers(base: str, start: int, price: str) -> SimpleNamespace:
    return SimpleNamespace(
        base=Decimal(base), tiers=[SimpleNamespace(start=start, price=Decimal(price))]
    )


def run(
    table: dict[str, Any],
    *others: SimpleNamespace,
    choices: dict[str, Any] | None = None,
    before: Before | None = None,
    hand: list[dict[str, Any]] | None = None,
) -> Importer:
    importer = Importer(
        HandBook([BOOK, *(hand or [])]),
        Providers.read(ROOT / "prices/importer/providers.toml"),
        Choices.of(choices or {}),
        before or {},
    )
    importer.run(parsed(table), list(others))
    return importer


def price(importer: Importer, provider: str, name: str, quantity: str, **terms: Any) -> str:
    rows = importer.models[provider, name].rows
    found = [row for row in rows if row.terms == Terms(**terms) and quantity in row.prices]
    assert len(found) <= 1, found
    return str(found[0].prices[quantity]) if found else "none"


def why_not(importer: Importer, name: str) -> str:
    assert name not in {model for _, model in importer.models}
    return "; ".join(why for _, model, why in importer.report.left_out if model == name)


def dropped(importer: Importer) -> str:
    return "; ".join(sorted(why for _, _, why in importer.report.dropped))
