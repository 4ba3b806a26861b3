"""How a meeting recurs, in requests: the Recurrence Object of the service's documentation."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Literal, TypeAlias

import attrs

from pyas_async import _checks
from pyas_async._base_errors import InvalidArgumentError
from pyas_async._public import public
from pyas_async.models._base import PydanticField

DAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
RecurrenceType: TypeAlias = Literal["daily", "weekly", "monthly"]
_TYPES = ("daily", "weekly", "monthly")
# The service's documentation says which type each field is for: "for a weekly meeting type", "for a monthly meeting".
_BELONGS_TO = {"days_of_week": "weekly", "day_of_month": "monthly", "month": "monthly"}


def _type(value: RecurrenceType) -> RecurrenceType:
    if not isinstance(value, str) or value not in _TYPES:
        raise InvalidArgumentError("type", "'daily', 'weekly' or 'monthly'", value)
    return value


def _interval(value: int | str) -> int:
    return _checks.whole_number("interval", value, minimum=1)


def _start(value: datetime | date | str | None) -> datetime | date | None:
    return None if value is None else _checks.moment_or_day("start_date", value)


def _end(value: datetime | date | str | None) -> datetime | date | None:
    return None if value is None else _checks.moment_or_day("end_date", value)


def _day_of_month(value: int | str | None) -> int | None:
    return None if value is None else _checks.whole_number("day_of_month", value, minimum=1, maximum=31)


def _month(value: int | str | None) -> int | None:
    return None if value is None else _checks.whole_number("month", value, minimum=1, maximum=12)


def _days(value: Iterable[str] | None) -> tuple[str, ...] | None:
    if value is None:
        return None
    expected = "names of days such as 'monday', at least one"
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise InvalidArgumentError("days_of_week", expected, value, hint="Give a list, even for one day")
    days = []
    for position, day in enumerate(value):
        if not isinstance(day, str) or day.lower() not in DAYS:
            raise InvalidArgumentError(f"days_of_week[{position}]", "one of " + ", ".join(DAYS), day)
        days.append(day.lower())
    if not days:
        raise InvalidArgumentError("days_of_week", expected, "<none>", hint="Leave it out instead")
    return tuple(dict.fromkeys(days))


@public
@attrs.frozen
class Recurrence(PydanticField):
    """How a meeting recurs, for `MeetingCreate` and `MeetingUpdate` of the types 3 and 8.

    Attributes:
        type: ``"daily"``, ``"weekly"`` or ``"monthly"``.
        interval: The number of days, weeks or months between two dates: 2 with ``"weekly"`` is every other week. A
            string of digits is accepted.
        start_date: When the recurring meeting starts: a moment (aware), or a day. Documented as used for Microsoft
            Outlook only.
        end_date: When it ends: a moment (aware), after which no date starts, or a day: a ``date``, or its text as in
            ``"2026-12-31"``. A day is sent as YYYY-MM-DD. The service's documentation does not say whether it is
            included, and in which time zone. To be sure, give the moment at which the day ends.
        day_of_month: 1 to 31; only with ``"monthly"``.
        days_of_week: Names of days, in upper or lower case, as in ``["monday", "Wednesday"]``; only with ``"weekly"``.
        month: 1 to 12; only with ``"monthly"``. Documented for Microsoft and Google only.

    Raises:
        InvalidArgumentError: When it is built with a value out of bounds, or with a field of another type.
    """

    type: RecurrenceType = attrs.field(converter=_type)
    interval: int = attrs.field(converter=_interval)
    start_date: datetime | date | None = attrs.field(default=None, converter=_start, metadata={"wire": "startDate"})
    end_date: datetime | date | None = attrs.field(default=None, converter=_end, metadata={"wire": "endDate"})
    day_of_month: int | None = attrs.field(default=None, converter=_day_of_month, metadata={"wire": "dayOfMonth"})
    days_of_week: tuple[str, ...] | None = attrs.field(default=None, converter=_days, metadata={"wire": "daysOfWeek"})
    month: int | None = attrs.field(default=None, converter=_month)

    def __attrs_post_init__(self) -> None:
        _checks.ordered("end_date", self.start_date, self.end_date)
        for name, owner in _BELONGS_TO.items():
            value = getattr(self, name)
            if value is not None and self.type != owner:
                raise InvalidArgumentError(f"{name}", f"nothing, since only {owner!r} meetings have it", value)
