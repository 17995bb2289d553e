"""What docs/accuracy.md says, as bounds: goals where they are met."""

from __future__ import annotations

from fractions import Fraction
from functools import cache

import pytest

from tests.accuracy import table
from tests.accuracy.measure import Measured, measured

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


@pytest.mark.parametrize(
    ("providers", "kind", "least", "median", "p90"),
    [
        (OPENAI, "plain", 300, 0, 0),
        (OPENAI, "tools", 100, 2, 10),
        (OPENAI, "schema", 50, 3, 10),
        (ANTHROPIC, "plain", 40, 5, 12),
        (ANTHROPIC, "tools", 8, 3, 20),
        (ANTHROPIC, "schema", 3, 10, 10),
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


def test_what_is_called_exact_is_exact() -> None:
    exact = [call for call in calls() if call.confidence == "exact"]
    assert len(exact) > 300
    assert [call.source for call in exact if call.likely != call.actual] == []
