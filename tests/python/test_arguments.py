"""Arguments that make no sense are errors of ours, before anything is opened or changed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import farthing

from .conftest import CHEAP, Shop
from .money import counted

DAY = farthing.Cap("5 USD", per="day", id="day")
SET_BY_FARTHING = [
    *("provider", "model", "model_asked", "model_family", "modality", "endpoint", "operation"),
    *("size", "quality", "resolution", "attempt_kind", "api_key"),
]

WRONG: dict[str, Callable[[Any, Any], object]] = {
    "labels=": lambda guard, _: guard.ledger(labels="x"),
    "label u1": lambda guard, _: guard.ledger(labels={"user": 1.5}),
    "limit=-1": lambda guard, _: guard.ledger(limit=-1),
    "limit='5'": lambda guard, _: guard.ledger(limit="5"),
    "limit=True": lambda guard, _: guard.ledger(limit=True),
    "model=5": lambda guard, _: guard.ledger(model=5),
    "since": lambda guard, _: guard.ledger(since=5),
    "denials": lambda guard, _: guard.denials(-1),
    "match='project'": lambda guard, _: guard.halt("x", match="project"),
    "match of 5": lambda guard, _: guard.halt("x", match={"project": 5}),
    "match of [5]": lambda guard, _: guard.halt("x", match={"project": [5]}),
    "why=5": lambda guard, _: guard.halt(5),
    "resume": lambda guard, _: guard.resume("x"),
    "resume True": lambda guard, _: guard.resume(True),
    "resume an unknown one": lambda guard, _: guard.resume(77),
    "set_limit cap": lambda guard, _: guard.set_limit(5, "1 USD"),
    "set_limit each": lambda guard, _: guard.set_limit("day", "1 USD", each="u1"),
    "set_limit limit": lambda guard, _: guard.set_limit("day", 5),
    "set_limit who": lambda guard, _: guard.set_limit("day", "1 USD", who=5),
    "clear_limit": lambda guard, _: guard.clear_limit("day", each=[5]),
    "end_job id": lambda guard, _: guard.end_job(5),
    "end_job amount": lambda guard, _: guard.end_job("x", 5),
    "why of an id": lambda guard, _: guard.why(5),
    "flush": lambda guard, _: guard.flush("long"),
    "estimate endpoint": lambda guard, _: guard.estimate(5),
    "estimate count": lambda guard, _: guard.estimate("chat.completions", count="x"),
    "estimate count 0": lambda guard, _: guard.estimate("chat.completions", count=0),
    "estimate count 2^64": lambda guard, _: guard.estimate("chat.completions", count=2**64),
    "estimate labels": lambda guard, _: guard.estimate("chat.completions", labels=5),
    "estimate not JSON": lambda guard, _: guard.estimate("chat.completions", messages=[object()]),
    "task on 5": lambda guard, _: guard.task("x")(5),
    "task 5": lambda guard, _: guard.task(5),
    "task limit": lambda guard, _: guard.task("x", limit=5),
    "task limit no amount": lambda guard, _: guard.task("x", limit="much"),
    "scope on a string": lambda guard, _: guard.scope(user="u1")("f"),
    "scope value": lambda guard, _: guard.scope(user=None),
    "action on None": lambda guard, _: guard.action()(None),
    "join": lambda guard, _: guard.join(5),
    "join no token": lambda guard, _: guard.join("x"),
    "deployments": lambda guard, client: guard.wrap(client, deployments="x"),
    "deployments to 5": lambda guard, client: guard.wrap(client, deployments={"x": 5}),
    "count_tokens model": lambda *_: farthing.count_tokens(5, "x"),  # type: ignore[arg-type]
    "count_tokens policy": lambda *_: farthing.count_tokens("gpt-5", "x", policy=5),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("what", WRONG)
def test_of_a_guards_methods(shop: Shop, what: str) -> None:
    guard = shop.guard(DAY)
    with pytest.raises(farthing.ArgumentError) as caught:
        WRONG[what](guard, shop.client())
    assert caught.value.code in ("invalid_argument", "invalid_money", "unknown_halt")
    assert isinstance(caught.value, ValueError)
    status = guard.status()
    assert status.halts == () and status.counters[0].baseline is None


OPENED: dict[str, dict[str, Any]] = {
    "a cap as the policy": {"policy": DAY},
    "a list as the policy": {"policy": [DAY]},
    "a callback that is none": {"caps": [DAY], "on_alert": 5},
    "a store that is none": {"caps": [DAY], "store": 5},
    "a name that is none": {"caps": [DAY], "name": 5},
    "a price book that is none": {"caps": [DAY], "price_book": 5},
    "labels that are none": {"caps": [DAY], "labels": "x"},
}


@pytest.mark.parametrize("what", OPENED)
def test_of_opening(what: str, tmp_path: Path) -> None:
    with pytest.raises(farthing.ArgumentError):
        farthing.Guard(**OPENED[what])
    assert not (tmp_path / "state").exists()


DOCUMENTS: dict[str, dict[str, Any]] = {
    "caps": {"caps": DAY},
    "caps in a mapping": {"caps": {"day": DAY}},
    "caps of 5": {"caps": 5},
    "hosts": {"hosts": ["x"]},
    "api_keys": {"api_keys": 5},
    "api_keys in a list": {"api_keys": ["BOT_KEY"]},
    "prices": {"prices": {"model": "x"}},
    "endpoints": {"endpoints": "x"},
    "tokenizers": {"tokenizers": 5},
    "what Farthing sets": {"labels": {"model": "x"}},
}


@pytest.mark.parametrize("what", DOCUMENTS)
def test_of_a_policy_in_code(what: str) -> None:
    with pytest.raises(farthing.PolicyError) as caught:
        farthing.Guard(store="memory:", **DOCUMENTS[what])
    assert caught.value.problems


@pytest.mark.parametrize("kind", SET_BY_FARTHING)
def test_labels_that_farthing_sets_are_nobody_elses(shop: Shop, kind: str) -> None:
    """R29: an own value would be replaced in silence."""
    guard = shop.guard(DAY)
    client = shop.client()
    for give in (
        lambda: guard.wrap(client, **{kind: "x"}),
        lambda: guard.install(**{kind: "x"}),
        lambda: guard.scope(**{kind: "x"}),
        lambda: guard.estimate("chat.completions", labels={kind: "x"}, **CHEAP),
    ):
        with pytest.raises(farthing.ArgumentError, match=f"label {kind} is set by Farthing"):
            give()
    client.chat.completions.create(**CHEAP)
    assert list(guard.ledger(labels={kind: "x"})) == [], "looked for, they are labels like any"


def test_a_store_may_be_a_path(shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for given in (tmp_path / "own.db", Path("own.db")):
        with shop.guard(DAY, store=given) as guard:
            assert guard.store == f"file:{tmp_path / 'own.db'}"
            guard.wrap(shop.client()).chat.completions.create(**CHEAP)
            assert counted(guard, "day")[0] > 0
    assert (tmp_path / "own.db").exists()
