"""Clients for the tests of prefetching: over a service in process, and over a socket."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

import clients
from prefetch.tools import (
    ROWS,
    Service,
)
from pyas_async import (
    PyasClient,
)
from pyas_async.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator


@pytest.fixture
def service() -> Service:
    """Make a service in process."""
    return Service()


@pytest.fixture
async def client(service: Service) -> AsyncIterator[PyasClient]:
    """Make a client of the service in process, whose transport does not report when a request is on the wire."""
    async with (
        httpx.AsyncClient(transport=httpx.MockTransport(service)) as http,
        PyasClient("key", base_url="http://localhost", http_client=http, account_id="a", retry=None) as made,
    ):
        yield made


@pytest.fixture(scope="module")
def _served() -> Iterator[tuple[Sandbox, str]]:
    # A server that stops waits for the requests in flight, and those that hang are many: it stops once for all of them.
    with Sandbox(accounts=1, meetings=ROWS) as made, made.serve() as url:
        yield made, url


@pytest.fixture
def sandbox(_served: tuple[Sandbox, str]) -> Sandbox:
    """Give a sandbox with one account, as if it were new."""
    made, _ = _served
    made.on_request, made.latency = None, 0.0
    made.requests.clear()
    return made


@pytest.fixture
def url(_served: tuple[Sandbox, str]) -> str:
    """Tell where the sandbox listens."""
    return _served[1]


@pytest.fixture
async def wired(sandbox: Sandbox, url: str) -> AsyncIterator[PyasClient]:
    """Give a client of the sandbox over a socket."""
    async with clients.make(sandbox.api_key, base_url=url, account_id=sandbox.account_ids[0], retry=None) as made:
        yield made
