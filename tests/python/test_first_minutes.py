"""The first five minutes: what a new user does works, or the error says the line to add."""

from __future__ import annotations

import asyncio
import gc
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import openai
import pytest

import farthing

from .conftest import Shop
from .money import billed, counted

PLAIN: dict[str, Any] = {"model": "gpt-5-mini", "messages": [{"role": "user", "content": "hello"}]}


def test_a_plain_chat_without_a_limit(shop: Shop) -> None:
    guard = shop.guard(farthing.Cap("5 USD", per="day", id="day"))
    client = guard.wrap(shop.client())
    assert client.chat.completions.create(**PLAIN).choices
    assert counted(guard, "day") == (billed(shop.provider), 0)


def test_a_hundred_at_once(shop: Shop) -> None:
    """R20, R21: none is refused: what others hold is waited for."""
    guard = shop.guard(farthing.Cap("5 USD", per="day", id="day"), held_wait="60s")
    client = guard.wrap(shop.client())
    with ThreadPoolExecutor(100) as pool:
        replies = list(pool.map(lambda _: client.chat.completions.create(**PLAIN), range(100)))
    assert len(replies) == 100 == shop.requests()
    assert counted(guard, "day") == (billed(shop.provider), 0)


async def test_a_hundred_at_once_async(shop: Shop) -> None:
    guard = shop.guard(farthing.Cap("5 USD", per="day", id="day"), held_wait="60s")
    async with guard.wrap(shop.aclient()) as client:
        await asyncio.gather(*(client.chat.completions.create(**PLAIN) for _ in range(100)))
    assert counted(guard, "day") == (billed(shop.provider), 0)


def test_a_stream_that_is_broken_off(shop: Shop) -> None:
    guard = shop.guard(farthing.Cap("5 USD", per="day", id="day"))
    client = guard.wrap(shop.client())
    for _ in client.chat.completions.create(**PLAIN, stream=True):
        break
    gc.collect()  # the SDK's stream is a cycle; until it is collected or closed it is under way
    client.chat.completions.create(**PLAIN)
    assert counted(guard, "day")[1] == 0


def test_a_notebook_whose_cells_are_run_twice(file_shop: Shop) -> None:
    """R32: the same cell again: a new guard on the same store takes the client over."""
    client = file_shop.client()
    for _ in range(2):
        guard = file_shop.guard(farthing.Cap("5 USD", per="day", id="day"), name="notebook")
        assert guard.wrap(client, project="nb") is client
        guard.install()
        client.chat.completions.create(**PLAIN)
    assert file_shop.requests() == 2
    assert len(list(guard.ledger())) == 2
    assert counted(guard, "day") == (billed(file_shop.provider), 0)


def test_a_guard_on_another_store_is_a_mistake(shop: Shop) -> None:
    first = shop.guard(farthing.Cap("5 USD", per="day"))
    client = first.wrap(shop.client())
    second = shop.guard(farthing.Cap("5 USD", per="day"))
    with pytest.raises(
        farthing.ArgumentError, match="another store, for each guard in memory"
    ) as caught:
        second.wrap(client)
    assert caught.value.code == "policy_conflict"
    first.close()
    second.wrap(client).chat.completions.create(**PLAIN)


def test_a_local_server_says_the_line_to_add(shop: Shop) -> None:
    cap = farthing.Cap("5 USD", per="day", id="day")
    guard = shop.guard(cap, hosts={})
    client = guard.wrap(shop.client())
    with pytest.raises(farthing.Unpriced) as caught:
        client.chat.completions.create(**{**PLAIN, "model": "llama-3"})
    assert shop.host in str(caught.value) and "free = true" in str(caught.value)
    assert f'Guard(hosts={{"{shop.host}": "free"}})' in str(caught.value)
    assert f'{{"{shop.host}": {{"provider": "openai"}}}}' in str(caught.value)
    assert shop.requests() == 0
    guard.close()
    free = shop.guard(cap, hosts={shop.host: "free"})
    free.wrap(client).chat.completions.create(**{**PLAIN, "model": "llama-3"})
    assert counted(free, "day") == (0, 0)


def test_mocked_http_with_a_store_in_memory(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """FARTHING_STORE=memory: in a test suite: mocked replies book nothing into the user's store."""
    monkeypatch.setenv("FARTHING_STORE", "memory:")
    guard = farthing.Guard(caps=[farthing.Cap("5 USD", per="day")])
    assert guard.store == "memory:"
    assert not (tmp_path / "state").exists()


def _script(folder: Path, environment: dict[str, str]) -> str:
    folder.mkdir(exist_ok=True)
    (folder / "main.py").write_text(
        "import farthing\n"
        "with farthing.Guard(caps=[farthing.Cap('5 USD', per='day')]) as guard:\n"
        "    print(guard.store)\n"
    )
    done = subprocess.run(
        [sys.executable, str(folder / "main.py")],
        capture_output=True,
        text=True,
        check=True,
        cwd="/",
        env={**os.environ, **environment},
    )
    return done.stdout.strip()


def test_two_scripts_in_different_folders(tmp_path: Path) -> None:
    """R37: one file per project, below the user's state directory; a project is found by what lies around it."""
    state = {"XDG_STATE_HOME": str(tmp_path / "state")}
    one, two = _script(tmp_path / "one", state), _script(tmp_path / "two", state)
    assert one != two
    assert all(store.startswith(f"file:{tmp_path / 'state'}") for store in (one, two))
    (tmp_path / "one" / "pyproject.toml").write_text("")
    inside = _script(tmp_path / "one" / "tools", state)
    assert inside == _script(tmp_path / "one", state)
    assert _script(tmp_path / "one", {**state, "FARTHING_STORE": "memory:"}) == "memory:"


def test_what_a_script_left_behind_is_named(file_shop: Shop) -> None:
    """R6: `try.py` with a tiny cap, then `main.py` with a real one: the first one's is in force."""
    tiny = file_shop.guard(farthing.Cap("0.000001 USD", per="day"), name="code:try.py")
    tiny.close()
    guard = file_shop.guard(farthing.Cap("5 USD", per="day"), name="code:main.py")
    (said,) = guard.warnings
    assert "0.000001 USD is in force" in said and "code:try.py" in said
    with pytest.raises(farthing.CapExceeded, match=r"policy code:try\.py set this limit"):
        guard.wrap(file_shop.client()).chat.completions.create(**PLAIN)
    assert file_shop.requests() == 0


def test_no_key_or_prompt_is_stored(file_shop: Shop) -> None:
    """Promise 11."""
    guard = file_shop.guard(farthing.Cap("5 USD", per="day"))
    client = guard.wrap(file_shop.client(api_key="sk-secret-0000-1111-2222"))
    ask = {**PLAIN, "messages": [{"role": "user", "content": "a very private question"}]}
    client.chat.completions.create(**ask)
    guard.close()
    folder = Path(file_shop.store.removeprefix("file:")).parent
    stored = b"".join(path.read_bytes() for path in folder.glob("farthing.db*"))
    assert b"gpt-5-mini" in stored
    assert b"sk-secret" not in stored and b"private question" not in stored


def test_the_sdk_is_not_needed_to_import_us() -> None:
    program = "import sys, farthing; print(any(name in sys.modules for name in ('openai', 'httpx', 'httpx2')))"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"
    assert openai
