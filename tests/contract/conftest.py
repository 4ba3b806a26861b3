"""Sandboxes on real sockets, made once for all tests that only read from them."""

from __future__ import annotations

import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from contract.tools import KEY
from pyas_async.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture(scope="session")
def _worlds() -> Iterator[Callable[[int], tuple[Sandbox, str]]]:
    made: dict[int, tuple[Sandbox, str]] = {}
    with ExitStack() as stack:

        def world(meetings: int) -> tuple[Sandbox, str]:
            if meetings not in made:
                sandbox = stack.enter_context(Sandbox(accounts=1, meetings=meetings, api_key=KEY))
                made[meetings] = sandbox, stack.enter_context(sandbox.serve())
            return made[meetings]

        yield world


@pytest.fixture
def world(_worlds: Callable[[int], tuple[Sandbox, str]]) -> Callable[[int], tuple[Sandbox, str]]:
    """Return a function that serves an account with this many rows on a socket: the sandbox, reset, and its address."""

    def fresh(meetings: int) -> tuple[Sandbox, str]:
        sandbox, url = _worlds(meetings)
        sandbox.on_request = None
        sandbox.requests.clear()
        sandbox.token_ttl, sandbox.clock = 900.0, time.time
        sandbox.max_page_size, sandbox.oversize = 300, "clamp"
        sandbox.expired_answer = "zoom_400"
        return sandbox, url

    return fresh


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """Make a sandbox for one test that changes it: one account of 100 rows."""
    with Sandbox(accounts=1, meetings=100, api_key=KEY) as made:
        yield made
