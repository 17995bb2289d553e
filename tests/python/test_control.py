"""Looking and changing: status, ledger, halt, limits, alerts; and their coroutines."""

from __future__ import annotations

import inspect
import queue
import warnings
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

import farthing

from .conftest import CHEAP, MODEL, Shop
from .money import billed

DAY = farthing.Cap("5 USD", per="day", id="day")


def test_status(shop: Shop) -> None:
    guard = shop.guard(
        DAY,
        farthing.Cap("2 concurrent", id="two"),
        farthing.Cap("90 audio_seconds", per="day", id="audio"),
    )
    guard.wrap(shop.client()).chat.completions.create(**CHEAP)
    status = guard.status()
    assert (status.store, status.store_id) == ("memory:", guard.store_id)
    assert abs(status.now - datetime.now(timezone.utc)) < timedelta(minutes=1)  # type: ignore[operator]
    by_id = {counter.cap.cap: counter for counter in status.counters}
    day = by_id["day"]
    assert day.words == "5.00 USD per day"
    assert day.cap.spent == billed(shop.provider) and isinstance(day.cap.spent, Decimal)
    assert day.cap.remaining == 5 - day.cap.spent
    assert day.cap.resets_at == _midnight() and day.window_start == _midnight() - timedelta(days=1)
    assert by_id["two"].cap.limit == 2 and isinstance(by_id["two"].cap.limit, int)
    assert by_id["audio"].cap.limit == Decimal("90"), "seconds, not ms"
    assert status.halts == () and status.open_holds == 0


def _midnight() -> datetime:
    now = datetime.now(timezone.utc)
    return now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)


def test_ledger(shop: Shop) -> None:
    """R41: an entry says who, what, how much and how it ended."""
    guard = shop.guard(DAY)
    client = guard.wrap(shop.client())
    shop.provider.script({"rate_limits": True})
    reply = client.chat.completions.create(**CHEAP)
    with guard.scope(user="u1"):
        client.chat.completions.create(**{**CHEAP, "model": "gpt-4.1-mini"})
    newest, oldest = guard.ledger()
    assert (newest.model, oldest.model) == ("gpt-4.1-mini", MODEL)
    assert oldest.response_id == reply.id
    assert oldest.actual_usd == oldest.booked["usd"] and oldest.booked["requests"] == 1
    assert oldest.reserved_at <= oldest.settled_at  # type: ignore[operator]
    assert (oldest.status, oldest.how, oldest.endpoint) == (200, "usage", "chat.completions")
    assert oldest.finish_reason and oldest.request_id and oldest.latency_ms >= 0
    assert oldest.output_limit == 64
    assert oldest.held == {**oldest.held, "usd": oldest.ceiling_usd, "requests": 1}
    assert isinstance(oldest.held["usd"], Decimal)
    assert oldest.rates["output_tokens"] == "0.40 USD per million"
    assert oldest.headroom == {
        "requests": "9999",
        "tokens": "199000",
        "reset_requests": "6ms",
        "reset_tokens": "300ms",
    }
    assert newest.headroom == {}, "where nothing was told"
    assert oldest.approval == ""
    assert "sk-test" not in oldest.key_name
    assert list(guard.ledger(labels={"user": "u1"})) == [newest]
    assert list(guard.ledger(model=MODEL)) == [oldest]
    assert list(guard.ledger(limit=1)) == [newest]
    assert list(guard.ledger(call=oldest.call)) == [oldest]
    assert list(guard.ledger(id=oldest.id)) == [oldest]
    assert list(guard.ledger(since="1h", how="usage")) == [newest, oldest]
    assert list(guard.ledger(until="1h")) == []
    assert list(guard.ledger(since=datetime.now(timezone.utc) + timedelta(hours=1))) == []
    assert oldest.id in guard.why(oldest.id)
    with pytest.raises(farthing.ArgumentError, match="counted"):
        list(guard.ledger(how="maybe"))
    with pytest.raises(farthing.ArgumentError):
        guard.why("nothing")


def test_halt_and_resume(shop: Shop) -> None:
    guard = shop.guard(DAY)
    client = guard.wrap(shop.client(), project="a")
    with pytest.warns(farthing.FarthingWarning, match="no call in this store had project=b yet"):
        other = guard.halt("only b", match={"project": "b"}, who="ada")
    client.chat.completions.create(**CHEAP)
    mine = guard.halt("all of a", match={"project": ["a", "a*"]})
    assert {(halt.id, halt.why) for halt in guard.status().halts} == {
        (other, "only b"),
        (mine, "all of a"),
    }
    with pytest.raises(farthing.Halted):
        client.chat.completions.create(**CHEAP)
    guard.resume(mine)
    client.chat.completions.create(**CHEAP)
    guard.resume()
    assert guard.status().halts == ()


def test_a_halt_of_what_nothing_had_yet_warns_and_is_in_force(shop: Shop) -> None:
    guard = shop.guard(
        DAY, farthing.Cap("9 USD", per="day", each="customer", match={"team": "search"})
    )
    client = guard.wrap(shop.client(), project="shop")
    client.chat.completions.create(**CHEAP)
    for known in (
        {"project": "sh*"},
        {"team": "search"},  # only a cap has it
        {"model": "gpt-5*", "provider": "anthropic"},  # no call, but it has a price
        {"modality": "video"},
        {"endpoint": "messages"},
    ):
        guard.halt("known", match=known)
    guard.resume()
    for match, said in (
        (
            {"projct": "shop"},
            'had a label "projct" yet, and no cap names it; did you mean "project"?',
        ),
        ({"project": "shpo"}, 'had project=shpo yet, and no cap names it; did you mean "shop"?'),
        ({"customer": "c1"}, "had customer=c1 yet"),
        (
            {"model": "gtp-5-mini"},
            'is "gtp-5-mini", so no known call matches it; did you mean "gpt-5-mini"',
        ),
        ({"provider": "opnai"}, 'did you mean "openai"'),
    ):
        with pytest.warns(farthing.FarthingWarning) as caught:
            number = guard.halt("typo", match=match)
        (warning,) = caught
        assert said in str(warning.message) and warning.filename == __file__
        assert number in {halt.id for halt in guard.status().halts}


def test_a_halt_that_no_call_could_match_is_refused(shop: Shop) -> None:
    guard = shop.guard(DAY)
    for match in ({"User!": "u1"}, {"user": ""}, {"user": []}):
        with pytest.raises(farthing.ArgumentError):
            guard.halt("x", match=match)
    assert guard.status().halts == ()


def test_set_limit_from_the_next_call_on(shop: Shop) -> None:
    """R8, promise 8: what was spent stays."""
    guard = shop.guard(farthing.Cap("0.000001 USD", per="day", id="marketing-daily"))
    client = guard.wrap(shop.client())
    with pytest.raises(farthing.CapExceeded):
        client.chat.completions.create(**CHEAP)
    guard.set_limit("marketing-daily", "50 USD", until="friday", why="launch", who="ada")
    client.chat.completions.create(**CHEAP)
    (counter,) = guard.status().counters
    assert (counter.cap.limit, counter.baseline) == (50, Decimal("0.000001"))
    assert counter.cap.spent == billed(shop.provider)
    guard.clear_limit("marketing-daily")
    with pytest.raises(farthing.CapExceeded):
        client.chat.completions.create(**CHEAP)
    guard.set_limit("marketing-daily", "0 USD")
    with pytest.raises(farthing.ArgumentError) as caught:
        guard.set_limit("no-such-cap", "1 USD")
    assert caught.value.code == "unknown_cap"
    with pytest.raises(farthing.ArgumentError):
        guard.set_limit("marketing-daily", 50.0)  # type: ignore[arg-type]


def test_a_cap_is_named_whole(shop: Shop) -> None:
    """What is unambiguous today is not when the next cap comes, and nobody reads what a program did."""
    guard = shop.guard(
        farthing.Cap("5 USD", per="day", id="marketing-daily"),
        farthing.Cap("9 USD", per="month", id="support"),
        farthing.Cap("3 requests", per="hour"),
    )
    for change in (lambda name: guard.set_limit(name, "1 USD"), guard.clear_limit):
        for name, near in (
            ("marketing", ["marketing-daily"]),
            ("suport", ["support"]),
            ("per day", ["marketing-daily"]),
            ("nothing", ["marketing-daily", "support", "3 requests per hour"]),
            ("", ["marketing-daily", "support", "3 requests per hour"]),
        ):
            with pytest.raises(farthing.ArgumentError) as caught:
                change(name)
            assert caught.value.code == "unknown_cap" and "the whole id" in str(caught.value)
            named = [line.split("   ")[0].strip() for line in str(caught.value).splitlines()[1:]]
            assert sorted(name.split(" [")[0] for name in named) == sorted(near)
    guard.set_limit("support", "1 USD")
    guard.set_limit("3 requests per hour", "1 requests")
    limits = {counter.cap.limit for counter in guard.status().counters}
    assert limits == {5, 1}


@pytest.mark.parametrize("until", ["someday", "0.5h", datetime(2030, 1, 1), 5])
def test_moments_that_are_none(shop: Shop, until: Any) -> None:
    guard = shop.guard(DAY)
    with pytest.raises(farthing.ArgumentError, match="2026-08-21"):
        guard.set_limit("day", "50 USD", until=until)


@pytest.mark.parametrize(
    "until",
    [
        "friday",
        "Fri",
        "2h",
        "3d",
        "2099-08-21",
        "2099-08-21T18:00:00Z",
        datetime(2099, 1, 1, tzinfo=timezone.utc),
    ],
)
def test_moments(shop: Shop, until: Any) -> None:
    guard = shop.guard(DAY)
    moment = guard._moment(until)
    assert moment > datetime.now(timezone.utc).timestamp() * 1000
    guard.set_limit("day", "50 USD", until=until)


def test_friday_is_a_midnight_in_the_policys_zone(shop: Shop) -> None:
    from zoneinfo import ZoneInfo

    guard = shop.guard(DAY, timezone="Asia/Kathmandu")
    for at in range(7):
        day = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")[at]
        moment = datetime.fromtimestamp(guard._moment(day) / 1000, ZoneInfo("Asia/Kathmandu"))
        assert (moment.weekday(), moment.hour, moment.minute) == (at, 0, 0)
        assert timedelta(0) < moment - datetime.now(timezone.utc) <= timedelta(days=7)


def test_an_entry_names_the_state_of_the_caps_that_allowed_it(shop: Shop) -> None:
    guard = shop.guard(DAY)
    client = guard.wrap(shop.client())
    for _ in range(2):
        client.chat.completions.create(**CHEAP)
    guard.set_limit("day", "6 USD")
    client.chat.completions.create(**CHEAP)
    third, second, first = (row.policy_revision for row in guard.ledger())
    assert third > second == first


def test_alerts_come_once_for_each_threshold(shop: Shop) -> None:
    told: queue.Queue[farthing.Alert] = queue.Queue()
    guard = shop.guard(
        farthing.Cap("4 requests", per="day", id="four", alert=[50, 100]), on_alert=told.put
    )
    client = guard.wrap(shop.client())
    for _ in range(4):
        client.chat.completions.create(**CHEAP)
    half, full = told.get(timeout=10), told.get(timeout=10)
    assert (half.cap, half.threshold, half.limit, half.meter) == ("four", 50, 4, "requests")
    assert full.threshold == 100 and full.spent == 4
    assert half.match == {}
    guard.close()
    assert told.empty()


def test_an_alert_names_who_spent_most(shop: Shop) -> None:
    """R35."""
    told: queue.Queue[farthing.Alert] = queue.Queue()
    guard = shop.guard(
        farthing.Cap("5 requests", per="day", match={"org": "acme"}, alert=[100]),
        labels={"org": "acme"},
        on_alert=told.put,
    )
    client = guard.wrap(shop.client())
    for user, calls in (("ada", 1), ("bob", 3), ("cy", 1)):
        with guard.scope(user=user):
            for _ in range(calls):
                client.chat.completions.create(**CHEAP)
    alert = told.get(timeout=10)
    assert alert.match == {"org": ["acme"]}
    by_kind: dict[str, list[tuple[str, object]]] = {}
    for spender in alert.top_spenders:
        by_kind.setdefault(spender.kind, []).append((spender.value, spender.spent))
    assert by_kind["user"] == [("bob", 3), ("ada", 1), ("cy", 1)]
    assert by_kind["model"] == [(CHEAP["model"], 5)]
    assert "org" not in by_kind  # what the cap fixes tells nobody apart
    guard.close()


def test_an_alert_says_which_calls_its_cap_is_for(shop: Shop) -> None:
    told: queue.Queue[farthing.Alert] = queue.Queue()
    match: dict[str, str | list[str]] = {"model": "gpt-*", "org": ["b*", "acme"]}
    cap = farthing.Cap("1 requests", per="day", match=match, alert=[100])
    guard = shop.guard(cap, labels={"org": "acme"}, on_alert=told.put)
    guard.wrap(shop.client()).chat.completions.create(**CHEAP)
    assert told.get(timeout=10).match == {"model": ["gpt-*"], "org": ["acme", "b*"]}


def test_a_callback_that_raises_harms_nobody(shop: Shop) -> None:
    called: queue.Queue[farthing.Alert] = queue.Queue()

    def bad(alert: farthing.Alert) -> None:
        called.put(alert)
        raise ValueError("mine")

    guard = shop.guard(farthing.Cap("2 requests", per="day", alert=[50, 100]), on_alert=bad)
    client = guard.wrap(shop.client())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for _ in range(2):
            client.chat.completions.create(**CHEAP)
        for _ in range(2):
            called.get(timeout=10)
        guard.close()


async def test_the_same_verbs_as_coroutines(file_shop: Shop) -> None:
    async with await farthing.Guard.aopen(
        caps=[DAY], store=file_shop.store, hosts={file_shop.host: {"provider": "openai"}}
    ) as guard:
        async with guard.wrap(file_shop.aclient()) as client:
            await client.chat.completions.create(**CHEAP)
        assert (await guard.aio.status()).counters[0].cap.spent == billed(file_shop.provider)
        rows = await guard.aio.ledger(limit=5)
        assert len(rows) == 1 and rows[0].id in await guard.aio.why(rows[0].id)
        number = await guard.aio.halt("stop")
        await guard.aio.resume(number)
        await guard.aio.set_limit("day", "6 USD", until="2h")
        await guard.aio.clear_limit("day")
        assert (
            await guard.aio.estimate("chat.completions", host=file_shop.host, **CHEAP)
        ).ceiling_usd
        assert await guard.aio.denials() == []
        cleared, *_ = await guard.aio.changes(limit=1)
        assert cleared.what == "limit of day cleared" and cleared.who and cleared.at is not None
        await guard.aio.flush()
    assert guard.closed


def test_every_coroutine_mirrors_a_method() -> None:
    from farthing.aio import Aio

    for name, function in vars(Aio).items():
        if not name.startswith("_"):
            assert inspect.iscoroutinefunction(function)
            assert callable(getattr(farthing.Guard, name))


def test_a_closed_guard_refuses(shop: Shop) -> None:
    guard = shop.guard(DAY)
    client = guard.wrap(shop.client())
    guard.close()
    guard.close()
    with pytest.raises(farthing.Denied):
        client.chat.completions.create(**CHEAP)
    assert shop.requests() == 0
    assert "closed" in repr(guard)
    for again in (guard.install, guard.__enter__, lambda: guard.wrap(shop.client())):
        with pytest.raises(farthing.StoreError, match="is closed; open another one"):
            again()
