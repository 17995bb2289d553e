"""An image and a music API that no dialect reads, described in the policy (R31), through a real HTTP client."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest

import farthing


class Studio(ThreadingHTTPServer):
    """Pictures at 0.04 USD each; songs by the second, told in the answer. Its bill is in millionths of a dollar."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.bill = 0
        self.calls: list[str] = []


class Handler(BaseHTTPRequestHandler):
    server: Studio

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.calls.append(self.path)
        if self.path == "/v1/pictures":
            self.server.bill += 40_000 * len(asked["prompts"])
            answer: dict[str, Any] = {"id": "p1", "pictures": ["..."] * len(asked["prompts"])}
        else:
            tenths = min(asked.get("duration", 240) * 10, 155)  # songs end when they are over
            self.server.bill += 10_000 + 200 * tenths
            answer = {"id": "s1", "usage": {"seconds": tenths / 10}}
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def studio() -> Iterator[Studio]:
    server = Studio()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def guard_of(studio: Studio, *caps: farthing.Cap) -> farthing.Guard:
    host = f"127.0.0.1:{studio.server_port}"
    return farthing.Guard(
        caps=list(caps),
        store="memory:",
        endpoints=[
            {
                "name": "pictures",
                "host": host,
                "path": "/v1/pictures",
                "provider": "studio",
                "modality": "image",
                "asks": {"images": "/prompts"},
            },
            {
                "name": "songs",
                "host": host,
                "path": "/v1/songs",
                "provider": "studio",
                "modality": "music",
                "asks": {"audio_seconds": "/duration"},
                "default": {"audio_seconds": 240},
                "usage": {"audio_seconds": "/usage/seconds"},
            },
        ],
        prices=[
            {"provider": "studio", "model": "pictures", "rates": {"images": "0.04 USD each"}},
            {
                "provider": "studio",
                "model": "songs",
                "rates": {"audio_seconds": "0.002 USD per second", "requests": "0.01 USD each"},
            },
        ],
    )


def test_a_picture_and_a_song_cost_what_they_bill(studio: Studio) -> None:
    with guard_of(studio, farthing.Cap("5 USD", per="day")) as guard:
        client = guard.wrap(httpx.Client(base_url=f"http://127.0.0.1:{studio.server_port}"))
        assert client.post("/v1/pictures", json={"prompts": ["a", "b"]}).status_code == 200
        assert client.post("/v1/songs", json={"duration": 12}).json()["usage"]["seconds"] == 12
        assert client.post("/v1/songs", json={}).status_code == 200
        (day,) = guard.status().counters
        assert day.cap.spent == Decimal(studio.bill) / 1_000_000
        assert day.cap.reserved == 0


def test_a_cap_on_their_meters_is_never_passed(studio: Studio) -> None:
    caps = (
        farthing.Cap("5 USD", per="day", id="money"),
        farthing.Cap("20 audio_seconds", per="day", match={"modality": "music"}, id="music"),
        farthing.Cap("3 images", per="day", id="pictures"),
    )
    with guard_of(studio, *caps) as guard:
        client = guard.wrap(httpx.Client(base_url=f"http://127.0.0.1:{studio.server_port}"))
        assert client.post("/v1/songs", json={"duration": 12}).status_code == 200
        refused = client.post("/v1/songs", json={"duration": 12})
        assert refused.status_code == 402
        assert refused.json()["error"]["farthing"]["cap"] == "music"
        assert client.post("/v1/pictures", json={"prompts": list("abc")}).status_code == 200
        assert client.post("/v1/pictures", json={"prompts": ["d"]}).status_code == 402
        assert studio.calls == ["/v1/songs", "/v1/pictures"]


def test_what_a_request_does_not_say_is_refused(studio: Studio) -> None:
    with guard_of(studio, farthing.Cap("5 USD", per="day")) as guard:
        client = guard.wrap(httpx.Client(base_url=f"http://127.0.0.1:{studio.server_port}"))
        refused = client.post("/v1/pictures", json={"prompt": "a"})
        assert refused.status_code == 402
        assert refused.json()["error"]["code"] == "unbounded_request"
        assert "images at /prompts" in refused.json()["error"]["message"]
        assert studio.calls == []


def test_install_guards_them_too(studio: Studio) -> None:
    with guard_of(studio, farthing.Cap("2 images", per="day", id="pictures")) as guard:
        guard.install()
        try:
            url = f"http://127.0.0.1:{studio.server_port}/v1/pictures"
            assert httpx.post(url, json={"prompts": ["a", "b"]}).status_code == 200
            assert httpx.post(url, json={"prompts": ["c"]}).status_code == 402
        finally:
            guard.uninstall()
