"""The table inside the package `genai-prices`, as drafts: models found by rules, prices with dates and variants."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from importlib import import_module, metadata
from typing import Any

from .model import PLAIN, Cells, Draft, Period, Price, Report, Terms
from .names import Provider, Providers

QUANTITIES = {
    "input_mtok": ("input_tokens", "million"),
    "output_mtok": ("output_tokens", "million"),
    "output_reasoning_mtok": ("reasoning_tokens", "million"),
    "cache_read_mtok": ("cache_read_tokens", "million"),
    "cache_write_mtok": ("cache_write_tokens", "million"),
    "cache_write_1h_mtok": ("cache_write_1h_tokens", "million"),
    "input_audio_mtok": ("input_audio_tokens", "million"),
    "output_audio_mtok": ("output_audio_tokens", "million"),
    "input_image_mtok": ("input_image_tokens", "million"),
    "output_image_mtok": ("output_image_tokens", "million"),
    "web_searches_kcount": ("web_searches", "thousand"),
    "requests_kcount": ("requests", "thousand"),
    "input_mchars": ("characters", "million"),
    "audio_hours": ("audio_ms", "hour"),
    "input_audio_hours": ("audio_ms", "hour"),
}
TIERS = {"batch": "batch", "flex": "flex", "priority": "priority", "fast": "priority"}

# The table does not say what a model makes; names do, in this order.
MODALITIES = (
    ("embedding", r"embed|(^|/)(bge|e5|gte)-|all-minilm"),
    ("other", r"rerank"),
    ("moderation", r"moderation"),
    ("transcription", r"whisper|transcribe|(^|[-/])(stt|asr)|scribe|parakeet|nova-[23]"),
    ("speech", r"(^|[-_/])tts|speech|orpheus|eleven_|kokoro|sonic"),
    ("video", r"sora-|veo-|video"),
    ("music", r"lyria|music"),
    ("image", r"image|dall-e|flux|imagen|diffusion|banana"),
)
# Text models that see or hear have these words in their names too.
TEXT = re.compile(r"audio-preview|realtime|native-audio|omni")


def load() -> tuple[list[Any], str]:
    data = import_module("genai_prices.data")
    return list(data.providers), metadata.version("genai-prices")


def names_of(match: Any) -> Iterator[str]:
    """Names that a rule takes exactly. What it takes by likeness is none: "contains gpt-4o" prices every snapshot."""
    if hasattr(match, "equals"):
        yield match.equals
    for part in getattr(match, "or_", []):
        yield from names_of(part)


def modality_of(name: str, quantities: set[str]) -> str:
    lower = name.lower()
    if not TEXT.search(lower):
        for modality, pattern in MODALITIES:
            if re.search(pattern, lower):
                return modality
    if "audio_ms" in quantities and "input_tokens" not in quantities:
        return "transcription"
    return "text"


class Reader:
    def __init__(self, at: date, report: Report) -> None:
        self.at, self.report = at, report

    def drafts(self, table: list[Any], providers: Providers) -> dict[tuple[str, str], Draft]:
        """By provider and name in lower case: this table does not tell them apart."""
        found: dict[tuple[str, str], Draft] = {}
        for listed in table:
            source = next(iter(listed.pricing_urls or []), "")
            for model in listed.models:
                draft = self.draft(providers.genai(listed.id, model.id), model)
                draft.source = source
                found.setdefault((draft.provider, draft.name.lower()), draft)
        return found

    def draft(self, provider: Provider, model: Any) -> Draft:
        names = dict.fromkeys(names_of(model.match))
        own = model.id if model.match.is_match(model.id) else next(iter(names), model.id)
        draft = Draft(provider.name, own, "text", model.id)
        draft.aliases = {name for name in names if name.lower() != own.lower()}
        draft.context = model.context_window or 0
        periods = self.periods(model.prices)
        current = max(
            i for i, period in enumerate(periods) if period.start is None or period.start <= self.at
        )
        draft.cells = periods[current].cells
        draft.start, draft.end = periods[current].start, periods[current].end
        draft.periods = periods[:current] + periods[current + 1 :]
        self.variants(draft, model)
        draft.modality = modality_of(own, draft.quantities())
        if own.endswith((":free", "-free")):
            draft.free = "its name says so"
            if not draft.cells:  # the table writes no prices then
                free = Price(Decimal(0), "million")
                draft.cells = {PLAIN: {"input_tokens": free, "output_tokens": free}}
        return draft

    def periods(self, prices: Any) -> list[Period]:
        if not isinstance(prices, list):
            return [Period(None, None, self.cells([prices]))]
        dated = [part for part in prices if not hasattr(part.constraint, "start_time")]
        # Prices of certain hours: the dearest of the day, since a request may wait past the hour.
        hourly = [part.prices for part in prices if hasattr(part.constraint, "start_time")]
        starts = [part.constraint.start_date if part.constraint else None for part in dated]
        order = sorted(range(len(dated)), key=lambda i: starts[i] or date.min)
        if not order:
            return [Period(None, None, self.cells(hourly))]
        result = []
        for place, i in enumerate(order):
            end = starts[order[place + 1]] if place + 1 < len(order) else None
            result.append(Period(starts[i], end, self.cells([dated[i].prices, *hourly])))
        return result

    def cells(self, several: list[Any]) -> Cells:
        cells: Cells = {}
        for prices in several:
            for key, value in vars(prices).items():
                if value is None:
                    continue
                if key not in QUANTITIES:
                    self.report.not_counted[f"genai-prices {key}"] += 1
                    continue
                quantity, per = QUANTITIES[key]
                for above, amount in steps(value):
                    at = cells.setdefault(Terms(context_above=above), {})
                    price = Price(Decimal(amount), per)
                    at[quantity] = max(at.get(quantity, price), price)
        return cells

    def variants(self, draft: Draft, model: Any) -> None:
        for variant in model.price_variants or []:
            start = getattr(variant.constraint, "start_date", None)
            if start is not None and start > self.at:
                continue
            words = variant.when.get("service_tier") or variant.when.get("processing")
            tier = TIERS.get(words or "")
            if variant.when.get("speed") == "fast":  # Anthropic's: answers name it beside the tier
                tier = "fast"
            if tier is None:
                if words != "default":
                    draft.notes.append(
                        f"genai-prices has prices for {variant.when}: no row can say that"
                    )
                continue
            for terms, prices in self.cells([variant.prices]).items():
                for quantity, price in prices.items():
                    at = Terms(tier=tier, context_above=terms.context_above)
                    known = draft.price(at, quantity)
                    draft.put(at, quantity, price if known is None else max(known, price))


def steps(value: Any) -> Iterator[tuple[int, Decimal]]:
    if isinstance(value, (int, Decimal)):
        yield 0, Decimal(value)
        return
    yield 0, value.base
    for tier in value.tiers:
        yield tier.start, tier.price
