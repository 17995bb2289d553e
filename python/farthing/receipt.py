"""What one call cost, what one would cost, and what every cap has left."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from farthing._amounts import amount, instant, usd

Amount = Decimal | int


@dataclass(frozen=True)
class CapLeft:
    """A cap as it stood for one call.

    Amounts are `Decimal` USD for a cap on money, `Decimal` seconds for one on seconds, `int` for every other meter.
    """

    cap: str
    """The cap's id; "" for a task's own limit."""
    run: str
    """Task name and run id, for a task's own limit."""
    counter: Mapping[str, str]
    """Label and value, for a cap with `each`."""
    meter: str
    """usd, requests, input_tokens, ..."""
    per: str
    """call, minute, hour, day, week, month or total (concurrency too)."""
    limit: Amount | None
    """None: a task without one, which is counted only."""
    spent: Amount
    reserved: Amount
    """Set aside for calls that are under way."""
    remaining: Amount | None
    """limit - spent - reserved; None where there is no limit."""
    resets_at: datetime | None
    """UTC; None: never."""


@dataclass(frozen=True)
class Receipt:
    """What one delivered response cost, in `Decimal` USD.

    farthing.receipt(reply).cost_usd     # Decimal('0.000412')
    """

    attempt: str
    """The id, as in the ledger and in the response's header `x-farthing-attempt`."""
    call: str
    response_id: str
    model: str
    model_served: str
    cost_usd: Decimal | None
    """None: not known (no price, or not settled yet). Not 0."""
    likely_usd: Decimal | None
    ceiling_usd: Decimal | None
    """The most it could have cost: what was set aside."""
    quantities: Mapping[str, int]
    """What was billed, where there was any: input_tokens, cache_read_tokens, output_tokens, ..."""
    how: str
    """How it was settled: usage, counted, hold, ended, provider_error, released, expired; `open` until then."""
    output_limit_asked: int | None
    output_limit: int | None
    """As it was sent; below `output_limit_asked` (or there at all) where a cap lowered it."""
    left: tuple[CapLeft, ...]


@dataclass(frozen=True)
class Part:
    """One part of an estimate: so many of a quantity, and what they cost in USD (None: nothing by themselves, or not
    known). The parts of a side add up to it."""

    what: str
    quantity: str
    count: int
    cost_usd: Decimal | None
    rate: str | None
    """That it costs: `2.50 USD per million`."""


@dataclass(frozen=True)
class Estimate:
    """What a call would cost in `Decimal` USD, for one call; `left` is after `count` of them at their ceiling.

    guard.estimate("chat.completions", model="gpt-5-mini", messages=[...], count=500).ceiling_usd
    """

    model: str
    provider: str
    endpoint: str
    likely_usd: Decimal | None
    ceiling_usd: Decimal | None
    """None: there is none, and `no_ceiling` says why."""
    no_ceiling: str | None
    """`no price is known`, or what of the call nothing bounds."""
    hold_usd: Decimal | None
    """What a call holds at first: the bound of its bytes, which takes no counting. Where that does not fit under every
    cap the input is counted, and held at `ceiling_usd`."""
    likely: Mapping[str, Amount]
    ceiling: Mapping[str, Amount]
    """Per meter."""
    confidence: str
    """exact, calibrated, heuristic or unbounded."""
    learned_calls: int
    """How many of the newest calls like this one made `likely` what it is; 0: none."""
    output_p90: int | None
    """Nine of ten of their answers were at most this long, in tokens of one choice. None: nothing was learned of it."""
    unbounded_by: tuple[str, ...]
    likely_parts: tuple[Part, ...]
    ceiling_parts: tuple[Part, ...]
    output_limit: int
    """That the ceiling assumes; 0 where the endpoint has none."""
    fits_output_limit: int | None
    """What a call sent now would get: `output_limit`, or less where no more has room and the policy lets limits be
    lowered. Of several at once the largest that all of them can have. None: `no_fit` says why."""
    no_fit: str | None
    """Why they would not all be granted now. Where other calls hold what is missing, one may wait for them and pass."""
    left: tuple[CapLeft, ...]
    """Of every matching cap, after `count` calls at their ceiling: below zero where less output than that fits, or
    nothing does."""
    count: int


def cap_left(core: Mapping[str, Any]) -> CapLeft:
    meter = core["meter"]
    return CapLeft(
        cap=core["cap"],
        run=core["run"],
        counter=core["counter"],
        meter=meter,
        per=core["per"],
        limit=amount(meter, core["limit"]),
        spent=_amount(meter, core["spent"]),
        reserved=_amount(meter, core["reserved"]),
        remaining=amount(meter, core["remaining"]),
        resets_at=instant(core["resets_at_ms"]),
    )


def receipt_of(core: Mapping[str, Any]) -> Receipt:
    return Receipt(
        attempt=core["attempt"],
        call=core["call"],
        response_id=core["response_id"],
        model=core["model"],
        model_served=core["model_served"],
        cost_usd=usd(core["cost"]),
        likely_usd=usd(core["likely"]),
        ceiling_usd=usd(core["ceiling"]),
        quantities=core["quantities"],
        how=core["how"],
        output_limit_asked=core["output_limit_asked"] or None,
        output_limit=core["output_limit"] or None,
        left=tuple(cap_left(cap) for cap in core["left"]),
    )


def estimate_of(core: Mapping[str, Any]) -> Estimate:
    return Estimate(
        model=core["model"],
        provider=core["provider"],
        endpoint=core["endpoint"],
        likely_usd=usd(core["likely"]),
        ceiling_usd=usd(core["ceiling"]),
        no_ceiling=core["no_ceiling"] or None,
        hold_usd=usd(core["hold"]),
        likely=_meters(core["likely_meters"]),
        ceiling=_meters(core["ceiling_meters"]),
        confidence=core["confidence"],
        learned_calls=core["learned_calls"],
        output_p90=core["output_p90"],
        unbounded_by=tuple(core["unbounded_by"]),
        likely_parts=_parts(core["likely_parts"]),
        ceiling_parts=_parts(core["ceiling_parts"]),
        output_limit=core["output_limit"],
        fits_output_limit=core["fits_output_limit"],
        no_fit=core["no_fit"] or None,
        left=tuple(cap_left(cap) for cap in core["left"]),
        count=core["count"],
    )


def _parts(core: list[tuple[str, str, int, str | None, str | None]]) -> tuple[Part, ...]:
    return tuple(
        Part(what, quantity, count, usd(cost), rate) for what, quantity, count, cost, rate in core
    )


def _meters(core: Mapping[str, Any]) -> dict[str, Amount]:
    return {meter: _amount(meter, value) for meter, value in core.items()}


def _amount(meter: str, value: str | int) -> Amount:
    converted = amount(meter, value)
    assert converted is not None
    return converted
