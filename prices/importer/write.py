"""The generated files, prices/imported/*.toml: written sorted, and read again as the book before."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import fields
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import tomllib

from .model import QUANTITIES, Draft, Price, Row, Terms, text_of
from .names import Provider, encoding_of, family_of, is_preview, overhead_of

HEAD = """\
# Written by `make prices` from the public tables in the PyPI packages litellm and genai-prices. Not to be edited:
# what a person has checked goes to prices/{name}.toml, decisions go to prices/importer/choices.toml.
"""
TERMS = [one.name for one in fields(Terms)]
# What a request that asks for a tier can be served as, where the provider has no file of its own.
REACHES = {
    "batch": ["batch"],
    "flex": ["flex", "default"],
    "priority": ["priority", "default"],
    "ultrafast": ["ultrafast", "default"],
    "fast": ["fast", "default"],
    "decisions": ["decisions"],
}


def quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def a_list(words: list[str]) -> str:
    return "[" + ", ".join(quoted(word) for word in words) + "]"


def a_table(entries: dict[str, str]) -> str:
    return (
        "{ "
        + ", ".join(f"{quoted(key)} = {quoted(entries[key])}" for key in sorted(entries))
        + " }"
    )


def row_lines(row: Row) -> Iterator[str]:
    """A line for each unit; in the order in which prices are usually read."""
    conditions = []
    for name in TERMS:
        value = getattr(row.terms, name)
        if value:
            conditions.append(f"{name} = {value if name == 'context_above' else quoted(value)}")
    if row.start:
        conditions.append(f"from = {row.start.isoformat()}")
    if row.end:
        conditions.append(f"until = {row.end.isoformat()}")
    for per in sorted({price.per for price in row.prices.values()}):
        prices = [
            f"{quantity} = {quoted(text_of(row.prices[quantity].amount))}"
            for quantity in QUANTITIES
            if quantity in row.prices and row.prices[quantity].per == per
        ]
        yield "  { " + ", ".join([*conditions, f"per = {quoted(per)}", *prices]) + " },"


def model_lines(draft: Draft, source: str) -> Iterator[str]:
    yield "[[model]]"
    yield f"name = {quoted(draft.name)}"
    if draft.aliases:
        yield f"aliases = {a_list(sorted(draft.aliases))}"
    if draft.dated:
        yield f"dated = {a_list(draft.dated)}"
    yield f"family = {quoted(family_of(draft.name))}"
    yield f"modality = {quoted(draft.modality)}"
    if draft.modality == "text" and (draft.sees or draft.hears):
        kinds = ["text", *(["image"] if draft.sees else []), *(["audio"] if draft.hears else [])]
        yield f"accepts = {a_list(kinds)}"
    for key, value in (
        ("encoding", encoding_of(draft.name, draft.modality)),
        ("overhead", overhead_of(draft.name, draft.modality)),
    ):
        if value:
            yield f"{key} = {quoted(value)}"
    if draft.context:
        yield f"context = {draft.context}"
    # An answer is never longer than the context, whatever its limit.
    if draft.output or (draft.context and draft.modality == "text"):
        yield f"output = {draft.output or draft.context}"
    if draft.reasoning:
        yield "reasoning = true"
    if is_preview(draft.name):
        yield "preview = true"
    if draft.free:
        yield "free = true"
    if draft.deprecated:
        yield f"deprecated = {draft.deprecated.isoformat()}"
    if draft.regions:
        yield f"regions = {a_table(draft.regions)}"
    where = draft.source or source
    yield f"source = {quoted(where + ' via ' + ' and '.join(draft.tables))}"
    if draft.key != draft.name:
        yield f"key = {quoted(draft.key)}"
    if draft.waive:
        yield f"waive = {a_table(draft.waive)}"
    yield "rates = ["
    for row in draft.rows:
        yield from row_lines(row)
    yield "]"


def file_text(
    provider: Provider, drafts: list[Draft], at: date, versions: dict[str, str], served: bool
) -> str:
    """`served`: the provider has a file of its own, which says what tiers it serves."""
    tiers = sorted({row.terms.tier for draft in drafts for row in draft.rows} - {""})
    lines = [
        HEAD.format(name=provider.name),
        "[imported]",
        f"provider = {quoted(provider.name)}",
        f"source = {quoted(source_of(provider, drafts))}",
        f"date = {at.isoformat()}",
        f"tables = {a_list([f'{name} {version}' for name, version in sorted(versions.items())])}",
    ]
    if not served:
        # For calls that are broken off (R24): no figure is published, or a multiple of it.
        lines.append(f"tokens_per_second = {provider.tokens_per_second}")
        if tiers:
            lines += ["", "[imported.tiers]", '"" = ["default"]', 'default = ["default"]']
            lines += [f"{tier} = {a_list(REACHES[tier])}" for tier in tiers]
        if provider.tier_names:
            lines += ["", "[imported.tier_names]"]
            lines += [
                f"{word} = {quoted(tier)}" for word, tier in sorted(provider.tier_names.items())
            ]
    for draft in sorted(drafts, key=lambda one: one.name):
        lines += ["", *model_lines(draft, source_of(provider, drafts))]
    return "\n".join(lines) + "\n"


def source_of(provider: Provider, drafts: list[Draft]) -> str:
    if provider.source:
        return provider.source
    given = [draft.source for draft in drafts if draft.source]
    return (
        min(given, key=lambda one: (-given.count(one), one))
        if given
        else "https://github.com/BerriAI/litellm"
    )


def file_name(provider: str) -> str:
    return "".join(c if c.isalnum() or c in "._-" else "_" for c in provider) + ".toml"


Before = dict[tuple[str, str], dict[str, Any]]


def read_before(folder: Path) -> Before:
    """The models of the book that is there."""
    before: Before = {}
    for path in sorted(folder.glob("*.toml")):
        document = tomllib.loads(path.read_text())
        for model in document.get("model", []):
            before[document["imported"]["provider"], model["name"]] = model
    return before


def rows_of(model: dict[str, Any]) -> list[Row]:
    rows: dict[tuple[Terms, date | None, date | None], Row] = {}
    for written in model["rates"]:
        terms = Terms(**{name: written[name] for name in TERMS if name in written})
        start, end = written.get("from"), written.get("until")
        row = rows.setdefault((terms, start, end), Row(terms, start, end, {}))
        for quantity in QUANTITIES:
            if quantity in written:
                row.prices[quantity] = Price(Decimal(written[quantity]), written["per"])
    return list(rows.values())


def restored(provider: str, model: dict[str, Any]) -> Draft:
    """A model as the book before has it."""
    source, _, tables = model["source"].partition(" via ")
    draft = Draft(provider, model["name"], model["modality"], model.get("key", model["name"]))
    draft.aliases = set(model.get("aliases", []))
    draft.dated = model.get("dated", [])
    draft.context, draft.output = model.get("context", 0), model.get("output", 0)
    draft.sees = "image" in model.get("accepts", [])
    draft.hears = "audio" in model.get("accepts", [])
    draft.reasoning = model.get("reasoning", False)
    draft.free = "as before" if model.get("free") else ""
    draft.deprecated = model.get("deprecated")
    draft.regions, draft.waive = model.get("regions", {}), model.get("waive", {})
    draft.source, draft.tables = source, tuple(tables.split(" and "))
    draft.rows = rows_of(model)
    return draft
