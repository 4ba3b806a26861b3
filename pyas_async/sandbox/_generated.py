"""Generated meetings: a year of them around one moment, of every type, with the irregularities of real data."""

from __future__ import annotations

from itertools import count, cycle
from typing import TYPE_CHECKING, Final, NamedTuple

from pyas_async.sandbox._details import AGENDA_CUT, FIXED_SERIES
from pyas_async.sandbox._identifiers import IdentifierSource, host_id, join_url
from pyas_async.sandbox._times import DAY, zoom_time

if TYPE_CHECKING:
    from pyas_async.sandbox._responses import Json

_INSTANT: Final = 1
_SCHEDULED: Final = 2
_SERIES: Final = 3
_SPREAD: Final = 182.0
_LONGEST_SERIES: Final = 8
# Mostly scheduled meetings. 10 is a screen share and 4 the personal room, which are rare in listings.
_TYPES: Final = (2, 8, 2, 3, 2, 1, 2, 4, 2, 10, 2, 2, 2, 2, 3, 8, 2, 1, 2, 2, 2, 2, 2, 2)
_WITHOUT_START: Final = (_INSTANT, _SERIES, 4)
_TOPICS: Final = (
    "Weekly review", "Übergabe Nachtschicht", "日次スタンドアップ", "Réunion d'équipe", "Планирование спринта",
    "🚀 Launch rehearsal", "Customer call", "اجتماع الميزانية", "1:1", "Onboarding — Søren & Zoë", "Board meeting",
    'Retro "Q3" <draft>',
)  # fmt: skip
_ZONES: Final = ("America/Los_Angeles", "Europe/Berlin", "Asia/Tokyo", "UTC", "Asia/Kolkata")
_AGENDA: Final = "What was decided, what is open — and who does it until when. "
_DURATIONS: Final = (15, 30, 30, 45, 60, 90)
_MISSING_SHARE: Final = 0.06
_RECURRENCES: Final[tuple[Json, ...]] = (
    {"type": 1, "repeat_interval": 1, "end_times": 8},
    {"type": 2, "repeat_interval": 1, "weekly_days": "2", "end_times": 8},
    {"type": 2, "repeat_interval": 2, "weekly_days": "1,3"},
    {"type": 3, "repeat_interval": 1, "monthly_day": 15, "end_times": 8},
    {"type": 3, "repeat_interval": 1, "monthly_week": -1, "monthly_week_day": 6},
)
_STEPS: Final = (1, 7, 14, 30, 30)


class GeneratedMeetings(NamedTuple):
    """The generated meetings of one account.

    Attributes:
        rows: The list rows, in listing order.
        details: The data of the details that the rows do not have, by meeting id.
    """

    rows: list[Json]
    details: dict[int, Json]


def generate(ids: IdentifierSource, account: Json, size: int, now: float) -> GeneratedMeetings:
    """Generate exactly ``size`` rows for an account, from half a year before ``now`` to half a year after it."""
    generator = _Generator(ids, host_id(account), now)
    timed: list[tuple[float, int, Json]] = []
    numbers = count()
    kinds = cycle(_TYPES)
    while len(timed) < size:
        for begin, row in generator.meeting(next(kinds), size - len(timed)):
            timed.append((begin, next(numbers), row))
    # Sorted by time, so that the rows of a series are far apart, and on different pages.
    timed.sort(key=lambda entry: entry[:2])
    return GeneratedMeetings([row for _, _, row in timed], generator.details)


def cut_agenda(row: Json) -> Json:
    """Cut the agenda of a row, as the list call does."""
    agenda = row.get("agenda")
    if isinstance(agenda, str) and len(agenda) > AGENDA_CUT:
        row["agenda"] = agenda[:AGENDA_CUT]
    return row


class _Generator:
    def __init__(self, ids: IdentifierSource, host: str, now: float) -> None:
        self.details: dict[int, Json] = {}
        self._identifiers = ids
        self._random = ids.random
        self._host = host
        # Meetings start on the quarter of an hour, as people schedule them.
        self._now = now - now % 900
        self._made = 0
        self._series_made = 0

    def meeting(self, kind: int, room: int) -> list[tuple[float, Json]]:
        """Generate the rows of one meeting, at most ``room``, each with the time by which it is sorted."""
        random = self._random
        begin = self._now + random.randrange(int(-_SPREAD * 96), int(_SPREAD * 96)) * 900.0
        if kind == _INSTANT or self._made % 40 == 0:
            # Some meetings run at this moment; and an instant meeting cannot be in the future.
            begin = self._now if kind != _INSTANT else self._now - random.randrange(int(_SPREAD * DAY))
        self._made += 1
        row = self._row(kind, begin)
        if kind == _SERIES:
            return [(begin, row | {"uuid": self._identifiers.uuid()}) for _ in range(min(random.randint(1, 3), room))]
        if kind == FIXED_SERIES:
            return self._series(row, begin, min(random.randint(2, _LONGEST_SERIES), room))
        return [(begin, row)]

    def _row(self, kind: int, begin: float) -> Json:
        random = self._random
        meeting_id = self._identifiers.meeting_id()
        created = min(begin, self._now) - random.randrange(1, 30) * DAY - random.randrange(86_400)
        agenda = _AGENDA * random.choice((0, 1, 1, 2, 6))
        row: Json = {
            "uuid": self._identifiers.uuid(),
            "id": meeting_id,
            "host_id": self._host,
            "topic": f"{random.choice(_TOPICS)} {self._made}",
            "type": kind,
            "start_time": zoom_time(begin),
            "duration": random.choice(_DURATIONS),
            "timezone": random.choice(_ZONES),
            "agenda": agenda,
            "created_at": zoom_time(created),
            "join_url": join_url(meeting_id, self._identifiers.passcode()),
        }
        if kind in _WITHOUT_START:
            del row["start_time"]
        if random.random() < _MISSING_SHARE:
            del row["duration"]
        if random.random() < _MISSING_SHARE:
            del row["agenda"]
        elif len(agenda) > AGENDA_CUT:
            self.details.setdefault(meeting_id, {}).setdefault("fields", {})["agenda"] = agenda
        if self._made % 7 == 0:
            tracking = [{"field": "Department", "value": "Büro 7", "visible": True}]
            self.details.setdefault(meeting_id, {}).setdefault("fields", {})["tracking_fields"] = tracking
        return cut_agenda(row)

    def _series(self, row: Json, begin: float, length: int) -> list[tuple[float, Json]]:
        self._series_made += 1
        pick = self._random.randrange(len(_RECURRENCES))
        step = _STEPS[pick] * DAY
        detail = self.details.setdefault(row["id"], {})
        detail.setdefault("fields", {})["recurrence"] = _RECURRENCES[pick]
        past_the_last = begin + length * step
        if self._series_made % 2:
            detail["bare"] = True
            detail["deleted"] = [
                {
                    "occurrence_id": str(int(past_the_last * 1000)),
                    "start_time": zoom_time(past_the_last),
                    "duration": row.get("duration", 30),
                    "status": "deleted",
                }
            ]
        # Real listings have both: a uuid for each occurrence, and one uuid for all occurrences.
        shared = self._series_made % 3 == 1
        starts = [begin + index * step for index in range(length)]
        return [
            (start, row | {"start_time": zoom_time(start)} | ({} if shared else {"uuid": self._identifiers.uuid()}))
            for start in starts
        ]
