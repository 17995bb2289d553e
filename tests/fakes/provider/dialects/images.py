"""/v1/images/generations, /v1/images/edits, /v1/images/variations."""

from __future__ import annotations

import base64

from .. import pieces
from ..ask import JSON, Ask
from ..behaviour import Behaviour
from ..compose import Reply
from . import usage as usages
from .event import Event

PICTURE = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(64)).decode()


def plain(ask: Ask, do: Behaviour, reply: Reply) -> JSON:
    body: JSON = {"created": reply.created, "data": [{"b64_json": PICTURE} for _ in range(ask.n)]}
    if not pieces.by_tokens(ask):
        return body
    body |= {
        "size": ask.body.get("size", "1024x1024"),
        "quality": ask.body.get("quality", "medium"),
    }
    return usages.put(body, usages.shown(pieces.shown(reply.usage), do))


def events(ask: Ask, do: Behaviour, reply: Reply) -> list[Event]:
    kind = "image_edit" if ask.endpoint == "images.edits" else "image_generation"
    made = [
        Event(
            {
                "type": f"{kind}.partial_image",
                "b64_json": PICTURE,
                "partial_image_index": index,
                "created_at": reply.created,
            },
            name=f"{kind}.partial_image",
        )
        for index in range(ask.body.get("partial_images") or 0)
    ]
    last: JSON = {
        "type": f"{kind}.completed",
        "b64_json": PICTURE,
        "created_at": reply.created,
        "output_format": "png",
    }
    usages.put(last, usages.shown(pieces.shown(reply.usage), do))
    return [*made, Event(last, kind="done", name=f"{kind}.completed")]


def error_event(error: JSON) -> Event:
    return Event({"type": "error", "error": error}, 0, "error", "error")
