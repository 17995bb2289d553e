"""The main job, end to end: the real OpenAI client, one line of Farthing around it, the file store, a fake provider.

    python -m examples.runaway_agent

1. An agent loops until the cap of its task refuses it.
2. What the provider would bill, by its own log and another program's prices, next to the ledger.
3. Four processes of eight threads share one cap until it refuses them all.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import time
from decimal import Decimal
from pathlib import Path

from openai import OpenAI

import farthing
from examples.runaway_agent import view
from examples.runaway_agent.agent import work
from tests.fakes.provider.handle import FakeProvider, start

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
PLACE = ROOT / "build" / "demo"
PROCESSES = 4


def main() -> int:
    PLACE.parent.mkdir(parents=True, exist_ok=True)
    with open(PLACE.with_suffix(".lock"), "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("another demo runs in build/demo: this one begins when it is over", flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        return run()


def run() -> int:
    began = time.monotonic()
    shutil.rmtree(PLACE, ignore_errors=True)
    PLACE.mkdir(parents=True)
    policy = PLACE / "farthing.toml"
    shutil.copy(HERE / "farthing.toml", policy)
    os.environ["OPENAI_API_KEY"] = "sk-demo-not-a-real-key-0001"
    os.environ.pop("FARTHING_STORE", None)
    with start(log=PLACE / "provider.jsonl") as provider:
        good = run_agent(policy, provider)
        good &= compare(policy, provider, "fix-the-build", "the agent's task")
        run_swarm(policy, provider)
        good &= compare(policy, provider, "swarm", "all processes together", least_used=90)
    print(f"\nThe demo took {time.monotonic() - began:.1f} s.")
    view.title("Look around")
    print(f"  cd {PLACE.relative_to(ROOT)} && ../dev/cli/farthing status")
    print(f"  cd {PLACE.relative_to(ROOT)} && ../dev/cli/farthing ledger")
    print(f"  cd {PLACE.relative_to(ROOT)} && ../dev/cli/farthing ledger --denied")
    return 0 if good else 1


def run_agent(policy: Path, provider: FakeProvider) -> bool:
    view.title(
        "1. A coding agent in a loop on the real OpenAI client, its task capped at 0.10 USD a day"
    )
    print(
        "   client = guard.wrap(OpenAI(), project=..., task=...)     <- the only line of Farthing\n"
    )
    guard = farthing.Guard(policy, on_alert=view.threshold)
    client = guard.wrap(OpenAI(base_url=provider.url), project="assistant", task="fix-the-build")
    view.head()
    number = 0
    try:
        for kind, reply in work(client):
            number += 1
            receipt = farthing.receipt(reply)
            if receipt is not None:
                view.line(number, kind, receipt)
    except farthing.CapExceeded as refusal:
        guard.close()  # the alert of this refusal is told before it ends
        print("\n" + view.paint("31", f"{type(refusal).__name__}: {refusal}"))
        print(f"\nThe agent stopped after {number} calls; the next one was never sent.")
        return True
    finally:
        guard.close()
    return False


def run_swarm(policy: Path, provider: FakeProvider) -> None:
    view.title(f"2. {PROCESSES} processes of 8 threads on one file, all under one cap of 0.15 USD")
    command = [sys.executable, "-m", "examples.runaway_agent.swarm", str(policy), provider.url]
    processes = [subprocess.Popen(command, cwd=ROOT) for _ in range(PROCESSES)]
    codes = [process.wait() for process in processes]  # all of them, then look
    if any(codes):
        sys.exit("a process of the swarm failed")
    print("   every one of them was refused at the cap, and ended")


def compare(
    policy: Path, provider: FakeProvider, task: str, what: str, least_used: int = 0
) -> bool:
    """The witness's total, which knows nothing of Farthing, against the ledger's."""
    witness = ROOT / "tests" / "witness" / "bill.py"
    done = subprocess.run(
        [sys.executable, str(witness), str(PLACE / "provider.jsonl"), "--total"],
        check=True,
        capture_output=True,
        text=True,
    )
    billed = Decimal(done.stdout.split()[0])
    with farthing.Guard(policy) as guard:
        rows = list(guard.ledger(limit=1_000_000))
        spent = sum((row.actual_usd or Decimal(0) for row in rows), Decimal(0))
        cap = next(item.cap for item in guard.status().counters if item.cap.cap == task)
    used = Decimal(cap.spent) / Decimal(cap.limit) * 100
    equal = billed == spent
    print(
        f"\n   the provider would bill   {billed:.9f} USD   (its whole log, tests/witness/bill.py)"
    )
    print(
        f"   the ledger says           {spent:.9f} USD   {'equal to the nano' if equal else 'NOT EQUAL'}"
    )
    under = Decimal(cap.spent) <= Decimal(cap.limit)
    print(
        f"   {what}: {cap.spent} of {cap.limit} USD, {used:.1f} % of the cap used, "
        f"{'never over' if under else 'OVER THE CAP'}"
    )
    return equal and under and used >= least_used


if __name__ == "__main__":
    sys.exit(main())
