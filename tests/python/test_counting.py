"""`farthing.count_tokens`, and estimates of every maker's requests."""

from __future__ import annotations

import base64
import struct
import subprocess
import sys
import zlib
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import farthing

HELLO = [{"role": "user", "content": "Hello, world!"}]


def test_vocabularies_are_loaded_by_the_first_count() -> None:
    """And take 20 MB at most, both."""
    program = """
import os, farthing
def resident():
    return int(open("/proc/self/statm").read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
guard = farthing.Guard(caps=[farthing.Cap("1 USD", per="day")], store="memory:")
guard.estimate("chat.completions", model="gpt-5-mini", messages=[])
steps = [resident()]
for model in ("gpt-5-mini", "gpt-4"):
    assert int(farthing.count_tokens(model, "Hello")) == 1
    steps.append(resident())
print(*steps)
"""
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    before, one, both = map(float, ran.stdout.split())
    assert one - before > 4
    assert both - one > 2
    assert both - before < 20


def test_a_text_alone() -> None:
    count = farthing.count_tokens("gpt-5-mini", "Hello, world!")
    assert (count.tokens, count.confidence, dict(count.parts)) == (4, "exact", {"text": 4})
    assert int(count) == 4
    assert farthing.count_tokens("openai/gpt-4o", "").tokens == 0
    assert farthing.count_tokens("claude-sonnet-4-5", "Hello, world!").confidence == "calibrated"
    assert farthing.count_tokens("llama-3.3-70b-versatile", "Hello!").confidence == "heuristic"
    assert farthing.count_tokens("gpt-4o", "\ud800").tokens > 0  # a lone surrogate is no text


@pytest.mark.parametrize(
    ("model", "request_", "tokens", "confidence"),
    [
        ("gpt-4.1", {"messages": HELLO}, 11, "exact"),
        ("gpt-5-mini", {"messages": HELLO}, 10, "exact"),
        ("gpt-4.1", {"input": "Hello, world!"}, 11, "exact"),
        ("text-embedding-3-small", {"input": "Hello, world!"}, 4, "exact"),
        (
            "claude-3-haiku-20240307",
            {"messages": HELLO, "system": "Hello, world!"},
            15,
            "calibrated",
        ),
        (
            "gemini-2.5-flash",
            {"contents": [{"parts": [{"text": "Hello, world!"}]}]},
            4,
            "calibrated",
        ),
        ("gemini-2.5-flash", {"messages": HELLO}, 4, "calibrated"),
        ("llama-3.3-70b-versatile", {"messages": HELLO}, 14, "heuristic"),
    ],
)
def test_a_request(model: str, request_: dict[str, Any], tokens: int, confidence: str) -> None:
    count = farthing.count_tokens(model, **request_)
    assert (count.tokens, count.confidence) == (tokens, confidence)
    assert sum(count.parts.values()) == tokens


def test_tools_have_a_part_of_their_own() -> None:
    tool = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
    assert farthing.count_tokens("gpt-4.1", HELLO, tools=[tool]).parts["tools"] > 0


@pytest.mark.parametrize(
    ("model", "messages", "request_", "why"),
    [
        ("nobody-1", "hi", {}, "nobody-1"),
        ("gpt-4.1", "hi", {"tools": []}, "tools"),
        ("gpt-4.1", None, {}, '"messages"'),
        ("gpt-4.1", [{"role": "user", "content": [{"type": "input_audio"}]}], {}, "not counted"),
        ("claude-3-haiku", HELLO, {"tools": [{"type": "web_search_20250305"}]}, "not counted"),
    ],
)
def test_what_is_not_counted_says_so(
    model: str, messages: Any, request_: dict[str, Any], why: str
) -> None:
    with pytest.raises(farthing.ArgumentError, match=why):
        farthing.count_tokens(model, messages, **request_)


@pytest.mark.parametrize(
    ("endpoint", "model", "provider", "request_"),
    [
        ("chat.completions", "gpt-4.1", "openai", {"messages": HELLO}),
        ("messages", "claude-sonnet-4-5", "anthropic", {"messages": HELLO, "max_tokens": 10}),
        (
            "generateContent",
            "gemini-2.5-flash",
            "gemini",
            {"contents": [{"parts": [{"text": "Hi"}]}]},
        ),
    ],
)
def test_an_estimate_knows_whose_endpoint_it_is(
    endpoint: str, model: str, provider: str, request_: dict[str, Any]
) -> None:
    guard = farthing.Guard(store="memory:", caps=[farthing.Cap("5 USD", per="day")])
    estimate = guard.estimate(endpoint, model=model, count=500, **request_)
    assert (estimate.provider, estimate.model) == (provider, model)
    assert estimate.ceiling_usd is not None
    (left,) = estimate.left  # what the cap would have left after all 500
    assert left.remaining == 5 - 500 * estimate.ceiling_usd
    guard.close()


def test_a_policy_names_tokenizers(tmp_path: Path) -> None:
    lines = [f"{base64.b64encode(bytes([byte])).decode()} {byte}" for byte in range(256)]
    (tmp_path / "own.tiktoken").write_text("\n".join(lines))
    policy = tmp_path / "farthing.toml"
    policy.write_text('[[tokenizer]]\nmodel = "acme-*"\nfile = "own.tiktoken"\n')
    count = farthing.count_tokens("acme-7b", "Hello", policy=policy)
    assert (count.tokens, count.confidence) == (5, "exact")
    asked = farthing.count_tokens("acme-7b", HELLO, policy=policy)
    assert dict(asked.parts)["text"] == len("Hello, world!")
    with pytest.raises(farthing.ArgumentError, match="acme-7b"):
        farthing.count_tokens("acme-7b", "Hello")
    (tmp_path / "broken.toml").write_text("[[tokenizer]]\n")
    with pytest.raises(farthing.PolicyError, match="tokenizer"):
        farthing.count_tokens("acme-7b", "Hello", policy=tmp_path / "broken.toml")
    rules = [{"model": "acme-*", "file": str(tmp_path / "own.tiktoken")}]
    with farthing.Guard(store="memory:", tokenizers=rules) as guard:
        estimate = guard.estimate("chat.completions", model="acme-7b", messages=HELLO)
        assert estimate.likely["input_tokens"] == asked.tokens


def box(kind: bytes, *inside: bytes) -> bytes:
    content = b"".join(inside)
    return struct.pack(">I", len(content) + 8) + kind + content


def video(seconds: int) -> bytes:
    """An MP4 without pictures: its tables of samples say how long it is."""
    clock = bytes(12) + struct.pack(">II", 1, seconds) + bytes(4)
    samples = box(b"stts", bytes(4), struct.pack(">III", 1, 1, seconds))
    track = (
        box(b"mdhd", clock) + box(b"hdlr", bytes(8), b"vide") + box(b"minf", box(b"stbl", samples))
    )
    movie = box(b"mvhd", clock) + box(b"trak", box(b"mdia", track))
    return box(b"ftyp", b"isom") + box(b"moov", movie)


def wav(seconds: int) -> bytes:
    sound = bytes(1000 * seconds)
    form = struct.pack("<HHIIHH", 1, 1, 1000, 1000, 1, 8)
    chunks = (
        b"fmt " + struct.pack("<I", 16) + form + b"data" + struct.pack("<I", len(sound)) + sound
    )
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks


def of_gemini(mime: str, data: bytes, model: str = "gemini-2.5-flash") -> farthing.Estimate:
    part = {"inlineData": {"mimeType": mime, "data": base64.b64encode(data).decode()}}
    with farthing.Guard(store="memory:") as guard:
        return guard.estimate("generateContent", model=model, contents=[{"parts": [part]}])


def test_documents_and_video_of_gemini_are_bounded() -> None:
    page = b"%PDF-1.4\n3 0 obj <</Type /Page>> endobj\n"
    document = of_gemini("application/pdf", page)
    assert not document.unbounded_by
    assert document.likely["input_tokens"] == 258
    assert 516 <= document.ceiling["input_tokens"] < 1500
    assert of_gemini("application/pdf", page + b"/Type /ObjStm").unbounded_by
    newer = of_gemini("application/pdf", page, "gemini-3-pro-preview")
    assert not newer.unbounded_by
    assert newer.likely["input_tokens"] == 560
    assert 1120 <= newer.ceiling["input_tokens"] < 2000
    assert of_gemini("text/plain", page).unbounded_by
    film = of_gemini("video/mp4", video(10))
    assert not film.unbounded_by
    assert film.likely["input_tokens"] == 3000
    assert 11 * 600 <= film.ceiling["input_tokens"] < 11 * 600 + 1500
    # Sound is dearer, and a film has some.
    inputs = [part for part in film.ceiling_parts if part.quantity == "input_tokens"]
    assert [part.what for part in inputs][-1] == "input: videos"
    assert sum(part.cost_usd or 0 for part in inputs) >= film.ceiling["input_tokens"] * Decimal(
        "0.000001"
    )


def three_pages() -> str:
    """Since PDF 1.5 the pages of most documents stand in a compressed stream."""
    pages = zlib.compress(b"1 0 2 20 3 40 " + b"<</Type/Page>> " * 3)
    stream = b"<</Type/ObjStm/N 3/First 14/Filter/FlateDecode/Length %d>>stream\n" % len(pages)
    file = b"%PDF-1.5\n7 0 obj\n" + stream + pages + b"\nendstream endobj\n"
    return base64.b64encode(file).decode()


def documents() -> list[tuple[str, str, list[dict[str, object]], int]]:
    url = "data:application/pdf;base64," + three_pages()
    source = {"type": "base64", "media_type": "application/pdf", "data": three_pages()}
    file = {"type": "file", "file": {"filename": "a.pdf", "file_data": url}}
    input_file = {"type": "input_file", "filename": "a.pdf", "file_data": url}
    return [
        ("messages", "claude-sonnet-4-5", [{"type": "document", "source": source}], 3 * 2562),
        ("chat.completions", "gpt-5-mini", [file], 3 * 1337),
        ("responses", "gpt-4o", [input_file], 3 * 1085),
    ]


@pytest.mark.parametrize(("endpoint", "model", "content", "likely"), documents())
def test_documents_whose_text_counts_are_likely_by_their_pages(
    endpoint: str, model: str, content: list[dict[str, object]], likely: int
) -> None:
    key = "input" if endpoint == "responses" else "messages"
    with farthing.Guard(store="memory:") as guard:
        made = guard.estimate(
            endpoint, model=model, max_tokens=100, **{key: [{"role": "user", "content": content}]}
        )
    assert likely < made.likely["input_tokens"] < likely + 150
    # No bound of a page's text is known.
    assert made.confidence == "unbounded"
    assert made.unbounded_by == ("the text of a document's pages",)
    assert made.ceiling["input_tokens"] >= 128_000
    assert ("input: 3 pages", likely) in [(part.what, part.count) for part in made.likely_parts]


def test_sound_of_openais_chat_is_bounded_by_its_length() -> None:
    sound = {"data": base64.b64encode(wav(60)).decode(), "format": "wav"}
    content = [{"type": "input_audio", "input_audio": sound}]
    with farthing.Guard(store="memory:") as guard:
        estimate = guard.estimate(
            "chat.completions",
            model="gpt-4o-audio-preview",
            messages=[{"role": "user", "content": content}],
        )
    assert not estimate.unbounded_by
    assert 600 <= estimate.likely["input_tokens"] < 700
    assert 61 * 20 <= estimate.ceiling["input_tokens"] < 61 * 20 + 2000
