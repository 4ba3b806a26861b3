"""Every public operation that waits, for the sweep to cancel."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import anyio
import anyio.lowlevel
import attrs

import inside
from cancel.service import FLAKY, LOST, ODD, ODD_ROWS
from pyas_async import BudgetLease, BudgetReport, MeetingCreate, PyasClient, RateBudget
from pyas_async._runtime.clock import Clock
from runtime.socket_server import CHANGE, KEY, NEW

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable

    from pyas_async import BulkRun

Do = Callable[[PyasClient], "Awaitable[object]"]
OTHER = MeetingCreate(type=2, title="other", description="", start_date=datetime(2031, 1, 1, tzinfo=UTC))


@attrs.frozen
class Operation:
    """An operation that the sweep cancels.

    Attributes:
        do: Runs the operation.
        options: Returns the settings of its client, new for each client.
        before: Runs before the operation, and is not cancelled.
    """

    do: Do
    options: Callable[[], dict[str, Any]] = dict
    before: Do | None = None


class Store:
    """A store that leases one call at a time, and lets the event loop run before each."""

    async def lease(self, report: BudgetReport) -> BudgetLease:
        """Lease one call."""
        await anyio.lowlevel.checkpoint()
        return BudgetLease(places=min(1, report.wanted), expires_in=10.0, ask_again_in=0.05)


async def key() -> str:
    """Return the key."""
    await anyio.lowlevel.checkpoint()
    return KEY


async def get(client: PyasClient) -> object:
    """Get a meeting."""
    return await client.meetings.get(81)


async def hurry(client: PyasClient) -> object:
    """Replace the client's pauses by a checkpoint."""

    async def breathe(_: float) -> None:
        await anyio.lowlevel.checkpoint()

    inside.set_clock_of_calls(client, Clock(sleep=breathe))
    return None


async def given(count: int) -> AsyncIterator[int]:
    """Yield ids. An unclosed generator would cause a warning, and warnings are errors."""
    for _ in range(count):
        await anyio.lowlevel.checkpoint()
        yield 81


def whole(found: list[Any], count: int) -> list[Any]:
    """Assert that a loop without an exception has yielded everything: a cancellation must not end a loop quietly."""
    assert count == len(found)
    return found


async def rows(client: PyasClient) -> object:
    """Iterate over rows."""
    return whole([row async for row in client.meetings.iter_all()], 2)


async def pages(client: PyasClient) -> object:
    """Iterate over pages."""
    return whole([found async for found in client.meetings.iter_all().pages()], 2)


async def odd(client: PyasClient) -> object:
    """Iterate over a page of rows that differ from the documented form."""
    return whole([row async for row in client.meetings.iter_all(account_id=ODD)], ODD_ROWS)


async def ahead(client: PyasClient) -> object:
    """Iterate over rows, with the next page requested in advance."""
    async with client.meetings.iter_all() as listing:
        return whole([row async for row in listing], 2)


async def left(client: PyasClient) -> object:
    """Leave a listing while its next page is being requested."""
    async with client.meetings.iter_all() as listing:
        return await anext(listing)


def awaited(run: Callable[[PyasClient], BulkRun[Any, Any]]) -> Do:
    """Return an operation that awaits a bulk run."""

    async def do(client: PyasClient) -> object:
        return whole(await run(client), 3)

    return do


def streamed(run: Callable[[PyasClient], BulkRun[Any, Any]]) -> Do:
    """Return an operation that streams a bulk run."""

    async def do(client: PyasClient) -> object:
        async with run(client) as outcomes:
            return whole([outcome async for outcome in outcomes], 3)

    return do


async def accounts(client: PyasClient) -> object:
    """List two accounts at once."""
    async with client.meetings.iter_accounts(["a", "b"], max_concurrency=2) as pairs:
        return whole([pair async for pair in pairs], 4)


OPERATIONS: dict[str, Operation] = {
    "list": Operation(lambda client: client.meetings.list()),
    "get": Operation(get),
    "get, warm": Operation(get, before=get),
    "get, with a key function": Operation(get, lambda: {"api_key": key}, before=get),
    "get, tried twice": Operation(lambda client: client.meetings.get(FLAKY), before=get),
    "get, after a wait for the budget": Operation(
        get, lambda: {"budget": RateBudget(1, window=0.004, guard=0.0), "deadline": None}, before=get
    ),
    "get, with a shared budget": Operation(get, lambda: {"budget": RateBudget(1_000, store=Store())}),
    "get, shared": Operation(get, lambda: {"single_flight": True}),
    "create": Operation(lambda client: client.meetings.create(NEW)),
    "create, warm": Operation(lambda client: client.meetings.create(NEW), before=get),
    "create, reconciled": Operation(lambda client: client.meetings.create(LOST, on_unknown="reconcile"), before=hurry),
    "update": Operation(lambda client: client.meetings.update(81, CHANGE)),
    "delete": Operation(lambda client: client.meetings.delete(81)),
    "oauth_url": Operation(lambda client: client.accounts.oauth_url()),
    "connect": Operation(lambda client: client.accounts.connect(code="c", name="n")),
    "iter_all, rows": Operation(rows),
    "iter_all, pages": Operation(pages),
    "iter_all, odd rows": Operation(odd, before=get),
    "iter_all, collect": Operation(lambda client: client.meetings.iter_all().collect()),
    "iter_all, first": Operation(lambda client: client.meetings.iter_all().first()),
    "iter_all, ahead": Operation(ahead, before=get),
    "iter_all, left": Operation(left, before=get),
    "get_many, awaited": Operation(awaited(lambda client: client.meetings.get_many([81] * 3, max_concurrency=2))),
    "get_many, streamed": Operation(streamed(lambda client: client.meetings.get_many([81] * 3, max_concurrency=2))),
    "create_many, awaited": Operation(
        awaited(lambda client: client.meetings.create_many([NEW, OTHER, NEW], max_concurrency=2))
    ),
    "create_many, streamed": Operation(
        streamed(lambda client: client.meetings.create_many([NEW, OTHER, NEW], max_concurrency=2))
    ),
    "create_many, reconciled": Operation(
        awaited(lambda client: client.meetings.create_many({"a": LOST, 2: NEW, 3: OTHER}, on_unknown="reconcile")),
        before=hurry,
    ),
    "update_many, awaited": Operation(
        awaited(lambda client: client.meetings.update_many([(81, CHANGE)] * 3, max_concurrency=2))
    ),
    "update_many, streamed": Operation(
        streamed(lambda client: client.meetings.update_many([(81, CHANGE)] * 3, max_concurrency=2))
    ),
    "delete_many, awaited": Operation(awaited(lambda client: client.meetings.delete_many(given(3), max_concurrency=2))),
    "delete_many, streamed": Operation(
        streamed(lambda client: client.meetings.delete_many(given(3), max_concurrency=2))
    ),
    "iter_accounts": Operation(accounts, before=get),
}
