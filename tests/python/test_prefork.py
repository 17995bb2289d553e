"""gunicorn with `--preload`: a guard made before the fork, one cap for all workers."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

import farthing

from .conftest import CHEAP, Shop
from .money import billed, booked, counted

PROGRAMS = Path(__file__).parent / "beside"
THREADS = 4  # of each of the two workers
K = 6  # more than one worker has threads: both must hold
N = 16


@contextmanager
def _served(shop: Shop, cap: str) -> Iterator[str]:
    """The URL of the program, in two workers."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        options = {
            "--workers": "2",
            "--threads": str(THREADS),
            "--worker-connections": str(THREADS),
            "--keep-alive": "0",
            "--log-level": "warning",
            "--bind": f"fd://{listening.fileno()}",
            "--chdir": str(PROGRAMS),
        }
        given = [part for option in options.items() for part in option]
        server = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "--preload", *given, "prefork:app"],
            env={
                **os.environ,
                "PROVIDER": shop.provider.url,
                "HOST": shop.host,
                "STORE": shop.store,
                "CAP": cap,
            },
            pass_fds=[listening.fileno()],
            stderr=subprocess.PIPE,
        )
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}/"
        finally:
            server.send_signal(signal.SIGTERM)
            _, told = server.communicate(timeout=30)
    assert (server.returncode, told) == (0, b"")


def test_gunicorn(file_shop: Shop) -> None:
    pytest.importorskip("gunicorn")
    with file_shop.guard(store="memory:") as pricing:
        ceiling = pricing.estimate("chat.completions", host=file_shop.host, **CHEAP).hold_usd
    assert ceiling is not None
    cap = f"{ceiling * K:f} USD"
    file_shop.provider.default(hold="gate")
    refused = threading.Semaphore(0)

    with _served(file_shop, cap) as url, ThreadPoolExecutor(N) as pool:

        def one() -> str:
            with urllib.request.urlopen(url, timeout=60) as answer:
                outcome: str = answer.read().decode()
            if outcome == "refused":
                refused.release()
            return outcome

        calls = [pool.submit(one) for _ in range(N)]
        file_shop.provider.wait(holding="gate", count=K, timeout=30)
        for _ in range(N - K):
            assert refused.acquire(timeout=30)
        file_shop.provider.release("gate", stay_open=True)
        assert [call.result(30) for call in calls].count("sent") == K == file_shop.requests()
    with file_shop.guard(farthing.Cap(cap, per="day", id="day"), name="prefork") as guard:
        assert counted(guard, "day") == (billed(file_shop.provider), 0)
        assert booked(guard) == billed(file_shop.provider) > 0
        assert len({row.process for row in guard.ledger()}) == 2
