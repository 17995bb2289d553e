"""`adjust AMOUNT --unknown --since T`: all attempts of unknown outcome at once (R23)."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import openai
import pytest

from tests.cli.conftest import CALL, Place


def _rows(place: Place, *filters: str) -> list[dict[str, Any]]:
    """Oldest first."""
    said = place.run("ledger", "--json", "-n", "0", *filters)
    return [json.loads(line) for line in said.splitlines()][::-1]


def _daily(place: Place) -> tuple[Decimal, Decimal]:
    """Spent, and how much of it is for calls of unknown outcome."""
    counters = json.loads(place.run("status", "--json"))["counters"]
    daily = next(c for c in counters if c["cap"] == "daily")
    return Decimal(daily["spent"]), Decimal(daily["unknown"])


def _attempts(place: Place) -> list[dict[str, Any]]:
    return [row for row in _rows(place) if row["kind"] == "attempt"]


@pytest.fixture
def unknown(place: Place) -> list[dict[str, Any]]:
    """Two attempts of unknown outcome, between two that are known."""
    place.spend(1)
    for broken in ({"cut": "reset_head"}, {"status": 502, "foreign": True}):
        place.provider.script(broken)
        with pytest.raises(openai.APIError):
            place.spend(1)
    place.spend(1)
    assert [row["how"] for row in _rows(place)] == ["usage", "hold", "hold", "usage"]
    return _rows(place, "--how", "hold")


def test_all_of_unknown_outcome_are_set_and_nothing_else(
    place: Place, unknown: list[dict[str, Any]]
) -> None:
    known = [row for row in _rows(place) if row["how"] == "usage"]
    spent, of_unknown = _daily(place)
    assert of_unknown > 0 and spent == of_unknown + sum(Decimal(row["actual"]) for row in known)
    assert "of which unknown outcome" in place.run("status")

    said = place.run(
        *("adjust", "0.0001 USD", "--unknown", "--since", "1h"),
        *("--why", "their invoice", "--who", "ann"),
    )
    assert said == "2 attempts of unknown outcome set to 0.0001 USD\n"

    assert _daily(place) == (spent - of_unknown + 2 * Decimal("0.0001"), 0)
    assert "of which unknown outcome" not in place.run("status")
    corrections = [row for row in _rows(place) if row["kind"] == "adjust"]
    assert {row["of"] for row in corrections} == {row["id"] for row in unknown}
    for row in corrections:
        assert (row["who"], row["why"]) == ("ann", "their invoice")
        assert Decimal(row["actual"]) == Decimal("0.0001")
    assert [row["how"] for row in _attempts(place)] == ["usage", "hold", "hold", "usage"]  # kept
    why = place.run("why", unknown[0]["id"])
    assert "their invoice" in why and "ann" in why


def test_nothing_means_that_they_cost_nothing(place: Place, unknown: list[dict[str, Any]]) -> None:
    spent, of_unknown = _daily(place)
    assert "2 attempts" in place.run("adjust", "0 USD", "--unknown", "--since", "today")
    assert _daily(place) == (spent - of_unknown, 0)


def test_those_before_since_are_left_alone(place: Place, unknown: list[dict[str, Any]]) -> None:
    before = _daily(place)
    said = place.run("adjust", "0 USD", "--unknown", "--since", "2999-01-01", "--why", "none")
    assert said == "0 attempts of unknown outcome set to 0.00 USD\n"
    assert _daily(place) == before
    assert len(_rows(place)) == 4


def test_many_are_each_corrected(place: Place) -> None:
    guard = place.spend(0)
    client = openai.OpenAI(base_url=place.provider.url, api_key="sk-test-0001", max_retries=0)
    with guard.wrap(client, project="shop") as client:
        place.provider.default(cut="reset_head")
        for number in range(30):
            with guard.scope(user=f"u{number}"), pytest.raises(openai.APIConnectionError):
                client.chat.completions.create(**CALL)  # type: ignore[call-overload]
    assert _daily(place)[1] > 0
    assert "30 attempts" in place.run("adjust", "0.0001 USD", "--unknown", "--since", "1h")
    corrections = [row for row in _rows(place) if row["kind"] == "adjust"]
    assert len({row["of"] for row in corrections}) == len(corrections) == 30
    assert _daily(place) == (30 * Decimal("0.0001"), 0)


def test_one_that_is_known_by_now_keeps_what_it_costs(
    place: Place, unknown: list[dict[str, Any]]
) -> None:
    """A correction says what an attempt cost; it is not of unknown outcome any more."""
    place.run("adjust", "0.25 USD", unknown[0]["id"], "--why", "seen on the invoice")
    said = place.run("adjust", "0 USD", "--unknown", "--since", "1h", "--why", "the rest")
    assert said == "1 attempt of unknown outcome set to 0.00 USD\n"
    known = sum(Decimal(row["actual"]) for row in _attempts(place) if row["how"] == "usage")
    assert _daily(place) == (known + Decimal("0.25"), 0)
    rows = len(_rows(place))
    said = place.run("adjust", "0.5 USD", "--unknown", "--since", "1h")  # again: none is left
    assert said.startswith("0 attempts")
    assert _daily(place) == (known + Decimal("0.25"), 0)
    assert len(_rows(place)) == rows


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["0 USD"], "--unknown --since TIME"),
        (["0 USD", "--unknown"], "--since TIME"),
        (["0 USD", "--unknown", "--since", "lately"], "lately"),
        (["0 USD", "0AKNQEBA00200", "--unknown", "--since", "1h"], "--unknown --since TIME"),
        (["0", "--unknown", "--since", "1h"], "USD"),
        (["0 EUR", "--unknown", "--since", "1h"], "USD"),
        (["--unknown", "--since", "1h", "--", "-1 USD"], "-1 USD"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_usage_is_2_and_changes_nothing(
    place: Place, unknown: list[dict[str, Any]], arguments: list[str], said: str
) -> None:
    before = _daily(place)
    assert said in place.run("adjust", *arguments, code=2)
    assert _daily(place) == before
    assert len(_rows(place)) == 4


def test_totals_count_a_correction_instead_of_the_hold(
    place: Place, unknown: list[dict[str, Any]]
) -> None:
    spent, _ = _daily(place)
    assert f"4 entries, {spent} USD\n" in place.run("ledger")
    corrected = unknown[0]
    place.run("adjust", "0.25 USD", corrected["id"], "--why", "their invoice")
    spent, _ = _daily(place)
    assert f"5 entries, {spent} USD" in place.run("ledger")

    (adjusted,) = _rows(place, "--how", "adjust")
    assert adjusted["of"] == corrected["id"]
    assert [row["id"] for row in _rows(place, "--how", "hold")] == [row["id"] for row in unknown]
    assert "adjust and book" in place.run("ledger", "--how", "adjusted", code=2)

    why = place.run("why", corrected["id"])
    assert why.endswith("in all, as the caps count it: 0.25 USD\n")
    assert "cost        0.25 USD" in why and "their invoice" in why
    assert f"adjusted {adjusted['settled_at']}" in why  # not when its attempt was
    assert json.loads(place.run("why", corrected["id"], "--json"))["counted"] == "0.25"
