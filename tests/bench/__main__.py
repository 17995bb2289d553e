"""`make bench`: every benchmark, a table, and build/bench.json.

    python -m tests.bench [NAME...]     only rows whose names begin so

A row is {"name", "unit", "value", "baseline", "ratio"}: medians, the baseline measured in turn with the value in the
same run, ratio = value / baseline. What the baseline is stands in "baseline_is". Machines differ and are shared: so
compare ratios.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.bench import python_bench, tokens_bench

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = ROOT / "build/dev/tests/bench"
RESULT = ROOT / "build/bench.json"

# What is aimed at: a bound of the value (in its unit) or of the ratio.
GOALS: dict[str, tuple[str, float]] = {
    "reserve_settle.memory": ("value", 1.0),
    "reserve_settle.file": ("ratio", 3.0),
    "reserve_settle.file_1e6": ("ratio", 1.1),
    "file.fairness_4p": ("ratio", 2.0),
    "file.p99_4p": ("value", 5.0),
    "file.wal_after_1e5": ("value", 16.0),
    **{f"openai_python.{way}.memory": ("ratio", 1.02) for way in ("sync", "async", "stream")},
    **{f"openai_python.{way}.file": ("ratio", 1.05) for way in ("sync", "async", "stream")},
    "request_200kb.added": ("value", 300.0),
    "prices.lookup": ("value", 0.2),
    "estimate.2kb": ("value", 15.0),
    "estimate.2kb_exact": ("value", 30.0),
    "estimate.200kb_first": ("value", 3000.0),
    "estimate.200kb_resent": ("value", 150.0),
    "tokens.o200k.load": ("value", 40.0),
    "tokens.o200k.run_200kb": ("value", 50.0),
    "tokens.o200k.prose": ("value", 10.0),
    "tokens.o200k.code": ("value", 6.7),
    "tokens.o200k.json": ("value", 7.2),
    "tokens.o200k.chinese": ("value", 20.0),
    "tokens.o200k.russian": ("value", 10.0),
}


def printed(program: str, *arguments: str) -> list[dict[str, Any]]:
    ran = subprocess.run(
        [PROGRAMS / program, *arguments], check=True, capture_output=True, text=True
    )
    rows: list[dict[str, Any]] = json.loads(ran.stdout)
    return rows


def main(wanted: list[str]) -> int:
    rows: list[dict[str, Any]] = []
    rows += printed("price_bench")
    with tempfile.TemporaryDirectory() as folder:
        texts = tokens_bench.texts()
        for name in ("prose", "code"):
            Path(folder, name).write_bytes(texts[name])
        rows += printed("estimate_bench", f"{folder}/prose", f"{folder}/code")
    print("bench: stores (about a minute)", file=sys.stderr)
    rows += printed("store_bench")
    print("bench: tokens (half a minute)", file=sys.stderr)
    rows += tokens_bench.rows()
    print("bench: the openai client (about three minutes)", file=sys.stderr)
    rows += python_bench.rows()
    rows = [
        row for row in rows if not wanted or any(row["name"].startswith(name) for name in wanted)
    ]
    RESULT.write_text(json.dumps(rows, indent=1) + "\n")
    print(f"{'name':32} {'value':>12} {'baseline':>12} {'ratio':>7}  goal")
    for row in rows:
        kind, bound = GOALS.get(row["name"], ("", 0.0))
        held = "" if not kind else "met" if row[kind] <= bound else "missed"
        goal = f"{kind} <= {bound:g}: {held}" if kind else ""
        value, baseline = f"{row['value']:.3f} {row['unit']}", f"{row['baseline']:.3f}"
        print(f"{row['name']:32} {value:>12} {baseline:>12} {row['ratio']:7.3f}  {goal}")
    print(f"written: {RESULT.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
