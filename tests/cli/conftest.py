"""Fixtures of the command's tests: the built command, a store with calls in it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import openai
import pytest

import farthing
from tests.fakes.provider.fixtures import provider, provider_process
from tests.fakes.provider.handle import FakeProvider

__all__ = ["provider", "provider_process"]

COMMAND = Path(__file__).resolve().parents[2] / "build/dev/cli/farthing"
CALL = {
    "model": "gpt-4.1-nano",
    "messages": [{"role": "user", "content": "hello there"}],
    "max_tokens": 64,
}


class Place:
    """A folder with a store, its policy, and the command over it."""

    def __init__(self, folder: Path, provider: FakeProvider) -> None:
        self.folder = folder
        self.provider = provider
        self.store = f"file:{folder / 'farthing.db'}"

    def run(self, *arguments: str, code: int = 0, **environment: str) -> str:
        """What the command says: its output, or where it fails its error."""
        done = subprocess.run(
            [COMMAND, *arguments],
            cwd=self.folder,
            env={**os.environ, "FARTHING_STORE": self.store, **environment},
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
        assert "\x1b" not in done.stdout + done.stderr  # nobody looks at a terminal here
        if code == 0:
            assert done.stderr == ""
            return done.stdout
        assert done.stdout == ""
        return done.stderr

    def spend(self, calls: int = 3, *, limit: str = "5 USD") -> farthing.Guard:
        """Some calls of two users, and a guard whose caps have counters now."""
        guard = farthing.Guard(
            caps=[
                farthing.Cap(limit, per="day", id="daily"),
                farthing.Cap("10 requests", per="hour", each="user", id="users"),
            ],
            store=self.store,
            hosts={f"127.0.0.1:{self.provider.port}": {"provider": "openai"}},
            held_wait="0s",
        )
        client = openai.OpenAI(base_url=self.provider.url, api_key="sk-test-0001", max_retries=0)
        client = guard.wrap(client, project="shop")
        for number in range(calls):
            with guard.scope(user=f"u{number % 2}"):
                client.chat.completions.create(**CALL)  # type: ignore[call-overload]
        client.close()
        return guard


@pytest.fixture
def place(
    tmp_path: Path, provider: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Place]:
    monkeypatch.delenv("FARTHING_STORE", raising=False)
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    yield Place(tmp_path, provider)
    from farthing import _receipts

    for guard in list(_receipts.open_guards):
        guard.close()
