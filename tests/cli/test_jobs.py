"""`farthing jobs`: what is pending, and ended by a person (R17)."""

from __future__ import annotations

import json
from pathlib import Path

import openai
import pytest

import farthing

from .conftest import CALL, Place

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # OpenAI's SDK on videos


@pytest.fixture
def video(place: Place) -> str:
    """The id of a video that is not over: 8 s of sora-2, at 0.10 USD each."""
    guard = farthing.Guard(
        caps=[farthing.Cap("5 USD", per="day", id="daily")],
        store=place.store,
        hosts={f"127.0.0.1:{place.provider.port}": {"provider": "openai"}},
    )
    client = openai.OpenAI(base_url=place.provider.url, api_key="sk-test-0001", max_retries=0)
    made = guard.wrap(client, project="films").videos.create(
        model="sora-2", prompt="a mill", seconds="8"
    )
    client.close()
    guard.close()
    return made.id


def test_pending_jobs_are_listed(place: Place, video: str) -> None:
    said = place.run("jobs")
    assert video in said and "0.8" in said and "project=films" in said and "sora-2" in said
    [job] = [json.loads(line) for line in place.run("jobs", "--json").splitlines()]
    assert job["job"] == video and job["kind"] == "video" and job["state"] == "pending"
    assert job["held"] == "0.80" and job["held_nano"] == 800_000_000
    assert job["labels"]["project"] == "films"
    assert job["deadline_ms"] - job["reserved_at_ms"] >= 3_600_000
    assert "1 job is pending" in place.run("status")
    assert json.loads(place.run("status", "--json"))["pending_jobs"] == 1


def test_why_finds_one_by_the_providers_id(place: Place, video: str) -> None:
    """It is what the caller has in hand, before the job is over and after."""
    said = place.run("why", video)
    assert "not settled yet" in said and '"project":"films"' in said
    assert f"video {video} of 127.0.0.1" in said and f"farthing jobs end {video}" in said
    known = json.loads(place.run("why", video, "--json"))
    assert [row["response_id"] for row in known["rows"]] == [video]
    assert [job["job"] for job in known["jobs"]] == [video]
    assert known["jobs"] == json.loads(place.run("why", known["rows"][0]["id"], "--json"))["jobs"]
    place.run("jobs", "end", video)
    said = place.run("why", video)
    assert "the whole hold is charged" in said and "is not over" not in said
    assert json.loads(place.run("why", video, "--json"))["jobs"] == []


def test_one_is_ended_at_an_amount_with_who_and_why(place: Place, video: str) -> None:
    said = place.run(
        *("jobs", "end", video, "--amount", "0.40 USD"), *("--who", "ann", "--why", "the bill")
    )
    assert said == f"job {video} is over: it costs 0.40 USD\n"
    [row] = [json.loads(line) for line in place.run("ledger", "--json").splitlines()]
    assert (row["actual"], row["how"], row["who"], row["why"]) == (
        "0.40",
        "ended",
        "ann",
        "the bill",
    )
    assert place.run("ledger", "--how", "ended", "--json") == place.run("ledger", "--json")
    assert "ended by hand" in place.run("why", video)
    assert place.run("jobs") == "no job is pending\n"
    assert "unknown_job" in place.run("jobs", "end", video, code=3)


def test_every_word_of_how_is_documented(place: Place, video: str) -> None:
    said = place.run("ledger", "--how", "nonsense", code=2)
    words = said.partition("accepted are ")[2].partition(" [")[0].replace(" and ", ", ").split(", ")
    assert {"ended", "expired", "adjust"} <= set(words)
    page = (Path(__file__).resolve().parents[2] / "docs/command.md").read_text()
    page = page.partition("## How an entry was settled")[2].partition("\n## ")[0]
    assert [word for word in words if f"`{word}`" not in page] == []


def test_one_is_charged_at_its_hold_by_its_attempt(place: Place, video: str) -> None:
    [job] = [json.loads(line) for line in place.run("jobs", "--json").splitlines()]
    said = place.run("jobs", "end", job["attempt"])
    assert said == f"job {video} is over: charged at its hold, 0.80 USD\n"
    counters = json.loads(place.run("status", "--json"))["counters"]
    assert (counters[0]["spent"], counters[0]["unknown"]) == ("0.80", "0.80")


def test_an_amount_that_is_none_ends_nothing(place: Place, video: str) -> None:
    assert "invalid_money" in place.run("jobs", "end", video, "--amount", "a lot", code=2)
    assert video in place.run("jobs")


def test_a_threshold_that_ending_one_passes_is_told_by_the_guards_that_go_on(
    place: Place, video: str
) -> None:
    """R35: the command has nobody to tell it to, and is gone before anybody could be told."""
    told: list[int] = []
    with farthing.Guard(
        caps=[farthing.Cap("1 USD", per="day", id="daily", alert=[50])],
        store=place.store,
        hosts={f"127.0.0.1:{place.provider.port}": {"provider": "openai"}},
        on_alert=lambda alert: told.append(alert.threshold),
    ) as guard:
        place.run("jobs", "end", video)
        client = openai.OpenAI(base_url=place.provider.url, api_key="sk-test-0001", max_retries=0)
        guard.wrap(client).chat.completions.create(**CALL)  # type: ignore[call-overload]
        client.close()
    assert told == [50]
