"""The program: its ready line, its end, and what it refuses."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.provider.handle import PROGRAM, start

ROOT = Path(__file__).resolve().parents[2]


def launch(*command: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, *command],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def ready(process: subprocess.Popen[bytes]) -> Any:
    assert process.stdout is not None
    return json.loads(process.stdout.readline())


@pytest.mark.parametrize("command", [[str(PROGRAM)], ["-m", "tests.fakes.provider"]])
def test_says_where_it_listens_and_ends_with_stdin(command: list[str]) -> None:
    with launch(*command) as process:
        line = ready(process)
        assert line["url"] == f"http://127.0.0.1:{line['port']}/v1"
        assert line["pid"] == process.pid
        process.communicate(timeout=10)
    assert process.returncode == 0


def test_ends_on_sigterm() -> None:
    with launch(str(PROGRAM), "--stay") as process:
        ready(process)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=10)
    assert process.returncode == 0


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.1", "::", "example.com"])
def test_refuses_to_listen_for_others(host: str) -> None:
    with launch(str(PROGRAM), "--host", host) as process:
        _, message = process.communicate(timeout=10)
    assert process.returncode == 2
    assert b"loopback" in message


def test_names_what_is_wrong_with_its_options(tmp_path: Path) -> None:
    with launch(str(PROGRAM), "--default", '{"statsu": 1}') as process:
        _, message = process.communicate(timeout=10)
    assert process.returncode == 1
    assert b"unknown behaviour" in message
    with launch(str(PROGRAM), "--recorded", str(tmp_path / "none.jsonl.gz")) as process:
        _, message = process.communicate(timeout=10)
    assert process.returncode == 1
    assert b"none.jsonl.gz" in message


def test_started_and_stopped_from_python(tmp_path: Path) -> None:
    log = tmp_path / "bills.jsonl"
    with start(log=log, default={"status": 503}, deployments={"prod": "gpt-5-mini"}) as provider:
        assert provider.stats()["seen"] == 0
        assert log.read_text() == ""
        provider.reset()  # what was given at the start stays
        assert provider.log() == []
