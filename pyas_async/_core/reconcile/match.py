"""Finds the meeting of a create without a response among the rows of a listing.

A row counts as that meeting only if everything that rows say matches, and its `created_at` shows that it was made when
the create was sent. A meeting that may be the one, but is not certain to be, is a candidate.
"""

import enum
from collections.abc import Collection, Hashable, Iterable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import attrs

from pyas_async._core.calls import endpoints
from pyas_async._core.calls.messages import Call
from pyas_async._core.dates import DATE_FORMAT
from pyas_async._moments import in_whole_minutes, in_zone, plus_days
from pyas_async.models import ListType, Meeting, MeetingCreate, MeetingDetail, MeetingType

CLOCK_TOLERANCE = timedelta(seconds=10)
"""How far the service's clock and ours may differ for a row's `created_at` to prove that the meeting is new."""
CERTAINLY_OLDER = timedelta(days=1)
"""A row that was made this long before the create is another meeting, however wrong a clock or a time zone is."""
_SECOND = timedelta(seconds=1)
_DAYS_AROUND = 3
"""Days that are listed before and after the start: our day and the service's can differ by two, and the service may not
include the first and last day of a filter."""
_PERIODS = {"daily": 1, "weekly": 7, "monthly": 31}
_AGENDA_CUT = 249
"""From this many units of UTF-16 on, an agenda may have been cut: Zoom cuts at 250, which can lose half of a character.
"""


class Match(enum.Enum):
    """How well a meeting of the listing matches the wanted one."""

    SURE = "in everything, and it was made when the create was sent"
    POSSIBLE = "it may be the one, but its rows do not say enough to be sure"
    OLDER = "it was made before the create was sent, unless a clock is wrong"


@attrs.frozen(repr=False)
class WantedMeeting:
    """The meeting that a create asks for. It has no ``repr``, since tracebacks show variables."""

    account_id: str
    meeting: MeetingCreate = attrs.field(repr=False)  # hidden here as well: some printers read the fields
    date_format: str = DATE_FORMAT

    @property
    def call(self) -> Call[MeetingDetail]:
        """The call that creates it."""
        return endpoints.create_meeting(self.account_id, self.meeting)

    @property
    def start(self) -> datetime | None:
        """Its start; ``None`` for the types whose start Zoom does not keep."""
        timed = self.meeting.type in (MeetingType.SCHEDULED, MeetingType.RECURRING_FIXED)
        return self.meeting.start_date if timed else None

    @property
    def match_key(self) -> Hashable:
        """A key that is equal for two meetings of which one could be mistaken for the other."""
        start = None if self.start is None else in_whole_minutes(self.start).replace(microsecond=0)
        return self.account_id, self.meeting.type, self.meeting.title.strip(), start

    @property
    def filters(self) -> tuple[tuple[str, str], ...]:
        """The filters of a listing that must contain it. As documented, "scheduled" includes live and upcoming ones."""
        if self.start is None:
            return endpoints.list_filters(start_date=None, end_date=None, type=ListType.SCHEDULED)
        day, recurrence = self.start.date(), self.meeting.recurrence
        # The first date of a series comes within one of its periods.
        period = 0 if recurrence is None else recurrence.interval * _PERIODS[recurrence.type]
        first, last = plus_days(day, -_DAYS_AROUND), plus_days(day, period + _DAYS_AROUND)
        return endpoints.list_filters(
            start_date=first, end_date=last, type=ListType.SCHEDULED, date_format=self.date_format
        )


@attrs.frozen(repr=False)
class MatchResult:
    """The result of one lookup in the listing.

    Attributes:
        meeting: A row of the one meeting that it must be; ``None`` if there is no such meeting.
        candidates: A row of each meeting that may be it.
        look_again: Whether another lookup may find more: no meeting is listed yet that may have been made since.
    """

    meeting: Meeting | None
    candidates: tuple[Meeting, ...]
    look_again: bool


def find_match(
    wanted: WantedMeeting,
    rows: Iterable[Meeting],
    *,
    sent_at: datetime,
    now: datetime,
    claimed_ids: Collection[int] = (),
    has_rival: bool = False,
) -> MatchResult:
    """Find the meeting of a create among the rows of a listing.

    Args:
        wanted: The meeting that the create asked for.
        rows: The listing.
        sent_at: When the create was sent (aware).
        now: The wall clock after the listing (aware).
        claimed_ids: Meetings that other creates are known to have made.
        has_rival: Whether another create may have made an equal meeting.
    """
    meetings: dict[int, list[Meeting]] = {}
    for row in rows:
        if row.id not in claimed_ids:
            meetings.setdefault(row.id, []).append(row)
    matches = [
        (match, own_rows[0])
        for own_rows in meetings.values()
        if (match := _match(wanted, own_rows, sent_at, now)) is not None
    ]
    new = [(match, row) for match, row in matches if match is not Match.OLDER]
    found = new[0][1] if [match for match, _ in new] == [Match.SURE] and not has_rival else None
    return MatchResult(found, tuple(row for _, row in matches), look_again=not new)


def _match(wanted: WantedMeeting, rows: list[Meeting], sent_at: datetime, now: datetime) -> Match | None:
    """Compare all rows of one meeting with the wanted one; ``None`` if it is another meeting."""
    row, request = rows[0], wanted.meeting
    if row.topic is not None and row.topic.strip() != request.title.strip():
        return None
    if row.type is not None and row.type != request.type:
        return None
    starts = [each.start_time for each in rows if each.start_time is not None]
    if wanted.start is not None and starts and not _same_start(wanted.start, min(starts), request.type):
        return None
    made = row.created_at
    if made is not None and (older := sent_at - made) > CLOCK_TOLERANCE:
        return None if older > CERTAINLY_OLDER else Match.OLDER
    complete = None not in (row.topic, row.type, made) and (wanted.start is None or bool(starts))
    if not complete or (made is not None and made - now > CLOCK_TOLERANCE) or not _same_details(wanted, row):
        return Match.POSSIBLE
    return Match.SURE


def _same_start(wanted: datetime, start: datetime, kind: MeetingType) -> bool:
    # A series starts on the first day that its recurrence names. The service may not keep fractions of a second.
    return wanted - start < _SECOND and (start - wanted < _SECOND or kind is MeetingType.RECURRING_FIXED)


def _same_details(wanted: WantedMeeting, row: Meeting) -> bool:
    """Whether nothing that the row says differs from the request."""
    request = wanted.meeting
    # The service's documentation: the duration is only used for scheduled meetings.
    if request.type is MeetingType.SCHEDULED and row.duration not in (None, request.duration):
        return False
    if wanted.start is not None and not _same_zone(request.time_zone, row.timezone, wanted.start):
        return False
    return row.agenda is None or _same_agenda(request.description, row.agenda)


def _same_zone(wanted: str | None, zone: str | None, at: datetime) -> bool:
    if wanted is None or zone is None or wanted == zone:
        return True
    try:  # a zone may have two names, as "Asia/Calcutta" and "Asia/Kolkata"
        here, there = in_zone(at, ZoneInfo(wanted)), in_zone(at, ZoneInfo(zone))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return here is not None and there is not None and here.utcoffset() == there.utcoffset()


def _same_agenda(wanted: str, agenda: str) -> bool:
    if wanted.strip() == agenda.strip():
        return True
    units = len(agenda.encode("utf-16-le", "surrogatepass")) // 2
    return units >= _AGENDA_CUT and wanted.startswith(agenda.removesuffix("\N{REPLACEMENT CHARACTER}"))
