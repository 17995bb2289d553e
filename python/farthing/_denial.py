"""A refusal's details, from the body of the answer (docs/errors.md) to attributes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from farthing._amounts import amount, instant

if TYPE_CHECKING:
    from farthing.errors import Denied

MARK = "farthing"
"""The key in the error object that says that a refusal is ours."""


def details(body: object) -> dict[str, Any] | None:
    """The error object of a refusal of ours, in a response's body: text, bytes, parsed, or already unwrapped."""
    if isinstance(body, (bytes, str)):
        # Cheap to refuse: this is asked of every error that is walked through.
        if (b'"farthing"' if isinstance(body, bytes) else '"farthing"') not in body:  # type: ignore[operator]
            return None
        try:
            body = json.loads(body)
        except ValueError:
            return None
    if not isinstance(body, dict):
        return None
    for found in (body.get("error"), body):
        if isinstance(found, dict) and isinstance(found.get(MARK), dict):
            return found
    return None


def fill(error: Denied, found: dict[str, Any]) -> None:
    """Sets the attributes of `error` from the error object of the body."""
    more = found.get(MARK) or {}
    caps = list(more.get("caps") or [])
    # The headline's fields stand beside `caps`; older or foreign writers may give them only inside.
    head = {**(caps[0] if caps else {}), **{k: v for k, v in more.items() if v is not None}}
    meter = head.get("meter")
    error.code = found.get("code") or error.code
    error.cap = head.get("cap")
    error.level = head.get("level")
    error.meter = meter
    error.per = head.get("per")
    error.match = head.get("match") or {}
    error.counter = head.get("counter") or {}
    error.limit = amount(meter, head.get("limit"))
    error.spent = amount(meter, head.get("spent"))
    error.reserved = amount(meter, head.get("reserved"))
    error.requested = amount(meter, head.get("requested"))
    error.remaining = amount(meter, head.get("remaining"))
    error.resets_at = instant(head.get("resets_at_ms"))
    error.held = bool(head.get("held"))
    error.fits = head.get("fits") or {}
    error.caps = caps
    error.attempt = more.get("attempt")
