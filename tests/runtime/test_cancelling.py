"""Cancellation in particular moments; `tests/cancel` strikes every operation at every one."""

from __future__ import annotations

import asyncio
import gc
import threading
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import anyio
import httpx
import httpx2
import pytest
import trio

from clients import LIBRARIES
from pyas_async import PyasClient, RateBudget, RequestTimeoutError
from runtime.steps import Steps, counting
from runtime.whole import check_whole, create, get
from runtime.wires import client_of, found, heard, until, wire

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from runtime.wires import Wire


MOMENTS = range(1, 9)
# trio shuffles: what does not show at the first time may at the next.
AGAIN = [pytest.param(later, marks=pytest.mark.long) for _ in range(2) for later in MOMENTS]
each_moment = pytest.mark.parametrize("later", [*MOMENTS, *AGAIN])


@pytest.fixture(scope="module")
def service() -> Iterator[Wire]:
    """Serve on a socket."""
    with wire() as server:
        yield server


@asynccontextmanager
async def warmed(service: Wire) -> AsyncIterator[PyasClient]:
    """Make a client with one connection, which is open already."""
    async with client_of(service.url, max_connections=1, budget=RateBudget(1_000)) as client:
        await client.meetings.get(81)
        yield client


@pytest.mark.anyio
@pytest.mark.parametrize("way", LIBRARIES)
@each_moment
async def test_two_in_a_row(anyio_backend: str, later: int, way: str) -> None:
    """Who waits for a connection may be cancelled just when the one who has it was: the pool serves the next call."""
    released = threading.Event()
    with wire(lambda seen: found(seen) if released.wait(5) else None) as server:
        async with client_of(server.url, way=way, max_connections=1) as client:
            heard(client)
            first, second = anyio.CancelScope(), anyio.CancelScope()

            async def call(scope: anyio.CancelScope) -> None:
                with scope:
                    await get(client)

            steps = Steps(0, second.cancel)
            with counting(steps, anyio_backend):
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(call, first)
                    await until(lambda: server.requests)
                    tasks.start_soon(call, second)
                    await anyio.wait_all_tasks_blocked()
                    steps.chosen = steps.count + later
                    first.cancel()
                    with anyio.move_on_after(0.004):
                        await anyio.sleep_forever()
                    second.cancel()
            released.set()
            await check_whole(client)


@pytest.mark.anyio
@pytest.mark.parametrize("library", [httpx, httpx2])
@each_moment
async def test_two_in_a_row_of_whom_one_is_a_stranger(anyio_backend: str, later: int, library: Any) -> None:  # noqa: ANN401
    """Where somebody else has all connections of an injected client, and ends just before our call: it loses none."""
    released = threading.Event()
    with wire(lambda seen: found(seen) if released.wait(5) else None) as server:
        limits = library.Limits(max_connections=1)
        async with library.AsyncClient(limits=limits, verify=False, trust_env=False) as http:
            client = heard(client_of(server.url, http_client=http))
            first, second = anyio.CancelScope(), anyio.CancelScope()

            async def ask() -> None:
                with first:
                    await http.get(f"{server.url}/zoom/meetings/81")

            async def call() -> None:
                with second:
                    await get(client)

            steps = Steps(0, second.cancel)
            with counting(steps, anyio_backend):
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(ask)
                    await until(lambda: server.requests)
                    tasks.start_soon(call)
                    await anyio.wait_all_tasks_blocked()
                    steps.chosen = steps.count + later
                    first.cancel()
                    with anyio.move_on_after(0.004):
                        await anyio.sleep_forever()
                    second.cancel()
            released.set()
            await check_whole(client)


@pytest.mark.asyncio
@pytest.mark.parametrize("seconds", [0.0, 0.001, 0.003])
async def test_asyncio_timeout(service: Wire, seconds: float) -> None:
    """`asyncio.timeout` ends a call with the TimeoutError of its own, and the client is whole."""
    async with warmed(service) as client:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(seconds):
                while True:
                    await get(client)
        await check_whole(client)


@pytest.mark.anyio
async def test_cancelled_create_leaves_no_generator(service: Wire, anyio_backend: str) -> None:
    """A create that is cancelled while it is sent leaves no half-read body to the collector, which trio warns of."""
    async with warmed(service) as client:
        for chosen in range(1, 20):
            scope = anyio.CancelScope()
            with counting(Steps(chosen, scope.cancel), anyio_backend), scope:
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(create, client)
        gc.collect()


class TwoAddresses(httpx.AsyncBaseTransport):
    """Opens a connection as trio does to a host of two addresses: two tasks try, and are cancelled together."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Never get there."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(trio.sleep_forever)
            await trio.sleep_forever()
        raise AssertionError


@pytest.mark.parametrize("anyio_backend", ["trio"])
async def test_cancelled_tasks_of_a_transport(anyio_backend: str) -> None:
    """What a transport's tasks raise when they are cancelled together is a cancellation, and no error of the call."""
    assert anyio_backend == "trio"
    async with httpx.AsyncClient(transport=TwoAddresses()) as http:
        client = PyasClient("key", account_id="acc", base_url="http://localhost", http_client=http, retry=None)
        with anyio.move_on_after(0.01) as scope:
            await client.meetings.get(81)
        assert scope.cancelled_caught
        with pytest.raises(RequestTimeoutError) as caught:
            await client.with_options(timeout=0.01).meetings.get(81)
        assert caught.value.__context__ is None
