"""WebSockets of a guarded client are refused: they bypass HTTP, so nothing could bound what they cost.

`connect` is wrapped in every resource class of the SDK that has one (`realtime`, `responses`, `live`), in those that
exist and in those that are imported later; for google-genai see _genai.py.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable
from typing import Any

from farthing._hooks.binding import Bound, bound_of
from farthing._hooks.patching import add, replace
from farthing.errors import Unpriced

_RESOURCES = ("SyncAPIResource", "AsyncAPIResource")


def hook(base_client: type) -> None:
    """Finds the SDK's resource classes from the class that its clients inherit from."""
    package = base_client.__module__.rpartition(".")[0]
    try:  # the SDK is imported; this small part of it is, at the latest, when it is first used
        module: Any = importlib.import_module(f"{package}._resource")
    except ImportError:
        return
    for name in _RESOURCES:
        base = getattr(module, name, None)
        if base is None:
            continue
        for resource in _below(base):
            refuse(resource, _bound)
        add(base, "__init_subclass__", classmethod(_new_resource))


def refuse(resource: type, bound: Callable[[Any], Bound | None]) -> None:
    """Wraps `connect` of one resource class; `bound` answers what guards a resource."""

    def refused(inner: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(inner)
        def connect(self: Any, *args: Any, **kwargs: Any) -> Any:
            if bound(self) is not None:
                raise Unpriced(
                    f"{type(self).__name__}.connect opens a WebSocket, and what is said over it cannot be bounded or "
                    "metered yet: refused under a guard. Use HTTP (`create`, `generate_content`), or a client that is "
                    "not guarded. [unknown_endpoint]",
                    {"code": "unknown_endpoint", "farthing": {}},
                )
            return inner(self, *args, **kwargs)

        return connect

    replace(resource, "connect", refused)


def _bound(resource: Any) -> Bound | None:
    return bound_of(resource._client._client)


def _below(base: type) -> list[type]:
    direct: list[type] = base.__subclasses__()
    return direct + [deeper for one in direct for deeper in _below(one)]


def _new_resource(cls: type, /, **kwargs: Any) -> None:
    refuse(cls, _bound)
