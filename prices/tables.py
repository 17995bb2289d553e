"""The public price tables, `litellm` and `genai-prices`, in one shape: what a model costs on which terms.

`GenaiPrices(now()).prices("openai", "gpt-5.4")` is `{Call("flex", 272000): {"input_tokens": Fraction(...), ...}, ...}`,
in USD for one unit, exact. Both packages carry their tables inside; nothing is downloaded.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time, timezone
from decimal import Decimal
from fractions import Fraction
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar, Protocol

Prices = dict[str, Fraction]


@dataclass(frozen=True, order=True)
class Call:
    """Terms of a call: the tier that serves it ("" = default), and more input tokens than this."""

    tier: str = ""
    context_above: int = 0

    def __str__(self) -> str:
        above = f"above {self.context_above}" if self.context_above else ""
        return " ".join(part for part in (self.tier, above) if part)


class Table(Protocol):
    """One public table."""

    name: str
    version: str

    def prices(self, provider: str, model: str) -> dict[Call, Prices] | None:
        """What is priced for a model; nothing when the table does not know it.

        The provider is in the table's own words: litellm's prefix ("" or "azure/"), genai-prices' id.
        """


class LiteLLM:
    """The table inside the package `litellm`: one flat object a model, terms as suffixes of keys."""

    name = "litellm"
    QUANTITIES: ClassVar = {
        "input_cost_per_token": "input_tokens",
        "output_cost_per_token": "output_tokens",
        "output_cost_per_reasoning_token": "reasoning_tokens",
        "cache_read_input_token_cost": "cache_read_tokens",
        "cache_creation_input_token_cost": "cache_write_tokens",
        "cache_creation_input_token_cost_above_1hr": "cache_write_1h_tokens",
        "cache_creation_input_token_cost_above_12hr": "cache_write_1h_tokens",
        "input_cost_per_audio_token": "input_audio_tokens",
        "output_cost_per_audio_token": "output_audio_tokens",
    }
    TIERS: ClassVar = {
        "batches": "batch",
        "flex": "flex",
        "priority": "priority",
        "ultrafast": "ultrafast",
    }
    KEY = re.compile(
        r"(?P<key>.*?)(_above_(?P<thousands>\d+)k_tokens)?(_(?P<tier>batches|flex|priority|ultrafast))?"
    )

    def __init__(self) -> None:
        # Found, not imported: importing it asks the network for a newer table.
        spec = find_spec("litellm")
        assert spec is not None and spec.origin is not None, "litellm is not installed"
        file = Path(spec.origin).parent / "model_prices_and_context_window_backup.json"
        self.models: dict[str, Any] = json.loads(file.read_text(), parse_float=Decimal)
        self.version = metadata.version("litellm")

    def prices(self, provider: str, model: str) -> dict[Call, Prices] | None:
        entry = self.models.get(provider + model)
        if not isinstance(entry, dict):
            return None
        result: dict[Call, Prices] = {}
        for key, value in entry.items():
            if key == "search_context_cost_per_query":
                # Since 2025 the same for every size at OpenAI; the dearest where not.
                dearest = max(Fraction(str(cost)) for cost in value.values())
                result.setdefault(Call(), {})["web_searches"] = dearest
                continue
            match = self.KEY.fullmatch(key)
            quantity = self.QUANTITIES.get(match["key"]) if match else None
            if match is None or quantity is None or value is None:
                continue
            call = Call(
                self.TIERS.get(match["tier"] or "", ""), int(match["thousands"] or 0) * 1000
            )
            result.setdefault(call, {})[quantity] = Fraction(str(value))
        return result


class GenaiPrices:
    """The table inside the package `genai-prices`: models found by rules, prices with dates and variants."""

    name = "genai-prices"
    QUANTITIES: ClassVar = {
        "input_mtok": ("input_tokens", 10**6),
        "output_mtok": ("output_tokens", 10**6),
        "output_reasoning_mtok": ("reasoning_tokens", 10**6),
        "cache_read_mtok": ("cache_read_tokens", 10**6),
        "cache_write_mtok": ("cache_write_tokens", 10**6),
        "cache_write_1h_mtok": ("cache_write_1h_tokens", 10**6),
        "input_audio_mtok": ("input_audio_tokens", 10**6),
        "output_audio_mtok": ("output_audio_tokens", 10**6),
        "web_searches_kcount": ("web_searches", 1000),
    }

    def __init__(self, at: datetime) -> None:
        from genai_prices import data

        self.at = at
        self.providers: dict[str, Any] = {provider.id: provider for provider in data.providers}
        self.version = metadata.version("genai-prices")

    def model(self, provider: str, model: str) -> Any | None:
        if provider not in self.providers:
            return None
        known = self.providers[provider]
        return next((entry for entry in known.models if entry.is_match(model)), None)

    def prices(self, provider: str, model: str) -> dict[Call, Prices] | None:
        entry = self.model(provider, model)
        if entry is None:
            return None
        result: dict[Call, Prices] = {}
        for part in self.in_force(entry.prices):
            self.add(result, "", part)
        for variant in entry.price_variants or []:
            if variant.constraint is not None and not variant.constraint.active(self.at):
                continue
            tier = variant.when.get("service_tier") or variant.when.get("processing")
            if tier not in (None, "default", "fast"):  # fast is another word for priority
                self.add(result, tier, variant.prices)
        return result

    def in_force(self, prices: Any) -> list[Any]:
        """The prices of now; where they depend on the hour, those of every hour, the dearest last."""
        if not isinstance(prices, list):
            return [prices]
        dated = [part for part in prices if not hasattr(part.constraint, "start_time")]
        current = [
            part for part in dated if part.constraint is None or part.constraint.active(self.at)
        ]
        hourly = [part for part in prices if hasattr(part.constraint, "start_time")]
        return [part.prices for part in current[-1:] + hourly]

    def add(self, result: dict[Call, Prices], tier: str, part: Any) -> None:
        for key, (quantity, per) in self.QUANTITIES.items():
            value = getattr(part, key, None)
            if value is None:
                continue
            for above, amount in self.steps(value):
                prices = result.setdefault(Call(tier, above), {})
                prices[quantity] = max(prices.get(quantity, Fraction(0)), Fraction(amount) / per)

    @staticmethod
    def steps(value: Any) -> Iterator[tuple[int, Decimal]]:
        if isinstance(value, Decimal):
            yield 0, value
            return
        yield 0, value.base
        for tier in value.tiers:
            yield tier.start, tier.price


def now() -> datetime:
    """Noon UTC today: prices begin at midnight somewhere."""
    return datetime.combine(datetime.now(timezone.utc).date(), time(12), timezone.utc)
