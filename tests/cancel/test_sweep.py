"""Every public operation, cancelled at each of its suspension points, leaves a client that works as before."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import anyio
import pytest

import inside
from cancel.operations import OPERATIONS
from cancel.service import HELD, SLOW, Service
from cancel.sweep import HANGS, How, Tally, cancel_at, nothing_said, tasks
from clients import LIBRARIES
from pyas_async import ClientClosedError, PyasClient
from runtime.calls import check_usable
from runtime.socket_server import client_of, heard, until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cancel.operations import Operation
    from runtime.socket_server import Wire

MOST = {"own": 6, "httpx": 2, "httpx2": 2}
"""Points of each operation that are tried in the ordinary suite."""

every_way = pytest.mark.parametrize("way", LIBRARIES)


def cases() -> Iterator[Any]:
    """Yield each operation with each kind of client. In the ordinary suite, the two injected ones take turns."""
    for number, (name, operation) in enumerate(OPERATIONS.items()):
        for way in LIBRARIES:
            ordinary = way in ("own", ("httpx", "httpx2")[number % 2])
            yield pytest.param(operation, way, id=f"{name}-{way}", marks=[] if ordinary else pytest.mark.long)


every_case = pytest.mark.parametrize(("operation", "way"), list(cases()))


@pytest.fixture(scope="module")
def service() -> Iterator[Wire]:
    """Serve on a socket."""
    with Service().serve() as server:
        yield server


async def sweep(tally: Tally, service: Wire, operation: Operation, way: str, how: How, backend: str) -> None:
    """Cancel an operation at its points, each time with a new client."""
    for point in tally.points(MOST[way]):
        async with client_of(service.url, way=way, max_connections=1, **operation.options()) as client:
            if operation.before is not None:
                await operation.before(client)
            before = tasks()
            tally.note(await cancel_at(partial(operation.do, client), how, backend, point))
            assert before == tasks()
            await check_usable(client)
    assert tally.cancelled


async def sweep_closing(tally: Tally, service: Wire, way: str, how: How, backend: str) -> None:
    """Cancel the closing of a client with idle connections and a running call; then close it again."""
    for point in tally.points(MOST[way]):
        async with client_of(service.url, way=way, max_connections=4) as client:
            async with anyio.create_task_group() as others:
                for _ in range(3):
                    others.start_soon(heard(client).meetings.get, SLOW)
            sent = len(service.requests)
            async with anyio.create_task_group() as others:
                others.start_soon(ask_in_vain, client)
                await until(lambda: len(service.requests) > sent)  # noqa: B023  (awaited here)
                idle = [connection for connection in inside.connections(client) if inside.is_idle(connection)]
                tally.note(await cancel_at(partial(PyasClient.aclose, client), how, backend, point))
                with anyio.fail_after(HANGS):
                    await PyasClient.aclose(client)  # without closing the injected client
            assert {} == inside.under_way(client)
            assert [way == "own"] * len(idle) == [inside.is_closed(connection) for connection in idle]
            assert len(idle) > 1
    assert tally.steps  # closing may never wait, so that no cancellation is raised in it


async def ask_in_vain(client: PyasClient) -> None:
    """Make a call that gets no response before the client is closed."""
    with pytest.raises(ClientClosedError):
        await client.meetings.get(HELD)


@pytest.mark.asyncio
@every_case
async def test_task_cancel_leaves_nothing_behind(service: Wire, operation: Operation, way: str, tally: Tally) -> None:
    """`task.cancel()` ends the operation as cancelled: no task, held slot, log record or lost connection is left."""
    with nothing_said():
        await sweep(tally, service, operation, way, "task.cancel()", "asyncio")


@pytest.mark.anyio
@every_case
async def test_scope_leaves_nothing_behind(
    service: Wire, operation: Operation, way: str, anyio_backend: str, tally: Tally
) -> None:
    """A cancel scope does the same, on asyncio and trio."""
    with nothing_said():
        await sweep(tally, service, operation, way, "scope", anyio_backend)


@pytest.mark.asyncio
@every_way
async def test_task_cancel_of_close(service: Wire, way: str, tally: Tally) -> None:
    """After `task.cancel()` of a close, closing again completes it: no connection is left open."""
    with nothing_said():
        await sweep_closing(tally, service, way, "task.cancel()", "asyncio")


@pytest.mark.anyio
@every_way
async def test_scope_of_close(service: Wire, way: str, anyio_backend: str, tally: Tally) -> None:
    """After a cancelled scope around a close, closing again completes it as well, on asyncio and trio."""
    with nothing_said():
        await sweep_closing(tally, service, way, "scope", anyio_backend)
