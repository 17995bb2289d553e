"""What is known of SDKs: openai, anthropic and others of the same generator (Stainless), sync and async.

Found from the client's own classes, so that several versions and vendored copies work. Three things are wrapped, on
the class: `request` (one SDK call has one id for all its attempts, R27), `_make_status_error_from_response` (a refusal
becomes a typed error) and `connect` of WebSocket resources (refused: they bypass HTTP).
"""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

from farthing import _denial, _typed, _websockets
from farthing._ambient import CALL
from farthing._farthing import CallSlot
from farthing._hooks.patching import replace

FACTORY = "_make_status_error_from_response"

KNOWN = ("openai", "anthropic", "groq")
"""What `install` hooks when it is imported; `wrap` takes any of the family."""


def http_client(client: Any) -> Any:
    """The HTTP client inside an SDK's client; the client itself where it is none of an SDK."""
    if isinstance(client, ModuleType) and hasattr(client, "_load_client"):
        client = client._load_client()  # openai's module-level client
    return client._client if hasattr(type(client), FACTORY) else client


def hook_client(client: Any) -> None:
    """Wraps what the classes of this SDK client define."""
    if isinstance(client, ModuleType):
        hook_module(client.__name__)
        return
    for owner in type(client).__mro__:
        if FACTORY in owner.__dict__:
            replace(owner, FACTORY, _typed_error)
            _websockets.hook(owner)
        elif "request" in owner.__dict__ and hasattr(owner, FACTORY):
            replace(owner, "request", _one_call)


def hook_module(name: str) -> None:
    """Wraps the classes of an SDK that is imported."""
    base: Any = sys.modules.get(f"{name}._base_client")
    for client in ("SyncAPIClient", "AsyncAPIClient"):
        owner = getattr(base, client, None)
        if owner is None:
            continue
        replace(owner, "request", _one_call)
        for parent in owner.__mro__:
            if FACTORY in parent.__dict__:
                replace(parent, FACTORY, _typed_error)
                _websockets.hook(parent)


def _one_call(inner: Callable[..., Any]) -> Callable[..., Any]:
    """`request` in which all attempts share one call id."""
    get, put = CALL.get, CALL.set  # looked up here, not in every call
    if inspect.iscoroutinefunction(inner):

        @functools.wraps(inner)
        async def arequest(self: Any, *args: Any, **kwargs: Any) -> Any:
            outer = get()
            put(CallSlot())
            try:
                return await inner(self, *args, **kwargs)
            finally:
                put(outer)

        return arequest

    @functools.wraps(inner)
    def request(self: Any, *args: Any, **kwargs: Any) -> Any:
        outer = get()
        put(CallSlot())
        try:
            return inner(self, *args, **kwargs)
        finally:
            put(outer)

    return request


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
