"""`make accuracy`: measures every recorded call, compares costs and writes docs/accuracy.md."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from tests.accuracy import costs, others, table
from tests.accuracy.measure import Measured, measured, rows

PAGE = Path(__file__).resolve().parents[2] / "docs/accuracy.md"

HEAD = """# Accuracy

How near `likely` is to the input tokens that providers billed, and how far above the bill the ceiling is. Measured on
the {calls} of {all} recorded calls in tests/recorded whose answers say what they used. Written by `make accuracy`; the
same numbers are bounds in tests/accuracy. [Costs](#costs) stand at the end.

Errors are median / 90th percentile / share of calls under-estimated, of input tokens, in per cent of what was billed.
"Ceiling" is the median of ceiling / cost: with the request's own output limit, and with one of just the output that
came. "Confidence" is what the estimate says of itself. {litellm}

Recordings are tests of other projects: prompts are short, and few of each kind. Where a row has less than 20 calls,
read it as an example.
"""


def page(calls: list[Measured]) -> str:
    counter = others.litellm_counter()
    counters: list[tuple[str, table.Counter]] = [("Farthing", table.likely)]
    if counter is not None:
        counters.append(counter)
    counters.append(("characters / 4", others.by_characters))
    told = (
        "litellm is not installed."
        if counter is None
        else "litellm's\n`token_counter` and characters / 4 counted the same requests in the same run, without network."
    )
    text = HEAD.format(calls=len(calls), all=sum(1 for _ in rows()), litellm=told)
    violations = table.over_ceiling(calls)
    text += f"\nCalls above their ceiling, of {len(calls)}: **{len(violations)}**.\n"
    sections: list[tuple[str, Callable[[Measured], str]]] = [
        ("provider and kind", lambda call: f"{call.provider}, {call.kind}"),
        ("family", lambda call: f"{call.provider}, {call.family}"),
        ("size of the input", lambda call: f"{call.size} tokens"),
        ("kind", lambda call: call.kind),
    ]
    for title, key in sections:
        text += f"\n## By {title}\n\n" + section(calls, key, counters)
    return text


def section(
    calls: list[Measured],
    key: Callable[[Measured], str],
    counters: list[tuple[str, table.Counter]],
) -> str:
    groups: dict[str, list[Measured]] = {}
    for call in calls:
        groups.setdefault(key(call), []).append(call)
    names = [name for name, _ in counters]
    text = "| | calls | " + " | ".join(names) + " | ceiling | confidence |\n"
    text += "|---|--:|" + "--:|" * len(names) + "--:|---|\n"
    for name, group in sorted(groups.items(), key=lambda each: (-len(each[1]), each[0])):
        cells = [str(table.errors(group, count) or "-") for _, count in counters]
        ratios = [table.looseness(group, tight) for tight in (False, True)]
        loose = " / ".join("-" if ratio is None else f"{float(ratio):.1f}" for ratio in ratios)
        confidence = ", ".join(sorted({call.confidence for call in group}))
        row = [name, str(len(group)), *cells, loose, confidence]
        text += "| " + " | ".join(row) + " |\n"
    return text


def main() -> int:
    calls, priced = measured(), costs.costed()
    PAGE.write_text(page(calls) + costs.section(priced), encoding="utf-8")
    violations = table.over_ceiling(calls)
    unexplained = costs.differences(priced)[1]
    print("\n".join(violations + unexplained), file=sys.stderr)
    print(
        f"{len(calls)} calls measured, {len(violations)} above their ceiling; {len(priced)} costs compared, "
        f"{len(unexplained)} differences unexplained: {PAGE}"
    )
    return 1 if violations or unexplained else 0


if __name__ == "__main__":
    sys.exit(main())
