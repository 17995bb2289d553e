"""A program that langfuse's drop-in for openai watches: `with_langfuse.py URL HOST before|after`.

`before`: it has wrapped openai when the guard comes. Its observations stay here.
"""

from __future__ import annotations

import json
import logging
import sys
import warnings
from typing import Any

import openai
from langfuse import Langfuse
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from work import all_kinds, guard, refused, said

url, host, order = sys.argv[1:]
logging.getLogger("langfuse").setLevel(logging.CRITICAL)  # it logs every refusal
kept = InMemorySpanExporter()
langfuse = Langfuse(
    public_key="pk-test", secret_key="sk-test", base_url="http://127.0.0.1:9", span_exporter=kept
)


def begin() -> None:
    import langfuse.openai  # noqa: F401

    warnings.simplefilter("error")


def observed() -> list[dict[str, Any]]:
    """What has come since the last time."""
    langfuse.flush()
    wanted = ("type", "level", "status_message", "usage_details", "model.name")
    told = [
        {name: (span.attributes or {}).get(f"langfuse.observation.{name}") for name in wanted}
        for span in kept.get_finished_spans()
    ]
    kept.clear()
    return told


if order == "before":
    begin()
base = openai._base_client.SyncAPIClient
bare = base.request
watched = guard(host)
watched.install()
if order == "after":
    begin()
replies = all_kinds(url)
sent = observed()
watched.set_limit("day", "0 USD")
answer = said(watched, replies, refused(url))
answer["sent"], answer["denied"] = sent, observed()
watched.uninstall()
answer["restored"] = base.request is bare
all_kinds(url)
answer["sent without a guard"] = len(observed())
langfuse.shutdown()
print(json.dumps(answer))
