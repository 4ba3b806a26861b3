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
    """Serve three accounts, which all tests of a module share."""
    with Sandbox(accounts=3, meetings=400) as sandbox, sandbox.serve() as url:
        yield sandbox, url


@pytest.fixture
def sandbox(served: tuple[Sandbox, str], monkeypatch: pytest.MonkeyPatch) -> Sandbox:
    """Set the command's environment variables, and return the sandbox to which they lead."""
    sandbox, url = served
    sandbox.requests.clear()
    monkeypatch.setenv("PYAS_BASE_URL", url)
    monkeypatch.setenv("PYAS_API_KEY", sandbox.api_key)
    monkeypatch.setenv("PYAS_ACCOUNT_ID", sandbox.account_ids[0])
    return sandbox


@pytest.fixture
def pyas(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Pyas:
    """Return a function that calls the command; its client retries without a pause."""
    swift = RetryPolicy(base=0.0, cap=0.0)
    monkeypatch.setenv("COLUMNS", "120")  # independent of the terminal in which the tests run
    monkeypatch.setattr(inside.CLI_CLIENT, partial(PyasClient, retry=swift))
    return Pyas(capsys, monkeypatch)
