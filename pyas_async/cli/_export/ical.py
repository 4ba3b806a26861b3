"""Rows as an iCalendar file. Only this module imports icalendar."""

from collections.abc import Iterable
from datetime import datetime
from typing import IO, Final

from icalendar import Calendar, Event

from pyas_async import Meeting
from pyas_async._moments import in_utc, length, plus
from pyas_async.cli._export.lost import LostValues
from pyas_async.cli._output import clean, plural

_END: Final = b"END:VCALENDAR\r\n"


def write_calendar(rows: Iterable[tuple[str, Meeting]], file: IO[bytes], begun: str) -> str:
    """Write a calendar with an event for each row that has a start; return a note on what was left out.

    That is each row without a start, and each value that a calendar cannot hold.

    Args:
        rows: The rows.
        file: The file to write to.
        begun: The start of the export. It is the events' time stamp, so that the same rows give the same file.
    """
    calendar = Calendar()
    calendar.add("prodid", "-//pyas_async//pyas meetings export//EN")
    calendar.add("version", "2.0")
    file.write(calendar.to_ical().removesuffix(_END))
    timeless, lost, stamp = 0, LostValues("a calendar"), datetime.fromisoformat(begun)
    for account_id, meeting in rows:
        start = None if meeting.start_time is None else in_utc(meeting.start_time)
        if start is not None:
            file.write(_event(account_id, meeting, start, stamp, lost).to_ical())
        elif meeting.start_time is None:
            timeless += 1
        else:
            lost.add("start_time", meeting.id)
    file.write(_END)
    notes = [lost.note]
    if timeless:
        notes.append(f"{plural(timeless, 'meeting')} without a start, as instant ones, left out of the calendar")
    return "\n".join(filter(None, notes))


def _event(account_id: str, meeting: Meeting, start: datetime, stamp: datetime, lost: LostValues) -> Event:
    event = Event()
    # The uid is the identity of the row, so that a calendar that reads the file again recognises its events. (%Y writes
    # years before 1000 with fewer digits on some systems.)
    event.add("uid", f"{meeting.id}-{start.year:04}{start:%m%dT%H%M%SZ}-{meeting.uuid}@{account_id}")
    event.add("dtstamp", stamp)
    event.add("dtstart", start)
    if meeting.duration is not None:
        minutes = length(minutes=meeting.duration)
        # RFC 5545, 3.8.2.5: a duration is positive. Programs add it to the start, so the sum has to be a date as well.
        if minutes is None or meeting.duration < 0 or plus(start, minutes=meeting.duration) is None:
            lost.add("duration", meeting.id)
        else:
            event.add("duration", minutes)
    event.add("summary", clean(meeting.topic or ""))
    if meeting.agenda:
        event.add("description", "\n".join(map(clean, meeting.agenda.splitlines())))
    if meeting.created_at is not None:
        if (created := in_utc(meeting.created_at)) is None:
            lost.add("created_at", meeting.id)
        else:
            event.add("created", created)
    if meeting.join_url:
        event.add("url", clean(meeting.join_url))
        event.add("location", clean(meeting.join_url))
    return event
