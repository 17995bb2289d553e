"""The example of a video under a cap, as a person runs it: what it prints."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

SHOWN = """\
asked for 8 s: spent 0.00, reserved 0.80, left 0.20 USD
  pending: video at 127.0.0.1, holds 0.80 USD
refused: cap 'videos' has 0.20 USD left, 4 s cost 0.40
completed: spent 0.80, reserved 0.00, left 0.20 USD
receipt: 0.80 USD for sora-2
"""


def test_it_prints_what_it_says() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "examples.video_under_a_cap"],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout == SHOWN
