"""`make accuracy`: measures every recorded call, compares costs and writes docs/accuracy.md."""

from __future__ import annotations

import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

from tests.accuracy import costs, others, table
from tests.accuracy.measure import ORDERS, Measured, bounds, measured, once_learned, rows

PAGE = Path(__file__).resolve().parents[2] / "docs/accuracy.md"

# Groups with less calls are not split in halves.
LEAST_TO_SPLIT = 9

HEAD = """# Accuracy

How near `likely` is to the input tokens that providers billed, and how far above the bill the ceiling is. Measured on
the {calls} of {all} recorded calls in tests/recorded whose answers say what they used. Written by `make accuracy`; the
same numbers are bounds in tests/accuracy. [Costs](#costs) stand at the end.

Errors are median / 90th percentile / share of calls under-estimated, of input tokens, in per cent of what was billed.
"Ceiling" is the median of ceiling / cost: with the request's own output limit, and with one of just the output that
came. "Confidence" is what the estimate says of itself. {litellm}

Nothing of it was learned: each estimate is of a guard that has made no call. What learning changes stands at the end.

Recordings are tests of other projects: prompts are short, and few of each kind. Where a row has less than 20 calls,
read it as an example.
"""


UNBOUNDED = """
Calls whose input has no bound but the context window, of the {of} recorded ones that ask for no server tools, file ids
or URLs: **{unbounded}** ({share}).
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
    loose = table.input_looseness(table.openai_text(calls))
    if loose is not None:
        text += f"Ceiling / input tokens of OpenAI's texts, median: **{float(loose):.2f}**.\n"
    unbounded, of = table.without_bound(bounds())
    text += UNBOUNDED.format(
        unbounded=unbounded, of=of, share=table.percent(Fraction(unbounded, of))
    )
    sections: list[tuple[str, Callable[[Measured], str]]] = [
        ("provider and kind", lambda call: f"{call.provider}, {call.kind}"),
        ("family", lambda call: f"{call.provider}, {call.family}"),
        ("size of the input", lambda call: f"{call.size} tokens"),
        ("kind", lambda call: call.kind),
    ]
    for title, key in sections:
        text += f"\n## By {title}\n\n" + section(calls, key, counters)
    return text + halves_section(calls) + learned_section(calls)


HALVES = """
## By half

The constants of counting were chosen with these recordings in sight, so an error on them could flatter. Split in two by
a hash of each distinct request (one request made again stays on one side), both halves should look alike; and where the
count of a group is off by a common factor, one fitted on the other half (the median of billed / likely there) would
make it better.

| | calls | half 0 | half 1 | 0 with the factor of 1 | 1 with the factor of 0 |
|---|--:|--:|--:|--:|--:|
"""


def halves_section(calls: list[Measured]) -> str:
    groups: dict[str, list[Measured]] = {}
    for call in calls:
        groups.setdefault(f"{call.provider}, {call.kind}", []).append(call)
    text = HALVES
    for name, group in sorted(groups.items(), key=lambda each: (-len(each[1]), each[0])):
        halves = [[call for call in group if call.half == half] for half in (0, 1)]
        if not all(halves) or len(group) < LEAST_TO_SPLIT:
            continue
        cells = [str(table.errors(half, table.likely)) for half in halves]
        for half, other in (halves, reversed(halves)):
            factor = table.factor(other)
            cells.append(f"{table.errors(half, table.scaled(factor))} (x {float(factor):.3f})")
        text += "| " + " | ".join([name, str(len(group)), *cells]) + " |\n"
    return text


LEARNED = """
## What is learned

Of settled calls of one host, endpoint, model and tool set (tools and schemas, kept as a keyed hash only) the store
keeps one row of fixed size: by how much the count was off for the newest 16, and how long the answers of the newest
64 were. Each of the first 16 calls teaches, then one in 8. From three calls on

- `likely` takes the median of the answers for the output, at most the output limit; `output_p90` is what nine of ten do
  not exceed;
- the count of the input is corrected by the median of what it was off, where three quarters of them are nearer to that
  median than half of it: in tokens where there are tools or a schema, whose cost is the same in every call, else in
  thousandths of the count. Where the count is exact nothing is corrected.

The breakdown says so: "output: learned from 57 calls". At most 1,000 rows are kept; those unused for the longest time
go first. A provider that changes is learned anew: the median follows once nine of the 16 are new.

**The ceiling is never learned** (R44). What is held is the bound of bytes, or the exact count with its margin where
that is proven ([the guarantee](guarantee.md), 2): facts about the request. Bills of earlier calls prove nothing about
the next one, and a gateway that tells nonsense could lower a ceiling with them. As it is, it can only make `likely`
wrong, between 0 and the ceiling.

Below, the recorded calls were made again in {orders} orders by seed. Each was estimated just before it was made, with
what those before it had taught, never itself; shown are those of which something was known, all orders together. Many
of the recordings are one request made again, which flatters. "Output" is the error of the answer's length.

| | calls | input | once learned | output | once learned |
|---|--:|--:|--:|--:|--:|
"""


def learned_section(calls: list[Measured]) -> str:
    plain = {call.source: call for call in calls}
    taught = [call for seed in ORDERS for call in once_learned(calls, seed) if call.learned]
    groups: dict[str, list[Measured]] = {}
    for call in taught:
        groups.setdefault(f"{call.provider}, {call.kind}", []).append(call)
    ordered = sorted(groups.items(), key=lambda each: (-len(each[1]), each[0]))
    text = LEARNED.format(orders=len(ORDERS))
    for name, group in [("all", taught), *ordered]:
        cells = [name, str(len(group))]
        before = [plain[call.source] for call in group]
        for count, actual in ((table.likely, table.billed), (table.likely_output, table.answered)):
            cells += [str(table.errors(each, count, actual) or "-") for each in (before, group)]
        text += "| " + " | ".join(cells) + " |\n"
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
