"""Checks of arguments and settings, before anything is sent.

Each check returns the value in the form that is sent, or raises an error that names the argument, what was expected
and what was passed.
"""

import contextlib
import operator
import sys
from datetime import date, datetime
from enum import Enum
from typing import TypeVar

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


def as_int(value: object) -> int | None:
    """Return a whole number as an ``int``, such as one of numpy's; ``None`` for a boolean and anything else."""
    if type(value) is int:
        return value
    if isinstance(value, bool):
        return None
    try:
        return operator.index(value)  # type: ignore[arg-type]  # (a TypeError, if it is no whole number)
    except Exception:  # noqa: BLE001  (its ``__index__`` is the user's code)
        return None


def as_number(value: object) -> float | None:
    """Return a finite number that a float can hold; ``None`` for a boolean and anything else."""
    plain = float(value) if isinstance(value, float) else as_int(value)
    return plain if plain is not None and abs(plain) <= sys.float_info.max else None


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
        value: The value: an int, a float, or another type that stands for a whole number, such as numpy's.
        minimum: The lower bound.
        maximum: The upper bound; none unless given.
        above: Whether the lower bound itself is refused.
        unit: What is expected, for the message: "a number" or "seconds".
        error: The class of the error.
    """
    plain = as_number(value)
    if plain is not None and minimum <= plain <= maximum and not (above and plain == minimum):
        return plain
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
        value: The value: an int, or another type that stands for a whole number, such as numpy's.
        minimum: The lower bound.
        maximum: The upper bound; 2**63 - 1 unless given.
        digits: Whether a string of digits is taken as well.
        unit: What is expected, for the message: "a whole number of calls", for example.
        error: The class of the error.
    """
    if digits and isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20:
        whole: int | None = int(value)
    else:
        whole = as_int(value)
    largest = _LARGEST if maximum is None else maximum
    if whole is not None and minimum <= whole <= largest:
        return whole
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
    """Check that a value is a datetime with an offset, at a moment that UTC has as well.

    A subclass, such as the Timestamp of pandas, becomes a plain ``datetime``.
    """
    from pyas_async._moments import in_utc, plain_datetime  # noqa: PLC0415 -- many programs only read

    expected = "an aware datetime"
    if not isinstance(value, datetime):
        raise InvalidArgumentError(
            field, expected, value, hint="Build one: datetime(2026, 1, 31, 9, tzinfo=ZoneInfo('…'))"
        )
    if type(value) is not datetime:
        if (plain := plain_datetime(value)) is None:
            raise InvalidArgumentError(field, expected, value, hint="It stands for a moment that is missing")
        value = plain
    if value.utcoffset() is None:
        raise InvalidArgumentError(
            field, expected, value, hint="A naive datetime is ambiguous: add tzinfo=UTC or a ZoneInfo"
        )
    if in_utc(value) is None:
        raise InvalidArgumentError(field, "a moment between the years 1 and 9999 in UTC", value)
    return value


def moment_or_day(field: str, value: object) -> datetime | date:
    """Check that a value is a datetime with an offset, or a day: a date, or its text in the form of ISO 8601."""
    if isinstance(value, datetime):
        return aware_datetime(field, value)
    if isinstance(value, str):
        with contextlib.suppress(ValueError):
            return date.fromisoformat(value)
    elif isinstance(value, date):
        return value
    hint = "Build one: datetime(2026, 1, 31, 9, tzinfo=ZoneInfo('…')), or date(2026, 1, 31)"
    raise InvalidArgumentError(field, "an aware datetime, a date, or a day as in '2026-01-31'", value, hint=hint)


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
    plain = value if isinstance(value, str) else as_int(value)
    if plain is not None:
        found = next((choice for choice in choices if choice.value == plain), None)
    if found is None:
        raise InvalidArgumentError(field, expected, value)
    return found


def choice(field: str, value: T, allowed: tuple[T, ...]) -> T:
    """Check that a value is one of a few strings."""
    if not isinstance(value, str) or value not in allowed:
        raise InvalidArgumentError(field, "one of " + ", ".join(map(repr, allowed)), value)
    return value


def ordered(field: str, start: object, end: object) -> None:
    """Check that an end is not before its start, if both are datetimes or dates.

    A day and a moment are compared by their days. They may differ by one, since a day begins earlier in other zones.
    """
    if not isinstance(start, date) or not isinstance(end, date):  # a datetime is a date
        return
    if isinstance(start, datetime) == isinstance(end, datetime):
        wrong = end < start
    else:
        wrong = _day(start).toordinal() - _day(end).toordinal() > 1
    if wrong:
        raise InvalidArgumentError(field, f"nothing before the start, {start.isoformat()}", end)


def _day(value: date) -> date:
    return value.date() if isinstance(value, datetime) else value
