"""What images, speech, transcriptions and Gemini's embeddings use. The fake's own sums, nothing of Farthing's."""

from __future__ import annotations

import io
import math
import wave
from typing import Any

from .ask import Ask
from .behaviour import Behaviour
from .compose import Usage

SIZES = {"1024x1024": 0, "1024x1536": 1, "1536x1024": 2}
QUALITIES = {"low": (272, 408, 400), "medium": (1056, 1584, 1568), "high": (4160, 6240, 6208)}
PARTIAL_TOKENS = 100
IMAGE_TOKENS = 194  # of an input image of one tile
TILE_TEXT_TOKENS = 32  # that come with it
ENDPOINTS = (
    "images.generations",
    "images.edits",
    "images.variations",
    "audio.speech",
    "audio.transcriptions",
    "audio.translations",
    "embed_content",
    "videos",
    "videos.remix",
)


def usage(ask: Ask, do: Behaviour) -> Usage:
    text = do.input_tokens if do.input_tokens is not None else ask.input_tokens
    kind = (ask.endpoint or "").partition(".")[0]
    if kind == "videos":
        made = video(ask)
        high = "1024" in made["size"]
        unit = "video_seconds_1024p" if high else "video_seconds"
        return Usage(0, pieces={unit: int(made["seconds"])})
    if kind == "images":
        return _images(ask, do, text)
    if ask.endpoint == "audio.speech":
        return _speech(ask, do, text)
    if kind == "audio":
        return _transcription(ask, do, text)
    return Usage(text)


def by_tokens(ask: Ask) -> bool:
    return ask.model.startswith(("gpt-image", "gpt-4o"))


def video(ask: Ask) -> dict[str, str]:
    """Length and size of a video, with the provider's defaults."""
    return {
        "seconds": str(ask.body.get("seconds") or "4"),
        "size": str(ask.body.get("size") or "720x1280"),
    }


def _images(ask: Ask, do: Behaviour, text: int) -> Usage:
    if not by_tokens(ask):
        return Usage(0, pieces={"images": ask.n})
    quality = QUALITIES.get(str(ask.body.get("quality")), QUALITIES["medium"])
    each = quality[SIZES.get(str(ask.body.get("size")), 0)]
    if do.output_tokens is not None:
        each = do.output_tokens
    partial = ask.body.get("partial_images")
    each += PARTIAL_TOKENS * (partial if ask.stream and isinstance(partial, int) else 0)
    images = sum(len(files) for files in ask.files.values())
    return Usage(
        text + TILE_TEXT_TOKENS * images,
        pieces={"input_image_tokens": IMAGE_TOKENS * images, "output_image_tokens": each * ask.n},
    )


def _speech(ask: Ask, do: Behaviour, text: int) -> Usage:
    said = str(ask.body.get("input"))
    if not by_tokens(ask):
        return Usage(0, pieces={"characters": len(said)})
    spoken = do.output_tokens if do.output_tokens is not None else math.ceil(len(said) * 21 / 15)
    return Usage(text, pieces={"output_audio_tokens": spoken})


def _transcription(ask: Ask, do: Behaviour, text: int) -> Usage:
    seconds = duration(next(iter(ask.files.get("file", [])), b""))
    if not by_tokens(ask):
        return Usage(0, pieces={"seconds": math.ceil(seconds)})
    words = do.output_tokens if do.output_tokens is not None else math.ceil(seconds * 3)
    prompt = text if ask.body.get("prompt") else 0
    return Usage(prompt, 0, words, pieces={"input_audio_tokens": math.ceil(seconds * 10)})


def duration(file: bytes) -> float:
    """Seconds of a WAV; anything else is taken for a minute."""
    try:
        with wave.open(io.BytesIO(file)) as audio:
            return audio.getnframes() / audio.getframerate()
    except (wave.Error, EOFError):
        return 60.0


def shown(used: Usage) -> dict[str, Any]:
    """As images and audio tell it."""
    pieces = used.pieces
    if "seconds" in pieces:
        return {"type": "duration", "seconds": pieces["seconds"]}
    images, audio = pieces.get("input_image_tokens", 0), pieces.get("input_audio_tokens", 0)
    inputs = used.input_tokens + images + audio
    made = pieces.get("output_image_tokens", 0) + pieces.get("output_audio_tokens", 0)
    outputs = used.output_tokens + made
    told: dict[str, Any] = {
        "input_tokens": inputs,
        "output_tokens": outputs,
        "total_tokens": inputs + outputs,
    }
    if "output_image_tokens" in pieces:
        told["input_tokens_details"] = {"text_tokens": used.input_tokens, "image_tokens": images}
        told["output_tokens_details"] = {"text_tokens": used.output_tokens, "image_tokens": made}
    if "input_audio_tokens" in pieces:
        told["type"] = "tokens"
        told["input_token_details"] = {"text_tokens": used.input_tokens, "audio_tokens": audio}
    return told
