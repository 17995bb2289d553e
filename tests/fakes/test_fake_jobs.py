"""The fake's jobs: in progress, then over; billed when they are made, unless they fail."""

from __future__ import annotations

import json

import openai
import pytest

from tests.fakes.provider.handle import FakeProvider

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture
def client(provider: FakeProvider) -> openai.OpenAI:
    return openai.OpenAI(base_url=provider.url, api_key="sk-test-0001", max_retries=0)


def test_a_background_response(provider: FakeProvider, client: openai.OpenAI) -> None:
    made = client.responses.create(model="gpt-4.1-nano", input="hello", background=True)
    assert made.status == "queued" and made.usage is None and made.background
    assert client.responses.retrieve(made.id).status == "in_progress"
    over = client.responses.retrieve(made.id)
    assert over.status == "completed" and over.usage is not None and over.output_text
    [bill] = provider.log()
    assert bill["response_id"] == made.id
    assert bill["usage"]["output_tokens"] == over.usage.output_tokens


def test_a_video_its_remix_and_its_end(provider: FakeProvider, client: openai.OpenAI) -> None:
    made = client.videos.create(prompt="a mill", seconds="8", size="1792x1024", model="sora-2-pro")
    assert (made.status, made.seconds, made.size) == ("queued", "8", "1792x1024")
    remix = client.videos.remix(made.id, prompt="at night")
    assert (remix.seconds, remix.remixed_from_video_id) == ("8", made.id)
    assert client.videos.delete(remix.id).deleted
    assert [bill["usage"]["video_seconds_1024p"] for bill in provider.log()] == [8, 8]
    with pytest.raises(openai.NotFoundError):
        client.videos.retrieve(remix.id)


def test_one_that_fails_is_not_billed(provider: FakeProvider, client: openai.OpenAI) -> None:
    provider.script({"ending": "failed"})
    made = client.videos.create_and_poll(prompt="a mill", poll_interval_ms=1)
    assert made.status == "failed" and made.error is not None
    assert provider.log() == []


def test_a_batch_of_a_file(provider: FakeProvider, client: openai.OpenAI) -> None:
    asks = [
        {"model": "gpt-4.1-nano", "messages": [{"role": "user", "content": "hi"}], "max_tokens": n}
        for n in (5, 10**9)  # the second is above what the model can write
    ]
    lines = [
        {"custom_id": "a", "method": "POST", "url": "/v1/chat/completions", "body": ask}
        for ask in asks
    ]
    data = "\n".join(json.dumps(line) for line in lines).encode()
    file = client.files.create(file=("x.jsonl", data), purpose="batch")
    made = client.batches.create(
        input_file_id=file.id, endpoint="/v1/chat/completions", completion_window="24h"
    )
    assert client.batches.retrieve(made.id).status == "validating"
    over = client.batches.retrieve(made.id)
    assert over.status == "completed" and over.usage and over.request_counts and over.output_file_id
    assert (over.request_counts.completed, over.request_counts.failed) == (1, 1)
    [bill] = provider.log()
    assert bill["service_tier"] == "batch" and bill["usage"]["output_tokens"] == 5
    assert over.usage.output_tokens == 5
    statuses = [
        json.loads(line)["response"]["status_code"]
        for line in client.files.content(over.output_file_id).text.splitlines()
    ]
    assert statuses == [200, 400]
