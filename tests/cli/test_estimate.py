"""`farthing estimate`: what the command adds to the core's estimate (tests/python/test_estimates.py)."""

from __future__ import annotations

import json

from tests.cli.conftest import Place
from tests.python.test_counting import wav

HELLO = ("estimate", "--text", "hello", "--model")


def test_an_unknown_model_has_no_price_and_near_names(place: Place) -> None:
    said = place.run(*HELLO, "GPT-5-MINU")
    assert "no price is known; near names: gpt-5-mini" in said


def test_what_is_no_host_is_refused(place: Place) -> None:
    said = place.run(*HELLO, "gpt-5-mini", "--host", "https://api.openai.com/v1", code=2)
    assert "accepted: a host as in an address" in said
    assert "groq" in place.run(*HELLO, "llama-3.3-70b-versatile", "--host", "api.groq.com")


def test_labels_choose_the_caps_that_have_room(place: Place) -> None:
    (place.folder / "farthing.toml").write_text(
        '[[cap]]\nlimit = "0.0001 USD"\nper = "day"\nmatch = { user = "u1" }\n'
    )
    assert "refused" in place.run(*HELLO, "gpt-5", "--label", "user=u1")
    assert "refused" not in place.run(*HELLO, "gpt-5", "--label", "user=u2")
    assert "user" in place.run(*HELLO, "gpt-5", "--label", "user", code=2)


def test_an_invalid_policy_is_named_with_what_is_wrong(place: Place) -> None:
    (place.folder / "wrong.toml").write_text('[[cap]]\nlimit = "1 USD"\nper = "dya"\n')
    said = place.run(*HELLO, "gpt-5", "--policy", "wrong.toml", code=1)
    assert "wrong.toml:3" in said and '"day"' in said
    assert "missing.toml" in place.run(*HELLO, "gpt-5", "--policy", "missing.toml", code=1)


def test_explain_says_why_at_most_is_at_dearer_rates(place: Place) -> None:
    note = "at the dearest rates"  # OpenAI may serve a request without a tier as priority
    assert note in place.run(*HELLO, "gpt-5", "--explain")
    request = {
        "model": "gpt-5",
        "service_tier": "default",
        "messages": [{"role": "user", "content": "hi"}],
    }
    (place.folder / "request.json").write_text(json.dumps(request))
    assert note not in place.run("estimate", "request.json", "--explain")


def test_a_recording_is_estimated_by_its_length(place: Place) -> None:
    (place.folder / "talk.wav").write_bytes(wav(90))
    told = json.loads(place.run("estimate", "--file", "talk.wav", "--model", "whisper-1", "--json"))
    assert told["endpoint"] == "audio.transcriptions"
    assert told["ceiling"] == told["likely"] == "0.009"  # 90 s at 0.36 USD an hour
    (place.folder / "form").write_bytes(
        b'--x\r\nContent-Disposition: form-data; name="model"\r\n\r\nwhisper-1\r\n'
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
        + wav(90)
        + b"\r\n--x--\r\n"
    )
    same = place.run("estimate", "form", "--endpoint", "audio.transcriptions", "--json")
    assert json.loads(same) == told
    assert "--model" in place.run("estimate", "--file", "talk.wav", code=2)
    assert "missing" in place.run(
        "estimate", "--file", "missing.wav", "--model", "whisper-1", code=2
    )


def test_what_a_file_is_for_is_told_by_the_policys_own_prices(place: Place) -> None:
    """A model of one's own that makes images was taken for one that writes recordings down."""
    price = (
        '[[price]]\nprovider = "openai"\nmodel = "{}"\n{}rates = {{ images = "0.04 USD each" }}\n'
    )
    (place.folder / "farthing.toml").write_text(
        price.format("paint-1", "") + price.format("paint-2", 'size = "512x512"\n')
    )
    (place.folder / "mill.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    said = json.loads(place.run("estimate", "--file", "mill.png", "--model", "paint-1", "--json"))
    assert said["endpoint"] == "images.edits" and said["ceiling"] == "0.04"
    by_size = json.loads(
        place.run("estimate", "--file", "mill.png", "--model", "paint-2", "--json")
    )
    assert by_size["endpoint"] == "images.edits" and by_size["ceiling"] is None
    assert "it has prices by size" in by_size["no_ceiling"]
    (place.folder / "asked.json").write_text(
        '{"model": "paint-2", "prompt": "a mill", "size": "512x512", "n": 2}'
    )
    asked = json.loads(place.run("estimate", "asked.json", "--json"))
    assert (asked["endpoint"], asked["ceiling"]) == ("images.generations", "0.08")
