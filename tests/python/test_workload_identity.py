"""openai's workload identities: tokens for a certificate (X.509; each request goes through a client made for it) and
for what another provider of identities tells. A token is no call; a call is held and settled as any (R32)."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from typing import Any

import openai
import pytest

import farthing
from farthing._farthing import PASS, Attempt

from .conftest import CHEAP, sdk_family
from .test_copies import CHAT, NOTHING

x509: Any = pytest.importorskip("openai.auth._x509")

DAY = farthing.Cap("5 USD", per="day", id="day")
X509 = {"type": "x509", "identity_provider_id": "idp", "service_account_id": "sa"}
TOLD = {
    "client_id": "c",
    "identity_provider_id": "idp",
    "service_account_id": "sa",
    "provider": {"token_type": "jwt", "get_token": lambda: "subject"},
}
API, LOGIN = "mtls.api.openai.com", "mtls.auth.openai.com"
REFUSED = {"error": {"message": "expired", "type": "invalid_request_error", "code": "token"}}
WAYS = pytest.mark.parametrize("way", ["sync", "async"])


class Wire:
    """Answers for the provider and for the host of tokens, and notes who was asked."""

    def __init__(self, way: str) -> None:
        self.way = way
        self.seen: list[str] = []
        self.refusals = 0
        """How many calls are answered with 401 first."""

    def http(self, way: str = "") -> Any:
        stack = sdk_family()

        def handle(request: Any) -> Any:
            self.seen.append(request.url.host)
            if request.url.path == "/oauth/token":
                token = {"access_token": f"t{len(self.seen)}", "token_type": "Bearer"}
                kind = "urn:ietf:params:oauth:token-type:access_token"
                return stack.Response(
                    200, json={**token, "issued_token_type": kind, "expires_in": 3600}
                )
            if self.refusals:
                self.refusals -= 1
                return stack.Response(401, json=REFUSED)
            return stack.Response(200, json=CHAT)

        kind = stack.AsyncClient if (way or self.way) == "async" else stack.Client
        return kind(transport=stack.MockTransport(handle))

    def client(self, **more: Any) -> Any:
        kind: Any = openai.AsyncOpenAI if self.way == "async" else openai.OpenAI
        return kind(**{"http_client": self.http(), "max_retries": 2, **more})

    def calls(self) -> int:
        return len(self.seen) - sum("auth." in host for host in self.seen)

    def ask(self, client: Any, **more: Any) -> Any:
        create = client.chat.completions.create
        if self.way == "sync":
            return create(**CHEAP, **more)

        async def main() -> Any:
            return await create(**CHEAP, **more)

        return asyncio.run(main())


def _memory(*caps: farthing.Cap) -> farthing.Guard:
    return farthing.Guard(caps=caps, store="memory:", held_wait="0s")


@WAYS
@pytest.mark.parametrize("by", ["wrap", "install", "both", "copy", "own copy", "http client"])
def test_a_client_with_a_certificate_is_held(way: str, by: str, decisions: list[Attempt]) -> None:
    wire, guard = Wire(way), _memory(NOTHING)
    client = wire.client(workload_identity=X509)
    if by in ("wrap", "both", "own copy"):
        guard.wrap(client)
    if by in ("install", "both"):
        guard.install()
    if by == "copy":
        client = guard.wrap(wire.client(api_key="k")).with_options(workload_identity=X509)
    elif by == "own copy":
        client = client.copy(http_client=wire.http())
    elif by == "http client":
        client = wire.client(workload_identity=X509, http_client=guard.wrap(wire.http()))
    try:
        for more in ({}, {"stream": True}):
            decisions.clear()
            with pytest.raises(farthing.CapExceeded) as caught:
                wire.ask(client, **more)
            assert isinstance(caught.value, openai.APIStatusError)
            assert len([one for one in decisions if one.kind != PASS]) == 1  # the token passes
    finally:
        guard.uninstall()
    assert set(wire.seen) <= {LOGIN} and wire.calls() == 0


@WAYS
def test_a_call_with_a_certificate_is_settled_under_its_labels(way: str) -> None:
    """Also where the process is guarded: a client's own `wrap` comes before it. The token is no call."""
    wire, guard = Wire(way), _memory(DAY)
    client = guard.wrap(wire.client(workload_identity=X509), project="web")
    guard.install(project="other")
    try:
        wire.ask(client)
    finally:
        guard.uninstall()
    assert wire.seen == [LOGIN, API]
    rows = list(guard.ledger())
    assert [(row.how, row.labels["project"]) for row in rows] == [("usage", "web")]
    assert {row.host for row in rows} == {API}


def _one_hold(wire: Wire, client: Any, guard: farthing.Guard) -> None:
    """A call whose token is refused once, under a cap that has room for one hold."""
    wire.refusals = 1
    wire.ask(client)
    assert wire.calls() == 2
    first, second = sorted(guard.ledger(), key=lambda row: row.attempt_number)
    assert [first.how, second.how] == ["provider_error", "usage"]
    assert first.call == second.call
    (counter,) = guard.status().counters
    assert (counter.cap.spent, counter.cap.reserved) == (second.actual_usd, 0)


def _room_for_one() -> farthing.Guard:
    with _memory(DAY) as pricing:
        hold = pricing.estimate("chat.completions", **CHEAP).hold_usd
    assert hold is not None
    return _memory(farthing.Cap(f"{hold:f} USD", per="day", id="day"))


@WAYS
def test_a_certificates_token_that_is_renewed_is_one_hold(way: str) -> None:
    wire, guard = Wire(way), _room_for_one()
    _one_hold(wire, guard.wrap(wire.client(workload_identity=X509, max_retries=0)), guard)
    assert wire.seen == [LOGIN, API, LOGIN, API]


@WAYS
def test_a_token_that_is_renewed_is_one_hold(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    wire, guard = Wire(way), _room_for_one()
    monkeypatch.setattr("openai.auth._workload.DefaultHttpx2Client", lambda **_: wire.http("sync"))
    _one_hold(wire, guard.wrap(wire.client(workload_identity=TOLD, max_retries=0)), guard)
    assert wire.seen == ["auth.openai.com", "api.openai.com"] * 2


@WAYS
def test_a_way_of_sending_that_is_not_known_is_refused(
    way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A version that sends otherwise: nothing would be held, so neither the client is taken nor a copy made."""
    wire, guard = Wire(way), _memory(NOTHING)
    kind = "AsyncX509WorkloadIdentityAuth" if way == "async" else "SyncX509WorkloadIdentityAuth"
    monkeypatch.setattr(getattr(x509, kind), "send_api_request", lambda *_, **__: None)
    client = wire.client(workload_identity=X509)
    with pytest.raises(farthing.ArgumentError, match=r"guard\.install\(\)") as caught:
        guard.wrap(client)
    assert caught.value.code == "invalid_argument"
    plain = guard.wrap(wire.client(api_key="k"))
    with pytest.raises(farthing.ArgumentError, match="certificate"):
        plain.with_options(workload_identity=X509)
    with pytest.raises(farthing.CapExceeded):
        wire.ask(plain)
    assert wire.seen == []


def test_an_http_client_that_is_bound_before_the_sdk_is_imported_is_held() -> None:
    script = """
import sys
import httpx2
import farthing

seen = []

def handle(request):
    seen.append(request.url.host)
    kind = "urn:ietf:params:oauth:token-type:access_token"
    token = {"access_token": "t", "token_type": "Bearer", "issued_token_type": kind, "expires_in": 3600}
    return httpx2.Response(200, json=token if request.url.path == "/oauth/token" else {})

guard = farthing.Guard(caps=[farthing.Cap("0 USD", per="day")], store="memory:")
http = guard.wrap(httpx2.Client(transport=httpx2.MockTransport(handle)))
assert "openai" not in sys.modules
import openai

identity = {"type": "x509", "identity_provider_id": "idp", "service_account_id": "sa"}
client = openai.OpenAI(workload_identity=identity, http_client=http, max_retries=0)
try:
    client.chat.completions.create(model="gpt-5", messages=[{"role": "user", "content": "hi"}])
except openai.APIStatusError as error:
    assert error.status_code == 402, error
else:
    raise AssertionError("sent")
assert not [host for host in seen if "auth" not in host], seen
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
