"""The program: options, start, the ready line, the end.

Prints one JSON line when it listens, so whoever started it waits for that line and never sleeps. It ends on
SIGTERM, on SIGINT, and when its standard input closes, so it does not outlive whoever started it.
"""

from __future__ import annotations

import argparse
import asyncio
import ipaddress
import json
import os
import signal
import sys
import threading
from pathlib import Path

from .provider import Provider
from .recorded import Recordings
from .server import Connection


def parse(argv: list[str] | None = None) -> argparse.Namespace:
    options = argparse.ArgumentParser(prog="provider", description="a fake OpenAI-shaped provider")
    options.add_argument(
        "--host", default="127.0.0.1", help="a loopback address (default 127.0.0.1)"
    )
    options.add_argument("--port", type=int, default=0, help="default 0: any free port")
    options.add_argument(
        "--log", type=Path, help="write what would be billed here, a JSON line each"
    )
    options.add_argument("--recorded", type=Path, nargs="*", default=[], metavar="FILE.jsonl.gz")
    options.add_argument(
        "--default", default="{}", metavar="JSON", help="a behaviour for every request"
    )
    options.add_argument(
        "--deployment",
        action="append",
        default=[],
        metavar="NAME=MODEL",
        help="what an Azure deployment serves; may be repeated",
    )
    options.add_argument(
        "--stay", action="store_true", help="do not end when standard input closes"
    )
    chosen = options.parse_args(argv)
    try:
        loopback = ipaddress.ip_address(chosen.host).is_loopback
    except ValueError:
        loopback = False
    if not loopback:
        options.error(f"--host {chosen.host}: only a loopback address (127.0.0.1, ::1) is accepted")
    return chosen


async def serve(options: argparse.Namespace) -> None:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if not options.stay:
        watch_stdin(loop, stop)
    provider = Provider(
        log=options.log,
        recordings=Recordings.load(options.recorded),
        default=json.loads(options.default),
        deployments=dict(pair.split("=", 1) for pair in options.deployment),
    )
    server = await loop.create_server(
        lambda: Connection(provider), options.host, options.port, backlog=1024
    )
    port = server.sockets[0].getsockname()[1]
    host = f"[{options.host}]" if ":" in options.host else options.host
    ready = {"url": f"http://{host}:{port}/v1", "port": port, "pid": os.getpid()}
    print(json.dumps(ready), flush=True)
    await stop.wait()
    server.close()
    await provider.close()


def watch_stdin(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    """A thread, because epoll refuses files and /dev/null."""

    def wait() -> None:
        try:
            while os.read(0, 4096):
                pass
        except OSError:
            pass
        try:
            loop.call_soon_threadsafe(stop.set)
        except RuntimeError:  # the loop ended first
            pass

    threading.Thread(target=wait, daemon=True).start()


def main(argv: list[str] | None = None) -> int:
    options = parse(argv)
    try:
        asyncio.run(serve(options))
    except (OSError, ValueError) as error:
        print(f"provider: {error}", file=sys.stderr)
        return 1
    return 0
