"""Every call of the client in every form, for the document, the sandbox and Prism."""

from __future__ import annotations

import contextlib
from datetime import UTC, date, datetime, timedelta, timezone
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from pyas_async import (
    Attendee,
    ListType,
    MeetingCreate,
    MeetingType,
    MeetingUpdate,
    NotFoundError,
    PyasClient,
    Recurrence,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

ACCOUNT = "123654-46204525-b574-9ad72ae18c9e"
"""The account of the examples of the page and the document."""
START = datetime(2031, 4, 26, 19, 51, 48, tzinfo=UTC)
STARTS = [
    START,
    START.replace(microsecond=109_000),
    START.replace(microsecond=123_456, tzinfo=timezone(timedelta(hours=-3, minutes=-30))),
    START.replace(tzinfo=ZoneInfo("America/Los_Angeles")),
]
NEW = [
    *(MeetingCreate(type=2, title="Test Meeting", description="An example", start_date=start) for start in STARTS),
    MeetingCreate(type=MeetingType.INSTANT, title="t" * 200, description="", start_date=START, waiting_room=False),
    MeetingCreate(
        type=8,
        title="日次 🚀",
        description="d" * 2000,
        start_date=START,
        duration=1,
        time_zone="Europe/Berlin",
        waiting_room=True,
        attendees=[Attendee("example@gmail.com"), Attendee("ada@example.com")],
        recurrence=Recurrence(type="weekly", interval=2, days_of_week=["monday", "sunday"], end_date=START),
    ),
    *(
        MeetingCreate(type=kind, title="Series", description="", start_date=START, recurrence=recurrence)
        for kind in (3, 8)
        for recurrence in (
            Recurrence(type="daily", interval=1),
            Recurrence(type="daily", interval="3", start_date=START, end_date=START + timedelta(days=9)),
            Recurrence(type="weekly", interval=1),
            Recurrence(type="monthly", interval=1, day_of_month=31),
            Recurrence(type="monthly", interval=12, day_of_month="1", month=4),
        )
    ),
]
CHANGES = [
    MeetingUpdate(title="Test Meeting - Updated"),
    MeetingUpdate(description="", duration="45", waiting_room=True),
    MeetingUpdate(attendees=[]),
    MeetingUpdate(
        type=8,
        title="All of it",
        description="This is an example meeting - updated",
        start_date=START,
        duration=30,
        time_zone=ZoneInfo("Asia/Tokyo"),
        waiting_room=False,
        attendees=[Attendee("example@gmail.com")],
        recurrence=Recurrence(type="weekly", interval=1, days_of_week=["wednesday"]),
    ),
    MeetingUpdate(recurrence=Recurrence(type="daily", interval=2)),
]


async def make_every_call(client: PyasClient, *, known: int | None = None) -> None:
    """Make every call on the account of the client.

    Args:
        client: Bound to an account.
        known: The number of an existing meeting; by default one that was created. A mock knows only the meeting of its
            document's example, and the client accepts no response about another meeting.
    """
    meetings = client.meetings
    first = await meetings.list(max_results=5)
    await meetings.list(max_results=300, page_number=2, start_date=date(2020, 2, 29), end_date=date(2031, 12, 31))
    for kind in ListType:
        await meetings.list(type=kind)
    await meetings.iter_all(page_size=7, start_date="01-01-2022").collect()
    async with meetings.iter_accounts([ACCOUNT]) as pairs:
        async for _ in pairs:
            pass

    made = [await meetings.create(new) for new in NEW]
    there = made[1].id if known is None else known
    for meeting_id in (there, str(there), made[0].uuid):
        await meetings.get(meeting_id)
    # The sandbox has no such meeting; the encoding of its path is under test.
    for uuid in ("/ab//c+d/==", "4444AAAiAAAAAiAiAiiAii==", "日本 %2F?#"):
        with contextlib.suppress(NotFoundError):
            await meetings.get(uuid)
    for changes in CHANGES:
        await meetings.update(made[0].id, changes)
    await meetings.delete(made[0].id)

    for run in (
        meetings.get_many([there, str(there)]),
        meetings.create_many(NEW[:2]),
        meetings.update_many({made[1].id: CHANGES[0]}),
        meetings.delete_many(_ids(made[1].id, made[2].id)),
    ):
        for outcome in await run:
            outcome.unwrap()
    await client.accounts.oauth_url()
    await client.accounts.oauth_url(state="from here/?&=")
    await client.accounts.connect(code="c0de", name="Søren")
    if first.next_page_token is not None:
        await meetings.list(max_results=5, next_page_token=first.next_page_token)


async def _ids(*ids: int) -> AsyncIterator[int]:
    for meeting_id in ids:
        yield meeting_id
