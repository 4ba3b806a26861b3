"""Which meeting of a listing is the one whose create was not answered.

A row is never taken for it unless it fits in all that rows say, and says itself that it was made when the create was
sent. What merely may be it is a candidate.
"""

import enum
from collections.abc import Collection, Hashable, Iterable
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import attrs

from pyas_async._core.calls import endpoints
from pyas_async._core.calls.messages import Call
from pyas_async.models import ListType, Meeting, MeetingCreate, MeetingDetail, MeetingType

CLOCKS = timedelta(seconds=10)
"""How far the service's clock and ours may be apart for a row's `created_at` to say that it is new."""
OLDER = timedelta(days=1)
"""A row that was made so long before is another meeting, however wrong a clock is, or a time zone was read."""
_SECOND = timedelta(seconds=1)
_AROUND = 3
"""Days around the start that are listed: ours and the service's can differ by two, and ends may not be included."""
_PERIODS = {"daily": 1, "weekly": 7, "monthly": 31}
_CUT = 249
"""An agenda of so many units of UTF-16 may have been cut: Zoom does at 250, which can lose half of a character."""


class Match(enum.Enum):
    """How a meeting fits what was asked for."""

    SURE = "in everything, and it was made when it was asked for"
    OPEN = "it may be the one, but it does not say all that it would take"
    OLDER = "it was made before, unless clocks are wrong"


@attrs.frozen(repr=False)
class WantedMeeting:
    """A meeting that was asked for. Its ``repr`` shows nothing of it, since tracebacks show variables."""

    account_id: str
    meeting: MeetingCreate = attrs.field(repr=False)  # some who print objects look into them all the same

    @property
    def call(self) -> Call[MeetingDetail]:
        """The call that creates it."""
        return endpoints.create_meeting(self.account_id, self.meeting)

    @property
    def start(self) -> datetime | None:
        """When it starts; ``None`` for the types of which Zoom keeps no start."""
        timed = self.meeting.type in (MeetingType.SCHEDULED, MeetingType.RECURRING_FIXED)
        return self.meeting.start_date if timed else None

    @property
    def looks(self) -> Hashable:
        """What another meeting must have in common with it to be taken for it."""
        start = None if self.start is None else self.start.astimezone(UTC).replace(microsecond=0)
        return self.account_id, self.meeting.type, self.meeting.title.strip(), start

    @property
    def filters(self) -> tuple[tuple[str, str], ...]:
        """The filters of the listing that it must be in. The page: "scheduled" includes live and upcoming ones."""
        if self.start is None:
            return endpoints.list_filters(start_date=None, end_date=None, type=ListType.SCHEDULED)
        day, recurrence = self.start.toordinal(), self.meeting.recurrence
        # The first date of a series comes within one of its periods.
        period = 0 if recurrence is None else recurrence.interval * _PERIODS[recurrence.type]
        first = date.fromordinal(max(day - _AROUND, 1))
        last = date.fromordinal(min(day + period + _AROUND, date.max.toordinal()))
        return endpoints.list_filters(start_date=first, end_date=last, type=ListType.SCHEDULED)


@attrs.frozen(repr=False)
class MatchResult:
    """What a look at the listing brought.

    Attributes:
        meeting: A row of the one meeting that it is; ``None`` if that cannot be said.
        candidates: A row of each meeting that may be it.
        hopeful: Whether another look may bring more: nothing is in the listing yet that may have been made since.
    """

    meeting: Meeting | None
    candidates: tuple[Meeting, ...]
    hopeful: bool


def find_match(
    asked: WantedMeeting,
    rows: Iterable[Meeting],
    *,
    sent_at: datetime,
    now: datetime,
    taken: Collection[int] = (),
    contested: bool = False,
) -> MatchResult:
    """Find the meeting that was asked for among the rows of a listing.

    Args:
        asked: What was asked for.
        rows: The listing.
        sent_at: When the create was sent (aware).
        now: The wall clock after the look (aware).
        taken: Meetings that are known to be those of other creates.
        contested: Whether another create may have made a meeting that looks the same.
    """
    meetings: dict[int, list[Meeting]] = {}
    for row in rows:
        if row.id not in taken:
            meetings.setdefault(row.id, []).append(row)
    fits = [(fit, mine[0]) for mine in meetings.values() if (fit := _fit(asked, mine, sent_at, now)) is not None]
    new = [(fit, row) for fit, row in fits if fit is not Match.OLDER]
    one = new[0][1] if [fit for fit, _ in new] == [Match.SURE] and not contested else None
    return MatchResult(one, tuple(row for _, row in fits), hopeful=not new)


def _fit(asked: WantedMeeting, rows: list[Meeting], sent_at: datetime, now: datetime) -> Match | None:
    """Say how a meeting fits, all of whose rows these are; ``None`` if it is another one."""
    row, wanted = rows[0], asked.meeting
    if row.topic is not None and row.topic.strip() != wanted.title.strip():
        return None
    if row.type is not None and row.type != wanted.type:
        return None
    starts = [each.start_time for each in rows if each.start_time is not None]
    if asked.start is not None and starts and not _starts_then(asked.start, min(starts), wanted.type):
        return None
    made = row.created_at
    if made is not None and made < sent_at - CLOCKS:
        return None if made < sent_at - OLDER else Match.OLDER
    told = None not in (row.topic, row.type, made) and (asked.start is None or bool(starts))
    if not told or (made is not None and made > now + CLOCKS) or not _same_details(asked, row):
        return Match.OPEN
    return Match.SURE


def _starts_then(wanted: datetime, start: datetime, kind: MeetingType) -> bool:
    late = start - wanted
    # A series starts on the first day that its recurrence names. The service may know no fractions of a second.
    return late > -_SECOND and (late < _SECOND or kind is MeetingType.RECURRING_FIXED)


def _same_details(asked: WantedMeeting, row: Meeting) -> bool:
    """Whether nothing that the row says differs from what was asked for."""
    wanted = asked.meeting
    # The page: the duration is only used for scheduled meetings.
    if wanted.type is MeetingType.SCHEDULED and row.duration not in (None, wanted.duration):
        return False
    if asked.start is not None and not _same_zone(wanted.time_zone, row.timezone, asked.start):
        return False
    return row.agenda is None or _same_agenda(wanted.description, row.agenda)


def _same_zone(wanted: str | None, zone: str | None, at: datetime) -> bool:
    if wanted is None or zone is None or wanted == zone:
        return True
    try:  # "Asia/Calcutta" is "Asia/Kolkata"
        return at.astimezone(ZoneInfo(wanted)).utcoffset() == at.astimezone(ZoneInfo(zone)).utcoffset()
    except (ZoneInfoNotFoundError, ValueError, OSError, OverflowError):
        return False


def _same_agenda(wanted: str, agenda: str) -> bool:
    if wanted.strip() == agenda.strip():
        return True
    units = len(agenda.encode("utf-16-le", "surrogatepass")) // 2
    return units >= _CUT and wanted.startswith(agenda.removesuffix("\N{REPLACEMENT CHARACTER}"))
