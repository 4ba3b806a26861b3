"""Single calls: their ids, arguments and results."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, assert_type
from zoneinfo import ZoneInfo

from pyas_async import (
    UNSET,
    Attendee,
    ConnectedAccount,
    Meeting,
    MeetingCreate,
    MeetingDetail,
    MeetingId,
    MeetingType,
    MeetingUpdate,
    PyasClient,
    Recurrence,
    from_dict,
    to_dict,
)

START = datetime(2026, 12, 1, tzinfo=UTC)


async def single_calls(client: PyasClient, new: MeetingCreate, meeting_id: MeetingId) -> None:
    """A number or a text names a meeting; an update may return nothing, and a delete returns nothing."""
    assert_type(await client.meetings.get(81), MeetingDetail)
    assert_type(await client.meetings.get(meeting_id, account_id="acc"), MeetingDetail)
    assert_type(await client.meetings.create(new, on_unknown="reconcile"), MeetingDetail)
    row: Meeting = await client.meetings.get("81")
    updated = await client.meetings.update(row.id, MeetingUpdate(title="new"))
    assert_type(updated, MeetingDetail | None)
    updated.topic  # type: ignore[union-attr]  # pyright: ignore[reportOptionalMemberAccess]
    if updated is not None:
        assert_type(updated.topic, str | None)
    assert_type(await client.accounts.oauth_url(state="s"), str)
    assert_type(await client.accounts.connect(code="c", name="n"), ConnectedAccount)
    gone = await client.meetings.delete(81)  # type: ignore[func-returns-value]
    assert_type(gone, None)


async def mistakes(client: PyasClient, new: MeetingCreate, changes: MeetingUpdate) -> None:
    """The account is given by keyword only; a float is not an id; a change or a dict is not a meeting."""
    await client.meetings.get(81, "acc")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    await client.meetings.create(new, "acc")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    await client.meetings.update(81, changes, "acc")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    await client.meetings.delete(81, "acc")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    await client.meetings.list("acc")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    await client.meetings.get(8.1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await client.meetings.get(None)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await client.meetings.get(81, account_id=None)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await client.meetings.get(81, account_id=7)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await client.meetings.create(changes)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await client.meetings.create({"title": "t"})  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await client.meetings.create(new, on_unknown="retry")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await client.meetings.update(81, new)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await client.meetings.update(81, title="new")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    await client.accounts.connect("c", "n")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    client.meetings.get(81).topic  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]


def creating() -> None:
    """A meeting's arguments accept the user's types, and its attributes have the converted ones."""
    new = MeetingCreate(
        type=2,
        title="t",
        description="",
        start_date=START,
        time_zone=ZoneInfo("Europe/Berlin"),
        attendees=[Attendee("ada@example.com")],
    )
    assert_type(new.type, MeetingType)
    assert_type(new.time_zone, str | None)
    assert_type(new.attendees, tuple[Attendee, ...])
    assert_type(new.duration, int)
    MeetingCreate(type=MeetingType.RECURRING, title="t", description="", start_date=START, time_zone="UTC")
    Recurrence(type="weekly", interval=1, days_of_week=["monday"])
    MeetingCreate(type=2, title="t", description="")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    MeetingCreate(type="2", title="t", description="", start_date=START)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    MeetingCreate(type=2, title="t", description="", start_date="2026")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    MeetingCreate(type=2, title="t", description=None, start_date=START)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    MeetingCreate(
        type=2,
        title="t",
        description="",
        start_date=START,
        attendees=[5],  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]
    )
    Recurrence(type="yearly", interval=1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    new.title = "other"  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]


def changing() -> None:
    """A field that was not given is UNSET, which checkers tell from a value; None is accepted only with a meaning."""
    changes = MeetingUpdate(title="t", waiting_room=None, recurrence=None, time_zone=None, description=UNSET)
    if changes.title is not UNSET:
        assert_type(changes.title, str)
    if changes.waiting_room is not UNSET:
        assert_type(changes.waiting_room, bool | None)
    changes.title.upper()  # type: ignore[union-attr]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
    MeetingUpdate(title=None)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    MeetingUpdate(duration=None)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    MeetingUpdate("new")  # type: ignore[call-arg, arg-type]  # pyright: ignore[reportCallIssue]
    MeetingUpdate(topic="new")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


def documents(meeting: MeetingDetail) -> None:
    """A model becomes a document, and a document the named model."""
    assert_type(to_dict(meeting), dict[str, Any])
    assert_type(from_dict(Meeting, {"id": 1}), Meeting)
    assert_type(from_dict(MeetingDetail, to_dict(meeting)), MeetingDetail)
    assert_type(meeting.extra, Mapping[str, Any])
    from_dict(Meeting(id=1), {"id": 1})  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    from_dict(Meeting, "{}")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
