"""Fixtures of the Python tests: a fake provider, guards over stores of their own, clients of the installed SDK."""

from __future__ import annotations

import asyncio
import gc
import sys
from collections.abc import Awaitable, Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import openai
import pytest

import farthing
from tests.fakes.provider.fixtures import provider, provider_process
from tests.fakes.provider.handle import FakeProvider

__all__ = ["provider", "provider_process"]

MODEL = "gpt-4.1-nano"  # does not reason, takes max_tokens
CHEAP = {"model": MODEL, "messages": [{"role": "user", "content": "hello there"}], "max_tokens": 64}

BR: Any = pytest.param(
    "br", marks=pytest.mark.skipif(find_spec("brotli") is None, reason="no brotli here")
)


@pytest.fixture(autouse=True)
def _own_state(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """No test touches the user's state, and none leaves a guard behind."""
    monkeypatch.delenv("FARTHING_STORE", raising=False)
    monkeypatch.delenv("FARTHING_SCOPE", raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    yield
    from farthing import _receipts

    for guard in list(_receipts.open_guards):
        guard.close()


class Shop:
    """Everything a test needs: the provider, a guard over a fresh store, clients of both kinds."""

    def __init__(self, provider: FakeProvider, store: str) -> None:
        self.provider = provider
        self.store = store
        self.host = f"127.0.0.1:{provider.port}"
        self._closing: list[Any] = []

    def guard(self, *caps: farthing.Cap, **more: Any) -> farthing.Guard:
        more.setdefault("store", self.store)
        more.setdefault("hosts", {self.host: {"provider": "openai"}})
        more.setdefault("held_wait", "0s")
        return farthing.Guard(caps=caps, **more)

    def client(self, **more: Any) -> openai.OpenAI:
        more = {"base_url": self.provider.url, "api_key": "sk-test-0001", "max_retries": 0, **more}
        return self.closing(openai.OpenAI(**more))

    def closing(self, client: Any) -> Any:
        """Closes `client` with the test: one that is left to the collector may have its socket collected first, with a
        warning in whatever test runs by then."""
        self._closing.append(client)
        return client

    def aclient(self, **more: Any) -> openai.AsyncOpenAI:
        more = {"base_url": self.provider.url, "api_key": "sk-test-0001", "max_retries": 0, **more}
        return openai.AsyncOpenAI(**more)

    def requests(self) -> int:
        """How many reached the provider."""
        seen: int = self.provider.stats()["seen"]
        return seen

    def close(self) -> None:
        for client in self._closing:
            client.close()


@pytest.fixture
def shop(provider: FakeProvider) -> Iterator[Shop]:
    """Over a store in memory."""
    made = Shop(provider, "memory:")
    yield made
    made.close()


@pytest.fixture
def file_shop(provider: FakeProvider, tmp_path: Path) -> Iterator[Shop]:
    """Over a file of its own."""
    made = Shop(provider, f"file:{tmp_path / 'farthing.db'}")
    yield made
    made.close()


@pytest.fixture
def decisions(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Every attempt that the hooks make, as they are made."""
    from farthing._hooks import steps

    made: list[object] = []
    original = steps.start

    def counted(*parts: Any) -> Any:
        attempt = original(*parts)
        made.append(attempt)
        return attempt

    monkeypatch.setattr(steps, "start", counted)
    return made


@pytest.fixture
def run_async() -> Callable[[Callable[[], Awaitable[Any]]], Any]:
    """Runs a coroutine function to its end, and lets what it left be closed within the loop."""

    def run(main: Callable[[], Awaitable[Any]]) -> Any:
        async def inner() -> Any:
            try:
                return await main()
            finally:
                gc.collect()
                await asyncio.sleep(0)

        return asyncio.run(inner())

    return run


def sdk_family() -> Any:
    """The HTTP stack of the installed SDK."""
    return sys.modules["httpx2" if int(openai.__version__.split(".")[0]) >= 3 else "httpx"]
