"""The main program: it names a policy in code, and its folder says which project's store is meant (R37)."""

from __future__ import annotations

import os
import sys
import sysconfig


def main_file() -> str:
    """The absolute path of the main program's file; "" in a notebook, a shell, `python -c`, or a program that was
    installed (pytest, uvicorn, celery): the project is then where it was started."""
    file = getattr(sys.modules.get("__main__"), "__file__", None)
    if not file:
        return ""
    path = os.path.abspath(file)
    return "" if _installed(path) else path


def _installed(path: str) -> bool:
    folders = {
        os.path.realpath(sysconfig.get_path(name)) for name in ("scripts", "stdlib", "purelib")
    }
    real = os.path.realpath(path)
    return (
        any(real.startswith(folder + os.sep) for folder in folders)
        or f"{os.sep}site-packages{os.sep}" in real
        or f"{os.sep}dist-packages{os.sep}" in real
    )


def main_folder() -> str:
    file = main_file()
    return os.path.dirname(file) if file else ""


def default_name() -> str:
    """The name of a policy in code: `code:<main file>`."""
    return "code:" + (main_file() or os.getcwd())
