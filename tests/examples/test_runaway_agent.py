"""The demo, as `make demo` runs it: what it shows, and that the money adds up."""

from __future__ import annotations

import re
import resource
import subprocess
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[2]


class Run(NamedTuple):
    shown: str
    processor_seconds: float
    """Of the demo and all its processes, which it has waited for."""


@pytest.fixture(scope="module")
def run() -> Run:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([ROOT / "scripts/demo"], capture_output=True, text=True, timeout=120)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.returncode == 0, done.stdout + done.stderr
    used = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return Run(done.stdout, used)


@pytest.fixture
def shown(run: Run) -> str:
    return run.shown


def test_it_is_over_within_20_seconds(run: Run) -> None:
    """Of work: how long that takes beside other tests is no fact of the demo."""
    assert 1 < run.processor_seconds < 20


def test_it_can_be_read_where_it_is_piped(shown: str) -> None:
    assert "\x1b" not in shown


def test_thresholds_then_the_refusal_then_a_clean_stop(shown: str) -> None:
    places = [shown.index(text) for text in (" 50 %", " 80 %", " 100 %", "CapExceeded:", "stopped")]
    assert places == sorted(places)
    assert 'cap "fix-the-build" (0.10 USD per day' in shown


def test_the_bill_equals_the_ledger_and_keeps_the_caps(shown: str) -> None:
    bills = [Decimal(text) for text in re.findall(r"provider would bill +([0-9.]+) USD", shown)]
    ledgers = [Decimal(text) for text in re.findall(r"ledger says +([0-9.]+) USD", shown)]
    assert bills == ledgers and len(bills) == 2
    used = re.findall(r"([0-9.]+) of ([0-9.]+) USD, ([0-9.]+) % of the cap used", shown)
    assert len(used) == 2
    for spent, limit, percent in used:
        assert Decimal(spent) <= Decimal(limit)
        assert Decimal(percent) > 75
    assert Decimal(used[1][2]) > 90  # of the swarm's
