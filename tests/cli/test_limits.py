"""Limits set at run time by the command: which counter, from what to what, by whom and until when (R8)."""

from __future__ import annotations

import json

import pytest

import farthing
from tests.cli.conftest import Place


def test_setting_and_clearing_say_which_cap_and_what_changed(place: Place) -> None:
    place.spend(1)
    said = place.run("cap", "set", "use", "2 requests", "--for", "u42", "--until", "2099-01-01")
    assert said.startswith(
        'cap "users" (10 requests per hour for each user), for user=u42: 10 requests -> 2 requests'
        " until 2099-01-01"
    )
    said = place.run("cap", "clear", "use", "--for", "u42")
    assert "for user=u42: 2 requests -> 10 requests" in said


def test_a_limit_for_one_counter_of_several_kinds_names_them(place: Place) -> None:
    """By position a lowering in an emergency could hit another counter than the one that is meant."""
    (place.folder / "p.toml").write_text(
        '[[cap]]\nid = "both"\nlimit = "5 USD"\nper = "day"\neach = ["user", "project"]\n'
    )
    place.run("policy", "apply", "p.toml")
    for counter in (["u42", "web"], ["user=u42"], ["user=u42", "team=web"], ["user=a", "user=b"]):
        given = [word for one in counter for word in ("--for", one)]
        said = place.run("cap", "set", "both", "1 USD", *given, code=2)
        assert "has a counter for each project=... and user=..." in said
    for order in (["user=u42", "project=web"], ["project=web", "user=u42"]):
        given = [word for one in order for word in ("--for", one)]
        said = place.run("cap", "set", "both", "1 USD", *given)
        assert "for project=web, user=u42: 5.00 USD -> 1.00 USD" in said
        assert "1.00 USD -> 5.00 USD" in place.run("cap", "clear", "both", *given)
    guard = farthing.Guard(caps=[], store=place.store)
    guard.set_limit("both", "2 USD", each={"user": "u42", "project": "web"})
    assert "project=web, user=u42: 2.00 USD" in place.run("cap", "list")
    with pytest.raises(farthing.ArgumentError, match=r"project=\.\.\. and user=\.\.\."):
        guard.clear_limit("both", each=["u42", "web"])
    guard.clear_limit("both", each={"project": "web", "user": "u42"})
    guard.close()


def test_a_time_given_as_a_counter_is_told_where_it_belongs(place: Place) -> None:
    place.spend(1)
    said = place.run("cap", "set", "daily", "9 USD", "--for", "2h", code=2)
    assert "has one counter for all its calls" in said and "found 2h" in said and "`until`" in said


def test_who_set_which_limit_until_when_can_be_read(place: Place) -> None:
    """R8: with who, why and until."""
    guard = place.spend(1)
    note = ["--who", "ann", "--why", "launch"]
    place.run("cap", "set", "users", "2 requests", "--for", "u42", "--until", "2099-01-01", *note)
    place.run("cap", "set", "daily", "50 USD", "--who", "bob")
    said = place.run("cap", "list")
    assert (
        "user=u42: 2 requests instead of 10 requests until 2099-01-01T00:00:00Z, by ann: launch"
        in said
    )
    assert "50.00 USD instead of 5.00 USD, by bob" in said
    listed = {cap["cap"]: cap for cap in json.loads(place.run("cap", "list", "--json"))}
    (change,) = listed["users"]["changes"]
    assert (change["counter"], change["limit"], change["baseline"]) == ({"user": "u42"}, 2, 10)
    assert (change["who"], change["why"]) == ("ann", "launch")
    assert change["until"] == "2099-01-01T00:00:00Z"
    counters = json.loads(place.run("status", "--json"))["counters"]
    daily = next(counter for counter in counters if counter["cap"] == "daily")
    assert (daily["change"]["who"], daily["change"]["until"]) == ("bob", None)
    assert "by bob" in place.run("status")

    newest, before = place.run("cap", "log", "--json", "-n", "2").splitlines()
    newest, before = json.loads(newest), json.loads(before)
    assert (newest["who"], newest["what"]) == (
        "bob",
        "limit of daily set to 50.00 USD, it was 5.00 USD",
    )
    assert (before["who"], before["why"]) == ("ann", "launch")
    assert before["what"].startswith("limit of users for u42 set to 2 requests, it was 10")
    assert "policy" in place.run("cap", "log", "-n", "0")
    assert [change.what for change in guard.changes(2)] == [newest["what"], before["what"]]
