"""`halt` and `resume` from a shell, while a loop runs in another process."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.cli.conftest import COMMAND, Place

LOOP = """
import sys
import farthing, openai

url, store, host = sys.argv[1:]
guard = farthing.Guard(
    caps=[farthing.Cap("5 USD", per="day", id="daily")],
    store=store,
    hosts={host: {"provider": "openai"}},
    held_wait="0s",
)
client = openai.OpenAI(base_url=url, api_key="sk-test-0001")  # with its own retries
client = guard.wrap(client, project="shop")
going_on = "?"
while going_on:
    try:
        client.chat.completions.create(
            model="gpt-4.1-nano", messages=[{"role": "user", "content": "on and on"}], max_tokens=64
        )
        print("called", flush=True)
    except farthing.Halted as refusal:
        print("halted", refusal.code, refusal, flush=True)
        going_on = sys.stdin.readline()
client.close()
guard.close()
"""


class Loop:
    """The process: calls on and on; after a halt it waits to be told to try again."""

    def __init__(self, place: Place) -> None:
        host = f"127.0.0.1:{place.provider.port}"
        self.process = subprocess.Popen(
            [sys.executable, "-c", LOOP, place.provider.url, place.store, host],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def says(self) -> str:
        assert self.process.stdout is not None
        line = self.process.stdout.readline().strip()
        assert line, f"it ended with {self.process.wait(30)}"
        return line

    def again(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write("again\n")
        self.process.stdin.flush()

    def end(self) -> int:
        assert self.process.stdin is not None
        self.process.stdin.close()
        return self.process.wait(30)


@pytest.fixture
def loop(place: Place) -> Iterator[Loop]:
    """At its third call, which is with the provider."""
    place.provider.script({"do": {"hold": "third"}, "nth": 3})
    running = Loop(place)
    with running.process:
        try:
            assert [running.says(), running.says()] == ["called", "called"]
            place.provider.wait(holding="third")
            yield running
        finally:
            running.process.kill()


def test_halt_stops_the_next_call_of_another_process_and_resume_lets_it_go_on(
    place: Place, loop: Loop
) -> None:
    said = place.run("halt", "--why", "loop at night", "--who", "ann")
    place.provider.release("third")
    assert loop.says() == "called"  # it was sent before: it finishes
    refusal = loop.says()
    assert refusal.startswith("halted halted ") and "loop at night" in refusal
    assert place.provider.stats()["seen"] == 3  # nor was anything tried again

    status = place.run("status")
    assert "HALTED everything by ann" in status and "loop at night" in status
    loop.again()
    assert loop.says().startswith("halted ")  # still
    assert place.provider.stats()["seen"] == 3

    place.provider.script({"do": {"hold": "fourth"}})  # so that it does not run away
    place.run(*said.rpartition("farthing ")[2].split())  # the line that undoes it
    assert "HALTED" not in place.run("status")
    loop.again()
    place.provider.wait(holding="fourth")
    place.run("halt")
    place.provider.release("fourth")
    assert loop.says() == "called"
    assert loop.says().startswith("halted ")
    assert loop.end() == 0

    rows = [json.loads(line) for line in place.run("ledger", "--json").splitlines()]
    assert [row["how"] for row in rows] == ["usage"] * 4
    assert len(place.provider.log()) == 4
    denied = [json.loads(line) for line in place.run("ledger", "--denied", "--json").splitlines()]
    assert {entry["code"] for entry in denied} == {"halted"}
    assert sum(entry["count"] for entry in denied) == 3


def test_a_halt_of_others_does_not_stop_it(place: Place, loop: Loop) -> None:
    store = ["--store", place.store]
    halted = subprocess.run(
        [COMMAND, "halt", *store, "--match", "project=other*", "--why", "not this one"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert halted.stdout.startswith("halted calls with project=other*")
    assert halted.stderr.startswith("warning: no call in this store had project=other* yet")
    place.provider.script({"do": {"hold": "fifth"}, "nth": 2})
    place.provider.release("third")
    place.provider.wait(holding="fifth")
    assert [loop.says(), loop.says()] == ["called", "called"]
    place.run("halt", "--match", "project=sh*", "--why", "this one")
    place.provider.release("fifth")
    assert loop.says() == "called"
    assert "this one" in loop.says()
    place.run("resume", "2")  # the other stays
    assert "not this one" in place.run("status")
    place.run("halt", "--why", "the end")
    loop.again()
    assert "the end" in loop.says()
    assert loop.end() == 0
    assert place.provider.stats()["seen"] == 5
