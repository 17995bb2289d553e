"""The small examples, run as a reader runs them; those that call a provider call the fake one."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from tests.fakes.provider.handle import FakeProvider, start

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def provider() -> Iterator[FakeProvider]:
    with start() as running:
        yield running


def run(name: str, *arguments: str, provider: FakeProvider | None = None) -> str:
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("OPENAI")
    }
    environment["FARTHING_STORE"] = "memory:"
    if provider is not None:
        environment |= {"OPENAI_BASE_URL": provider.url, "OPENAI_API_KEY": "sk-not-a-real-key"}
    done = subprocess.run(
        [sys.executable, "-m", f"examples.{name}", *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def amounts(text: str) -> list[Decimal]:
    return [Decimal(found) for found in re.findall(r"(\d+\.\d+) USD", text)]


def test_an_estimate_names_its_parts() -> None:
    shown = run("estimate")
    assert "input: tools" in shown and "output limit" in shown
    likely, at_most = amounts(shown[shown.index("one call") :])[:2]
    assert 0 < likely < at_most


def test_models_are_compared_cheapest_first() -> None:
    lines = run("compare_models").splitlines()[1:]
    assert len(lines) == 9
    likely = [Decimal(line.split()[3]) for line in lines]
    assert likely == sorted(likely) and likely[0] > 0
    assert all(Decimal(line.split()[4]) >= low for line, low in zip(lines, likely, strict=True))
    assert {line.split()[1] for line in lines} == {"openai", "anthropic", "gemini"}


def test_a_picture_is_made_and_ten_are_refused(provider: FakeProvider) -> None:
    provider.reset()
    shown = run("image", provider=provider)
    likely, at_most, cost = amounts(shown)[:3]
    assert 0 < cost <= at_most and likely <= at_most
    assert "were not sent" in shown and 'cap "pictures"' in shown
    assert len(provider.log()) == 1


def test_speech_stops_at_its_cap(provider: FakeProvider, tmp_path: Path) -> None:
    provider.reset()
    shown = run("speech", str(tmp_path), provider=provider)
    spoken = sorted(file.name for file in tmp_path.glob("speech-*.mp3"))
    assert 0 < len(spoken) < 8 and len(provider.log()) == len(spoken)
    assert f"stopped before sentence {len(spoken) + 1}" in shown
    assert sum(amounts(shown)[: len(spoken)]) <= Decimal("0.01")
