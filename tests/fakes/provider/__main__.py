"""Starts the fake provider; `--help` names the options."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

if __package__:
    from .main import main
else:  # started as a folder: python tests/fakes/provider
    sys.path[0] = str(Path(__file__).resolve().parent.parent)
    main = importlib.import_module("provider.main").main

if __name__ == "__main__":
    sys.exit(main())
