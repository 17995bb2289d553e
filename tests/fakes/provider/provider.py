"""The provider itself: counts requests, decides what each gets, and turns it into a plan of steps. No sockets.

Made to order by `compose` and the dialects, or replayed by `recorded`; faults are put in by `delivery`.
"""

from __future__ import annotations

import json
import os
from collections import Counter, deque
from dataclasses import replace
from pathlib import Path
from typing import Any

from . import errors, models, pieces
from .ask import JSON, Ask
from .batches import Batches
from .behaviour import Behaviour, ControlError, Script, check
from .billing import Bill, BillLog
from .compose import Ids, Usage, compose
from .delivery import deliver_json, deliver_stream
from .dialects import (
    audio,
    chat,
    completions,
    embeddings,
    gemini,
    gemini_embed,
    images,
    messages,
    responses,
    videos,
)
from .dialects.event import Event
from .gate import Gate
from .jobs import Jobs, failed
from .plan import Plan, Send
from .recorded import Recording, Recordings, said
from .wire import Piece, events, head, split

DIALECTS: dict[str, Any] = {
    "chat.completions": chat,
    "responses": responses,
    "completions": completions,
    "embeddings": embeddings,
    "messages": messages,
    "generate_content": gemini,
    "images.generations": images,
    "images.edits": images,
    "images.variations": images,
    "audio.speech": audio,
    "audio.transcriptions": audio,
    "audio.translations": audio,
    "embed_content": gemini_embed,
    "videos": videos,
    "videos.remix": videos,
}
COUNTS = {  # free, and how each says it
    "responses.input_tokens": lambda n: {"object": "response.input_tokens", "input_tokens": n},
    "messages.count_tokens": lambda n: {"input_tokens": n},
    "count_tokens": lambda n: {"totalTokens": n},
}
KEPT_REQUESTS = 2000
KEPT_BYTES = 32 * 1024 * 1024
KEPT_RESPONSES = 10_000


class Provider:
    def __init__(
        self,
        log: Path | None = None,
        recordings: Recordings | None = None,
        default: JSON | None = None,
        deployments: dict[str, str] | None = None,
    ) -> None:
        self.log = BillLog(log)
        self.recordings = recordings or Recordings([])
        self.script = Script()
        self.script.default = self._first_default = check(default or {})
        self.deployments = deployments or {}
        self.ids = Ids(os.urandom(4).hex())
        self.gate = Gate(self)
        self.connections: set[Any] = set()
        self.reset_counts()

    def reset_counts(self) -> None:
        self.paths: Counter[str] = Counter()
        self.statuses: Counter[int] = Counter()
        self.seen = 0
        self.in_flight = getattr(
            self, "in_flight", 0
        )  # requests being answered stay counted over a reset
        self.most_in_flight = self.in_flight
        self.connected = 0
        self.requests: deque[tuple[Ask, str]] = deque()
        self.kept_bytes = 0
        self.jobs = Jobs()
        self.batches = Batches(self)
        self.context: dict[str, int] = {}  # response id -> tokens that a later response takes over

    def reset(self) -> None:
        """As just started: also ends the answers still under way, unbilled."""
        for connection in list(self.connections):
            connection.drop()
        self.script.clear()
        self.script.default = self._first_default
        self.recordings.reset()
        self.log.clear()
        self.reset_counts()
        self.gate.reset()

    async def close(self) -> None:
        for connection in list(self.connections):
            await connection.close()

    # ---- counting

    def begin(self, ask: Ask) -> None:
        self.paths[f"{ask.method} {ask.path}"] += 1
        self.seen += 1
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)

    def keep(self, ask: Ask, request_id: str) -> None:
        self.requests.append((ask, request_id))
        self.kept_bytes += len(ask.raw)
        while len(self.requests) > KEPT_REQUESTS or (
            self.kept_bytes > KEPT_BYTES and len(self.requests) > 1
        ):
            self.kept_bytes -= len(self.requests.popleft()[0].raw)

    def finish(self) -> None:
        self.in_flight -= 1
        self.gate.changed()

    def stats(self) -> JSON:
        return {
            "seen": self.seen,
            "by_path": dict(self.paths),
            "by_status": {str(status): count for status, count in self.statuses.items()},
            "in_flight": self.in_flight,
            "most_in_flight": self.most_in_flight,
            "billed": len(self.log),
            "connections_made": self.connected,
            "connections_open": len(self.connections),
            "script_left": [
                {"do": one.do, "when": one.when, "times": one.times}
                for one in self.script.entries
                if one.times != 0
            ],
            "holding": self.gate.holding(),
        }

    # ---- answering

    def answer(self, ask: Ask) -> Plan:
        request_id = self.ids.new("req_")
        self.keep(ask, request_id)
        if ask.azure and ask.endpoint:
            name = ask.deployment or ask.model
            ask.model = self.deployments.get(name, name)
        try:
            do = self.script.behaviour(ask)
            plan = self._answer(ask, do, request_id)
        except (
            ControlError,
            TypeError,
        ) as error:  # the test's own mistake, said so that it is not overlooked
            body = errors.body("fake_provider_control", f"fake provider: {error}", "bad_control")
            plan = self._json(ask, Behaviour(), 400, body, request_id)
        return plan

    def _answer(self, ask: Ask, do: Behaviour, request_id: str) -> Plan:
        if do.redirect and "fake-redirected" not in ask.query:
            return self._redirect(ask, do, request_id)
        if do.status >= 400 or do.foreign:
            kind, made = (
                errors.of_status(ask, do)
                if do.body is None
                else ("application/json", as_bytes(do.body))
            )
            bill = None
            if do.bill == "full" and ask.endpoint in DIALECTS:
                bill = self._bill(ask, do, request_id)
            self.statuses[do.status] += 1
            return deliver_json(do, do.status, do.content_type or kind, made, request_id, bill)
        recording = self.recordings.find(ask, do.recorded)
        if recording is not None:
            return self._replay(ask, do, recording, request_id)
        if do.recorded is not None:
            raise ControlError(
                f"no recording {do.recorded!r}; there are {len(self.recordings.rows)}"
            )
        job = self.jobs.answer(ask) if do.body is None else None
        if job is not None:
            return self._json(ask, do, 200, job, request_id)
        batch = self.batches.answer(ask, do, request_id) if do.body is None else None
        if batch is not None:
            return self._json(ask, do, *batch, request_id)
        if ask.method == "GET" and do.body is None:
            return self._get(ask, do, request_id)
        if ask.endpoint is None:
            if do.body is not None:
                return self._json(ask, do, do.status, do.body, request_id)
            return self._json(ask, do, 404, errors.unknown_url(ask), request_id)
        if ask.endpoint == "moderations":
            return self._json(ask, do, 200, moderation(self.ids), request_id)
        if (ask.endpoint or "").startswith("videos"):
            self._fill_video(ask)
        wrong = errors.problem(ask)
        if wrong is not None:
            status, said_wrong = wrong
            return self._json(ask, do, status, errors.shaped(ask, status, said_wrong), request_id)
        if ask.endpoint in COUNTS:
            return self._json(ask, do, 200, COUNTS[ask.endpoint](ask.input_tokens), request_id)
        return self._made(ask, do, request_id)

    def _made(self, ask: Ask, do: Behaviour, request_id: str) -> Plan:
        dialect = DIALECTS[ask.endpoint or ""]
        previous = ask.body.get("previous_response_id")
        hidden = self.context.get(previous, 0) if isinstance(previous, str) else 0
        reply = compose(ask, do, self.ids, hidden, _used(ask, do))
        if ask.endpoint == "responses":
            if len(self.context) < KEPT_RESPONSES:
                self.context[reply.id] = reply.usage.input_tokens + reply.usage.output_tokens
        bill = Bill(request_id, reply.id, reply.model, reply.tier, reply.usage, do.bill)
        self.statuses[do.status] += 1
        if ask.endpoint == "messages":
            do = replace(do, headers={"request-id": request_id, **do.headers})
        if do.body is not None:
            kind = do.content_type or "application/json"
            return deliver_json(do, do.status, kind, as_bytes(do.body), request_id, bill)
        if ask.stream and hasattr(dialect, "events"):
            made: list[Event] = dialect.events(ask, do, reply)
            if do.ending == "error" or (do.ending == "failed" and dialect is not responses):
                at = do.cut_at if do.cut_at is not None else len(made) // 2
                error = errors.body(
                    "server_error", "The server had an error while processing your request."
                )
                error["error"].update(do.error)
                stop = (chat if dialect is completions else dialect).error_event(error["error"])
                stop.output = made[at - 1].output if at else 0
                made = [*made[:at], stop]
            elif do.ending in ("no_done", "no_finish"):
                leave_out = (
                    ("done",)
                    if do.ending == "no_done"
                    else ("done", "usage", "finish", "moderation")
                )
                made = [event for event in made if event.kind not in leave_out]
            if dialect is gemini and ask.query.get("alt") != ["sse"]:  # a JSON array, as it comes
                body = as_bytes([event.data for event in made])
                return deliver_json(do, do.status, "application/json", body, request_id, bill)
            return deliver_stream(do, events(made, do), request_id, bill)
        made_whole = dialect.plain(ask, do, reply)
        if dialect is videos or (dialect is responses and ask.body.get("background") is True):
            made_whole, bill = self._started(ask, do, made_whole, bill)
        body = as_bytes(made_whole)
        kind = dialect.content_type(ask) if hasattr(dialect, "content_type") else "application/json"
        return deliver_json(do, do.status, do.content_type or kind, body, request_id, bill)

    def _fill_video(self, ask: Ask) -> None:
        """A remix is as its source, and what is not asked is the provider's."""
        if ask.endpoint == "videos.remix":
            name = ask.path.rsplit("/", 2)[1]
            source = self.jobs.find(name) or {}
            ask.model = str(source.get("model", ""))
            ask.body |= {key: source.get(key) for key in ("seconds", "size")}
            ask.body["remixed_from_video_id"] = name
        ask.model = ask.model or "sora-2"

    def _started(
        self, ask: Ask, do: Behaviour, whole: JSON, bill: Bill
    ) -> tuple[JSON, Bill | None]:
        """The job that an answer begins, and its bill: nothing where it will fail."""
        started = {**whole, "status": "queued"}
        over = {**whole, "status": "completed", "progress": 100}
        if ask.endpoint == "responses":
            started |= {"background": True, "output": [], "usage": None}
            over = {**whole, "background": True}
        will_fail = do.ending == "failed"
        self.jobs.add(started, failed(over) if will_fail else over)
        return started, None if will_fail else bill

    def _bill(self, ask: Ask, do: Behaviour, request_id: str) -> Bill:
        reply = compose(ask, do, self.ids, used=_used(ask, do))
        return Bill(request_id, reply.id, reply.model, reply.tier, reply.usage, do.bill, do.status)

    def _replay(self, ask: Ask, do: Behaviour, row: Recording, request_id: str) -> Plan:
        told = said(row)
        body = row.response
        ask.endpoint = ask.endpoint or row.endpoint
        usage, made_usage = told.usage, False
        pieces = [Piece(part, 0) for part in split(body)] if row.sse else []
        if row.sse and usage is None and ask.include_usage and row.endpoint == "chat.completions":
            usage, made_usage = self._count(ask, body), True
            pieces[-1:] = [*usage_chunk(told.id, told.model, usage), *pieces[-1:]]
        for number, piece in enumerate(pieces, 1):
            piece.output = usage.output_tokens * number // len(pieces) if usage else 0
        bill = Bill(
            request_id,
            told.id,
            told.model,
            told.tier,
            usage,
            do.bill,
            row.status,
            row.index,
            row.source,
            made_usage,
        )
        self.statuses[row.status] += 1
        if row.sse:
            return deliver_stream(do, pieces, request_id, bill, row.content_type)
        billed = bill if row.status < 400 and not told.refused else None
        return deliver_json(do, row.status, row.content_type, body, request_id, billed)

    def _count(self, ask: Ask, body: bytes) -> Usage:
        """Usage for a stream that was recorded without: input as made to order, a token for each delta."""
        return Usage(ask.input_tokens, 0, max(1, body.count(b"data:") - 3), 0)

    def _get(self, ask: Ask, do: Behaviour, request_id: str) -> Plan:
        path = ask.path.removeprefix("/openai")
        if path == "/v1/models":
            data = [model_card(name) for name in models.MODELS]
            return self._json(ask, do, 200, {"object": "list", "data": data}, request_id)
        if path.startswith("/v1/models/") and path[11:] in models.MODELS:
            return self._json(ask, do, 200, model_card(path[11:]), request_id)
        if path.startswith("/v1/models/"):
            message = f"The model '{path[11:]}' does not exist"
            return self._json(
                ask,
                do,
                404,
                errors.body("invalid_request_error", message, "model_not_found"),
                request_id,
            )
        return self._json(ask, do, 404, errors.unknown_url(ask), request_id)

    def _json(self, ask: Ask, do: Behaviour, status: int, body: Any, request_id: str) -> Plan:
        self.statuses[status] += 1
        return deliver_json(do, status, "application/json", as_bytes(body), request_id, None)

    def _redirect(self, ask: Ask, do: Behaviour, request_id: str) -> Plan:
        mark = ("&" if "?" in ask.target else "?") + "fake-redirected=1"
        to = do.redirect if isinstance(do.redirect, str) else ask.target + mark
        status = do.status if 300 <= do.status < 400 else 307
        self.statuses[status] += 1
        lines = [
            ("location", to),
            ("x-request-id", request_id),
            ("content-length", "0"),
            *do.headers.items(),
        ]
        return Plan([Send(head(status, lines))])


def _used(ask: Ask, do: Behaviour) -> Usage | None:
    return pieces.usage(ask, do) if ask.endpoint in pieces.ENDPOINTS else None


def as_bytes(body: Any) -> bytes:
    if isinstance(body, bytes):
        return body
    return body.encode() if isinstance(body, str) else json.dumps(body).encode()


def model_card(name: str) -> JSON:
    return {"id": name, "object": "model", "created": 1_700_000_000, "owned_by": "fake"}


def moderation(ids: Ids) -> JSON:
    names = ("hate", "harassment", "self-harm", "sexual", "violence")
    result = {
        "flagged": False,
        "categories": dict.fromkeys(names, False),
        "category_scores": dict.fromkeys(names, 0.0001),
    }
    return {"id": ids.new("modr-"), "model": "omni-moderation-latest", "results": [result]}


def usage_chunk(response_id: str, model: str, usage: Usage) -> list[Piece]:
    """A usage chunk for a recording that was made without, because this time it was asked for."""
    from .dialects import usage as usages

    body = {
        "id": response_id,
        "object": "chat.completion.chunk",
        "created": 0,
        "model": model,
        "choices": [],
        "usage": usages.chat(usage),
    }
    return events([Event(body, usage.output_tokens, "usage")], Behaviour())
