"""The same cancellations with httpx alone, for comparison: the reason for this package's own connections."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING

import anyio
import httpx
import pytest

import inside
from cancel.service import Service
from cancel.sweep import COMPLETE, Tally, cancel_at
from cancel.test_churn import CONNECTIONS, WORKERS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from runtime.socket_server import Wire

pytestmark = [
    pytest.mark.asyncio,
    pytest.mark.skipif(not COMPLETE, reason="about httpx, not this package: only in the complete sweep"),
]
CHURNED = 2_000


@pytest.fixture(scope="module")
def service() -> Iterator[Wire]:
    """Serve on a socket."""
    with Service().serve() as server:
        yield server


async def ask(http: httpx.AsyncClient, url: str, method: str = "GET") -> None:
    """Send a request."""
    await http.request(method, f"{url}/zoom/meetings/81", content=b"{}" if method == "PATCH" else None)


async def serves(http: httpx.AsyncClient, url: str) -> bool:
    """Return whether a client still works."""
    with anyio.move_on_after(0.5):  # a lost connection never becomes free
        await ask(http, url)
        return True
    return False


def client(connections: int) -> httpx.AsyncClient:
    """Make an httpx client."""
    limits = httpx.Limits(max_connections=connections)
    return httpx.AsyncClient(limits=limits, timeout=None, verify=False, trust_env=False)  # noqa: S113, S501


async def test_sweep_breaks_httpx_pool(service: Wire, say: Callable[[str], None]) -> None:
    """`task.cancel()` at some points leaves the only connection of httpx 0.28's pool unusable for good."""
    tried = broken = 0
    for method in ("GET", "PATCH"):
        for warm in (False, True):
            tally = Tally("plain")
            for point in tally.points(0):
                async with client(1) as http:
                    if warm:
                        await ask(http, service.url)
                    came = await cancel_at(lambda: ask(http, service.url, method), "task.cancel()", "asyncio", point)  # noqa: B023
                    tally.note(came)
                    broken += came.cancelled and not await serves(http, service.url)
            tried += tally.cancelled
    say(f"httpx {httpx.__version__} itself by task.cancel(): its pool is broken at {broken} of {tried} points")
    assert broken


async def test_churn_breaks_httpx_pool(service: Wire, say: Callable[[str], None]) -> None:
    """The churn of 20 workers on 10 connections makes httpx 0.28's pool unusable."""
    chance = random.Random(7)
    cancelled = 0
    async with client(CONNECTIONS) as http:

        async def work() -> None:
            nonlocal cancelled
            while cancelled < CHURNED:
                task = asyncio.ensure_future(ask(http, service.url))
                await asyncio.wait([task], timeout=chance.random() * 0.03)
                cancelled += task.cancel()
                await asyncio.wait([task])

        async with anyio.create_task_group() as group:
            for _ in range(WORKERS):
                group.start_soon(work)
        pool = inside.pool_of(inside.transport_of(http))
        lost = sum(not connection.is_idle() for connection in pool.connections)
    say(
        f"httpx {httpx.__version__} itself, {CHURNED:,} times by task.cancel() under {WORKERS} workers: {lost} of "
        f"{CONNECTIONS} connections are lost"
    )
    assert lost
