"""The contents of write requests: a meeting to create, and changes to one."""

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Literal, TypeAlias

import attrs

from pyas_async import _checks
from pyas_async._base_errors import InvalidArgumentError
from pyas_async._public import public
from pyas_async.models._base import PydanticField, masked_text
from pyas_async.models.enums import MeetingType
from pyas_async.models.recurrence import Recurrence
from pyas_async.options import UNSET, Unset

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

TITLE_MAXIMUM = 200
DESCRIPTION_MAXIMUM = 2_000
_WRITABLE = (MeetingType.INSTANT, MeetingType.SCHEDULED, MeetingType.RECURRING, MeetingType.RECURRING_FIXED)
_RECURRING = (MeetingType.RECURRING, MeetingType.RECURRING_FIXED)
_Unset: TypeAlias = Literal[Unset.UNSET]


def _email(value: str) -> str:
    address = _checks.text("email", value)
    local, at, domain = address.rpartition("@")
    if not (local and at and domain) or any(character.isspace() for character in address):
        raise InvalidArgumentError("email", "an e-mail address", value)
    return address


@public
@attrs.frozen
class Attendee(PydanticField):
    """A person to invite.

    Attributes:
        email: The e-mail address.

    Raises:
        InvalidArgumentError: When it is built with a value that is not an e-mail address.
    """

    email: str = attrs.field(converter=_email)


def _type(value: MeetingType | int) -> MeetingType:
    return _checks.member("type", MeetingType, value, _WRITABLE)


def _title(value: str) -> str:
    return _checks.text("title", value, maximum=TITLE_MAXIMUM)


def _description(value: str) -> str:
    return _checks.text("description", value, maximum=DESCRIPTION_MAXIMUM, empty=True)


def _start_date(value: datetime) -> datetime:
    return _checks.aware_datetime("start_date", value)


def _duration(value: int | str) -> int:
    return _checks.whole_number("duration", value, minimum=1)


def _time_zone(value: "str | ZoneInfo | None") -> str | None:
    return None if value is None else _checks.zone("time_zone", value)


def _waiting_room(value: bool | None) -> bool | None:  # noqa: FBT001  (a converter has one argument)
    return None if value is None else _checks.yes_or_no("waiting_room", value)


def _attendees(value: Iterable[Attendee]) -> tuple[Attendee, ...]:
    if isinstance(value, (str, bytes)) or not isinstance(value, Iterable):
        raise InvalidArgumentError("attendees", "a list of Attendee, which may be empty", value)
    attendees = tuple(value)
    for position, attendee in enumerate(attendees):
        if not isinstance(attendee, Attendee):
            expected = "an Attendee, as in Attendee('ada@example.com')"
            raise InvalidArgumentError(f"attendees[{position}]", expected, attendee)
    return attendees


def _recurrence(value: Recurrence | None) -> Recurrence | None:
    if value is not None and not isinstance(value, Recurrence):
        raise InvalidArgumentError("recurrence", "a Recurrence", value)
    return value


def _only_where_meetings_recur(kind: MeetingType, recurrence: Recurrence | None) -> None:
    if recurrence is not None and kind not in _RECURRING:
        expected = "nothing, since only meetings of the types 3 (RECURRING) and 8 (RECURRING_FIXED) recur"
        raise InvalidArgumentError("recurrence", expected, recurrence)


@public
@attrs.frozen
class MeetingCreate(PydanticField):
    """A meeting to create: the Meeting Data Object of the service's documentation.

    Attributes:
        type: The kind of meeting: INSTANT 1, SCHEDULED 2, RECURRING 3 or RECURRING_FIXED 8; the number is accepted,
            too.
        title: The title (Zoom's topic), 200 characters at most.
        description: The description (Zoom's agenda), 2,000 characters at most; required, and may be empty.
        start_date: When it starts: an aware datetime, required for every type.
        duration: Minutes; always sent. Documented as used only for scheduled meetings.
        time_zone: An IANA name such as ``"Europe/Berlin"``; not sent if ``None``. Documented as used only for
            scheduled meetings and recurring ones with a fixed time. The zone of `start_date` is not sent: without
            `time_zone`, a recurring meeting keeps its hour in UTC, so its local hour changes with daylight saving time.
        waiting_room: Whether participants wait until the host lets them in; not sent if ``None``.
        attendees: The people to invite; always sent, even if empty.
        recurrence: How it recurs; only with the types 3 and 8. Not sent if ``None``.

    Raises:
        InvalidArgumentError: When it is built with a value that the service would refuse.
    """

    type: MeetingType = attrs.field(converter=_type)
    title: str = attrs.field(converter=_title, repr=masked_text)
    description: str = attrs.field(converter=_description, repr=masked_text)
    start_date: datetime = attrs.field(converter=_start_date, metadata={"wire": "startDate"})
    duration: int = attrs.field(default=30, converter=_duration)
    time_zone: str | None = attrs.field(default=None, converter=_time_zone, metadata={"wire": "timeZone"})
    waiting_room: bool | None = attrs.field(default=None, converter=_waiting_room, metadata={"wire": "waitingRoom"})
    attendees: tuple[Attendee, ...] = attrs.field(default=(), converter=_attendees)
    recurrence: Recurrence | None = attrs.field(default=None, converter=_recurrence)

    def __attrs_post_init__(self) -> None:
        _only_where_meetings_recur(self.type, self.recurrence)


# The same checks for an update, where each field may be left out. (Type checkers learn a converter's argument type only
# from a named function, so each field has one.)
def _change_type(value: MeetingType | int | _Unset) -> MeetingType | _Unset:
    return UNSET if value is UNSET else _type(value)


def _change_title(value: str | _Unset) -> str | _Unset:
    return UNSET if value is UNSET else _title(value)


def _change_description(value: str | _Unset) -> str | _Unset:
    return UNSET if value is UNSET else _description(value)


def _change_start_date(value: datetime | _Unset) -> datetime | _Unset:
    return UNSET if value is UNSET else _start_date(value)


def _change_duration(value: int | str | _Unset) -> int | _Unset:
    return UNSET if value is UNSET else _duration(value)


def _change_time_zone(value: "str | ZoneInfo | _Unset | None") -> str | _Unset | None:
    return UNSET if value is UNSET else _time_zone(value)


def _change_waiting_room(value: bool | _Unset | None) -> bool | _Unset | None:  # noqa: FBT001  (a converter has one argument)
    return UNSET if value is UNSET else _waiting_room(value)


def _change_attendees(value: Iterable[Attendee] | _Unset) -> tuple[Attendee, ...] | _Unset:
    return UNSET if value is UNSET else _attendees(value)


def _change_recurrence(value: Recurrence | _Unset | None) -> Recurrence | _Unset | None:
    return UNSET if value is UNSET else _recurrence(value)


@public
@attrs.frozen(kw_only=True)
class MeetingUpdate(PydanticField):
    """Changes to a meeting. Only the fields that are given are sent; the others stay as they are.

    ``None`` differs from leaving a field out: it is sent as ``null``, and accepted only for fields that a meeting can
    be without (`time_zone`, `waiting_room`, `recurrence`).

    Attributes:
        type: The kind of meeting: INSTANT 1, SCHEDULED 2, RECURRING 3 or RECURRING_FIXED 8; the number is accepted,
            too.
        title: The title (Zoom's topic), 200 characters at most.
        description: The description (Zoom's agenda), 2,000 characters at most; may be empty.
        start_date: When it starts: an aware datetime.
        duration: Minutes.
        time_zone: An IANA name such as ``"Europe/Berlin"``.
        waiting_room: Whether participants wait until the host lets them in.
        attendees: The people to invite; the list replaces the old one.
        recurrence: How it recurs; not together with a `type` other than 3 or 8.

    Raises:
        InvalidArgumentError: When it is built with a value that the service would refuse.
    """

    type: MeetingType | _Unset = attrs.field(default=UNSET, converter=_change_type)
    title: str | _Unset = attrs.field(default=UNSET, converter=_change_title, repr=masked_text)
    description: str | _Unset = attrs.field(default=UNSET, converter=_change_description, repr=masked_text)
    start_date: datetime | _Unset = attrs.field(
        default=UNSET, converter=_change_start_date, metadata={"wire": "startDate"}
    )
    duration: int | _Unset = attrs.field(default=UNSET, converter=_change_duration)
    time_zone: str | _Unset | None = attrs.field(
        default=UNSET, converter=_change_time_zone, metadata={"wire": "timeZone"}
    )
    waiting_room: bool | _Unset | None = attrs.field(
        default=UNSET, converter=_change_waiting_room, metadata={"wire": "waitingRoom"}
    )
    attendees: tuple[Attendee, ...] | _Unset = attrs.field(default=UNSET, converter=_change_attendees)
    recurrence: Recurrence | _Unset | None = attrs.field(default=UNSET, converter=_change_recurrence)

    def __attrs_post_init__(self) -> None:
        if self.type is not UNSET and self.recurrence is not UNSET:
            _only_where_meetings_recur(self.type, self.recurrence)
