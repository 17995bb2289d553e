"""Work that goes on after its answer (R17): held until a poll, in any process, settles it; with the real SDK."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any

import pytest

import farthing

from .conftest import CHEAP, MODEL, Shop
from .money import billed, booked, counted

# OpenAI shut Sora down; its SDK says so with every call.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

DAY = farthing.Cap("5 USD", per="day", id="day")
ASK: dict[str, Any] = {"model": MODEL, "input": "hello there", "background": True}
CLIP: dict[str, Any] = {"model": "sora-2-pro", "prompt": "a mill", "seconds": "8"}


def test_a_background_response_is_settled_by_its_poll(shop: Shop) -> None:
    with shop.guard(DAY) as guard:
        client = guard.wrap(shop.client())
        reply = client.responses.create(**ASK, max_output_tokens=100)
        assert reply.status == "queued"
        pending = farthing.receipt(reply)
        assert pending is not None and pending.cost_usd is None and pending.how == "open"
        assert counted(guard, "day")[0] == 0
        assert guard.status().pending_jobs == 1
        while reply.status in ("queued", "in_progress"):
            reply = client.responses.retrieve(reply.id)
        assert booked(guard) == billed(shop.provider) == counted(guard, "day")[0] > 0
        assert counted(guard, "day")[1] == 0
        done = farthing.receipt(reply)
        assert done is not None and done.cost_usd == booked(guard)
        assert client.responses.retrieve(reply.id).status == "completed"
        assert booked(guard) == billed(shop.provider)


def test_in_an_event_loop_too(
    shop: Shop, run_async: Callable[[Callable[[], Awaitable[Any]]], Any]
) -> None:
    async def main() -> None:
        with shop.guard(DAY) as guard:
            client = guard.wrap(shop.aclient())
            async with client:
                reply = await client.responses.create(**ASK, max_output_tokens=100)
                while reply.status in ("queued", "in_progress"):
                    reply = await client.responses.retrieve(reply.id)
                video = await client.videos.create(**CLIP)
                while video.status in ("queued", "in_progress"):
                    video = await client.videos.retrieve(video.id)
            guard.flush()
            assert booked(guard) == billed(shop.provider)
            assert counted(guard, "day") == (booked(guard), 0)
            assert await guard.aio.jobs() == []

    run_async(main)


@pytest.mark.parametrize("size", ["720x1280", "1792x1024", None])
def test_a_video_costs_its_seconds_and_size(shop: Shop, size: str | None) -> None:
    with shop.guard(DAY) as guard:
        client = guard.wrap(shop.client())
        more: Any = {} if size is None else {"size": size}
        video = client.videos.create(**CLIP, **more)
        each = Decimal("0.50") if size == "1792x1024" else Decimal("0.30")
        [job] = guard.jobs()
        assert (job.id, job.kind, job.held_usd, job.state) == (
            video.id,
            "video",
            8 * each,
            "pending",
        )
        assert job.labels["size"] == (size or "720x1280")
        client.videos.retrieve(video.id)
        client.videos.retrieve(video.id)
        assert booked(guard) == billed(shop.provider) == 8 * each
        assert guard.jobs() == []


def test_a_video_with_a_picture_is_read_from_its_form(shop: Shop) -> None:
    with shop.guard(DAY) as guard:
        client = guard.wrap(shop.client())
        client.videos.create(**CLIP, input_reference=("a.png", b"\x89PNG\r\n\x1a\n" + bytes(64)))
        assert counted(guard, "day")[1] == Decimal("2.4")


def test_a_video_that_failed_costs_nothing(shop: Shop) -> None:
    with shop.guard(DAY) as guard:
        client = guard.wrap(shop.client())
        shop.provider.script({"ending": "failed"})
        video = client.videos.create_and_poll(**CLIP, poll_interval_ms=1)
        assert video.status == "failed"
        assert booked(guard) == billed(shop.provider) == 0
        assert [row.how for row in guard.ledger()] == ["provider_error"]


def test_a_remix_costs_what_its_source_did(shop: Shop) -> None:
    with shop.guard(DAY) as guard:
        client = guard.wrap(shop.client())
        video = client.videos.create(model="sora-2", prompt="a mill", seconds="12")
        remix = client.videos.remix(video.id, prompt="at night")
        assert [job.held_usd for job in guard.jobs()] == [Decimal("1.2"), Decimal("1.2")]
        for id in (video.id, remix.id):
            client.videos.retrieve(id)
            client.videos.retrieve(id)
        assert booked(guard) == billed(shop.provider) == Decimal("2.4")
        client.videos.delete(remix.id)
        assert booked(guard) == Decimal("2.4")


def test_a_video_that_the_cap_cannot_pay_is_not_sent(shop: Shop) -> None:
    with shop.guard(farthing.Cap("2 USD", per="day")) as guard:
        client = guard.wrap(shop.client())
        with pytest.raises(farthing.CapExceeded):
            client.videos.create(**CLIP)
        assert shop.requests() == 0


def test_a_cancelled_response_is_charged_its_hold(shop: Shop) -> None:
    with shop.guard(DAY) as guard:
        client = guard.wrap(shop.client())
        reply = client.responses.create(**ASK, max_output_tokens=100)
        held = counted(guard, "day")[1]
        assert client.responses.cancel(reply.id).status == "cancelled"
        assert counted(guard, "day") == (held, 0)
        assert booked(guard) >= billed(shop.provider)


POLLER = """
import sys, openai, farthing
url, host, store, id = sys.argv[1:]
guard = farthing.Guard(name="poller", store=store, hosts={host: {"provider": "openai"}})
client = guard.wrap(openai.OpenAI(base_url=url, api_key="sk-test-0002", max_retries=0))
reply = client.responses.retrieve(id)
while reply.status in ("queued", "in_progress"):
    reply = client.responses.retrieve(id)
print(farthing.receipt(reply).cost_usd)
guard.close()
"""


def test_another_process_settles_it(file_shop: Shop) -> None:
    shop = file_shop
    with shop.guard(DAY, labels={"team": "films"}) as guard:
        reply = guard.wrap(shop.client()).responses.create(**ASK, max_output_tokens=100)
        done = subprocess.run(
            [sys.executable, "-c", POLLER, shop.provider.url, shop.host, shop.store, reply.id],
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        assert Decimal(done.stdout.strip()) == booked(guard) == billed(shop.provider)
        [row] = guard.ledger()
        assert row.labels["team"] == "films"
        assert counted(guard, "day") == (booked(guard), 0)


def test_a_job_keeps_its_concurrency_slot_until_it_is_over(shop: Shop) -> None:
    with shop.guard(DAY, farthing.Cap("1 concurrent")) as guard:
        client = guard.wrap(shop.client())
        video = client.videos.create(model="sora-2", prompt="one")
        with pytest.raises(farthing.CapExceeded):
            client.videos.create(model="sora-2", prompt="two")
        guard.end_job(video.id, "0.40 USD", why="seen on the bill")
        client.videos.create(model="sora-2", prompt="two")
        assert [row.why for row in guard.ledger()] == ["seen on the bill"]
        with pytest.raises(farthing.ArgumentError) as caught:
            guard.end_job(video.id)
        assert caught.value.code == "unknown_job"


def test_an_equal_request_is_refused_where_the_policy_says_so(shop: Shop) -> None:
    with shop.guard(DAY, jobs={"duplicates": "refuse"}) as guard:
        client = guard.wrap(shop.client())
        video = client.videos.create(**CLIP)
        with pytest.raises(farthing.RouteDenied) as caught:
            client.videos.create(**CLIP)  # a form with another boundary
        assert caught.value.code == "duplicate"
        client.videos.delete(video.id)
        client.videos.create(**CLIP)


def test_what_is_done_at_the_provider_without_a_guard_passes(shop: Shop) -> None:
    with shop.guard(DAY) as guard:
        bare, client = shop.client(), guard.wrap(shop.client())
        reply = bare.responses.create(**ASK)
        assert client.responses.retrieve(reply.id).status == "in_progress"
        assert booked(guard) == 0
        assert client.responses.retrieve(reply.id).status == "completed"
        assert booked(guard) == 0


def test_a_refusal_for_want_of_a_slot_names_the_jobs_that_have_them(shop: Shop) -> None:
    """Whoever waits for a call waits seconds, for a job hours: and it is none of the calls that anybody sees."""
    day = farthing.Cap("50 USD", per="day", id="day")
    caps = [day, farthing.Cap("2 concurrent", each="user", id="slots")]
    with shop.guard(*caps) as guard:
        client = guard.wrap(shop.client())
        with guard.scope(user="u2"):
            client.videos.create(**CLIP)
        with guard.scope(user="u1"):
            videos = [client.videos.create(**CLIP).id for _ in range(2)]
            with pytest.raises(farthing.CapExceeded) as caught:
                client.videos.create(**CLIP)
            said = str(caught.value)
            assert f"2 slots are held by jobs that are not over ({', '.join(videos)})" in said
            assert "farthing jobs lists them" in said and "farthing jobs end JOB" in said
            guard.end_job(videos[0])
            client.videos.create(**CLIP)
            guard.set_limit("day", "0 USD")
            with pytest.raises(farthing.CapExceeded, match="day") as caught:
                client.chat.completions.create(**CHEAP)
            assert "slots are held" not in str(caught.value)
