"""The same cancellations with httpx and httpx2 alone, for comparison: the reason for this package's own connections."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING, Any

import anyio
import httpx
import httpx2
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
both = pytest.mark.parametrize("library", [httpx, httpx2])


@pytest.fixture(scope="module")
def service() -> Iterator[Wire]:
    """Serve on a socket."""
    with Service().serve() as server:
        yield server


async def ask(http: Any, url: str, method: str = "GET") -> None:  # noqa: ANN401  (httpx's client, or httpx2's)
    """Send a request."""
    await http.request(method, f"{url}/zoom/meetings/81", content=b"{}" if method == "PATCH" else None)


async def serves(http: Any, url: str) -> bool:  # noqa: ANN401  (as above)
    """Return whether a client still works."""
    with anyio.move_on_after(0.5):  # a lost connection never becomes free
        await ask(http, url)
        return True
    return False


def client(library: Any, connections: int) -> Any:  # noqa: ANN401
    """Make a client of a library."""
    limits = library.Limits(max_connections=connections)
    return library.AsyncClient(limits=limits, timeout=None, verify=False, trust_env=False)


@both
async def test_sweep_breaks_httpx_pool(library: Any, service: Wire, say: Callable[[str], None]) -> None:  # noqa: ANN401
    """`task.cancel()` at some points leaves the only connection of httpx 0.28's pool unusable, but not of httpx2's."""
    tried = broken = 0
    for method in ("GET", "PATCH"):
        for warm in (False, True):
            tally = Tally("plain")
            for point in tally.points(0):
                async with client(library, 1) as http:
                    if warm:
                        await ask(http, service.url)
                    came = await cancel_at(lambda: ask(http, service.url, method), "task.cancel()", "asyncio", point)  # noqa: B023
                    tally.note(came)
                    broken += came.cancelled and not await serves(http, service.url)
            tried += tally.cancelled
    name = f"{library.__name__} {library.__version__}"
    say(f"{name} itself by task.cancel(): its pool is broken at {broken} of {tried} points")
    assert (library is httpx) == bool(broken)


@both
async def test_churn_breaks_httpx_pool(library: Any, service: Wire, say: Callable[[str], None]) -> None:  # noqa: ANN401
    """The churn of 20 workers on 10 connections loses connections of httpx 0.28's pool, and none of httpx2's."""
    chance = random.Random(7)
    cancelled = 0
    async with client(library, CONNECTIONS) as http:

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
        f"{library.__name__} {library.__version__} itself, {CHURNED:,} times by task.cancel() under {WORKERS} workers: "
        f"{lost} of {CONNECTIONS} connections are lost"
    )
    assert (library is httpx) == bool(lost)
