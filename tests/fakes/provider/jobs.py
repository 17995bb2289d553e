"""Work that goes on after its answer: background responses and videos. Asked for by GET, cancelled, deleted.

A job is in progress at its first poll and over at the second; `ending: "failed"` lets it fail. It is billed when it is
made, as a provider does whether anybody polls or not; a failed one is not.
"""

from __future__ import annotations

from dataclasses import dataclass

from .ask import JSON, Ask

PATHS = ("/v1/responses/", "/v1/videos/", "/openai/v1/responses/", "/openai/v1/videos/")
POLLS = 2  # the last of them finds it over


@dataclass
class Job:
    started: JSON
    over: JSON
    polls: int = 0


class Jobs:
    def __init__(self) -> None:
        self._jobs: dict[str, Job] = {}

    def add(self, started: JSON, over: JSON) -> None:
        self._jobs[started["id"]] = Job(started, over)

    def find(self, id: str) -> JSON | None:
        """As it will be when it is over."""
        job = self._jobs.get(id)
        return job.over if job else None

    def answer(self, ask: Ask) -> JSON | None:
        """What a request for a job gets; None where it is none, or the job is not known."""
        path = ask.path
        start = next((start for start in PATHS if path.startswith(start)), None)
        if start is None:
            return None
        name, _, action = path[len(start) :].partition("/")
        job = self._jobs.get(name)
        if job is None:
            return None
        if ask.method == "GET" and not action:
            job.polls += 1
            return job.over if job.polls >= POLLS else {**job.started, "status": "in_progress"}
        if ask.method == "POST" and action == "cancel":
            if job.polls < POLLS:
                job.over = {**job.started, "status": "cancelled"}
                job.polls = POLLS
            return job.over
        if ask.method == "DELETE" and not action:
            del self._jobs[name]
            return {"id": name, "object": f"{job.started['object']}.deleted", "deleted": True}
        return None


def failed(over: JSON) -> JSON:
    error = {"code": "server_error", "message": "The server had an error."}
    return {**over, "status": "failed", "error": error, "usage": None, "output": []}
