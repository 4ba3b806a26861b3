"""Cancellation at particular moments; `tests/cancel` cancels every operation at each of its moments."""

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
from runtime.calls import check_usable, create, get
from runtime.socket_server import client_of, found, heard, until, wire
from runtime.steps import Steps, counting

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from runtime.socket_server import Wire


MOMENTS = range(1, 9)
# trio shuffles its tasks, so a failure may show only after several tries.
AGAIN = [pytest.param(later, marks=pytest.mark.long) for _ in range(2) for later in MOMENTS]
each_moment = pytest.mark.parametrize("later", [*MOMENTS, *AGAIN])


@pytest.fixture(scope="module")
def service() -> Iterator[Wire]:
    """Serve on a socket."""
    with wire() as server:
        yield server


@asynccontextmanager
async def warmed(service: Wire) -> AsyncIterator[PyasClient]:
    """Open a client with one connection that is already open."""
    async with client_of(service.url, max_connections=1, budget=RateBudget(1_000)) as client:
        await client.meetings.get(81)
        yield client


@pytest.mark.anyio
@pytest.mark.parametrize("way", LIBRARIES)
@each_moment
async def test_waiting_call_is_cancelled_with_the_running_one(anyio_backend: str, later: int, way: str) -> None:
    """A waiting call can be cancelled together with the call that holds the connection: the next call succeeds."""
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
            await check_usable(client)


@pytest.mark.anyio
@pytest.mark.parametrize("library", [httpx, httpx2])
@each_moment
async def test_foreign_request_ends_before_the_waiting_call(anyio_backend: str, later: int, library: Any) -> None:  # noqa: ANN401
    """If a foreign request on an injected client ends just before our waiting call, no connection is lost."""
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
            await check_usable(client)


@pytest.mark.asyncio
@pytest.mark.parametrize("seconds", [0.0, 0.001, 0.003])
async def test_asyncio_timeout(service: Wire, seconds: float) -> None:
    """`asyncio.timeout` ends a call with its own TimeoutError, and the client keeps working."""
    async with warmed(service) as client:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(seconds):
                while True:
                    await get(client)
        await check_usable(client)


@pytest.mark.anyio
async def test_cancelled_create_leaves_no_generator(service: Wire, anyio_backend: str) -> None:
    """A create that is cancelled while it is sent leaves no half-read generator, of which trio would warn."""
    async with warmed(service) as client:
        for chosen in range(1, 20):
            scope = anyio.CancelScope()
            with counting(Steps(chosen, scope.cancel), anyio_backend), scope:
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(create, client)
        gc.collect()


class TwoAddresses(httpx.AsyncBaseTransport):
    """Opens a connection as trio does for a host with two addresses: two tasks try, and are cancelled together."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Wait forever."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(trio.sleep_forever)
            await trio.sleep_forever()
        raise AssertionError


@pytest.mark.parametrize("anyio_backend", ["trio"])
async def test_cancelled_tasks_of_a_transport(anyio_backend: str) -> None:
    """A group of cancellations from a transport's tasks is a cancellation, not an error of the call."""
    assert anyio_backend == "trio"
    async with httpx.AsyncClient(transport=TwoAddresses()) as http:
        client = PyasClient("key", account_id="acc", base_url="http://localhost", http_client=http, retry=None)
        with anyio.move_on_after(0.01) as scope:
            await client.meetings.get(81)
        assert scope.cancelled_caught
        with pytest.raises(RequestTimeoutError) as caught:
            await client.with_options(timeout=0.01).meetings.get(81)
        assert caught.value.__context__ is None
