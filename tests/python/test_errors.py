"""The typed error: fields, repr, pickle, copy, groups; and finding it in what frameworks make of it."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from datetime import datetime, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import openai
import pytest

import farthing

from .conftest import CHEAP, MODEL, Shop

Ask = Callable[[openai.OpenAI], Any]


@pytest.fixture
def refused(shop: Shop) -> Any:
    """An error of the SDK: a cap of 200 micro-dollars, of which one call spent a part."""
    guard = shop.guard(
        farthing.Cap(
            "0.0002 USD",
            per="day",
            id="marketing-daily",
            match={"project": "marketing"},
            message="Ask Ada for more.",
            help_url="https://wiki.example.com/caps",
        )
    )
    client = guard.wrap(shop.client(), project="marketing")
    client.chat.completions.create(**CHEAP)
    big = {**CHEAP, "messages": [{"role": "user", "content": "x " * 4000}]}
    with pytest.raises(farthing.CapExceeded) as caught:
        client.chat.completions.create(**big)
    return caught.value


def test_is_one_of_ours_and_one_of_the_sdks(refused: Any) -> None:
    assert isinstance(refused, farthing.CapExceeded)
    assert isinstance(refused, farthing.Denied)
    assert isinstance(refused, openai.APIStatusError)
    assert refused.status_code == 402
    assert refused.response.headers["x-should-retry"] == "false"
    assert refused.body["code"] == "cap_exceeded"


def test_says_which_cap_and_how_it_stands(refused: Any) -> None:
    assert refused.code == "cap_exceeded"
    assert refused.cap == "marketing-daily"
    assert (refused.level, refused.meter, refused.per) == ("project", "usd", "day")
    assert refused.match == {"project": ["marketing"]}
    assert refused.limit == Decimal("0.0002")
    assert isinstance(refused.limit, Decimal)
    assert 0 < refused.spent < refused.limit
    assert refused.reserved == 0
    assert refused.remaining == refused.limit - refused.spent - refused.reserved
    assert refused.requested > refused.remaining
    assert refused.held is False
    assert refused.resets_at > datetime.now(timezone.utc)
    assert refused.resets_at.tzinfo is timezone.utc
    assert [cap["cap"] for cap in refused.caps] == ["marketing-daily"]
    assert isinstance(refused.fits, dict)
    assert refused.attempt


def test_reads_well(refused: Any) -> None:
    text = str(refused)
    assert text.startswith('cap "marketing-daily" (') and text.endswith("[cap_exceeded]")
    assert "Ask Ada for more." in text
    assert repr(refused) == f"CapExceeded({text!r})"
    assert type(refused).__name__ == "CapExceeded"


@pytest.mark.parametrize(
    "again",
    [lambda e: pickle.loads(pickle.dumps(e)), copy.copy, copy.deepcopy],
    ids=["pickle", "copy", "deepcopy"],
)
def test_survives(refused: Any, again: Callable[[Any], Any]) -> None:
    other = again(refused)
    assert type(other) is type(refused)
    assert str(other) == str(refused) and repr(other) == repr(refused)
    for name in ("code", "cap", "limit", "spent", "remaining", "resets_at", "caps", "status_code"):
        assert getattr(other, name) == getattr(refused, name)
    assert other.response.status_code == 402


def test_except_star_and_find(refused: Any) -> None:
    assert farthing.find_cap_exceeded(refused) is refused
    groups = pytest.importorskip("builtins")
    if not hasattr(groups, "ExceptionGroup"):
        pytest.skip("Python 3.10 has no exception groups")
    group = groups.ExceptionGroup(
        "many", [ValueError("no"), groups.ExceptionGroup("in", [refused])]
    )
    assert farthing.find_cap_exceeded(group) is refused


def test_found_in_chains(refused: Any) -> None:
    class Wrapped(Exception):
        def __init__(self, **fields: Any) -> None:
            super().__init__("wrapped")
            self.__dict__.update(fields)

    def raised_from() -> BaseException:
        try:
            raise RuntimeError("outer") from refused
        except RuntimeError as error:
            return error

    def raised_while() -> BaseException:
        try:
            try:
                raise refused
            except openai.APIStatusError:
                raise KeyError("outer")  # noqa: B904
        except KeyError as error:
            return error

    class Attempt:
        def exception(self) -> BaseException:
            return refused  # type: ignore[no-any-return]

    for error in (
        raised_from(),
        raised_while(),
        Wrapped(errors=[refused]),
        Wrapped(last_error=refused),
        Wrapped(last_attempt=Attempt()),
        RuntimeError("wrapped", refused),
    ):
        assert farthing.find_cap_exceeded(error) is refused


def test_found_in_bodies_without_the_chain(refused: Any) -> None:
    class ModelHTTPError(Exception):
        def __init__(self, body: Any) -> None:
            super().__init__("402")
            self.body = body

    for body in (
        refused.response.text,
        refused.response.content,
        refused.response.json(),
        refused.body,
    ):
        found = farthing.find_cap_exceeded(ModelHTTPError(body))
        assert isinstance(found, farthing.CapExceeded)
        assert (found.cap, found.limit) == (refused.cap, refused.limit)


def test_found_by_its_words_in_this_context(refused: Any) -> None:
    """LiteLLM's router keeps the text alone."""
    found = farthing.find_cap_exceeded(RuntimeError(f"litellm.APIError: {refused}"))
    assert isinstance(found, farthing.CapExceeded) and found.cap == refused.cap
    assert farthing.find_cap_exceeded(RuntimeError("something else")) is None
    assert farthing.find_cap_exceeded(None) is None


def test_cycles_end() -> None:
    a, b = RuntimeError("a"), RuntimeError("b")
    a.__cause__, b.__cause__ = b, a
    assert farthing.find_cap_exceeded(a) is None


def test_unpriced_model(shop: Shop) -> None:
    client = shop.guard(farthing.Cap("5 USD", per="day")).wrap(shop.client())
    with pytest.raises(farthing.Unpriced) as caught:
        client.chat.completions.create(**{**CHEAP, "model": "gpt-4.1-nanoo"})
    assert caught.value.code == "unpriced_model"
    assert MODEL in str(caught.value), "a near name is named"
    assert "[[price]]" in str(caught.value), "and the lines to add"
    assert caught.value.cap is None and caught.value.limit is None


def _image(client: openai.OpenAI) -> Any:
    return client.images.generate(model="own-9", prompt="a mill")


def _speech(client: openai.OpenAI) -> Any:
    return client.audio.speech.create(model="own-9", input="a mill", voice="alloy")


@pytest.mark.parametrize(
    ("ask", "rates"),
    [(_image, 'images = "0.04 USD each"'), (_speech, 'characters = "15 USD per million"')],
)
def test_the_lines_to_add_are_of_what_the_model_makes(
    shop: Shop, ask: Ask, rates: str, tmp_path: Path
) -> None:
    client = shop.guard(farthing.Cap("5 USD", per="day")).wrap(shop.client())
    with pytest.raises(farthing.Unpriced) as caught:
        ask(client)
    said = str(caught.value)
    lines = said[said.index("[[price]]") :]
    quantity = rates.split(" = ")[0]
    assert f'rates = {{ {quantity} = "... USD' in lines
    policy = tmp_path / "p.toml"
    policy.write_text(lines.replace(lines.splitlines()[-1], f"rates = {{ {rates} }}"))
    farthing.Guard(str(policy), store="memory:").close()  # and they can be pasted


def test_halted(shop: Shop) -> None:
    guard = shop.guard(farthing.Cap("5 USD", per="day"))
    client = guard.wrap(shop.client())
    guard.halt("incident 12")
    with pytest.raises(farthing.Halted, match="incident 12") as caught:
        client.chat.completions.create(**CHEAP)
    assert caught.value.code == "halted"
    guard.resume()
    client.chat.completions.create(**CHEAP)


def test_the_sdks_own_402_stays_its_own(shop: Shop) -> None:
    shop.provider.script({"status": 402, "error": {"message": "pay your bill"}})
    client = shop.guard(farthing.Cap("5 USD", per="day")).wrap(shop.client())
    with pytest.raises(openai.APIStatusError) as caught:
        client.chat.completions.create(**CHEAP)
    assert not isinstance(caught.value, farthing.FarthingError)


def test_policy_error_has_every_problem() -> None:
    with pytest.raises(farthing.PolicyError) as caught:
        farthing.Guard(
            caps=[
                farthing.Cap("5 EUR", per="day"),
                farthing.Cap("5 USD", per="fortnight"),
                farthing.Cap("5 USD"),
            ],
            store="memory:",
            timezone="Europe/Berlni",
        )
    error = caught.value
    assert len(error.problems) == 4
    for problem in error.problems:
        assert str(problem) in str(error)
    assert "cap[0].limit" in str(error) and "Europe/Berlin" in str(error)
    assert pickle.loads(pickle.dumps(error)).problems == error.problems


@pytest.mark.parametrize("limit", [5.0, 0.1, 5, Decimal(5)])
def test_numbers_without_a_unit_are_refused(limit: Any) -> None:
    with pytest.raises(farthing.PolicyError, match=r"cap\[0\]\.limit"):
        farthing.Guard(caps=[farthing.Cap(limit, per="day")], store="memory:")
