"""Create and update: from a ``meetingData`` object to the rows of a meeting, and the stored part of its details."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, NamedTuple

from pyas_async.sandbox._checks import RECURRING
from pyas_async.sandbox._details import FIXED_SERIES
from pyas_async.sandbox._generated import cut_agenda
from pyas_async.sandbox._identifiers import IdentifierSource, join_url
from pyas_async.sandbox._recurrence import local_start, numeric, occurrences
from pyas_async.sandbox._times import read_instant, zoom_time

if TYPE_CHECKING:
    from pyas_async.sandbox._responses import Json

_NAMES: Final = {
    "title": "topic",
    "type": "type",
    "duration": "duration",
    "timeZone": "timezone",
    "description": "agenda",
}
# The types for which Zoom stores no start time, although the documentation requires one for every type.
_WITHOUT_START: Final = (1, 3)
_DEFAULT_DURATION: Final = 30


class Meeting(NamedTuple):
    """A meeting as it is stored.

    Attributes:
        rows: Its list rows, one for each occurrence.
        extra: The data of its details that the rows do not have.
    """

    rows: list[Json]
    extra: Json


def create(data: Json, ids: IdentifierSource, host: str, meeting_id: int, now: float) -> Meeting:
    """Create a meeting from a checked ``meetingData`` object."""
    row: Json = {
        "uuid": ids.uuid(),
        "id": meeting_id,
        "host_id": host,
        "topic": data["title"],
        "type": data["type"],
        "duration": _DEFAULT_DURATION,
        "timezone": "UTC",
        "agenda": data["description"],
        "created_at": zoom_time(now),
        "join_url": join_url(meeting_id, ids.passcode()),
    }
    blank = Meeting([row], {"settings": {"waiting_room": False}})
    return update({"attendees": [], **data}, blank, ids)


def update(data: Json, meeting: Meeting, ids: IdentifierSource) -> Meeting:
    """Merge the fields of a checked ``meetingData`` object into a meeting."""
    extra: Json = {**meeting.extra}
    fields: Json = {**extra.get("fields", {})}
    settings: Json = {**extra.get("settings", {})}
    changes = {_NAMES[name]: value for name, value in data.items() if name in _NAMES}
    if "waitingRoom" in data:
        settings["waiting_room"] = data["waitingRoom"]
    if "attendees" in data:
        settings["meeting_invitees"] = [{"email": attendee["email"]} for attendee in data["attendees"]]
    if "agenda" in changes:
        fields["agenda"] = changes["agenda"]
    rows = [_ordered(cut_agenda(row | changes)) for row in meeting.rows]
    if data.keys() & {"type", "startDate", "recurrence"}:
        recurrence = _recurrence(data, rows[0], fields)
        fields.pop("recurrence", None)
        if recurrence is not None:
            fields["recurrence"] = recurrence
        # The old series' deleted occurrences, and where its times were kept, do not apply to the new one.
        extra.pop("deleted", None)
        extra.pop("bare", None)
        rows = _spread(rows, _starts(data, rows[0], recurrence), ids)
    return Meeting(rows, {**extra, "fields": fields, "settings": settings})


def _start(data: Json, row: Json) -> datetime | None:
    return read_instant(data.get("startDate", row.get("start_time")))


def _recurrence(data: Json, row: Json, fields: Json) -> Json | None:
    if row.get("type") not in RECURRING:
        return None
    words = data.get("recurrence")
    if words is None:
        kept: Json | None = fields.get("recurrence")
        return kept
    start = _start(data, row) or datetime.fromtimestamp(0, UTC)
    return numeric(words, local_start(start, row.get("timezone", "UTC")))


def _starts(data: Json, row: Json, recurrence: Json | None) -> list[float | None]:
    start = _start(data, row)
    if start is None or row.get("type") in _WITHOUT_START:
        return [None]
    if row.get("type") != FIXED_SERIES or recurrence is None:
        return [start.timestamp()]
    return [*occurrences(recurrence, local_start(start, row.get("timezone", "UTC")))]


def _spread(rows: list[Json], starts: list[float | None], ids: IdentifierSource) -> list[Json]:
    shared = len(rows) > 1 and rows[0]["uuid"] == rows[1]["uuid"]
    spread: list[Json] = []
    for index, start in enumerate(starts):
        fresh: Json = {} if shared else {"uuid": ids.uuid()}
        row = {**rows[index]} if index < len(rows) else rows[0] | fresh
        row.pop("start_time", None)
        if start is not None:
            row["start_time"] = zoom_time(start)
        spread.append(_ordered(row))
    return spread


def _ordered(row: Json) -> Json:
    # The order of the documented example, so that a row looks the same after an update.
    order = ("uuid", "id", "host_id", "topic", "type", "start_time", "duration", "timezone", "agenda")
    return {name: row[name] for name in order if name in row} | row
