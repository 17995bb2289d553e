"""What docs/accuracy.md says, as bounds: goals where they are met."""

from __future__ import annotations

from fractions import Fraction
from functools import cache

import pytest

from tests.accuracy import table
from tests.accuracy.measure import (
    ORDERS,
    Measured,
    bounds,
    measured,
    once_learned,
    points_elsewhere,
)

OPENAI = ("openai", "azure")
ANTHROPIC = ("anthropic",)
GEMINI = ("gemini", "vertex")


@cache
def calls() -> list[Measured]:
    return measured()


def test_no_call_is_above_its_ceiling() -> None:
    assert len(calls()) > 600
    assert table.over_ceiling(calls()) == []


def test_a_call_above_its_ceiling_is_seen() -> None:
    """The check above can fail."""
    from dataclasses import replace

    one = calls()[0]
    assert len(table.over_ceiling([replace(one, ceiling_tokens=one.actual - 1)])) == 1
    costly = next(call for call in calls() if call.actual_usd)
    assert costly.actual_usd is not None
    dear = replace(costly, tight_ceiling_usd=costly.actual_usd / 2)
    assert len(table.over_ceiling([dear])) == 1


def test_the_ceiling_of_openai_text_is_no_looser_than_needed() -> None:
    group = table.openai_text(calls())
    assert len(group) > 400
    loose = table.input_looseness(group)
    assert loose is not None
    assert loose <= Fraction(6, 5)


def test_few_calls_have_no_bound() -> None:
    unbounded, of = table.without_bound(bounds())
    assert of > 700
    assert Fraction(unbounded, of) <= Fraction(2, 100)


def test_what_names_a_file_or_an_address_may_have_no_bound() -> None:
    image = {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}
    assert points_elsewhere({"messages": [{"content": [image]}]})
    assert points_elsewhere({"input": [{"type": "input_file", "file_id": "file-1"}]})
    image["image_url"] = {"url": "data:image/png;base64,AAAA"}
    assert not points_elsewhere({"messages": [{"content": [image, "https://example.com"]}]})


@pytest.mark.parametrize(
    ("providers", "kind", "least", "median", "p90"),
    [
        (OPENAI, "plain", 300, 0, 0),
        (OPENAI, "tools", 100, 2, 10),
        (OPENAI, "schema", 50, 3, 10),
        (OPENAI, "images", 1, 0, 5),
        (ANTHROPIC, "plain", 40, 5, 12),
        (ANTHROPIC, "tools", 8, 3, 20),
        (ANTHROPIC, "schema", 3, 10, 10),
        (ANTHROPIC, "images", 3, 5, 6),
        (GEMINI, "plain", 30, 3, 20),
        (GEMINI, "tools", 14, 15, 45),
    ],
)
def test_likely_is_near(
    providers: tuple[str, ...], kind: str, least: int, median: int, p90: int
) -> None:
    """Bounds in per cent of what was billed."""
    group = [call for call in calls() if call.provider in providers and call.kind == kind]
    found = table.errors(group, table.likely)
    assert found is not None
    assert found.calls >= least
    assert found.median <= Fraction(median, 100)
    assert found.p90 <= Fraction(p90, 100)


@pytest.mark.parametrize("half", [0, 1])
def test_both_halves_are_as_near(half: int) -> None:
    """The constants were chosen on these recordings: neither half may be much worse than all of them."""
    for providers, kind, median, p90 in (
        (OPENAI, "plain", 0, 0),
        (OPENAI, "tools", 2, 10),
        (OPENAI, "schema", 3, 10),
        (ANTHROPIC, "plain", 6, 15),
        (GEMINI, "plain", 3, 20),
    ):
        group = [call for call in calls() if call.provider in providers and call.kind == kind]
        found = table.errors((call for call in group if call.half == half), table.likely)
        assert found is not None
        assert len(group) / 4 < found.calls < len(group) * 3 / 4, kind
        assert found.median <= Fraction(median, 100), kind
        assert found.p90 <= Fraction(p90, 100), kind


@cache
def learned() -> list[Measured]:
    return [call for seed in ORDERS[:2] for call in once_learned(calls(), seed)]


def test_learning_changes_no_ceiling() -> None:
    plain = {call.source: call for call in calls()}
    assert len(learned()) == 2 * len(calls())
    assert table.over_ceiling(learned()) == []
    for call in learned():
        was = plain[call.source]
        assert (call.ceiling_tokens, call.ceiling_usd) == (was.ceiling_tokens, was.ceiling_usd)
        assert call.likely <= call.ceiling_tokens
        if not call.learned:
            assert (call.likely, call.likely_output) == (was.likely, was.likely_output)


def test_likely_is_nearer_once_learned() -> None:
    """Of calls of which something was known: goals in per cent of the bill, and never further off than before."""
    plain = {call.source: call for call in calls()}
    taught = [call for call in learned() if call.learned]
    assert len(taught) > 700
    for providers, kind, median, p90 in (
        (OPENAI, "plain", 0, 0),
        (OPENAI, "tools", 1, 2),
        (OPENAI, "schema", 0, 1),
        (ANTHROPIC, "plain", 4, 12),
        (ANTHROPIC, "tools", 5, 5),
        (GEMINI, "tools", 2, 5),
    ):
        group = [call for call in taught if call.provider in providers and call.kind == kind]
        found = table.errors(group, table.likely)
        before = table.errors([plain[call.source] for call in group], table.likely)
        assert found is not None
        assert before is not None
        assert found.median <= Fraction(median, 100), kind
        assert found.p90 <= Fraction(p90, 100), kind
        assert found.median <= before.median, kind
        assert found.p90 <= before.p90, kind
    lengths = table.errors(taught, table.likely_output, table.answered)
    unlearned = table.errors(
        [plain[call.source] for call in taught], table.likely_output, table.answered
    )
    assert lengths is not None
    assert unlearned is not None
    assert lengths.median <= Fraction(1, 2)
    assert unlearned.median > 10 * lengths.median


def test_what_is_called_exact_is_exact() -> None:
    exact = [call for call in calls() if call.confidence == "exact"]
    assert len(exact) > 300
    assert [call.source for call in exact if call.likely != call.actual] == []
