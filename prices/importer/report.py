"""prices/report.md: what the tables disagree about, what was decided, and what is not in the book."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from .decide import DEARER

if TYPE_CHECKING:
    from .run import Importer

ORDER = [
    "text",
    "embedding",
    "image",
    "speech",
    "transcription",
    "video",
    "music",
    "moderation",
    "other",
]
BOTH = "they agree"


def cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def table(head: str, rows: Iterable[Iterable[str]]) -> Iterator[str]:
    columns = head.split(" | ")
    yield f"| {head} |"
    yield "|" + "---|" * len(columns)
    for row in rows:
        yield "| " + " | ".join(cell(one) for one in row) + " |"


def counts(importer: Importer) -> Iterator[str]:
    by_provider: dict[str, Counter[str]] = {}
    for draft in importer.models.values():
        by_provider.setdefault(draft.provider, Counter())[draft.modality] += 1
    for (provider, _), model in importer.hand.models.items():
        by_provider.setdefault(provider, Counter())[model["modality"]] += 1
    total: Counter[str] = Counter()
    for counter in by_provider.values():
        total.update(counter)

    def line(name: str, counter: Counter[str]) -> list[str]:
        return [name, str(counter.total()), *(str(counter[word] or "") for word in ORDER)]

    rows = [line(name, by_provider[name]) for name in sorted(by_provider)]
    yield from table("provider | models | " + " | ".join(ORDER), [*rows, line("all", total)])


def popular(importer: Importer) -> Iterator[str]:
    rows = []
    differ: dict[tuple[str, str], list[str]] = {}
    for one in sorted(importer.report.disagreements):
        what = f"{one.terms} {one.quantity}".strip()
        differ.setdefault((one.provider, one.model), []).append(
            f"{what}: {one.litellm} or {one.genai}"
        )
    for (provider, model), entry in sorted(importer.choices.chosen.items()):
        disagreement = differ.get((provider, model), [])
        shown = "; ".join(disagreement[:3]) + (
            f"; {len(disagreement) - 3} more" if len(disagreement) > 3 else ""
        )
        if not shown:
            draft = importer.models.get((provider, model))
            alone = draft is not None and len(draft.tables) == 1
            shown = (
                f"only {draft.tables[0]}" if draft and alone else BOTH if draft else "no difference"
            )
        rows.append([provider, model, shown, entry["choose"], entry["why"]])
    yield from table("provider | model | litellm or genai-prices | chosen | why", rows)


def by_reason(lines: Iterable[tuple[str, str, str]]) -> Iterator[str]:
    """Under each provider; models with one and the same reason in one line."""
    grouped: dict[tuple[str, str], list[str]] = {}
    for provider, model, why in sorted(lines):
        grouped.setdefault((provider, why), []).append(model)
    for (provider, why), models in sorted(grouped.items()):
        yield f"- {provider} {', '.join(f'`{model}`' for model in models)}: {why}"


def report_text(importer: Importer, versions: dict[str, str]) -> str:
    report = importer.report
    shown = " and ".join(f"{name} {version}" for name, version in sorted(versions.items()))
    by_hand, imported = len(importer.hand.models), len(importer.models)
    lines = [
        "# The price book: where its prices come from",
        "",
        f"Written by `make prices` from {shown}, for the book of {importer.hand.date}. {by_hand + imported} models: "
        f"{by_hand} hand-checked, {imported} imported. {len(report.disagreements)} prices on which the tables differ, "
        f"{len(report.left_out)} models left out, {len(report.dropped)} parts of models left out, {len(report.kept)} "
        "changes that wait for a person. prices/README.md says how to decide otherwise.",
        "",
        "## Models",
        "",
        *counts(importer),
        "",
        "## Changes that wait for a person",
        "",
        "More than five times away from the book before: the earlier price stands until `[[accept]]` in choices.toml.",
        "",
        *(by_reason(report.kept) if report.kept else ["None."]),
        "",
        "## Popular models",
        "",
        "Decided one by one (prices/importer/choices.toml).",
        "",
        *popular(importer),
        "",
        "## Disagreements",
        "",
        f'Why is "dearer" where it is the rule: {DEARER}.',
        "",
        *table(
            "provider | model | terms | price | litellm | genai-prices | chosen | why",
            (
                [
                    one.provider,
                    one.model,
                    one.terms or "standard",
                    one.quantity,
                    one.litellm,
                    one.genai,
                    one.chosen,
                    "dearer" if one.why == DEARER else one.why,
                ]
                for one in sorted(report.disagreements)
            ),
        ),
        "",
        "## Left out",
        "",
        "Models of the tables that the book does not have, and why. A call to one is of an unknown price, never free.",
        "",
        *by_reason(report.left_out),
        "",
        "## Parts left out",
        "",
        "Of models that the book has. What a lint left out costs as the standard price or as input, which is dearer.",
        "",
        *by_reason(report.dropped),
        "",
        "## Filled in",
        "",
        "Terms that no table has and that two prices of one model meet: the tier's share of the other price, or the "
        "dearer.",
        "",
        *by_reason(report.filled),
        "",
        "## Not counted",
        "",
        "Prices of what no meter counts, with the number of models that have one. A call that is billed so is not "
        "bounded by the book: such an endpoint is described in the policy.",
        "",
        *(f"- {key}: {number}" for key, number in sorted(report.not_counted.items())),
        "",
        "## Hand-checked",
        "",
        "Names of the tables that prices/*.toml cover, by provider; prices/check.py compares them.",
        "",
        *(f"- {name}: {number}" for name, number in sorted(report.by_hand.items())),
    ]
    return "\n".join(lines) + "\n"
