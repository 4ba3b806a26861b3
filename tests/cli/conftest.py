"""The command in this process, and a sandbox that it calls over a socket."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest

import inside
from cli.tools import Pyas
from pyas_async import PyasClient, RetryPolicy
from pyas_async.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[Sandbox, str]]:
    """Serve three accounts to the tests of a module, which share them."""
    with Sandbox(accounts=3, meetings=400) as sandbox, sandbox.serve() as url:
        yield sandbox, url


@pytest.fixture
def sandbox(served: tuple[Sandbox, str], monkeypatch: pytest.MonkeyPatch) -> Sandbox:
    """Have the command's settings in the environment, and give the sandbox that they lead to."""
    sandbox, url = served
    sandbox.requests.clear()
    monkeypatch.setenv("PYAS_BASE_URL", url)
    monkeypatch.setenv("PYAS_API_KEY", sandbox.api_key)
    monkeypatch.setenv("PYAS_ACCOUNT_ID", sandbox.account_ids[0])
    return sandbox


@pytest.fixture
def pyas(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Pyas:
    """Call the command; its client retries without a pause."""
    swift = RetryPolicy(base=0.0, cap=0.0)
    monkeypatch.setenv("COLUMNS", "120")  # whether and how wide a terminal stands behind the tests is left to chance
    monkeypatch.setattr(inside.CLI_CLIENT, partial(PyasClient, retry=swift))
    return Pyas(capsys, monkeypatch)
