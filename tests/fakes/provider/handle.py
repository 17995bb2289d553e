"""Starts a fake provider and talks to its control endpoints. Standard library only; used by tests, demo, benchmark.

with start(recorded=[...]) as provider:
    client = OpenAI(base_url=provider.url, api_key="sk-test")
    provider.script({"status": 500}, {"delay": 0.1})       # for the next two requests
    ...
    provider.log()                                        # what it would bill
"""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

JSON = dict[str, Any]
PROGRAM = Path(__file__).resolve().parent


class FakeProvider:
    """A running provider. Its methods may be called from any thread."""

    def __init__(
        self, ready: JSON, process: subprocess.Popen[bytes] | None = None, log: Path | None = None
    ) -> None:
        self.url: str = ready["url"]
        self.port: int = ready["port"]
        self.pid: int = ready["pid"]
        self.log_path = log
        self._process = process
        self._local = threading.local()  # a connection per thread
        self._connections: set[http.client.HTTPConnection] = set()

    @property
    def azure_endpoint(self) -> str:
        """For AzureOpenAI(azure_endpoint=...)."""
        return self.url.removesuffix("/v1")

    # ---- what the next requests get

    def script(self, *lines: JSON) -> None:
        """Adds behaviours, each for one request, in this order.

        A line is a behaviour ({"status": 500}) or, when it is not for the next request or not for one only,
        {"do": behaviour, "when": {"model": "gpt-5*"}, "nth": 2, "times": None}.
        """
        self._call(
            "POST",
            "script",
            [line if "do" in line or "when" in line else {"do": line} for line in lines],
        )

    def default(self, **behaviour: Any) -> None:
        """The behaviour of every request, below the script's and its own headers'."""
        self._call("POST", "default", behaviour)

    def clear_script(self) -> None:
        self._call("DELETE", "script")

    def reset(self) -> None:
        """As just started: script, log, counts and barriers are gone, answers under way are broken off unbilled."""
        self._call("POST", "reset")

    # ---- barriers

    def release(self, name: str = "*", count: int | None = None, stay_open: bool = False) -> int:
        """Lets answers pass that wait at that hold; how many did."""
        released: int = self._call(
            "POST", "release", {"name": name, "count": count, "stay_open": stay_open}
        )["released"]
        return released

    def wait(
        self,
        *,
        holding: str | None = None,
        count: int = 1,
        billed: int | None = None,
        seen: int | None = None,
        in_flight: int | None = None,
        connections: int | None = None,
        timeout: float = 10,
    ) -> JSON:
        """Waits until all of that is so, and gives the stats; TimeoutError with the stats if it never is."""
        wanted = {
            "holding": holding,
            "count": count if holding else None,
            "billed": billed,
            "seen": seen,
            "in_flight": in_flight,
            "connections": connections,
            "timeout": timeout,
        }
        query = "&".join(f"{name}={value}" for name, value in wanted.items() if value is not None)
        state: JSON = self._call("GET", f"wait?{query}", timeout=timeout + 5)
        if not state["reached"]:
            raise TimeoutError(f"never reached {query}: {state}")
        return state

    # ---- what happened

    def log(self) -> list[JSON]:
        """What it would bill, a line per request, oldest first."""
        return [json.loads(line) for line in self._raw("GET", "log")[1].splitlines()]

    def stats(self) -> JSON:
        stats: JSON = self._call("GET", "stats")
        return stats

    def requests(self, last: int = 0) -> list[JSON]:
        """The requests as they arrived; `json` is the parsed body."""
        seen: list[JSON] = self._call("GET", f"requests?last={last}")
        for one in seen:
            try:
                one["json"] = json.loads(one["body"])
            except ValueError:
                one["json"] = None
        return seen

    def recordings(self) -> list[JSON]:
        rows: list[JSON] = self._call("GET", "recordings")
        return rows

    def stop(self) -> None:
        """Closes the connections to it, and ends the process if it was started from here."""
        for connection in list(self._connections):
            connection.close()
        if self._process is None:
            return
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()

    def __enter__(self) -> FakeProvider:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _call(self, method: str, name: str, body: Any = None, timeout: float = 30) -> Any:
        status, data = self._raw(method, name, body, timeout)
        answer = json.loads(data)
        if status not in (200, 408):
            raise ValueError(answer["error"])
        return answer

    def _raw(
        self, method: str, name: str, body: Any = None, timeout: float = 30
    ) -> tuple[int, bytes]:
        connection: http.client.HTTPConnection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = http.client.HTTPConnection("127.0.0.1", self.port)
            self._connections.add(connection)
        connection.timeout = timeout
        if connection.sock is not None:
            connection.sock.settimeout(timeout)
        data = None if body is None else json.dumps(body).encode()
        try:
            connection.request(method, f"/__fake__/{name}", data)
            answer = connection.getresponse()
            return answer.status, answer.read()
        except BaseException:
            connection.close()
            self._connections.discard(connection)
            self._local.connection = None
            raise


def start(
    log: Path | None = None,
    recorded: Iterable[Path] = (),
    default: JSON | None = None,
    deployments: dict[str, str] | None = None,
    options: Sequence[str] = (),
) -> FakeProvider:
    """Starts the program and waits for its ready line. It ends with `stop()`, or when this process ends."""
    command = [sys.executable, str(PROGRAM), *options]
    if log is not None:
        command += ["--log", str(log)]
    if default:
        command += ["--default", json.dumps(default)]
    for name, model in (deployments or {}).items():
        command += ["--deployment", f"{name}={model}"]
    files = [str(file) for file in recorded]
    if files:
        command += ["--recorded", *files]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise RuntimeError(
            f"the fake provider did not start (exit code {process.wait()}); its message is above"
        )
    return FakeProvider(json.loads(line), process, log)
