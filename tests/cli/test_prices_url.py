"""`farthing prices update URL`: over TLS, against a server on loopback; the limits are in tests/core/http."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import os
import signal
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import trustme

from tests.cli.conftest import COMMAND, Place
from tests.cli.test_prices import BOOK, said

FACES = {
    "program": [str(COMMAND)],
    "module": [sys.executable, "-c", "from farthing._command import main; main()"],
}
TEXT = BOOK.format(input="0.12", output="0.40", date="2026-11-22", keys="").encode()


@dataclass
class Answer:
    body: bytes = TEXT
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


class Mirror:
    """Serves `answers` by path; `asked` has the headers of each request."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.answers: dict[str, Answer | Callable[[], Answer]] = {"/book": Answer()}
        self.asked: list[dict[str, str]] = []
        mirror = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                mirror.asked.append({name.lower(): value for name, value in self.headers.items()})
                found = mirror.answers[self.path.partition("?")[0]]
                answer = found if isinstance(found, Answer) else found()
                self.send_response(answer.status)
                length = {"Content-Length": str(len(answer.body))}
                for name, value in {**length, **answer.headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                with contextlib.suppress(ConnectionError, ssl.SSLError):  # the client had enough
                    self.wfile.write(answer.body)

            def log_message(self, format: str, *args: object) -> None:
                pass

        class Quiet(ThreadingHTTPServer):
            def handle_error(self, request: object, client_address: object) -> None:
                pass  # a client that trusts nobody hangs up

        self._server = Quiet(("127.0.0.1", 0), Handler)
        if tls is not None:
            self._server.socket = tls.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        scheme = "http" if tls is None else "https"
        self.base = f"{scheme}://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def url(self, path: str = "/book") -> str:
        return self.base + path

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def serve(authority: trustme.CA) -> Iterator[Callable[[str | None], Mirror]]:
    """A mirror whose certificate is of this name; None is plain HTTP."""
    with contextlib.ExitStack() as stack:

        def begin(name: str | None) -> Mirror:
            tls = None
            if name is not None:
                tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                authority.issue_cert(name).configure_cert(tls)
            mirror = Mirror(tls)
            stack.callback(mirror.close)
            return mirror

        yield begin


@pytest.fixture
def mirror(serve: Callable[[str | None], Mirror]) -> Mirror:
    return serve("127.0.0.1")


@pytest.fixture
def place(place: Place, authority: trustme.CA, monkeypatch: pytest.MonkeyPatch) -> Place:
    """With a policy that names a book, and nothing of the machine's own proxies and certificates."""
    for name in list(os.environ):
        if name.lower().endswith("_proxy") or name in ("SSL_CERT_FILE", "CURL_CA_BUNDLE"):
            monkeypatch.delenv(name)
    (place.folder / "farthing.toml").write_text('price_book = "own.book"\n')
    authority.cert_pem.write_to_path(str(place.folder / "authority.pem"))
    monkeypatch.setenv("CURL_CA_BUNDLE", str(place.folder / "authority.pem"))
    return place


def sha256(data: bytes = TEXT) -> str:
    return hashlib.sha256(data).hexdigest()


def refused(
    place: Place, url: str, *, sha: str | None = None, code: int = 1, **environment: str
) -> str:
    """What is said of an update that fails; it leaves the folder as it was."""
    before = {path.name: path.read_bytes() for path in place.folder.iterdir() if path.is_file()}
    error = place.run(
        "prices", "update", url, "--sha256", sha or sha256(), code=code, **environment
    )
    after = {path.name: path.read_bytes() for path in place.folder.iterdir() if path.is_file()}
    assert after == before
    return error


@pytest.mark.parametrize("face", FACES)
def test_a_book_at_a_url_is_put_in_force(place: Place, mirror: Mirror, face: str) -> None:
    done = subprocess.run(
        [*FACES[face], "prices", "update", mirror.url(), "--sha256", sha256().upper()],
        cwd=place.folder,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")
    found = said(place, "prices", "gpt-4.1-nano")
    assert found[0]["rates"]["input_tokens"] == "0.12 USD per million"
    version = (Path(__file__).resolve().parents[2] / "VERSION").read_text().strip()
    assert [asked["user-agent"] for asked in mirror.asked] == [f"farthing/{version}"]


def test_a_url_needs_a_checksum_and_a_checksum_is_one(place: Place, mirror: Mirror) -> None:
    error = place.run("prices", "update", mirror.url("/book?key=secret"), code=2)
    assert "--sha256 HEX" in error and "secret" not in error
    for wrong in ("", "12", "g" * 64, sha256() + "0"):
        error = place.run("prices", "update", mirror.url(), "--sha256", wrong, code=2)
        assert f'"{wrong}"; accepted: 64 hexadecimal digits' in error
    assert mirror.asked == []


def test_the_wrong_checksum_changes_nothing(place: Place, mirror: Mirror) -> None:
    place.run("prices", "update", mirror.url(), "--sha256", sha256())
    error = refused(place, mirror.url("/book?key=secret"), sha="0" * 64)
    assert f"has the sha256 {sha256()}, not {'0' * 64}; the earlier book stays in force" in error
    assert mirror.url("/book?...") in error and "secret" not in error


def test_a_fetched_book_is_linted_as_a_file_is(place: Place, mirror: Mirror) -> None:
    absurd = BOOK.format(input="2000", output="0.40", date="2026-11-22", keys="").encode()
    mirror.answers["/absurd.toml"] = Answer(absurd)
    error = refused(place, mirror.url("/absurd.toml"), sha=sha256(absurd))
    assert f"{mirror.url('/absurd.toml')}:17: model gpt-4.1-nano: " in error
    assert "[absurd]" in error and "the earlier book stays in force" in error


def test_compression_is_undone_before_the_checksum(place: Place, mirror: Mirror) -> None:
    zipped = {"Content-Encoding": "gzip"}
    mirror.answers["/book"] = Answer(gzip.compress(TEXT), headers=zipped)
    place.run("prices", "update", mirror.url(), "--sha256", sha256())
    assert "gzip" in mirror.asked[0]["accept-encoding"]
    mirror.answers["/bomb"] = Answer(gzip.compress(bytes(65 << 20), 1), headers=zipped)
    assert f"larger than {64 << 20} bytes" in refused(place, mirror.url("/bomb"))
    mirror.answers["/broken"] = Answer(b"no gzip", headers=zipped)
    assert "[fetch_failed]" in refused(place, mirror.url("/broken"))


def test_the_certificate_is_always_checked(
    place: Place, mirror: Mirror, serve: Callable[[str | None], Mirror]
) -> None:
    unknown = refused(place, mirror.url(), CURL_CA_BUNDLE="")  # "" is not given, as for curl
    assert "certificate" in unknown and "[fetch_failed]" in unknown
    assert "the authorities are the system's; others: CURL_CA_BUNDLE=FILE" in unknown
    other = serve("mirror.test")
    assert "[fetch_failed]" in refused(place, other.url())
    assert mirror.asked == other.asked == []
    bundle = str(place.folder / "authority.pem")
    none = str(place.folder / "none.pem")
    error = refused(place, mirror.url(), CURL_CA_BUNDLE=none, SSL_CERT_FILE=bundle)
    assert f"the authorities are those in {none}" in error
    place.run(
        *("prices", "update", mirror.url(), "--sha256", sha256()),
        CURL_CA_BUNDLE="",
        SSL_CERT_FILE=bundle,
    )


def test_redirects_are_followed_but_never_from_https_to_http(
    place: Place, mirror: Mirror, serve: Callable[[str | None], Mirror]
) -> None:
    plain = serve(None)
    mirror.answers["/down"] = Answer(b"", 302, {"Location": plain.url("/book?key=secret")})
    error = refused(place, mirror.url("/down"))
    assert f"redirects from https to {plain.url('/book?...')}; accepted: https://" in error
    assert plain.asked == []
    mirror.answers["/loop"] = Answer(b"", 302, {"Location": "/loop"})
    assert "more than 5 redirects" in refused(place, mirror.url("/loop"))
    mirror.answers["/moved"] = Answer(b"", 301, {"Location": "/book"})
    plain.answers["/up"] = Answer(b"", 307, {"Location": mirror.url("/moved")})
    place.run("prices", "update", plain.url("/up"), "--sha256", sha256())


def test_what_is_not_the_book_is_refused(place: Place, mirror: Mirror) -> None:
    mirror.answers["/gone"] = Answer(b"not here", 404)
    assert f"{mirror.url('/gone')}: HTTP status 404" in refused(place, mirror.url("/gone"))
    mirror.answers["/cut"] = Answer(headers={"Content-Length": str(len(TEXT) + 1)})
    assert "[fetch_failed]" in refused(place, mirror.url("/cut"))
    error = refused(place, "http://mirror.test/book", code=2)
    assert "accepted: https://" in error and "[invalid_argument]" in error
    error = refused(place, "https://user:secret@mirror.test/book", code=2)
    assert "a user or a password" in error and "secret" not in error


def test_proxies_are_those_of_the_environment_but_never_for_this_machine(
    place: Place, serve: Callable[[str | None], Mirror]
) -> None:
    asked: list[str] = []

    class Proxy(BaseHTTPRequestHandler):
        def do_CONNECT(self) -> None:
            asked.append(self.requestline)
            self.send_error(403)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Proxy) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            proxy = f"http://user:secret@127.0.0.1:{server.server_port}"
            error = refused(place, "https://mirror.test/book", HTTPS_PROXY=proxy)
            assert "403" in error and "secret" not in error
            assert asked == ["CONNECT mirror.test:443 HTTP/1.1"]
            for named in (
                "http://user:sec/ret@127.0.0.1:9",
                "user:sec ret@127.0.0.1:9",
                "odd://u:sec@127.0.0.1:9",
            ):
                error = refused(place, "https://mirror.test/book", ALL_PROXY=named)
                assert "proxy" in error and "sec" not in error.replace("second", "")
            plain = serve(None)
            update = ("prices", "update", plain.url(), "--sha256", sha256())
            place.run(*update, http_proxy=proxy, ALL_PROXY=proxy)
            assert len(plain.asked) == len(asked) == 1
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize("face", FACES)
def test_without_libcurl_it_says_what_to_install(place: Place, mirror: Mirror, face: str) -> None:
    """The loader takes these empty files for the libraries, and can open neither."""
    libraries = place.folder / "libraries"
    libraries.mkdir()
    for name in ("libcurl.so.4", "libcurl-gnutls.so.4"):
        (libraries / name).touch()
    run = [*FACES[face], "prices", "update"]
    environment = {**os.environ, "LD_LIBRARY_PATH": str(libraries)}

    def update(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*run, *arguments],
            cwd=place.folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
        )

    done = update(mirror.url(), "--sha256", sha256())
    assert (done.returncode, done.stdout) == (1, "")
    for words in (
        "libcurl.so.4: file too short",
        "libcurl-gnutls.so.4: file too short",
        "libcurl4",
        "give the file's path",
        "[library_missing]",
    ):
        assert words in done.stderr
    assert not (place.folder / "own.book").exists()
    (place.folder / "prices.txt").write_bytes(TEXT)
    assert update("prices.txt").returncode == 0  # a file needs none


@pytest.mark.parametrize("face", FACES)
def test_ctrl_c_during_the_download_leaves_nothing_behind(
    place: Place, mirror: Mirror, face: str
) -> None:
    asked, over = threading.Event(), threading.Event()

    def stall() -> Answer:
        asked.set()
        over.wait(60)
        return Answer()

    mirror.answers["/stall"] = stall
    before = sorted(path.name for path in place.folder.iterdir())
    heeding = ("env", "--default-signal=INT")  # what a shell starts in the background ignores it
    with subprocess.Popen(
        [*heeding, *FACES[face], "prices", "update", mirror.url("/stall"), "--sha256", sha256()],
        cwd=place.folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        try:
            assert asked.wait(60)
            process.send_signal(signal.SIGINT)
            output, error = process.communicate(timeout=60)
        finally:
            over.set()
            process.kill()
    assert (process.returncode, output, error) == (-signal.SIGINT, b"", b"")
    assert sorted(path.name for path in place.folder.iterdir()) == before
