"""What a call would cost and whether its caps have room, asked before anybody sends it (R20, R31)."""

from __future__ import annotations

import io
import queue
import threading
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from typing import Any

import openai
import pytest

import farthing

from .conftest import CHEAP, MODEL, Shop, sdk_family
from .test_counting import wav
from .test_modalities import PICTURE

DAY = farthing.Cap("5 USD", per="day", id="day")
ANSWER = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1,
    "model": "gpt-5-mini",
    "choices": [
        {"index": 0, "message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop"}
    ],
    "usage": {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11},
}
OPEN = {"model": "gpt-5-mini", "messages": [{"role": "user", "content": "hello there"}]}


def test_estimate(shop: Shop) -> None:
    guard = shop.guard(DAY)
    one = guard.estimate("chat.completions", host=shop.host, **CHEAP)
    assert (one.model, one.provider, one.endpoint) == (MODEL, "openai", "chat.completions")
    assert one.likely_usd is not None and one.ceiling_usd is not None
    assert 0 < one.likely_usd <= one.ceiling_usd
    assert one.confidence == "exact" and one.unbounded_by == ()
    assert one.output_limit == 64
    assert one.no_ceiling is None
    assert sum((part.cost_usd or 0 for part in one.ceiling_parts), Decimal(0)) == one.ceiling_usd
    assert sum((part.cost_usd or 0 for part in one.likely_parts), Decimal(0)) == one.likely_usd
    assert one.ceiling_parts[-1].rate is not None
    image = guard.estimate("images.generations", model="chatgpt-image-latest", prompt="a mill")
    assert image.ceiling_usd is None and image.likely_usd is None and image.hold_usd is None
    assert image.no_ceiling == "nothing bounds it: the tokens of images of this model"
    assert one.ceiling["output_tokens"] == 64
    many = guard.estimate("chat.completions", host=shop.host, count=500, **CHEAP)
    (left,) = many.left
    assert left.remaining == 5 - 500 * one.ceiling_usd
    assert shop.requests() == 0 and guard.status().open_holds == 0
    with pytest.raises(farthing.ArgumentError):
        guard.estimate("chat.completoins", **CHEAP)


def test_an_estimate_learns_from_the_calls_of_its_store(file_shop: Shop) -> None:
    guard = file_shop.guard(DAY)
    before = guard.estimate("chat.completions", host=file_shop.host, **CHEAP)
    assert (before.learned_calls, before.output_p90) == (0, None)
    assert [part.what for part in before.likely_parts][-1] == "output: usual length"
    client = file_shop.client()
    guard.wrap(client)
    lengths = []
    for _ in range(3):
        receipt = farthing.receipt(client.chat.completions.create(**CHEAP))
        assert receipt is not None
        lengths.append(receipt.quantities["output_tokens"])
    after = guard.estimate("chat.completions", host=file_shop.host, **CHEAP)
    assert after.learned_calls == 3
    assert after.likely["output_tokens"] == sorted(lengths)[1]
    assert after.output_p90 == max(lengths)
    assert [part.what for part in after.likely_parts][-1] == "output: learned from 3 calls"
    assert (after.ceiling_usd, after.ceiling) == (before.ceiling_usd, before.ceiling)


@pytest.mark.parametrize("ask", [CHEAP, OPEN], ids=["with a limit", "without"])
@pytest.mark.parametrize("per", ["call", "day"])
@pytest.mark.parametrize(
    "limit",
    ["0.000001", "0.00002", "0.00004", "0.003", "0.0042", "0.0075", "0.03", "0.066", "0.2", "3"],
)
def test_it_knows_the_output_limit_that_the_call_gets(
    shop: Shop, limit: str, per: str, ask: dict[str, Any]
) -> None:
    """R20: a limit is lowered where only less has room; what does not get even the least is refused."""
    guard = shop.guard(farthing.Cap(f"{limit} USD", per=per))
    client = guard.wrap(shop.client())
    for _ in range(2):  # with nothing spent, and with something
        fits = guard.estimate("chat.completions", host=shop.host, **ask).fits_output_limit
        if fits is None:
            with pytest.raises(farthing.CapExceeded):
                client.chat.completions.create(**ask)
        else:
            receipt = farthing.receipt(client.chat.completions.create(**ask))
            assert receipt is not None and receipt.output_limit == fits


@pytest.mark.parametrize(
    ("cap", "ask"),
    [
        ("8000 output_tokens", {**OPEN, "max_completion_tokens": 3000}),
        ("1 USD", OPEN),
        ("0.05 USD", CHEAP),
        ("3 requests", CHEAP),
        ("2 concurrent", CHEAP),
    ],
)
@pytest.mark.parametrize("count", [1, 2, 4, 20])
def test_many_at_once_all_fit_with_the_limit_that_it_tells(
    shop: Shop, cap: str, ask: dict[str, Any], count: int
) -> None:
    """What is written into each request lets all of them hold at once; one more token might not."""
    per = None if "concurrent" in cap else "day"
    guard = shop.guard(farthing.Cap(cap, per=per), farthing.Cap("0.2 USD", per="call"))
    many = guard.estimate("chat.completions", count=count, **ask)
    assert (many.fits_output_limit is None) == (many.no_fit is not None)
    if many.fits_output_limit is not None:
        ask = {k: v for k, v in ask.items() if not k.startswith("max_")}
        ask |= {"max_completion_tokens": many.fits_output_limit}
    came: queue.Queue[bool] = queue.Queue()
    gate = threading.Event()

    def answer(request: Any) -> Any:
        came.put(True)
        gate.wait(60)
        return sdk_family().Response(200, json=ANSWER)

    http = sdk_family().Client(transport=sdk_family().MockTransport(answer))
    client = guard.wrap(openai.OpenAI(api_key="sk-test-0001", max_retries=0, http_client=http))

    def call() -> None:
        try:
            client.chat.completions.create(**ask)
        except farthing.CapExceeded:
            came.put(False)

    with ThreadPoolExecutor(count) as pool:
        granted = [came.get(timeout=60) for _ in range(count) if pool.submit(call)]
        gate.set()
    assert all(granted) == (many.fits_output_limit is not None)


def test_a_task_has_a_limit_too(shop: Shop) -> None:
    guard = shop.guard(DAY)
    client = guard.wrap(shop.client())
    one = guard.estimate("chat.completions", host=shop.host, **CHEAP)
    with guard.task("short", limit=f"{one.ceiling_usd} USD") as task:
        within = guard.estimate("chat.completions", host=shop.host, **CHEAP)
        assert within.fits_output_limit == 64
        assert [left.run for left in within.left] == ["", "short"]
        client.chat.completions.create(**CHEAP)
        spent = guard.estimate("chat.completions", host=shop.host, **CHEAP)
        assert spent.left[1].spent == task.spent > 0
        lowered = spent.fits_output_limit
        assert lowered is None or lowered < 64


def test_what_has_no_price_does_not_fit_under_a_cap_on_money(shop: Shop) -> None:
    unknown = {**CHEAP, "model": "gpt-5-mni"}
    estimate = shop.guard(DAY).estimate("chat.completions", **unknown)
    assert estimate.fits_output_limit is None and estimate.ceiling_usd is None
    assert estimate.no_ceiling is not None
    assert estimate.no_ceiling.startswith("no price is known; near names: gpt-5-mini")
    # A name that nobody has tells no provider, so it is looked for among all of them.
    elsewhere = shop.guard(DAY).estimate(
        "chat.completions", **{**CHEAP, "model": "claude-sonet-4-5"}
    )
    assert "near names: claude-sonnet-4-5" in (elsewhere.no_ceiling or "")
    without = shop.guard(DAY).estimate("chat.completions", messages=CHEAP["messages"])
    assert without.no_ceiling == "no price is known: the request names no model"
    counted = shop.guard(farthing.Cap("10 requests", per="day"), store="memory:")
    assert counted.estimate("chat.completions", **unknown).fits_output_limit == 64


@pytest.mark.parametrize(
    ("model", "maker"),
    [
        ("gpt-5-mini", "openai"),
        ("grok-4", "xai"),
        ("deepseek-chat", "deepseek"),
        ("sonar-pro", "perplexity"),
        ("no-such", "openai"),
    ],
)
def test_a_form_that_many_speak_goes_to_the_models_maker(
    shop: Shop, model: str, maker: str
) -> None:
    estimate = shop.guard(DAY).estimate("chat.completions", **{**CHEAP, "model": model})
    assert estimate.provider == maker
    assert (estimate.ceiling_usd is None) == (model == "no-such")


def test_it_knows_what_binds_now(file_shop: Shop) -> None:
    """R8: a limit is in force on the next call of every process, and on the next estimate."""
    guard = file_shop.guard(DAY)
    other = file_shop.guard(name="another")

    def asked() -> farthing.Estimate:
        return guard.estimate("chat.completions", host=file_shop.host, **CHEAP)

    assert asked().fits_output_limit == 64
    other.set_limit("day", "0 USD")
    none = asked()
    assert none.fits_output_limit is None and none.left[0].limit == 0
    assert none.no_fit is not None and 'cap "day" (0.00 USD per day' in none.no_fit
    other.clear_limit("day")
    assert asked().fits_output_limit == 64
    number = other.halt("incident 12")
    assert "incident 12" in (asked().no_fit or "")
    other.resume(number)
    assert asked().no_fit is None


def test_it_knows_what_no_amount_decides(shop: Shop) -> None:
    guard = shop.guard(
        DAY,
        farthing.Cap("9 USD", per="day", each="user", absent="refuse", match={"project": "p"}),
        farthing.Cap("1 actions", per="day", match={"project": "a"}),
        farthing.Cap("1 runs", per="day", match={"project": "r"}),
        farthing.Cap("1 USD", per="day", each="user", max_counters=1, match={"project": "m"}),
    )
    client = guard.wrap(shop.client())

    def why(project: str, **labels: str) -> str | None:
        with guard.scope(project=project, **labels):
            return guard.estimate("chat.completions", host=shop.host, **CHEAP).no_fit

    assert "label_required" in (why("p") or "") or "wants a label" in (why("p") or "")
    assert why("p", user="u1") is None
    for project in ("a", "r"):
        with guard.scope(project=project), guard.task("t"):
            inside = guard.estimate("chat.completions", host=shop.host, **CHEAP)
            assert inside.no_fit is None
            client.chat.completions.create(**CHEAP)
            again = guard.estimate("chat.completions", host=shop.host, **CHEAP)
            assert (again.no_fit is None) == (project == "r")  # the same run goes on
        with guard.scope(project=project), guard.task("t"):
            assert guard.estimate("chat.completions", host=shop.host, **CHEAP).no_fit is not None
            with pytest.raises(farthing.CapExceeded):
                client.chat.completions.create(**CHEAP)
    with guard.scope(project="m", user="u1"):
        client.chat.completions.create(**CHEAP)
    assert "max_counters" in (why("m", user="u2") or "")
    assert shop.requests() == 3


def test_asking_changes_nothing(file_shop: Shop) -> None:
    told: list[farthing.Alert] = []
    guard = file_shop.guard(
        farthing.Cap("1 requests", per="day", alert=[100]), on_alert=told.append
    )
    guard.wrap(file_shop.client()).chat.completions.create(**CHEAP)
    before = guard.status()
    for _ in range(3):
        assert guard.estimate("chat.completions", host=file_shop.host, **CHEAP).no_fit is not None
    after = guard.status()
    assert [c.cap for c in after.counters] == [c.cap for c in before.counters]
    assert after.open_holds == 0 and len(list(guard.ledger())) == 1
    guard.close()
    assert len(told) == 1  # of the call that spent it


def test_files_are_estimated_as_they_are_sent(tmp_path: Path) -> None:
    """As openai takes files: bytes, a path, an open file, a tuple with a name."""
    talk = tmp_path / "talk.wav"
    talk.write_bytes(wav(90))
    with farthing.Guard(caps=[farthing.Cap("5 USD", per="day")], store="memory:") as guard:
        with talk.open("rb") as opened:
            opened.seek(0)
            for file in (
                talk,
                talk.read_bytes(),
                opened,
                ("talk.wav", opened),
                ("t", talk, "audio/wav"),
            ):
                made = guard.estimate("audio.transcriptions", model="whisper-1", file=file)
                assert made.ceiling_usd == made.likely_usd == Decimal("0.009")  # 0.36 USD an hour
            assert opened.read() == talk.read_bytes()  # it stands where it stood
        images = [tmp_path / "a.png", tmp_path / "b.png"]
        for image in images:
            image.write_bytes(PICTURE)
        one = guard.estimate("images.edits", model="gpt-image-1", prompt="a", image=images[0])
        two = guard.estimate("images.edits", model="gpt-image-1", prompt="a", image=images, n=1)
        assert one.ceiling_usd is not None and two.ceiling_usd is not None
        assert two.ceiling_usd > one.ceiling_usd
        with pytest.raises(farthing.ArgumentError, match="cannot be read"):
            guard.estimate("audio.transcriptions", model="whisper-1", file=tmp_path / "missing")
        with pytest.raises(farthing.ArgumentError, match="closed file"):
            guard.estimate("audio.transcriptions", model="whisper-1", file=opened)
        unset = guard.estimate("audio.transcriptions", model="whisper-1", file=talk, language=None)
        assert unset.ceiling_usd == Decimal("0.009")
        with pytest.raises(farthing.ArgumentError, match="opened for bytes"):
            guard.estimate("audio.transcriptions", model="whisper-1", file=io.StringIO("x"))
