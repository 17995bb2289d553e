"""How fast texts are counted, with tiktoken's Python package beside it where `scripts/setup tokens` was run.

    .venv/bin/python -m tests.bench.tokens_bench [--bench PROGRAM] [--reference PYTHON]

`rows()` gives rows as in __main__.py. Ours and the reference are measured in turn, on the same texts: this repository's
code and documentation, recorded requests, and the manual pages in Chinese and Russian that the machine has (without
them, those rows are left out). Goals: 10 ms/MB of prose, 6.7 of code, 7.2 of JSON, 20 of Chinese, 10 of Russian, and a
quarter of the reference; 40 ms to load, 50 ms for 200 KB without a break.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
BENCH = ROOT / "build/dev/tests/bench/tokens_bench"
REFERENCE = ROOT / ".venv-tokens/bin/python"
ROUNDS = 5
LARGEST = 1_500_000  # bytes of a text


def joined(parts: Iterable[bytes]) -> bytes:
    found = b""
    for part in parts:
        found += part + b"\n"
        if len(found) > LARGEST:
            break
    return found


def requests() -> Iterable[bytes]:
    for path in sorted((ROOT / "tests/recorded").glob("*.gz")):
        for line in gzip.decompress(path.read_bytes()).splitlines():
            request = json.loads(line)["request"]
            if isinstance(request, str) and len(request) < 20_000 and "base64" not in request:
                yield request.encode()


def manual(language: str, share: float) -> Iterable[bytes]:
    """Lines of manual pages of which more than this share is not ASCII."""
    for path in sorted(Path("/usr/share/man", language).glob("man*/*.gz")):
        for line in gzip.decompress(path.read_bytes()).splitlines():
            if sum(byte >= 0x80 for byte in line) > share * len(line):
                yield line


def texts() -> dict[str, bytes]:
    code = [*sorted(ROOT.glob("core/src/**/*.cpp")), *sorted(ROOT.glob("python/**/*.py"))]
    prose = [*sorted(ROOT.glob("*.md")), *sorted(ROOT.glob("docs/*.md"))]
    found = {
        "prose": joined(path.read_bytes() for path in prose),
        "code": joined(path.read_bytes() for path in code),
        "json": joined(requests()),
        "chinese": joined(manual("zh_CN", 0.5)),
        "russian": joined(manual("ru", 0.5)),
    }
    return {name: text for name, text in found.items() if len(text) > 50_000}


def reference_times(files: list[str]) -> dict[str, float]:
    """ms/MB by name; runs where tiktoken is."""
    import tiktoken

    encoding: Any = tiktoken.get_encoding("o200k_base")
    encoding.encode_ordinary("load")
    times = {}
    for file in files:
        text = Path(file).read_text()
        start = time.perf_counter()
        encoding.encode_ordinary(text)
        seconds = time.perf_counter() - start
        times[f"tokens.o200k.{Path(file).stem}"] = seconds * 1e9 / Path(file).stat().st_size
    return times


def rows(bench: Path = BENCH, reference: Path = REFERENCE) -> list[dict[str, Any]]:
    ours: dict[str, list[float]] = {}
    units: dict[str, str] = {}
    theirs: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        files = []
        for name, text in texts().items():
            files.append(str(Path(folder, f"{name}.txt")))
            Path(files[-1]).write_bytes(text.decode("utf-8", "replace").encode())
        environment = {**os.environ, "TIKTOKEN_CACHE_DIR": folder, "PYTHONPATH": str(ROOT)}
        if reference.exists():
            prepare = (
                "import sys; from pathlib import Path; from tests.tokens import differential as d;"
            )
            prepare += "d.tiktoken_files(Path(sys.argv[1]))"
            subprocess.run([reference, "-c", prepare, folder], check=True, env=environment)
        for _ in range(ROUNDS):
            ran = subprocess.run(
                [bench, "o200k_base", *files], check=True, capture_output=True, text=True
            )
            for row in json.loads(ran.stdout):
                ours.setdefault(row["name"], []).append(row["value"])
                units[row["name"]] = row["unit"]
            if not reference.exists():
                continue
            command = [str(reference), "-m", "tests.bench.tokens_bench", "--times", *files]
            printed = subprocess.run(
                command, check=True, capture_output=True, text=True, env=environment, cwd=ROOT
            ).stdout
            for name, milliseconds in json.loads(printed).items():
                theirs.setdefault(name, []).append(milliseconds)
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
    parser.add_argument("--times", nargs="+", help="measure the reference on these files")
    asked = parser.parse_args()
    if asked.times:
        json.dump(reference_times(asked.times), sys.stdout)
        return
    for row in rows(asked.bench, asked.reference):
        print(json.dumps(row))


if __name__ == "__main__":
    main()
