"""The price book against the public tables, in the environment that has them (scripts/setup prices)."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PYTHON = ROOT / ".venv-prices" / "bin" / "python"


@pytest.mark.slow
def test_no_difference_is_unexplained() -> None:
    if not PYTHON.exists():
        pytest.skip("scripts/setup prices was not run")
    ran = subprocess.run(
        [PYTHON, ROOT / "prices" / "check.py"], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert " 0 not" in ran.stdout


@pytest.mark.slow
def test_vectors_are_those_of_the_book(tmp_path: Path) -> None:
    """prices/*.toml changed and tests/vectors/prices not: make_vectors.py has to be run."""
    if not PYTHON.exists():
        pytest.skip("scripts/setup prices was not run")
    script = ROOT / "tests" / "core" / "prices" / "make_vectors.py"
    subprocess.run([PYTHON, script, tmp_path], check=True)
    for written in tmp_path.iterdir():
        committed = ROOT / "tests" / "vectors" / "prices" / written.name
        assert written.read_text() == committed.read_text(), f"run {script.relative_to(ROOT)}"


@pytest.mark.slow
def test_a_second_reader_finds_the_same_imported_prices() -> None:
    if not PYTHON.exists():
        pytest.skip("scripts/setup prices was not run")
    script = ROOT / "tests" / "prices" / "cross_check.py"
    ran = subprocess.run([PYTHON, script], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert int(ran.stdout.split()[-3]) > 5_000
