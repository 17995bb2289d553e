"""Finding what a reply cost."""

from __future__ import annotations

import weakref
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from farthing.receipt import Receipt

if TYPE_CHECKING:
    from farthing.guard import Guard

_HOLDERS = ("response", "http_response", "sdk_http_response", "_response", "_raw_stream")
"""What of a reply may hold the headers: google-genai's third; openai's stream helpers have the last two only."""

_IDS = ("id", "response_id", "responseId")

open_guards: weakref.WeakSet[Guard] = weakref.WeakSet()


def receipt(reply: object) -> Receipt | None:
    """What a delivered response cost, from whichever open guard knows it; None where none does.

        farthing.receipt(reply).cost_usd      # Decimal, or None where it is not known

    Takes parsed objects (by their `id`), raw and streamed responses (by the header `x-farthing-attempt`), and ids. A
    stream's receipt is there once the stream has ended; streams of google-genai are plain generators: give it a chunk.
    Raises nothing.
    """
    for guard in list(open_guards):
        found = guard.receipt(reply)
        if found is not None:
            return found
    return None


def keys_of(reply: object) -> Iterator[str]:
    """What a reply may be known by, the surest first."""
    if isinstance(reply, str):
        yield reply
        return
    for holder in (reply, *(getattr(reply, name, None) for name in _HOLDERS)):
        headers = getattr(holder, "headers", None)
        get = getattr(headers, "get", None)
        attempt = get("x-farthing-attempt") if callable(get) else None
        if isinstance(attempt, str):
            yield attempt
    for name in _IDS:
        found = reply.get(name) if isinstance(reply, Mapping) else getattr(reply, name, None)
        if isinstance(found, str):
            yield found
    request_id = getattr(reply, "_request_id", None)  # embeddings have no id of their own
    if isinstance(request_id, str):
        yield request_id
