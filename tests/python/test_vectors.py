"""The language-neutral vectors, read from Python through the binding."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

import farthing
from farthing import _farthing

VECTORS = Path(__file__).resolve().parents[1] / "vectors"


def _table(name: str) -> Iterator[list[str]]:
    for line in (VECTORS / name).read_text().splitlines():
        if line and not line.startswith("#"):
            yield [json.loads(cell) if cell.startswith('"') else cell for cell in line.split("\t")]


def test_amounts() -> None:
    rows = [row for row in _table("money/amounts.txt") if row[0] == "usd"]
    assert len(rows) > 100
    for _, text, nano, written in rows:
        assert _farthing.parse_usd(text) == written
        assert Decimal(written).scaleb(9) == int(nano)


def test_refused_amounts() -> None:
    rows = [row for row in _table("money/refused.txt") if row[0] == "usd"]
    assert rows
    for row in rows:
        with pytest.raises(farthing.ArgumentError):
            _farthing.parse_usd(row[1])


def test_rates() -> None:
    rows = list(_table("money/rates.txt"))
    assert rows
    for row in rows:
        written = _farthing.parse_rate(row[0])
        assert _farthing.parse_rate(written) == written
