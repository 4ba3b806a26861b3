"""Calls through a proxy's tunnel, cancelled at each of their suspension points, lose no connection."""

from __future__ import annotations

import ssl
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from cancel.sweep import How, Tally, cancel_at, nothing_said, tasks
from clients import LIBRARIES
from environments.proxies import Proxy, proxy, socks_proxy
from runtime.calls import check_usable
from runtime.socket_server import NEW, client_of, found, wire
from runtime.trust import AUTHORITY, served, trusted

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from pyas_async import PyasClient
    from runtime.socket_server import Wire

MOST = {"own": 30, "httpx": 5, "httpx2": 5}
"""Points that are tried in the ordinary suite: of our own pool all, including those that could lose a tunnel."""
every_way = pytest.mark.parametrize("way", LIBRARIES)


@pytest.fixture(scope="module")
def service() -> Iterator[Wire]:
    """Serve https on a socket."""
    with wire(found, served()) as server:
        yield server


@pytest.fixture(params=[proxy, socks_proxy])
def between(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Proxy]:
    """Run a proxy that the environment names, together with the certificate authority of the service."""
    if request.param is socks_proxy:
        pytest.importorskip("socksio", reason="httpx needs it for SOCKS")
    with request.param() as made, trusted(tmp_path) as environment:
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
    """Cancel a create at its points, each time with a new client."""
    with nothing_said():
        for point in tally.points(MOST[way]):
            async with client_through(way, service, between) as client:
                before = tasks()
                tally.note(await cancel_at(partial(client.meetings.create, NEW), how, backend, point))
                assert before == tasks()
                await check_usable(client)
    assert tally.cancelled


@pytest.mark.asyncio
@every_way
async def test_task_cancel_loses_no_tunnel(service: Wire, between: Proxy, way: str, tally: Tally) -> None:
    """`task.cancel()` makes no tunnel unusable."""
    await sweep(tally, service, between, way, "task.cancel()", "asyncio")


@pytest.mark.anyio
@every_way
async def test_scope_loses_no_tunnel(service: Wire, between: Proxy, way: str, anyio_backend: str, tally: Tally) -> None:
    """A cancel scope makes no tunnel unusable, on asyncio and trio."""
    await sweep(tally, service, between, way, "scope", anyio_backend)
