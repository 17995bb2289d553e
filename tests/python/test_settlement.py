"""How an attempt ended, and what was settled (R23, R24)."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import openai
import pytest

import farthing

from .conftest import BR, CHEAP, Shop, sdk_family
from .money import billed, booked, counted

DAY = farthing.Cap("5 USD", per="day", id="day")
REQUESTS = farthing.Cap("100 requests", per="day", id="requests")


def _settled(shop: Shop, script: dict[str, Any], **ask: Any) -> tuple[farthing.Guard, str]:
    guard = shop.guard(DAY, REQUESTS)
    client = guard.wrap(shop.client(timeout=30))
    shop.provider.script(script)
    try:
        answer = client.chat.completions.create(**{**CHEAP, **ask})
        if ask.get("stream"):
            list(answer)
    except (openai.APIError, sdk_family().HTTPError, ValueError):
        pass
    (row,) = guard.ledger()
    assert counted(guard, "day") == (Decimal(row.booked.get("usd", 0)), 0)
    assert counted(guard, "requests") == (1, 0), "requests stays spent, whatever came back"
    return guard, row.how


PROVIDER_ERRORS = [{"status": status} for status in (400, 401, 403, 404, 409, 422, 429, 500, 503)]
UNKNOWN: list[dict[str, Any]] = [
    *({"status": status, "foreign": True} for status in (408, 499, 502, 504, 520, 524)),
    *({"status": status, "foreign": True} for status in (429, 500, 503)),
    {"cut": "reset_head"},
    {"cut": "close_head"},
    {"cut": "reset_body"},
    {"cut": "reset_middle"},
    {"cut": "truncated"},
    {"body": "not json at all"},
    {"body": ""},
    {"usage": "missing"},
    {"usage": "null"},
    {"usage": "empty"},
    {"usage": "text"},
    {"usage": "negative"},
    {"usage": "zero"},
    {"usage": "huge"},
]


BR_SCRIPT: Any = pytest.param({"encoding": "br"}, marks=BR.marks)


def _id(script: dict[str, Any]) -> str:
    return " ".join(f"{name}={value}" for name, value in script.items())


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize("script", PROVIDER_ERRORS, ids=_id)
def test_the_dialects_own_error_costs_nothing(
    shop: Shop, script: dict[str, Any], stream: bool
) -> None:
    guard, how = _settled(shop, script, stream=stream)
    assert (how, booked(guard)) == ("provider_error", 0)


@pytest.mark.parametrize("script", UNKNOWN, ids=_id)
def test_an_unknown_outcome_is_charged_its_hold(shop: Shop, script: dict[str, Any]) -> None:
    guard, how = _settled(shop, script)
    (row,) = guard.ledger()
    assert (how, booked(guard)) == ("hold", row.ceiling_usd)


@pytest.mark.parametrize(
    "script",
    [
        {"encoding": "gzip"},
        {"encoding": "deflate"},
        BR_SCRIPT,
        {"output_tokens": 300, "over_limit": True},
        {"cached_share": 0.5},
        {"service_tier": "priority"},
    ],
    ids=_id,
)
def test_usage_is_believed_and_booked_whole(shop: Shop, script: dict[str, Any]) -> None:
    guard, how = _settled(shop, script)
    assert how == "usage"
    if "service_tier" not in script:
        assert booked(guard) == billed(shop.provider)


def test_true_spend_is_booked_above_the_limit_and_the_next_call_is_refused(shop: Shop) -> None:
    with shop.guard() as pricing:
        ceiling = pricing.estimate("chat.completions", host=shop.host, **CHEAP).hold_usd
    guard = shop.guard(farthing.Cap(f"{ceiling} USD", per="day", id="day"))
    client = guard.wrap(shop.client())
    shop.provider.script({"output_tokens": 5000, "over_limit": True})
    client.chat.completions.create(**CHEAP)
    spent, _ = counted(guard, "day")
    assert spent == billed(shop.provider) > Decimal(str(ceiling))
    with pytest.raises(farthing.CapExceeded) as caught:
        client.chat.completions.create(**CHEAP)
    assert caught.value.remaining is not None and caught.value.remaining < 0


def _timeout(shop: Shop, client: Any) -> None:
    shop.provider.script({"hold": "never"})
    with pytest.raises(openai.APITimeoutError):
        client.with_options(timeout=openai.Timeout(30, read=0.2)).chat.completions.create(**CHEAP)
    shop.provider.release("never")


def _refused_connection(shop: Shop, client: Any) -> None:
    with pytest.raises(openai.APIConnectionError):
        client.with_options(base_url="http://127.0.0.1:9/v1").chat.completions.create(**CHEAP)


def _unknown_name(shop: Shop, client: Any) -> None:
    with pytest.raises(openai.APIConnectionError):
        client.with_options(base_url="http://no-such-host.invalid/v1").chat.completions.create(
            **CHEAP
        )


def _bad_header(shop: Shop, client: Any) -> None:
    with pytest.raises(openai.APIConnectionError):
        client.chat.completions.create(**CHEAP, extra_headers={"x-mine": "a\nb"})


@pytest.mark.parametrize(
    ("act", "how"),
    [
        (_timeout, "hold"),
        (_refused_connection, "released"),
        (_unknown_name, "released"),
        (_bad_header, "released"),
    ],
)
def test_not_sent_is_released_and_sent_is_charged(
    shop: Shop, act: Callable[[Shop, Any], None], how: str
) -> None:
    hosts = {
        name: {"provider": "openai"} for name in (shop.host, "127.0.0.1:9", "no-such-host.invalid")
    }
    guard = shop.guard(DAY, REQUESTS, hosts=hosts)
    act(shop, guard.wrap(shop.client()))
    rows = list(guard.ledger())
    assert [row.how for row in rows] == [how]
    gone = how == "hold"
    assert booked(guard) == (rows[0].ceiling_usd if gone else 0)
    assert counted(guard, "requests") == (1 if gone else 0, 0)


def test_exhausted_pool_is_not_sent(shop: Shop) -> None:
    stack = sdk_family()
    guard = shop.guard(DAY, REQUESTS)
    http = stack.Client(limits=stack.Limits(max_connections=1), timeout=stack.Timeout(5, pool=0.05))
    client = guard.wrap(shop.client(http_client=http))
    with client.chat.completions.with_streaming_response.create(**CHEAP, stream=True):
        with pytest.raises(openai.APITimeoutError):
            client.chat.completions.create(**CHEAP)
    assert [row.how for row in guard.ledger()].count("released") == 1
    assert counted(guard, "requests") == (1, 0)


def test_embeddings_and_responses(shop: Shop) -> None:
    guard = shop.guard(DAY)
    client = guard.wrap(shop.client())
    client.embeddings.create(model="text-embedding-3-small", input=["one", "two"])
    client.responses.create(model="gpt-4.1-nano", input="hello", max_output_tokens=64)
    assert {row.endpoint for row in guard.ledger()} == {"embeddings", "responses"}
    assert booked(guard) == billed(shop.provider) == counted(guard, "day")[0]


def test_receipts(shop: Shop) -> None:
    guard = shop.guard(DAY)
    client = guard.wrap(shop.client())

    parsed = client.chat.completions.create(**CHEAP)
    receipt = farthing.receipt(parsed)
    assert receipt is not None
    assert receipt.cost_usd == billed(shop.provider) == booked(guard)
    assert receipt.response_id == parsed.id
    assert receipt.model == CHEAP["model"] and receipt.how == "usage"
    assert receipt.quantities["output_tokens"] == parsed.usage.completion_tokens
    assert receipt.output_limit == 64
    (left,) = receipt.left
    assert left.cap == "day" and left.remaining == 5 - receipt.cost_usd

    raw = client.chat.completions.with_raw_response.create(**CHEAP)
    assert guard.receipt(raw) == guard.receipt(raw.parse())

    stream = client.chat.completions.create(**CHEAP, stream=True)
    chunks = list(stream)
    assert guard.receipt(stream) == guard.receipt(chunks[0])
    assert guard.receipt(stream).cost_usd is not None  # type: ignore[union-attr]

    with client.chat.completions.with_streaming_response.create(**CHEAP) as response:
        response.read()
        assert guard.receipt(response) is not None

    embedded = client.embeddings.with_raw_response.create(model="text-embedding-3-small", input="x")
    assert farthing.receipt(embedded) is not None
    assert farthing.receipt("chatcmpl-unknown") is None
    assert farthing.receipt(object()) is None


def test_unknown_price_is_not_zero(shop: Shop) -> None:
    """Without a cap on money a model without a price passes; its cost is unknown, not 0."""
    guard = shop.guard(REQUESTS)
    client = guard.wrap(shop.client())
    reply = client.chat.completions.create(**{**CHEAP, "model": "acme-7b"})
    receipt = guard.receipt(reply)
    assert receipt is not None and receipt.cost_usd is None
    assert next(guard.ledger()).actual_usd is None


def test_receipt_of_parsed_embeddings(shop: Shop) -> None:
    """They have no id of their own; the SDK keeps the request's."""
    client = shop.guard(DAY).wrap(shop.client())
    assert farthing.receipt(client.embeddings.create(model="text-embedding-3-small", input="x"))
