"""Videos under a cap: what a video can cost is held when it is asked for, and settled when a poll finds it done.

    python -m examples.video_under_a_cap

The real OpenAI client against a fake provider on loopback: nothing is billed. 720p of sora-2 costs 0.10 USD a second.
"""

from __future__ import annotations

import warnings
from decimal import Decimal

from openai import OpenAI

import farthing
from tests.fakes.provider.handle import start

CAPS = [
    farthing.Cap("1 USD", per="day", id="videos", match={"modality": "video"}),
    farthing.Cap("2 concurrent", id="at-once", match={"modality": "video"}),
]


def main() -> int:
    warnings.filterwarnings("ignore", category=DeprecationWarning)  # OpenAI's SDK on its videos
    with start() as provider:
        host = provider.url.split("/")[2]
        guard = farthing.Guard(
            caps=CAPS,
            store="memory:",
            hosts={host: {"provider": "openai"}},
            held_wait="0",  # refused at once: a video that is under way takes minutes
        )
        client = guard.wrap(
            OpenAI(base_url=provider.url, api_key="sk-example-0001"), project="trailer"
        )

        video = client.videos.create(model="sora-2", prompt="a mill at dawn", seconds="8")
        show(guard, f"asked for {video.seconds} s")
        for job in guard.jobs():
            print(f"  pending: {job.kind} at {job.host.split(':')[0]}, holds {job.held_usd} USD")

        try:
            client.videos.create(model="sora-2", prompt="the same at dusk", seconds="4")
        except farthing.CapExceeded as refused:
            print(f"refused: cap {refused.cap!r} has {refused.remaining} USD left, 4 s cost 0.40")

        while video.status in ("queued", "in_progress"):  # time.sleep(10) between, in earnest
            video = client.videos.retrieve(video.id)
        show(guard, f"{video.status}")
        receipt = farthing.receipt(video)
        assert receipt is not None and receipt.cost_usd == Decimal("0.8")
        print(f"receipt: {receipt.cost_usd} USD for {receipt.model}")
        guard.close()
    return 0


def show(guard: farthing.Guard, what: str) -> None:
    cap = next(counter.cap for counter in guard.status().counters if counter.cap.cap == "videos")
    print(f"{what}: spent {cap.spent}, reserved {cap.reserved}, left {cap.remaining} USD")


if __name__ == "__main__":
    raise SystemExit(main())
