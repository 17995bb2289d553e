"""WebSockets of a guarded client are refused: they bypass HTTP, so nothing could bound what they cost.

`connect` is wrapped in every resource class of the SDK that has one (`realtime`, `responses`, `live`), in those that
exist and in those that are imported later.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable
from typing import Any

from farthing._hooks.binding import bound_of
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
            replace(resource, "connect", _refused)
        add(base, "__init_subclass__", classmethod(_new_resource))


def _below(base: type) -> list[type]:
    direct: list[type] = base.__subclasses__()
    return direct + [deeper for one in direct for deeper in _below(one)]


def _new_resource(cls: type, /, **kwargs: Any) -> None:
    replace(cls, "connect", _refused)


def _refused(inner: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(inner)
    def connect(self: Any, *args: Any, **kwargs: Any) -> Any:
        if bound_of(self._client._client) is not None:
            raise Unpriced(
                f"{type(self).__name__}.connect opens a WebSocket, and what is said over it cannot be bounded or "
                "metered yet: refused under a guard. Use HTTP (`create`), or a client that is not guarded. "
                "[unknown_endpoint]",
                {"code": "unknown_endpoint", "farthing": {}},
            )
        return inner(self, *args, **kwargs)

    return connect
