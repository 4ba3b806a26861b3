"""Dates: reading every form that the service, Zoom and HTTP are known to write, and writing the two that are sent."""

import re
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Final

import msgspec

DATE_FORMAT: Final = "%m-%d-%Y"
"""How filters write a day unless a client is told otherwise: as the service's only documented example may be read."""
_YEAR = re.compile("%%|%Y")
_DIGITS = re.compile(r"[0-9]+(?:[-./ ][0-9]+)+")
_ISO_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_LONGEST_CACHED = 100
"""The longest header whose date is cached, in characters; every date is shorter."""
# "Sun Nov 22 2026 08:11:36 GMT+0000 (Coordinated Universal Time)": what JavaScript's Date.toString() gives.
_JAVASCRIPT = re.compile(r"^[A-Za-z]{3} ([A-Za-z]{3} \d{1,2} \d{4} \d{2}:\d{2}:\d{2}) (?:GMT|UTC)([+-]\d{4})")


def parse_field(text: str) -> datetime | None:
    """Read the date of a JSON field: naive if it has no offset, ``None`` if it cannot be read."""
    text = text.strip()
    try:
        return msgspec.convert(text, datetime)  # reads as the fast path of the codec does
    except msgspec.ValidationError:
        pass
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def parse_header(text: str) -> datetime | None:
    """Read the date of a header, in HTTP's form, ISO 8601 or JavaScript's: aware, or ``None`` if it is not a date."""
    return _parse_header(text) if len(text) <= _LONGEST_CACHED else _parse_header.__wrapped__(text)


@lru_cache(maxsize=64)
def _parse_header(text: str) -> datetime | None:
    # The headers of successive responses repeat dates, and parsing one takes longer than everything else in them.
    text = text.strip()
    if text.isdigit():
        return None  # a number of seconds or milliseconds, of which some have the form of a compact ISO date
    if found := _JAVASCRIPT.match(text):
        try:
            return datetime.strptime(f"{found[1]} {found[2]}", "%b %d %Y %H:%M:%S %z")
        except ValueError:
            return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        try:
            moment = parsedate_to_datetime(text)
        except (ValueError, TypeError, IndexError, OverflowError):
            return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def rfc3339(moment: datetime) -> str:
    """Write a moment in the form of RFC 3339: ``Z`` for UTC, and as few digits of a second as it needs."""
    offset = moment.utcoffset()
    if offset is None or offset.total_seconds() % 60:
        from pyas_async._moments import in_whole_minutes  # noqa: PLC0415 -- few programs write such a moment

        moment = in_whole_minutes(moment)  # offsets with seconds (local mean times) have no RFC 3339 form
    digits = "microseconds" if moment.microsecond % 1000 else "milliseconds" if moment.microsecond else "seconds"
    written = moment.isoformat(timespec=digits)
    return written.removesuffix("+00:00") + "Z" if written.endswith("+00:00") else written


def read_day(text: str) -> date | None:
    """Read an ISO day: ``2026-01-31``, ``20260131`` or ``2026-W05-6``; ``None`` if it is none."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def is_written_day(text: str, date_format: str) -> bool:
    """Whether a text is a day in the service's own format: digits with separators, or as `date_format` writes them."""
    if _DIGITS.fullmatch(text):
        return not _ISO_DAY.fullmatch(text)  # of this form, only a day of the calendar is one
    try:
        datetime.strptime(text, date_format)  # noqa: DTZ007  (a day has no zone)
    except (ValueError, re.error):
        return False
    return True


def filter_date(value: date | str, date_format: str = DATE_FORMAT) -> str:
    """Write a day for a filter; a string is not changed.

    Args:
        value: The day.
        date_format: How to write it, as for `datetime.date.strftime`.
    """
    if isinstance(value, str):
        return value
    # Some systems write years before 1000 with fewer digits.
    form = _YEAR.sub(lambda found: found[0] if found[0] == "%%" else f"{value.year:04}", date_format)
    return value.strftime(form)
