"""The results and arguments of a listing."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator
from datetime import date, datetime
from typing import assert_type

from pyas_async import (
    AccountsIterator,
    AccountsStats,
    Checkpoint,
    IterationStats,
    ListType,
    Meeting,
    MeetingIterator,
    MeetingType,
    Page,
    PyasClient,
    PyasError,
)


async def one_page(client: PyasClient) -> None:
    """A call returns a page, whose rows are meetings."""
    page = await client.meetings.list(
        account_id="acc", max_results=300, start_date=date(2026, 1, 1), end_date="12-31-2026"
    )
    assert_type(page, Page)
    assert_type(page.meetings, tuple[Meeting, ...])
    assert_type(page.next_page_token, str | None)
    assert_type(page.meetings[0].id, int)
    assert_type(page.meetings[0].type, MeetingType | None)
    assert_type(page.meetings[0].start_time, datetime | None)
    page.meetings[0].topic.upper()  # type: ignore[union-attr]  # pyright: ignore[reportOptionalMemberAccess]
    page.meetings[0].agnda  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
    page.meetings[0].topic = "new"  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]
    client.meetings.list().meetings  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]


async def every_page(client: PyasClient) -> None:
    """An iteration yields meetings, or pages; it is an async iterator itself, and is not awaited."""
    listing = client.meetings.iter_all(account_id="acc")
    assert_type(listing, MeetingIterator)
    anything: AsyncIterator[Meeting] = listing
    async for meeting in anything:
        assert_type(meeting, Meeting)
    async for meeting in listing:
        assert_type(meeting, Meeting)
    async for page in listing.pages():
        assert_type(page, Page)
    async with client.meetings.iter_all() as meetings:
        assert_type(meetings, MeetingIterator)
        assert_type([meeting.topic async for meeting in meetings], list[str | None])
    assert_type(await listing.collect(), list[Meeting])
    assert_type(await listing.first(), Meeting | None)
    assert_type(await anext(listing), Meeting)
    assert_type(listing.stats, IterationStats)
    assert_type(listing.stats.missing, int | None)
    assert_type(listing.checkpoint(), Checkpoint)
    await listing  # type: ignore[misc]  # pyright: ignore[reportGeneralTypeIssues]
    for _ in listing:  # type: ignore[attr-defined]  # pyright: ignore[reportGeneralTypeIssues, reportUnknownVariableType]
        pass
    with listing:  # type: ignore[attr-defined]  # pyright: ignore[reportGeneralTypeIssues]
        pass


def arguments(client: PyasClient, place: Checkpoint) -> None:
    """Literals are checked; plain strings are accepted for the types of a listing, and for a checkpoint's text."""
    client.meetings.iter_all(type="upcoming", resume=place)
    client.meetings.iter_all(type=ListType.UPCOMING, resume=str(place))
    client.meetings.iter_all(verify_total="repair", on_expired="raise", max_items=None)
    client.meetings.iter_all("acc")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    client.meetings.iter_all(type=2)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    client.meetings.iter_all(page_size="300")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    client.meetings.iter_all(verify_total="fix")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    client.meetings.iter_all(on_expired="ignore")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    client.meetings.iter_all(resume={"token": ""})  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    client.meetings.iter_all(start_date=20260101)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    client.meetings.iter_all(next_page_token="t")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


async def many_accounts(client: PyasClient, account_ids: AsyncIterable[str]) -> None:
    """Many accounts yield pairs, from ids of any kind of iterable."""
    async with client.meetings.iter_accounts(account_ids, type="live") as pairs:
        assert_type(pairs, AccountsIterator)
        async for account_id, meeting in pairs:
            assert_type(account_id, str)
            assert_type(meeting, Meeting)
        async for chunk, place in pairs.chunks(pages=8):
            assert_type(chunk, list[tuple[str, Meeting]])
            assert_type(place, Checkpoint)
    assert_type(pairs.failures, dict[str, PyasError])
    assert_type(pairs.stats, AccountsStats)
    assert_type(pairs.checkpoint(), Checkpoint)
    client.meetings.iter_accounts(["a", "b"], resume=pairs.checkpoint())
    client.meetings.iter_accounts([1, 2])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]
    client.meetings.iter_accounts(["a"], prefetch=False)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
