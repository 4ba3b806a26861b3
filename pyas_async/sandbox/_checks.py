"""Checks of the bodies of create and update: each fault becomes one entry in the response's ``errors``."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC
from typing import Any, Final, cast

from pyas_async.sandbox._recurrence import DAY_NAMES, KINDS
from pyas_async.sandbox._responses import Json, fault
from pyas_async.sandbox._times import read_end, read_instant, read_zone

TYPES: Final = (1, 2, 3, 8)
"""The meeting types that can be created."""
RECURRING: Final = (3, 8)
"""The meeting types that can have a recurrence."""
_REQUIRED: Final = ("type", "title", "description", "startDate")
_MISSING: Final = object()
_BLANK: Final = re.compile("[\t-\r \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff]*")
_LONGEST_TITLE: Final = 200
_LONGEST_DESCRIPTION: Final = 2000
# Longer ones are not exact in JavaScript.
_LONGEST_NUMBER: Final = 15

_Test = Callable[[Any], bool]


def _integer(least: int, most: int | None = None) -> _Test:
    def test(value: object) -> bool:
        return (
            isinstance(value, int)
            and not isinstance(value, bool)
            and value >= least
            and (most is None or value <= most)
        )

    return test


def _number(least: int, most: int | None = None) -> _Test:
    whole = _integer(least, most)

    def test(value: object) -> bool:
        digits = isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= _LONGEST_NUMBER
        return whole(int(cast("str", value)) if digits else value)

    return test


def is_blank(text: str) -> bool:
    """Whether a text is only white space, as JavaScript and JSON Schema define it (Python counts more characters)."""
    return _BLANK.fullmatch(text) is not None


def _text(least: int, most: int) -> _Test:
    return lambda value: isinstance(value, str) and least <= len(value) <= most


def _instant(value: object) -> bool:
    return read_instant(value) is not None


def _instant_or_day(value: object) -> bool:
    return read_end(value, UTC) is not None


def _zone(value: object) -> bool:
    return read_zone(value) is not None


def _day_names(value: object) -> bool:
    days = cast("list[object]", value) if isinstance(value, list) else []
    return bool(days) and all(day in DAY_NAMES for day in days)


_FIELDS: Final[dict[str, _Test]] = {
    "type": lambda value: _integer(1)(value) and value in TYPES,
    "title": lambda value: _text(1, _LONGEST_TITLE)(value) and not is_blank(value),
    "description": _text(0, _LONGEST_DESCRIPTION),
    "startDate": _instant,
    "duration": _integer(1),
    "timeZone": _zone,
    "waitingRoom": lambda value: isinstance(value, bool),
}
_RECURRENCE_FIELDS: Final[dict[str, _Test]] = {
    "type": lambda value: isinstance(value, str) and value in KINDS,
    "interval": _number(1),
    "startDate": _instant_or_day,
    "endDate": _instant_or_day,
    "dayOfMonth": _number(1, 31),
    "daysOfWeek": _day_names,
    "month": _number(1, 12),
}
# Fields that only one type of recurrence can have.
_BELONGS: Final = {"dayOfMonth": "monthly", "daysOfWeek": "weekly"}


def check_meeting(data: object, current_type: int | None = None) -> list[Json]:
    """Return the faults of a ``meetingData`` object.

    Args:
        data: The value of ``meetingData``; ``None`` if it is missing.
        current_type: For an update, which requires no field, the meeting's current type; 0 if there is no such meeting,
            so that its type cannot be checked.
    """
    if not isinstance(data, dict):
        return [fault("meetingData", "body", *([] if data is None else [data]))]
    fields = cast("Json", data)
    required = _REQUIRED if current_type is None else ()
    faults = list(_faults(fields, "meetingData", _FIELDS, required))
    faults += _attendees(fields.get("attendees", []))
    if "recurrence" in fields:
        faults += _recurrence(fields, fields.get("type", current_type))
    return faults


def _faults(fields: Json, place: str, tests: dict[str, _Test], required: tuple[str, ...]) -> Iterator[Json]:
    for name, test in tests.items():
        value = fields.get(name, _MISSING)
        if value is _MISSING:
            if name in required:
                yield fault(f"{place}.{name}", "body")
        elif not test(value):
            yield fault(f"{place}.{name}", "body", value)


def _attendees(value: object) -> Iterator[Json]:
    if not isinstance(value, list):
        yield fault("meetingData.attendees", "body", value)
        return
    for index, attendee in enumerate(cast("list[object]", value)):
        email = cast("Json", attendee).get("email", _MISSING) if isinstance(attendee, dict) else _MISSING
        if not isinstance(email, str) or "@" not in email:
            yield fault(f"meetingData.attendees[{index}].email", "body", *([] if email is _MISSING else [email]))


def _recurrence(fields: Json, meeting_type: object) -> Iterator[Json]:
    place = "meetingData.recurrence"
    value: object = fields["recurrence"]
    if isinstance(meeting_type, int) and meeting_type not in (0, *RECURRING):
        yield fault(place, "body", value)
        return
    if not isinstance(value, dict):
        yield fault(place, "body", value)
        return
    words = cast("Json", value)
    yield from _faults(words, place, _RECURRENCE_FIELDS, ("type", "interval"))
    said = words.get("type")
    for name, kind in _BELONGS.items():
        # An invalid type, which may be any value, has one fault already.
        if name in words and isinstance(said, str) and said in KINDS and said != kind:
            yield fault(f"{place}.{name}", "body", words[name])
    start, end = read_instant(fields.get("startDate")), read_end(words.get("endDate"), UTC)
    if start is not None and end is not None and end < start:
        yield fault(f"{place}.endDate", "body", words["endDate"])
