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
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.bench import python_bench, tokens_bench

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = ROOT / "build/dev/tests/bench"
RESULT = ROOT / "build/bench.json"

Goal = tuple[str, str, float]


def most(bound: float, of: str = "value") -> Goal:
    return of, "<=", bound


def least(bound: float, of: str = "value") -> Goal:
    return of, ">=", bound


# What is aimed at: bounds of the value (in its unit) or of the ratio.
GOALS: dict[str, tuple[Goal, ...]] = {
    "reserve_settle.memory": (most(1.0),),
    "reserve_settle.file": (most(45.0), most(3.0, "ratio")),
    "reserve_settle.file_1e6": (most(1.1, "ratio"),),
    "file.fairness_4p": (most(2.0, "ratio"),),
    "file.p99_4p": (most(5.0),),
    "file.wal_after_1e5": (most(16.0),),
    **{
        f"openai_python.{way}.memory": (most(1.02, "ratio"),) for way in ("sync", "async", "stream")
    },
    **{f"openai_python.{way}.file": (most(1.05, "ratio"),) for way in ("sync", "async", "stream")},
    "request_200kb.added": (most(300.0),),
    "prices.lookup": (most(0.2),),
    "estimate.2kb": (most(15.0),),
    "estimate.2kb_exact": (most(30.0),),
    "estimate.200kb_first": (most(3000.0),),
    "estimate.200kb_resent": (most(150.0),),
    **{
        f"tokens.o200k.{text}": (least(rate), least(4.0, "ratio"))
        for text, rate in (
            ("prose", 100.0),
            ("code", 150.0),
            ("json", 140.0),
            ("cjk", 50.0),
            ("russian", 100.0),
        )
    },
    **{
        f"tokens.cl100k.{text}": (least(4.0, "ratio"),)
        for text in ("prose", "code", "json", "cjk", "russian")
    },
    **{f"tokens.worst.{run}_200kb": (most(50.0),) for run in ("a", "spaces", "base64")},
    "tokens.load": (most(40.0),),
    "tokens.resident": (most(20.0),),
}


def told(row: dict[str, Any], goal: Goal) -> str:
    kind, sense, bound = goal
    held = row[kind] <= bound if sense == "<=" else row[kind] >= bound
    return f"{kind} {sense} {bound:g}: {'met' if held else 'missed'}"


def printed(program: str, *arguments: str) -> list[dict[str, Any]]:
    ran = subprocess.run(
        [PROGRAMS / program, *arguments], check=True, stdout=subprocess.PIPE, text=True
    )
    rows: list[dict[str, Any]] = json.loads(ran.stdout)
    return rows


def estimates() -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory() as folder:
        texts = tokens_bench.texts()
        for name in ("prose", "code"):
            Path(folder, name).write_bytes(texts[name])
        return printed("estimate_bench", f"{folder}/prose", f"{folder}/code")


PARTS: tuple[tuple[str, tuple[str, ...], Callable[[], list[dict[str, Any]]]], ...] = (
    ("prices", ("prices.",), lambda: printed("price_bench")),
    ("estimates", ("estimate.",), estimates),
    (
        "stores (about a minute)",
        ("reserve_settle.", "plan.", "file."),
        lambda: printed("store_bench"),
    ),
    ("tokens (a minute)", ("tokens.",), tokens_bench.rows),
    (
        "the openai client (about three minutes)",
        ("openai_python.", "request_200kb."),
        python_bench.rows,
    ),
)
"""What is measured together: what it is, how its rows begin, and what measures them."""


def main(wanted: list[str]) -> int:
    rows: list[dict[str, Any]] = []
    for what, begins, measure in PARTS:
        if wanted and not any(
            name.startswith(begin) or begin.startswith(name) for name in wanted for begin in begins
        ):
            continue
        print(f"bench: {what}", file=sys.stderr)
        rows += measure()
    rows = [
        row for row in rows if not wanted or any(row["name"].startswith(name) for name in wanted)
    ]
    RESULT.write_text(json.dumps(rows, indent=1) + "\n")
    print(f"{'name':32} {'value':>12} {'baseline':>12} {'ratio':>7}  goal")
    for row in rows:
        goals = [
            goal
            for goal in GOALS.get(row["name"], ())
            if goal[0] != "ratio" or row.get("baseline_is") != "itself"
        ]
        goal = ", ".join(told(row, goal) for goal in goals)
        value, baseline = f"{row['value']:.3f} {row['unit']}", f"{row['baseline']:.3f}"
        print(f"{row['name']:32} {value:>12} {baseline:>12} {row['ratio']:7.3f}  {goal}")
    print(f"written: {RESULT.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
