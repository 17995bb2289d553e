"""The store away while calls are under way (R26), and its gate while other threads work (R42)."""

from __future__ import annotations

import fcntl
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import farthing

from .conftest import CHEAP, Shop
from .money import billed, booked, counted

DAY = farthing.Cap("5 USD", per="day", id="day")


def _file(shop: Shop) -> Path:
    return Path(shop.store.removeprefix("file:"))


def test_a_settlement_that_cannot_be_written_is_the_callers_no_matter(file_shop: Shop) -> None:
    """R26: its answer is there; the settlement waits, and is written once the store is back."""
    guard = file_shop.guard(DAY)
    client = guard.wrap(file_shop.client())
    file_shop.provider.script({"hold": "sent"})
    away = _file(file_shop).with_suffix(".away")
    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(client.chat.completions.create, **CHEAP)
        file_shop.provider.wait(holding="sent")
        _file(file_shop).rename(away)
        file_shop.provider.release("sent")
        assert call.result(30).choices
    with pytest.raises(farthing.StoreError):
        guard.flush(0)
    with pytest.raises(farthing.StoreUnavailable) as caught:
        client.chat.completions.create(**CHEAP)
    assert caught.value.code == "store_replaced"
    assert file_shop.requests() == 1
    away.rename(_file(file_shop))
    guard.flush()
    (row,) = guard.ledger()
    assert (row.how, booked(guard)) == ("usage", billed(file_shop.provider))
    assert counted(guard, "day") == (billed(file_shop.provider), 0)


LEAVES = """
import os, sys, farthing, openai
url, host, store = sys.argv[1:]
guard = farthing.Guard(caps=[farthing.Cap("5 USD", per="day", id="day")], store=store, name="leaves",
                       hosts={host: {"provider": "openai"}})
client = guard.wrap(openai.OpenAI(base_url=url, api_key="sk-test-0001", max_retries=0))
stream = client.chat.completions.create(
    model="gpt-4.1-nano", max_tokens=64, messages=[{"role": "user", "content": "hello"}], stream=True)
os.rename(store.removeprefix("file:"), store.removeprefix("file:") + "-away")
print(len(list(stream)))
client.close()
"""


def test_a_program_ends_soon_though_its_store_is_away_and_says_what_is_lost(
    file_shop: Shop,
) -> None:
    """R26: 2 s at most; what was not written is charged its hold when that expires."""
    done = subprocess.run(
        [sys.executable, "-c", LEAVES, file_shop.provider.url, file_shop.host, file_shop.store],
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 2
    assert "could not be written" in done.stderr
    Path(str(_file(file_shop)) + "-away").rename(_file(file_shop))
    with file_shop.guard(DAY) as guard:
        assert list(guard.ledger()) == []
        assert counted(guard, "day")[1] >= billed(file_shop.provider) > 0


def test_other_threads_run_on_while_one_waits_in_the_gate(file_shop: Shop) -> None:
    """R42: it waits without the interpreter's lock: the thread that lets it in is one of this interpreter."""
    guard = file_shop.guard(DAY)
    client = guard.wrap(file_shop.client())
    client.chat.completions.create(**CHEAP)
    with Path(f"{_file(file_shop)}-gate").open("r+b") as gate:
        fcntl.flock(gate, fcntl.LOCK_EX)
        call = threading.Thread(target=lambda: client.chat.completions.create(**CHEAP))
        call.start()
        call.join(timeout=0.05)
        assert call.is_alive() and file_shop.requests() == 1
        fcntl.flock(gate, fcntl.LOCK_UN)
        call.join()
    assert file_shop.requests() == 2
    assert counted(guard, "day") == (billed(file_shop.provider), 0)
