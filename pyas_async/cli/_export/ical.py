"""Rows as an iCalendar file. Only this module imports icalendar."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import IO, Final

from icalendar import Calendar, Event

from pyas_async import Meeting
from pyas_async.cli._output import clean, plural

_END: Final = b"END:VCALENDAR\r\n"


def write_calendar(rows: Iterable[tuple[str, Meeting]], file: IO[bytes], begun: str) -> str:
    """Write a calendar with an event for each row that has a start; return a note on rows without one.

    Args:
        rows: The rows.
        file: The file to write to.
        begun: The start of the export. It is the events' time stamp, so that the same rows give the same file.
    """
    calendar = Calendar()
    calendar.add("prodid", "-//pyas_async//pyas meetings export//EN")
    calendar.add("version", "2.0")
    file.write(calendar.to_ical().removesuffix(_END))
    timeless, stamp = 0, datetime.fromisoformat(begun)
    for account_id, meeting in rows:
        if meeting.start_time is None:
            timeless += 1
        else:
            file.write(_event(account_id, meeting, meeting.start_time.astimezone(UTC), stamp).to_ical())
    file.write(_END)
    return (
        f"{plural(timeless, 'meeting')} without a start, as instant ones, left out of the calendar" if timeless else ""
    )


def _event(account_id: str, meeting: Meeting, start: datetime, stamp: datetime) -> Event:
    event = Event()
    # The uid is the identity of the row, so that a calendar that reads the file again recognises its events.
    event.add("uid", f"{meeting.id}-{start:%Y%m%dT%H%M%SZ}-{meeting.uuid}@{account_id}")
    event.add("dtstamp", stamp)
    event.add("dtstart", start)
    if meeting.duration is not None:
        event.add("duration", timedelta(minutes=meeting.duration))
    event.add("summary", clean(meeting.topic or ""))
    if meeting.agenda:
        event.add("description", "\n".join(map(clean, meeting.agenda.splitlines())))
    if meeting.created_at is not None:
        event.add("created", meeting.created_at.astimezone(UTC))
    if meeting.join_url:
        event.add("url", clean(meeting.join_url))
        event.add("location", clean(meeting.join_url))
    return event
