"""What is known of SDKs of the generator Stainless: openai, anthropic and others, sync and async.

Wrapped, on the class: `request` (one SDK call has one id for all its attempts, R27), `_make_status_error_from_response`
(a refusal becomes a typed error), `copy` and `with_options` (a copy with another HTTP client is guarded too), and
`connect` of WebSocket resources (refused: they bypass HTTP).
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import Any

from farthing import _denial, _typed, _websockets, _x509
from farthing._calls import one_call
from farthing._hooks.binding import KEY
from farthing._hooks.family import of_client
from farthing._hooks.patching import bind, replace

FACTORY = "_make_status_error_from_response"
_COPIES = ("copy", "with_options")


def hook_class(client: type) -> None:
    """Wraps what the classes of a client define."""
    for owner in client.__mro__:
        if FACTORY in owner.__dict__:
            replace(owner, FACTORY, _typed_error)
            _websockets.hook(owner)
        elif hasattr(owner, FACTORY):
            replace(owner, "request", one_call)
            for name in _COPIES:
                replace(owner, name, _guarded_copy)


def hook_module(name: str) -> None:
    """Wraps the classes of an SDK that is imported."""
    base: Any = sys.modules.get(f"{name}._base_client")
    for client in ("SyncAPIClient", "AsyncAPIClient"):
        owner = getattr(base, client, None)
        if owner is not None:
            hook_class(owner)


def _guarded_copy(inner: Callable[..., Any]) -> Callable[..., Any]:
    """Copies share the HTTP client, which is bound; one that is given another is bound as its original is."""

    @functools.wraps(inner)
    def copy(self: Any, *args: Any, **kwargs: Any) -> Any:
        bound = self._client.__dict__.get(
            KEY
        )  # before: openai's module-level client gives its own away
        made = inner(self, *args, **kwargs)
        if bound is not None:
            _x509.check(made)
            found = of_client(made._client)
            if found is not None and KEY not in made._client.__dict__:
                bind(made._client, found[0], bound.of(made))
        return made

    return copy


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
