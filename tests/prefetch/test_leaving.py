"""Leaving early, with a prefetch in flight, leaves nothing behind."""
# ruff: noqa: PERF401 -- rows of a loop are kept one by one, to have those before an error

from __future__ import annotations

import asyncio
import gc
from typing import TYPE_CHECKING

import anyio
import anyio.lowlevel
import httpx
import pytest

import inside
from prefetch.tools import (
    PAGE,
    ROWS,
    Service,
    all_of,
    assert_nothing_left,
    hang_on_tokens,
    refuse,
    tasks,
)
from resting import rest

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from pyas_async import (
        Meeting,
        MeetingIterator,
        PyasClient,
    )
    from pyas_async.sandbox import Sandbox

pytestmark = pytest.mark.anyio


class LeavingError(Exception):
    """Ends a block."""


async def by_break(listing: MeetingIterator) -> None:
    """Leave by `break`."""
    async with listing:
        async for _ in listing:
            break


async def by_exception(listing: MeetingIterator) -> None:
    """Leave by an exception, which is raised itself, not in a group."""
    mistake = LeavingError()
    with pytest.raises(LeavingError) as caught:
        async with listing:
            async for _ in listing:
                raise mistake
    assert caught.value is mistake
    assert caught.value.__context__ is None


async def by_scope(listing: MeetingIterator) -> None:
    """Leave by an anyio cancel scope, while waiting for the page that does not come."""
    with anyio.CancelScope() as scope:
        async with listing:
            async for row in listing:
                if row.id and listing.checkpoint().items == PAGE:
                    scope.cancel()
    assert scope.cancelled_caught


async def by_scope_inside(listing: MeetingIterator) -> None:
    """Cancel only the waiting step, then leave."""
    async with listing:
        for _ in range(PAGE):
            await anext(listing)
        with anyio.move_on_after(0.01) as scope:
            await anext(listing)
        assert scope.cancelled_caught


async def by_aclose(listing: MeetingIterator) -> None:
    """Close it inside the block; nothing more is yielded."""
    async with listing:
        await anext(listing)
        await listing.aclose()
        assert [] == [row async for row in listing]


async def by_aclose_elsewhere(listing: MeetingIterator) -> None:
    """Close it from another task while the consumer waits: the loop ends."""
    rows: list[Meeting] = []
    async with listing, anyio.create_task_group() as group:

        async def close() -> None:
            while len(rows) < PAGE:
                await anyio.lowlevel.checkpoint()
            await rest()
            await listing.aclose()

        group.start_soon(close)
        async for row in listing:
            rows.append(row)
    assert len(rows) == PAGE


async def by_task_cancel(listing: MeetingIterator) -> None:
    """Leave by `task.cancel()`, while waiting for the page that does not come."""
    rows: list[Meeting] = []
    full = asyncio.Event()

    async def consume() -> None:
        async with listing:
            async for row in listing:
                rows.append(row)
                if len(rows) == PAGE:
                    full.set()

    task = asyncio.ensure_future(consume())
    await full.wait()
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert len(rows) == PAGE


async def by_asyncio_timeout(listing: MeetingIterator) -> None:
    """Leave by `asyncio.timeout`, which relies on cancellations being passed on and counted correctly."""
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(None) as limit, listing:
            async for _ in listing:
                if listing.checkpoint().items == PAGE:
                    limit.reschedule(asyncio.get_running_loop().time())
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


async def assert_left_clean(
    leave: Callable[[MeetingIterator], Awaitable[None]], client: PyasClient, sandbox: Sandbox
) -> None:
    """Leave, check that nothing is left over, and use the client again."""
    hang_on_tokens(sandbox)
    before = tasks()
    await leave(all_of(client))
    await assert_nothing_left(client, before)

    sandbox.on_request, sandbox.latency = None, 0.0
    assert len(await all_of(client).collect()) == ROWS
    await assert_nothing_left(client, before)


@pytest.mark.parametrize("leave", [by_break, by_exception, by_scope, by_scope_inside, by_aclose, by_aclose_elsewhere])
async def test_leaving(
    leave: Callable[[MeetingIterator], Awaitable[None]], wired: PyasClient, sandbox: Sandbox
) -> None:
    """However a block is left, the prefetch is cancelled: no task, no request, no slot of the budget remains."""
    await assert_left_clean(leave, wired, sandbox)


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.parametrize("leave", [by_task_cancel, by_asyncio_timeout])
async def test_leaving_natively(
    leave: Callable[[MeetingIterator], Awaitable[None]], wired: PyasClient, sandbox: Sandbox
) -> None:
    """The same with asyncio's own ways of cancelling."""
    await assert_left_clean(leave, wired, sandbox)


async def test_exception_beside_an_error_of_the_prefetch(client: PyasClient, service: Service) -> None:
    """The block's exception is raised itself, even if the prefetch has failed."""
    service.special[2] = refuse
    mistake = LeavingError()
    with pytest.raises(LeavingError) as caught:
        async with all_of(client) as listing:
            await anext(listing)
            await rest()
            raise mistake

    assert caught.value is mistake


async def test_bare_break_leaks_nothing(wired: PyasClient, sandbox: Sandbox) -> None:
    """`break` out of a bare loop, without closing, leaves no task, no connection in use, and no warning."""
    before = tasks()
    async for _ in all_of(wired):
        break
    async for _ in all_of(wired).pages():
        break
    gc.collect()  # Python would warn of anything left behind now, and warnings are errors
    await assert_nothing_left(wired, before)

    assert [None, None] == [request.query.get("nextPageToken") for request in sandbox.requests]


async def test_a_bare_break_ends_the_listing(client: PyasClient) -> None:
    """A listing whose iterator was garbage-collected is no longer active; one that is referenced is."""
    listings, now = inside.budget(client).queue.listings, inside.clock(client).now
    for _ in range(5):
        async for _ in all_of(client):
            break
        async for _ in all_of(client).pages():
            break
    gc.collect()
    assert 0 == listings.count(now())
    held = all_of(client)
    await anext(held)
    assert 1 == listings.count(now())
    del held
    gc.collect()
    assert 0 == listings.count(now())


@pytest.mark.parametrize("total", ["9" * 401, "-" + "9" * 401])
async def test_a_total_of_any_size(total: str, client: PyasClient, service: Service) -> None:
    """A total that is too large for a float does not end the iteration."""

    async def respond(_: httpx.Request) -> httpx.Response:
        meetings = '"next_page_token": "10", "meetings": [{"uuid": "first", "id": 1}]'
        return httpx.Response(200, text=f'{{"success": true, "data": {{"total_records": {total}, {meetings}}}}}')

    service.special[1] = respond
    assert 1 == (await anext(aiter(all_of(client)))).id


async def test_second_iteration(client: PyasClient) -> None:
    """A listing can be iterated once, in a block as well."""
    async with all_of(client) as listing:
        await anext(aiter(listing))
        with pytest.raises(RuntimeError, match="call iter_all\\(\\) again"):
            aiter(listing)


async def test_a_shielded_consumer(client: PyasClient) -> None:
    """A consumer that shields itself from a cancellation of the block gets every row."""
    rows: list[Meeting] = []
    with anyio.CancelScope() as outer:
        async with all_of(client) as listing:
            rows.append(await anext(listing))
            with anyio.CancelScope(shield=True):
                outer.cancel()
                rows += [row async for row in listing]
    assert list(range(1, ROWS + 1)) == [row.id for row in rows]
