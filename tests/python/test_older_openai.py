"""The refusals of test_refusal.py on versions of openai that neither .venv nor .venv-openai2 has: the last 1.x and both
sides of 2.31, from which on the SDK hands an exception of a transport on instead of retrying it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

TOP = Path(__file__).resolve().parents[2]
# Of PyPI, 2026-11.
VERSIONS = {
    "1.109.1": "6bcaf57086cf59159b8e27447e4e7dd019db5d29a438072fbd49c290c7e65315",
    "2.30.0": "9a5ae616888eb2748ec5e0c5b955a51592e0b201a11f4262db920f2a78c5231d",
    "2.31.0": "44e1344d87e56a493d649b17e2fac519d1368cbb0745f59f1957c4c26de50a0a",
}
# The one package they want that .venv does not have.
TQDM = "tqdm==4.70.1 --hash=sha256:c293e525e6fef9c20e8728fd4612df02a0aa31bb5fe91ecd93e123b1b7bffa73"


def _installed(version: str) -> Path:
    """A folder with that version alone: what it stands on is that of .venv."""
    folder = TOP / "build" / "openai" / version
    wanted = f"openai=={version} --hash=sha256:{VERSIONS[version]}\n{TQDM}\n"
    done = folder / "installed.txt"
    if not done.exists() or done.read_text() != wanted:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "wanted.txt").write_text(wanted)
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
        options = ["--no-deps", "--require-hashes", "--upgrade", "--target", str(folder)]
        subprocess.run([*pip, *options, "-r", str(folder / "wanted.txt")], check=True, timeout=600)
        (folder / "wanted.txt").rename(done)
    return folder


@pytest.mark.parametrize("version", VERSIONS)
def test_refusals(version: str) -> None:
    folder = _installed(version)
    found = "import openai, sys; sys.exit(openai.__version__ != sys.argv[1])"
    own = {**os.environ, "PYTHONPATH": str(folder)}
    subprocess.run([sys.executable, "-c", found, version], env=own, check=True, timeout=300)
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "tests/python/test_refusal.py"],
        cwd=TOP,
        env=own,
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert run.returncode == 0, run.stdout[-6000:] + run.stderr
