"""Times as text: as Zoom writes them, as requests contain them, and the two date forms of HTTP headers."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from email.utils import formatdate
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

DATE_FORMAT: Final = "%m-%d-%Y"
"""How the page's only example of a day may be read."""
DAY: Final = 86_400.0
"""Seconds in a UTC day."""

_RFC3339: Final = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_ISO_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_DAY_TEXT: Final = re.compile(r"(\d\d)-(\d\d)-(\d{4})", re.ASCII)
# Not strftime: it follows the locale, and the service's rate limiter does not.
_WEEKDAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def zoom_time(epoch: float) -> str:
    """Format epoch seconds as Zoom does: ``2023-04-26T19:26:55Z``."""
    # Not strftime, which is several times slower: a large sandbox has a hundred thousand of these.
    return datetime.fromtimestamp(int(epoch), UTC).isoformat().removesuffix("+00:00") + "Z"


def read_instant(text: object) -> datetime | None:
    """Parse an RFC 3339 timestamp with an offset; None for anything else, and if UTC's calendar does not have it."""
    if not isinstance(text, str) or not _RFC3339.fullmatch(text):
        return None
    try:
        moment = datetime.fromisoformat(text.upper())
    except ValueError:
        return None
    return moment if in_zone(moment, UTC) is not None else None


def in_zone(moment: datetime, zone: tzinfo | None) -> datetime | None:
    """Convert a moment to a time zone; None without one, and if it is before the year 1 or after 9999 there."""
    try:
        return None if zone is None else moment.astimezone(zone)
    except OverflowError:
        return None


def read_zone(name: object) -> ZoneInfo | None:
    """Return the time zone with an IANA name; None for anything else."""
    if not isinstance(name, str):
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        # OSError: the name of a folder of zones, such as "Europe".
        return None


def read_end(text: object, zone: tzinfo) -> datetime | None:
    """Parse a timestamp with an offset, or a day: the last second of the day in a time zone; None for anything else."""
    if not isinstance(text, str) or not _ISO_DAY.fullmatch(text):
        return read_instant(text)
    try:
        end = datetime.combine(date.fromisoformat(text), time(23, 59, 59), zone)
    except ValueError:
        return None
    # West of Greenwich, the last day of the calendar ends after the calendar of UTC.
    return end if in_zone(end, UTC) is not None else end.replace(tzinfo=UTC)


def read_epoch(text: object) -> float | None:
    """Parse an RFC 3339 timestamp to epoch seconds; None for anything else."""
    moment = read_instant(text)
    return None if moment is None else moment.timestamp()


def read_day(text: str, form: str = DATE_FORMAT) -> float | None:
    """Parse a day in a format to the epoch second at which that UTC day begins; None if there is no such day."""
    if form == DATE_FORMAT:
        match = _DAY_TEXT.fullmatch(text)
        if match is None:
            return None
        month, day, year = (int(part) for part in match.groups())
        try:
            start = date(year, month, day)
        except ValueError:
            return None
    else:
        try:
            start = datetime.strptime(text, form).date()  # noqa: DTZ007  (a day has no zone)
        except ValueError:
            return None
    # Not datetime.timestamp(): the platform's conversion refuses years that this calculation handles.
    return (start - date(1970, 1, 1)) / timedelta(seconds=1)


def utc_day(epoch: float) -> int:
    """Return the number of the UTC day of an epoch time."""
    return int(epoch // DAY)


def http_date(epoch: float) -> str:
    """Format an epoch time as an HTTP ``Date`` header."""
    return formatdate(epoch, usegmt=True)


def javascript_date(epoch: float) -> str:
    """Format an epoch time as JavaScript's ``Date.prototype.toString`` does on a server in UTC."""
    moment = datetime.fromtimestamp(int(epoch), UTC)
    weekday, month = _WEEKDAYS[moment.weekday()], _MONTHS[moment.month - 1]
    clock = moment.strftime("%H:%M:%S")
    return f"{weekday} {month} {moment.day:02d} {moment.year} {clock} GMT+0000 (Coordinated Universal Time)"
