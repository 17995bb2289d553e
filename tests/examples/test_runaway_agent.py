"""The demo, as `make demo` runs it: what it shows, and that the money adds up."""

from __future__ import annotations

import re
import subprocess
from decimal import Decimal
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def shown() -> str:
    done = subprocess.run([ROOT / "scripts/demo"], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_it_says_how_long_it_took(shown: str) -> None:
    """Not how long it may take: that is a fact of the machine and of what else runs on it."""
    assert re.search(r"^The demo took [0-9]+\.[0-9] s\.$", shown, re.MULTILINE)


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
