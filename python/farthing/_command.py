"""The `farthing` command of a wheel: hands over to the program that lies beside this file."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def main() -> None:
    """Replace this process by the command, with the same arguments."""
    program = Path(__file__).parent / "_bin" / "farthing"
    os.execv(program, [str(program), *sys.argv[1:]])
