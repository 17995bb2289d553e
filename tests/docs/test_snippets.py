"""Every snippet of README.md and docs/ is run, in the order of its page, against the fake provider.

```python   run, in one namespace for each page; `await` may stand at the top
```toml     a policy: written to farthing.toml for the snippets after it, and opened if it has caps or hosts
sh          `farthing` lines are run where the snippets before them ran; of `make` lines the target must exist
others      not accepted

`OpenAI()` and its relatives, `Anthropic()` and `genai.Client()` need no arguments here: what goes to their hosts
reaches the fake provider, below the hooks, so a guard sees the real host. A new page needs nothing: it is found.
"""

from __future__ import annotations

import ast
import asyncio
import gc
import inspect
import re
import shlex
import subprocess
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import httpx2
import pytest

import farthing
from tests.fakes.provider.fixtures import provider, provider_process
from tests.fakes.provider.handle import FakeProvider

__all__ = ["provider", "provider_process"]

ROOT = Path(__file__).resolve().parents[2]
COMMAND = ROOT / "build/dev/cli/farthing"
FENCE = re.compile(r"^```(\w+)[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)


FAKED = ("api.openai.com", "api.anthropic.com", "generativelanguage.googleapis.com")


class Snippet(NamedTuple):
    language: str
    text: str
    line: int


def pages() -> list[Path]:
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def snippets(page: Path) -> Iterator[Snippet]:
    text = page.read_text()
    for found in FENCE.finditer(text):
        yield Snippet(found[1], found[2], text.count("\n", 0, found.start(2)) + 1)


@pytest.fixture
def rerouted(provider: FakeProvider, monkeypatch: pytest.MonkeyPatch) -> FakeProvider:
    """The hosts of the SDKs are the fake provider, for every HTTP stack."""
    for stack in (httpx, httpx2):
        sync = stack.HTTPTransport.handle_request
        asynchronous = stack.AsyncHTTPTransport.handle_async_request

        def there(request: Any, stack: Any = stack) -> Any:
            if request.url.host not in FAKED:
                return request
            url = request.url.copy_with(scheme="http", host="127.0.0.1", port=provider.port)
            return stack.Request(
                request.method,
                url,
                headers=request.headers,
                stream=request.stream,
                extensions=request.extensions,
            )

        def handle(self: Any, request: Any, inner: Any = sync, there: Any = there) -> Any:
            return inner(self, there(request))

        async def ahandle(
            self: Any, request: Any, inner: Any = asynchronous, there: Any = there
        ) -> Any:
            return await inner(self, there(request))

        monkeypatch.setattr(stack.HTTPTransport, "handle_request", handle)
        monkeypatch.setattr(stack.AsyncHTTPTransport, "handle_async_request", ahandle)
    return provider


@pytest.mark.parametrize(
    "page", [p for p in pages() if p.exists()], ids=lambda p: str(p.relative_to(ROOT))
)
def test_page(
    page: Path, rerouted: FakeProvider, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY"):
        monkeypatch.setenv(name, "sk-test-0001")
    monkeypatch.delenv("FARTHING_STORE", raising=False)
    for name in ("CONTENT_BOT_KEY", "WEBHOOK_SECRET", "APP_ENV", "FARTHING_KEY_SECRET"):
        monkeypatch.setenv(name, "not-a-real-one-0001")
    (tmp_path / "pyproject.toml").touch()  # a project of its own: the default store belongs to it
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # a snippet need not close its client
        asyncio.run(_run(page, list(snippets(page))))
        gc.collect()  # here, not in a test after it


async def _run(page: Path, found: list[Snippet]) -> None:
    namespace: dict[str, Any] = {"__name__": "snippet"}
    try:
        for language, text, line in found:
            if language == "toml":
                _policy(text, page, line)
            elif language == "sh":
                _commands(text, page, line)
            else:
                assert language == "python", f"{page.name}:{line}: nobody runs {language}"
                # Line numbers of errors are the page's.
                code = compile(
                    "\n" * (line - 1) + text,
                    str(page),
                    "exec",
                    flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT,
                    dont_inherit=True,
                )
                if code.co_flags & inspect.CO_COROUTINE:
                    await eval(code, namespace)
                else:
                    exec(code, namespace)
    finally:
        for guard in [value for value in namespace.values() if isinstance(value, farthing.Guard)]:
            guard.close()


def _policy(text: str, page: Path, line: int) -> None:
    Path("farthing.toml").write_text(text)
    try:
        farthing.Guard("farthing.toml", store="memory:").close()
    except farthing.PolicyError as error:
        raise AssertionError(f"{page.name}:{line}: {error}") from None


def _commands(text: str, page: Path, line: int) -> None:
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    for command in text.splitlines():
        program, *arguments = shlex.split(command, comments=True) or [""]
        if program == "make":
            assert set(arguments) <= set(targets), f"{page.name}:{line}: {command}"
        elif program:
            assert program == "farthing", f"{page.name}:{line}: nobody runs {command}"
            done = subprocess.run([COMMAND, *arguments], capture_output=True, text=True, timeout=60)
            assert done.returncode == 0, f"{page.name}:{line}: {command}: {done.stderr}"


def test_pages_have_snippets() -> None:
    assert (
        sum(s.language == "python" for page in pages() if page.exists() for s in snippets(page))
        > 10
    )
