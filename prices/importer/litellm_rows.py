"""The table inside the package `litellm`, as drafts: one flat object a key, terms inside keys, prices for one unit."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from .model import PLAIN, Draft, Price, Report, significant_digits
from .names import Provider, Providers, Split, split_key

MODALITIES = {
    "chat": "text",
    "responses": "text",
    "completion": "text",
    "realtime": "text",
    "image_generation": "image",
    "image_edit": "image",
    "embedding": "embedding",
    "audio_transcription": "transcription",
    "audio_speech": "speech",
    "video_generation": "video",
    "moderation": "moderation",
}
TIERS = {
    "batches": "batch",
    "flex": "flex",
    "priority": "priority",
    "ultrafast": "ultrafast",
    "decisions": "decisions",
}
TOKEN_KEYS = {
    "input_cost_per_token": "input_tokens",
    "output_cost_per_token": "output_tokens",
    "output_cost_per_reasoning_token": "reasoning_tokens",
    "cache_read_input_token_cost": "cache_read_tokens",
    "cache_creation_input_token_cost": "cache_write_tokens",
    "cache_creation_input_token_cost_above_1hr": "cache_write_1h_tokens",
    "cache_creation_input_token_cost_above_12hr": "cache_write_1h_tokens",
    "input_cost_per_audio_token": "input_audio_tokens",
    "output_cost_per_audio_token": "output_audio_tokens",
    "input_cost_per_image_token": "input_image_tokens",
    "output_cost_per_image_token": "output_image_tokens",
}
KEY = re.compile(
    r"(?P<key>.*?)(_above_(?P<thousands>\d+)k_tokens)?(_(?P<tier>batches|flex|priority|ultrafast|decisions))?"
)
RESOLUTION = re.compile(r"output_cost_per_second_(\d+p|\dk)")
IMAGE_SIZE = re.compile(r"output_cost_per_image_([\d.]+K?)")
PRICE = re.compile(r"cost|_price|pricing")
# Prices that repeat others, or are only there to be read.
REPEATED = {
    "input_cost_per_token_cache_hit",
    "input_dbu_cost_per_token",
    "output_dbu_cost_per_token",
}
FREE = re.compile(r"\bis free and\b|\bfree to use\b", re.IGNORECASE)


def load() -> tuple[dict[str, Any], str]:
    # Found, not imported: importing it asks the network for a newer table.
    spec = find_spec("litellm")
    assert spec is not None and spec.origin is not None, "litellm is not installed"
    file = Path(spec.origin).parent / "model_prices_and_context_window_backup.json"
    return parse(file.read_text()), metadata.version("litellm")


def parse(text: str) -> dict[str, Any]:
    """Numbers with a point or an exponent as exact decimals: 1.5e-07 is what was written, and never a float."""
    table: dict[str, Any] = json.loads(text, parse_float=Decimal)
    return table


def number(value: Any) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
        return None
    return Decimal(value)


def as_published(amount: Decimal) -> Price:
    """A price for a second of sound. litellm divides prices for minutes and hours and rounds: a price with few digits
    that gives exactly its figure is what was published."""
    digits = significant_digits(amount)
    if digits >= 3:
        for per, seconds in (("minute", 60), ("hour", 3600)):
            for kept in range(1, min(digits, 4)):
                whole = amount * seconds
                place = Decimal(1).scaleb(whole.adjusted() - kept + 1)
                candidate = whole.quantize(place)
                back = (candidate / seconds).quantize(Decimal(1).scaleb(amount.as_tuple().exponent))  # type: ignore[arg-type]
                if back == amount and candidate > 0:
                    return Price(candidate, per)
    return Price(amount, "second")


def for_size(amount: Decimal, size: str) -> Price | None:
    """A price for a pixel, for one image of a size. Published are prices of images in hundredths of a cent; litellm
    divides them, some with a rounding, which is undone where it is less than a thousandth."""
    width, _, height = size.partition("x")
    if not height:
        return None
    exact = amount * int(width) * int(height)
    if significant_digits(exact) <= 6:
        return Price(exact, "each")
    nearest = exact.quantize(Decimal("0.0001"))
    return Price(nearest, "each") if abs(nearest - exact) * 1000 < exact else None


def date_of(value: Any) -> date | None:
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        return None


def hours_of(windows: list[dict[str, Any]]) -> list[str]:
    """The hours of off-peak prices. A row cannot say weekdays: what is cheaper on weekends only, stays dear."""
    hours: list[str] = []
    for window in windows:
        if window["hours_utc"] != "00:00-00:00":
            listed = window["hours_utc"]
            hours += listed if isinstance(listed, list) else [listed]
    return hours


class Entry:
    """One object of the table, read into a draft."""

    def __init__(
        self, key: str, fields: dict[str, Any], provider: Provider, split: Split, report: Report
    ) -> None:
        self.key, self.fields, self.provider, self.split, self.report = (
            key,
            fields,
            provider,
            split,
            report,
        )
        modality = MODALITIES.get(fields["mode"], "other")
        if "lyria" in key or "music" in key:
            modality = "music"
        elif fields["mode"] == "realtime" and "input_cost_per_token" not in fields:
            modality = "speech"  # spoken to and billed by the time
        self.draft = Draft(provider.name, split.name, modality, key)
        self.read: set[str] = set()

    def value(self, name: str) -> Decimal | None:
        self.read.add(name)
        return number(self.fields.get(name))

    def positive(self, *names: str) -> Decimal | None:
        values = [value for name in names if (value := self.value(name))]
        return max(values) if values else None

    def put(self, quantity: str, price: Price | None, **terms: str) -> None:
        if price is not None:
            self.draft.put(replace(self.split.terms, **terms), quantity, price)  # type: ignore[arg-type]

    def build(self) -> Draft:
        self.facts()
        self.tokens()
        self.fast()
        by_modality: dict[str, Callable[[], None]] = {
            "image": self.images,
            "video": self.video,
            "speech": self.speech,
            "music": self.music,
            "transcription": self.transcription,
        }
        by_modality.get(self.draft.modality, self.nothing)()
        self.calls()
        self.searches()
        self.maps()
        self.context_steps()
        self.off_peak()
        self.count_the_rest()
        return self.draft

    def nothing(self) -> None:
        pass

    def facts(self) -> None:
        draft, fields = self.draft, self.fields
        context = number(fields.get("max_input_tokens")) or Decimal(0)
        draft.output = int(number(fields.get("max_output_tokens")) or 0)
        # OpenAI's newer models: litellm has what is left for input, the context is that and the output.
        if int(context) + draft.output in (400_000, 1_050_000):
            context += draft.output
        draft.context = int(context)
        draft.sees = fields.get("supports_vision") is True
        draft.hears = fields.get("supports_audio_input") is True
        draft.reasoning = fields.get("supports_reasoning") is True
        draft.deprecated = date_of(fields.get("deprecation_date"))
        source = fields.get("source")
        if isinstance(source, str) and source.startswith("https://") and '"' not in source:
            draft.source = source.split(" ")[0]
        said = " ".join(str(text) for text in (fields.get("metadata") or {}).values())
        if FREE.search(said):
            draft.free = said
        elif draft.name.endswith((":free", "-free")):
            draft.free = "its name says so"
        uplift = number(fields.get("regional_processing_uplift_multiplier_eu"))
        if uplift:
            draft.regions["eu"] = str(uplift)
        uplift = number(fields.get("regional_processing_uplift_multiplier_us"))
        uplift = uplift or number((fields.get("provider_specific_entry") or {}).get("us"))
        if uplift:
            draft.regions["us"] = str(uplift)
        # Google's: everywhere but at the global endpoint.
        uplift = number(fields.get("regional_endpoint_uplift_multiplier"))
        if uplift:
            draft.regions["regional"] = str(uplift)

    def tokens(self) -> None:
        for key, value in self.fields.items():
            match = KEY.fullmatch(key)
            quantity = TOKEN_KEYS.get(match["key"]) if match else None
            amount = number(value)
            if match is None or quantity is None:
                continue
            self.read.add(key)
            if amount is None:
                continue
            terms = replace(
                self.split.terms,
                tier=TIERS.get(match["tier"] or "", ""),
                context_above=int(match["thousands"] or 0) * 1000,
            )
            self.draft.put(terms, quantity, Price(amount * 10**6, "million"))

    def fast(self) -> None:
        """Anthropic's fast mode: so many times the price of every token."""
        times = number((self.fields.get("provider_specific_entry") or {}).get("fast"))
        if not times:
            return
        for terms, prices in list(self.draft.cells.items()):
            if terms.tier:
                continue
            for quantity, price in prices.items():
                self.draft.put(
                    replace(terms, tier="fast"), quantity, Price(price.amount * times, price.per)
                )

    def images(self) -> None:
        size = self.split.terms.size
        if size:
            # Under a size litellm writes the price of the image that is made into "input" as often as into "output".
            amount = self.positive("output_cost_per_image", "input_cost_per_image")
            self.put("images", Price(amount, "each") if amount else None)
            pixel = self.positive("output_cost_per_pixel", "input_cost_per_pixel")
            if pixel and not amount:
                price = for_size(pixel, size)
                if price is None:
                    self.draft.notes.append(
                        f"{self.key}: {pixel} for a pixel is a rounded quotient"
                    )
                self.put("images", price)
            return
        amount = self.positive("output_cost_per_image")
        if amount is None and not self.has_tokens():
            amount = self.positive(
                "input_cost_per_image"
            )  # where it is the only price, it is that of the image made
        self.put("images", Price(amount, "each") if amount else None)
        for key in self.fields:
            if found := IMAGE_SIZE.fullmatch(key):
                amount = self.positive(key)
                self.put("images", Price(amount, "each") if amount else None, size=found[1])

    def video(self) -> None:
        base = self.positive("output_cost_per_second", "output_cost_per_video_per_second")
        self.put("video_ms", Price(base, "second") if base else None)
        listed = set()
        for key in self.fields:
            if found := RESOLUTION.fullmatch(key):
                amount = self.positive(key)
                self.put(
                    "video_ms", Price(amount, "second") if amount else None, resolution=found[1]
                )
                listed.add(found[1])
        if base and listed:
            # The price without a resolution is that of all others; where it is not known, the dearest will stand there.
            for resolution in sorted({"480p", "720p", "1080p"} - listed):
                self.put("video_ms", Price(base, "second"), resolution=resolution)

    def has_tokens(self) -> bool:
        prices = self.draft.cells.get(self.split.terms, {})
        return any(price.amount > 0 for price in prices.values())

    def speech(self) -> None:
        amount = self.positive("input_cost_per_character", "output_cost_per_character")
        seconds = self.positive("output_cost_per_second", "input_cost_per_second")
        if self.has_tokens():  # the same audio, said in tokens and in seconds: usage has tokens
            return
        self.put("characters", Price(amount * 10**6, "million") if amount else None)
        if seconds and not amount:
            self.put("audio_ms", as_published(seconds))

    def music(self) -> None:
        """What litellm calls an image is one piece; a request makes one (lyria-002 makes several)."""
        amount = self.positive("output_cost_per_image")
        if amount and "lyria-002" not in self.key:
            self.put("requests", Price(amount, "each"))

    def transcription(self) -> None:
        amount = self.positive("input_cost_per_second", "output_cost_per_second")
        if amount is None or self.has_tokens():
            return
        said = (self.fields.get("metadata") or {}).get("original_pricing_per_minute")
        if isinstance(said, str) and re.fullmatch(r"\d+(\.\d+)?", said) and Decimal(said) > 0:
            self.put("audio_ms", Price(Decimal(said), "minute"))
        else:
            self.put("audio_ms", as_published(amount))

    def calls(self) -> None:
        amount = self.positive("input_cost_per_query", "input_cost_per_request")
        if self.draft.free and self.value("input_cost_per_query") is not None:
            self.put("requests", Price(Decimal(0), "thousand"))
        if amount and self.draft.modality in ("other", "text"):
            self.put("requests", Price(amount * 1000, "thousand"))

    def searches(self) -> None:
        name = "search_context_cost_per_query"
        self.read.add(name)
        costs = {
            key.removeprefix("search_context_size_"): amount
            for key, value in (self.fields.get(name) or {}).items()
            if (amount := number(value))
        }
        if not costs:
            return
        by_request = re.fullmatch(self.provider.search_per_request, self.draft.name)
        quantity = "requests" if by_request else "web_searches"
        self.put(quantity, Price(max(costs.values()) * 1000, "thousand"))
        if len(set(costs.values())) > 1:
            for words, amount in costs.items():
                self.put(quantity, Price(amount * 1000, "thousand"), search_context=words)

    def maps(self) -> None:
        """Before Gemini 3 a prompt is billed once; since then each query, and an answer does not tell how many."""
        amount = self.positive("google_maps_grounding_cost_per_query")
        if amount and re.match(r"gemini-2", self.draft.name):
            self.put("tool_calls", Price(amount * 1000, "thousand"))

    def context_steps(self) -> None:
        self.read.add("tiered_pricing")
        for step in self.fields.get("tiered_pricing") or []:
            if "range" not in step:  # by the number of results, which no row can say: the dearest
                known = self.draft.price(self.split.terms, "requests")
                query = number(step.get("input_cost_per_query")) or Decimal(0)
                price = Price(query * 1000, "thousand")
                self.put("requests", price if known is None else max(known, price))
                continue
            start = number(step["range"][0]) or Decimal(0)
            terms = replace(self.split.terms, context_above=int(start))
            for key, quantity in TOKEN_KEYS.items():
                amount = number(step.get(key))
                if amount is not None:
                    self.draft.put(terms, quantity, Price(amount * 10**6, "million"))

    def off_peak(self) -> None:
        self.read.add("off_peak_pricing")
        cheaper = self.fields.get("off_peak_pricing") or {}
        for hours in hours_of(cheaper.get("windows", [])):
            for key, quantity in TOKEN_KEYS.items():
                amount = number(cheaper.get(key))
                if amount is not None:
                    self.put(quantity, Price(amount * 10**6, "million"), hours=hours)

    def count_the_rest(self) -> None:
        for key, value in self.fields.items():
            if key in self.read or key in REPEATED or not PRICE.search(key):
                continue
            if number(value) or isinstance(value, (dict, list)):
                self.report.not_counted[f"litellm {key}"] += 1


def entries(
    table: dict[str, Any], providers: Providers, report: Report
) -> Iterator[tuple[Split, Draft]]:
    for key, fields in table.items():
        words = fields.get("litellm_provider")
        if key == "sample_spec" or not words or "rules" in fields:
            continue  # descriptions of the table itself
        provider = providers.litellm(words)
        split = split_key(key, provider, words)
        if split.committed:
            report.leave_out(
                provider.name, key, "provisioned throughput: paid by the hour, not by the call"
            )
        elif not fields.get("mode") and "input_cost_per_character" in fields:
            yield (
                split,
                Entry(key, {**fields, "mode": "audio_speech"}, provider, split, report).build(),
            )
        elif not fields.get("mode"):
            report.leave_out(provider.name, split.name, "litellm does not say what it is (mode)")
        else:
            yield split, Entry(key, fields, provider, split, report).build()


def drafts(
    table: dict[str, Any], providers: Providers, report: Report
) -> dict[tuple[str, str], Draft]:
    """Keys that are one model on several terms (regions, sizes, qualities), put together."""
    found: dict[tuple[str, str], Draft] = {}
    # The plain one first: it has the facts.
    for _, draft in sorted(
        entries(table, providers, report), key=lambda pair: (pair[0].terms != PLAIN, pair[1].key)
    ):
        known = found.setdefault((draft.provider, draft.name), draft)
        if known is draft:
            continue
        if known.modality != draft.modality:
            known.notes.append(
                f"{draft.key} is {draft.modality}: only {known.key}, {known.modality}, is taken"
            )
            continue
        add(known, draft)
    for (name, model), draft in found.items():
        there = found.get((providers.named(name).regions_of, model))
        if there is not None:
            draft.regions |= there.regions
    return found


def add(known: Draft, draft: Draft) -> None:
    for terms, prices in draft.cells.items():
        for quantity, price in prices.items():
            other = known.price(terms, quantity)
            if other is not None and other.value != price.value:
                dearer = max(other, price, key=lambda one: one.value)
                known.notes.append(
                    f"{quantity} {str(terms) or 'standard'}: litellm has it twice, {other} ({known.key}) and {price} "
                    f"({draft.key}): the dearer is taken"
                )
                known.put(terms, quantity, dearer)
            elif other is None:
                known.put(terms, quantity, price)
    known.context = max(known.context, draft.context)
    known.output = max(known.output, draft.output)
    known.regions = draft.regions | known.regions
