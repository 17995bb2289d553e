"""Images, speech, transcriptions and what is free: held, refused and settled to the nano, with the real SDKs."""

from __future__ import annotations

import io
import wave
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any

import openai
import pytest

import farthing

from .conftest import Shop
from .money import billed, booked, counted

pytestmark = pytest.mark.filterwarnings("ignore:deprecated:DeprecationWarning")  # translations

DAY = farthing.Cap("5 USD", per="day", id="day")
NOTHING = farthing.Cap("0 USD", per="day", id="nothing")
PICTURE = (
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x04\x00\x00\x00\x04\x00\x08\x06\x00\x00\x00"
    + bytes(1000)
)
# Bytes that look like the end of a part, which they are not.
HOSTILE = PICTURE + b"\r\n--boundary--\r\n\x00\xff\r\n\r\n--"


def wav(seconds: float) -> tuple[str, bytes]:
    file = io.BytesIO()
    with wave.open(file, "wb") as audio:
        audio.setnchannels(1)
        audio.setsampwidth(2)
        audio.setframerate(8000)
        audio.writeframes(bytes(int(16000 * seconds)))
    return ("speech.wav", file.getvalue())


def _read(stream: Any) -> Any:
    return _aread(stream) if hasattr(stream, "__await__") else list(stream)


async def _aread(stream: Any) -> Any:
    return [event async for event in await stream]


def _streamed_speech(c: Any) -> Any:
    more = c.audio.speech.with_streaming_response.create(**TTS, stream_format="sse")
    if hasattr(more, "__aenter__"):
        return _aopened(more)
    with more as response:
        return response.read()


async def _aopened(more: Any) -> Any:
    async with more as response:
        return await response.read()


TTS: dict[str, Any] = {"model": "gpt-4o-mini-tts", "voice": "coral", "input": "hello there, you"}
DRAW: dict[str, Any] = {"model": "gpt-image-1", "prompt": "a copper mill beside a river"}
WAYS: dict[str, Callable[[Any], Any]] = {
    "image": lambda c: c.images.generate(**DRAW, n=2, size="1024x1536", quality="low"),
    "image of any size": lambda c: c.images.generate(**DRAW),
    "image mini": lambda c: c.images.generate(model="gpt-image-1-mini", prompt="x", quality="high"),
    "image stream": lambda c: _read(c.images.generate(**DRAW, stream=True, partial_images=3)),
    "edit": lambda c: c.images.edit(**DRAW, image=("a.png", HOSTILE), quality="high"),
    "edit two": lambda c: c.images.edit(**DRAW, image=[("a.png", PICTURE), ("b.png", PICTURE)]),
    "edit stream": lambda c: _read(
        c.images.edit(**DRAW, image=("a.png", PICTURE), stream=True, partial_images=1)
    ),
    "speech": lambda c: c.audio.speech.create(model="tts-1", voice="alloy", input="déjà vu 漢字"),
    "speech hd": lambda c: c.audio.speech.create(model="tts-1-hd", voice="alloy", input="hello"),
    "speech by tokens": _streamed_speech,
    "whisper": lambda c: c.audio.transcriptions.create(model="whisper-1", file=wav(2.5)),
    "whisper as text": lambda c: c.audio.transcriptions.create(
        model="whisper-1", file=wav(61.2), response_format="srt"
    ),
    "translation": lambda c: c.audio.translations.create(model="whisper-1", file=wav(3)),
    "transcription": lambda c: c.audio.transcriptions.create(
        model="gpt-4o-transcribe", file=wav(12), prompt="names: Ada"
    ),
    "transcription stream": lambda c: _read(
        c.audio.transcriptions.create(model="gpt-4o-mini-transcribe", file=wav(12), stream=True)
    ),
}


def _is_settled(guard: farthing.Guard, shop: Shop) -> None:
    (row,) = guard.ledger()
    real = billed(shop.provider)
    assert real > 0
    assert booked(guard) == real
    assert counted(guard, "day") == (real, Decimal(0))
    assert row.ceiling_usd is not None and row.ceiling_usd >= real
    assert row.error_class == ""


@pytest.mark.parametrize("way", WAYS)
def test_a_call_is_settled_at_what_is_billed(shop: Shop, way: str) -> None:
    guard = shop.guard(DAY)
    assert WAYS[way](guard.wrap(shop.client()))
    _is_settled(guard, shop)


@pytest.mark.parametrize("way", WAYS)
def test_an_async_call_is_settled_at_what_is_billed(
    shop: Shop, way: str, run_async: Callable[[Callable[[], Awaitable[Any]]], Any]
) -> None:
    guard = shop.guard(DAY)

    async def main() -> None:
        async with guard.wrap(shop.aclient()) as client:
            assert await WAYS[way](client)

    run_async(main)
    _is_settled(guard, shop)


@pytest.mark.parametrize("retries", [0, 2])
@pytest.mark.parametrize("way", WAYS)
def test_a_refusal_is_typed_and_sends_nothing(
    shop: Shop, decisions: list[object], way: str, retries: int
) -> None:
    client = shop.guard(NOTHING).wrap(shop.client(max_retries=retries))
    with pytest.raises(farthing.CapExceeded) as caught:
        WAYS[way](client)
    assert isinstance(caught.value, openai.APIStatusError)
    assert (shop.requests(), len(decisions)) == (0, 1)


@pytest.mark.parametrize("way", WAYS)
def test_an_async_refusal_is_typed_and_sends_nothing(
    shop: Shop, way: str, run_async: Callable[[Callable[[], Awaitable[Any]]], Any]
) -> None:
    async def main() -> None:
        async with shop.guard(NOTHING).wrap(shop.aclient()) as client:
            with pytest.raises(farthing.CapExceeded):
                await WAYS[way](client)

    run_async(main)
    assert shop.requests() == 0


METERS: list[tuple[str, str, int]] = [  # a way, its meter, how many of it
    ("image", "images", 2),
    ("image stream", "images", 1),
    ("edit", "images", 1),
    ("speech", "characters", 10),
    ("speech by tokens", "characters", 16),
    ("whisper", "audio_seconds", 3),
    ("whisper as text", "audio_seconds", 62),
    ("transcription", "audio_seconds", 12),
]


@pytest.mark.parametrize(("way", "meter", "count"), METERS)
def test_a_cap_counts_pieces(shop: Shop, way: str, meter: str, count: int) -> None:
    guard = shop.guard(farthing.Cap(f"{count} {meter}", per="day", id="pieces"))
    client = guard.wrap(shop.client())
    WAYS[way](client)
    assert counted(guard, "pieces") == (count, 0)
    with pytest.raises(farthing.CapExceeded):
        WAYS[way](client)
    assert shop.requests() == 1


def test_labels_and_endpoints(shop: Shop) -> None:
    guard = shop.guard(DAY)
    client = guard.wrap(shop.client())
    for way in ("image", "edit", "speech", "whisper", "translation"):
        WAYS[way](client)
    told = [(row.endpoint, row.modality, row.labels["operation"]) for row in guard.ledger()]
    assert told[::-1] == [
        ("images.generations", "image", "generate"),
        ("images.edits", "image", "edit"),
        ("audio.speech", "speech", "generate"),
        ("audio.transcriptions", "transcription", "generate"),
        ("audio.translations", "transcription", "generate"),
    ]


def test_bodies_arrive_as_they_were(shop: Shop) -> None:
    def bodies(client: Any) -> list[str]:
        WAYS["edit"](client)
        WAYS["transcription"](client)
        return [_without_boundary(body) for body in shop.provider.requests(last=2)]

    plain = bodies(shop.client())
    assert HOSTILE.decode("utf-8", "replace") in plain[0]
    assert bodies(shop.guard(DAY).wrap(shop.client())) == plain


def _without_boundary(request: Any) -> str:
    body: str = request["body"]
    return body.replace(body.split("\r\n", 1)[0].removeprefix("--"), "boundary")


def test_errors_of_the_provider_cost_nothing(shop: Shop) -> None:
    guard = shop.guard(DAY)
    client = guard.wrap(shop.client())
    shop.provider.script({"status": 400}, {"status": 429}, {"status": 500})
    for way in ("image", "speech", "whisper"):
        with pytest.raises(openai.APIStatusError):
            WAYS[way](client)
    assert {row.how for row in guard.ledger()} == {"provider_error"}
    assert counted(guard, "day") == (0, 0)


def test_an_answer_without_its_usage_is_charged_its_hold(shop: Shop) -> None:
    guard = shop.guard(DAY)
    client = guard.wrap(shop.client())
    shop.provider.script({"usage": "missing"}, {"usage": "missing"})
    WAYS["image"](client)
    WAYS["image stream"](client)
    client.audio.speech.create(**TTS)  # bytes, and no usage
    for row in guard.ledger():
        assert (row.how, row.actual_usd) == ("hold", row.ceiling_usd)


def test_speech_that_is_let_go_of_is_charged(shop: Shop) -> None:
    guard = shop.guard(DAY)
    client = guard.wrap(shop.client())
    with client.audio.speech.with_streaming_response.create(
        model="tts-1", voice="alloy", input="hello"
    ) as response:
        next(response.iter_bytes(16))
    (row,) = guard.ledger()
    assert (row.error_class, row.actual_usd) == ("closed", billed(shop.provider))


def test_what_has_no_bound_is_refused(shop: Shop) -> None:
    """R31."""
    guard = shop.guard(DAY)
    client = guard.wrap(shop.client())
    unbounded: list[Callable[[], Any]] = [
        lambda: client.images.generate(model="chatgpt-image-latest", prompt="x"),
        lambda: client.images.edit(model="gpt-image-2", prompt="x", image=("a.png", PICTURE)),
        lambda: client.images.edit(**DRAW, image=("a.png", b"no picture")),
        lambda: client.images.generate(model="gpt-image-2", prompt="x", output_format="svg"),
        lambda: client.audio.transcriptions.create(model="whisper-1", file=("a.mp3", b"no sound")),
        lambda: client.audio.transcriptions.create(
            model="gpt-4o-transcribe", file=wav(2), chunking_strategy="auto"
        ),
    ]
    for call in unbounded:
        with pytest.raises(farthing.Unpriced, match="has no bound") as caught:
            call()
        assert caught.value.code == "unbounded_request"
    assert shop.requests() == 0


def test_an_amount_of_the_policy_lets_it_pass(shop: Shop) -> None:
    """R31."""
    guard = shop.guard(DAY, unbounded="0.50 USD")
    client = guard.wrap(shop.client())
    client.audio.transcriptions.create(model="whisper-1", file=("a.mp3", b"no sound"))
    (row,) = guard.ledger()
    assert (row.ceiling_usd, row.actual_usd) == (Decimal("0.5"), billed(shop.provider))


def test_audio_of_unknown_length_has_the_context_window_for_its_bound(shop: Shop) -> None:
    guard = shop.guard(DAY)
    client = guard.wrap(shop.client())
    file = ("a.mp3", b"no sound")
    client.audio.transcriptions.create(model="gpt-4o-transcribe", file=file)
    (row,) = guard.ledger()
    assert row.actual_usd == billed(shop.provider)
    assert row.ceiling_usd is not None and row.ceiling_usd >= Decimal("0.116")  # 16,000 and 2,000
    seconds = shop.guard(farthing.Cap("100 audio_seconds", per="day", id="seconds"))
    with pytest.raises(farthing.Unpriced, match="unknown length"):
        seconds.wrap(shop.client()).audio.transcriptions.create(
            model="gpt-4o-transcribe", file=file
        )


def test_estimates(shop: Shop) -> None:
    guard = shop.guard(DAY)
    estimate = guard.estimate(
        "images.generations", model="gpt-image-1", prompt="x", n=3, size="1024x1024", quality="high"
    )
    assert estimate.ceiling_usd is not None
    assert Decimal("0.4992") < estimate.ceiling_usd < Decimal("0.502")  # 3 x 4,160 at 40 USD
    assert estimate.ceiling["images"] == 3
    spoken = guard.estimate("audio.speech", model="tts-1", voice="alloy", input="x" * 1000)
    assert (spoken.ceiling_usd, spoken.confidence) == (Decimal("0.015"), "exact")
    assert guard.estimate("audio.transcriptions", model="whisper-1").unbounded_by


def test_moderations_and_token_counts_are_free(shop: Shop) -> None:
    guard = shop.guard(NOTHING)
    client = guard.wrap(shop.client())
    assert client.moderations.create(model="omni-moderation-latest", input="hello").results
    assert client.responses.input_tokens.count(model="gpt-4.1-nano", input="hello").input_tokens > 0
    assert list(guard.ledger()) == []


# ---- Gemini's embeddings, and what its and Anthropic's SDKs ask for nothing


def _genai(shop: Shop) -> Any:
    genai = pytest.importorskip("google.genai")
    options = {"base_url": shop.provider.url.removesuffix("/v1")}
    return genai.Client(api_key="gk-0001", http_options=options)


def _gemini(shop: Shop, cap: farthing.Cap = DAY) -> farthing.Guard:
    return shop.guard(cap, hosts={shop.host: {"provider": "gemini"}})


EMBED: dict[str, Any] = {"contents": ["hello there", "and again"]}


def test_embeddings_of_gemini_are_settled_by_their_usage(shop: Shop) -> None:
    guard = _gemini(shop)
    with guard.wrap(_genai(shop)) as client:
        client.models.embed_content(model="gemini-embedding-2", **EMBED)
    (row,) = guard.ledger()
    assert (row.how, row.modality) == ("usage", "embedding")
    assert row.actual_usd == billed(shop.provider) > 0


def test_embeddings_without_usage_are_settled_at_what_was_asked(shop: Shop) -> None:
    guard = _gemini(shop)

    with guard.wrap(_genai(shop)) as client:
        reply = client.models.embed_content(model="gemini-embedding-001", **EMBED)
        assert len(reply.embeddings) == 2
    (row,) = guard.ledger()
    assert (row.how, row.error_class) == ("counted", "")
    assert row.ceiling_usd == row.actual_usd and row.actual_usd is not None
    assert row.actual_usd >= billed(shop.provider) > 0


def test_async_embeddings_of_gemini(
    shop: Shop, run_async: Callable[[Callable[[], Awaitable[Any]]], Any]
) -> None:
    guard = _gemini(shop)
    client = guard.wrap(_genai(shop))

    async def main() -> None:
        await client.aio.models.embed_content(model="gemini-embedding-2", **EMBED)
        await client.aio.aclose()

    run_async(main)
    client.close()
    (row,) = guard.ledger()
    assert row.actual_usd == billed(shop.provider) > 0


def test_counting_tokens_of_gemini_is_free(shop: Shop) -> None:
    guard = _gemini(shop, NOTHING)
    with guard.wrap(_genai(shop)) as client:
        counted_by = client.models.count_tokens(model="gemini-2.5-flash", contents="hello there")
        assert counted_by.total_tokens > 0
        with pytest.raises(farthing.Denied):
            client.models.embed_content(model="gemini-embedding-001", contents="hello")
    assert shop.requests() == 1


def test_counting_tokens_of_anthropic_is_free(shop: Shop) -> None:
    anthropic = pytest.importorskip("anthropic")
    guard = shop.guard(NOTHING, hosts={shop.host: {"provider": "anthropic"}})
    url = shop.provider.url.removesuffix("/v1")
    with guard.wrap(anthropic.Anthropic(base_url=url, api_key="sk-ant-0001")) as client:
        told = client.messages.count_tokens(
            model="claude-haiku-4-5", messages=[{"role": "user", "content": "hello there"}]
        )
    assert told.input_tokens > 0
    assert list(guard.ledger()) == []
