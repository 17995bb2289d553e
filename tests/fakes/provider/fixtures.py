"""Pytest fixtures: one provider for the session, as new for each test.

In a conftest.py, with the checkout on the path (`pythonpath` in pyproject.toml):

    from tests.fakes.provider.fixtures import provider, provider_process  # noqa: F401
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from .handle import FakeProvider, start

RECORDED = Path(__file__).resolve().parents[2] / "recorded"


@pytest.fixture(scope="session")
def provider_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FakeProvider]:
    """The running provider, with all recordings loaded; its log is `provider_process.log_path`."""
    log = tmp_path_factory.mktemp("provider") / "bills.jsonl"
    with start(log=log, recorded=sorted(RECORDED.glob("*.jsonl.gz"))) as running:
        yield running


@pytest.fixture
def provider(provider_process: FakeProvider) -> FakeProvider:
    """The provider with an empty script, an empty log and no counts."""
    provider_process.reset()
    return provider_process
