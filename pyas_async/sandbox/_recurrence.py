"""Recurring meetings: the documented words in Zoom's numbers, and the times of the occurrences."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Final

from pyas_async.sandbox._times import in_zone, read_end, read_instant, read_zone, zoom_time

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyas_async.sandbox._responses import Json

DAY_NAMES: Final = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
"""The documented names of the days, in Zoom's order; Zoom counts from 1."""
KINDS: Final = {"daily": 1, "weekly": 2, "monthly": 3}
"""The documented types of recurrence, with Zoom's numbers."""
_DEFAULT_TIMES: Final = 10
# Zoom's own limit on the occurrences of a series.
_MOST: Final = 50


def numeric(words: Json, first: datetime) -> Json:
    """Translate a request's recurrence into the shape that responses have.

    Args:
        words: A checked recurrence in the documented shape.
        first: The start of the series in its own time zone. Its day is used if the recurrence names none.
    """
    kind = KINDS[words["type"]]
    shape: Json = {"type": kind, "repeat_interval": int(words["interval"])}
    if kind == KINDS["weekly"]:
        days = words.get("daysOfWeek") or [DAY_NAMES[first.isoweekday() % 7]]
        shape["weekly_days"] = ",".join(str(number) for number in sorted({DAY_NAMES.index(day) + 1 for day in days}))
    elif kind == KINDS["monthly"]:
        shape["monthly_day"] = int(words.get("dayOfMonth", first.day))
    end = read_end(words.get("endDate"), first.tzinfo or UTC)
    if end is None:
        shape["end_times"] = _DEFAULT_TIMES
    else:
        shape["end_date_time"] = zoom_time(end.timestamp())
    return shape


def occurrences(shape: Json, first: datetime) -> list[float]:
    """Return the starts of a series, in epoch seconds.

    Args:
        shape: A recurrence in Zoom's numeric shape.
        first: The earliest start, in the time zone of the series. Its wall-clock time is kept across offset changes.
    """
    times = min(int(shape.get("end_times", _MOST)), _MOST)
    end = read_instant(shape.get("end_date_time"))
    # The days are limited as well: the 31st of every twelfth month from February on never comes.
    candidates = islice(_days(shape, first.date()), _MOST * 31)
    zone = first.tzinfo
    starts: list[float] = []
    for day in candidates:
        moment = datetime.combine(day, first.time(), zone)
        if len(starts) == times or (end is not None and moment > end):
            break
        if in_zone(moment, UTC) is None:
            break  # the calendar ends with the year 9999
        starts.append(moment.timestamp())
    # A series that ends before its first day is still one meeting.
    return starts or [first.timestamp()]


def local_start(start: datetime, zone_name: object) -> datetime:
    """Convert the start of a meeting to its own time zone.

    It is in UTC instead if the calendar of that zone does not have it, or if a test has stored a name of no zone.
    """
    return in_zone(start, read_zone(zone_name)) or start.astimezone(UTC)


def _days(shape: Json, first: date) -> Iterator[date]:
    step = int(shape["repeat_interval"])
    try:
        if shape["type"] == KINDS["daily"]:
            day = first
            while True:
                yield day
                day += timedelta(days=step)
        elif shape["type"] == KINDS["weekly"]:
            yield from _weeks(step, {int(number) for number in str(shape["weekly_days"]).split(",")}, first)
        else:
            yield from _months(step, int(shape.get("monthly_day", first.day)), first)
    except (OverflowError, ValueError):
        # datetime ends with the year 9999, and an interval can be any number.
        return


def _weeks(step: int, numbers: set[int], first: date) -> Iterator[date]:
    sunday = first - timedelta(days=first.isoweekday() % 7)
    while True:
        for number in sorted(numbers):
            day = sunday + timedelta(days=number - 1)
            if day >= first:
                yield day
        sunday += timedelta(weeks=step)


def _months(step: int, day_of_month: int, first: date) -> Iterator[date]:
    count = first.year * 12 + first.month - 1
    while count // 12 <= date.max.year:
        month = date(count // 12, count % 12 + 1, 1)
        day = month + timedelta(days=day_of_month - 1)
        # A month that is too short for the day has no occurrence.
        if day.month == month.month and day >= first:
            yield day
        count += step
