"""With prefetching, the same rows come as without it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import anyio
import anyio.lowlevel
import httpx
import pytest

from prefetch.tools import (
    PAGE,
    ROWS,
    Service,
    all_of,
    assert_nothing_left,
    ids,
    tasks,
)
from pyas_async import (
    Meeting,
    MeetingIterator,
    PyasClient,
)
from resting import rest

if TYPE_CHECKING:
    from pyas_async.sandbox import Sandbox

pytestmark = pytest.mark.anyio


async def test_rows_in_order(client: PyasClient) -> None:
    """Every row comes, in order, if the transport does not report when a request is on the wire."""
    async with all_of(client) as listing:
        rows = [row async for row in listing]

    assert list(range(1, ROWS + 1)) == ids(rows)


async def test_asgi_transport(sandbox: Sandbox) -> None:
    """Every row comes through `httpx.ASGITransport`, whose application runs in the same event loop."""
    account = sandbox.account_ids[0]
    async with httpx.AsyncClient(transport=httpx.ASGITransport(sandbox.app)) as http:
        client = PyasClient(sandbox.api_key, base_url="http://localhost", http_client=http, account_id=account)
        async with all_of(client) as listing:
            rows = [row async for row in listing]

    assert [row["id"] for row in sandbox.rows(account)] == ids(rows)


async def test_collect(client: PyasClient) -> None:
    """`collect` works in a block, after rows were taken."""
    async with all_of(client) as listing:
        first = await anext(listing)
        others = await listing.collect()

    assert list(range(1, ROWS + 1)) == ids([first, *others])


async def test_first(client: PyasClient, service: Service) -> None:
    """`first` works in a block, and leaves no request in flight."""
    before = tasks()
    async with all_of(client) as listing:
        first = await listing.first()
        await assert_nothing_left(client, before)

    assert first is not None
    assert first.id == 1
    assert len(service.requests) <= 2


async def test_pages_after_rows(client: PyasClient) -> None:
    """`pages` begins with the rest of the page that rows were taken from."""
    async with all_of(client) as listing:
        for _ in range(3):
            await anext(listing)
        pages = [ids(list(page.meetings)) async for page in listing.pages()]

    assert [7, 10, 10, 10, 10] == [len(page) for page in pages]
    assert list(range(4, ROWS + 1)) == [number for page in pages for number in page]


@pytest.mark.parametrize("taken", [1, 5, 9, 10, 11, 20, 49, 50])
async def test_checkpoint_is_the_consumers_position(client: PyasClient, taken: int) -> None:
    """A checkpoint counts the rows that the consumer took, and none of the prefetched page."""
    async with all_of(client) as listing:
        for _ in range(taken):
            await anext(listing)
        await rest()
        checkpoint = listing.checkpoint()
    others = await client.meetings.iter_all(resume=str(checkpoint)).collect()

    assert taken == checkpoint.items
    assert list(range(taken + 1, ROWS + 1)) == ids(others)


async def test_cancelled_steps_lose_nothing(client: PyasClient) -> None:
    """The row of a step that a scope cancels comes with the next step."""
    rows, cancelled, caught = [], 0, False
    async with all_of(client) as listing:
        while listing.checkpoint().items < ROWS:
            with anyio.CancelScope() as scope:
                if not caught:  # a cancelled step is made again without cancelling
                    scope.cancel()
                rows.append(await anext(listing))
            caught = scope.cancelled_caught
            cancelled += caught

    assert list(range(1, ROWS + 1)) == ids(rows)
    assert cancelled >= ROWS // PAGE


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.parametrize("block", [False, True], ids=["bare", "block"])
async def test_natively_cancelled_steps_lose_nothing(client: PyasClient, block: bool) -> None:
    """The row of a step that `task.cancel()` cancels, at whatever moment, comes with the next step."""

    async def sweep(listing: MeetingIterator) -> tuple[list[Meeting], int]:
        rows: list[Meeting] = []
        cancelled = turns = 0
        while True:
            step = asyncio.ensure_future(anext(listing, None))
            turns += 1
            for _ in range(turns % 40):
                await asyncio.sleep(0)
            step.cancel()
            await asyncio.wait([step])
            if step.cancelled():
                cancelled += 1
            elif (row := step.result()) is None:
                return rows, cancelled
            else:
                rows.append(row)

    before = tasks()
    listing = all_of(client)
    if block:
        async with listing:
            rows, cancelled = await sweep(listing)
    else:
        rows, cancelled = await sweep(listing)

    assert list(range(1, ROWS + 1)) == ids(rows)
    assert cancelled >= 5
    await assert_nothing_left(client, before)
