"""A small sandbox on a manual clock, and a client for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pyas_async.sandbox import Sandbox
from sandbox.tools import Clock, client_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    import httpx


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    """Run what is about the service's answers on one event loop: the application knows of none.

    What carries requests to it, and what serves it, is tested on both: those modules ask for both.
    """
    return "asyncio"


@pytest.fixture
def clock() -> Clock:
    """Return a clock that only the test moves."""
    return Clock()


@pytest.fixture
def sandbox(clock: Clock) -> Iterator[Sandbox]:
    """Make two accounts of 100 rows."""
    with Sandbox(accounts=2, meetings=100, clock=clock) as made:
        yield made


@pytest.fixture
def account(sandbox: Sandbox) -> str:
    """Return the first account."""
    return sandbox.account_ids[0]


@pytest.fixture
async def client(sandbox: Sandbox) -> AsyncIterator[httpx.AsyncClient]:
    """Open a client with the right key."""
    async with client_of(sandbox) as opened:
        yield opened
