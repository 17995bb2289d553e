"""`install` and `uninstall`: the whole process, also what is imported later; and everything as it was after it."""

from __future__ import annotations

import functools
import gc
import subprocess
import sys
import textwrap
from typing import Any
from unittest.mock import Mock

import pytest

import farthing

from .conftest import CHEAP, Shop, sdk_family

DAY = farthing.Cap("5 USD", per="day", id="day")


def test_close_uninstalls(shop: Shop) -> None:
    gc.collect()
    with shop.guard(DAY) as guard:
        guard.install()  # and takes out with its own what clients before this test have left
    before = sdk_family().Client.send
    with shop.guard(DAY) as guard:
        guard.install()
    assert sdk_family().Client.send is before


def test_clients_made_before_and_after(shop: Shop) -> None:
    early = shop.client()
    guard = shop.guard(DAY)
    guard.install(org="acme")
    early.chat.completions.create(**CHEAP)
    shop.client().chat.completions.create(**CHEAP)
    guard.uninstall()
    early.chat.completions.create(**CHEAP)
    assert [row.labels.get("org") for row in guard.ledger()] == ["acme"] * 2


def test_wrap_beats_install(shop: Shop) -> None:
    guard = shop.guard(DAY)
    guard.install(project="everything")
    client = guard.wrap(shop.client(), project="mine")
    client.chat.completions.create(**CHEAP)
    (row,) = guard.ledger()
    assert row.labels["project"] == "mine"


def test_install_leaves_other_hosts_alone(shop: Shop) -> None:
    """R31: known hosts, [[host]], and dialect paths whose body has a model; nothing else."""
    guard = shop.guard(DAY, hosts={})
    guard.install()
    stack = sdk_family()
    with stack.Client() as http:
        answer = http.post(f"http://{shop.host}/anything", json={"hello": 1})
        assert answer.status_code == 404 and "x-farthing-attempt" not in answer.headers
    with pytest.raises(farthing.Unpriced, match=r"\[\[host\]\]"):
        shop.client().chat.completions.create(**CHEAP)


def test_wrap_guards_every_post(shop: Shop) -> None:
    stack = sdk_family()
    with stack.Client() as http:
        shop.guard(DAY).wrap(http)
        answer = http.post(f"{shop.provider.url}/anything", json={"hello": 1})
        assert answer.status_code == 402
        assert answer.json()["error"]["code"] == "unknown_endpoint"


def _run(program: str, shop: Shop, *options: str) -> str:
    code = (
        textwrap.dedent(program)
        .replace("URL", repr(shop.provider.url))
        .replace("HOST", repr(shop.host))
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", *options, "-c", code],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


BEGIN = """
import sys
import farthing
assert not {"httpx", "httpx2", "openai"} & set(sys.modules), "we import none of them"
guard = farthing.Guard(caps=[farthing.Cap("0 USD", per="day")], store="memory:",
                       hosts={HOST: {"provider": "openai"}})
guard.install()
BODY = {"model": "gpt-4.1-nano", "max_tokens": 1, "messages": []}
"""
ASK = """
def ask(client):
    try:
        client.chat.completions.create(model="gpt-4.1-nano", max_tokens=16, messages=[{"role": "user", "content": "x"}])
    except farthing.CapExceeded as error:
        print(type(error).__name__, isinstance(error, openai.APIStatusError))
"""


def test_installed_before_anything_is_imported(shop: Shop) -> None:
    out = _run(
        BEGIN
        + """
import openai, importlib.util
client = openai.OpenAI(base_url=URL, api_key="sk-x")
"""
        + ASK
        + """
ask(client)
module = sys.modules[type(client._client).__mro__[-3].__module__.split(".")[0]]
print(type(module.__spec__.loader).__name__, type(module.__loader__).__name__)
import httpx, httpx2
for stack in (httpx, httpx2):
    with stack.Client() as http:
        print(http.post(URL + "/chat/completions", json=BODY).status_code)
""",
        shop,
    )
    assert out.split() == [
        "CapExceeded",
        "True",
        "SourceFileLoader",
        "SourceFileLoader",
        "402",
        "402",
    ]
    assert shop.requests() == 0


def test_alias_httpx_makes_them_one(shop: Shop) -> None:
    """httpx2.alias_httpx(): two names of one class are hooked once."""
    out = _run(
        BEGIN
        + """
import httpx2
httpx2.alias_httpx()
import httpx
assert httpx.Client is httpx2.Client
with httpx.Client() as http:
    print(http.post(URL + "/chat/completions", json=BODY).status_code)
print(len(guard.denials()))
guard.uninstall()
print(httpx.Client.send.__code__.co_filename.endswith("_client.py"))
""",
        shop,
    )
    assert out.split() == ["402", "1", "True"]


def test_threads_that_import_at_the_same_time(shop: Shop) -> None:
    out = _run(
        BEGIN
        + """
import threading
def load(): import openai
threads = [threading.Thread(target=load) for _ in range(4)]
[t.start() for t in threads]; [t.join() for t in threads]
import openai
"""
        + ASK
        + """
ask(openai.OpenAI(base_url=URL, api_key="sk-x"))
""",
        shop,
    )
    assert out.split() == ["CapExceeded", "True"]


def _traced(inner: Any) -> Any:
    @functools.wraps(inner)
    def send(self: Any, request: Any, **kwargs: Any) -> Any:
        return inner(self, request, **kwargs)

    return send


def test_a_tracer_that_is_taken_off_late_leaves_nothing(shop: Shop) -> None:
    """Ours cannot be taken out while the tracer lies over it; the next `install` finds it there."""
    out = _run(
        """
import functools
import farthing, httpx2

def traced(inner):
    @functools.wraps(inner)
    def send(self, request, **kwargs):
        return inner(self, request, **kwargs)
    return send

cls, before = httpx2.Client, httpx2.Client.send
guard = farthing.Guard(caps=[farthing.Cap("5 USD", per="day")], store="memory:")
for _ in range(3):
    guard.install()
    assert cls.send.__wrapped__ is before
    cls.send = traced(cls.send)
    guard.uninstall()
    cls.send = cls.send.__wrapped__
guard.install()
guard.uninstall()
print(cls.send is before)
""",
        shop,
    )
    assert out.strip() == "True"


def test_hooks_that_lie_under_tracers_hold_once(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    cls, guard = sdk_family().Client, shop.guard(DAY)
    monkeypatch.setattr(cls, "send", cls.send)  # put back at the end
    for _ in range(3):
        guard.install()
        cls.send = _traced(cls.send)
        guard.uninstall()
    guard.install()
    shop.client().chat.completions.create(**CHEAP)
    guard.uninstall()
    assert len(list(guard.ledger())) == 1


def test_a_mock_in_place_of_send_is_called_as_without_a_guard(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack, guard = sdk_family(), shop.guard(DAY)
    url = f"http://{shop.host}/v1/chat/completions"
    request = stack.Request("POST", url, json=CHEAP)
    answer = stack.Response(200, json={"object": "chat.completion", "choices": []}, request=request)
    mock = Mock(return_value=answer)
    monkeypatch.setattr(stack.Client, "send", mock)
    guard.install()
    with stack.Client() as http:
        assert http.send(request) is answer
    guard.uninstall()
    mock.assert_called_once_with(request)
    assert stack.Client.send is mock


def test_restores_exactly(shop: Shop) -> None:
    out = _run(
        """
import sys
import farthing, httpx, httpx2, openai
from openai import _resource
from openai.resources.realtime import Realtime
base = openai._base_client
classes = [httpx.Client, httpx.AsyncClient, httpx2.Client, httpx2.AsyncClient, base.BaseClient, base.SyncAPIClient,
           base.AsyncAPIClient, _resource.SyncAPIResource, _resource.AsyncAPIResource, Realtime]
before, finders = [dict(vars(cls)) for cls in classes], list(sys.meta_path)
guard = farthing.Guard(caps=[farthing.Cap("5 USD", per="day")], store="memory:")
guard.install()
changed = [dict(vars(cls)) != was for cls, was in zip(classes, before)]
guard.uninstall()
print(changed, [dict(vars(cls)) for cls in classes] == before, sys.meta_path == finders)
""",
        shop,
    )
    assert out.strip() == f"{[True] * 10} True True"
