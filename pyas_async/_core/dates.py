"""Dates: reading every form that the service, Zoom and HTTP are known to write, and writing the two that are sent."""

import re
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache

import msgspec

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


def filter_date(value: date | str) -> str:
    """Write a date for a filter as MM-DD-YYYY, as the only documented example may be read; a string is not changed."""
    return value if isinstance(value, str) else f"{value.month:02}-{value.day:02}-{value.year:04}"
