"""What a store knows: how every cap stands, and the ledger."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from farthing._amounts import instant, usd
from farthing.receipt import CapLeft, _amount, _meters, cap_left


@dataclass(frozen=True)
class Counter:
    """One cap with one of its counters, now.

    Amounts are `Decimal` USD for a cap on money, `Decimal` seconds for one on seconds, `int` for every other meter.
    """

    cap: CapLeft
    words: str
    """The cap in words: "5.00 USD per day for each api_key"."""
    baseline: Decimal | int | None
    """The limit that an override replaced."""
    unknown: Decimal | int
    """The part of spent that is for calls of unknown outcome."""
    window_start: datetime | None
    """UTC."""
    counted_since: datetime | None
    """Set where earlier spend could not be proved."""


@dataclass(frozen=True)
class Halt:
    """The kill switch, as somebody pulled it; `at` is in UTC."""

    id: int
    match: Mapping[str, Any]
    who: str
    why: str
    at: datetime | None


@dataclass(frozen=True)
class Status:
    """How a store stands: what `farthing status` shows."""

    store: str
    store_id: str
    now: datetime | None
    """The store's time, in UTC."""
    counters: tuple[Counter, ...]
    halts: tuple[Halt, ...]
    open_holds: int
    """Calls under way, in every process on the store."""
    pending_jobs: int
    """Videos, batches and background responses that are not over."""
    expired_jobs: int
    """Those that nobody polled before their deadline: charged at their hold until somebody does."""
    stale_streams: int
    """Streams open for more than 120 s."""
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Change:
    """An entry of the store's log: somebody changed a limit or a policy, or pulled the kill switch.

    Times are in UTC.
    """

    at: datetime | None
    who: str
    what: str
    """"limit of daily set to 50.00 USD, it was 5.00 USD"."""
    why: str


@dataclass(frozen=True)
class Job:
    """A call whose work goes on after its answer: a video, or a response in the background. Times are in UTC."""

    id: str
    """The provider's: what it is polled by."""
    kind: str
    host: str
    attempt: str
    state: str
    """pending; or expired: its deadline has passed, its hold is charged until a poll says what it cost."""
    model: str
    held_usd: Decimal
    """What is set aside for it, in USD."""
    reserved_at: datetime | None
    deadline: datetime | None
    slot: bool
    """Whether a concurrency slot is taken for it."""
    labels: Mapping[str, str]


@dataclass(frozen=True)
class LedgerRow:
    """One entry: an attempt and how it ended, or a later correction of one.

    Costs are `Decimal` USD, times are in UTC, output limits are tokens of one choice.
    """

    id: str
    kind: str
    """attempt, adjust or book."""
    of: str
    """adjust: the attempt that it corrects."""
    call: str
    action: str
    runs: tuple[tuple[str, str], ...]
    """(run id, task), outermost first."""
    labels: Mapping[str, str]
    provider: str
    host: str
    endpoint: str
    modality: str
    model: str
    model_asked: str
    model_served: str
    key_name: str
    reserved_at: datetime | None
    settled_at: datetime | None
    attempt_number: int
    likely_usd: Decimal | None
    ceiling_usd: Decimal | None
    actual_usd: Decimal | None
    """None: not known. Not 0."""
    reported_difference_usd: Decimal | None
    """Where the provider told what it charged: that less what the price book says."""
    held: Mapping[str, Decimal | int]
    """What was set aside before sending, per meter: units as in `booked`."""
    booked: Mapping[str, Decimal | int]
    """What was booked in the end, per meter: `usd` in `Decimal` USD, seconds as `Decimal`, all others `int`."""
    how: str
    """usage, counted, hold, ended, provider_error, released, expired, voided; `open` while it is under way."""
    quantities: Mapping[str, int]
    """What was billed, where there was any: tokens by kind, images, characters, `audio_ms` and `video_ms` in ms."""
    others: tuple[tuple[str, Mapping[str, int]], ...]
    """What of `quantities` other models than `model_served` used, where several answered: (model, quantities)."""
    output_limit_asked: int | None
    output_limit: int | None
    confidence: str
    tier_asked: str
    tier_served: str
    request_id: str
    response_id: str
    status: int | None
    """HTTP."""
    latency_ms: int
    """From sending to the end of the answer."""
    finish_reason: str
    error_class: str
    headroom: Mapping[str, str]
    """What the provider's headers said is left of its rate limits, as text in its own units: `requests`, `tokens`,
    `reset_requests`, `reset_tokens`, each where it was told: {"requests": "499", "reset_requests": "120ms"}."""
    book_version: str
    rates: Mapping[str, str]
    """The prices that it was settled at, by what is counted: {"output_tokens": "0.80 USD per million"}. Empty where
    none is known."""
    policy_revision: int
    """Which state of the store's caps and limits allowed it: a number that grows with every change of them."""
    approval: str
    """"": no version of Farthing asks for approvals yet."""
    process: str
    who: str
    why: str


def status_of(core: Mapping[str, Any]) -> Status:
    return Status(
        store=core["store"],
        store_id=core["store_id"],
        now=instant(core["now_ms"]),
        counters=tuple(_counter(counter) for counter in core["counters"]),
        halts=tuple(
            Halt(id=number, match=json.loads(match or "{}"), who=who, why=why, at=instant(at_ms))
            for number, match, who, why, at_ms in core["halts"]
        ),
        open_holds=core["open_holds"],
        pending_jobs=core["pending_jobs"],
        expired_jobs=core["expired_jobs"],
        stale_streams=core["stale_streams"],
        notes=tuple(core["notes"]),
    )


def changes_of(core: Sequence[tuple[int, str, str, str]]) -> list[Change]:
    return [Change(instant(at_ms), who, what, why) for at_ms, who, what, why in core]


def job_of(text: str) -> Job:
    core = json.loads(text)
    return Job(
        id=core["job"],
        kind=core["kind"],
        host=core["host"],
        attempt=core["attempt"],
        state=core["state"],
        model=core["model"],
        held_usd=Decimal(core["held"]),
        reserved_at=instant(core["reserved_at_ms"]),
        deadline=instant(core["deadline_ms"]),
        slot=core["slot"],
        labels=core["labels"],
    )


def _counter(core: Mapping[str, Any]) -> Counter:
    cap = cap_left(core["cap"])
    baseline = core["baseline"]
    return Counter(
        cap=cap,
        words=core["words"],
        baseline=None if baseline is None else _amount(cap.meter, baseline),
        unknown=_amount(cap.meter, core["unknown"]),
        window_start=instant(core["window_start_ms"]),
        counted_since=instant(core["counted_since_ms"]),
    )


def rows_of(core: Iterator[dict[str, Any]]) -> Iterator[LedgerRow]:
    for row in core:
        for name in ("likely_usd", "ceiling_usd", "actual_usd", "reported_difference_usd"):
            row[name] = usd(row[name])
        for name in ("output_limit_asked", "output_limit", "status"):
            row[name] = row[name] or None
        for name in ("held", "booked"):
            row[name] = _meters(row[name])
        for name in ("headroom", "rates"):
            row[name] = json.loads(row[name] or "{}", strict=False)  # a provider's text is in it
        for name in ("runs", "others"):
            row[name] = tuple(row[name])
        row["reserved_at"] = instant(row.pop("reserved_ms"))
        row["settled_at"] = instant(row.pop("settled_ms") or None)
        yield LedgerRow(**row)
