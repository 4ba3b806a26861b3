"""Many workers on few connections, and a thousand cancellations: at the end all connections are good."""

from __future__ import annotations

import asyncio
import random
from functools import partial
from typing import TYPE_CHECKING, Any

import anyio
import pytest
import trio

from pyas_async import RateBudget
from runtime.whole import check_whole, create, get, iterate, page, pooled
from runtime.wires import client_of, wire

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from pyas_async import PyasClient
    from runtime.wires import Wire


@pytest.fixture(scope="module")
def service() -> Iterator[Wire]:
    """Serve on a socket."""
    with wire() as server:
        yield server


async def churn(client: PyasClient, cancel_after: Callable[[Callable[[], Awaitable[object]], float], Any]) -> int:
    """Let 20 workers make calls that are cancelled at random, 50 each."""
    chance = random.Random(7)
    cancelled = 0

    async def work() -> None:
        nonlocal cancelled
        for _ in range(50):
            do = chance.choice([get, create, page, iterate])
            ended_early = await cancel_after(partial(do, client), chance.random() * 0.04)
            cancelled += ended_early

    async with anyio.create_task_group() as tasks:
        for _ in range(20):
            tasks.start_soon(work)
    return cancelled


async def with_task_cancel(do: Callable[[], Any], seconds: float) -> bool:
    """Cancel as asyncio does."""
    task = asyncio.ensure_future(do())
    await asyncio.wait([task], timeout=seconds)
    heeded: bool = task.cancel()
    await asyncio.wait([task])
    assert heeded == task.cancelled()
    return heeded


async def with_scope(do: Callable[[], Any], seconds: float) -> bool:
    """Cancel as anyio and trio do."""
    with anyio.move_on_after(seconds) as scope:
        await do()
    return scope.cancelled_caught


async def check_churn(service: Wire, cancel_after: Any) -> None:  # noqa: ANN401
    """Churn, and see that all connections are good afterwards."""
    budget = RateBudget(100_000)
    async with client_of(service.url, max_connections=10, budget=budget) as client:
        cancelled = await churn(client, cancel_after)
        assert cancelled > 200
        assert [] == pooled(client)
        assert 0 == budget.in_flight
        with anyio.fail_after(2):
            async with anyio.create_task_group() as tasks:
                for _ in range(20):
                    tasks.start_soon(get, client)
        await check_whole(client)
        connections = client._session._transport._own.connections
        assert connections is not None
        assert len(connections.idle) <= 10


@pytest.mark.asyncio
async def test_churn_of_tasks(service: Wire) -> None:
    """A thousand calls of 20 workers on 10 connections, most cancelled by `task.cancel()`, leave a whole pool."""
    await check_churn(service, with_task_cancel)
    assert {asyncio.current_task()} == asyncio.all_tasks()


@pytest.mark.anyio
@pytest.mark.filterwarnings("ignore:Async generator:ResourceWarning")  # see the last test
async def test_churn_of_scopes(service: Wire, anyio_backend: str) -> None:
    """A thousand calls of 20 workers on 10 connections, most of them cancelled by a scope, leave a whole pool."""
    before = trio.lowlevel.current_statistics().tasks_living if anyio_backend == "trio" else 0
    await check_churn(service, with_scope)
    after = trio.lowlevel.current_statistics().tasks_living if anyio_backend == "trio" else 0
    assert before == after
