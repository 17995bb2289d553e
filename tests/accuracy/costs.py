"""What recorded calls cost, next to what the calculators of litellm and genai-prices say (only in .venv-accuracy).

Each is asked as its users ask it: its own reading of the provider's answer, its own table, no network, the price of
today as the book's. genai-prices is asked for the price at the time of the recording too, where the answer tells it.
Amounts are compared to the nano-dollar.

    python -m tests.accuracy.costs        what is not explained, exit status 1 if there is any
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timezone
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from tests.accuracy.measure import replayed

NANO = Decimal("1e-9")

# The providers in the words of each, and what genai-prices calls the form of an answer.
GENAI = {"gemini": "google", "vertex": "google"}
LITELLM = {"together": "together_ai", "vertex": "vertex_ai"}
FLAVORS = {
    "chat.completions": "chat",
    "completions": "chat",
    "responses": "responses",
    "embeddings": "embeddings",
    "images": "images",
}

Calculator = Callable[["Costed", datetime], Decimal]


@dataclass
class Costed:
    """One call: what it cost by the book, and what others say."""

    source: str
    provider: str
    endpoint: str
    model: str
    """As the answer names it; as the request does where the answer does not."""
    asked: str
    tier: str
    at: datetime | None
    """None: the answer does not say when."""
    answer: dict[str, Any]
    ours: Decimal | None
    others: dict[str, Decimal | str] = field(default_factory=dict)
    """By calculator; a text says why it has none."""

    @property
    def called(self) -> str:
        return f"{self.provider} {self.model}" + (f" {self.tier}" if self.tier else "")


@dataclass(frozen=True)
class Explained:
    """Why a calculator says something else, for the calls of a model."""

    calculator: str
    called: str
    """Provider, model and tier."""
    right: str
    why: str


THEN = "genai-prices then"
EXPLAINED = (
    Explained(
        "genai-prices",
        "azure text-embedding-3-large",
        "not known",
        "0.13 USD per million is the Global price, 0.143 (ours, litellm's) that of Regional deployments; the answer "
        "does not say which it was, so the dearer",
    ),
    Explained(
        "litellm",
        "mistral mistral-tiny",
        "ours",
        "litellm gives every Mistral model a cached price of a tenth; for this retired one Mistral published none",
    ),
    Explained(
        "genai-prices",
        "deepseek deepseek-chat",
        "ours",
        "it still has the prices and hours of before 2025-09-29, when V3.2 made the model cheaper",
    ),
    Explained(
        "genai-prices",
        "together mistralai/Mixtral-8x7B-Instruct-v0.1",
        "ours",
        "0.90 USD per million is Together's price for dense models of that size; mixtures of up to 56B were 0.60",
    ),
    Explained(
        THEN,
        "deepseek deepseek-chat",
        "both",
        "July 2025, at the hours of half price; the book begins in November 2026 and has the last price of this model",
    ),
    Explained(
        THEN,
        "openai gpt-5-2025-08-07 priority",
        "ours",
        "its priority prices begin on 2026-10-12, when it learned of tiers; OpenAI's are older, and before them it "
        "says the standard price",
    ),
)


def differences(
    calls: list[Costed], explained: Sequence[Explained] = EXPLAINED
) -> tuple[dict[Explained, list[Costed]], list[str]]:
    """The calls of each explanation, and what is wrong: no explanation, or one that explains nothing.

    Where the others agree with each other and not with us, nothing explains it.
    """
    found: dict[Explained, list[Costed]] = {one: [] for one in explained}
    wrong = []
    for call in calls:
        said = {name: cost for name, cost in call.others.items() if isinstance(cost, Decimal)}
        today = [cost for name, cost in said.items() if name != THEN]
        agreed = len(today) > 1 and len(set(today)) == 1 and today[0] != call.ours
        for name, cost in said.items():
            if cost == call.ours:
                continue
            reason = next(
                (one for one in explained if (one.calculator, one.called) == (name, call.called)),
                None,
            )
            if reason is None or agreed:
                wrong.append(f"{call.source}: {call.called}: {call.ours} USD, {name} says {cost}")
            else:
                found[reason].append(call)
    wrong += [
        f"{one.calculator} on {one.called} explains nothing"
        for one, its in found.items()
        if not its
    ]
    return found, wrong


def whole(endpoint: str, text: str) -> dict[str, Any]:
    """An answer in one piece; of a stream, what its events add up to."""
    try:
        found = json.loads(text)
    except json.JSONDecodeError:
        found = [
            json.loads(line.removeprefix("data:"))
            for line in text.splitlines()
            if line.startswith("data:") and line.removeprefix("data:").strip() != "[DONE]"
        ]
    if isinstance(found, dict):
        return found
    made: dict[str, Any] = {}
    for event in found:
        if endpoint == "responses":
            made = event.get("response", made)
        elif endpoint == "messages":
            message = event.get("message") or {}
            usage = {
                **made.get("usage", {}),
                **message.get("usage", {}),
                **(event.get("usage") or {}),
            }
            made = {**made, **message, "usage": usage}
        else:
            made.update({name: value for name, value in event.items() if value is not None})
            made.update(made.pop("x_groq", {}))  # Groq tells usage in an object of its own
    return made


def genai_calculator() -> Calculator:
    import genai_prices
    from genai_prices import data

    providers = {provider.id: provider for provider in data.providers}

    def cost(call: Costed, at: datetime) -> Decimal:
        provider = GENAI.get(call.provider, call.provider)
        known = {each.api_flavor for each in providers[provider].extractors or ()}
        flavor = FLAVORS.get(call.endpoint, "default")
        usage = genai_prices.extract_usage(
            {**call.answer, "model": None},  # priced below, by the provider that served it
            provider_id=provider if known else "openai",
            api_flavor=flavor if flavor in known or not known else "default",
        ).usage
        return _by_either_name(
            call,
            lambda model: (
                genai_prices.calc_price(
                    usage,
                    model,
                    provider_id=provider,
                    genai_request_timestamp=at,
                    price_context={"service_tier": call.tier} if call.tier else None,
                ).total_price
            ),
        )

    return cost


def litellm_calculator() -> Calculator:
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
    import litellm
    from litellm.llms.vertex_ai.gemini.vertex_and_google_ai_studio_gemini import VertexGeminiConfig

    def cost(call: Costed, _: datetime) -> Decimal:
        answer: Any = call.answer
        if call.endpoint.endswith("enerateContent"):
            usage = VertexGeminiConfig._calculate_usage(answer)
            answer = litellm.ModelResponse(model=call.model, usage=usage)
        return _by_either_name(
            call,
            lambda model: Decimal(
                repr(
                    litellm.completion_cost(
                        completion_response=answer,
                        model=model,
                        custom_llm_provider=LITELLM.get(call.provider, call.provider),
                        service_tier=call.tier or None,
                    )
                )
            ),
        )

    return cost


def _by_either_name(call: Costed, cost: Callable[[str], Decimal]) -> Decimal:
    """By the name that served; where that is not known, by the one that was asked for."""
    try:
        return cost(call.model)
    except Exception:
        if call.asked == call.model:
            raise
        return cost(call.asked)


def versions() -> str:
    from importlib.metadata import version

    return f"genai-prices {version('genai-prices')} and litellm {version('litellm')}"


def costed() -> list[Costed]:
    """All calls that were booked by their usage, with what each calculator says."""
    genai, litellm = genai_calculator(), litellm_calculator()
    calls = []
    for row, booked in replayed():
        if booked.how != "usage":
            continue
        answer = whole(row["endpoint"], row["response"])
        created = answer.get("created") or answer.get("created_at")
        call = Costed(
            source=row["source"],
            provider=row["provider"],
            endpoint=row["endpoint"],
            model=answer.get("model") or answer.get("modelVersion") or booked.model_asked,
            asked=booked.model_asked,
            tier="" if booked.tier_served == "default" else booked.tier_served,
            at=datetime.fromtimestamp(created, timezone.utc) if created else None,
            answer=answer,
            ours=booked.actual_usd,
        )
        asked: list[tuple[str, Calculator, datetime]] = [
            ("genai-prices", genai, now()),
            ("litellm", litellm, now()),
        ]
        if call.at is not None:
            asked.append((THEN, genai, call.at))
        for name, calculate, at in asked:
            try:
                call.others[name] = calculate(call, at).quantize(NANO, ROUND_HALF_EVEN)
            except Exception as error:  # they raise many things; then they have no cost
                call.others[name] = f"{type(error).__name__}: {error}".splitlines()[0]
        if call.others.get(THEN) == call.others["genai-prices"]:
            del call.others[THEN]
        calls.append(call)
    return calls


def now() -> datetime:
    """Noon UTC of today: some prices depend on the hour, and a page should not."""
    return datetime.combine(datetime.now(timezone.utc).date(), time(12), timezone.utc)


def section(calls: list[Costed]) -> str:
    """For docs/accuracy.md."""
    text = f"""
## Costs

What {len(calls)} recorded calls cost by the price book, next to what the calculators of {versions()}
say of the same answers, each by its own reading and its own table, today. "Equal" is to the nano-dollar. Where the two
agree with each other, ours must be the same; every other difference stands below, or `make accuracy` fails. "None": the
calculator does not know the model any more, or cannot read the answer.

| provider | calls | genai-prices: equal / differs / none | litellm: equal / differs / none |
|---|--:|--:|--:|
"""
    groups: dict[str, list[Costed]] = {}
    for call in calls:
        groups.setdefault(call.provider, []).append(call)
    for provider, group in sorted(groups.items(), key=lambda each: (-len(each[1]), each[0])):
        cells = []
        for name in ("genai-prices", "litellm"):
            said = [call.others[name] for call in group]
            none = sum(isinstance(cost, str) for cost in said)
            equal = sum(call.others[name] == call.ours for call in group)
            cells.append(f"{equal} / {len(group) - none - equal} / {none}")
        text += f"| {provider} | {len(group)} | " + " | ".join(cells) + " |\n"
    text += (
        '\nThe differences, each by its first call. "genai-prices then" is its price at the time of the recording, '
        "where\nit is not today's.\n\n"
    )
    text += "| | calls | ours | theirs | who is right | why |\n|---|--:|--:|--:|---|---|\n"
    for one, group in differences(calls)[0].items():
        if not group:
            continue
        theirs = group[0].others[one.calculator]
        assert isinstance(theirs, Decimal)
        text += (
            f"| {one.calculator}, {one.called} | {len(group)} | {group[0].ours:f} | {theirs.normalize():f} "
            f"| {one.right} | {one.why} |\n"
        )
    return text


def main() -> int:
    wrong = differences(costed())[1]
    print("\n".join(wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
