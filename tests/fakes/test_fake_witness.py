"""The witness adds up exactly, by hand-worked sums, and knows nothing of Farthing."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from openai import OpenAI

from tests.fakes.provider.handle import FakeProvider
from tests.witness import bill

SCRIPT = Path(bill.__file__)
MODELS = bill.read_prices()


def usage(inputs: int, cached: int = 0, output: int = 0) -> dict[str, int]:
    return {
        "input_tokens": inputs,
        "cached_tokens": cached,
        "output_tokens": output,
        "reasoning_tokens": 0,
    }


def line(model: str, used: dict[str, int] | None, tier: str = "default") -> dict[str, Any]:
    return {
        "request_id": "req_1",
        "response_id": "chatcmpl-1",
        "model": model,
        "service_tier": tier,
        "usage": used,
    }


@pytest.mark.parametrize(
    ("model", "tier", "used", "nano"),
    [
        ("gpt-5-mini", "default", usage(1000, 0, 100), 250_000 + 200_000),
        ("gpt-5-mini", "default", usage(1000, 640, 100), 90_000 + 16_000 + 200_000),
        ("gpt-5-mini-2025-08-07", "flex", usage(1000, 640, 100), 45_000 + 8_000 + 100_000),
        ("gpt-4o-mini-2024-07-18", "default", usage(1, 0, 0), 150),
        ("text-embedding-3-small", "default", usage(7), 140),
        ("text-embedding-ada-002-v2", "default", usage(7), 700),
        ("gpt-3.5-turbo-0125", "default", usage(10, 4, 1), 5_000 + 1_500),  # cached as input
        ("gpt-4.1", "default", usage(0), 0),
        ("gpt-5.4", "default", usage(272_000, 0, 1), 680_000_000 + 15_000),
        ("gpt-5.4", "default", usage(272_001, 1, 1), 1_360_000_000 + 500 + 22_500),
        ("gpt-5.4", "priority", usage(272_001), 2_720_010_000),
        ("claude-opus-5", "fast", usage(1, 0, 1), 60_000),
        (
            "claude-opus-5",
            "default",
            {**usage(3, 2, 1), "cache_write_tokens": 2, "cache_write_1h_tokens": 1},
            5_000 + 1_000 + 25_000 + 12_500 + 10_000,
        ),
        ("claude-haiku-5-5", "default", {**usage(1), "cache_write_tokens": 99_999}, 12_499_975),
        (
            "claude-haiku-5-5",
            "default",
            {**usage(1), "cache_write_tokens": 100_000},
            500 + 62_500_000,
        ),
        ("gemini-2.5-flash", "flex", {**usage(2), "input_audio_tokens": 2}, 300 + 1_000),
    ],
)
def test_hand_worked_sums(model: str, tier: str, used: dict[str, int], nano: int) -> None:
    assert bill.cost(MODELS, model, tier, used) == nano


def test_a_region_multiplies_before_the_one_rounding() -> None:
    assert bill.cost(MODELS, "claude-opus-5", "default", usage(1), "us") == 5_500
    assert bill.cost(MODELS, "claude-opus-5", "default", usage(1), "mars") == 5_000
    assert bill.cost(MODELS, "claude-opus-5", "batch", usage(1, 1), "us") == 275


@pytest.mark.parametrize(
    ("cached", "nano"),
    [
        (1, 62),
        (2, 125),
        (3, 188),
        (5, 312),
        (6, 375),
        (7, 438),
    ],  # 62.5 each: halves go to the even nano
)
def test_half_nanos_are_rounded_to_even_once_per_call(cached: int, nano: int) -> None:
    assert bill.cost(MODELS, "gpt-5", "flex", usage(cached, cached)) == nano


def test_every_price_is_exact_for_large_counts() -> None:
    """The same sum by fractions, which never round."""
    for name, model in MODELS.items():
        # Counts are above every step.
        entry = model["above"][max(model["above"], key=int)] if "above" in model else model
        text = "input" in entry
        used = usage(
            987_654_321_987 if text else 0,
            123_456_789_123 if text else 0,
            0 if "output" not in entry else 55_555_555_557,
        )
        pieces = {
            kind: 77_777_777_773
            for kind in entry
            if kind.endswith("_tokens") or kind in ("images", "characters", "seconds")
        }
        counts = {
            "input": used["input_tokens"] - used["cached_tokens"],
            "cached": used["cached_tokens"],
            "output": used["output_tokens"],
            **pieces,
        }
        used |= pieces
        exact = sum(
            Fraction(count) * Fraction(entry.get(kind, entry.get("input", "0"))) * 1000
            for kind, count in counts.items()
        )
        assert bill.cost(MODELS, name, "default", used) == round(exact)


@pytest.mark.parametrize(
    ("model", "tier", "used"),
    [
        ("gpt-9", "default", usage(1)),
        ("gpt-5-mini-large", "default", usage(1)),
        ("gpt-4o-2024-05-13", "default", usage(1)),  # dearer than its younger namesakes
        ("gpt-5-nano", "priority", usage(1)),
        ("text-embedding-3-small", "default", usage(1, 0, 1)),
        ("gpt-5", "default", usage(1, 2)),
    ],
)
def test_what_has_no_price_is_not_free(model: str, tier: str, used: dict[str, int]) -> None:
    with pytest.raises(bill.Unpriced):
        bill.cost(MODELS, model, tier, used)


def run(log: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [
        sys.executable,
        "-I",
        "-S",
        str(SCRIPT),
        str(log),
        *options,
    ]  # isolated: no site-packages
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_script(tmp_path: Path) -> None:
    log = tmp_path / "bills.jsonl"
    calls = [line("gpt-5-mini", usage(1000, 0, 100)), line("gpt-4o-mini", usage(1))]
    log.write_text("".join(json.dumps(call) + "\n" for call in calls))
    assert run(log, "--total").stdout == "0.000450150\n"
    table = run(log)
    assert table.returncode == 0
    assert "0.000450000" in table.stdout and "total of 2 calls" in table.stdout
    told = json.loads(run(log, "--json").stdout)
    assert [call["nano_usd"] for call in told["calls"]] == [450_000, 150]
    assert Decimal(told["total_usd"]) == Decimal(told["total_nano_usd"]) / 10**9
    assert (told["total_nano_usd"], told["unpriced"]) == (450_150, 0)


def test_it_reads_the_log_of_the_fake(provider: FakeProvider) -> None:
    provider.default(input_tokens=1000, cached_tokens=200, output_tokens=50)
    with OpenAI(base_url=provider.url, api_key="sk-test") as client:
        for model in ("gpt-5", "gpt-5-mini", "gpt-5-nano", "o4-mini", "gpt-4.1", "gpt-4o-mini"):
            client.responses.create(model=model, input="hello")
        client.embeddings.create(model="text-embedding-3-small", input="hello")
    assert provider.log_path is not None
    by_hand = 800 * 1250 + 200 * 125 + 50 * 10_000  # gpt-5, in nano-USD
    by_hand += 800 * 250 + 200 * 25 + 50 * 2_000
    by_hand += 800 * 50 + 200 * 5 + 50 * 400
    by_hand += 800 * 1100 + 200 * 275 + 50 * 4_400
    by_hand += 800 * 2000 + 200 * 500 + 50 * 8_000
    by_hand += 800 * 150 + 200 * 75 + 50 * 600
    by_hand += 1000 * 20
    assert run(provider.log_path, "--total").stdout == bill.dollars(by_hand) + "\n"


def test_the_script_names_what_it_cannot_price(tmp_path: Path) -> None:
    log = tmp_path / "bills.jsonl"
    calls = [line("gpt-9", usage(1)), line("gpt-5", None), line("gpt-4o-mini", usage(1))]
    log.write_text("".join(json.dumps(call) + "\n" for call in calls))
    done = run(log, "--total")
    assert (done.returncode, done.stdout) == (1, "0.000000150\n")
    assert "gpt-9" in done.stderr and "does not say" in done.stderr
    log.write_text("no json")
    assert run(log).returncode == 2


def test_it_imports_the_standard_library_only() -> None:
    tree = ast.parse(SCRIPT.read_text())
    names = {
        name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names
    }
    names |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name.partition(".")[0] for name in names} <= sys.stdlib_module_names
