"""Cancellation at every point where a call can wait: what it leaves behind is a client as good as new."""

from __future__ import annotations

import asyncio
import gc
import threading
from typing import TYPE_CHECKING, Any

import anyio
import httpx
import pytest
import trio

from pyas_async import PyasClient, RateBudget, RequestTimeoutError
from runtime.steps import Steps, counting
from runtime.whole import check_whole, create, get, iterate, page
from runtime.wires import client_of, found, until, wire

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from runtime.wires import Wire

every_call = pytest.mark.parametrize("do", [get, create, page, iterate])
STEPS = 100
"""More than any of these calls has."""


@pytest.fixture(scope="module")
def service() -> Iterator[Wire]:
    """Serve on a socket."""
    with wire() as server:
        yield server


async def opened(service: Wire, *, warm: bool) -> PyasClient:
    """Make a client with one connection at most, which is open already if it is warm."""
    client = client_of(service.url, max_connections=1, budget=RateBudget(1_000))
    if warm:
        await client.meetings.get(81)
    return client


@pytest.mark.asyncio
@pytest.mark.parametrize("warm", [False, True], ids=["cold", "warm"])
@every_call
async def test_task_cancel(service: Wire, do: Callable[[PyasClient], Awaitable[object]], warm: bool) -> None:
    """`task.cancel()` at any step ends the task as cancelled, with no group and no task left, and the pool is whole."""
    cancelled = 0
    for chosen in range(1, STEPS):
        async with await opened(service, warm=warm) as client:
            heeded: list[bool] = []
            running: list[asyncio.Future[object]] = []

            def cancel(heeded: list[bool] = heeded, running: list[asyncio.Future[object]] = running) -> None:
                heeded.append(running[0].cancel())

            with counting(Steps(chosen, cancel), "asyncio"):
                task = asyncio.ensure_future(do(client))
                running.append(task)
                await asyncio.wait([task], timeout=5)
            if not heeded:
                assert await task
                break
            assert [task.cancelled()] == heeded
            cancelled += 1
            assert {asyncio.current_task()} == asyncio.all_tasks()
            await check_whole(client)
    assert 2 < cancelled < STEPS - 1


@pytest.mark.anyio
@pytest.mark.filterwarnings("ignore:Async generator:ResourceWarning")  # see the last test
@pytest.mark.parametrize("warm", [False, True], ids=["cold", "warm"])
@every_call
async def test_scope(
    service: Wire, anyio_backend: str, do: Callable[[PyasClient], Awaitable[object]], warm: bool
) -> None:
    """A scope that is cancelled at any step ends the call, with no group and no task left, and the pool is whole."""
    cancelled = 0
    for chosen in range(1, STEPS):
        async with await opened(service, warm=warm) as client:
            ended = anyio.Event()
            results: list[object] = []
            scope = anyio.CancelScope()

            async def call(client: PyasClient = client, scope: Any = scope, *, ended: anyio.Event = ended) -> None:  # noqa: ANN401
                with scope:
                    results.append(await do(client))  # noqa: B023
                ended.set()

            steps = Steps(chosen, scope.cancel)
            with counting(steps, anyio_backend):
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(call)
                    with anyio.fail_after(5):
                        await ended.wait()
            if not scope.cancel_called:
                assert [] != results
                break
            assert scope.cancelled_caught or results
            cancelled += scope.cancelled_caught
            await check_whole(client)
    assert 2 < cancelled < STEPS - 1


@pytest.mark.anyio
@pytest.mark.parametrize("later", list(range(1, 9)) * 5)  # trio shuffles
async def test_two_in_a_row(anyio_backend: str, later: int) -> None:
    """Who waits for a connection may be cancelled just when the one who has it was: the pool serves the next call."""
    released = threading.Event()
    with wire(lambda seen: found(seen) if released.wait(5) else None) as server:
        async with client_of(server.url, max_connections=1) as client:
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


@pytest.mark.asyncio
@pytest.mark.parametrize("seconds", [0.0, 0.001, 0.003])
async def test_asyncio_timeout(service: Wire, seconds: float) -> None:
    """`asyncio.timeout` ends a call with the TimeoutError of its own, and the client is whole."""
    async with await opened(service, warm=True) as client:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(seconds):
                while True:
                    await get(client)
        await check_whole(client)


@pytest.mark.anyio
async def test_cancelled_create_leaves_no_generator(service: Wire, anyio_backend: str) -> None:
    """A create that is cancelled while it is sent leaves no half-read body to the collector, which trio warns of."""
    async with await opened(service, warm=True) as client:
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
