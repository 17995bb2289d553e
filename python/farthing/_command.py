"""The `farthing` command of a wheel: the module holds it, beside the core that it shows."""

from __future__ import annotations

import os
import signal
import sys

from farthing._farthing import run_command


def main() -> None:
    """Do what the arguments say, and exit with the command's code."""
    # As in a program of its own: Ctrl-C and a closed pipe end it, whatever it is doing.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    sys.exit(run_command([b"farthing", *map(os.fsencode, sys.argv[1:])]))
