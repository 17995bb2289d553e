"""httpx and its relatives: classes with the same shape in different packages.

Nothing is imported here: a stack that is not in `sys.modules` is not used by anybody. `httpx2.alias_httpx()` makes two
names of one module, so families are known by their classes, not by names.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

from farthing._hooks.bodies import async_body, sync_body

NAMES = ("httpx", "httpx2")

_families: dict[type, Family] = {}


class Family:
    """The classes of one HTTP stack that the hooks need."""

    __slots__ = (
        "AsyncBody",
        "AsyncClient",
        "ByteStream",
        "Client",
        "LocalProtocolError",
        "RequestNotRead",
        "Response",
        "SyncBody",
        "never_left",
    )

    def __init__(self, module: Any) -> None:
        self.Client: type = module.Client
        self.AsyncClient: type = module.AsyncClient
        self.Response = module.Response
        self.ByteStream = module.ByteStream
        self.RequestNotRead: type[Exception] = module.RequestNotRead
        self.LocalProtocolError: type[Exception] = module.LocalProtocolError
        # Raised only while there is no connection yet, so nothing has left (R23).
        self.never_left: tuple[type[BaseException], ...] = (
            module.ConnectError,
            module.ConnectTimeout,
            module.PoolTimeout,
            module.UnsupportedProtocol,
            module.ProxyError,
            ConnectionRefusedError,
        )
        self.SyncBody = sync_body(module.SyncByteStream)
        self.AsyncBody = async_body(module.AsyncByteStream)


def family_of(module: ModuleType) -> Family:
    """The family of an imported module; one for each set of classes."""
    client: type = module.Client
    found = _families.get(client)
    if found is None:
        found = _families[client] = Family(module)
    return found


def imported() -> list[Family]:
    """The families among the modules that are imported, each once."""
    modules = [sys.modules.get(name) for name in NAMES]
    families = [family_of(module) for module in modules if hasattr(module, "AsyncClient")]  # type: ignore[arg-type]
    return list(dict.fromkeys(families))


def of_client(client: object) -> tuple[Family, bool] | None:
    """The family of an HTTP client, and whether it is asynchronous; None where it is none."""
    for family in imported():
        if isinstance(client, family.Client):
            return family, False
        if isinstance(client, family.AsyncClient):
            return family, True
    return None
