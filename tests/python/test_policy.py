"""A policy in code and one in a file are the same document."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import farthing

TOML = """
store = "memory:"
timezone = "Europe/Berlin"
labels = { org = "acme" }

[[cap]]
id = "daily"
limit = "5 USD"
per = "day"
match = { project = "marketing", model = ["gpt-5*"] }
each = ["user"]
limits = { u42 = "50 USD" }
alert = [50, 100]
timezone = "UTC"

[[cap]]
limit = "2 concurrent"

[[api_key]]
name = "content-bot"
env = ["CONTENT_BOT_KEY"]

[[host]]
name = "localhost:11434"
free = true

[[price]]
provider = "acme"
model = "acme-7b"
rates = { input_tokens = "0.20 USD per million" }
"""


def _document(guard: farthing.Guard) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(guard._core.policy_json)
    return {key: value for key, value in document.items() if key not in ("name", "origin", "path")}


def test_code_and_file_give_the_same_document(tmp_path: Path) -> None:
    file = tmp_path / "farthing.toml"
    file.write_text(TOML)
    with (
        farthing.Guard(file) as from_file,
        farthing.Guard(
            caps=[
                farthing.Cap(
                    "5 USD",
                    per="day",
                    id="daily",
                    match={"project": "marketing", "model": ["gpt-5*"]},
                    each=["user"],
                    limits={"u42": "50 USD"},
                    alert=[50, 100],
                    timezone="UTC",
                ),
                {"limit": "2 concurrent"},
            ],
            store="memory:",
            timezone="Europe/Berlin",
            labels={"org": "acme"},
            api_keys={"content-bot": "CONTENT_BOT_KEY"},
            hosts={"localhost:11434": "free"},
            prices=[
                {
                    "provider": "acme",
                    "model": "acme-7b",
                    "rates": {"input_tokens": "0.20 USD per million"},
                }
            ],
        ) as from_code,
    ):
        in_file, in_code = _document(from_file), _document(from_code)
        assert in_file.pop("store", "memory:") and in_code.pop("store", "") is not None
        assert in_file == in_code


def test_a_file_and_code_together_are_refused(tmp_path: Path) -> None:
    with pytest.raises(farthing.ArgumentError, match="caps"):
        farthing.Guard("farthing.toml", caps=[farthing.Cap("5 USD", per="day")])


def test_a_missing_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(farthing.PolicyError, match=r"no\.toml"):
        farthing.Guard(tmp_path / "no.toml")


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"hosts": {"localhost": "fre"}}, 'expected "free"'),
        ({"api_keys": {"bot": 5}}, "environment variable"),
        ({"api_keys": {"bot": "sk-proj-0123"}}, "not shown"),
        (
            {"prices": [{"provider": "a", "model": "b", "rates": {"input_tokens": 0.2}}]},
            "a float, 0.2",
        ),
        ({"hedl_wait": "1s"}, "held_wait"),
        ({"route": [{"models": ["x"]}]}, "route"),
        ({"labels": {"org": object()}}, "org="),
    ],
)
def test_mistakes_are_named(more: dict[str, Any], said: str) -> None:
    with pytest.raises(farthing.FarthingError) as caught:
        farthing.Guard(caps=[farthing.Cap("5 USD", per="day")], store="memory:", **more)
    assert said in str(caught.value)


def test_a_cap_is_a_value() -> None:
    assert farthing.Cap("5 USD", per="day") == farthing.Cap("5 USD", per="day")
    with pytest.raises(AttributeError):
        farthing.Cap("5 USD").limit = "6 USD"  # type: ignore[misc]
    with pytest.raises(TypeError):
        farthing.Cap("5 USD", "day")  # type: ignore[call-arg]


def test_the_names_of_policies_in_code() -> None:
    from farthing._main_program import default_name, main_file

    assert default_name().startswith("code:")
    assert main_file() == "", "pytest is installed: the project is where it was started"
