"""Fork, spawn, exit: one file for several processes, and nothing left behind (R36)."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import textwrap
from decimal import Decimal
from typing import Any

import pytest

import farthing

from .conftest import CHEAP, Shop
from .money import billed, booked, counted

DAY = farthing.Cap("5 USD", per="day", id="day")


def _in_child(work: Any) -> int:
    """The exit code of `work` in a forked child."""
    pid = os.fork()
    if pid == 0:
        code = 99
        try:
            code = work() or 0
        except BaseException as error:
            print(f"child: {error!r}", file=sys.stderr)
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_fork_after_open_shares_the_file(file_shop: Shop) -> None:
    guard = file_shop.guard(DAY)
    client = guard.wrap(file_shop.client())
    client.chat.completions.create(**CHEAP)

    def child() -> int:
        own = guard.wrap(file_shop.client())
        own.chat.completions.create(**CHEAP)
        own.close()
        return 0

    assert _in_child(child) == 0
    client.chat.completions.create(**CHEAP)
    assert file_shop.requests() == 3
    assert counted(guard, "day") == (billed(file_shop.provider), 0)
    assert booked(guard) == billed(file_shop.provider)
    assert len({row.process for row in guard.ledger()}) == 2


def test_memory_refuses_in_a_child(shop: Shop) -> None:
    guard = shop.guard(DAY)
    client = guard.wrap(shop.client())
    client.chat.completions.create(**CHEAP)

    def child() -> int:
        try:
            client.chat.completions.create(**CHEAP)
        except farthing.Denied as error:
            return 7 if error.code == "store_not_shared" and "forked child" in str(error) else 8
        return 9

    assert _in_child(child) == 7
    client.chat.completions.create(**CHEAP)
    assert shop.requests() == 2


def test_what_the_parent_holds_is_the_parents(file_shop: Shop) -> None:
    """A child that drops the parent's open attempt, or closes the guard, settles nothing of it."""
    guard = file_shop.guard(DAY)
    client = guard.wrap(file_shop.client())
    file_shop.provider.script({"hold": {"2": "there"}, "deltas": 12})
    stream = client.chat.completions.create(**CHEAP, stream=True)
    file_shop.provider.wait(holding="there")

    def child() -> int:
        nonlocal stream
        stream.response.stream._attempt.abort(farthing._farthing.SENT)
        del stream
        guard.close()
        return 0

    assert _in_child(child) == 0
    assert counted(guard, "day")[1] > 0
    file_shop.provider.release("there")
    list(stream)
    (row,) = guard.ledger()
    assert row.how == "usage"
    assert counted(guard, "day") == (billed(file_shop.provider), 0)


def _many(url: str, store: str, host: str, cap: str, calls: int) -> int:
    import openai

    sent = 0
    with farthing.Guard(
        caps=[farthing.Cap(cap, per="day", id="day")],
        store=store,
        hosts={host: {"provider": "openai"}},
        held_wait="0s",
        name="many",
    ) as guard:
        client = guard.wrap(openai.OpenAI(base_url=url, api_key="sk-test-0001", max_retries=0))
        for _ in range(calls):
            try:
                client.chat.completions.create(**CHEAP)
                sent += 1
            except farthing.CapExceeded:
                pass
        client.close()
    return sent


@pytest.mark.parametrize("how", ["fork", "spawn"])
def test_processes_on_one_file_never_spend_more(file_shop: Shop, how: str) -> None:
    with file_shop.guard(store="memory:") as pricing:
        ceiling = pricing.estimate("chat.completions", host=file_shop.host, **CHEAP).hold_usd
    assert ceiling is not None
    limit = f"{ceiling * 12:f} USD"
    context = multiprocessing.get_context(how)
    with context.Pool(3) as pool:
        arguments = (file_shop.provider.url, file_shop.store, file_shop.host, limit, 12)
        sent = sum(pool.starmap(_many, [arguments] * 3))
        pool.close()
        pool.join()
    assert sent == file_shop.requests() > 0
    with file_shop.guard(farthing.Cap(limit, per="day", id="day"), name="many") as guard:
        spent, reserved = counted(guard, "day")
    assert (spent, reserved) == (billed(file_shop.provider), 0)
    assert spent <= Decimal(limit.split()[0])


EXIT = """
import threading, time, farthing, openai
guard = farthing.Guard(caps=[farthing.Cap("5 USD", per="day", id="day", alert=[1])], store=STORE,
                       hosts={HOST: {"provider": "openai"}}, on_alert=lambda alert: None, name="exit")
client = guard.wrap(openai.OpenAI(base_url=URL, api_key="sk-test-0001", max_retries=0))
ask = dict(model="gpt-4.1-nano", max_tokens=16, messages=[{"role": "user", "content": "x"}])
"""
ENDINGS = {
    "plain": "client.chat.completions.create(**ask)",
    "daemon thread in a call": """
threading.Thread(target=lambda: client.chat.completions.create(**ask, extra_headers={"x-fake-hold": "never"}),
                 daemon=True).start()
while not guard.status().open_holds: time.sleep(0.001)
""",
    "open stream": "s = client.chat.completions.create(**ask, stream=True); next(iter(s))",
    "installed": "guard.install(); client.chat.completions.create(**ask)",
    "exception": "client.chat.completions.create(**ask); raise SystemExit(0)",
    "closed twice": "guard.close(); guard.close()",
    "cycle": "client.me = client; client.guard = guard; del client, guard",
}


def test_what_a_program_leaves_at_its_end_is_written(file_shop: Shop) -> None:
    """R26: a refusal that no call follows, in a program that does not close its guard."""
    program = EXIT.replace("STORE", repr(file_shop.store)).replace("HOST", '"elsewhere"')
    program = program.replace("URL", repr(file_shop.provider.url)) + (
        "try: client.chat.completions.create(**ask)\n"
        "except farthing.Unpriced as refusal: print(refusal.attempt)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")
    (denial,) = file_shop.guard(DAY).denials()
    assert denial["id"] == done.stdout.strip()


@pytest.mark.parametrize("ending", ENDINGS)
def test_interpreter_exit_is_quiet(file_shop: Shop, ending: str) -> None:
    program = EXIT.replace("STORE", repr(file_shop.store)).replace("HOST", repr(file_shop.host))
    program = program.replace("URL", repr(file_shop.provider.url)) + textwrap.dedent(
        ENDINGS[ending]
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")
