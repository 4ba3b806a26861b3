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


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """Make a sandbox with one account."""
    with Sandbox(accounts=1, meetings=ROWS) as made:
        yield made


@pytest.fixture
async def wired(sandbox: Sandbox) -> AsyncIterator[PyasClient]:
    """Make a client of the sandbox over a socket."""
    with sandbox.serve() as url:
        async with clients.make(sandbox.api_key, base_url=url, account_id=sandbox.account_ids[0], retry=None) as made:
            yield made
