"""What stands between a client and the fake provider: proxies, and a server that speaks HTTP/2 only.

The forward proxy passes requests on, and for TLS lets both sides speak through it (CONNECT), as the one of SOCKS does.
"""

from __future__ import annotations

import asyncio
import http.client
import http.server
import select
import socket
import socketserver
import ssl
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

HOP_BY_HOP = {"connection", "transfer-encoding", "content-length", "keep-alive"}


def ask(
    port: int, method: str, path: str, headers: dict[str, str], body: bytes
) -> tuple[int, list[tuple[str, str]], bytes]:
    """The provider's whole answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        kept = [
            (name.lower(), value)
            for name, value in answer.getheaders()
            if name.lower() not in HOP_BY_HOP
        ]
        return answer.status, kept, answer.read()
    finally:
        connection.close()


def _join(one: socket.socket, other: socket.socket) -> None:
    """Lets two sides speak to each other until one of them leaves."""
    to = {one: other, other: one}
    while True:
        for side in select.select([one, other], [], [])[0]:
            try:
                data = side.recv(65536)
                to[side].sendall(data)
            except OSError:  # one has gone without a word
                return
            if not data:
                return


@contextmanager
def forward_proxy(refuses: bool = False) -> Iterator[tuple[str, list[str]]]:
    """Its URL, and the URLs that it was asked for; of CONNECT the host and port, which it may refuse."""
    seen: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            seen.append(self.path)
            target = urlsplit(self.path)
            body = self.rfile.read(int(self.headers["content-length"]))
            assert target.port is not None
            status, headers, answer = ask(
                target.port, "POST", target.path, dict(self.headers), body
            )
            self.send_response(status)
            for name, value in headers:
                self.send_header(name, value)
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def do_CONNECT(self) -> None:
            seen.append(self.path)
            if refuses:
                self.send_error(403)
                return
            host, _, port = self.path.partition(":")
            with socket.create_connection((host, int(port))) as target:
                self.send_response(200)
                self.end_headers()
                _join(self.connection, target)
            self.close_connection = True

        def log_message(self, *_: Any) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}", seen
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def socks_proxy(refuses: bool = False) -> Iterator[tuple[str, list[str]]]:
    """A SOCKS5 proxy (RFC 1928) without authentication: its URL, and the hosts and ports that it was asked for."""
    seen: list[str] = []

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            _, methods = self.rfile.read(2)
            self.rfile.read(methods)
            self.wfile.write(b"\x05\x00")
            kind = self.rfile.read(4)[3]
            if kind == 1:
                host = socket.inet_ntoa(self.rfile.read(4))
            else:
                host = self.rfile.read(self.rfile.read(1)[0]).decode()
            port = int.from_bytes(self.rfile.read(2), "big")
            seen.append(f"{host}:{port}")
            if refuses:
                self.wfile.write(b"\x05\x02\x00\x01" + bytes(6))  # not allowed by ruleset
                return
            with socket.create_connection((host, port)) as target:
                self.wfile.write(b"\x05\x00\x00\x01" + bytes(6))
                _join(self.connection, target)

    with _Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"socks5://127.0.0.1:{server.server_address[1]}", seen
        finally:
            server.shutdown()
            thread.join()


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True  # a connection that a client keeps open holds nobody up


@contextmanager
def http2_front(provider_port: int, tls: ssl.SSLContext | None = None) -> Iterator[int]:
    """The port of a server of HTTP/2 that passes each request on to the provider; without TLS by prior knowledge."""
    ready: Future[tuple[int, asyncio.AbstractEventLoop, asyncio.Event]] = Future()

    async def serve() -> None:
        loop, over = asyncio.get_running_loop(), asyncio.Event()
        connections: set[asyncio.BaseTransport] = set()
        server = await loop.create_server(
            lambda: _http2(provider_port, connections), "127.0.0.1", 0, ssl=tls
        )
        ready.set_result((server.sockets[0].getsockname()[1], loop, over))
        await over.wait()
        server.close()
        for connection in list(connections):
            connection.close()

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    port, loop, over = ready.result(30)
    try:
        yield port
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join()


def _http2(provider_port: int, connections: set[asyncio.BaseTransport]) -> asyncio.Protocol:
    import h2.config
    import h2.connection
    import h2.events

    class Connection(asyncio.Protocol):
        """Its streams are answered each when the provider has answered."""

        def connection_made(self, transport: Any) -> None:
            connections.add(transport)
            self.transport = transport
            self.heads: dict[int, dict[str, str]] = {}
            self.bodies: dict[int, bytes] = {}
            self.answers: set[asyncio.Task[None]] = set()
            config = h2.config.H2Configuration(client_side=False)
            self.speaker = h2.connection.H2Connection(config)
            self.speaker.initiate_connection()
            self.transport.write(self.speaker.data_to_send())

        def connection_lost(self, error: Exception | None) -> None:
            connections.discard(self.transport)

        def data_received(self, data: bytes) -> None:
            for event in self.speaker.receive_data(data):
                if isinstance(event, h2.events.RequestReceived):
                    decoded = [(bytes(n).decode(), bytes(v).decode()) for n, v in event.headers]
                    self.heads[event.stream_id] = dict(decoded)
                    self.bodies[event.stream_id] = b""
                elif isinstance(event, h2.events.DataReceived):
                    self.bodies[event.stream_id] += event.data
                    length = event.flow_controlled_length
                    self.speaker.acknowledge_received_data(length, event.stream_id)
                elif isinstance(event, h2.events.StreamEnded):
                    self.answers.add(asyncio.ensure_future(self.answer(event.stream_id)))
            self.transport.write(self.speaker.data_to_send())

        async def answer(self, stream: int) -> None:
            head = self.heads.pop(stream)
            plain = {name: value for name, value in head.items() if name[0] != ":"}
            status, headers, answer = await asyncio.to_thread(
                ask, provider_port, head[":method"], head[":path"], plain, self.bodies.pop(stream)
            )
            self.speaker.send_headers(stream, [(":status", str(status)), *headers])
            self.speaker.send_data(stream, answer, end_stream=True)
            self.transport.write(self.speaker.data_to_send())

    return Connection()
