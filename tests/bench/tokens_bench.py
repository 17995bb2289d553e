"""How fast texts are counted, with tiktoken's Python package beside it where `scripts/setup tokens` was run.

    .venv/bin/python -m tests.bench.tokens_bench [--bench PROGRAM] [--reference PYTHON] [--only russian]

`rows()` gives rows as in __main__.py. Ours and the reference are measured in turn, on the same 1 MB of each:

- prose: this repository's documentation, Python's reference manual (pydoc_data) and the text of manual pages
- code: this repository's C++ and Python, a file of each in turn
- json: recorded requests and answers without images and embeddings
- cjk: a third each Chinese, Japanese and Korean
- russian: as cjk lines of translated manual pages and messages of programs, none twice, of which more than half the
  bytes are not ASCII. A machine without 1 MB of them has no such row.

Speeds are of `count` against `encode_ordinary`, in time of the processor; without the reference a row is its own
baseline. Loading, memory and the worst are those of the encoding that takes more.
"""

from __future__ import annotations

import argparse
import json
import os
import pydoc_data.topics
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from tests.tokens import texts as sources

ROOT = Path(__file__).resolve().parents[2]
BENCH = ROOT / "build/dev/tests/bench/tokens_bench"
REFERENCE = ROOT / ".venv-tokens/bin/python"
ROUNDS = 5
SIZE = 1_000_000  # bytes of a text
ENCODINGS = {"o200k": "o200k_base", "cl100k": "cl100k_base"}


def prose() -> Iterator[bytes]:
    yield from sources.tracked("*.md")
    topics: dict[str, str] = pydoc_data.topics.topics
    yield from (text.encode() for text in topics.values())
    for page in sources.english_manuals():
        yield b"\n".join(line for line in page.splitlines() if line[:1].isalpha())


def written_in(*languages: str) -> Iterator[bytes]:
    """Lines, none twice, of which more than half the bytes are not ASCII."""
    seen = set()
    found = [source(each) for source in (sources.manuals, sources.messages) for each in languages]
    for text in sources.in_turn(sources.EVERYTHING, *found):
        for line in text.splitlines():
            if sum(byte >= 0x80 for byte in line) > len(line) / 2 and line not in seen:
                seen.add(line)
                yield line


def bodies() -> Iterator[bytes]:
    unlike = (b"base64", b'"embedding"')  # numbers and images are not what is sent most
    for text in sources.recorded():
        if (
            text.startswith(b"{")
            and len(text) < 50_000
            and not any(mark in text for mark in unlike)
        ):
            yield text


def texts(only: Iterable[str] = ()) -> dict[str, bytes]:
    made: dict[str, Iterable[bytes]] = {
        "prose": sources.in_turn(SIZE, prose()),
        "code": sources.in_turn(SIZE, sources.tracked("*.cpp", "*.h"), sources.tracked("*.py")),
        "json": sources.in_turn(SIZE, bodies()),
        "cjk": sources.in_turn(
            SIZE, written_in("zh_CN", "zh_TW"), written_in("ja"), written_in("ko")
        ),
        "russian": sources.in_turn(SIZE, written_in("ru")),
    }
    found = {
        name: b"\n".join(parts)[:SIZE].decode("utf-8", "ignore").encode()
        for name, parts in made.items()
        if not only or name in only
    }
    return {name: text for name, text in found.items() if len(text) > 0.99 * SIZE}


def reference_rates(files: list[str]) -> dict[str, float]:
    """MB/s by name; runs where tiktoken is."""
    import tiktoken

    rates = {}
    for short, name in ENCODINGS.items():
        encoding: Any = tiktoken.get_encoding(name)
        encoding.encode_ordinary("load")
        for file in files:
            text = Path(file).read_bytes().decode()
            start = time.process_time()
            encoding.encode_ordinary(text)
            seconds = time.process_time() - start
            rates[f"tokens.{short}.{Path(file).stem}"] = Path(file).stat().st_size / 1e6 / seconds
    return rates


def measured(bench: Path, files: list[str]) -> dict[str, tuple[str, float]]:
    """Unit and value by name, of one run of each encoding."""
    found: dict[str, tuple[str, float]] = {}
    for short, name in ENCODINGS.items():
        ran = subprocess.run([bench, name, *files], check=True, capture_output=True, text=True)
        for row in json.loads(ran.stdout):
            unit, value = row["unit"], row["value"]
            if unit == "MB/s":
                found[f"tokens.{short}.{row['name']}"] = (unit, value)
            else:
                whole = f"tokens.{row['name']}"
                found[whole] = (unit, max(value, found[whole][1] if whole in found else 0.0))
    return found


def rows(
    bench: Path = BENCH, reference: Path = REFERENCE, only: Iterable[str] = ()
) -> list[dict[str, Any]]:
    ours: dict[str, list[float]] = {}
    units: dict[str, str] = {}
    theirs: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        files = []
        for name, text in texts(only).items():
            files.append(str(Path(folder, f"{name}.txt")))
            Path(files[-1]).write_bytes(text)
        environment = {**os.environ, "TIKTOKEN_CACHE_DIR": folder, "PYTHONPATH": str(ROOT)}
        if reference.exists():
            prepare = (
                "import sys; from pathlib import Path; from tests.tokens import differential as d;"
            )
            prepare += "d.tiktoken_files(Path(sys.argv[1]))"
            subprocess.run([reference, "-c", prepare, folder], check=True, env=environment)
        for _ in range(ROUNDS):
            for name, (unit, value) in measured(bench, files).items():
                ours.setdefault(name, []).append(value)
                units[name] = unit
            if not reference.exists():
                continue
            command = [str(reference), "-m", "tests.bench.tokens_bench", "--rates", *files]
            printed = subprocess.run(
                command, check=True, capture_output=True, text=True, env=environment, cwd=ROOT
            ).stdout
            for name, rate in json.loads(printed).items():
                theirs.setdefault(name, []).append(rate)
    found = []
    for name, values in ours.items():
        value = statistics.median(values)
        baseline = statistics.median(theirs[name]) if name in theirs else value
        found.append(
            {
                "name": name,
                "unit": units[name],
                "value": value,
                "baseline": baseline,
                "ratio": value / baseline,
                "baseline_is": "tiktoken, encode_ordinary" if name in theirs else "itself",
            }
        )
    return found


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--bench", type=Path, default=BENCH)
    parser.add_argument("--reference", type=Path, default=REFERENCE)
    parser.add_argument("--only", nargs="+", default=[], help="these texts")
    parser.add_argument("--rates", nargs="+", help="measure the reference on these files")
    asked = parser.parse_args()
    if asked.rates:
        json.dump(reference_rates(asked.rates), sys.stdout)
        return
    for row in rows(asked.bench, asked.reference, asked.only):
        print(json.dumps(row))


if __name__ == "__main__":
    main()
