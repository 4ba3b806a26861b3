"""Calls through a proxy's tunnel, cancelled at each of their suspension points: no connection is lost."""

from __future__ import annotations

import ssl
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from cancel.sweep import How, Tally, nothing_said, strike, tasks
from clients import LIBRARIES
from environments.proxies import Proxy, proxy
from runtime.trust import AUTHORITY, served, trusted
from runtime.whole import check_whole
from runtime.wires import NEW, client_of, found, wire

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from pyas_async import PyasClient
    from runtime.wires import Wire

MOST = {"own": 30, "httpx": 5, "httpx2": 5}
"""Points that are struck where not all of them are: of our own pool all, those that would lose a tunnel among them."""
every_way = pytest.mark.parametrize("way", LIBRARIES)


@pytest.fixture(scope="module")
def service() -> Iterator[Wire]:
    """Serve https on a socket."""
    with wire(found, served()) as server:
        yield server


@pytest.fixture
def between(tmp_path: Path) -> Iterator[Proxy]:
    """Run a proxy that the environment names, as it names who vouches for the service."""
    with proxy() as made, trusted(tmp_path) as environment:
        environment.setenv("HTTPS_PROXY", made.url)
        yield made


@asynccontextmanager
async def client_through(way: str, service: Wire, between: Proxy) -> AsyncIterator[PyasClient]:
    """Open a client with one connection, which is a tunnel."""
    library: Any = LIBRARIES[way]
    if library is None:
        async with client_of(service.url, way=way, max_connections=1) as client:
            yield client
        return
    context = ssl.create_default_context()
    AUTHORITY.configure_trust(context)
    limits = library.Limits(max_connections=1)
    async with (
        library.AsyncClient(limits=limits, verify=context, proxy=between.url) as http,
        client_of(service.url, http_client=http) as client,
    ):
        yield client


async def sweep(tally: Tally, service: Wire, between: Proxy, way: str, how: How, backend: str) -> None:
    """Strike a create at its points, each time with a client of its own."""
    with nothing_said():
        for point in tally.points(MOST[way]):
            async with client_through(way, service, between) as client:
                before = tasks()
                tally.note(await strike(partial(client.meetings.create, NEW), how, backend, point))
                assert before == tasks()
                await check_whole(client)
    assert tally.cancelled


@pytest.mark.asyncio
@every_way
async def test_task_cancel(service: Wire, between: Proxy, way: str, tally: Tally) -> None:
    """`task.cancel()` takes no tunnel out of use."""
    await sweep(tally, service, between, way, "task.cancel()", "asyncio")


@pytest.mark.anyio
@every_way
async def test_scope(service: Wire, between: Proxy, way: str, anyio_backend: str, tally: Tally) -> None:
    """Neither does a scope, on asyncio and trio."""
    await sweep(tally, service, between, way, "scope", anyio_backend)
