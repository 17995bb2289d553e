"""What one request shall get: amounts, timing, faults. Written as JSON, in `x-fake-*` headers or in a script.

Every field may be left out; then the provider answers as a well-behaved one would.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, fields
from fnmatch import fnmatchcase
from typing import Any

from .ask import JSON, Ask

Places = dict[str, Any]


class ControlError(ValueError):
    """The test's own mistake: an unknown field or value in its control headers or script."""


@dataclass(frozen=True)
class Behaviour:
    # what is answered
    input_tokens: int | None = None
    output_tokens: int | None = None  # per choice, reasoning included
    reasoning_tokens: int | None = None
    cached_tokens: int | None = None
    cached_share: float | None = None  # 0..1 of the input
    text: str | None = None
    tool: Any = None  # False: no tool call; True: one; {"name", "arguments"} or a list of them
    model: str | None = None  # the served name
    service_tier: str | None = None
    deltas: int | None = None  # pieces that the text of a stream comes in
    over_limit: bool = False  # answers output_tokens though the request allowed fewer
    recorded: int | str | None = None  # index, or the recording's source; see recorded.py
    # what is shown of the usage (what is billed stays true)
    usage: Any = None  # missing, null, empty, zero, huge, negative, text, or any JSON object
    usage_in: str | None = None  # own (default), unasked, finish, every, x_groq
    # instead of the answer
    status: int = 200
    error: JSON = field(default_factory=dict)  # type, code, message, param
    foreign: bool = False  # an error page of something in between, not the provider's
    body: Any = None  # text as it is, or JSON
    content_type: str | None = None
    redirect: str | bool = False
    # headers
    headers: dict[str, str] = field(default_factory=dict)
    retry_after: str | int | None = None
    rate_limits: bool = False
    # timing: places are "head", "body", "end", "each", or the number of events already sent
    hold: str | Places | None = None  # a barrier's name; a bare name means before the head
    delay: float | Places | None = None  # seconds; a bare number means before the head
    # the connection
    cut: str | None = None  # reset_* or close_* with head, body, middle, end; or truncated
    cut_at: int | None = None  # event of a stream, byte of a body; default: the middle
    chunks: int | None = None  # a seed: the stream's bytes are cut anew at random places
    encoding: str | None = None  # gzip, deflate, br
    # the stream
    ending: str | None = None  # no_finish, no_done, linger, error, failed
    prelude: bool | None = None  # Azure's first chunk with empty choices (default on Azure paths)
    moderation: bool = False  # a chunk after the one with usage
    sse: list[str] = field(default_factory=list)  # cr crlf mixed comments bom multiline tight ids
    pad: int = 0  # bytes added to one event
    # the bill
    bill: str = "generated"  # generated, full, nothing


FIELDS = {item.name for item in fields(Behaviour)}
CUTS = {
    f"{how}_{place}" for how in ("reset", "close") for place in ("head", "body", "middle", "end")
}
CHOICES: dict[str, set[str]] = {
    "usage_in": {"own", "unasked", "finish", "every", "x_groq"},
    "cut": CUTS | {"truncated"},
    "encoding": {"identity", "gzip", "deflate", "br"},
    "ending": {"no_finish", "no_done", "linger", "error", "failed"},
    "bill": {"generated", "full", "nothing"},
}
SSE = {"cr", "crlf", "mixed", "comments", "bom", "multiline", "tight", "ids"}
USAGES = {"missing", "null", "empty", "zero", "huge", "negative", "text"}
DEFAULT = Behaviour()


def check(given: Any) -> JSON:
    """The behaviour as given, or a ControlError that names what is wrong with it."""
    if not isinstance(given, dict):
        raise ControlError(f"a behaviour is a JSON object, not {given!r}")
    wanted: JSON = given
    unknown = set(wanted) - FIELDS
    if unknown:
        raise ControlError(f"unknown behaviour {sorted(unknown)}; known: {sorted(FIELDS)}")
    for name, allowed in CHOICES.items():
        if wanted.get(name) is not None and wanted[name] not in allowed:
            raise ControlError(f"{name}: {wanted[name]!r}; one of {sorted(allowed)}")
    if isinstance(wanted.get("usage"), str) and wanted["usage"] not in USAGES:
        raise ControlError(f"usage: {wanted['usage']!r}; one of {sorted(USAGES)} or an object")
    flags = wanted.get("sse")
    if isinstance(flags, str):
        wanted = {**wanted, "sse": [flag.strip() for flag in flags.split(",")]}
    if not set(wanted.get("sse", [])) <= SSE:
        raise ControlError(f"sse: {flags!r}; of {sorted(SSE)}")
    return wanted


def from_headers(headers: dict[str, str]) -> JSON:
    """`x-fake: {json}` and `x-fake-<field>: value`, where a value is JSON or else plain text."""
    wanted: JSON = {}
    for name, value in headers.items():
        if not name.startswith("x-fake"):
            continue
        try:
            parsed = json.loads(value)
        except ValueError:
            parsed = value
        if name == "x-fake":
            wanted.update(check(parsed))
        else:
            wanted[name[7:].replace("-", "_")] = parsed
    return check(wanted)


@dataclass
class Entry:
    """One line of a script: what to do, for which requests, how often."""

    do: JSON
    when: JSON
    times: int | None  # None: always
    nth: int | None
    matched: int = 0

    def takes(self, ask: Ask) -> bool:
        if self.times == 0:
            return False
        if not all(_matches(ask, name, wanted) for name, wanted in self.when.items()):
            return False
        self.matched += 1
        if self.nth is not None and self.matched != self.nth:
            return False
        if self.times is not None:
            self.times -= 1
        return True


WHEN = {"model", "endpoint", "path", "method", "stream", "api_key", "retry_count", "contains"}


def _matches(ask: Ask, name: str, wanted: Any) -> bool:
    if name == "stream":
        return ask.stream is wanted
    if name == "contains":
        return str(wanted).encode() in ask.raw
    actual = {
        "model": ask.model or ask.deployment or "",
        "endpoint": ask.endpoint or "",
        "path": ask.path,
        "method": ask.method,
        "api_key": ask.key_last4,
        "retry_count": ask.headers.get("x-stainless-retry-count", ""),
    }[name]
    return fnmatchcase(actual, str(wanted))


class Script:
    """A list of behaviours, each taken by the first request that it is for; order decides."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.default: JSON = {}

    def add(self, lines: Any) -> None:
        if not isinstance(lines, list):
            raise ControlError("a script is a list of {do, when, times, nth}")
        self.entries.extend([_entry(line) for line in lines])

    def clear(self) -> None:
        self.entries.clear()

    def behaviour(self, ask: Ask) -> Behaviour:
        """The default, then what the script has for this request, then its own headers."""
        scripted: JSON = {}
        for entry in self.entries:
            if entry.takes(ask):
                scripted = entry.do
                break
        headers = ask.headers
        own = from_headers(headers) if any(name.startswith("x-fake") for name in headers) else {}
        if not (scripted or own or self.default):
            return DEFAULT
        return Behaviour(**{**self.default, **scripted, **own})


def _entry(line: Any) -> Entry:
    if not isinstance(line, dict) or set(line) - {"do", "when", "times", "nth"}:
        raise ControlError(f"a script's line has do, when, times, nth; this one: {line!r}")
    when = line.get("when", {})
    if set(when) - WHEN:
        raise ControlError(f"unknown condition {sorted(set(when) - WHEN)}; known: {sorted(WHEN)}")
    times = line.get("times", 1)
    return Entry(check(line.get("do", {})), when, times, line.get("nth"))
