"""`policy apply --force`: an older version of a policy comes back on purpose only (R6)."""

from __future__ import annotations

import json
import os
import subprocess
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import farthing
from tests.cli.conftest import CALL, COMMAND, Place


def _policy(place: Place, name: str, limit: str, *, extra: str = "", cap: str = "team") -> Path:
    """A version of the same policy: files of one policy share its name, not their own."""
    file = place.folder / name
    file.write_text(
        f'name = "shop"\n[[cap]]\nid = "{cap}"\nlimit = "{limit}"\nper = "month"\n{extra}'
    )
    return file


def _limits(place: Place) -> dict[str, str]:
    return {cap["cap"]: cap["limit"] for cap in json.loads(place.run("cap", "list", "--json"))}


def _spent(place: Place, cap: str) -> Decimal:
    report: Any = json.loads(place.run("status", "--json"))
    return sum((Decimal(c["spent"]) for c in report["counters"] if c["cap"] == cap), Decimal(0))


def _apply(place: Place, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Unlike Place.run: what succeeds may warn."""
    return subprocess.run(
        [COMMAND, "policy", "apply", *arguments],
        cwd=place.folder,
        env={**os.environ, "FARTHING_STORE": place.store},
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_what_is_doubtful_is_said_as_check_says_it(place: Place) -> None:
    policy = place.folder / "doubtful.toml"
    policy.write_text('[[cap]]\nlimit = "1 USD"\nper = "day"\nmatch = { model = "gtp-5*" }\n')
    applied = _apply(place, policy.name)
    assert applied.returncode == 0 and "in force" in applied.stdout
    checked = subprocess.run(
        [COMMAND, "check", policy.name],
        cwd=place.folder,
        capture_output=True,
        text=True,
        timeout=60,
    )
    (doubt,) = checked.stderr.splitlines()
    assert doubt.startswith("warning: ") and "gtp-5*" in doubt
    assert doubt in applied.stderr.splitlines()


@pytest.fixture
def replaced(place: Place) -> Path:
    """The older, looser version of two; the newer one is in force."""
    older = _policy(place, "older.toml", "5 USD")
    newer = _policy(place, "newer.toml", "2 USD")
    place.run("policy", "apply", older.name)
    place.run("policy", "apply", newer.name)
    assert _limits(place) == {"team": "2.00 USD"}
    return older


def test_an_older_version_that_would_loosen_a_limit_is_refused(
    place: Place, replaced: Path
) -> None:
    said = place.run("policy", "apply", replaced.name, code=1)
    assert "[policy_superseded]" in said
    assert '"shop"' in said and "2.00 USD" in said and "5.00 USD" in said  # what it would loosen
    assert f"farthing policy apply --force {replaced}" in said
    assert _limits(place) == {"team": "2.00 USD"}
    with pytest.raises(farthing.StoreError) as caught:  # a program that still has it fares the same
        farthing.Guard(str(replaced), store=place.store)
    assert caught.value.code == "policy_superseded"
    assert _limits(place) == {"team": "2.00 USD"}


def test_the_command_that_the_refusal_names_puts_it_in_force(place: Place, replaced: Path) -> None:
    said = place.run("policy", "apply", replaced.name, code=1)
    named = said[said.index("farthing policy apply") :].partition("[")[0].split()[1:]
    assert "in force" in place.run(*named)
    assert _limits(place) == {"team": "5.00 USD"}
    assert "in force" in place.run("policy", "apply", replaced.name)  # current now: no force needed
    farthing.Guard(str(replaced), store=place.store).close()
    # And the one that it replaced is the older one now, but it only tightens.
    back = _apply(place, "newer.toml")
    assert back.returncode == 0 and "is in force in" in back.stdout
    assert back.stderr.startswith('warning: policy "shop" was in force in this store before')
    assert _limits(place) == {"team": "2.00 USD"}


def test_what_was_spent_is_kept_and_calls_of_an_open_guard_see_it(
    place: Place, replaced: Path
) -> None:
    import openai

    none = _policy(place, "none.toml", "0 USD")
    assert _apply(place, none.name).returncode == 0
    assert _apply(place, "--force", "newer.toml").returncode == 0
    guard = farthing.Guard(
        caps=[],
        store=place.store,
        hosts={f"127.0.0.1:{place.provider.port}": {"provider": "openai"}},
        held_wait="0s",
    )
    with openai.OpenAI(base_url=place.provider.url, api_key="sk-test-0001", max_retries=0) as made:
        client = guard.wrap(made)
        client.chat.completions.create(**CALL)  # type: ignore[call-overload]
        spent = _spent(place, "team")
        assert spent > 0
        assert _apply(place, none.name).returncode == 0
        with pytest.raises(farthing.CapExceeded):
            client.chat.completions.create(**CALL)  # type: ignore[call-overload]
        assert _apply(place, replaced.name).returncode == 1
        with pytest.raises(farthing.CapExceeded):
            client.chat.completions.create(**CALL)  # type: ignore[call-overload]
        place.run("policy", "apply", "--force", replaced.name)
        assert _spent(place, "team") == spent
        client.chat.completions.create(**CALL)  # type: ignore[call-overload]
        assert _spent(place, "team") > spent


def test_who_applied_and_removed_a_policy_is_in_the_log(place: Place) -> None:
    """R8: whatever changes what binds is in the log with who and why, also the clock."""
    _policy(
        place, "a.toml", "5 USD", extra='[[cap]]\nid = "own"\nlimit = "9 requests"\nper = "day"\n'
    )
    (place.folder / "b.toml").write_text(
        'name = "other"\n[[cap]]\nid = "team"\nlimit = "7 USD"\nper = "month"\n'
    )
    place.run("policy", "apply", "a.toml", "--who", "ann", "--why", "launch")
    place.run("policy", "apply", "b.toml")
    removed = place.run("policy", "remove", "shop", "--who", "bob", "--why", "over")
    assert removed.splitlines()[1:] == [  # of "team" the other policy has a limit
        '  cap "team" (5.00 USD per month): becomes 7.00 USD',
        '  cap "own" (9 requests per day): is gone, it binds nobody any more',
    ]
    place.run("store", "reset-clock", "--who", "eve", "--why", "it was set forward")
    log = [json.loads(line) for line in place.run("cap", "log", "--json").splitlines()]
    clock, remove, other, apply = log
    assert (clock["who"], clock["why"]) == ("eve", "it was set forward")
    assert clock["what"].startswith("the store's time set from 20")
    assert (remove["who"], remove["why"]) == ("bob", "over")
    assert "@" in other["who"]  # user@host
    assert (apply["who"], apply["why"]) == ("ann", "launch")
    assert apply["what"] == f'policy "shop" in force, from {place.folder / "a.toml"}'


def test_what_changes_is_said_and_a_dry_run_changes_nothing(place: Place) -> None:
    _policy(place, "one.toml", "5 USD")
    more = '[[cap]]\nid = "daily"\nlimit = "1 USD"\nper = "day"\n'
    _policy(place, "two.toml", "2 USD", extra=more)
    said = place.run("policy", "apply", "--dry-run", "one.toml").splitlines()
    assert said[1:] == ['  cap "team" (5.00 USD per month): is new']
    assert not (place.folder / "farthing.db").exists()
    place.run("policy", "apply", "one.toml")

    effects = [
        '  cap "team" (5.00 USD per month): becomes 2.00 USD',
        '  cap "daily" (1.00 USD per day): is new',
    ]
    said = place.run("policy", "apply", "--dry-run", "two.toml").splitlines()
    assert "would be in force" in said[0] and said[1:] == effects
    assert _limits(place) == {"team": "5.00 USD"}
    assert place.run("policy", "apply", "two.toml").splitlines()[1:] == effects
    assert _limits(place) == {"team": "2.00 USD", "daily": "1.00 USD"}
    assert "no limit changes" in place.run("policy", "apply", "two.toml")
    # What would be refused is refused by a dry run too.
    assert "[policy_superseded]" in place.run("policy", "apply", "--dry-run", "one.toml", code=1)


def test_a_limit_set_at_run_time_that_goes_on_is_told(place: Place) -> None:
    """R8: it wins over what was just applied, which nobody who reads "becomes 2.00 USD" expects."""
    users = '[[cap]]\nid = "users"\nlimit = "1 USD"\nper = "day"\neach = ["user"]\n'
    _policy(place, "one.toml", "5 USD", extra=users)
    two = _policy(place, "two.toml", "2 USD", extra=users)
    place.run("policy", "apply", "one.toml")
    place.run("cap", "set", "team", "9 USD", "--until", "2099-01-01", "--who", "ann")
    place.run("cap", "set", "users", "3 USD", "--for", "user=u42", "--who", "bob", "--why", "demo")
    said = [
        'warning: cap "team": a limit set at run time stays in force, 9.00 USD instead of 2.00 USD until '
        "2099-01-01T00:00:00Z, by ann. The policy's again: farthing cap clear team",
        'warning: cap "users" for user=u42: a limit set at run time stays in force, 3.00 USD instead of 1.00 USD, '
        "by bob: demo. The policy's again: farthing cap clear users --for user=u42",
    ]
    for arguments in (["--dry-run", two.name], [two.name], [two.name]):
        assert _apply(place, *arguments).stderr.splitlines() == said
    assert _limits(place)["team"] == "9.00 USD"
    for named in said:
        place.run(*named.partition("again: farthing ")[2].split())
    assert _apply(place, two.name).stderr == ""
    assert _limits(place)["team"] == "2.00 USD"


def test_limits_of_a_renamed_cap_and_of_one_in_another_unit_are_told_as_they_will_be(
    place: Place,
) -> None:
    team = '[[cap]]\nid = "{}"\nlimit = "{}"\nper = "month"\n{}'
    (place.folder / "one.toml").write_text('name = "shop"\n' + team.format("team", "5 USD", ""))
    (place.folder / "named.toml").write_text(
        'name = "shop"\n' + team.format("crew", "2 USD", 'was = "team"\n')
    )
    (place.folder / "counted.toml").write_text(
        'name = "shop"\n' + team.format("crew", "2 requests", 'was = "team"\n')
    )
    goes_on = (
        'warning: cap "crew": a limit set at run time stays in force, 9.00 USD instead of 2.00 USD, by ann. '
        "The policy's again: farthing cap clear crew"
    )
    rests = (
        'warning: cap "crew": a limit set at run time is no longer in force, 9.00 USD by ann: the cap counts '
        "something else now, or for others (2 requests per month)"
    )
    money = '[[cap]]\nid = "money"\nlimit = "1 USD"\nper = "day"\n'
    for each in ("one.toml", "named.toml", "counted.toml"):
        (place.folder / each).write_text((place.folder / each).read_text() + money)
    place.run("policy", "apply", "one.toml")
    place.run("cap", "set", "team", "9 USD", "--who", "ann")
    assert _apply(place, "--dry-run", "named.toml").stderr.splitlines() == [goes_on]
    assert _apply(place, "--dry-run", "counted.toml").stderr.splitlines() == [rests]
    assert _apply(place, "named.toml").stderr.splitlines() == [goes_on]
    assert _limits(place) == {"crew": "9.00 USD", "money": "1.00 USD"}
    assert _apply(place, "counted.toml").stderr.splitlines() == [rests]
    assert _limits(place) == {"crew": "2 requests", "money": "1.00 USD"}


def test_removing_can_be_looked_at_first(place: Place) -> None:
    _policy(place, "one.toml", "5 USD")
    place.run("policy", "apply", "one.toml")
    said = place.run("policy", "remove", "--dry-run", "shop").splitlines()
    effect = '  cap "team" (5.00 USD per month): is gone, it binds nobody any more'
    assert said[0].startswith('policy "shop" would no longer be in force') and said[1:] == [effect]
    assert _limits(place) == {"team": "5.00 USD"}
    for more in ([], ["--dry-run"]):
        said = place.run("policy", "remove", *more, "shp", code=3)
        assert 'no policy "shp" is in force' in said and "near names: shop" in said
    assert place.run("policy", "remove", "shop").splitlines()[1:] == [effect]
    assert _limits(place) == {}


def test_the_policies_in_force_are_listed(place: Place) -> None:
    _policy(place, "one.toml", "5 USD")
    place.run("policy", "apply", "one.toml")
    place.spend(1).close()
    first, second = json.loads(place.run("policy", "list", "--json"))
    assert (first["origin"], first["caps"]) == ("code", ['cap "daily"', 'cap "users"'])
    assert (second["name"], second["origin"], second["caps"]) == ("shop", "file", ['cap "team"'])
    assert second["since"].startswith("20")
    head, _, shop = place.run("policy", "list").splitlines()
    assert head.split() == ["policy", "from", "since", "caps"]
    assert shop.split() == ["shop", "file", second["since"], "1"]


def test_a_version_without_a_cap_that_is_in_force_loosens_it(place: Place) -> None:
    bare = _policy(place, "bare.toml", "5 USD")
    more = '[[cap]]\nid = "daily"\nlimit = "1 USD"\nper = "day"\n'
    place.run("policy", "apply", bare.name)
    place.run("policy", "apply", _policy(place, "both.toml", "5 USD", extra=more).name)
    assert "daily" in place.run("policy", "apply", bare.name, code=1)
    assert set(_limits(place)) == {"team", "daily"}
    place.run("policy", "apply", "--force", bare.name)
    assert set(_limits(place)) == {"team"}


def test_force_does_not_let_an_invalid_policy_in(place: Place, replaced: Path) -> None:
    wrong = place.folder / "wrong.toml"
    wrong.write_text('name = "shop"\n[[cap]]\nlimitt = "5 USD"\nper = "day"\n')
    assert "wrong.toml:3" in place.run("policy", "apply", "--force", wrong.name, code=1)
    assert "missing.toml" in place.run("policy", "apply", "--force", "missing.toml", code=1)
    assert _limits(place) == {"team": "2.00 USD"}


def test_force_is_not_needed_for_a_version_that_was_never_in_force(
    place: Place, replaced: Path
) -> None:
    place.run("policy", "apply", _policy(place, "newest.toml", "9 USD").name)
    assert _limits(place) == {"team": "9.00 USD"}
