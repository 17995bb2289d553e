"""A WSGI program for gunicorn's `--preload`: guard and client are made once, before the workers are forked.

PROVIDER=URL HOST=HOST:PORT STORE=file:... CAP="... USD" gunicorn --preload ... prefork:app
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import Any

import openai

import farthing

guard = farthing.Guard(
    caps=[farthing.Cap(os.environ["CAP"], per="day", id="day")],
    store=os.environ["STORE"],
    hosts={os.environ["HOST"]: {"provider": "openai"}},
    held_wait="0s",
    name="prefork",
)
client = guard.wrap(
    openai.OpenAI(base_url=os.environ["PROVIDER"], api_key="sk-test-0001", max_retries=0)
)


def app(environ: dict[str, Any], answer: Callable[..., Any]) -> Iterable[bytes]:
    try:
        client.chat.completions.create(
            model="gpt-4.1-nano",
            max_tokens=64,
            messages=[{"role": "user", "content": "hello there"}],
        )
        outcome = b"sent"
    except farthing.CapExceeded:
        outcome = b"refused"
    answer("200 OK", [("content-length", str(len(outcome)))])
    return [outcome]
