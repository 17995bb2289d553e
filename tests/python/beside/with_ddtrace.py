"""A program that Datadog's tracer watches: `with_ddtrace.py URL HOST before|after`.

`before`: as under `ddtrace-run`, it has wrapped httpx and openai when the guard comes. Its spans stay here.
"""

from __future__ import annotations

import json
import os
import sys
import warnings
from typing import Any

os.environ.update(
    DD_TRACE_STARTUP_LOGS="false",
    DD_INSTRUMENTATION_TELEMETRY_ENABLED="false",
    DD_REMOTE_CONFIGURATION_ENABLED="false",
    DD_TRACE_OTEL_ENABLED="false",
    DD_CRASHTRACKING_ENABLED="false",
)

import openai
from ddtrace import patch
from ddtrace.contrib.internal.httpx.patch import unpatch as unpatch_httpx
from ddtrace.contrib.internal.httpx2.patch import unpatch as unpatch_httpx2
from ddtrace.contrib.internal.openai.patch import unpatch as unpatch_openai
from ddtrace.trace import TraceFilter, tracer
from work import all_kinds, guard, refused, said

warnings.simplefilter("error")
url, host, order = sys.argv[1:]
stack = sys.modules["httpx2" if int(openai.__version__.split(".")[0]) >= 3 else "httpx"]
classes = [stack.Client, stack.AsyncClient, openai._base_client.SyncAPIClient]
spans: list[Any] = []


class Kept(TraceFilter):
    def process_trace(self, trace: list[Any]) -> None:
        spans.extend(trace)


def shown() -> dict[str, list[Any]]:
    """What has come since the last time."""
    told: dict[str, list[Any]] = {"http.request": [], "openai.request": []}
    for span in spans:
        tags = [span.get_tag(name) for name in ("http.status_code", "error.type")]
        told[span.name].append([span.error, *tags])
    spans.clear()
    return told


def begin() -> None:
    tracer.configure(trace_processors=[Kept()])
    patch(httpx=True, httpx2=True, openai=True)


def end() -> None:
    unpatch_openai()
    unpatch_httpx()
    unpatch_httpx2()


bare = [dict(vars(cls)) for cls in classes]
if order == "before":
    begin()
watched = guard(host)
watched.install()
if order == "after":
    begin()
replies = all_kinds(url)
sent = shown()
watched.set_limit("day", "0 USD")
answer = said(watched, replies, refused(url))
answer["sent"], answer["denied"] = sent, shown()
if order == "before":
    end()  # it is gone from below the guard, which stays
    answer["refused without it"] = refused(url)
    watched.uninstall()
else:
    watched.uninstall()  # the guard passes everything through, below the tracer
    all_kinds(url)
    answer["sent without a guard"] = shown()
    end()
answer["restored"] = [vars(cls) == was for cls, was in zip(classes, bare, strict=True)]
all_kinds(url)
answer["sent without both"] = shown()
print(json.dumps(answer))
