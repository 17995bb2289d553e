"""`farthing check`: a policy in words, or all that is wrong with it."""

from __future__ import annotations

import json
import subprocess

import pytest

import farthing
from tests.cli.conftest import COMMAND, Place

NOT_TOML = ["[[[cap]]]", "[é]", "[.a]", "[=", "[[ #", "a = 2026-12-01Tx"]


def test_check_says_the_caps_in_words(place: Place) -> None:
    (place.folder / "farthing.toml").write_text(
        '[[cap]]\nlimit = "5 USD"\nper = "day"\neach = "api_key"\n'
    )
    said = place.run("check")
    (row,) = [line for line in said.splitlines() if "5.00 USD" in line]
    assert "day" in row and "each api_key" in row


def test_check_names_file_line_key_and_the_word_that_was_meant(place: Place) -> None:
    (place.folder / "wrong.toml").write_text(
        '[[cap]]\nlimitt = "5 USD"\nper = "daily"\n[[cap]]\nlimit = 5\nper = "day"\n'
    )
    said = place.run("check", "wrong.toml", code=1)
    assert "wrong.toml:2" in said and "limitt" in said and "limit" in said
    assert "wrong.toml:3" in said and "day" in said
    assert "wrong.toml:5" in said and "5 USD" in said  # all errors, not only the first


def test_check_warns_of_what_fits_nothing_known(place: Place) -> None:
    (place.folder / "farthing.toml").write_text(
        '[[cap]]\nlimit = "5 USD"\nper = "day"\nmatch = { model = "gtp-5*", provider = "opnai" }\n'
        '[[host]]\nname = "gw.example"\nprovider = "openai"\ndeployments = { prod = "gtp-4.1-mini" }\n'
    )
    told = json.loads(place.run("check", "--json"))
    assert told["valid"]
    said = {problem["where"].split(": ")[-1]: problem["message"] for problem in told["problems"]}
    assert set(said) == {
        "cap[0].match.provider",
        "cap[0].match.model",
        'host[0].deployments."prod"',
    }
    assert '"openai"' in said["cap[0].match.provider"]
    assert '"gpt-5' in said["cap[0].match.model"]
    assert '"gpt-4.1-mini"' in said['host[0].deployments."prod"']
    with farthing.Guard(place.folder / "farthing.toml", store="memory:") as guard:
        assert len(guard.warnings) == 3


@pytest.mark.parametrize("line", NOT_TOML)
def test_what_is_not_toml_is_an_error_with_its_line(place: Place, line: str) -> None:
    (place.folder / "typo.toml").write_text(f'name = "typo"\n{line}\nlimit = "5 USD"\n')
    assert "typo.toml:2: not TOML" in place.run("check", "typo.toml", code=1)
    (place.folder / "farthing.toml").write_text('price_book = "own.book"\n')
    assert "typo.toml:2: " in place.run("prices", "update", "typo.toml", code=1)


def test_check_of_a_price_book_that_is_not_there(place: Place) -> None:
    (place.folder / "farthing.toml").write_text(
        'price_book = "nope.book"\n[[cap]]\nlimit = "5 USD"\nper = "day"\n'
    )
    said = place.run("check", code=1)
    assert "price_book" in said and "nope.book" in said and "cannot be read" in said


def test_check_of_a_file_that_is_not_there(place: Place) -> None:
    assert "missing.toml" in place.run("check", "missing.toml", code=1)


def test_warnings_and_prices_have_their_line_and_severity(place: Place) -> None:
    policy = place.folder / "farthing.toml"
    text = (
        '[[cap]]\nlimit = "1 USD"\nper = "day"\nmatch = { api_key = "prod", model_family = "gtp-5" }\n'
        'each = "model"\nlimits = { "gpt-5-mni" = "2 USD" }\n\n'
        '[[api_key]]\nname = "production"\nenv = "OPENAI_API_KEY"\n'
    )
    policy.write_text(text)
    found = json.loads(place.run("check", "--json"))
    assert found["valid"] and {problem["severity"] for problem in found["problems"]} == {"warning"}
    where = {problem["where"]: problem["message"] for problem in found["problems"]}
    assert '"production"' in where[f"{policy}:4: cap[0].match.api_key"]
    assert '"gpt-5"' in where[f"{policy}:4: cap[0].match.model_family"]
    assert '"gpt-5-mini"' in where[f'{policy}:6: cap[0].limits."gpt-5-mni"']
    assert len(where) == 3

    policy.write_text(
        text + '\n[[price]]\nprovider = "openai"\nmodel = "gpt-9*"\ndiscount = "5 %"\n'
    )
    found = json.loads(
        subprocess.run(
            [COMMAND, "check", "--json"],
            cwd=place.folder,
            capture_output=True,
            text=True,
            timeout=60,
        ).stdout
    )
    (problem,) = found["problems"]
    assert (found["valid"], problem["severity"]) == (False, "error")
    assert problem["where"] == f"{policy}:12: price[0]"
    assert problem["message"].startswith("(openai gpt-9*): the discount fits no model")
