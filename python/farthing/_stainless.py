"""What is known of SDKs of the generator Stainless: openai, anthropic and others, sync and async.

Three things are wrapped, on the class: `request` (one SDK call has one id for all its attempts, R27),
`_make_status_error_from_response` (a refusal becomes a typed error) and `connect` of WebSocket resources (refused: they
bypass HTTP).
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import Any

from farthing import _denial, _typed, _websockets
from farthing._calls import one_call
from farthing._hooks.patching import replace

FACTORY = "_make_status_error_from_response"


def hook_class(client: type) -> None:
    """Wraps what the classes of a client define."""
    for owner in client.__mro__:
        if FACTORY in owner.__dict__:
            replace(owner, FACTORY, _typed_error)
            _websockets.hook(owner)
        elif "request" in owner.__dict__ and hasattr(owner, FACTORY):
            replace(owner, "request", one_call)


def hook_module(name: str) -> None:
    """Wraps the classes of an SDK that is imported."""
    base: Any = sys.modules.get(f"{name}._base_client")
    for client in ("SyncAPIClient", "AsyncAPIClient"):
        owner = getattr(base, client, None)
        if owner is not None:
            hook_class(owner)


def _typed_error(inner: Callable[..., Any]) -> Callable[..., Any]:
    """The SDK's factory of status errors, which knows a refusal of ours."""

    @functools.wraps(inner)
    def _make_status_error_from_response(
        self: Any, response: Any, *args: Any, **kwargs: Any
    ) -> Any:
        error = inner(self, response, *args, **kwargs)
        if response.status_code != 402:
            return error
        try:
            found = _denial.details(response.content)
        except Exception:  # not read: not an answer of ours
            found = None
        return error if found is None else _typed.status_error(error, found)

    return _make_status_error_from_response
