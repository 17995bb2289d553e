"""Costs next to other calculators: what counts as a difference, and (slow) that none is unexplained."""

from __future__ import annotations

import subprocess
from decimal import Decimal
from pathlib import Path

import pytest

from tests.accuracy.costs import Costed, Explained, differences, whole

ROOT = Path(__file__).resolve().parents[2]
PYTHON = ROOT / ".venv-accuracy" / "bin" / "python"

WHY = Explained("litellm", "acme m-1", "ours", "its table is old")


def call(ours: str, genai: str | None, litellm: str | None) -> Costed:
    said = {"genai-prices": genai, "litellm": litellm}
    others = {name: "no price" if cost is None else Decimal(cost) for name, cost in said.items()}
    return Costed("a file", "acme", "responses", "m-1", "m-1", "", None, {}, Decimal(ours), others)


def test_equal_costs_and_calculators_without_one_are_no_difference() -> None:
    assert differences([call("0.5", "0.50", "0.5"), call("0.5", "0.5", None)], ()) == ({}, [])


def test_an_explained_difference_is_counted() -> None:
    found, wrong = differences([call("0.5", "0.5", "0.7")], (WHY,))
    assert (len(found[WHY]), wrong) == (1, [])


@pytest.mark.parametrize(
    ("genai", "litellm", "explained", "problem"),
    [
        ("0.5", "0.7", (), "litellm says 0.7"),
        (
            "0.7",
            "0.7",
            (WHY, Explained("genai-prices", "acme m-1", "ours", "")),
            "litellm says 0.7",
        ),
        ("0.5", "0.5", (WHY,), "explains nothing"),
    ],
    ids=["without a reason", "both others agree", "a stale reason"],
)
def test_what_is_wrong(
    genai: str, litellm: str, explained: tuple[Explained, ...], problem: str
) -> None:
    assert problem in "\n".join(differences([call("0.5", genai, litellm)], explained)[1])


def test_the_events_of_a_stream_make_one_answer() -> None:
    anthropic = (
        'event: message_start\ndata: {"message": {"model": "c", "usage": {"input_tokens": 3, "output_tokens": 1}}}\n'
        'data: {"type": "ping"}\ndata: {"usage": {"output_tokens": 9}}\n'
    )
    usage = {"input_tokens": 3, "output_tokens": 9}
    assert whole("messages", anthropic) == {"model": "c", "usage": usage}
    groq = 'data: {"model": "l"}\ndata: {"model": "l", "x_groq": {"usage": {"prompt_tokens": 3}}}\ndata: [DONE]\n'
    assert whole("chat.completions", groq) == {"model": "l", "usage": {"prompt_tokens": 3}}


@pytest.mark.slow
def test_no_difference_from_other_calculators_is_unexplained() -> None:
    if not PYTHON.exists():
        pytest.skip("scripts/setup accuracy was not run")
    ran = subprocess.run(
        [PYTHON, "-m", "tests.accuracy.costs"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
