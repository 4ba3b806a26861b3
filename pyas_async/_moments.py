"""Arithmetic with moments and days that never raises: the only module that changes zones or adds to a date.

A ``datetime`` holds the years 1 to 9999. Services write the ends of that range as sentinels (``0001-01-01T00:00:00Z``
is the zero time of Go and .NET), and almost any zone or sum moves these beyond it. So each function returns ``None``
where the result would be outside of the calendar, and its caller says what that means.
"""

from datetime import UTC, date, datetime, timedelta, timezone, tzinfo

LAST: datetime = datetime.max.replace(tzinfo=UTC)
"""The last moment that a ``datetime`` in UTC can hold."""
_MOST = 24 * 60 - 1
"""The largest offset that Python has, in minutes."""
_ERRORS = (OverflowError, ValueError, OSError)
"""What Python raises at the ends of the calendar, and for zones of the machine that it cannot represent."""


def plain_datetime(moment: datetime) -> datetime | None:
    """Return a ``datetime`` of no subclass, such as the Timestamp of pandas; ``None`` for its "not a time"."""
    if type(moment) is datetime:
        return moment
    try:
        return datetime.combine(date(moment.year, moment.month, moment.day), moment.time(), moment.tzinfo).replace(
            fold=moment.fold
        )
    except (TypeError, ValueError):
        return None


def in_zone(moment: datetime, zone: tzinfo | None) -> datetime | None:
    """Return the same moment in a zone, ``None`` for the machine's; or ``None`` if the zone's calendar lacks it."""
    try:
        return moment.astimezone(zone)
    except _ERRORS:
        if zone is None:
            return None
    # `astimezone` goes through UTC, which may lack a moment that both zones have. At the ends of the calendar, no zone
    # changes its offset.
    naive = moment.replace(tzinfo=None)
    try:
        return naive.replace(tzinfo=zone) + (_offset(naive.replace(tzinfo=zone)) - _offset(moment))
    except _ERRORS:
        return None


def _offset(moment: datetime) -> timedelta:
    return moment.utcoffset() or timedelta()


def in_utc(moment: datetime) -> datetime | None:
    """Return the same moment in UTC, or ``None`` if UTC's calendar lacks it."""
    return in_zone(moment, UTC)


def in_whole_minutes(moment: datetime) -> datetime:
    """Return the same moment with an offset of whole minutes: UTC, or the nearest at the ends of the calendar."""
    offset = _offset(moment) // timedelta(minutes=1)
    for minutes in (0, offset, offset + 1):
        found = in_zone(moment, timezone(timedelta(minutes=minutes)))
        if found is not None:
            return found
    return moment.replace(tzinfo=UTC)  # only a naive moment, which the machine's zone cannot represent


def plus(moment: datetime, *, seconds: float = 0, minutes: int = 0) -> datetime | None:
    """Return a moment that much later, in the same zone; ``None`` if that is outside of the calendar."""
    # In a fixed offset, since a sum in a zone ignores changes of its clocks.
    fixed = in_utc(moment) or moment.replace(tzinfo=timezone(_offset(moment)))
    try:
        later = fixed + timedelta(seconds=seconds, minutes=minutes)
    except _ERRORS:
        return None
    return in_zone(later, moment.tzinfo)


def from_epoch(microseconds: int) -> datetime | None:
    """Return the moment that many microseconds after 1970; in UTC, or in an offset whose calendar has it."""
    for minutes in (0, _MOST, -_MOST):
        offset = timedelta(minutes=minutes)
        try:
            return datetime(1970, 1, 1, tzinfo=timezone(offset)) + (offset + timedelta(microseconds=microseconds))
        except _ERRORS:
            pass
    return None


def length(*, minutes: int) -> timedelta | None:
    """Return a duration, or ``None`` if a ``timedelta`` cannot hold it."""
    try:
        return timedelta(minutes=minutes)
    except OverflowError:
        return None


def plus_days(day: date, days: int) -> date:
    """Return a day that much later; the first or the last day of the calendar, if it would be outside."""
    return date.fromordinal(min(max(day.toordinal() + days, 1), date.max.toordinal()))


def exists(moment: datetime) -> bool:
    """Whether clocks in the moment's zone show it: they skip an hour when they are set forward."""
    utc = in_utc(moment)
    back = None if utc is None else in_zone(utc, moment.tzinfo)
    return back is None or back.replace(tzinfo=None, fold=0) == moment.replace(tzinfo=None, fold=0)


def is_ambiguous(moment: datetime) -> bool:
    """Whether clocks in the moment's zone show it twice: they repeat an hour when they are set back."""
    return exists(moment) and moment.replace(fold=0).utcoffset() != moment.replace(fold=1).utcoffset()
