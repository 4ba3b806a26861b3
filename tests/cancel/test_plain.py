"""What the same cancellations do to httpx itself, for comparison: why this package sends as it does."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING

import anyio
import httpx
import pytest

import inside
from cancel.service import Service
from cancel.sweep import COMPLETE, Tally, strike
from cancel.test_churn import CONNECTIONS, WORKERS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from runtime.wires import Wire

pytestmark = [
    pytest.mark.asyncio,
    pytest.mark.skipif(not COMPLETE, reason="about httpx, not about this package: with the complete sweep alone"),
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
    """Say whether a client still serves."""
    with anyio.move_on_after(0.5):  # what is lost is lost
        await ask(http, url)
        return True
    return False


def client(connections: int) -> httpx.AsyncClient:
    """Make a client of httpx."""
    limits = httpx.Limits(max_connections=connections)
    return httpx.AsyncClient(limits=limits, timeout=None, verify=False, trust_env=False)  # noqa: S113, S501


async def test_sweep(service: Wire, say: Callable[[str], None]) -> None:
    """`task.cancel()` at some points takes the only connection of httpx 0.28's pool out of use for good."""
    struck = broken = 0
    for method in ("GET", "PATCH"):
        for warm in (False, True):
            tally = Tally("plain")
            for point in tally.points(0):
                async with client(1) as http:
                    if warm:
                        await ask(http, service.url)
                    came = await strike(lambda: ask(http, service.url, method), "task.cancel()", "asyncio", point)  # noqa: B023
                    tally.note(came)
                    broken += came.cancelled and not await serves(http, service.url)
            struck += tally.cancelled
    say(f"httpx {httpx.__version__} itself by task.cancel(): its pool is broken at {broken} of {struck} points")
    assert broken


async def test_churn(service: Wire, say: Callable[[str], None]) -> None:
    """The churn of 20 workers on 10 connections kills httpx 0.28's pool."""
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
