"""A refusal as the SDK's own status error: one class for each of ours and each SDK's, made when it is first needed."""

from __future__ import annotations

from typing import Any

from farthing import _denial
from farthing.errors import Denied, denied_class

_classes: dict[tuple[type[Denied], type[BaseException]], type[Denied]] = {}


def status_error(error: Any, found: dict[str, Any]) -> Denied:
    """`error` (an SDK's status error for our 402), made one of ours too. `found` is the error object of the body."""
    kind = denied_class(found.get("code"))
    message = str(found.get("message") or error)
    mixed = mixed_class(kind, type(error))
    denied = mixed.__new__(mixed, message)
    denied.__dict__.update(error.__dict__)
    denied.message = message
    _denial.fill(denied, found)
    return denied


def mixed_class(kind: type[Denied], sdk: type[BaseException]) -> type[Denied]:
    """A subclass of both. Neither `__init__` is called: the state is copied, which also makes it picklable."""
    made = _classes.get((kind, sdk))
    if made is None:
        body = {
            "__doc__": kind.__doc__,
            "__module__": kind.__module__,
            "__qualname__": kind.__qualname__,
            "__reduce__": lambda self: (_restore, (kind, sdk, self.args, self.__dict__)),
        }
        made = _classes[kind, sdk] = type(kind.__name__, (kind, sdk), body)
    return made


def _restore(
    kind: type[Denied], sdk: type[BaseException], args: tuple[Any, ...], state: dict[str, Any]
) -> Denied:
    mixed = mixed_class(kind, sdk)
    error = mixed.__new__(mixed, *args)
    error.__dict__.update(state)
    return error
