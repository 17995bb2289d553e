"""Finding our refusal in whatever a framework made of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from farthing import _ambient, _denial
from farthing.errors import Denied, denied_class

_LINKS = (
    "__cause__",
    "__context__",
    "last_error",
    "original_error",
    "orig_exc",
    "error",
    "exception",
    "inner",
)
_LISTS = ("exceptions", "errors", "failed_attempts", "errs")
_BODIES = (
    "body",
    "response_body",
    "details",
    "content",
    "text",
    "message",
    "litellm_debug_info",
)
_MOST = 200


def find_cap_exceeded(error: BaseException | object) -> Denied | None:
    """The refusal behind an error, or None.

    Frameworks wrap errors of the SDK in their own, and some lose the chain. This walks `__cause__`, `__context__`,
    exception groups, `.errors`, `.last_error` and the like, and looks into response bodies. A response of a raw HTTP
    client can be given too. Raises nothing.

        try:
            agent.run()
        except Exception as error:
            denied = farthing.find_cap_exceeded(error)
            if denied is None:
                raise
            print(denied.cap, denied.remaining)
    """
    texts: list[str] = []
    for found in _walk(error):
        if isinstance(found, Denied):
            return found
        denied = _from_bodies(found)
        if denied is not None:
            return denied
        if isinstance(found, BaseException):
            texts.append(str(found))
    return _from_context(texts)


def _walk(start: object) -> Iterator[object]:
    seen: set[int] = set()
    waiting = [start]
    while waiting and len(seen) < _MOST:
        found = waiting.pop(0)
        if found is None or isinstance(found, (str, bytes, int, float)) or id(found) in seen:
            continue
        seen.add(id(found))
        yield found
        for name in _LINKS:
            linked = _get(found, name)
            if isinstance(linked, BaseException):
                waiting.append(linked)
        for name in _LISTS:
            several = _get(found, name)
            if isinstance(several, (list, tuple)):
                waiting.extend(_errors(several))
        # tenacity's and other futures keep theirs behind a call
        attempt = _get(found, "last_attempt")
        outcome = _get(attempt, "exception")
        if callable(outcome):
            waiting.append(_quietly(outcome))
        waiting.extend(arg for arg in _get(found, "args") or () if isinstance(arg, BaseException))


def _errors(several: Iterable[Any]) -> Iterator[object]:
    for one in several:
        if isinstance(one, BaseException):
            yield one
        else:
            inner = _get(one, "exception") or _get(one, "error")
            if isinstance(inner, BaseException):
                yield inner


def _from_bodies(found: object) -> Denied | None:
    candidates = [_get(found, name) for name in _BODIES]
    response = _get(found, "response")
    candidates += [_get(response, name) for name in ("content", "text", "body")]
    if isinstance(found, BaseException):
        candidates += [arg for arg in found.args if isinstance(arg, (str, bytes, dict))]
    for body in candidates:
        details = _denial.details(body)
        if details is not None:
            return _denied(details)
    return None


def _denied(details: dict[str, Any]) -> Denied:
    return denied_class(details.get("code"))(str(details.get("message", "")), details)


def _from_context(texts: list[str]) -> Denied | None:
    """The last refusal of this context, if an error on the way speaks of it."""
    body = _ambient.REFUSED.get()
    details = None if body is None else _denial.details(body)
    if details is None:
        return None
    marks = [str(details.get("message") or ""), str(details[_denial.MARK].get("attempt") or "")]
    if any(mark and mark in text for text in texts for mark in marks):
        return _denied(details)
    return None


def _get(found: object, name: str) -> Any:
    try:
        return getattr(found, name, None)
    except Exception:  # a property of somebody's error: response.content before it was read
        return None


def _quietly(function: Any) -> Any:
    try:
        return function()
    except Exception:
        return None
