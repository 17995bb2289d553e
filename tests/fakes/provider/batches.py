"""Batches: Anthropic's bring their messages, OpenAI's name an uploaded file with a request in each line.

A batch is in progress at its first poll and over at the second; `ending: "failed"` lets all its requests fail. What
its requests use is billed when it is made, at the tier `batch`; one that the endpoint would refuse fails alone.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from . import errors
from .ask import JSON, Ask, read
from .behaviour import Behaviour
from .billing import Bill
from .compose import Usage, compose
from .dialects import chat, completions, embeddings, messages, responses
from .dialects import usage as usages

if TYPE_CHECKING:
    from .provider import Provider

MESSAGES = "/v1/messages/batches"
BATCHES = "/v1/batches"
FILES = "/v1/files"
POLLS = 2
DIALECTS: dict[str, Any] = {
    "chat.completions": chat,
    "responses": responses,
    "completions": completions,
    "embeddings": embeddings,
    "messages": messages,
}


@dataclass
class Batch:
    started: JSON
    over: JSON
    results: bytes = b""
    polls: int = 0


@dataclass
class Made:
    """What one request of a batch came to; no usage where it failed."""

    body: JSON
    model: str = ""
    usage: Usage | None = None


class Batches:
    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._batches: dict[str, Batch] = {}
        self._files: dict[str, bytes] = {}

    def answer(self, ask: Ask, do: Behaviour, request_id: str) -> tuple[int, Any] | None:
        """Status and body, JSON or bytes; None where a request is for none of it."""
        path = ask.path.removeprefix("/openai")
        if ask.method == "POST":
            if path == MESSAGES:
                return 200, self._of_messages(ask, do, request_id)
            if path == FILES:
                return 200, self._upload(ask)
            if path == BATCHES:
                return self._of_file(ask, do, request_id)
        for start in (MESSAGES, BATCHES):
            if path.startswith(start + "/"):
                return self._about(ask, path.removeprefix(start + "/"))
        name, _, what = path.removeprefix(FILES + "/").partition("/")
        if ask.method == "GET" and path.startswith(FILES + "/") and name in self._files:
            return 200, self._files[name] if what == "content" else self._file(name)
        return None

    def _about(self, ask: Ask, rest: str) -> tuple[int, Any] | None:
        name, _, what = rest.partition("/")
        batch = self._batches.get(name)
        if batch is None:
            return None
        if ask.method == "DELETE":
            del self._batches[name]
            return 200, {"id": name, "type": "message_batch_deleted"}
        if ask.method == "POST" and what == "cancel":
            return 200, {**batch.started, "processing_status": "canceling", "status": "cancelling"}
        if ask.method != "GET":
            return None
        if what == "results":
            return 200, batch.results
        batch.polls += 1
        return 200, batch.over if batch.polls >= POLLS else batch.started

    def _make(self, ask: Ask, do: Behaviour, request_id: str, path: str, body: Any) -> Made:
        one = read("POST", path, ask.headers | {"content-type": ""}, json.dumps(body).encode())
        wrong = errors.problem(one)
        if wrong is not None or do.ending == "failed":
            status, said = wrong or (500, errors.body("server_error", "The server had an error."))
            return Made(errors.shaped(one, status, said))
        do = replace(do, service_tier="batch")
        reply = compose(one, do, self._provider.ids)
        bill = Bill(request_id, reply.id, reply.model, "batch", reply.usage, do.bill)
        self._provider.log.write(one, bill, generated=None, disconnected=False, broken=None)
        made = DIALECTS[one.endpoint or ""].plain(one, do, reply)
        return Made(made, reply.model, reply.usage)

    def _of_messages(self, ask: Ask, do: Behaviour, request_id: str) -> JSON:
        id = self._provider.ids.new("msgbatch_")
        lines = []
        succeeded = 0
        asked = ask.body["requests"]
        for one in asked:
            made = self._make(ask, do, request_id, "/v1/messages", one["params"])
            succeeded += made.usage is not None
            result: JSON = (
                {"type": "succeeded", "message": made.body}
                if made.usage
                else {"type": "errored", "error": made.body}
            )
            lines.append(json.dumps({"custom_id": one["custom_id"], "result": result}))
        started = {
            "id": id,
            "type": "message_batch",
            "processing_status": "in_progress",
            "request_counts": _counts(processing=len(asked)),
            "created_at": "2026-11-21T00:00:00Z",
            "expires_at": "2026-11-22T00:00:00Z",
            "ended_at": None,
            "archived_at": None,
            "cancel_initiated_at": None,
            "results_url": None,
        }
        over = {
            **started,
            "processing_status": "ended",
            "request_counts": _counts(succeeded=succeeded, errored=len(asked) - succeeded),
            "ended_at": "2026-11-21T01:00:00Z",
            "results_url": f"http://{ask.headers.get('host')}{MESSAGES}/{id}/results",
        }
        self._batches[id] = Batch(started, over, "".join(f"{line}\n" for line in lines).encode())
        return started

    def _upload(self, ask: Ask) -> JSON:
        id = self._provider.ids.new("file-")
        self._files[id] = ask.files.get("file", [b""])[0]
        return self._file(id, str(ask.body.get("purpose")))

    def _file(self, id: str, purpose: str = "batch") -> JSON:
        return {
            "id": id,
            "object": "file",
            "bytes": len(self._files[id]),
            "created_at": 1_700_000_000,
            "filename": "requests.jsonl",
            "purpose": purpose,
            "status": "processed",
        }

    def _of_file(self, ask: Ask, do: Behaviour, request_id: str) -> tuple[int, JSON]:
        file = self._files.get(ask.body.get("input_file_id", ""))
        if file is None:
            return 400, errors.body("invalid_request_error", "There is no such file.")
        id = self._provider.ids.new("batch_")
        sum = Usage(0)
        lines = []
        model = ""
        completed = 0
        for line in filter(None, file.splitlines()):
            one = json.loads(line)
            made = self._make(ask, do, request_id, one["url"], one["body"])
            status = 200 if made.usage else 400
            response = {"status_code": status, "request_id": request_id, "body": made.body}
            lines.append(json.dumps({"custom_id": one["custom_id"], "response": response}))
            if made.usage:
                completed += 1
                model = made.model
                sum.input_tokens += made.usage.input_tokens
                sum.cached_tokens += made.usage.cached_tokens
                sum.output_tokens += made.usage.output_tokens
                sum.reasoning_tokens += made.usage.reasoning_tokens
        output = self._provider.ids.new("file-")
        self._files[output] = "".join(f"{line}\n" for line in lines).encode()
        started = {
            "id": id,
            "object": "batch",
            "endpoint": ask.body.get("endpoint"),
            "input_file_id": ask.body["input_file_id"],
            "completion_window": "24h",
            "created_at": 1_700_000_000,
            "status": "validating",
            "usage": None,
        }
        over = {
            **started,
            "status": "completed",
            "model": model or None,
            "output_file_id": output,
            "request_counts": {
                "total": len(lines),
                "completed": completed,
                "failed": len(lines) - completed,
            },
            "usage": usages.shown(usages.responses(sum), do),
        }
        self._batches[id] = Batch(started, over)
        return 200, started


def _counts(**told: int) -> JSON:
    names = ("processing", "succeeded", "errored", "canceled", "expired")
    return {name: told.get(name, 0) for name in names}
