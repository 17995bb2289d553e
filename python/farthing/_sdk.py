"""What is known of SDKs: openai, anthropic and others of the same generator (Stainless), sync and async; google-genai,
which is another's, in _genai.py.

Found from the client's own classes, so that several versions and vendored copies work. Three things are wrapped, on
the class: `request` (one SDK call has one id for all its attempts, R27), `_make_status_error_from_response` (a refusal
becomes a typed error) and `connect` of WebSocket resources (refused: they bypass HTTP).
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

from farthing import _denial, _genai, _typed, _websockets
from farthing._calls import one_call
from farthing._hooks.patching import replace

FACTORY = "_make_status_error_from_response"

KNOWN = ("openai", "anthropic", "groq", _genai.NAME)
"""What `install` hooks when it is imported; `wrap` takes any of the family."""


def http_clients(client: Any) -> tuple[list[Any], object]:
    """The HTTP clients inside an SDK's client (or the client itself where it is none of an SDK), and who owns them."""
    api = _genai.api_client(client)
    if api is not None:
        return _genai.http_clients(api), api
    owner = client
    if isinstance(client, ModuleType) and hasattr(client, "_load_client"):
        client = client._load_client()  # openai's module-level client
    return [client._client if hasattr(type(client), FACTORY) else client], owner


def hook_client(client: Any) -> None:
    """Wraps what the classes of this SDK client define."""
    if isinstance(client, ModuleType):
        hook_module(client.__name__)
        return
    api = _genai.api_client(client)
    if api is not None:
        _genai.hook()
        for inner in _genai.http_clients(api):
            _genai.hook_http_client(inner)
        return
    for owner in type(client).__mro__:
        if FACTORY in owner.__dict__:
            replace(owner, FACTORY, _typed_error)
            _websockets.hook(owner)
        elif "request" in owner.__dict__ and hasattr(owner, FACTORY):
            replace(owner, "request", one_call)


def hook_module(name: str) -> None:
    """Wraps the classes of an SDK that is imported."""
    if name == _genai.NAME:
        _genai.hook()
        return
    base: Any = sys.modules.get(f"{name}._base_client")
    for client in ("SyncAPIClient", "AsyncAPIClient"):
        owner = getattr(base, client, None)
        if owner is None:
            continue
        replace(owner, "request", one_call)
        for parent in owner.__mro__:
            if FACTORY in parent.__dict__:
                replace(parent, FACTORY, _typed_error)
                _websockets.hook(parent)


def unhook() -> None:
    """Ends what waits for imports; the classes are restored with all others."""
    _genai.unhook()


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
