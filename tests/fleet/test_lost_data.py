"""How processes find out that Redis has lost the counts of their calls, and what it gives them then."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from fleet.servers import RedisServer
from pyas_async import BudgetLease, BudgetReport
from pyas_async.integrations.redis import RedisBudgetStore, RedisDataLostError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.anyio
WINDOW = 1.0
LIFE = WINDOW / 50
LIMIT = 60


@pytest.fixture
def anyio_backend() -> str:
    """Run on asyncio alone, since redis-py does."""
    return "asyncio"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    """Start a server."""
    running = RedisServer(tmp_path)
    running.start()
    try:
        yield running
    finally:
        running.stop(signal.SIGKILL)


@pytest.fixture
async def process(server: RedisServer) -> AsyncIterator[Callable[[], RedisBudgetStore]]:
    """Return a function that makes the store of another process."""
    redis: Any = Redis(port=server.port, socket_timeout=1.0)
    async with redis:
        yield lambda: RedisBudgetStore(redis, name="key")


@asynccontextmanager
async def admin(server: RedisServer) -> AsyncIterator[Any]:
    """Connect to a server as its administrator does."""
    async with Redis(port=server.port) as connected:
        yield connected


async def ask(store: RedisBudgetStore, *, wanted: int = 1, used: int = 0, window: float = WINDOW) -> BudgetLease:
    """Ask for slots."""
    return await store.lease(
        BudgetReport(
            wanted=wanted, interactive=0, sent=0, under_way=0, unused=0, used=used, limit=LIMIT, window=window,
            remaining=None, resets_in=0.0, paused_for=0.0,
        )
    )  # fmt: skip


async def settled(store: RedisBudgetStore) -> None:
    """Ask until there is a slot."""
    deadline = time.monotonic() + 10
    while not (await ask(store)).places:
        assert time.monotonic() < deadline
        await asyncio.sleep(LIFE)


async def test_an_empty_server_waits_for_those_who_know_better(process: Callable[[], RedisBudgetStore]) -> None:
    """An empty Redis leases nothing for a moment, and then what is asked for."""
    first = process()
    assert 0 == (await ask(first)).places
    await asyncio.sleep(2 * LIFE)
    assert 1 == (await ask(first)).places


async def test_an_older_process_tells(process: Callable[[], RedisBudgetStore], server: RedisServer) -> None:
    """After a loss, processes that were answered before fail for a window, and new ones get nothing meanwhile."""
    first, second, new = process(), process(), process()
    await settled(first)
    await settled(second)
    async with admin(server) as connected:
        await connected.flushall()

    began = time.monotonic()
    assert 0 == (await ask(new)).places
    for store in (first, second, first, second):
        with pytest.raises(RedisDataLostError):
            await ask(store)
    assert 0 == (await ask(new)).places
    await asyncio.sleep(2 * LIFE)
    assert 0 == (await ask(new)).places
    lease = None
    while lease is None:
        with contextlib.suppress(RedisDataLostError):
            lease = await ask(first, used=LIMIT - 1, wanted=10)
        await asyncio.sleep(LIFE)
    assert WINDOW <= time.monotonic() - began < WINDOW + 1
    # What it has used is counted, so that there is one slot; and nothing for the process that knows no part.
    assert 1 == lease.places
    assert 0 == (await ask(second)).places
    assert 0 == (await ask(new)).places


async def test_restored_from_an_older_state(process: Callable[[], RedisBudgetStore], server: RedisServer) -> None:
    """A Redis that has forgotten its last answer alone has lost data as well, also for those it has not forgotten."""
    busy, idle = process(), process()
    await settled(busy)
    await settled(idle)
    async with admin(server) as connected:
        await connected.save()
    await ask(busy)
    server.stop(signal.SIGKILL)
    await asyncio.to_thread(server.start)

    with pytest.raises(RedisDataLostError):
        await ask(busy)
    with pytest.raises(RedisDataLostError):
        await ask(idle)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGSTOP])
async def test_nothing_is_lost(
    process: Callable[[], RedisBudgetStore], server: RedisServer, how: signal.Signals
) -> None:
    """A restart with all data, and a pause, are survived: the process waits for a moment, and goes on."""
    store = process()
    await settled(store)
    if how == signal.SIGTERM:
        server.stop(how)
        await asyncio.to_thread(server.start)
    else:
        server.signal(signal.SIGSTOP)
        asyncio.get_running_loop().call_later(1.2, server.signal, signal.SIGCONT)

    assert 1 == (await ask(store)).places


async def test_counts_that_have_expired(process: Callable[[], RedisBudgetStore], server: RedisServer) -> None:
    """Counts that Redis drops since they are older than two windows are not lost."""
    store = process()
    await settled(store)
    await asyncio.sleep(2.1 * WINDOW)
    async with admin(server) as connected:
        names = [name async for name in connected.scan_iter() if not name.endswith(b":history")]
        await connected.delete(*names)

    assert 1 == (await ask(store)).places


async def test_redis_that_stays_away(server: RedisServer) -> None:
    """A Redis that is away for longer makes the process count alone, at once if that was so the last time."""
    # Newer releases of redis-py try a connection again for some seconds themselves, unless they are told otherwise.
    redis: Any = Redis(port=server.port, socket_timeout=1.0, retry=Retry(NoBackoff(), 0))
    store = RedisBudgetStore(redis, name="key")
    await settled(store)
    server.stop(signal.SIGKILL)
    seconds = []
    for _ in range(2):
        began = time.monotonic()
        with pytest.raises(RedisError):
            await ask(store)
        seconds.append(time.monotonic() - began)

    await redis.aclose()
    assert 3.0 <= seconds[0] < 5.0
    assert seconds[1] < 1.0
