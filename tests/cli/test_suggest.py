"""`farthing caps suggest`: from ledgers made by hand, as a user runs it."""

from __future__ import annotations

import json
import os
import random
import sqlite3
import subprocess
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import NamedTuple

import farthing

from .conftest import COMMAND, Place

MEMORY_KB = (
    65_536  # 14,000 were measured; as rows in memory 100,000 entries take more than twice this
)

EPOCH_MS = (
    1_704_067_200_000  # an attempt's id begins with its time since then (core/src/ledger/ids.cpp)
)


class Entry(NamedTuple):
    days_ago: int
    usd: str
    labels: dict[str, str]
    run: tuple[str, str] | None = None  # id, task


def fill(place: Place, entries: list[Entry]) -> None:
    """A store whose ledger has these entries, at noon UTC of their days."""
    farthing.Guard(caps=[], store=place.store).close()
    noon = datetime.now(timezone.utc).replace(hour=12, minute=0, second=0, microsecond=0)
    rows = []
    for number, entry in enumerate(sorted(entries, key=lambda entry: -entry.days_ago)):
        at_ms = int((noon - timedelta(days=entry.days_ago)).timestamp() * 1000)
        nano = int(Decimal(entry.usd).scaleb(9))
        runs = json.dumps([entry.run]) if entry.run else None
        booked = json.dumps({"usd": nano, "requests": 1})
        rows.append(
            (
                ((at_ms - EPOCH_MS) << 22) + number,
                at_ms,
                at_ms,
                nano,
                json.dumps(entry.labels),
                runs,
                booked,
            )
        )
    with sqlite3.connect(place.folder / "farthing.db") as database:
        database.executemany(
            "INSERT INTO ledger(id, kind, how, reserved_ms, settled_ms, actual_nano, labels, runs, booked)"
            " VALUES(?, 'attempt', 'usage', ?, ?, ?, ?, ?, ?)",
            rows,
        )
    database.close()


def bot(days: int, usd: str = "1.00") -> list[Entry]:
    return [Entry(day, usd, {"api_key": "bot", "org": "acme"}) for day in range(1, days + 1)]


def test_what_is_suggested_is_a_policy(place: Place) -> None:
    runs = [Entry(0, "0.02", {"task": "triage"}, (f"run{i}", "triage")) for i in range(12)]
    fill(place, [*bot(40), Entry(2, "39", {"api_key": "bot", "org": "acme"}), *runs])
    said = place.run("caps", "suggest")
    assert '[[cap]]  # API key "bot", per day' in said
    assert "# 40 days with spending, median 1.00 USD; busiest normal day 1.00 USD" in said
    assert "# not normal: 1 day, 40.00 USD" in said
    assert 'limit = "1.50 USD"' in said
    assert 'limit = "47.00 USD"' in said  # 28 x 31 / 28 x 1.5
    assert '#   guard.task("triage", limit="0.04 USD")' in said
    (place.folder / "suggested.toml").write_text(said)
    checked = place.run("check", "suggested.toml")
    assert "1.50 USD" in checked and "api_key=bot" in checked and "50, 80 %" in checked
    place.run("policy", "apply", "suggested.toml")
    assert "# instead of 1.50 USD, which is in force" in place.run("cap", "suggest")


def test_as_json(place: Place) -> None:
    fill(place, [*bot(8), Entry(1, "0.5", {"api_key": "new"})])
    report = json.loads(place.run("caps", "suggest", "--json"))
    (cap,) = report["caps"]
    assert (cap["kind"], cap["value"], cap["per"]) == ("api_key", "bot", "day")
    assert (cap["limit"], cap["limit_nano"], cap["code"]) == ("1.50", 1_500_000_000, None)
    assert cap["basis"]["samples"] == 8 and cap["basis"]["outliers"] == []
    lacking = {(lack["kind"], lack["value"]): lack for lack in report["too_little"]}
    assert lacking["api_key", "new"]["have"] == 1 and lacking["api_key", "new"]["need"] == 7
    assert lacking["org", "acme"]["need"] == 28
    assert report["toml"] == place.run("caps", "suggest")
    assert Decimal(report["spent"]) == Decimal("8.5") and report["entries"] == 9


def test_since(place: Place) -> None:
    fill(place, bot(8))
    assert "are needed, there are 5" in place.run("caps", "suggest", "--since", "6d")
    assert "yesterdayish" in place.run("caps", "suggest", "--since", "yesterdayish", code=2)
    fill_old = [Entry(day, "9", {"api_key": "old"}) for day in range(100, 110)]
    with sqlite3.connect(place.folder / "farthing.db") as database:
        database.execute("DELETE FROM ledger")
    database.close()
    fill(place, fill_old)
    assert "no caps to suggest" in place.run("caps", "suggest")  # the last 90 days
    assert 'limit = "14.00 USD"' in place.run("caps", "suggest", "--since", "200d")


def test_days_are_those_of_the_policy(place: Place) -> None:
    fill(place, bot(8))
    (place.folder / "farthing.toml").write_text('timezone = "Asia/Tokyo"\n')
    assert 'timezone = "Asia/Tokyo"' in place.run("caps", "suggest")
    (place.folder / "other.toml").write_text('timezone = "Mars/Olympus"\n')
    assert "Mars/Olympus" in place.run("caps", "suggest", "--policy", "other.toml", code=1)


def test_an_empty_ledger_and_no_ledger(place: Place) -> None:
    assert "there is no store" in place.run("caps", "suggest", code=4)
    fill(place, [])
    assert "no caps to suggest" in place.run("caps", "suggest")


def test_a_ledger_of_100_000_entries_does_not_stand_in_memory(place: Place) -> None:
    chance = random.Random(4)
    entries = [
        Entry(
            1 + number // 1250,  # 80 days
            f"{chance.randrange(1, 2_000_000)}e-9",
            {"api_key": f"key-{number % 20}", "org": "acme", "project": f"p{number % 5}"},
            (f"run{number // 4}", f"task-{number // 4 % 10}"),
        )
        for number in range(100_000)
    ]
    fill(place, entries)
    done = subprocess.run(
        ["/bin/sh", "-c", f'ulimit -d {MEMORY_KB} && exec "$0" caps suggest --json', COMMAND],
        env={**os.environ, "FARTHING_STORE": place.store},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["entries"] == 100_000
    assert len(report["caps"]) == 20 + 1 + 5 + 10
    assert Decimal(report["spent"]) == sum(Decimal(entry.usd) for entry in entries)
