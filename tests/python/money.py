"""What the provider would bill, by the witness, and what the ledger says: to be equal to the nano."""

from __future__ import annotations

import importlib.util
import json
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any

import farthing
from tests.fakes.provider.handle import FakeProvider

_BILL = Path(__file__).resolve().parents[1] / "witness" / "bill.py"


def _witness() -> ModuleType:
    spec = importlib.util.spec_from_file_location("farthing_witness", _BILL)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


WITNESS: Any = _witness()


def billed(provider: FakeProvider, first: int | None = None) -> Decimal:
    """USD, from the provider's own log; of its `first` lines only."""
    log = "\n".join(json.dumps(line) for line in provider.log()[:first])
    lines = WITNESS.bill(log, WITNESS.read_prices())
    assert all(line.nano_usd is not None for line in lines), lines
    return Decimal(WITNESS.total(lines)).scaleb(-9)


def booked(guard: farthing.Guard) -> Decimal:
    """USD, from the ledger."""
    return sum((Decimal(row.booked.get("usd", 0)) for row in guard.ledger()), Decimal(0))


def counted(guard: farthing.Guard, cap: str) -> tuple[Decimal, Decimal]:
    """(spent, reserved) of the only counter of a cap."""
    found = [c.cap for c in guard.status().counters if c.cap.cap == cap]
    assert len(found) == 1, found
    return Decimal(found[0].spent), Decimal(found[0].reserved)
