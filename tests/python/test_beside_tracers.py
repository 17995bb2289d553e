"""langfuse and Datadog's tracer around the SDK, both at work: they see what is sent and what is refused, as it was.

Each in a process of its own (tests/python/beside): they change the process for good.
"""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from .beside.work import CALLS
from .conftest import Shop
from .money import billed

PROGRAMS = Path(__file__).parent / "beside"


def _told(shop: Shop, tracer: str, order: str) -> dict[str, Any]:
    """What a program says that ran beside `tracer`; what it sent was settled once, to the nano."""
    if (
        importlib.util.find_spec(tracer) is None
    ):  # not imported here: it would wrap this process's clients
        pytest.skip(f"{tracer} is not installed")
    done = subprocess.run(
        [sys.executable, str(PROGRAMS / f"with_{tracer}.py"), shop.provider.url, shop.host, order],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")
    told: dict[str, Any] = json.loads(done.stdout)
    assert all(told["texts"]) and told["usage_shown"] == [False, True] * 2
    assert told["refused"] == ["cap_exceeded"] * CALLS
    assert told["how"] == ["usage"] * CALLS
    assert Decimal(told["booked"]) == Decimal(told["spent"]) == billed(shop.provider, first=CALLS)
    assert Decimal(told["spent"]) > 0 == Decimal(told["reserved"])
    return told


@pytest.mark.parametrize("order", ["before", "after"])
def test_langfuse(shop: Shop, order: str) -> None:
    """Its drop-in wraps the SDK's `create`, above us, and reads the streams that we hand on."""
    told = _told(shop, "langfuse", order)
    assert [(one["type"], one["level"]) for one in told["sent"]] == [("generation", None)] * CALLS
    used = [bool(one["usage_details"]) for one in told["sent"]]
    assert used == [True, False, True] * 2, "as without a guard: what was asked for"
    assert [one["level"] for one in told["denied"]] == ["ERROR"] * CALLS
    assert all('cap "day"' in one["status_message"] for one in told["denied"])
    assert told["restored"] and told["sent without a guard"] == CALLS
    assert shop.requests() == 2 * CALLS


@pytest.mark.parametrize("order", ["before", "after"])
def test_ddtrace(shop: Shop, order: str) -> None:
    """It wraps `send` as we do, and the SDK's `create`; and takes its wrappers back, from above us and from below."""
    told = _told(shop, "ddtrace", order)
    fine = {"http.request": [[0, "200", None]] * CALLS, "openai.request": [[0, None, None]] * CALLS}
    assert told["sent"] == fine
    denied = told["denied"]
    assert denied["openai.request"] == [[1, None, "farthing.errors.CapExceeded"]] * CALLS
    assert [status for _, status, _ in denied["http.request"]] == (
        [] if order == "before" else ["402"] * CALLS
    ), "above us it sees our answer; below us nothing is sent"
    if order == "before":
        assert told["refused without it"] == ["cap_exceeded"] * CALLS
        assert told["restored"] == [True] * 3
        assert shop.requests() == 2 * CALLS
    else:
        assert told["sent without a guard"] == fine
        assert shop.requests() == 3 * CALLS
    assert told["sent without both"] == {"http.request": [], "openai.request": []}
