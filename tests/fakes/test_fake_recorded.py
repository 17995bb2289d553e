"""Recorded answers are replayed as they were, and billed by the usage that they tell."""

from __future__ import annotations

import gzip
import http.client
import json
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.provider.ask import read
from tests.fakes.provider.fixtures import RECORDED
from tests.fakes.provider.handle import FakeProvider
from tests.fakes.provider.recorded import Recordings, said
from tests.fakes.provider.wire import Piece, rechunk, split

FILES = sorted(RECORDED.glob("*.jsonl.gz"))


@pytest.fixture(scope="session")
def rows() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for file in FILES:
        with gzip.open(file, "rt", encoding="utf-8") as lines:
            found.extend(json.loads(line) for line in lines)
    return found


@pytest.fixture(scope="session")
def recordings() -> Recordings:
    return Recordings.load(FILES)


def post(
    provider: FakeProvider, path: str, body: str, **headers: str
) -> tuple[int, str | None, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", provider.port, timeout=10)
    try:
        connection.request("POST", path, body.encode(), headers)
        answer = connection.getresponse()
        return answer.status, answer.getheader("content-type"), answer.read()
    finally:
        connection.close()


def test_all_recordings_replay_byte_for_byte(
    provider: FakeProvider, rows: list[dict[str, Any]]
) -> None:
    assert len(rows) == len(provider.recordings()) == 771
    for index, row in enumerate(rows):
        status, kind, body = post(
            provider,
            "/v1/chat/completions",
            row["request"],
            **{"x-fake-recorded": str(index), "x-fake-chunks": str(index)},
        )
        asked = json.loads(row["request"]).get("stream_options") or {}
        assert (status, kind) == (row["status"], row["content_type"])
        whole = row["response"].encode()
        assert body == whole or (asked.get("include_usage") and b'"usage"' in body), row["source"]
    assert len(provider.log()) == len(rows) - 1  # one is nothing but an error


def test_an_equal_request_gets_its_recording(
    provider: FakeProvider, rows: list[dict[str, Any]]
) -> None:
    row = next(
        one for one in rows if one["url"].endswith("/v1/chat/completions") and not one["sse"]
    )
    request = json.loads(row["request"])
    shuffled = json.dumps(dict(reversed(request.items())), indent=3)
    limited = json.dumps({**request, "max_tokens": 999})
    told = json.loads(row["response"])
    for body in (row["request"], shuffled, limited):
        answer = json.loads(post(provider, "/v1/chat/completions", body)[2])
        assert answer["id"] == told["id"]
    other = json.dumps({**request, "messages": [{"role": "user", "content": "not recorded"}]})
    assert json.loads(post(provider, "/v1/chat/completions", other)[2])["id"] != told["id"]
    lines = provider.log()
    assert [line["recorded_source"] for line in lines] == [row["source"]] * 3 + [None]
    assert lines[0]["usage"]["output_tokens"] == told["usage"]["completion_tokens"]


def test_answers_of_one_request_come_in_turn(recordings: Recordings) -> None:
    several = next(rows for rows in recordings._exact.values() if len(rows) > 1)
    first = several[0]
    ask = read("POST", first.path, {}, json.dumps(first.request).encode())
    recordings.reset()
    got = [recordings.find(ask, None) for _ in range(len(several) + 1)]
    assert got == [*several, first]


def test_usage_is_added_where_it_was_not_recorded_but_asked(
    provider: FakeProvider, rows: list[dict[str, Any]]
) -> None:
    index, row = next(
        (index, row)
        for index, row in enumerate(rows)
        if row["sse"]
        and row["endpoint"] == "chat.completions"
        and row["provider"] == "openai"
        and '"usage"' not in row["response"]
    )
    request = {**json.loads(row["request"]), "stream_options": {"include_usage": True}}
    headers = {"x-fake-recorded": str(index)}
    body = post(provider, "/v1/chat/completions", json.dumps(request), **headers)[2]
    events = [line[6:] for line in body.decode().split("\n") if line.startswith("data: ")]
    chunk = json.loads(events[-2])
    (line,) = provider.log()
    assert events[-1] == "[DONE]"
    assert chunk["choices"] == []
    assert line["made_usage"] is True
    assert chunk["usage"]["completion_tokens"] == line["usage"]["output_tokens"] > 0


def test_usage_is_known_for_most_openai_shapes(recordings: Recordings) -> None:
    """What is not known: streams that were not asked for usage, a refusal, images."""
    unknown = {
        (row.provider, row.endpoint, row.sse)
        for row in recordings.rows
        if said(row).usage is None and row.provider in ("openai", "azure", "groq", "mistral")
    }
    assert unknown == {
        ("openai", "chat.completions", True),
        ("openai", "completions", True),
        ("openai", "images", False),
        ("azure", "chat.completions", True),
        ("azure", "chat.completions", False),  # refused by its content filter
    }


def test_rechunking_keeps_bytes_and_counts(rows: list[dict[str, Any]]) -> None:
    body = next(row for row in rows if row["sse"])["response"].encode()
    pieces = [Piece(data, number) for number, data in enumerate(split(body), 1)]
    assert b"".join(piece.data for piece in pieces) == body
    for seed in range(20):
        cut = rechunk(pieces, seed)
        assert b"".join(piece.data for piece in cut) == body
        assert [piece.output for piece in cut] == sorted(piece.output for piece in cut)
        assert cut[-1].output == len(pieces)


def test_the_licence_is_named() -> None:
    text = (Path(RECORDED) / "README.md").read_text()
    assert all(file.name in text for file in FILES)
    assert text.count("Apache-2.0") == 3
