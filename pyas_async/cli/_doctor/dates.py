"""Checks of dates: the order of a filter's dates, and whether its last day is included."""

from collections.abc import Sequence
from datetime import date
from typing import Final

import attrs

from pyas_async import Meeting, MeetingType, Page
from pyas_async._moments import in_utc, plus_days
from pyas_async.cli._doctor.calls import CallResult, Calls
from pyas_async.cli._doctor.findings import Finding, undecided

_USED: Final = "%m-%d-%Y"
_FORMS: Final = {_USED: "MM-DD-YYYY", "%d-%m-%Y": "DD-MM-YYYY", "%Y-%m-%d": "YYYY-MM-DD"}
_ASSUMED: Final = "a filter's dates are MM-DD-YYYY"
_SLACK: Final = 1
"""Days. The service does not say in which time zone its days are."""


@attrs.frozen
class _Target:
    """A day to look for.

    Attributes:
        day: The day.
        rows: Ids of the rows that are known to be on it.
        clear: Whether another order of month and day gives a valid day that is far enough away to distinguish them.
    """

    day: date
    rows: frozenset[int]
    clear: bool


async def date_order(calls: Calls, whole: Page, size: int | None) -> list[Finding]:
    """Find the order of a filter's dates, using a day with known meetings; and check whether its last day is included.

    Args:
        calls: Makes the calls.
        whole: A page of the listing.
        size: The largest page size that is allowed.
    """
    target = _target(whole.meetings)
    if target is None:
        seen = "it needs scheduled meetings on days that are further apart; this account has none"
        return [Finding(check="date-order", state="unclear", assumed=_ASSUMED, seen=seen)]
    failures = list[str]()
    for form, name in _FORMS.items():
        result = await _try(calls, target, form, size)
        if not result.answered:
            # Whatever another form finds: this one may find as much, since some days can be read in two ways.
            return [undecided("date-order", result, assumed=_ASSUMED, before="; ".join([*failures, name]))]
        outcome = _failure(result, target)
        if outcome is None:
            return [_finding(form, target, failures), await _last_day(calls, target, form, size)]
        failures.append(f"{name}: {outcome}")
        if outcome.startswith("ignored"):
            break
    change = "Filter by day yourself: what `start_date` and `end_date` do is not reliable. Please report it."
    return [Finding(check="date-order", state="differs", assumed=_ASSUMED, seen="; ".join(failures), change=change)]


def _day(meeting: Meeting) -> date | None:
    """Return the day on which a meeting starts, in UTC; ``None`` without one, or at the ends of the calendar."""
    start = None if meeting.start_time is None else in_utc(meeting.start_time)
    return start.date() if start is not None and date.min < start.date() < date.max else None


def _finding(form: str, target: _Target, failures: Sequence[str]) -> Finding:
    name = _FORMS[form]
    if form == _USED:
        seen = f"{name} finds the meetings of a day"
        if not target.clear:
            seen += " (one after the 12th, which is unambiguous: for earlier days, month and day may be swapped)"
        return Finding(check="date-order", state="holds", assumed=_ASSUMED, seen=seen)
    seen = f"{name} finds the meetings of a day; {'; '.join(failures)}"
    change = f"Use PyasClient(date_format={form!r}), or set PYAS_DATE_FORMAT={form}."
    return Finding(check="date-order", state="differs", assumed=_ASSUMED, seen=seen, change=change)


def _target(meetings: Sequence[Meeting]) -> _Target | None:
    """Choose a day with meetings and with other meetings far away, if possible one that is clear in another order."""
    days: dict[date, set[int]] = {}
    for one in meetings:
        if one.type == MeetingType.SCHEDULED and (day := _day(one)) is not None:
            days.setdefault(day, set()).add(one.id)
    candidates = [
        _Target(day, frozenset(rows), clear=2 <= day.day <= 11 and abs(day.day - day.month) > 1)
        for day, rows in days.items()
        if any(abs((other - day).days) > 3 * _SLACK for other in days)
    ]
    return max(candidates, key=lambda one: (one.clear, one.day.day > 13), default=None)


async def _try(calls: Calls, target: _Target, form: str, size: int | None) -> CallResult[Page]:
    """Filter by the days around a day, in one date format."""
    first, last = (plus_days(target.day, days) for days in (-_SLACK, _SLACK))
    return await calls.list(date_format=form, start_date=first, end_date=last, max_results=size)


def _failure(result: CallResult[Page], target: _Target) -> str | None:
    """Return why a filter has not found the meetings of a day; ``None`` if it has."""
    if result.value is None:
        return f"refused ({type(result.error).__name__})"
    timed = [one for one in result.value.meetings if one.type == MeetingType.SCHEDULED and _day(one) is not None]
    of_other_days = [
        one for one in timed if (day := _day(one)) is not None and abs((day - target.day).days) > 2 * _SLACK
    ]
    found = target.rows & {one.id for one in timed}
    if found and not of_other_days:
        return None
    if found:
        return f"ignored: {len(of_other_days)} of {len(timed)} rows are on other days"
    return "finds none of the meetings of that day"


async def _last_day(calls: Calls, target: _Target, form: str, size: int | None) -> Finding:
    """Ask for one day alone: the rows show whether the last day of a filter is included."""
    day = target.day
    result = await calls.list(date_format=form, start_date=day, end_date=day, max_results=size)
    if not result.answered:
        return undecided("last-day", result)
    if result.value is None:
        return Finding(check="last-day", state="unclear", seen=f"a filter of one day was refused: {result.failure}")
    found = len(target.rows & {one.id for one in result.value.meetings})
    if found == len(target.rows):
        seen = "the last day of a filter counts: one from a day to the same day finds its meetings"
    elif not found:
        seen = (
            "the last day of a filter does not count, or days are not UTC days: request one more, and filter the rows"
        )
    else:
        seen = f"a filter of one day finds {found} of its {len(target.rows)} meetings: its days are not those of UTC"
    return Finding(check="last-day", state="noted", seen=seen)
