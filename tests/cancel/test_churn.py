"""Many workers on few connections, with thousands of cancellations: all connections work at the end."""

from __future__ import annotations

import asyncio
import random
from functools import partial
from typing import TYPE_CHECKING, Any

import anyio
import pytest

import inside
from cancel.service import Service
from cancel.sweep import COMPLETE, HANGS, Tally, nothing_said, tasks
from clients import LIBRARIES
from pyas_async import RateBudget
from runtime.calls import check_usable, create, get, iterate, page
from runtime.socket_server import client_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from pyas_async import PyasClient
    from runtime.socket_server import Wire

    Cancel = Callable[[Callable[[], Awaitable[object]], float], Awaitable[bool]]

CANCELLATIONS = 10_000 if COMPLETE else 200
WORKERS, CONNECTIONS = 20, 10


def every_way(but: str) -> pytest.MarkDecorator:
    """Parametrize over own and injected clients. One of the injected ones runs only at full length."""
    return pytest.mark.parametrize(
        "way", [pytest.param(way, marks=pytest.mark.long if way == but else []) for way in LIBRARIES]
    )


@pytest.fixture(scope="module")
def service() -> Iterator[Wire]:
    """Serve on a socket."""
    with Service().serve() as server:
        yield server


async def by_task_cancel(do: Callable[[], Any], seconds: float) -> bool:
    """Cancel with `task.cancel()` after `seconds`; return whether that was in time."""
    task = asyncio.ensure_future(do())
    await asyncio.wait([task], timeout=seconds)
    heeded: bool = task.cancel()
    await asyncio.wait([task])
    assert heeded == task.cancelled()
    return heeded


async def by_scope(do: Callable[[], Any], seconds: float) -> bool:
    """Cancel with a scope after `seconds`; return whether that was in time."""
    with anyio.move_on_after(seconds) as scope:
        await do()
    return scope.cancelled_caught


async def churn(client: PyasClient, cancel: Cancel, tally: Tally) -> int:
    """Make calls and cancel most at random, until enough were cancelled; return the number of the others."""
    chance = random.Random(7)
    ended = 0

    async def work() -> None:
        nonlocal ended
        while tally.cancelled < CANCELLATIONS:
            do = partial(chance.choice([get, create, page, iterate]), client)
            # Now and then a call is not cancelled: in a pool whose connections are never reused, lost ones would not
            # show.
            cancelled = await cancel(do, chance.random() * 0.03 if chance.random() < 0.9 else 5.0)
            tally.cancelled += cancelled
            ended += not cancelled

    async with anyio.create_task_group() as group:
        for _ in range(WORKERS):
            group.start_soon(work)
    return ended


async def check_churn(service: Wire, way: str, cancel: Cancel, tally: Tally) -> None:
    """Run the churn, and check that all connections work afterwards."""
    budget = RateBudget(1_000_000)
    with nothing_said():
        async with client_of(service.url, way=way, max_connections=CONNECTIONS, budget=budget) as client:
            before = tasks()
            assert await churn(client, cancel, tally)
            assert before == tasks()
            assert {} == inside.under_way(client)
            with anyio.fail_after(HANGS):
                async with anyio.create_task_group() as group:
                    for _ in range(WORKERS):
                        group.start_soon(get, client)
            await check_usable(client)
            connections = inside.connections(client)
            assert len(connections) <= CONNECTIONS
            assert all(inside.is_idle(connection) or inside.is_closed(connection) for connection in connections)


@pytest.mark.asyncio
@every_way(but="httpx2")
async def test_churn_by_task_cancel(service: Wire, way: str, tally: Tally) -> None:
    """Calls of 20 workers on 10 connections, most cancelled by `task.cancel()`, lose no connection."""
    await check_churn(service, way, by_task_cancel, tally)


@pytest.mark.anyio
@every_way(but="httpx")
async def test_churn_by_scope(service: Wire, way: str, anyio_backend: str, tally: Tally) -> None:
    """Calls of 20 workers on 10 connections, most cancelled by a scope, lose no connection."""
    await check_churn(service, way, by_scope, tally)
