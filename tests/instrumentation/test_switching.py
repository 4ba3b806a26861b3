"""Tools that come and go while a client is in use, or are there before it: what is seen, and over which connection."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Final

import anyio
import httpx
import pytest

import inside
from clients import own_pool_only
from instrumentation.traffic import serving
from instrumentation.wrappers import METHODS, class_of, wrapped_by_wrapt
from runtime.socket_server import client_of, found, until, wire

if TYPE_CHECKING:
    from collections.abc import Iterator

    from instrumentation.traffic import Exchange, Server
    from runtime.socket_server import Seen

pytestmark = [pytest.mark.anyio, own_pool_only]

PROGRAM: Final = Path(__file__).parent / "early_program.py"


@pytest.fixture(scope="module")
def service() -> Iterator[Server]:
    """Serve on a socket."""
    with serving() as server:
        yield server


@pytest.mark.parametrize(("cls", "name"), METHODS)
async def test_installed_again(service: Server, cls: str, name: str) -> None:
    """A wrapper that comes and goes several times in a client's life sees the requests of its times."""
    async with client_of(service.url, way="own") as client:
        for number in (1, 3, 5):
            seen: list[Exchange] = []
            with wrapped_by_wrapt(class_of("own", cls), name, seen):
                await client.meetings.get(number)
                assert [f"/zoom/meetings/{number}?accountId=acc"] == [exchange.target for exchange in seen]
            await client.meetings.get(number + 1)
            assert 1 == len(seen)


async def test_connection_below_send(service: Server) -> None:
    """A wrapper of `send` costs no connection, when it comes and when it goes."""
    before = service.wire.connections
    async with client_of(service.url, way="own") as client:
        await client.meetings.get(1)
        with wrapped_by_wrapt(httpx.AsyncClient, "send", []):
            await client.meetings.get(2)
        await client.meetings.get(3)
    assert before + 1 == service.wire.connections


async def closed(service: Server, number: int) -> None:
    """Wait until so many connections are closed, or fail."""
    with anyio.fail_after(5):
        await until(lambda: number == service.wire.closed)


@pytest.mark.parametrize(("cls", "name"), METHODS[2:])
async def test_connection_below_transports(service: Server, cls: str, name: str) -> None:
    """A wrapper of a transport's method takes the place of the connection that was open, and later the other way."""
    before = service.wire.connections
    async with client_of(service.url, way="own") as client:
        await client.meetings.get(1)
        with wrapped_by_wrapt(class_of("own", cls), name, []):
            await client.meetings.get(2)
            await closed(service, before + 1)
        await client.meetings.get(3)
        await closed(service, before + 2)
    assert before + 3 == service.wire.connections


@pytest.mark.parametrize(("cls", "name"), METHODS)
async def test_installed_and_removed_during_a_request(cls: str, name: str) -> None:
    """A wrapper sees each request that begins while it is installed, whatever is under way when it comes and goes."""
    released = threading.Semaphore(0)
    held = "/90"

    def answer(seen: Seen) -> bytes | None:
        return found(seen) if held not in seen.target or released.acquire(timeout=10) else None

    seen: list[Exchange] = []
    with wire(answer) as server, anyio.fail_after(10):
        async with client_of(server.url, way="own") as client, anyio.create_task_group() as tasks:
            await client.meetings.get(1)

            async def under_way() -> None:
                arrived = len(server.requests)
                tasks.start_soon(client.meetings.get, 90)
                await until(lambda: len(server.requests) > arrived)

            async def ended() -> None:
                released.release()
                await anyio.wait_all_tasks_blocked()
                await until(lambda: not inside.is_sending(client))

            await under_way()
            with wrapped_by_wrapt(class_of("own", cls), name, seen):
                await client.meetings.get(2)
                await ended()
                await client.meetings.get(3)
                await under_way()
            await client.meetings.get(4)
            await ended()
            await client.meetings.get(5)
    assert ["/2", "/3", held] == [exchange.target.partition("?")[0].removeprefix("/zoom/meetings") for exchange in seen]


def test_installed_before_the_import() -> None:
    """Wrappers that are installed before the package is imported see each request, and none after their removal."""
    paths = [str(PROGRAM.parent.parent), *filter(None, [os.environ.get("PYTHONPATH")])]
    done = subprocess.run(
        [sys.executable, PROGRAM],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert 0 == done.returncode, done.stderr
    seen = json.loads(done.stdout)
    assert {"AsyncClient", "AsyncHTTPTransport", "AsyncConnectionPool", "AsyncHTTPConnection"} == {
        name.partition(".")[0] for name in seen
    }
    assert {2} == set(seen.values())
