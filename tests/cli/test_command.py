"""The `farthing` command as a user runs it: a real store, the built program, its output and exit codes."""

from __future__ import annotations

import csv
import io
import json
import os
import pty
import signal
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import httpx
import pytest

import farthing
from farthing import _receipts
from tests.cli.conftest import COMMAND, Place


def _spent(place: Place) -> Decimal:
    """Of the whole ledger."""
    lines = place.run("ledger", "--json", "-n", "0").splitlines()
    return sum((Decimal(json.loads(line)["actual"]) for line in lines), Decimal(0))


NOT_TOML = ["[[[cap]]]", "[é]", "[.a]", "[=", "[[ #", "a = 2026-12-01Tx"]


# ---- looking


def test_status_shows_every_cap_with_a_bar(place: Place) -> None:
    place.spend()
    said = place.run("status")
    assert "daily" in said and "users" in said and "u0" in said and "u1" in said
    assert str(place.folder / "farthing.db") in said
    assert "5.00 USD" in said and "10 requests" in said


def test_status_as_json_adds_up_to_the_ledger(place: Place) -> None:
    place.spend()
    report = json.loads(place.run("status", "--json"))
    daily = next(c for c in report["counters"] if c["cap"] == "daily")
    assert Decimal(daily["spent"]) == _spent(place) > 0
    assert Decimal(daily["limit"]) == 5
    assert report["open_holds"] == 0


def test_status_of_all_stores_of_a_user(place: Place) -> None:
    home = place.folder / "state" / "farthing"
    for name in ("one", "two"):
        location = f"file:{home / name / 'farthing.db'}"
        farthing.Guard(caps=[farthing.Cap("1 USD", per="day", id=name)], store=location).close()
    said = place.run("status", "--all", FARTHING_STORE="")
    assert "one" in said and "two" in said


def test_status_watches_until_it_is_told_to_stop(place: Place) -> None:
    place.spend(1)
    leader, follower = pty.openpty()
    program = subprocess.Popen(
        [COMMAND, "status", "--watch"],
        env={**os.environ, "FARTHING_STORE": place.store, "TERM": "xterm"},
        stdout=follower,
        stderr=follower,
    )
    os.close(follower)
    seen = b""
    while seen.count(b"daily") < 2:  # it came round again
        seen += os.read(leader, 4096)
    program.send_signal(signal.SIGINT)
    assert program.wait(timeout=30) == 0
    os.close(leader)


def test_colours_on_a_terminal_only_and_never_with_no_color(place: Place) -> None:
    place.spend(1)

    def on_a_terminal(**environment: str) -> bytes:
        leader, follower = pty.openpty()
        program = subprocess.Popen(
            [COMMAND, "status"],
            env={
                **os.environ,
                "FARTHING_STORE": place.store,
                "TERM": "xterm-256color",
                **environment,
            },
            stdout=follower,
        )
        os.close(follower)
        said = b""
        try:
            while part := os.read(leader, 4096):
                said += part
        except OSError:  # the other end is closed
            pass
        os.close(leader)
        assert program.wait(timeout=30) == 0
        return said

    assert b"\x1b[" in on_a_terminal()
    assert b"\x1b[" not in on_a_terminal(NO_COLOR="1")


def test_ledger_filters_and_counts(place: Place) -> None:
    place.spend(4)
    assert len(place.run("ledger", "--json").splitlines()) == 4
    assert len(place.run("ledger", "--json", "-n", "2").splitlines()) == 2
    assert len(place.run("ledger", "--json", "--label", "user=u1").splitlines()) == 2
    assert len(place.run("ledger", "--json", "--model", "gpt-4.1-nano").splitlines()) == 4
    assert place.run("ledger", "--json", "--model", "gpt-5") == ""
    assert place.run("ledger", "--json", "--how", "hold") == ""
    assert len(place.run("ledger", "--json", "--since", "1h").splitlines()) == 4
    assert place.run("ledger", "--json", "--until", "2020-01-01") == ""
    row = json.loads(place.run("ledger", "--json").splitlines()[0])
    assert len(place.run("ledger", "--json", "--call", row["call"]).splitlines()) == 1


@pytest.mark.parametrize(
    ("cost", "difference", "said"),
    [
        ("0.0123", "0.0073", "0.0073 USD above what the price book says"),
        ("0.004", "-0.001", "0.001 USD below what the price book says"),
        ("0.005", "0.00", "as the price book says"),
    ],
)
def test_what_a_provider_reported_stands_beside_the_book(
    place: Place, cost: str, difference: str, said: str
) -> None:
    """OpenRouter bills what it tells (R25), here for 1,000 and 1,000 tokens at 1 and 4 USD per million."""
    rates = {"input_tokens": "1 USD per million", "output_tokens": "4 USD per million"}
    price = {"provider": "openrouter", "model": "acme/one", "rates": rates}
    usage = {"prompt_tokens": 1000, "completion_tokens": 1000, "cost": float(cost)}
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": ""}}
    answer = {"id": "c", "model": "acme/one", "choices": [choice], "usage": usage}
    with farthing.Guard(
        caps=[farthing.Cap("1 USD", per="day")], prices=[price], store=place.store
    ) as guard:
        transport = httpx.MockTransport(lambda _: httpx.Response(200, json=answer))
        with httpx.Client(transport=transport) as client:
            guard.wrap(client)
            client.post(
                "https://openrouter.ai/api/v1/chat/completions",
                json={"model": "acme/one", "messages": [], "max_tokens": 1000},
                headers={"authorization": "Bearer sk"},
            )
        (row,) = guard.ledger()
    assert row.reported_difference_usd == Decimal(difference)
    shown = json.loads(place.run("ledger", "--json"))
    assert (shown["actual_nano"], shown["reported_difference"]) == (
        int(Decimal(cost) * 10**9),
        difference,
    )
    (entry,) = csv.DictReader(io.StringIO(place.run("ledger", "--csv")))
    assert entry["reported_difference"] == difference
    assert said in place.run("why", row.id)


def test_ledger_as_csv_is_what_json_says(place: Place) -> None:
    place.spend(2)
    table = list(csv.DictReader(io.StringIO(place.run("ledger", "--csv"))))
    lines = [json.loads(line) for line in place.run("ledger", "--json").splitlines()]
    assert [row["id"] for row in table] == [row["id"] for row in lines]
    assert [Decimal(row["actual"]) for row in table] == [Decimal(row["actual"]) for row in lines]


def test_refusals_are_listed_and_explained(place: Place) -> None:
    guard = place.spend(1)
    guard.set_limit("daily", "0 USD")
    with pytest.raises(farthing.CapExceeded):
        place.spend(1)
    for open_guard in list(_receipts.open_guards):
        open_guard.close()  # refusals are written beside the calls, at the latest now
    said = place.run("ledger", "--denied")
    assert "daily" in said
    denial = json.loads(place.run("ledger", "--denied", "--json").splitlines()[0])
    why = place.run("why", denial["id"])
    assert "daily" in why and "0.00 USD" in why


def test_why_tells_of_an_attempt_by_any_of_its_ids(place: Place) -> None:
    place.spend(1)
    row = json.loads(place.run("ledger", "--json"))
    for id in (row["id"], row["call"], row["response_id"]):
        said = place.run("why", id)
        assert "gpt-4.1-nano" in said and row["id"] in said, id
    assert "nothing" in place.run("why", "0000000000000", code=3).lower()


def test_prices_finds_models(place: Place) -> None:
    said = place.run("prices", "gpt-5-mini")
    assert "gpt-5-mini" in said and "0.25" in said and "2.00" in said
    assert "gpt-5-mini" in place.run("prices", "gpt-5-mimi", code=3)  # near names


# ---- policies


def test_check_says_the_caps_in_words(place: Place) -> None:
    (place.folder / "farthing.toml").write_text(
        '[[cap]]\nlimit = "5 USD"\nper = "day"\neach = "api_key"\n'
    )
    said = place.run("check")
    (row,) = [line for line in said.splitlines() if "5.00 USD" in line]
    assert "day" in row and "each api_key" in row


def test_check_names_file_line_key_and_the_word_that_was_meant(place: Place) -> None:
    (place.folder / "wrong.toml").write_text(
        '[[cap]]\nlimitt = "5 USD"\nper = "daily"\n[[cap]]\nlimit = 5\nper = "day"\n'
    )
    said = place.run("check", "wrong.toml", code=1)
    assert "wrong.toml:2" in said and "limitt" in said and "limit" in said
    assert "wrong.toml:3" in said and "day" in said
    assert "wrong.toml:5" in said and "5 USD" in said  # all errors, not only the first


@pytest.mark.parametrize("line", NOT_TOML)
def test_what_is_not_toml_is_an_error_with_its_line(place: Place, line: str) -> None:
    (place.folder / "typo.toml").write_text(f'name = "typo"\n{line}\nlimit = "5 USD"\n')
    assert "typo.toml:2: not TOML" in place.run("check", "typo.toml", code=1)
    (place.folder / "farthing.toml").write_text('price_book = "own.book"\n')
    assert "typo.toml:2: " in place.run("prices", "update", "typo.toml", code=1)


def test_check_of_a_file_that_is_not_there(place: Place) -> None:
    assert "missing.toml" in place.run("check", "missing.toml", code=1)


def test_a_policy_is_applied_and_removed(place: Place) -> None:
    (place.folder / "farthing.toml").write_text(
        'store = "file:farthing.db"\n[[cap]]\nid = "weekly"\nlimit = "7 USD"\nper = "week"\n'
    )
    place.run("policy", "apply", "farthing.toml")
    assert "weekly" in place.run("cap", "list")
    assert "weekly" in place.run("cap", "list", FARTHING_STORE="")  # the project's policy names it
    place.run("policy", "remove", "default")
    assert "weekly" not in place.run("cap", "list")
    place.run("policy", "remove", "default", code=3)


# ---- changing


def test_halt_stops_and_resume_goes_on(place: Place) -> None:
    place.spend(1)
    place.run("halt", "--match", "project=shop", "--why", "loop")
    assert "loop" in place.run("status")
    with pytest.raises(farthing.Halted, match="loop"):
        place.spend(1)
    place.run("resume")
    place.spend(1)
    place.run("resume", "77", code=2)


def test_a_limit_is_set_for_one_counter_and_cleared(place: Place) -> None:
    guard = place.spend(2)
    place.run("cap", "set", "users", "1 request", "--for", "u0", "--who", "ann", "--why", "test")
    with pytest.raises(farthing.CapExceeded):
        place.spend(1)
    assert "1 request instead of 10 requests" in place.run("status")
    place.run("cap", "clear", "users", "--for", "u0")
    place.spend(1)
    guard.close()


def test_a_limit_until_a_time(place: Place) -> None:
    place.spend(1)
    place.run("cap", "set", "daily", "9 USD", "--until", "friday")
    assert "9.00 USD" in place.run("status")
    assert "next-week" in place.run("cap", "set", "daily", "9 USD", "--until", "next-week", code=2)


def test_an_adjustment_corrects_what_an_attempt_cost(place: Place) -> None:
    place.spend(1)
    row = json.loads(place.run("ledger", "--json"))
    place.run("adjust", "0.50 USD", row["id"])
    report = json.loads(place.run("status", "--json"))
    daily = next(c for c in report["counters"] if c["cap"] == "daily")
    assert Decimal(daily["spent"]) == Decimal("0.50")
    place.run("adjust", "0.50 USD", "0000000000000", code=3)


def test_the_clock_is_reset(place: Place) -> None:
    place.spend(1)
    place.run("store", "reset-clock")
    report = json.loads(place.run("status", "--json"))
    assert Decimal(next(c for c in report["counters"] if c["cap"] == "daily")["spent"]) > 0


# ---- trouble


@pytest.mark.parametrize(
    "arguments",
    [
        ["cap", "set", "daily", "5"],
        ["cap", "set", "daily", "five USD"],
        ["ledger", "--since", "yesterdayish"],
        ["ledger", "--how", "somehow"],
        ["ledger", "--label", "user"],
        ["halt", "--match", "project"],
        ["adjust", "1 EUR", "0000000000000"],
        ["status", "--nonsense"],
        ["status", "--all", "--watch", "1"],
        ["status", "--all", "--store", "file:farthing.db"],
        ["adjust", "1 USD", "0000000000000", "--since", "2h"],
    ],
    ids=" ".join,
)
def test_wrong_usage_is_2_and_says_what_is_accepted(place: Place, arguments: list[str]) -> None:
    place.spend(1)
    assert len(place.run(*arguments, code=2)) > 20


def test_an_unknown_command_is_named_beside_those_there_are(place: Place) -> None:
    assert "`stats`; there are: status, ledger" in place.run("stats", code=2)
    assert "`cap lst`; there are: list, set" in place.run("cap", "lst", code=2)


def test_a_cap_that_is_not_there_is_3_and_names_those_that_are(place: Place) -> None:
    place.spend(1)
    assert "daily" in place.run("cap", "set", "dayly", "5 USD", code=3)


def test_trouble_with_the_store_is_4(place: Place) -> None:
    missing = place.run("status", "--store", "file:missing.db", code=4)
    assert "missing.db" in missing
    assert not (place.folder / "missing.db").exists()  # looking makes nothing
    (place.folder / "foreign.db").write_text("not a database, but long enough to look at" * 20)
    assert "foreign.db" in place.run("status", "--store", "file:foreign.db", code=4)
    place.run("status", "--store", "memory:", code=2)  # nothing to look at from here


def test_a_reader_that_stops_reading_is_no_error(place: Place) -> None:
    place.spend(3)
    done = subprocess.run(
        f"'{COMMAND}' ledger --json -n 0 | head -1",
        shell=True,
        executable="/bin/bash",
        env={**os.environ, "FARTHING_STORE": place.store},
        capture_output=True,
        text=True,
    )
    assert done.stdout.count("\n") == 1 and done.stderr == ""


@pytest.mark.parametrize(
    "arguments",
    [
        ["ledger", "--csv", "-n", "0"],
        ["ledger", "--json", "-n", "0"],
        ["ledger"],
        ["status"],
        ["status", "--watch"],
        ["cap", "list"],
        ["prices"],
    ],
    ids=" ".join,
)
def test_output_that_cannot_be_written_is_1(place: Place, arguments: list[str]) -> None:
    place.spend(1)
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [COMMAND, *arguments],
            env={**os.environ, "FARTHING_STORE": place.store},
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
        )
    assert done.returncode == 1
    assert "could not be written" in done.stderr


def test_without_any_output_it_does_what_it_was_told(place: Place) -> None:
    place.spend(1)
    for words in ("halt --why night", "resume", "status"):
        done = subprocess.run(
            f"'{COMMAND}' {words} >&-",
            shell=True,
            env={**os.environ, "FARTHING_STORE": place.store},
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
        )
        assert (done.returncode, done.stderr) == (0, ""), words


def test_help_and_version() -> None:
    for arguments in (["--help"], ["ledger", "--help"], ["--version"]):
        done = subprocess.run([COMMAND, *arguments], capture_output=True, text=True)
        assert done.returncode == 0 and done.stdout and not done.stderr


def test_the_module_holds_the_same_command() -> None:
    from_module = [sys.executable, "-c", "from farthing._command import main; main()"]
    for arguments, code in (["--help"], 0), (["check", b"absent\xff.toml"], 1), (["stats"], 2):
        module, program = (
            subprocess.run([*command, *arguments], capture_output=True, check=False)
            for command in (from_module, [COMMAND])
        )
        assert module.returncode == program.returncode == code
        assert (module.stdout, module.stderr) == (program.stdout, program.stderr)
