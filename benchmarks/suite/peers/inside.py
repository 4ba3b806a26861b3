"""The cost of single parts, without a network."""

from __future__ import annotations

import time
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import anyio
import anyio.lowlevel
import httpx

from pyas_async import PyasClient
from suite.peers import KEY, Act, Where

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from pyas_async import Meeting

ROWS: Final = 30_000
"""Rows of the one page that is iterated over, so that nothing is fetched between the first and the last."""
_ROW: Final = '{"id":%d,"uuid":"%024d","topic":"t"}'
HEADERS: Final = {
    "date": "Sun, 22 Nov 2026 16:59:50 GMT",
    "x-ratelimit-limit": "100000",
    "x-ratelimit-reset": "Sun Nov 22 2026 17:04:47 GMT+0000 (Coordinated Universal Time)",
    "content-type": "application/json; charset=utf-8",
}


def _client() -> PyasClient:
    rows = ",".join(_ROW % (number, number) for number in range(1, ROWS + 1))
    body = f'{{"data":{{"next_page_token":"","meetings":[{rows}]}}}}'.encode()
    http = httpx.AsyncClient(transport=httpx.MockTransport(lambda _: httpx.Response(200, content=body)))
    return PyasClient(KEY, base_url="http://localhost", http_client=http)


@asynccontextmanager
async def by_row(_: Where) -> AsyncIterator[Act]:
    """Iterate by row, from the first to the last."""
    client = _client()

    async def act(_: int) -> dict[str, float]:
        # The page is kept, or the last step would free all rows.
        count, began, listing = 0, 0.0, client.meetings.iter_all(account_id="a")
        async for _row in listing:
            if not count:
                began = time.process_time()
            count += 1
        return {"cpu": time.process_time() - began, "count": count}

    yield act


@asynccontextmanager
async def by_page(_: Where) -> AsyncIterator[Act]:
    """Iterate by page, and by row within it."""
    client = _client()

    async def act(_: int) -> dict[str, float]:
        count, began, listing = 0, 0.0, client.meetings.iter_all(account_id="a")
        async for page in listing.pages():
            for _row in page.meetings:
                if not count:
                    began = time.process_time()
                count += 1
        return {"cpu": time.process_time() - began, "count": count}

    yield act


@asynccontextmanager
async def by_generator(_: Where) -> AsyncIterator[Act]:
    """Iterate over the same rows with an async generator that does nothing else."""
    rows = (await _client().meetings.list(account_id="a")).meetings

    async def give(rows: Iterable[Meeting]) -> AsyncIterator[Meeting]:
        for row in rows:
            yield row

    async def act(_: int) -> dict[str, float]:
        count, began = 0, 0.0
        async for _row in give(rows):
            if not count:
                began = time.process_time()
            count += 1
        return {"cpu": time.process_time() - began, "count": count}

    yield act


@asynccontextmanager
async def digests(where: Where) -> AsyncIterator[Act]:
    """Reduce rows to what a listing remembers them by."""
    from pyas_async._core.checkpoints.seen_rows import digests as digests_of

    async with PyasClient(KEY, base_url=where.url) as client:
        rows = (await client.meetings.list(account_id="rows-1")).meetings

    async def act(pages: int) -> int:
        for _ in range(pages):
            digests_of(rows)
        return pages * len(rows)

    yield act


@asynccontextmanager
async def decisions(_: Where) -> AsyncIterator[Act]:
    """Run budget, scheduler and retries for calls that wait for nothing and succeed."""
    yield _decide


@asynccontextmanager
async def retries(_: Where) -> AsyncIterator[Act]:
    """Run only the decisions on attempts and responses."""
    yield partial(_decide, budgeted=False)


@asynccontextmanager
async def untold(_: Where) -> AsyncIterator[Act]:
    """Run all of them for responses without the remaining limit."""
    yield partial(_decide, told=False)


async def _decide(calls: int, *, budgeted: bool = True, told: bool = True) -> dict[str, float]:
    from pyas_async._core.calls.exchange import Exchange
    from pyas_async._core.calls.messages import Call, Response
    from pyas_async._core.calls.retry import RetryQuota
    from pyas_async._core.ratelimit.budget import RateBudget
    from pyas_async._core.ratelimit.tickets import Ticket
    from pyas_async._runtime.clock import Clock
    from pyas_async._runtime.ratelimit.limiter import RateLimiter
    from pyas_async._runtime.settings import default_options

    clock, options, quota = Clock(), default_options(), RetryQuota()
    limiter = RateLimiter(RateBudget(), clock)
    call = Call(operation="meetings.get", method="GET", path="/zoom/meetings/1", read=bytes, account="a")
    budget, mask = limiter.budget, str
    left = [{"x-ratelimit-remaining": str(calls - at)} if told else {} for at in range(calls)]
    answers = [Response(200, {**HEADERS, **header}, b"") for header in left]
    wall = clock.wall()
    began = time.process_time()
    for answer in answers:
        now = clock.now()
        exchange = Exchange(call, options.limits, quota, now, mask)
        exchange.next(now)
        if budgeted:
            limiter.try_acquire(Ticket(False, call.account, 1e9, None, 1e9, now), now)  # noqa: FBT003  (as the session)
        exchange.on_send(wall)
        now = clock.now()
        exchange.on_response(answer, now=now, wall=wall, jitter=clock.random())
        if budgeted:
            budget.settle(now, reported=budget.learn(answer.headers, now, wall))
            limiter.grant_waiting()
    return {"cpu": time.process_time() - began, "count": calls}


async def _through(calls: int, *, group: bool) -> int:
    """Make calls that succeed at once, within the wrapping of each by the sender."""
    sender: Any = PyasClient(KEY, base_url="http://localhost")._session.resources.sender
    client = _Client()
    for _ in range(calls):
        if group:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(sender._run, client, None, 30.0)
        else:
            await sender._run(client, None, 30.0)
    return calls


class _Client:
    @staticmethod
    async def run(_: object, __: object) -> None:
        await anyio.lowlevel.checkpoint()


@asynccontextmanager
async def safe(_: Where) -> AsyncIterator[Act]:
    """Make calls with the protection from cancellation, over connections of our own."""
    yield lambda calls: _through(calls, group=False)


@asynccontextmanager
async def safe_injected(_: Where) -> AsyncIterator[Act]:
    """Make calls with the protection from cancellation, through an injected client."""
    yield lambda calls: _through(calls, group=True)


@asynccontextmanager
async def unsafe(_: Where) -> AsyncIterator[Act]:
    """Make the same calls without any wrapping."""

    async def act(calls: int) -> int:
        for _ in range(calls):
            await _Client.run(None, None)
        return calls

    yield act
