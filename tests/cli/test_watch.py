"""`status --watch`: how it ends, and what it writes where nobody looks at a terminal."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import pytest

from tests.cli.conftest import COMMAND, Place

ends = pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
SECONDS = 3600  # between two rounds: what ends before that was told to


class Watch:
    """Starts the program; none is left running, however a test ends."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self.programs: list[subprocess.Popen[bytes]] = []

    def __call__(self, *more: str, stdout: int = subprocess.PIPE) -> subprocess.Popen[bytes]:
        program = subprocess.Popen(
            [COMMAND, "status", "--watch", *(more or [str(SECONDS)])],
            env={**os.environ, "FARTHING_STORE": self._place.store, "TERM": "xterm-256color"},
            stdout=stdout,
            stderr=subprocess.PIPE,
        )
        self.programs.append(program)
        return program


@pytest.fixture
def watch(place: Place) -> Iterator[Watch]:
    made = Watch(place)
    yield made
    for program in made.programs:
        program.kill()
        program.wait()
        for stream in (program.stdout, program.stderr):
            if stream is not None:
                stream.close()


def _round(output: IO[bytes] | None) -> bytes:
    """What it shows once, with the line that ends it."""
    assert output is not None
    shown = b""
    while not shown.endswith(b"---\n"):
        line = output.readline()
        assert line, shown
        shown += line
    return shown


def _ended(program: subprocess.Popen[bytes]) -> tuple[int, bytes]:
    """Its exit code and what it complained of."""
    code = program.wait(timeout=30)
    assert program.stderr is not None
    return code, program.stderr.read()


@ends
def test_an_interrupt_ends_it_with_0(place: Place, watch: Watch, end: signal.Signals) -> None:
    place.spend(1)
    program = watch()
    _round(program.stdout)
    program.send_signal(end)
    assert _ended(program) == (0, b"")


@ends
def test_an_interrupt_while_it_shows_is_not_slept_over(
    place: Place, watch: Watch, end: signal.Signals
) -> None:
    place.spend(1).close()
    gate = place.folder / "farthing.db-gate"
    with gate.open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)  # its first look waits here
        program = watch()
        deadline = time.monotonic() + 30
        while not _has_open(program.pid, gate):
            assert time.monotonic() < deadline
        program.send_signal(end)
    assert _ended(program) == (0, b"")


def _has_open(pid: int, file: Path) -> bool:
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        try:
            if os.readlink(descriptor) == str(file):
                return True
        except OSError:  # closed meanwhile
            continue
    return False


def test_ctrl_c_on_a_terminal_ends_it_with_0(place: Place, watch: Watch) -> None:
    place.spend(1)
    leader, follower = pty.openpty()
    program = watch(stdout=follower)
    os.close(follower)
    seen = b""
    while b"open" not in seen:
        seen += os.read(leader, 4096)
    assert b"\x1b[H\x1b[2J" in seen  # each round on a clear screen
    program.send_signal(signal.SIGINT)
    assert _ended(program) == (0, b"")
    os.close(leader)


def test_a_reader_that_leaves_ends_it_with_0_at_once(place: Place, watch: Watch) -> None:
    place.spend(1)
    program = watch()
    _round(program.stdout)
    assert program.stdout is not None
    program.stdout.close()
    assert _ended(program) == (0, b"")


@pytest.mark.parametrize("form", [[], ["--json"]], ids=["text", "json"])
def test_a_reader_that_never_was_ends_it_with_0(
    place: Place, watch: Watch, form: list[str]
) -> None:
    place.spend(1)
    reading, writing = os.pipe()
    os.close(reading)
    program = watch(str(SECONDS), *form, stdout=writing)
    os.close(writing)
    assert _ended(program) == (0, b"")


def test_piped_it_writes_round_after_round_without_escape_codes(place: Place, watch: Watch) -> None:
    place.spend(1)
    place.run("halt", "--match", "project=sh*", "--why", "loop")  # in colour on a terminal
    place.run("cap", "set", "daily", "9 USD")
    program = watch("1")
    first = _round(program.stdout)
    place.run("cap", "set", "daily", "11 USD")
    second = _round(program.stdout)
    while b"11.00 USD" not in second:
        second = _round(program.stdout)
    assert b"daily" in first and b"HALTED" in first and b"9.00 USD" in first
    assert b"\x1b" not in first + second and b"\r" not in first + second
    program.send_signal(signal.SIGINT)
    assert _ended(program) == (0, b"")


def test_piped_as_json_each_round_is_one_line(place: Place, watch: Watch) -> None:
    place.spend(1)
    program = watch("1", "--json")
    assert program.stdout is not None
    rounds: list[dict[str, Any]] = [json.loads(program.stdout.readline()) for _ in range(2)]
    assert rounds[0]["store_id"] == rounds[1]["store_id"]
    assert rounds[0]["now"] != rounds[1]["now"]
    program.send_signal(signal.SIGINT)
    assert _ended(program) == (0, b"")


@pytest.mark.parametrize("seconds", ["0", "-1", "3601", "soon"])
def test_a_wrong_interval_is_2(place: Place, seconds: str) -> None:
    assert "--watch" in place.run("status", f"--watch={seconds}", code=2)
