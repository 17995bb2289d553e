"""A transport may send what it was given through another client of a guarded family: still one request (R32)."""

from __future__ import annotations

from typing import Any


def same_request(outer: Any, request: Any) -> bool:
    """Whether `request` is `outer`, the one that a guarded client further out is sending.

    Compared by what it says, not only by where it runs: tasks that are started while a request is sent inherit its
    context, and their own requests must be guarded.
    """
    if outer is request:
        return True
    try:
        return bool(
            outer.method == request.method
            and outer.url.raw_path == request.url.raw_path
            and outer.content == request.content
            and outer.content
        )
    except Exception:  # a body that is not read: not the same
        return False
