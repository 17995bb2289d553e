"""`farthing count` and `farthing estimate`: texts and requests in, tokens and money out; no store is touched."""

from __future__ import annotations

import base64
import json
import subprocess
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import farthing
from tests.cli.conftest import COMMAND, Place

CHAT: dict[str, Any] = {
    "model": "gpt-4.1-nano",
    "messages": [{"role": "user", "content": "Hello, world!"}],
    "max_tokens": 100,
}


def written(place: Place, request: object) -> str:
    (place.folder / "request.json").write_text(json.dumps(request, separators=(",", ":")))
    return "request.json"


def test_a_folder_is_no_file(place: Place) -> None:
    for command in (("count", "."), ("count", "--request", "."), ("estimate", "/")):
        assert "is a folder" in place.run(*command, "--model", "gpt-4.1-nano", code=2)


def test_counts_a_text_of_a_file_and_of_standard_input(place: Place) -> None:
    (place.folder / "text.txt").write_text("Hello, world!")
    assert place.run("count", "text.txt", "--model", "gpt-4.1-nano") == "4\n"
    assert place.run("count", "text.txt", "--encoding", "cl100k_base") == "4\n"
    piped = subprocess.run(
        [COMMAND, "count", "--model", "gpt-4.1-nano"],
        input="Hello, world!",
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert piped.stdout == "4\n"


def test_counts_a_request_with_what_stands_around_it(place: Place) -> None:
    file = written(place, CHAT)
    assert place.run("count", "--request", file) == "11\n"
    said = json.loads(place.run("count", "--request", file, "--json"))
    assert said == {
        "tokens": 11,
        "confidence": "exact",
        "parts": {"text": 4, "around messages": 7},
    }
    explained = place.run("count", "--request", file, "--explain")
    assert "around messages" in explained and "exact" in explained
    other = json.loads(place.run("count", "--request", file, "--json", "--model", "claude-3-haiku"))
    assert other["confidence"] == "calibrated"


def test_counts_with_a_vocabulary_in_a_file(place: Place) -> None:
    tokens = [bytes([byte]) for byte in range(256)] + [b"hi"]
    lines = [f"{base64.b64encode(token).decode()} {rank}" for rank, token in enumerate(tokens)]
    (place.folder / "own.tiktoken").write_text("\n".join(lines))
    (place.folder / "text.txt").write_text("hi")
    assert place.run("count", "text.txt", "--encoding", "own.tiktoken") == "1\n"


def own_tokenizer(place: Place) -> None:
    """A policy beside which acme's models have every byte and "hi" as tokens."""
    tokens = [bytes([byte]) for byte in range(256)] + [b"hi"]
    lines = [f"{base64.b64encode(token).decode()} {rank}" for rank, token in enumerate(tokens)]
    (place.folder / "acme").mkdir()
    (place.folder / "acme/own.tiktoken").write_text("\n".join(lines))
    (place.folder / "acme/policy.toml").write_text(
        '[[tokenizer]]\nmodel = "acme-*"\nfile = "own.tiktoken"\n\n'
        '[[tokenizer]]\nmodel = "lost-*"\nfile = "nowhere.json"\n'
    )
    (place.folder / "text.txt").write_text("hi you")


def test_counts_with_the_tokenizers_of_a_policy(place: Place) -> None:
    own_tokenizer(place)
    policy = ("--policy", "acme/policy.toml")
    assert place.run("count", "text.txt", "--model", "acme-7b", *policy) == "5\n"
    message = {"role": "user", "content": "hi you"}
    file = written(place, {"model": "acme-7b", "messages": [message]})
    said = json.loads(place.run("count", "--request", file, "--json", *policy))
    assert said["parts"]["text"] == 5
    assert said["confidence"] == "heuristic"
    assert "acme-7b" in place.run("count", "--request", file, code=2)
    lost = place.run("count", "text.txt", "--model", "lost-1", *policy, code=2)
    assert "nowhere.json" in lost
    told = json.loads(place.run("estimate", file, "--json", *policy))
    assert told["likely_meters"]["input_tokens"] == said["tokens"]
    lost_file = written(place, {"model": "lost-1", "messages": [message]})
    assert "nowhere.json" in place.run("estimate", lost_file, *policy, code=1)


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["text.txt"], "--model"),
        (["text.txt", "--model", "nobody-1"], "nobody-1"),
        (["text.txt", "--encoding", "nowhere"], "o200k_base"),
        (["none.txt", "--model", "gpt-4.1-nano"], "none.txt"),
        (["--request", "text.txt"], "not a JSON object"),
        (["--request", "image.json"], "not counted"),
        (["--request", "empty.json"], "messages"),
    ],
)
def test_says_what_cannot_be_counted(place: Place, arguments: list[str], why: str) -> None:
    (place.folder / "text.txt").write_text("hi")
    image = {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}
    shown = {"model": "gpt-4.1-nano", "messages": [{"role": "user", "content": [image]}]}
    (place.folder / "image.json").write_text(json.dumps(shown))
    (place.folder / "empty.json").write_text('{"model": "gpt-4.1-nano"}')
    assert why in place.run("count", *arguments, code=2)


def test_estimates_what_the_guard_estimates(place: Place) -> None:
    file = written(place, CHAT)
    said = json.loads(place.run("estimate", file, "--json", "--count", "500"))
    guard = farthing.Guard(store="memory:")
    known = guard.estimate("chat.completions", **CHAT)
    guard.close()
    assert Decimal(said["likely"]) == known.likely_usd
    assert Decimal(said["ceiling"]) == known.ceiling_usd
    assert said["likely_meters"]["input_tokens"] == 11
    assert said["confidence"] == "exact"
    assert "left" not in said
    told = place.run("estimate", file, "--count", "500")
    assert known.ceiling_usd is not None
    assert f"{(known.ceiling_usd * 500).normalize():f}" in told


def test_explains_an_estimate(place: Place) -> None:
    said = place.run("estimate", written(place, CHAT), "--explain")
    for part in ("input: text", "input: around messages", "margin of the count", "output limit"):
        assert part in said
    assert "0.80 USD per million" in said  # the dearest that it can be served as: priority


@pytest.mark.parametrize("model", ["gpt-5-mini", "claude-sonnet-4-5", "gemini-2.5-flash"])
def test_estimates_a_prompt(place: Place, model: str) -> None:
    arguments = ("estimate", "--text", "Hello, world!", "--model", model, "--output-limit", "50")
    said = json.loads(place.run(*arguments, "--json"))
    assert said["output_limit"] == 50
    assert 3 < said["likely_meters"]["input_tokens"] < 20
    assert said["confidence"] in ("exact", "calibrated")


def test_an_estimate_writes_into_no_store(place: Place) -> None:
    (place.folder / "farthing.toml").write_text(
        '[[cap]]\nlimit = "5 USD"\nper = "day"\n\n[[price]]\nprovider = "openai"\nmodel = "own-1"\n'
        'rates = { input_tokens = "1 USD per million", output_tokens = "2 USD per million" }\n'
    )
    said = json.loads(place.run("estimate", written(place, {**CHAT, "model": "own-1"}), "--json"))
    assert said["ceiling"] is not None
    assert not Path(place.store.removeprefix("file:")).exists()


VOLUME = """
[[cap]]
id = "acme-tokens"
match = { provider = "acme" }
limit = "1_000_000_000 tokens"
per = "month"
[[host]]
name = "llm.acme.test"
provider = "acme"
[[price]]
provider = "acme"
model = "acme-7b"
rates = { input_tokens = "0.20 USD per million", output_tokens = "0.60 USD per million" }
[[price]]
provider = "acme"
model = "acme-7b"
rates = { input_tokens = "0.15 USD per million", output_tokens = "0.45 USD per million" }
volume = "acme-tokens"
volume_from = "100_000_000 tokens"
"""


def test_estimates_by_a_policy_with_prices_by_volume(place: Place) -> None:
    (place.folder / "farthing.toml").write_text(VOLUME)
    file = written(place, {**CHAT, "model": "acme-7b"})
    told = json.loads(place.run("estimate", file, "--host", "llm.acme.test", "--json"))
    assert told["ceiling"] is not None and told["no_ceiling"] is None
    (ranked,) = json.loads(place.run("prices", "compare", "acme-7b", "--for", file, "--json"))
    assert ranked["ceiling"] == told["ceiling"] and ranked["why_not"] == ""


def test_says_what_has_no_bound_and_shows_seconds(place: Place) -> None:
    image = {"model": "chatgpt-image-latest", "prompt": "a mill", "quality": "high"}
    file = written(place, image)
    said = place.run("estimate", file, "--endpoint", "images.generations")
    assert "nothing bounds it: the tokens of images of this model" in said
    assert "0.00" not in said
    models = ("chatgpt-image-latest", "gpt-image-1-mini", "--provider", "openai")
    ranked = json.loads(
        place.run(
            *("prices", "compare", *models, "--endpoint", "images.generations"),
            *("--for", file, "--json"),
        )
    )
    assert [entry["model"] for entry in ranked] == ["gpt-image-1-mini", "chatgpt-image-latest"]
    assert ranked[1]["ceiling"] is None and "nothing bounds it" in ranked[1]["why_not"]
    film = written(place, {"model": "sora-2", "prompt": "a mill", "seconds": "8"})
    said = place.run("estimate", film, "--endpoint", "videos", "--explain")
    assert "video_seconds" in said and "8000" not in said
    meters = json.loads(place.run("estimate", file, "--endpoint", "videos", "--json"))[
        "ceiling_meters"
    ]
    assert (meters["video_seconds"], meters["video_seconds_ms"]) == ("8", 8000)
    assert "0.10 USD per second" in said and "0.80" in said


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["--text", "hi"], "--model"),
        (["request.json", "--output-limit", "5"], "--text"),
        (["request.json", "--endpoint", "realtime"], "chat.completions"),
        (["broken.json"], "not JSON"),
        (["number.json"], "but number"),
        (["empty.json"], "empty, not JSON"),
        (["nothing.json"], "--endpoint"),
    ],
)
def test_says_what_cannot_be_estimated(place: Place, arguments: list[str], why: str) -> None:
    written(place, CHAT)
    for name, text in {"broken": "{", "number": "5", "empty": " \n", "nothing": "{}"}.items():
        (place.folder / f"{name}.json").write_text(text)
    assert why in place.run("estimate", *arguments, code=2)


@pytest.mark.parametrize(
    ("request_", "endpoint"),
    [
        ({"model": "gpt-image-1", "prompt": "a mill", "quality": "high"}, "images.generations"),
        ({"model": "gpt-3.5-turbo-instruct", "prompt": "a mill"}, "completions"),
        ({"model": "sora-2", "prompt": "a mill"}, "videos"),
        ({"model": "tts-1", "input": "a mill", "voice": "alloy"}, "audio.speech"),
        ({"model": "text-embedding-3-small", "input": "a mill"}, "embeddings"),
        ({"model": "gpt-5-mini", "input": "a mill"}, "responses"),
        ({"model": "unheard-of", "input": "a mill", "voice": "alloy"}, "audio.speech"),
    ],
)
def test_a_request_is_for_what_its_model_makes(
    place: Place, request_: dict[str, Any], endpoint: str
) -> None:
    """An image taken for a completion would be estimated far too low."""
    said = json.loads(place.run("estimate", written(place, request_), "--json"))
    assert said["endpoint"] == endpoint
    text = request_.get("prompt") or request_["input"]
    if "instruct" in request_["model"] or endpoint == "responses" or "voice" in request_:
        return
    asked = json.loads(
        place.run("estimate", "--text", text, "--model", request_["model"], "--json")
    )
    assert asked["endpoint"] == endpoint


def test_an_estimate_says_what_the_caps_of_a_policy_admit(place: Place) -> None:
    (place.folder / "tight.toml").write_text('[[cap]]\nlimit = "0.01 USD"\nper = "day"\n')
    ask = ("estimate", "--text", "Hello", "--model", "gpt-5-mini", "--policy", "tight.toml")
    assert "have room for it with an output limit of 2048" in place.run(*ask)
    assert json.loads(place.run(*ask, "--json"))["fits_output_limit"] == 2048
    nine = place.run(*ask, "--count", "9")
    assert (
        "refused with nothing spent: for 9 such calls at once: the cap (0.01 USD per day)" in nine
    )
    call = (place.folder / "call.toml").write_text(
        '[[cap]]\nid = "one"\nlimit = "0.00001 USD"\nper = "call"\n'
    )
    assert 'cap "one"' in place.run(*ask[:-1], "call.toml") and call
