"""Checks of arguments before anything is sent. Each returns the value in the form that is sent."""

from datetime import UTC, date, datetime
from enum import Enum
from typing import TypeVar

from pyas_async.errors import InvalidArgumentError

E = TypeVar("E", bound=Enum)
_MOST = 2**63 - 1
"""The largest 64-bit integer: no service takes a larger one, and Python refuses to write very large ones."""
T = TypeVar("T")


def whole_number(field: str, value: object, *, minimum: int, maximum: int | None = None) -> int:
    """Return a whole number within bounds; digits in a string are accepted."""
    expected = f"a whole number >= {minimum}" if maximum is None else f"a whole number from {minimum} to {maximum}"
    number = value
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20:
        number = int(value)
    if not isinstance(number, int) or isinstance(number, bool) or number < minimum:
        raise InvalidArgumentError(field, expected, value)
    if number > (_MOST if maximum is None else maximum):
        raise InvalidArgumentError(field, expected, value)
    return int(number)


def text(field: str, value: object, *, maximum: int | None = None, empty: bool = False) -> str:
    """Return a string; a blank one is refused unless `empty`."""
    expected = "a string" if empty else "a string that is not blank"
    if not isinstance(value, str) or (not empty and not value.strip()):
        raise InvalidArgumentError(field, expected, value)
    if maximum is not None and len(value) > maximum:
        raise InvalidArgumentError(field, f"{maximum} characters at most (Zoom's limit)", f"<{len(value)} characters>")
    lone = None
    try:
        value.encode()
    except UnicodeEncodeError as error:
        lone = error.start
    if lone is not None:  # raised outside of the handler: the ``repr`` of its error has the whole text
        raise InvalidArgumentError(field, "text that UTF-8 can carry", f"<a lone surrogate at {lone}>")
    return value


def secret(field: str, value: object, expected: str, *, blank: bool = False, hint: str = "") -> str:
    """Return a secret string. A blank one is refused unless `blank`. The error does not show the value."""
    if not isinstance(value, str) or not (value if blank else value.strip()):
        raise InvalidArgumentError(field, expected, f"<{type(value).__name__}>", hint=hint)
    return text(field, value, empty=True)


def yes_or_no(field: str, value: object) -> bool:
    """Return ``True`` or ``False``; other truthy or falsy values are refused."""
    if not isinstance(value, bool):
        raise InvalidArgumentError(field, "True or False", value)
    return value


def aware_datetime(field: str, value: object) -> datetime:
    """Return an aware datetime; a naive one is refused."""
    expected = "an aware datetime"
    if not isinstance(value, datetime):
        raise InvalidArgumentError(
            field, expected, value, hint="Build one: datetime(2026, 1, 31, 9, tzinfo=ZoneInfo('…'))"
        )
    if value.utcoffset() is None:
        raise InvalidArgumentError(
            field, expected, value, hint="A naive one names no moment: add tzinfo=UTC or a ZoneInfo"
        )
    try:
        value.astimezone(UTC)
    except OverflowError:
        raise InvalidArgumentError(field, "a moment between the years 1 and 9999 in UTC", value) from None
    return value


def zone(field: str, value: object) -> str:
    """Return the IANA name of a time zone, given by name or as a ``ZoneInfo``."""
    import zoneinfo  # noqa: PLC0415 -- it is slow to import, and many programs only read

    expected = "an IANA time zone name such as 'Europe/Berlin'"
    name = value.key if isinstance(value, zoneinfo.ZoneInfo) else value
    if not isinstance(name, str) or not name:
        raise InvalidArgumentError(field, expected, value)
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise InvalidArgumentError(field, expected, value) from None
    return name


def member(field: str, kind: type[E], value: object, allowed: tuple[E, ...] | None = None) -> E:
    """Return a member of an enumeration, given as the member or by its value."""
    choices = tuple(kind) if allowed is None else allowed
    expected = "one of " + ", ".join(f"{choice.value!r} ({choice.name})" for choice in choices)
    found = None
    # ``True`` equals 1, and a float can equal an int, but neither is meant as a type of meeting. Other objects, such
    # as arrays, may not compare to a single bool.
    if isinstance(value, (int, str)) and not isinstance(value, bool):
        found = next((choice for choice in choices if choice.value == value), None)
    if found is None:
        raise InvalidArgumentError(field, expected, value)
    return found


def choice(field: str, value: T, allowed: tuple[T, ...]) -> T:
    """Return one of the allowed words."""
    if not isinstance(value, str) or value not in allowed:
        raise InvalidArgumentError(field, "one of " + ", ".join(map(repr, allowed)), value)
    return value


def calendar_date(field: str, value: object) -> date | str:
    """Return a date. A string is returned unchanged, since the page does not say which form its dates have."""
    expected = "a datetime.date, or a string that goes out as it is"
    if isinstance(value, datetime):
        raise InvalidArgumentError(field, expected, value, hint="The service filters by day: pass .date() of it")
    if isinstance(value, str):
        return text(field, value)
    if not isinstance(value, date):
        raise InvalidArgumentError(field, expected, value)
    return value


def ordered(field: str, start: object, end: object) -> None:
    """Refuse an end before its start, if both are datetimes or both are dates."""
    for kind in (datetime, date):
        if isinstance(start, kind) and isinstance(end, kind):
            if end < start:
                raise InvalidArgumentError(field, f"nothing before the start, {start.isoformat()}", end)
            return


def rfc3339(moment: datetime) -> str:
    """Format a moment as RFC 3339: ``Z`` for UTC, and no more fractional digits than needed."""
    offset = moment.utcoffset()
    if offset is None or offset.total_seconds() % 60:
        moment = moment.astimezone(UTC)  # RFC 3339 cannot express offsets with seconds (local mean times)
    digits = "microseconds" if moment.microsecond % 1000 else "milliseconds" if moment.microsecond else "seconds"
    written = moment.isoformat(timespec=digits)
    return written.removesuffix("+00:00") + "Z" if written.endswith("+00:00") else written
