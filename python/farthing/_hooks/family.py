"""httpx and its relatives: classes with the same shape in different packages.

Nothing is imported here: a stack that is not in `sys.modules` is not used by anybody. `httpx2.alias_httpx()` makes two
names of one module, so families are known by their classes, not by names.
"""

from __future__ import annotations

import inspect
import sys
from types import ModuleType
from typing import Any
from weakref import WeakSet

from farthing._hooks.bodies import async_body, cut_body, sync_body

NAMES = ("httpx", "httpx2")
SINGLE = "_send_single_request"
"""The method that sends one request without following redirects: httpx 0.18 (2021) to httpx2 2.16 (2026). Before 0.20
it takes a timeout too."""
BETWEEN = ("_send_handling_auth", "_send_handling_redirects")
"""What calls it."""

_families: dict[type, Family] = {}


class Family:
    """The classes of one HTTP stack that the hooks need."""

    __slots__ = (
        "AsyncBody",
        "AsyncClient",
        "AsyncTransport",
        "ByteStream",
        "Client",
        "Cut",
        "DecodingError",
        "LocalProtocolError",
        "MockTransport",
        "RequestNotRead",
        "Response",
        "SyncBody",
        "Transport",
        "never_left",
        "plain_shapes",
        "shows_requests",
        "singles",
    )

    def __init__(self, module: Any) -> None:
        self.Client: type = module.Client
        self.AsyncClient: type = module.AsyncClient
        self.Transport: type = module.HTTPTransport
        self.AsyncTransport: type = module.AsyncHTTPTransport
        self.Response = module.Response
        self.MockTransport: type = module.MockTransport
        self.ByteStream = module.ByteStream
        self.Cut = cut_body(module.SyncByteStream, module.AsyncByteStream)
        self.RequestNotRead: type[Exception] = module.RequestNotRead
        self.DecodingError: type[Exception] = module.DecodingError
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
        self.plain_shapes = _plain_shapes(module)
        # Whether each request of a `send` can be seen: else redirects are not followed, nobody knows where they lead.
        self.shows_requests = all(
            SINGLE in client.__dict__ for client in (self.Client, self.AsyncClient)
        )
        self.singles: WeakSet[Any] = WeakSet()
        """Our hooks of single requests."""

    def shows_requests_of(self, client: Any) -> bool:
        """Whether our hook sees each request of `client`: its class may have methods of its own, which need not call
        ours."""
        base = self.AsyncClient if isinstance(client, self.AsyncClient) else self.Client
        return inspect.getattr_static(client, SINGLE, None) in self.singles and all(
            inspect.getattr_static(client, name, None) is base.__dict__.get(name)
            for name in BETWEEN
        )

    def parts(self, request: Any) -> tuple[str, str, int | None, str, str | None, list[Any]]:
        """Scheme, host, port, path, query and headers of a request, by its public interface."""
        url = request.url
        path, mark, query = url.raw_path.decode("ascii").partition("?")
        host = url.raw_host.decode("ascii")
        return url.scheme, host, url.port, path, query if mark else None, request.headers.raw

    def listed(self, headers: Any) -> list[Any]:
        """Tuples of bytes, the name first and the value last."""
        found: list[Any] = headers._list if self.plain_shapes else headers.raw
        return found

    def with_length(self, headers: Any, length: int) -> Any:
        """A copy of `headers` for a body of `length` bytes; a chunked body stays chunked."""
        text = str(length)
        if not self.plain_shapes:
            copy = headers.__class__(headers)
            if "transfer-encoding" not in copy:
                copy["content-length"] = text
            return copy
        kind = headers.__class__
        copy = kind.__new__(kind)
        fields = copy.__dict__
        fields.update(headers.__dict__)
        listed = fields["_list"] = list(headers._list)
        for at in range(len(listed) - 1, -1, -1):  # it stands at the end
            header = listed[at]
            if header[1] == b"content-length":
                listed[at] = (header[0], header[1], text.encode())
        return copy


def _plain_shapes(module: Any) -> bool:
    """Whether URLs and headers hold what they hold in every version so far: then they are read in place.

    Their properties take longer than everything that the core does with a request. Where a version is different,
    the public interface is used.
    """
    try:
        request = module.Request(
            "POST", "https://h.example:81/p?q=1", headers={"A": "b"}, content=b"x"
        )
        url = tuple(request.url._uri_reference)
        headers = request.headers
        return (
            url == ("https", "", "h.example", 81, "/p", "q=1", None)
            and headers._list == [(raw, raw.lower(), value) for raw, value in headers.raw]
            and set(vars(headers)) == {"_list", "_encoding"}
            and request._content == b"x"
        )
    except Exception:  # AttributeError and whatever else a future version raises
        return False


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
