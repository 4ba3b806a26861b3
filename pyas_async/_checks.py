"""Checks of arguments and settings, before anything is sent.

Each check returns the value in the form that is sent, or raises an error that names the argument, what was expected
and what was passed.
"""

import sys
from datetime import UTC, date, datetime
from enum import Enum
from typing import TypeGuard, TypeVar

from pyas_async._base_errors import ConfigurationError, InvalidArgumentError, shown

E = TypeVar("E", bound=Enum)
T = TypeVar("T")
Refusal = type[InvalidArgumentError] | type[ConfigurationError]
"""The class of the error that a check raises."""
_LARGEST = 2**63 - 1
"""The bound where a check names none: no service takes a larger number, and Python does not write every larger one."""


def refusal(error: Refusal, name: str, expected: str, value: object) -> InvalidArgumentError | ConfigurationError:
    """Make the error for a value that was refused, with the same text for each class."""
    if issubclass(error, InvalidArgumentError):
        return error(name, expected, value)
    return error(f"{name}: expected {expected}, got {shown(value)}")


def is_number(value: object) -> TypeGuard[float]:
    """Whether a value is a finite number that a float can hold, and not a boolean."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) <= sys.float_info.max


def number(
    name: str,
    value: object,
    *,
    minimum: float = 0,
    maximum: float = sys.float_info.max,
    above: bool = False,
    unit: str = "a number",
    error: Refusal = InvalidArgumentError,
) -> float:
    """Check that a value is a number within bounds.

    Args:
        name: The argument or setting, for the message.
        value: The value.
        minimum: The lower bound.
        maximum: The upper bound; none unless given.
        above: Whether the lower bound itself is refused.
        unit: What is expected, for the message: "a number" or "seconds".
        error: The class of the error.
    """
    if is_number(value) and minimum <= value <= maximum and not (above and value == minimum):
        return value
    if maximum == sys.float_info.max:
        bounds = f"above {minimum:g}" if above else f">= {minimum:g}"
    else:
        bounds = f"above {minimum:g} and at most" if above else f"from {minimum:g} to"
        bounds = f"{bounds} {maximum:,.10g}"
    raise refusal(error, name, f"{unit} {bounds}", value)


def whole_number(
    name: str,
    value: object,
    *,
    minimum: int,
    maximum: int | None = None,
    digits: bool = True,
    unit: str = "a whole number",
    error: Refusal = InvalidArgumentError,
) -> int:
    """Check that a value is a whole number within bounds.

    Args:
        name: The argument or setting, for the message.
        value: The value.
        minimum: The lower bound.
        maximum: The upper bound; 2**63 - 1 unless given.
        digits: Whether a string of digits is taken as well.
        unit: What is expected, for the message: "a whole number of calls", for example.
        error: The class of the error.
    """
    whole = value
    if digits and isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20:
        whole = int(value)
    largest = _LARGEST if maximum is None else maximum
    if isinstance(whole, int) and not isinstance(whole, bool) and minimum <= whole <= largest:
        return int(whole)
    bounds = f">= {minimum}" if maximum is None else f"from {minimum} to {maximum:,}"
    raise refusal(error, name, f"{unit} {bounds}", value)


def text(field: str, value: object, *, maximum: int | None = None, empty: bool = False) -> str:
    """Check that a value is a string, and not a blank one unless `empty`."""
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
    if lone is not None:  # outside of the handler, whose error has the whole text in its ``repr``
        raise InvalidArgumentError(field, "text that UTF-8 can encode", f"<a lone surrogate at {lone}>")
    return value


def secret(field: str, value: object, expected: str, *, blank: bool = False, hint: str = "") -> str:
    """Check that a secret is a string, and not a blank one unless `blank`. The error does not show the value."""
    if not isinstance(value, str) or not (value if blank else value.strip()):
        raise InvalidArgumentError(field, expected, f"<{type(value).__name__}>", hint=hint)
    return text(field, value, empty=True)


def yes_or_no(field: str, value: object) -> bool:
    """Check that a value is ``True`` or ``False``; 0 and 1 are refused."""
    if not isinstance(value, bool):
        raise InvalidArgumentError(field, "True or False", value)
    return value


def aware_datetime(field: str, value: object) -> datetime:
    """Check that a value is a datetime with an offset, at a moment that UTC has as well."""
    expected = "an aware datetime"
    if not isinstance(value, datetime):
        raise InvalidArgumentError(
            field, expected, value, hint="Build one: datetime(2026, 1, 31, 9, tzinfo=ZoneInfo('…'))"
        )
    if value.utcoffset() is None:
        raise InvalidArgumentError(
            field, expected, value, hint="A naive datetime is ambiguous: add tzinfo=UTC or a ZoneInfo"
        )
    try:
        value.astimezone(UTC)
    except OverflowError:
        raise InvalidArgumentError(field, "a moment between the years 1 and 9999 in UTC", value) from None
    return value


def zone(field: str, value: object) -> str:
    """Check that a value is a time zone: its IANA name, which is returned, or a ``ZoneInfo``."""
    import zoneinfo  # noqa: PLC0415 -- slow to load, and many programs only read

    expected = "an IANA time zone name such as 'Europe/Berlin'"
    name = value.key if isinstance(value, zoneinfo.ZoneInfo) else value
    if not isinstance(name, str) or not name or name == "localtime":  # a name on some machines, for their own zone
        raise InvalidArgumentError(field, expected, value)
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise InvalidArgumentError(field, expected, value) from None
    return name


def zone_of(moment: datetime) -> str | None:
    """Return the IANA name of a moment's zone, as zoneinfo and pytz keep it; ``None`` for a mere offset."""
    name = getattr(moment.tzinfo, "key", None) or getattr(moment.tzinfo, "zone", None)
    try:
        return None if name is None else zone("time_zone", name)
    except InvalidArgumentError:  # such as the "local" of a ZoneInfo that was read from a file
        return None


def is_utc(moment: datetime) -> bool:
    """Whether a moment is given in UTC itself, not in a zone or at an offset that equals it now."""
    return moment.tzname() == "UTC" and not moment.utcoffset()


def member(field: str, kind: type[E], value: object, allowed: tuple[E, ...] | None = None) -> E:
    """Check that a value is a member of an enumeration, or the value of one; the member is returned."""
    choices = tuple(kind) if allowed is None else allowed
    expected = "one of " + ", ".join(f"{choice.value!r} ({choice.name})" for choice in choices)
    found = None
    # ``True`` equals 1, and a float may equal an int, but neither is meant as a type of meeting. Other objects define
    # their own equality, and the result need not be a boolean: an array compares item by item.
    if isinstance(value, (int, str)) and not isinstance(value, bool):
        found = next((choice for choice in choices if choice.value == value), None)
    if found is None:
        raise InvalidArgumentError(field, expected, value)
    return found


def choice(field: str, value: T, allowed: tuple[T, ...]) -> T:
    """Check that a value is one of a few strings."""
    if not isinstance(value, str) or value not in allowed:
        raise InvalidArgumentError(field, "one of " + ", ".join(map(repr, allowed)), value)
    return value


def ordered(field: str, start: object, end: object) -> None:
    """Check that an end is not before its start, if both are datetimes or both are dates."""
    for kind in (datetime, date):
        if isinstance(start, kind) and isinstance(end, kind):
            if end < start:
                raise InvalidArgumentError(field, f"nothing before the start, {start.isoformat()}", end)
            return
