"""/v1/audio/speech, /v1/audio/transcriptions, /v1/audio/translations."""

from __future__ import annotations

import base64
from typing import Any

from .. import compose, pieces
from ..ask import JSON, Ask
from ..behaviour import Behaviour
from ..compose import Reply
from . import usage as usages
from .event import Event

SOUND = b"ID3" + bytes(range(256)) * 8
TEXTS = {"text": "text/plain", "srt": "text/plain", "vtt": "text/vtt"}


def content_type(ask: Ask) -> str:
    if ask.endpoint == "audio.speech":
        return "audio/mpeg"
    return TEXTS.get(str(ask.body.get("response_format")), "application/json")


def plain(ask: Ask, do: Behaviour, reply: Reply) -> Any:
    if ask.endpoint == "audio.speech":
        return SOUND
    text = _text(reply)
    if content_type(ask) != "application/json":
        return text + "\n"
    body: JSON = {"text": text}
    if ask.endpoint == "audio.translations":
        return body  # tells no usage
    return usages.put(body, usages.shown(pieces.shown(reply.usage), do))


def _text(reply: Reply) -> str:
    return compose.words(reply.usage.output_tokens or 8)


def events(ask: Ask, do: Behaviour, reply: Reply) -> list[Event]:
    usage = usages.shown(pieces.shown(reply.usage), do)
    if ask.endpoint == "audio.speech":
        audio = base64.b64encode(SOUND[:300]).decode()
        made = [Event({"type": "speech.audio.delta", "audio": audio}) for _ in range(3)]
        return [*made, Event(usages.put({"type": "speech.audio.done"}, usage), kind="done")]
    made = [
        Event({"type": "transcript.text.delta", "delta": word})
        for word in compose.pieces(_text(reply), do.deltas, reply.usage.output_tokens)
    ]
    last = {"type": "transcript.text.done", "text": _text(reply)}
    return [*made, Event(usages.put(last, usage), kind="done")]


def error_event(error: JSON) -> Event:
    return Event({"type": "error", "error": error}, 0, "error")
