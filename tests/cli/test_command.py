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
import openai
import pytest

import farthing
from farthing import _receipts
from tests.cli.conftest import CALL, COMMAND, Place


def _spent(place: Place) -> Decimal:
    """Of the whole ledger."""
    lines = place.run("ledger", "--json", "-n", "0").splitlines()
    return sum((Decimal(json.loads(line)["actual"]) for line in lines), Decimal(0))


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


def test_ledger_to_read_is_the_newest_and_says_so_and_to_work_with_is_all(place: Place) -> None:
    place.spend(20)
    assert place.run("ledger").splitlines()[-1].startswith("20 entries, ")
    newest = json.loads(place.run("ledger", "--json", "-n", "1"))
    place.run("adjust", "0.5 USD", newest["id"])
    for form in ("--json", "--csv"):
        assert len(place.run("ledger", form).splitlines()) == 21 + (form == "--csv")
    last = place.run("ledger").splitlines()[-1]
    assert last.startswith("the newest 20 entries, ")
    assert last.endswith("(more: --most N, 0 = all)")
    assert place.run("ledger", "-n", "21").splitlines()[-1].startswith("21 entries, ")
    entries = [json.loads(line) for line in place.run("ledger", "--json").splitlines()]
    counters = json.loads(place.run("status", "--json"))["counters"]
    (daily,) = [counter for counter in counters if counter["cap"] == "daily"]
    assert sum(entry["booked_usd_nano"] for entry in entries) == daily["spent_nano"]


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
    for name in ("host", "modality", "approval"):  # R41
        assert [row[name] for row in table] == [row[name] for row in lines], name
    assert [json.loads(row["headroom"] or "null") for row in table] == [
        row["headroom"] for row in lines
    ]


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
    assert "daily" in why and "0.00 USD" in why and '"user":"u0"' in why


@pytest.mark.parametrize(
    "arguments",
    [
        ("why", ""),
        *(("ledger", f"--{name}", "") for name in ("since", "model", "call", "run", "how")),
    ],
)
def test_what_is_empty_is_not_everything(place: Place, arguments: tuple[str, ...]) -> None:
    """A variable of the shell that nobody set."""
    place.spend(1)
    assert "is empty" in place.run(*arguments, code=2)


def test_refusals_are_filtered_as_entries_are(place: Place) -> None:
    guard = place.spend(2)
    guard.set_limit("daily", "0 USD")
    told = []
    for _ in range(2):
        with pytest.raises(farthing.CapExceeded) as caught:
            place.spend(1)  # of u0
        told.append(caught.value.attempt)
    for open_guard in list(_receipts.open_guards):
        open_guard.close()

    def listed(*filters: str) -> int:
        return len(place.run("ledger", "--denied", "--json", *filters).splitlines())

    assert listed() == listed("--label", "user=u0") == listed("--since", "1h") == 1  # coalesced
    assert len(set(told)) == 2
    for attempt in told:
        said = place.run("why", attempt)
        assert said.startswith(f"refused {attempt}, one of 2 equal refusals from")
    assert listed("--model", "gpt-4.1-nano", "--label", "project=shop") == 1
    for nothing in (
        ["--label", "user=u1"],
        ["--model", "gpt-5"],
        ["--until", "2020-01-01"],
        ["--label", "user=u0", "--label", "project=other"],
    ):
        assert listed(*nothing) == 0, nothing


def test_why_tells_of_an_attempt_by_any_of_its_ids(place: Place) -> None:
    place.spend(1)
    row = json.loads(place.run("ledger", "--json"))
    for id in (row["id"], row["call"], row["response_id"]):
        said = place.run("why", id)
        assert "gpt-4.1-nano" in said and row["id"] in said, id
    assert "nothing" in place.run("why", "0000000000000", code=3).lower()


def test_control_characters_of_others_never_reach_a_terminal(place: Place) -> None:
    name = "evil\x1b]0;title\x07\x1b[2J\x7f\x9b31m"
    guard = farthing.Guard(
        caps=[farthing.Cap("10 requests", per="day")],
        store=place.store,
        hosts={f"127.0.0.1:{place.provider.port}": {"provider": "openai"}},
    )
    with httpx.Client() as client:
        guard.wrap(client)
        client.post(
            f"{place.provider.url}/chat/completions",
            json={"model": name, "messages": []},
            headers={"authorization": "Bearer sk-test-0001"},
        )
    guard.close()
    row = json.loads(place.run("ledger", "--json"))
    assert row["model"] == name  # as it is
    for said in (place.run("ledger"), place.run("why", row["id"])):
        assert "evil?]0;title??[2J??31m" in said
        assert not [c for c in said if c != "\n" and (ord(c) < 0x20 or 0x7F <= ord(c) < 0xA0)]


def test_prices_finds_models(place: Place) -> None:
    said = place.run("prices", "gpt-5-mini")
    assert "gpt-5-mini" in said and "0.25" in said and "2.00" in said
    assert "gpt-5-mini" in place.run("prices", "gpt-5-mimi", code=3)  # near names
    assert 'no provider "opnai"' in (said := place.run("prices", "--provider", "opnai", code=3))
    assert "openai" in said


def test_prices_of_any_quantity_are_listed(place: Place) -> None:
    said = place.run("prices", "tts-1", "--provider", "openai")
    assert said.splitlines()[1].split()[:4] == ["openai", "tts-1", "characters", "15.00"]
    said = place.run("prices", "sora-2", "--provider", "openai")
    assert "0.10 USD per second" in said and "size 1280x720" in said
    assert "other" not in place.run("prices", "gpt-5-mini", "--provider", "openai")


# ---- policies


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
    place.run("resume", "77", code=3)


def test_a_limit_is_set_for_one_counter_and_cleared(place: Place) -> None:
    guard = place.spend(2)
    place.run("cap", "set", "users", "1 request", "--for", "u0", "--who", "ann", "--why", "test")
    with pytest.raises(farthing.CapExceeded):
        place.spend(1)
    assert "1 request instead of 10 requests" in place.run("status")
    place.run("cap", "clear", "users", "--for", "u0")
    place.spend(1)
    guard.close()


def test_status_shows_of_each_cap_the_counters_that_spent_most(place: Place) -> None:
    guard = farthing.Guard(
        caps=[farthing.Cap("10 requests", per="hour", each="user", id="users")],
        store=place.store,
        hosts={f"127.0.0.1:{place.provider.port}": {"provider": "openai"}},
    )
    with openai.OpenAI(base_url=place.provider.url, api_key="sk-test-0001") as made:
        client = guard.wrap(made)
        for number in range(13):
            for _ in range(2 if number == 12 else 1):
                with guard.scope(user=f"u{number}"), guard.task("triage", limit="1 USD"):
                    client.chat.completions.create(**CALL)  # type: ignore[call-overload]
    said = place.run("status")
    assert said.count("user=") == 10 and "user=u12" in said
    assert "and 3 others that spent and hold no more   (--top 0)" in said  # users
    assert "and 4 others that spent and hold no more   (--top 0)" in said  # runs of the task
    assert said.count("task triage") == 1
    assert place.run("status", "--top", "0").count("user=") == 13
    assert place.run("status", "--top", "1").count("user=") == 1
    assert len(json.loads(place.run("status", "--json"))["counters"]) == 27


def test_limits_of_single_counters_in_a_policy_are_listed(place: Place) -> None:
    (place.folder / "farthing.toml").write_text(
        '[[cap]]\nlimit = "5 USD"\nper = "day"\neach = "user"\nlimits = { u42 = "50 USD" }\n'
    )
    place.run("policy", "apply", "farthing.toml")
    said = place.run("cap", "list")
    assert "u42: 50.00 USD" in said and ";match=" not in said  # an id nobody gave says nothing
    (cap,) = json.loads(place.run("cap", "list", "--json"))
    assert cap["limits"] == [{"values": ["u42"], "limit": "50.00 USD"}]


def test_a_limit_until_a_time(place: Place) -> None:
    place.spend(1)
    assert "T00:00:00Z" in place.run("cap", "set", "daily", "9 USD", "--until", "friday")
    assert "9.00 USD" in place.run("status")
    (place.folder / "farthing.toml").write_text('timezone = "Asia/Tokyo"\n')
    assert "T15:00:00Z" in place.run("cap", "set", "daily", "9 USD", "--until", "friday")
    assert "next-week" in place.run("cap", "set", "daily", "9 USD", "--until", "next-week", code=2)


def test_an_adjustment_corrects_what_an_attempt_cost(place: Place) -> None:
    place.spend(1)
    row = json.loads(place.run("ledger", "--json"))
    said = place.run("adjust", "0.50 USD", row["id"])
    assert said == f"attempt {row['id']} now costs 0.50 USD instead of {row['actual']} USD\n"
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


def test_a_policy_that_is_wrong_elsewhere_does_not_disarm_the_switch(place: Place) -> None:
    place.spend(1)
    policy = place.folder / "farthing.toml"
    policy.write_text('store = "file:farthing.db"\n[[cap]]\nlimit = "5 USD"\nper = "dya"\n')
    environment = {**os.environ, "FARTHING_STORE": ""}
    run = [COMMAND, "halt", "--why", "loop"]
    done = subprocess.run(run, cwd=place.folder, env=environment, capture_output=True, text=True)
    assert (done.returncode, "loop" in place.run("status")) == (0, True), done
    assert "is not a valid policy (farthing check says why); its store is taken" in done.stderr
    assert "dya" in place.run("check", code=1)
    # Where the store is cannot be read, the error says how to do without.
    policy.write_text('store = "file:farthing.db\n')
    done = subprocess.run(run, cwd=place.folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 1 and "Without it: --store file:PATH" in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["cap", "set", "daily", "5"],
        ["cap", "set", "daily", "five USD"],
        ["ledger", "--since", "yesterdayish"],
        ["ledger", "--how", "somehow"],
        ["ledger", "--label", "user"],
        ["ledger", "--most", "-3"],
        ["ledger", "--denied", "--how", "hold"],
        ["ledger", "--denied", "--call", "x"],
        ["ledger", "--denied", "--run", "x"],
        ["cap", "set", "daily", "5 USD", "--for", "u1"],
        ["cap", "clear", "users", "--for", "u1", "--for", "u2"],
        ["halt", "--match", "project"],
        ["halt", "--match", "project=shop,user=u1"],
        ["cap", "set", "users", "5 requests", "--for", "user=u1,project=shop"],
        ["ledger", "--label", "user=u1,project=shop"],
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
    assert 20 < len(place.run(*arguments, code=2)) < 400


@pytest.mark.parametrize(
    "arguments",
    [
        ["ledger", "--since", "yesterdayish"],
        ["ledger", "--label", "user"],
        ["ledger", "--denied", "--until", "soon"],
        ["adjust", "1 USD", "--unknown", "--since", "yesterdayish"],
        ["adjust", "1 USD", "no-id"],
    ],
    ids=" ".join,
)
def test_wrong_usage_is_told_before_a_store_is_looked_for(
    place: Place, arguments: list[str]
) -> None:
    assert "store" not in place.run(*arguments, code=2)


@pytest.mark.parametrize("arguments", [[], ["cap"], ["policy"], ["store"]], ids=" ".join)
def test_a_command_that_is_missing_is_said_with_those_there_are(
    place: Place, arguments: list[str]
) -> None:
    said = place.run(*arguments, code=2)
    command = " ".join(["farthing", *arguments])
    assert said.startswith(f"farthing: `{command}` wants a command: ")
    assert f"More: {command} --help" in said


def test_an_unknown_command_is_named_beside_those_there_are(place: Place) -> None:
    said = place.run("stats", code=2)
    assert "`stats`. Did you mean status? There are: status, ledger" in said
    assert "`cap lst`. Did you mean list? There are: list, set" in place.run("cap", "lst", code=2)
    assert "`xyzzy`. There are: status" in place.run("xyzzy", code=2)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ["ledger", "--sinc", "2h"],
            "`farthing ledger` takes no option --sinc. Did you mean --since?",
        ),
        (["ledger", "--sinc=2h"], "takes no option --sinc=2h. Did you mean --since?"),
        (["adjust", "0.5", "USD", "0AM6M8MJ00200"], 'An amount is one word, in quotes: "0.5 USD".'),
        (["cap", "set", "daily", "50", "USD"], 'An amount is one word, in quotes: "50 USD".'),
        (
            ["estimate", "--file", "r.json", "--store", "memory:"],
            "`farthing estimate` takes no option --store.",
        ),
        (
            ["--store", "file:x.db", "status"],
            "`farthing status` takes no option --store. It stands behind the command.",
        ),
        (
            ["count", "--model", "gpt-5-mini", "Hello world"],
            "there is no such file; a text comes on standard input (-)",
        ),
        (["ledger", "reprise"], '`farthing ledger` takes no "reprise". Did you mean reprice?'),
        (
            ["cap", "set", "a", "1 USD", "--utnil", "2h"],
            "`farthing cap set` takes no option --utnil",
        ),
        (["ledger", "--most", "1e3"], '"1e3" is no whole number from 0 to 1000000000'),
        (["estimate", "--count", "0"], '"0" is no whole number from 1 to 1000000000'),
    ],
    ids=lambda given: given if isinstance(given, str) else " ".join(given),
)
def test_a_misspelt_option_is_named_with_what_was_meant(
    place: Place, arguments: list[str], said: str
) -> None:
    assert said in place.run(*arguments, code=2)


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
