"""openai's X.509 workload identity: for each request the SDK makes another HTTP client, which sends through the
transports of the one that a guard is bound to. It is bound as that one is, but not where it asks for a token: that
is no call.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

from farthing._hooks.binding import KEY
from farthing._hooks.importing import ImportWatch
from farthing._hooks.patching import replace
from farthing.errors import ArgumentError

_MODULE = "openai.auth._x509"
_MAKERS = ("_scoped_sync_client", "_scoped_async_client")


def hook() -> None:
    """Now, or as soon as the SDK is imported: an HTTP client that is bound may be given to any of its clients."""
    module = sys.modules.get(_MODULE)
    if module is None:
        _watch.begin()
    else:
        _hook(module)


def unhook() -> None:
    """Ends what waits for the import."""
    _watch.end()


def check(client: Any) -> None:
    """Refuses an SDK client whose requests would pass us by, because its version makes those clients otherwise."""
    identity = getattr(client, "workload_identity", None)
    if not isinstance(identity, Mapping) or identity.get("type") != "x509":
        return
    auth = getattr(client, "_workload_identity_auth", None)
    code = getattr(getattr(auth, "send_api_request", None), "__code__", None)
    module = sys.modules.get(type(auth).__module__)
    if module is None or code is None or not _hook(module).intersection(code.co_names):
        raise ArgumentError(
            "this client signs in by a certificate (workload_identity of type x509), and in this version of its SDK "
            "such requests do not go through the HTTP client that a guard is bound to, so nothing would be held. Use "
            "guard.install(), which guards every HTTP client of the process",
            "invalid_argument",
        )


def _hook(module: ModuleType) -> set[str]:
    found = {name for name in _MAKERS if hasattr(module, name)}
    for name in found:
        replace(module, name, _bound_too)
    return found


def _bound_too(inner: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(inner)
    def scoped_client(http_client: Any, *args: Any, **kwargs: Any) -> Any:
        made = inner(http_client, *args, **kwargs)
        bound = http_client.__dict__.get(KEY)
        if bound is not None and not kwargs.get("token_exchange"):
            made.__dict__[KEY] = bound
        return made

    return scoped_client


def _imported(name: str) -> None:
    _hook(sys.modules[name])


_watch = ImportWatch((_MODULE,), _imported)
