"""A command line that is wrong is told which argument, what was found, what is accepted, with an example."""

from __future__ import annotations

import json

import pytest

from tests.cli.conftest import Place

ATTEMPT = "0AM6M8MJ00200"
AN_ADJUSTMENT = f'For example: farthing adjust "0.0012 USD" {ATTEMPT}.'
HAIKU = {"model": "x", "messages": [{"role": "user", "content": "a haiku"}]}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (["adjust"], ["`farthing adjust` wants AMOUNT (", "found nothing", AN_ADJUSTMENT]),
        (["cap", "set", "x"], ["wants LIMIT (", 'found only CAP = "x"', 'set daily "50 USD"']),
        (["cap", "set"], ["wants CAP (", " and LIMIT ("]),
        (["jobs", "end"], ["wants JOB (", "found nothing", "farthing jobs end video_123"]),
        (
            ["resume", "abc"],
            ['id: "abc" is no whole number from 1', "For example: farthing resume 3"],
        ),
        (
            ["ledger", "-n", "x"],
            ['--most: "x" is no whole number from 0', "farthing ledger --help"],
        ),
        (["estimate", "--text"], ["--text wants a value: A prompt"]),
        (["status", "--all", "--store", "x"], ["--store does not go with --all"]),
        (["adjust", "1 USD", "--since", "2h"], ["--since goes only with --unknown", AN_ADJUSTMENT]),
        (["ledger", "--limit", "5"], ["no option --limit", "Did you mean --most?"]),
        (["estimate", "--limit=5"], ["no option --limit", "Did you mean --output-limit?"]),
        (["adjust", ATTEMPT], ["the amount comes first", ATTEMPT, 'adjust "0.0012 USD"']),
        (["adjust", ATTEMPT, "0.5 USD"], ["amount comes first", f'adjust "0.5 USD" {ATTEMPT}']),
        (["adjust", "a lot", ATTEMPT], ['amount "a lot"', '"0.50 USD"']),
    ],
)
def test_what_is_wrong_is_told(place: Place, line: list[str], said: list[str]) -> None:
    told = place.run(*line, code=2)
    assert told.startswith("farthing: ") and told.count("\n") == 1
    assert [part for part in said if part not in told] == []


def test_filters_that_fit_nothing_are_told_with_near_names(place: Place) -> None:
    (place.folder / "r.json").write_text(json.dumps(HAIKU))
    ranked = ("prices", "compare", "--for", "r.json")
    for option, value, said in (
        ("--provider", "opnai", 'no provider is "opnai", near names: openai'),
        ("--modality", "vidoe", 'no modality is "vidoe", near names: video'),
        ("--modality", "zzzzzz", "there are: embedding, image, "),
        ("--family", "gtp-5", 'no family is "gtp-5", near names: gpt-5'),
    ):
        assert said in place.run(*ranked, option, value, code=3)
    assert "near names: openai" in place.run("prices", "--provider", "opnai", code=3)
