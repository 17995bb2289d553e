"""What stands between a client and the fake provider: a forward proxy, and a server that speaks HTTP/2 only."""

from __future__ import annotations

import http.client
import http.server
import socket
import threading
from collections.abc import Iterator
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


@contextmanager
def forward_proxy() -> Iterator[tuple[str, list[str]]]:
    """Its URL, and the URLs that it was asked for."""
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
def http2_front(provider_port: int) -> Iterator[int]:
    """The port of a server of HTTP/2 without TLS (prior knowledge) that passes each request on to the provider."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        connections: list[socket.socket] = []
        threads: list[threading.Thread] = []

        def accept() -> None:
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:  # closed: it is over
                    return
                connections.append(connection)
                threads.append(
                    threading.Thread(target=_serve_http2, args=(connection, provider_port))
                )
                threads[-1].start()

        accepting = threading.Thread(target=accept)
        accepting.start()
        try:
            yield listening.getsockname()[1]
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            accepting.join()
            for connection in connections:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass  # the client has closed it
            for thread in threads:
                thread.join()


def _serve_http2(connection: socket.socket, provider_port: int) -> None:
    import h2.config
    import h2.connection
    import h2.events

    speaker = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
    speaker.initiate_connection()
    heads: dict[int, dict[str, str]] = {}
    bodies: dict[int, bytes] = {}
    with connection:
        connection.sendall(speaker.data_to_send())
        while data := connection.recv(65536):
            for event in speaker.receive_data(data):
                if isinstance(event, h2.events.RequestReceived):
                    decoded = [(bytes(n).decode(), bytes(v).decode()) for n, v in event.headers]
                    heads[event.stream_id] = dict(decoded)
                    bodies[event.stream_id] = b""
                elif isinstance(event, h2.events.DataReceived):
                    bodies[event.stream_id] += event.data
                    speaker.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                elif isinstance(event, h2.events.StreamEnded):
                    head = heads.pop(event.stream_id)
                    plain = {name: value for name, value in head.items() if name[0] != ":"}
                    status, headers, answer = ask(
                        provider_port,
                        head[":method"],
                        head[":path"],
                        plain,
                        bodies.pop(event.stream_id),
                    )
                    speaker.send_headers(event.stream_id, [(":status", str(status)), *headers])
                    speaker.send_data(event.stream_id, answer, end_stream=True)
            connection.sendall(speaker.data_to_send())
