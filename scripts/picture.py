"""Runs a program on a pseudo terminal and draws what it printed: picture.py OUT.svg PROGRAM [ARGUMENT...]"""

from __future__ import annotations

import io
import os
import pty
import sys
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

COLUMNS = 122
SHOWN_AT_THE_TOP = 9  # lines; then the middle is left out
SHOWN_FROM = " 50 %"  # up to the line that has this


def output_of(arguments: list[str]) -> list[str]:
    """Of a program that believes to be on a terminal."""
    said = bytearray()

    def keep(descriptor: int) -> bytes:
        part = os.read(descriptor, 4096)
        said.extend(part)
        return part

    with open(os.devnull, "w") as nowhere:
        stdout = os.dup(1)
        os.dup2(nowhere.fileno(), 1)
        status = pty.spawn(arguments, keep)
        os.dup2(stdout, 1)
    if status != 0:
        sys.exit(f"{arguments[0]} failed:\n{said.decode(errors='replace')}")
    return said.decode().replace("\r\n", "\n").strip("\n").split("\n")


def main() -> None:
    out, *arguments = sys.argv[1:]
    lines = output_of(arguments)
    middle = next(place for place, line in enumerate(lines) if SHOWN_FROM in line)
    shown = [*lines[:SHOWN_AT_THE_TOP], " ...", *lines[middle - 1 : middle + 3], " ..."]
    again = next(place for place, line in enumerate(lines) if " 80 %" in line)
    shown += lines[again - 1 :]
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
    console.print(Text.from_ansi("\n".join(shown)))
    svg = console.export_svg(title="make demo", theme=MONOKAI, unique_id="demo")
    # The same bytes on every machine, and nothing fetched by who looks at it.
    head, _, rest = svg.partition("@font-face")
    while rest:
        _, _, after = rest.partition("}")
        more, found, rest = after.partition("@font-face")
        head += more
        if not found:
            break
    Path(out).write_text(head)


if __name__ == "__main__":
    main()
