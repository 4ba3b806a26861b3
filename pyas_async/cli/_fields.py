"""A meeting's fields, as options and as a JSON document, for `create` and `update`."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal, TypeVar

import attrs
from cyclopts import Group, Parameter

from pyas_async import (
    Attendee,
    DecodeError,
    InvalidArgumentError,
    MeetingCreate,
    MeetingType,
    MeetingUpdate,
    Recurrence,
    from_dict,
)
from pyas_async.cli._errors import CommandError
from pyas_async.cli._options import read_text
from pyas_async.cli._times import parse_moment, parse_moment_or_day

M = TypeVar("M", MeetingCreate, MeetingUpdate)
_RECURRENCE: Final = Group("How it recurs", sort_key=5)
_TYPES: Final = {
    "instant": MeetingType.INSTANT,
    "scheduled": MeetingType.SCHEDULED,
    "recurring": MeetingType.RECURRING,
    "recurring-fixed": MeetingType.RECURRING_FIXED,
}
# The options for the model fields whose name differs.
_MEETING_OPTIONS: Final = {"start_date": "--start", "email": "--attendee", "recurrence": "--recurrence"}
_RECURRENCE_OPTIONS: Final = {
    "type": "--recurrence",
    "start_date": "--recurrence-start",
    "end_date": "--recurrence-end",
    "days_of_week": "--day-of-week",
}


@Parameter(name="*")
@attrs.frozen(kw_only=True)
class Fields:
    """The fields of a meeting; ``None`` for those that were not given.

    Attributes:
        title: The title, 200 characters at most.
        description: The description, 2,000 characters at most.
        start: When it starts: 2026-01-31T09:00+01:00, or without an offset in --time-zone.
        duration: Minutes.
        type: What kind of meeting.
        time_zone: The meeting's time zone, an IANA name such as Europe/Berlin.
        waiting_room: Whether participants wait until the host lets them in.
        recurrence: How it recurs.
        interval: Number of days, weeks or months between two dates; default: 1.
        day_of_week: A day of a weekly meeting, such as monday; may be repeated.
        day_of_month: The day of a monthly meeting, 1 to 31.
        month: The month, 1 to 12; according to the service, for Microsoft and Google only.
        recurrence_start: When it begins to recur; according to the service, for Outlook only.
        recurrence_end: When it ends: a moment, after which no date starts, or a day.
    """

    title: str | None = None
    description: str | None = None
    start: Annotated[str | None, Parameter(metavar="MOMENT")] = None
    duration: Annotated[int | None, Parameter(metavar="MINUTES")] = None
    type: Literal["instant", "scheduled", "recurring", "recurring-fixed"] | None = None
    time_zone: Annotated[str | None, Parameter(metavar="ZONE")] = None
    waiting_room: bool | None = None
    recurrence: Annotated[Literal["daily", "weekly", "monthly"] | None, Parameter(group=_RECURRENCE)] = None
    interval: Annotated[int | None, Parameter(group=_RECURRENCE)] = None
    day_of_week: Annotated[list[str] | None, Parameter(group=_RECURRENCE, negative="", metavar="DAY")] = None
    day_of_month: Annotated[int | None, Parameter(group=_RECURRENCE, metavar="DAY")] = None
    month: Annotated[int | None, Parameter(group=_RECURRENCE)] = None
    recurrence_start: Annotated[str | None, Parameter(group=_RECURRENCE, metavar="MOMENT")] = None
    recurrence_end: Annotated[str | None, Parameter(group=_RECURRENCE, metavar="MOMENT")] = None

    def values(self, attendees: list[str] | None) -> dict[str, Any]:
        """Return the given fields, under the models' names.

        Raises:
            CommandError: If a value is not valid.
        """
        zone = self.time_zone
        values: dict[str, Any] = {
            "title": self.title,
            "description": self.description,
            "start_date": None if self.start is None else parse_moment("--start", self.start, zone),
            "duration": self.duration,
            "type": None if self.type is None else _TYPES[self.type],
            "time_zone": zone,
            "waiting_room": self.waiting_room,
            "recurrence": self._recurrence(),
        }
        with naming_options(_MEETING_OPTIONS):
            values["attendees"] = None if attendees is None else [Attendee(email) for email in attendees]
        return {name: value for name, value in values.items() if value is not None}

    def _recurrence(self) -> Recurrence | None:
        zone = self.time_zone
        begin, end = self.recurrence_start, self.recurrence_end
        details = {
            "start_date": None if begin is None else parse_moment_or_day("--recurrence-start", begin, zone),
            "end_date": None if end is None else parse_moment_or_day("--recurrence-end", end, zone),
            "day_of_month": self.day_of_month,
            "days_of_week": self.day_of_week or None,
            "month": self.month,
        }
        if self.recurrence is None:
            if self.interval is not None or any(value is not None for value in details.values()):
                raise CommandError("--recurrence is missing: daily, weekly or monthly?")
            return None
        with naming_options(_RECURRENCE_OPTIONS):
            interval = 1 if self.interval is None else self.interval
            return Recurrence(type=self.recurrence, interval=interval, **details)  # type: ignore[arg-type]


NO_FIELDS: Final = Fields()


def to_create(values: dict[str, Any]) -> MeetingCreate:
    """Make a meeting to create. An instant one starts now.

    Raises:
        CommandError: If a value is not valid, or a required one is missing.
    """
    if values.get("type") is MeetingType.INSTANT:
        values = {"start_date": datetime.now(UTC).replace(microsecond=0), **values}
    for name, option in (("title", "--title"), ("start_date", "--start")):
        if name not in values:
            raise CommandError(f"{option} is missing")
    with naming_options(_MEETING_OPTIONS):
        return MeetingCreate(**values)


def to_update(values: dict[str, Any]) -> MeetingUpdate:
    """Make the changes for an update.

    Raises:
        CommandError: If a value is not valid, or no field was given.
    """
    if not values:
        raise CommandError("no field to change was given", hint="pyas meetings update --help lists them.")
    with naming_options(_MEETING_OPTIONS):
        return MeetingUpdate(**values)


def read_document(source: str, cls: type[M], given: dict[str, Any]) -> M:
    """Read a JSON document from a file, or from stdin for a dash.

    Raises:
        CommandError: If it is not a valid document, or if fields were also given as options.
    """
    if given:
        raise CommandError("--from-json holds all fields: leave the other options out")
    text = read_text("--from-json", source)
    try:
        document = json.loads(text)
    except ValueError as error:
        raise CommandError(f"--from-json: expected a JSON object: {error}") from None
    if not isinstance(document, dict):
        raise CommandError(f"--from-json: expected one JSON object, got a {type(document).__name__}")
    try:
        return from_dict(cls, document)
    except InvalidArgumentError as error:
        raise CommandError(f"--from-json: {error}") from None
    except DecodeError as error:
        raise CommandError(f"--from-json: {error}") from None


@contextmanager
def naming_options(options: Mapping[str, str]) -> Iterator[None]:
    """Turn an `InvalidArgumentError` of a model into a `CommandError` that names the option."""
    try:
        yield
    except InvalidArgumentError as error:
        name = error.field.partition("[")[0]
        option = options.get(name, "--" + name.replace("_", "-"))
        raise CommandError(f"{option}: expected {error.expected}, got {error.got}") from None
