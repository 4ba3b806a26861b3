"""The query of the list call: parsed, checked, and turned into an SQL condition."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pyas_async.sandbox._responses import Json, fault
from pyas_async.sandbox._times import DAY, read_day

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pyas_async.sandbox._settings import Settings

_DEFAULT_SIZE: Final = 30
_MOST: Final = 10**9
# At any time, a row either has ended or will end: the two parts together are "scheduled".
_TYPES: Final = {
    "scheduled": "",
    "live": " AND begins_at <= :now AND ends_at > :now",
    "upcoming": " AND ends_at > :now",
    "upcoming_meetings": " AND ends_at > :now",
    "previous_meetings": " AND ends_at <= :now",
}


@dataclass(frozen=True, slots=True)
class ListQuery:
    """A checked query of the list call.

    Attributes:
        account_id: The account to list.
        type: Which meetings, one of the documented words.
        begins_from: The first second of ``startDate``; None without one.
        begins_before: The first second after ``endDate``; None without one.
        size: Rows on a page, after the cap.
    """

    account_id: str
    type: str
    begins_from: float | None
    begins_before: float | None
    size: int

    def condition(self, now: float) -> tuple[str, list[float]]:
        """Return the filters as an SQL condition, to be appended to another, and its values."""
        where = _TYPES[self.type]
        values = [now] * where.count(":now")
        where = where.replace(":now", "?")
        if self.begins_from is not None:
            where += " AND begins_at >= ?"
            values.append(self.begins_from)
        if self.begins_before is not None:
            where += " AND begins_at < ?"
            values.append(self.begins_before)
        return where, values


def read_list_query(query: Mapping[str, str], settings: Settings) -> tuple[ListQuery, list[Json]]:
    """Parse the query of a list call; if there are faults, the first value must not be used."""
    faults: list[Json] = []

    def bad(name: str) -> None:
        faults.append(fault(name, "query", query[name]))

    if not query.get("accountId"):
        faults.append(fault("accountId", "query"))
    kind = query.get("type", "scheduled")
    if kind not in _TYPES:
        bad("type")
    days: dict[str, float | None] = {}
    for name in ("startDate", "endDate"):
        days[name] = read_day(query[name], settings.date_format) if name in query else None
        if name in query and days[name] is None:
            bad(name)
    size: int | None = _DEFAULT_SIZE
    if "maxResults" in query:
        size = _count(query["maxResults"])
        if size is None or (size > settings.max_page_size and settings.oversize == "refuse"):
            bad("maxResults")
    if "pageNumber" in query and (_count(query["pageNumber"]) is None or query.get("nextPageToken")):
        bad("pageNumber")
    end = days["endDate"]
    read = ListQuery(
        account_id=query.get("accountId", ""),
        type=kind,
        begins_from=days["startDate"],
        begins_before=None if end is None else end + DAY,
        size=min(size or _DEFAULT_SIZE, settings.max_page_size),
    )
    return read, faults


def page_number(query: Mapping[str, str], settings: Settings) -> int | None:
    """Return the requested page number; None if there is none, or if numbers are ignored."""
    if settings.page_numbers == "ignore" or "pageNumber" not in query:
        return None
    return _count(query["pageNumber"])


def _count(text: str) -> int | None:
    if not (text.isascii() and text.isdigit()):
        return None
    # Nine digits are more rows than any account has, and less than SQLite's largest integer.
    digits = text.lstrip("0")
    return (int(digits) if len(digits) < len(str(_MOST)) else _MOST) if digits else None
