"""The sockets: h11 reads the requests, plans are written as bytes of our own, so that they can be broken anywhere."""

from __future__ import annotations

import asyncio
import socket
import struct

import h11

from . import control, wire
from .ask import Ask, read
from .incoming import Incoming, Reader
from .plan import End, Hold, Pause, Plan, Send, Write
from .provider import Provider

RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # SO_LINGER with 0 s: close sends RST
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
BAD_REQUEST = b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


class Connection(asyncio.Protocol):
    """One connection: reads a request, answers it, reads the next (keep-alive)."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._reader = Reader()
        self._task: asyncio.Task[None] | None = None
        self._plan: Plan | None = None  # under way in the task
        self._writable = asyncio.Event()
        self._writable.set()
        self._transport: asyncio.Transport

    # ---- called by the event loop

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._provider.connections.add(self)
        self._provider.connected += 1

    def connection_lost(self, error: Exception | None) -> None:
        self._provider.connections.discard(self)
        self._writable.set()
        if self._task is not None:
            self._task.cancel()
        self._provider.gate.changed()

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    def data_received(self, data: bytes) -> None:
        self._reader.feed(data)
        if self._task is None:
            self._advance()

    def drop(self) -> None:
        """Breaks off what is under way, unbilled; an idle connection stays."""
        if self._plan is not None:
            self._plan.bill = None
            self._transport.abort()

    async def close(self) -> None:
        task = self._task
        self._transport.abort()
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    # ---- requests

    def _advance(self) -> None:
        """Answers request after request, until one's answer needs time, or there is no whole one."""
        while self._task is None and not self._transport.is_closing():
            try:
                incoming = self._reader.next()
            except h11.RemoteProtocolError:
                self._transport.write(BAD_REQUEST)
                self._transport.close()
                return
            if incoming is None:
                if self._reader.asks_to_continue:
                    self._reader.asks_to_continue = False
                    self._transport.write(CONTINUE)
                return
            self._answer(incoming)

    def _answer(self, incoming: Incoming) -> None:
        head = incoming.head
        ask = read(head.method, head.target, head.headers, incoming.body)
        keep = head.keep_alive
        if ask.path.startswith(control.PREFIX):
            self._start(self._control(ask), keep)
            return
        provider = self._provider
        provider.begin(ask)
        plan = provider.answer(ask)
        if plan.streamed or plan.waits:
            self._start(self._play(ask, plan), keep)
            return
        self._play_now(ask, plan)
        if not keep:
            self._transport.close()

    def _start(self, work: asyncio._CoroutineLike[None], keep: bool) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._task = task

        def done(_: object) -> None:
            self._task = None
            if not keep:
                self._transport.close()
            elif not self._transport.is_closing():
                self._advance()

        task.add_done_callback(done)

    async def _control(self, ask: Ask) -> None:
        status, kind, body = await control.handle(self._provider, ask)
        self._transport.write(
            wire.head(status, [("content-type", kind), ("content-length", str(len(body)))]) + body
        )

    # ---- answers

    def _play_now(self, ask: Ask, plan: Plan) -> None:
        """A plain answer without barriers needs no task."""
        provider = self._provider
        for step in plan.steps:
            kind = type(step)
            if kind is Send:
                self._transport.write(step.data)  # type: ignore[union-attr]
            elif kind is Write:
                self._bill(ask, plan, None, False)
            elif kind is End:
                self._bill(ask, plan, None, False)
                self._end(step.reset)  # type: ignore[union-attr]
        provider.finish()

    async def _play(self, ask: Ask, plan: Plan) -> None:
        """Step by step; when the client leaves, the task is cancelled and what was generated is billed."""
        generated = 0 if plan.streamed else None
        self._plan = plan
        try:
            for step in plan.steps:
                match step:
                    case Send(data, output):
                        self._transport.write(data)
                        if plan.streamed:
                            generated = output
                            await asyncio.sleep(
                                0
                            )  # lets a disconnect be noticed, and others be served
                        await self._writable.wait()
                    case Hold(name):
                        await self._provider.gate.hold(name)
                    case Pause(seconds):
                        await asyncio.sleep(seconds)
                    case Write(output):
                        self._bill(ask, plan, output, False)
                    case End(reset):
                        self._bill(ask, plan, generated, False)
                        self._end(reset)
        except asyncio.CancelledError:
            self._bill(ask, plan, generated, True)
        finally:
            self._plan = None
            self._provider.finish()

    def _bill(self, ask: Ask, plan: Plan, generated: int | None, disconnected: bool) -> None:
        if plan.bill is not None:
            self._provider.log.write(
                ask, plan.bill, generated=generated, disconnected=disconnected, broken=plan.broken
            )

    def _end(self, reset: bool) -> None:
        if reset:
            sock = self._transport.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
            self._transport.abort()
        else:
            self._transport.close()
