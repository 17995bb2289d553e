"""Texts that a machine has, to compare and measure counting on: the same ones in the same order each time.

    in_turn(50_000_000, manuals(), library(), recorded(), tracked())

Each source gives texts until it has no more; a machine without translated manuals has less of them.
"""

from __future__ import annotations

import gzip
import heapq
import json
import struct
import subprocess
import sysconfig
from collections.abc import Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LARGEST = 1 << 20  # of one text
EVERYTHING = 1 << 62


def in_turn(size: int, *sources: Iterable[bytes]) -> Iterator[bytes]:
    """Texts of this size in all, each from the source that gave the least so far."""
    heap = [(0, at, iter(source)) for at, source in enumerate(sources)]
    while heap and size > 0:
        given, at, source = heapq.heappop(heap)
        text = next(source, None)
        if text is None:
            continue
        yield text
        size -= len(text)
        heapq.heappush(heap, (given + len(text), at, source))


def pieces(content: bytes) -> Iterator[bytes]:
    for at in range(0, len(content), LARGEST):
        yield content[at : at + LARGEST]


def manuals(*languages: str) -> Iterator[bytes]:
    """Manual pages as they lie there: in these languages, or in all but English, some of each in turn."""
    top = Path("/usr/share/man")
    folders = [top / name for name in languages] or sorted(
        path for path in top.glob("*") if not path.name.startswith("man")
    )

    def of(folder: Path) -> Iterator[bytes]:
        for path in sorted(folder.glob("man*/*.gz")):
            if not path.is_symlink():
                yield from pieces(gzip.decompress(path.read_bytes()))

    yield from in_turn(EVERYTHING, *map(of, folders))


def english_manuals() -> Iterator[bytes]:
    for path in sorted(Path("/usr/share/man").glob("man*/*.gz")):
        if not path.is_symlink():
            yield from pieces(gzip.decompress(path.read_bytes()))


def messages(language: str) -> Iterator[bytes]:
    """What programs say in this language, some of each in turn: the texts of their .mo files."""

    def of(path: Path) -> Iterator[bytes]:
        content = path.read_bytes()
        magic, _, count, _, table = struct.unpack_from("<5I", content)
        if magic != 0x950412DE:
            return
        for i in range(1, count):  # the first says who translated it
            size, at = struct.unpack_from("<2I", content, table + 8 * i)
            yield content[at : at + size].replace(b"\0", b"\n")

    files = sorted(Path("/usr/share/locale", language, "LC_MESSAGES").glob("*.mo"))
    yield from in_turn(EVERYTHING, *map(of, files))


def library() -> Iterator[bytes]:
    """The sources of Python's standard library."""
    for path in sorted(Path(sysconfig.get_path("stdlib")).rglob("*.py")):
        if "site-packages" not in path.parts and "dist-packages" not in path.parts:
            yield from pieces(path.read_bytes())


def recorded(*fields: str) -> Iterator[bytes]:
    """Bodies of recorded calls: requests and answers."""
    for path in sorted((ROOT / "tests/recorded").glob("*.gz")):
        for line in gzip.decompress(path.read_bytes()).splitlines():
            row = json.loads(line)
            for field in fields or ("request", "response"):
                if isinstance(row[field], str):
                    yield row[field].encode()


def tracked(*patterns: str) -> Iterator[bytes]:
    """Texts that git keeps here."""
    command = ["git", "-C", str(ROOT), "ls-files", "-z", "--", *patterns]
    listed = subprocess.run(command, check=True, capture_output=True).stdout
    for name in listed.decode().split("\0"):
        path = ROOT / name
        if name and path.is_file() and b"\0" not in (content := path.read_bytes()):
            yield from pieces(content)
