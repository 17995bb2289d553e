"""What is known of SDKs, found from the client's own classes, so that several versions and vendored copies work.

_stainless.py   openai, anthropic and others of the same generator
_x509.py        of openai: requests signed in by a certificate
_genai.py       google-genai
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

from farthing import _genai, _stainless, _x509
from farthing._stainless import FACTORY

KNOWN = ("openai", "anthropic", "groq", _genai.NAME)
"""What `install` hooks when it is imported; `wrap` takes any of the family."""


def http_clients(client: Any) -> tuple[list[Any], object]:
    """The HTTP clients inside an SDK's client (or the client itself where it is none of an SDK), and who owns them."""
    api = _genai.api_client(client)
    if api is not None:
        return _genai.http_clients(api), api
    owner, client = client, _instance(client)
    return [client._client if hasattr(type(client), FACTORY) else client], owner


def _instance(client: Any) -> Any:
    """openai's module-level client, where it is the module that is wrapped."""
    if isinstance(client, ModuleType) and hasattr(client, "_load_client"):
        return client._load_client()
    return client


def check(client: Any) -> None:
    """Refuses what could not be held, before anything is bound."""
    _x509.hook()
    _x509.check(_instance(client))


def hook_client(client: Any) -> None:
    """Wraps what the classes of this SDK client define."""
    if isinstance(client, ModuleType):
        hook_module(client.__name__)
        client = _instance(client)
    api = _genai.api_client(client)
    if api is not None:
        _genai.hook()
        for inner in _genai.http_clients(api):
            _genai.hook_http_client(inner)
        return
    _stainless.hook_class(type(client))


def hook_module(name: str) -> None:
    """Wraps the classes of an SDK that is imported."""
    if name == _genai.NAME:
        _genai.hook()
        return
    _stainless.hook_module(name)


def unhook() -> None:
    """Ends what waits for imports; the classes are restored with all others."""
    _genai.unhook()
    _x509.unhook()
