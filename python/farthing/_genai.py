"""What is known of google-genai, which is made by another generator than the SDKs of _sdk.py.

Its `Client` and `Client.aio` share one API client with two HTTP clients inside. Wrapped, on the classes: `_request` and
`_async_request` (one SDK call has one id for all its attempts, R27), `raise_for_response` and its async form (a refusal
becomes a typed error), `connect` of the live resources (refused: WebSockets bypass HTTP), and what would send without
httpx: where aiohttp is installed the SDK prefers it; calls of a guarded client go over httpx, as without aiohttp.

Its resources of the newer kind (`interactions`, ...) have a generated SDK of their own inside, imported on first use:
in 1.x of the generator Stainless, later of another.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import Any

from farthing import _denial, _stainless, _typed, _websockets
from farthing._ambient import CALL
from farthing._calls import one_call
from farthing._hooks import aio
from farthing._hooks.binding import Bound, bound_of, everywhere
from farthing._hooks.family import of_client
from farthing._hooks.importing import ImportWatch
from farthing._hooks.patching import add, replace
from farthing.errors import Denied, Unpriced

NAME = "google.genai"
_API = f"{NAME}._api_client"
_LIVE = ((f"{NAME}.live", "AsyncLive"), (f"{NAME}.live_music", "AsyncLiveMusic"))
_SENDS = f"{NAME}._gaos.basesdk"
_RAISES = f"{NAME}._gaos.lib.compat_errors"
_INTERACTIONS = f"{NAME}._interactions"
_LATER = (_SENDS, _RAISES, f"{_INTERACTIONS}._base_client")


def api_client(client: object) -> Any:
    """The API client inside `genai.Client` or its `aio`; None where `client` is neither."""
    base = _class(_API, "BaseApiClient")
    if base is None:
        return None
    found = client.__dict__.get("_api_client") if hasattr(client, "__dict__") else None
    return found if isinstance(found, base) else None


def http_clients(api: Any) -> list[Any]:
    """The HTTP clients of an API client; where it authenticates by certificates one may be absent."""
    clients = (getattr(api, "_httpx_client", None), getattr(api, "_async_httpx_client", None))
    return [client for client in clients if client is not None]


def hook() -> None:
    """Wraps the classes of the SDK, which is imported."""
    base = _class(_API, "BaseApiClient")
    if base is not None:
        replace(base, "_request", one_call)
        replace(base, "_async_request", one_call)
        replace(base, "_use_aiohttp", _never_aiohttp)
        replace(base, "_use_google_auth_sync", _never_requests)
    errors = _class(f"{NAME}.errors", "APIError")
    if errors is not None:
        replace(errors, "raise_for_response", _typed_error)
        replace(errors, "raise_for_async_response", _typed_async_error)
    for module, name in _LIVE:
        live = _class(module, name)
        if live is not None:
            _websockets.refuse(live, lambda resource: bound_of_api(resource._api_client))
    for later in _LATER:
        _hook_later(later)
    if not all(later in sys.modules for later in _LATER):
        _watch.begin()


def unhook() -> None:
    _watch.end()


def hook_http_client(client: Any) -> None:
    """An asynchronous client of the SDK's own class may send through others, one for each event loop: hooked itself."""
    found = of_client(client)
    if found is None or not found[1]:
        return
    family = found[0]
    for owner in type(client).__mro__:
        if owner.__module__ == _API and issubclass(owner, family.AsyncClient):
            if owner.send is not family.AsyncClient.send:  # type: ignore[attr-defined]
                replace(owner, "send", lambda inner: aio.guarded(inner, family))
                add(owner, "send", aio.guarded(owner.send, family))  # type: ignore[attr-defined]
            return


def bound_of_api(api: Any) -> Bound | None:
    """What guards an API client."""
    for client in http_clients(api):
        found = bound_of(client)
        if found is not None:
            return found
    return everywhere.bound


def _class(module: str, name: str) -> type | None:
    found = getattr(sys.modules.get(module), name, None)
    return found if isinstance(found, type) else None


# ---- other HTTP stacks


def _never_aiohttp(inner: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(inner)
    def _use_aiohttp(self: Any) -> bool:
        if not inner(self):
            return False
        # Outside a call (making a client, uploading a file) it is as it was.
        if CALL.get() is None or bound_of_api(self) is None:
            return True
        if self._async_httpx_client is None or getattr(self._http_options, "aiohttp_client", None):
            raise _unseen("an aiohttp session")
        return False

    return _use_aiohttp


def _never_requests(inner: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(inner)
    def _use_google_auth_sync(self: Any) -> bool:
        used = bool(inner(self))
        if used and CALL.get() is not None and bound_of_api(self) is not None:
            raise _unseen("requests (a client certificate)")
        return used

    return _use_google_auth_sync


def _unseen(what: str) -> Unpriced:
    return Unpriced(
        f"this client of google-genai sends over {what}, and what goes over it cannot be seen: refused under a guard. "
        "Give it an HTTP client of httpx (http_options: httpx_client, httpx_async_client). [unknown_endpoint]",
        {"code": "unknown_endpoint", "farthing": {}},
    )


# ---- typed errors


def _typed_error(inner: Any) -> Any:
    function = inner.__func__

    @functools.wraps(function)
    def raise_for_response(cls: Any, response: Any, *args: Any, **kwargs: Any) -> None:
        try:
            function(cls, response, *args, **kwargs)
            return
        except Exception as error:
            denied = _refusal(error, response)
            if denied is None:
                raise
        raise denied

    return classmethod(raise_for_response)


def _typed_async_error(inner: Any) -> Any:
    function = inner.__func__

    @functools.wraps(function)
    async def raise_for_async_response(cls: Any, response: Any, *args: Any, **kwargs: Any) -> None:
        try:
            await function(cls, response, *args, **kwargs)
            return
        except Exception as error:
            denied = _refusal(error, response)
            if denied is None:
                raise
        raise denied

    return classmethod(raise_for_async_response)


def _refusal(error: Exception, response: Any) -> Denied | None:
    """The SDK's error for our 402, made one of ours too. Its `code` is ours; the status is `status_code`."""
    if getattr(response, "status_code", None) != 402:
        return None
    try:
        found = _denial.details(response.content)
    except Exception:  # not read: not an answer of ours
        found = None
    if found is None:
        return None
    denied = _typed.status_error(error, found)
    denied.__dict__["status_code"] = 402
    return denied


# ---- what is imported on first use


def _hook_later(name: str) -> None:
    if name == _SENDS:
        owner = _class(_SENDS, "BaseSDK")
        if owner is not None:
            replace(owner, "do_request", one_call)
            replace(owner, "do_request_async", one_call)
    elif name != _RAISES:
        _stainless.hook_module(_INTERACTIONS)
    else:
        owner = _class(_RAISES, "APIError")
        if owner is not None:
            replace(owner, "generate", _typed_generated)


def _typed_generated(inner: Any) -> Any:
    """The factory of status errors of the generated SDK."""
    function = inner.__func__

    @functools.wraps(function)
    def generate(cls: Any, *args: Any, **kwargs: Any) -> Any:
        error = function(cls, *args, **kwargs)
        return _refusal(error, getattr(error, "response", None)) or error

    return classmethod(generate)


_watch = ImportWatch(_LATER, _hook_later)
