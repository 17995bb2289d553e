"""What a call would cost and whether its caps have room, asked before anybody sends it (R20, R31)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

import farthing

from .conftest import CHEAP, MODEL, Shop

DAY = farthing.Cap("5 USD", per="day", id="day")
OPEN = {"model": "gpt-5-mini", "messages": [{"role": "user", "content": "hello there"}]}


def test_estimate(shop: Shop) -> None:
    guard = shop.guard(DAY)
    one = guard.estimate("chat.completions", host=shop.host, **CHEAP)
    assert (one.model, one.provider, one.endpoint) == (MODEL, "openai", "chat.completions")
    assert one.likely_usd is not None and one.ceiling_usd is not None
    assert 0 < one.likely_usd <= one.ceiling_usd
    assert one.confidence == "exact" and one.unbounded_by == ()
    assert one.output_limit == 64
    assert one.no_ceiling is None
    assert sum((part.cost_usd or 0 for part in one.ceiling_parts), Decimal(0)) == one.ceiling_usd
    assert sum((part.cost_usd or 0 for part in one.likely_parts), Decimal(0)) == one.likely_usd
    assert one.ceiling_parts[-1].rate is not None
    image = guard.estimate("images.generations", model="chatgpt-image-latest", prompt="a mill")
    assert image.ceiling_usd is None and image.likely_usd is None and image.hold_usd is None
    assert image.no_ceiling == "nothing bounds it: the tokens of images of this model"
    assert one.ceiling["output_tokens"] == 64
    many = guard.estimate("chat.completions", host=shop.host, count=500, **CHEAP)
    (left,) = many.left
    assert left.remaining == 5 - 500 * one.ceiling_usd
    assert shop.requests() == 0 and guard.status().open_holds == 0
    with pytest.raises(farthing.ArgumentError):
        guard.estimate("chat.completoins", **CHEAP)


def test_an_estimate_learns_from_the_calls_of_its_store(file_shop: Shop) -> None:
    guard = file_shop.guard(DAY)
    before = guard.estimate("chat.completions", host=file_shop.host, **CHEAP)
    assert (before.learned_calls, before.output_p90) == (0, None)
    assert [part.what for part in before.likely_parts][-1] == "output: usual length"
    client = file_shop.client()
    guard.wrap(client)
    lengths = []
    for _ in range(3):
        receipt = farthing.receipt(client.chat.completions.create(**CHEAP))
        assert receipt is not None
        lengths.append(receipt.quantities["output_tokens"])
    after = guard.estimate("chat.completions", host=file_shop.host, **CHEAP)
    assert after.learned_calls == 3
    assert after.likely["output_tokens"] == sorted(lengths)[1]
    assert after.output_p90 == max(lengths)
    assert [part.what for part in after.likely_parts][-1] == "output: learned from 3 calls"
    assert (after.ceiling_usd, after.ceiling) == (before.ceiling_usd, before.ceiling)


@pytest.mark.parametrize("ask", [CHEAP, OPEN], ids=["with a limit", "without"])
@pytest.mark.parametrize("per", ["call", "day"])
@pytest.mark.parametrize(
    "limit",
    ["0.000001", "0.00002", "0.00004", "0.003", "0.0042", "0.0075", "0.03", "0.066", "0.2", "3"],
)
def test_it_knows_the_output_limit_that_the_call_gets(
    shop: Shop, limit: str, per: str, ask: dict[str, Any]
) -> None:
    """R20: a limit is lowered where only less has room; what does not get even the least is refused."""
    guard = shop.guard(farthing.Cap(f"{limit} USD", per=per))
    client = guard.wrap(shop.client())
    for _ in range(2):  # with nothing spent, and with something
        fits = guard.estimate("chat.completions", host=shop.host, **ask).fits_output_limit
        if fits is None:
            with pytest.raises(farthing.CapExceeded):
                client.chat.completions.create(**ask)
        else:
            receipt = farthing.receipt(client.chat.completions.create(**ask))
            assert receipt is not None and receipt.output_limit == fits


def test_many_at_once_share_what_is_left(shop: Shop) -> None:
    guard = shop.guard(farthing.Cap("10 requests", per="day"), DAY)
    for count, fits in [(1, 64), (10, 64), (11, None)]:
        many = guard.estimate("chat.completions", host=shop.host, count=count, **CHEAP)
        assert many.fits_output_limit == fits


def test_a_task_has_a_limit_too(shop: Shop) -> None:
    guard = shop.guard(DAY)
    client = guard.wrap(shop.client())
    one = guard.estimate("chat.completions", host=shop.host, **CHEAP)
    with guard.task("short", limit=f"{one.ceiling_usd} USD") as task:
        within = guard.estimate("chat.completions", host=shop.host, **CHEAP)
        assert within.fits_output_limit == 64
        assert [left.run for left in within.left] == ["", "short"]
        client.chat.completions.create(**CHEAP)
        spent = guard.estimate("chat.completions", host=shop.host, **CHEAP)
        assert spent.left[1].spent == task.spent > 0
        lowered = spent.fits_output_limit
        assert lowered is None or lowered < 64


def test_what_has_no_price_does_not_fit_under_a_cap_on_money(shop: Shop) -> None:
    unknown = {**CHEAP, "model": "gpt-5-mni"}
    estimate = shop.guard(DAY).estimate("chat.completions", **unknown)
    assert estimate.fits_output_limit is None and estimate.ceiling_usd is None
    assert estimate.no_ceiling is not None
    assert estimate.no_ceiling.startswith("no price is known; near names: gpt-5-mini")
    counted = shop.guard(farthing.Cap("10 requests", per="day"), store="memory:")
    assert counted.estimate("chat.completions", **unknown).fits_output_limit == 64


@pytest.mark.parametrize(
    ("model", "maker"),
    [
        ("gpt-5-mini", "openai"),
        ("grok-4", "xai"),
        ("deepseek-chat", "deepseek"),
        ("no-such", "openai"),
    ],
)
def test_a_form_that_many_speak_goes_to_the_models_maker(
    shop: Shop, model: str, maker: str
) -> None:
    estimate = shop.guard(DAY).estimate("chat.completions", **{**CHEAP, "model": model})
    assert estimate.provider == maker
    assert (estimate.ceiling_usd is None) == (model == "no-such")
