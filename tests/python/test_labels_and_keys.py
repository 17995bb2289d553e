"""What a call is counted on: labels that Farthing sets (R29), keys (R30), and what the ledger keeps of it (R41)."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path
from typing import Any

import openai
import pytest

import farthing

from .conftest import CHEAP, MODEL, Shop
from .money import billed

DAY = farthing.Cap("5 USD", per="day", id="day")
PER_KEY = farthing.Cap("10 requests", per="day", each=["api_key"], id="keys")


def _per_key(guard: farthing.Guard) -> dict[str, Any]:
    return {
        counter.cap.counter["api_key"]: counter.cap.spent
        for counter in guard.status().counters
        if counter.cap.cap == "keys" and counter.cap.counter
    }


def test_what_a_call_is_called(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """R29: of the asked model and of the request, whatever is served."""
    monkeypatch.setattr("openai._base_client.INITIAL_RETRY_DELAY", 0.0)
    guard = shop.guard(DAY)
    client = guard.wrap(shop.client(max_retries=1))
    shop.provider.script({"status": 500}, {})
    dated = f"{MODEL}-2025-04-14"
    client.chat.completions.create(**{**CHEAP, "model": dated})
    client.embeddings.create(model="text-embedding-3-small", input="hello")
    client.images.generate(
        model="gpt-image-1", prompt="a mill", size="1024x1024", quality="low", n=1
    )
    told = [dict(row.labels) for row in guard.ledger()][::-1]
    for labels in told:
        labels.pop("api_key")
    chat = {
        "provider": "openai",
        "model": MODEL,
        "model_asked": dated,
        "model_family": told[0]["model_family"],
        "modality": "text",
        "endpoint": "chat.completions",
        "operation": "generate",
    }
    assert told[0] == {**chat, "attempt_kind": "primary"}
    assert told[1] == {**chat, "attempt_kind": "retry"}
    assert (told[2]["modality"], told[2]["endpoint"]) == ("embedding", "embeddings")
    assert (told[3]["modality"], told[3]["size"], told[3]["quality"]) == (
        "image",
        "1024x1024",
        "low",
    )


def test_the_model_that_served_changes_the_price_and_never_the_counter(shop: Shop) -> None:
    """R29."""
    guard = shop.guard(
        farthing.Cap("5 USD", per="day", id="asked", match={"model": MODEL}),
        farthing.Cap("5 USD", per="day", id="served", match={"model": "gpt-4.1"}),
    )
    client = guard.wrap(shop.client())
    client.chat.completions.create(**CHEAP)
    shop.provider.script({"model": "gpt-4.1"})
    client.chat.completions.create(**CHEAP)
    dear, cheap = guard.ledger()
    assert (dear.model, dear.model_served) == (MODEL, "gpt-4.1")
    assert dear.actual_usd is not None and cheap.actual_usd is not None
    assert dear.actual_usd > 5 * cheap.actual_usd
    spent = {counter.cap.cap: counter.cap.spent for counter in guard.status().counters}
    assert spent == {"asked": billed(shop.provider), "served": 0}


def test_every_key_has_a_counter_of_its_own_and_no_name_shows_it(file_shop: Shop) -> None:
    """R30: known by a hash whose secret the store keeps, so the next guard on it knows the same keys."""
    for _ in range(2):
        with file_shop.guard(PER_KEY) as guard:
            for key in ("sk-secret-one", "sk-secret-two"):
                guard.wrap(file_shop.client(api_key=key)).chat.completions.create(**CHEAP)
            counters = _per_key(guard)
    assert list(counters.values()) == [2, 2]
    ids = [re.fullmatch(r"k[0-9a-f]{16}-([0-9a-f]{4})", key) for key in counters]
    assert all(ids)
    assert len({found[1] for found in ids if found}) == 1, "of one secret"


def test_names_of_keys_rotate_and_keep_one_counter(
    file_shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R30: a name has several keys, of the environment or by their ids; the id is the same wherever the secret is."""
    monkeypatch.setenv("KEY_A", "sk-test-aaaa")
    monkeypatch.setenv("OUR_SECRET", "a secret of ours, long enough")
    more: dict[str, Any] = {"key_secret": "${OUR_SECRET}"}
    with file_shop.guard(PER_KEY, store="memory:", **more) as elsewhere:
        elsewhere.wrap(file_shop.client(api_key="sk-test-bbbb")).chat.completions.create(**CHEAP)
        (known,) = _per_key(elsewhere)
    keys = [{"name": "bot", "env": ["KEY_A"], "ids": [known], "labels": {"team": "search"}}]
    with file_shop.guard(PER_KEY, api_keys=keys, **more) as guard:
        for key in ("sk-test-aaaa", "sk-test-bbbb"):
            guard.wrap(file_shop.client(api_key=key)).chat.completions.create(**CHEAP)
        assert _per_key(guard) == {"bot": 2}
        assert {(row.key_name, row.labels["team"]) for row in guard.ledger()} == {("bot", "search")}

    monkeypatch.setenv("OUR_SECRET", "another secret of ours, as long")
    with pytest.raises(farthing.FarthingError) as caught:
        file_shop.guard(PER_KEY, api_keys=keys, **more)
    assert isinstance(caught.value, (farthing.PolicyError, farthing.ArgumentError))
    assert known in str(caught.value) and "secret" in str(caught.value)


def test_the_ledger_has_everything_of_an_attempt(
    file_shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R41: every column of it is there, for people with SQL and for `guard.ledger()`."""
    monkeypatch.setenv("BOT_KEY", "sk-test-0001")
    guard = file_shop.guard(DAY, api_keys={"bot": "BOT_KEY"}, labels={"org": "acme"})
    client = guard.wrap(file_shop.client(), project="site")
    file_shop.provider.script(
        {"rate_limits": True, "service_tier": "priority", "delay": 0.01, "cached_share": 0.5},
        {"status": 429, "error": {"code": "rate_limit_exceeded"}},
    )
    ask = {**CHEAP, "service_tier": "auto"}
    with guard.scope(user="u1"), guard.task("triage") as task, guard.action() as action:
        reply = client.chat.completions.create(**ask)
        with pytest.raises(openai.RateLimitError):
            client.chat.completions.create(**ask)
    failed, row = guard.ledger()
    assert row.id and row.call and (row.action, row.runs) == (action.id, ((task.run_id, "triage"),))
    assert {"org": "acme", "project": "site", "user": "u1", "task": "triage"}.items() <= (
        row.labels.items()
    )
    assert (row.key_name, row.response_id, row.request_id) == (
        "bot",
        reply.id,
        reply._request_id,
    )
    assert (row.status, row.how, row.finish_reason) == (200, "usage", "stop")
    assert row.latency_ms >= 10
    assert (row.model, row.model_asked, row.model_served) == (MODEL, MODEL, reply.model)
    assert (row.tier_asked, row.tier_served) == ("auto", "priority")
    assert row.quantities.keys() >= {"input_tokens", "cache_read_tokens", "output_tokens"}
    assert row.likely_usd is not None and row.actual_usd is not None
    assert row.ceiling_usd is not None and 0 < row.likely_usd <= row.ceiling_usd
    assert row.booked["usd"] == row.actual_usd and row.booked["requests"] == 1
    assert row.book_version and row.confidence
    assert (failed.status, failed.how, failed.error_class) == (
        429,
        "provider_error",
        "rate_limit_exceeded",
    )

    guard.close()
    with sqlite3.connect(Path(file_shop.store.removeprefix("file:"))) as database:
        database.row_factory = sqlite3.Row
        kept = dict(database.execute("SELECT * FROM ledger WHERE status = 200").fetchone())
    database.close()
    assert kept["actual_nano"] == int(row.actual_usd.scaleb(9))
    assert kept["ceiling_nano"] >= kept["likely_nano"] > 0
    assert '"output_tokens":"0.80 USD per million"' in kept["rates"], "of the tier that served"
    for column in (
        *("action", "call", "attempt", "runs", "labels", "api_key", "request_id", "response_id"),
        *("status", "latency_ms", "finish_reason", "model_asked", "model", "model_served"),
        *("tier_asked", "tier_served", "quantities", "rates", "book_version", "how"),
        *("headroom", "booked", "held", "output_limit", "policy_revision", "process"),
    ):
        assert kept[column] not in (None, "", "{}", "[]"), column
    assert "approval" in kept, "its time comes with approvals"
