"""The contents of write requests: a meeting to create, and changes to one."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

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
_RECURRING_ZONE = (
    "an IANA time zone name such as 'Europe/Berlin', since an offset does not say when the clocks change, and the "
    "meetings after that would be off by an hour"
)
_Unset: TypeAlias = Literal[Unset.UNSET]


def _email(value: str, field: str = "email") -> str:
    address = _checks.text(field, value)
    local, at, domain = address.rpartition("@")
    if not (local and at and domain) or any(character.isspace() for character in address):
        raise InvalidArgumentError(field, "an e-mail address", value)
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


# Which type is the default depends on the recurrence, which is read later.
_TYPE_UNSET: Any = UNSET


def _type_or_default(value: MeetingType | int | _Unset) -> MeetingType:
    return _TYPE_UNSET if value is UNSET else _type(value)  # replaced by `MeetingCreate`


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


class _ZoneOfStart(str):
    """A time zone that was taken from `start_date`: after `attrs.evolve` with another start, it is that one's."""

    __slots__ = ()


def _complete_zone(meeting: "MeetingCreate | MeetingUpdate", absent: _Unset | None) -> None:
    """Take the time zone from the start, unless one was given.

    Args:
        meeting: The model that is being made.
        absent: The value of `time_zone` that says that none was given.

    Raises:
        InvalidArgumentError: If the meeting recurs, and its start has a mere offset, which keeps no hour of the clock.
    """
    start, given = meeting.start_date, meeting.time_zone
    if given is not absent and not isinstance(given, _ZoneOfStart):
        return
    name = None if start is UNSET else _checks.zone_of(start)
    object.__setattr__(meeting, "time_zone", absent if name is None else _ZoneOfStart(name))
    if name is None and meeting.recurrence and start is not UNSET and not _checks.is_utc(start):
        offset = f"<an offset alone: {start.isoformat()}>"
        hint = "Give time_zone=, or a start_date in a ZoneInfo"
        raise InvalidArgumentError("time_zone", _RECURRING_ZONE, offset, hint=hint)


def _waiting_room(value: bool | None) -> bool | None:  # noqa: FBT001  (a converter has one argument)
    return None if value is None else _checks.yes_or_no("waiting_room", value)


def _attendees(value: Iterable[Attendee | str]) -> tuple[Attendee, ...]:
    if isinstance(value, (str, bytes, Mapping)) or not isinstance(value, Iterable):
        expected = "a list of e-mail addresses or of Attendee, which may be empty"
        raise InvalidArgumentError("attendees", expected, value, hint="Give a list, even for one")
    return tuple(_attendee(position, attendee) for position, attendee in enumerate(value))


def _attendee(position: int, value: Attendee | str) -> Attendee:
    if isinstance(value, Attendee):
        return value
    if isinstance(value, str):
        return Attendee(_email(value, f"attendees[{position}].email"))
    expected = "an e-mail address, or an Attendee, as in Attendee('ada@example.com')"
    raise InvalidArgumentError(f"attendees[{position}]", expected, value)


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

    A title and a start are enough::

        MeetingCreate("Planning", datetime(2031, 3, 4, 9, tzinfo=ZoneInfo("Europe/Berlin")))

    Attributes:
        title: The title (Zoom's topic), 200 characters at most.
        start_date: When it starts: an aware datetime, required for every type.
        description: The description (Zoom's agenda), 2,000 characters at most; always sent, even if empty.
        type: The kind of meeting: INSTANT 1, SCHEDULED 2, RECURRING 3 or RECURRING_FIXED 8; the number is accepted,
            too. SCHEDULED unless given, or RECURRING_FIXED with a recurrence.
        duration: Minutes; always sent. Documented as used only for scheduled meetings.
        time_zone: An IANA name such as ``"Europe/Berlin"``, in which a recurring meeting keeps its hour. Unless given,
            it is the key of the `zoneinfo.ZoneInfo` of `start_date`. A start in UTC has none, and none is sent: the
            meeting keeps its hour in UTC. A recurring meeting whose start has another offset without a name is
            refused, since an offset does not say when the clocks change. Documented as used only for scheduled meetings
            and recurring ones with a fixed time.
        waiting_room: Whether participants wait until the host lets them in; not sent if ``None``.
        attendees: The people to invite, as e-mail addresses or `Attendee`; always sent, even if empty.
        recurrence: How it recurs; only with the types 3 and 8. Not sent if ``None``.

    Raises:
        InvalidArgumentError: When it is built with a value that the service would refuse.
    """

    title: str = attrs.field(converter=_title, repr=masked_text)
    start_date: datetime = attrs.field(converter=_start_date, metadata={"wire": "startDate"})
    description: str = attrs.field(default="", converter=_description, repr=masked_text)
    type: MeetingType = attrs.field(default=_TYPE_UNSET, converter=_type_or_default)
    duration: int = attrs.field(default=30, converter=_duration)
    time_zone: str | None = attrs.field(default=None, converter=_time_zone, metadata={"wire": "timeZone"})
    waiting_room: bool | None = attrs.field(default=None, converter=_waiting_room, metadata={"wire": "waitingRoom"})
    attendees: tuple[Attendee, ...] = attrs.field(default=(), converter=_attendees)
    recurrence: Recurrence | None = attrs.field(default=None, converter=_recurrence)

    def __attrs_post_init__(self) -> None:
        if self.type is _TYPE_UNSET:
            kind = MeetingType.SCHEDULED if self.recurrence is None else MeetingType.RECURRING_FIXED
            object.__setattr__(self, "type", kind)
        _only_where_meetings_recur(self.type, self.recurrence)
        _complete_zone(self, None)


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


def _change_attendees(value: Iterable[Attendee | str] | _Unset) -> tuple[Attendee, ...] | _Unset:
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
        time_zone: An IANA name such as ``"Europe/Berlin"``. Unless given, it is the key of the `zoneinfo.ZoneInfo` of
            `start_date`, if that is given; see `MeetingCreate`.
        waiting_room: Whether participants wait until the host lets them in.
        attendees: The people to invite, as e-mail addresses or `Attendee`; the list replaces the old one.
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
        _complete_zone(self, UNSET)
