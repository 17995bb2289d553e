"""The importer of the price book (prices/importer/): two tables, hand-checked files, and the files that it writes.

With the real packages in `make test-all`.
"""

from __future__ import annotations

import subprocess
from datetime import date
from types import SimpleNamespace

import pytest

tomllib = pytest.importorskip("tomllib")

from prices.importer.decide import Choices  # noqa: E402
from tests.prices.small_tables import (  # noqa: E402
    HAND,
    RESELLER,
    ROOT,
    VERSIONS,
    costs,
    dropped,
    genai,
    price,
    run,
    sells,
    text,
    tiers,
)

PYTHON = ROOT / ".venv-prices" / "bin" / "python"

# Two tables


def test_the_dearer_of_two_prices_unless_somebody_chose() -> None:
    table = {"m": text("openai", "2e-06")}
    other = genai("openai", sells("m", costs(input_mtok="3", output_mtok="4")))
    importer = run(table, other)
    assert price(importer, "openai", "m", "input_tokens") == "3.00 per million"
    [told] = importer.report.disagreements
    assert (told.quantity, told.litellm, told.genai) == (
        "input_tokens",
        "2.00 per million",
        "3.00 per million",
    )
    choice = {"provider": "openai", "model": "m", "choose": "litellm", "why": "read it myself"}
    importer = run(table, other, choices={"choice": [choice]})
    assert price(importer, "openai", "m", "input_tokens") == "2.00 per million"
    assert [one.why for one in importer.report.disagreements] == ["read it myself"]
    assert importer.problems() == []
    assert "read it myself" in importer.files(VERSIONS)["report.md"]


def test_a_choice_that_does_not_fit_any_more_is_a_problem() -> None:
    def problems(choose: str, model: str = "m") -> list[str]:
        choice = {"provider": "openai", "model": model, "choose": choose, "why": "x"}
        other = genai("openai", sells("m", costs(input_mtok="3", output_mtok="4")))
        return run({"m": text("openai")}, other, choices={"choice": [choice]}).problems()

    assert "the tables differ now" in problems("both")[0]
    assert "no file in prices/" in problems("hand")[0]
    assert problems("litellm", "gone")
    with pytest.raises(ValueError):
        problems("cheaper")


def test_a_context_tier_that_one_table_lacks_is_kept() -> None:
    """genai-prices lacks the 272k tier of gpt-5.5."""
    importer = run(
        {"gpt-x": text("openai", input_cost_per_token_above_272k_tokens="2e-06")},
        genai("openai", sells("gpt-x", costs(input_mtok="1", output_mtok="4"))),
    )
    assert (
        price(importer, "openai", "gpt-x", "input_tokens", context_above=272_000)
        == "2.00 per million"
    )
    [told] = importer.report.disagreements
    assert (told.terms, told.genai, told.chosen) == ("above 272000", "none", "litellm")


def test_one_step_counted_in_two_ways() -> None:
    importer = run(
        {"xai/g": text("xai", input_cost_per_token_above_200k_tokens="2e-06")},
        genai("x-ai", sells("g", costs(input_mtok=tiers("1", 199_999, "2"), output_mtok="4"))),
    )
    assert price(importer, "xai", "g", "input_tokens", context_above=199_999) == "2.00 per million"
    assert not importer.report.disagreements


def test_prices_have_their_dates() -> None:
    def since(day: date | None, price: str) -> SimpleNamespace:
        constraint = SimpleNamespace(start_date=day) if day else None
        return SimpleNamespace(
            constraint=constraint, prices=costs(input_mtok=price, output_mtok="4")
        )

    parts = [since(None, "0.5"), since(date(2026, 7, 30), "1"), since(date(2027, 1, 1), "2")]
    table = {"m": text("openai", input_cost_per_token_batches="5e-07")}
    importer = run(table, genai("openai", sells("m", parts)))
    inputs = [
        (row.terms.tier, row.start, row.end, f"{row.prices['input_tokens'].amount.normalize():f}")
        for row in importer.models["openai", "m"].rows
        if "input_tokens" in row.prices
    ]
    change, rise = date(2026, 7, 30), date(2027, 1, 1)
    assert inputs == [
        ("", None, change, "0.5"),
        ("", change, rise, "1"),
        ("", rise, None, "2"),
        # The other table has no dates: a tier keeps its share of the standard price.
        ("batch", None, change, "0.25"),
        ("batch", change, rise, "0.5"),
        ("batch", rise, None, "1"),
    ]
    # A table that does not have today's price says nothing of other days.
    importer = run(
        {"m": text("openai", "9e-07")},
        genai("openai", sells("m", parts)),
        choices={"choice": [{"provider": "openai", "model": "m", "choose": "litellm", "why": "x"}]},
    )
    assert all(row.start is None and row.end is None for row in importer.models["openai", "m"].rows)
    assert "today's are not those" in dropped(importer)


# Hand-checked files


def test_hand_checked_models_stay() -> None:
    table = {
        f"acme/{name}": text("acme") for name in ("a-1", "a-one", "a1", "a-1-2026-01-31", "a-2")
    }
    table["b/acme/a-1"] = text("b")
    importer = run(table, hand=[HAND, RESELLER])
    assert set(importer.models) == {("acme", "a-2")}
    assert importer.report.by_hand == {"acme": 4, "b": 1}


def test_what_the_tables_say_otherwise_of_a_hand_checked_model_is_told() -> None:
    importer = run(
        {"acme/a-1": text("acme", "2e-06")},
        genai("acme", sells("a-1", costs(input_mtok="1", output_mtok="4"))),
        hand=[HAND],
    )
    [told] = importer.report.disagreements
    assert (told.litellm, told.genai, told.chosen) == (
        "2.00 per million",
        "1.00 per million",
        "the hand-checked",
    )


def test_a_tier_that_the_provider_is_not_known_to_serve() -> None:
    importer = run({"acme/x": text("acme", output_cost_per_token_priority="8e-06")}, hand=[HAND])
    assert "not known to serve the tier priority" in dropped(importer)


# Writing


def test_the_same_tables_give_the_same_bytes_in_any_order() -> None:
    table = {f"new/m{i}": text("new", f"{i + 1}e-07") for i in range(9)}
    first = run(table).files(VERSIONS)
    assert run(dict(reversed(table.items()))).files(VERSIONS) == first
    written = tomllib.loads(first["imported/new.toml"])
    assert [model["name"] for model in written["model"]] == sorted(f"m{i}" for i in range(9))
    assert written["model"][0]["rates"] == [
        {"per": "million", "input_tokens": "0.10", "output_tokens": "4.00"}
    ]
    assert all(" via litellm" in model["source"] for model in written["model"])


# The project's own book


def test_every_popular_model_has_a_reasoned_choice() -> None:
    choices = Choices.read(ROOT / "prices/importer/choices.toml")
    assert len(choices.chosen) >= 60
    assert all(len(entry["why"]) >= 10 for entry in choices.chosen.values())


def test_the_report_tells_of_everything() -> None:
    report = (ROOT / "prices/report.md").read_text()
    for head in (
        "Popular models",
        "Disagreements",
        "Left out",
        "Parts left out",
        "Filled in",
        "Not counted",
    ):
        assert f"\n## {head}\n" in report


@pytest.mark.slow
def test_the_committed_book_is_what_the_packages_give() -> None:
    if not PYTHON.exists():
        pytest.skip("scripts/setup prices was not run")
    ran = subprocess.run(
        [PYTHON, "-m", "prices.importer", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
