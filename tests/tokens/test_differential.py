"""The encodings against the reference, in the environment that has it (scripts/setup tokens)."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PYTHON = ROOT / ".venv-tokens" / "bin" / "python"
DRIVER = ROOT / "build" / "dev" / "tests" / "core" / "tokens" / "token_driver"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not PYTHON.exists(), reason="scripts/setup tokens was not run"),
]


def test_texts_and_strings_agree() -> None:
    """Two minutes of one processor; less of it while working on something by FARTHING_TOKENS_..."""
    megabytes = os.environ.get("FARTHING_TOKENS_MEGABYTES", "50")
    strings = os.environ.get("FARTHING_TOKENS_STRINGS", "1000000")
    command = [PYTHON, ROOT / "tests/tokens/differential.py", DRIVER]
    command += ["--megabytes", megabytes, "--strings", strings]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert ran.stdout.endswith("\n0 mismatches\n")


def test_vectors_are_those_of_the_reference(tmp_path: Path) -> None:
    script = ROOT / "tests" / "core" / "tokens" / "make_vectors.py"
    subprocess.run([PYTHON, script, tmp_path], check=True)
    for written in tmp_path.iterdir():
        committed = ROOT / "tests" / "vectors" / "tokens" / written.name
        assert written.read_text() == committed.read_text(), f"run {script.relative_to(ROOT)}"
