"""Other tools on the same client: what they see and do stays, and every call is decided and settled once."""

from __future__ import annotations

import json
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

import farthing

from .conftest import CHEAP, Shop, sdk_family
from .money import billed, booked, counted

DAY = farthing.Cap("5 USD", per="day", id="day")
STREAM = {**CHEAP, "stream": True}
MOCKED = "http://mocked.example/v1"
ANSWER: dict[str, Any] = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1,
    "model": "gpt-4.1-nano",
    "choices": [
        {
            "index": 0,
            "finish_reason": "stop",
            "message": {"role": "assistant", "content": "mocked"},
        }
    ],
    "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15},
}


def _mocked(shop: Shop) -> tuple[farthing.Guard, Any]:
    guard = shop.guard(DAY, hosts={"mocked.example": {"provider": "openai"}})
    return guard, guard.wrap(shop.client(base_url=MOCKED, http_client=httpx.Client()))


def _settled_and_then_refused(guard: farthing.Guard, client: Any) -> None:
    assert client.chat.completions.create(**CHEAP).choices[0].message.content == "mocked"
    (row,) = guard.ledger()
    assert (row.how, row.quantities["output_tokens"]) == ("usage", 5)
    guard.set_limit("day", "0 USD")
    with pytest.raises(farthing.CapExceeded):
        client.chat.completions.create(**CHEAP)


def test_respx(shop: Shop) -> None:
    respx = pytest.importorskip("respx")
    guard, client = _mocked(shop)
    with respx.mock as mock:
        route = mock.post(f"{MOCKED}/chat/completions").mock(
            return_value=httpx.Response(200, json=ANSWER)
        )
        _settled_and_then_refused(guard, client)
        assert route.call_count == 1, "a refusal reaches no mock"


def test_pytest_httpx(shop: Shop, request: pytest.FixtureRequest) -> None:
    pytest.importorskip("pytest_httpx")
    mock = request.getfixturevalue("httpx_mock")
    mock.add_response(url=f"{MOCKED}/chat/completions", json=ANSWER)
    guard, client = _mocked(shop)
    _settled_and_then_refused(guard, client)
    assert len(mock.get_requests()) == 1


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
def test_vcr(shop: Shop, tmp_path: Path, stream: bool) -> None:
    """Recorded from the provider, then replayed without it: both are settled alike."""
    vcr = pytest.importorskip("vcr")
    guard = shop.guard(DAY)
    client = guard.wrap(shop.client())
    ask = STREAM if stream else CHEAP
    said = []
    for _ in range(2):
        with vcr.use_cassette(str(tmp_path / "calls.yaml"), record_mode="once"):
            reply = client.chat.completions.create(**ask)
            said.append([part.choices for part in (reply if stream else [reply])])
    assert said[0] == said[1]
    assert shop.requests() == 1
    assert [row.how for row in guard.ledger()] == ["usage", "usage"]
    assert booked(guard) == 2 * billed(shop.provider) == counted(guard, "day")[0]


def test_opentelemetry_traces_what_is_sent(shop: Shop) -> None:
    traces = pytest.importorskip("opentelemetry.sdk.trace")
    export = pytest.importorskip("opentelemetry.sdk.trace.export")
    memory = pytest.importorskip("opentelemetry.sdk.trace.export.in_memory_span_exporter")
    instruments = pytest.importorskip("opentelemetry.instrumentation.httpx")
    stack = sdk_family()
    name = "HTTPX2ClientInstrumentor" if stack.__name__ == "httpx2" else "HTTPXClientInstrumentor"
    spans = memory.InMemorySpanExporter()
    tracing = traces.TracerProvider()
    tracing.add_span_processor(export.SimpleSpanProcessor(spans))
    guard = shop.guard(DAY)
    client = guard.wrap(shop.client(http_client=stack.Client()))
    instrumentor = getattr(instruments, name)()
    instrumentor.instrument(tracer_provider=tracing)
    try:
        client.chat.completions.create(**CHEAP)
        assert list(client.chat.completions.create(**STREAM))
        other = guard.wrap(shop.client(http_client=stack.Client()))  # made while it is on
        other.chat.completions.create(**CHEAP)
        guard.set_limit("day", "0 USD")
        with pytest.raises(farthing.CapExceeded):
            client.chat.completions.create(**CHEAP)
    finally:
        instrumentor.uninstrument()
    sent = shop.provider.requests()
    assert len(sent) == 3 == len(list(guard.ledger()))
    assert "traceparent" in sent[-1]["headers"]
    finished = [span for span in spans.get_finished_spans() if span.name == "POST"]
    assert finished and len(finished) <= 3, "a refusal is no request"
    assert counted(guard, "day") == (billed(shop.provider), 0)


SENTRY = """
import json, sys, warnings
import openai, sentry_sdk
from sentry_sdk.integrations.openai import OpenAIIntegration
import farthing

warnings.simplefilter("error")
url, host, order = sys.argv[1:]
stack = sys.modules["httpx2" if openai.__version__ >= "3" else "httpx"]
if stack.__name__ == "httpx2":
    from sentry_sdk.integrations.httpx2 import Httpx2Integration as Http
else:
    from sentry_sdk.integrations.httpx import HttpxIntegration as Http
sent = []

class Kept(sentry_sdk.transport.Transport):
    def capture_envelope(self, envelope):
        sent.extend(item.payload.json for item in envelope.items)

def begin():
    sentry_sdk.init(dsn="http://key@localhost/1", transport=Kept, traces_sample_rate=1.0,
                    default_integrations=False, auto_enabling_integrations=False,
                    integrations=[Http(), OpenAIIntegration()])

bare = stack.Client.send
guard = farthing.Guard(caps=[farthing.Cap("5 USD", per="day", id="day")], store="memory:",
                       hosts={host: {"provider": "openai"}})
if order == "before":
    begin()
client = guard.wrap(openai.OpenAI(base_url=url, api_key="sk-test-0001", max_retries=0))
guard.install()
if order == "after":
    begin()
ask = dict(model="gpt-4.1-nano", max_tokens=64, messages=[{"role": "user", "content": "hello there"}])
refused = None
with sentry_sdk.start_transaction(name="work"):
    client.chat.completions.create(**ask)
    chunks = list(client.chat.completions.create(**ask, stream=True))
    guard.set_limit("day", "0 USD")
    try:
        client.chat.completions.create(**ask)
    except farthing.CapExceeded as error:
        refused = error.code
guard.uninstall()
client.close()
spans = [span["op"] for event in sent if event and event.get("type") == "transaction" for span in event["spans"]]
print(json.dumps({"refused": refused, "chunks": len(chunks), "usage_shown": any(c.usage for c in chunks),
                  "how": [row.how for row in guard.ledger()], "usd": str(sum(row.actual_usd for row in guard.ledger())),
                  "http_spans": spans.count("http.client")}))
"""


@pytest.mark.parametrize("order", ["before", "after"])
def test_sentry(shop: Shop, order: str) -> None:
    """It wraps `send` as we do, and the SDK's `create` above it; whoever comes first.

    In a process of its own: it never takes its wrappers back.
    """
    pytest.importorskip("sentry_sdk.integrations.httpx2")
    done = subprocess.run(
        [sys.executable, "-c", SENTRY, shop.provider.url, shop.host, order],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")
    said = json.loads(done.stdout)
    assert (said["refused"], said["how"]) == ("cap_exceeded", ["usage", "usage"])
    assert said["chunks"] > 2 and not said["usage_shown"]
    assert Decimal(said["usd"]) == billed(shop.provider)
    assert shop.requests() == 2
    assert said["http_spans"] >= 2
