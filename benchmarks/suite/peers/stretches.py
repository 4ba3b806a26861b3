"""The longest time for which the event loop is blocked: each step is timed, in CPU time."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any

from pyas_async import PyasClient
from suite.peers import KEY, Act, Where

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator


class _Watchdog:
    def __init__(self) -> None:
        self.longest = 0.0


_Handle: Any = asyncio.Handle


@contextmanager
def _watched() -> Iterator[_Watchdog]:
    """Time each step of the event loop, without other threads and processes."""
    watchdog, run = _Watchdog(), _Handle._run

    def timed(handle: asyncio.Handle) -> None:
        began = time.thread_time()
        try:
            run(handle)
        finally:
            watchdog.longest = max(watchdog.longest, time.thread_time() - began)

    _Handle._run = timed
    try:
        yield watchdog
    finally:
        _Handle._run = run


async def _stretch(client: PyasClient, account: str) -> dict[str, float]:
    with _watched() as watchdog:
        count = 0
        async for _ in client.meetings.iter_all(account_id=account):
            count += 1
    return {"longest": watchdog.longest, "count": count}


@asynccontextmanager
async def rows(where: Where) -> AsyncIterator[Act]:
    """Read pages of rows."""
    async with PyasClient(KEY, base_url=where.url) as client:
        yield lambda pages: _stretch(client, f"rows-{pages}")


@asynccontextmanager
async def details(where: Where) -> AsyncIterator[Act]:
    """Read pages whose rows have the size of details."""
    async with PyasClient(KEY, base_url=where.url) as client:
        yield lambda pages: _stretch(client, f"details-{pages}")


@asynccontextmanager
async def odd(where: Where) -> AsyncIterator[Act]:
    """Read pages of such rows, each of which the fast decoder refuses."""
    async with PyasClient(KEY, base_url=where.url) as client:
        yield lambda pages: _stretch(client, f"odd-{pages}")
