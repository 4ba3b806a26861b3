"""The service's names for types of meetings and of listings."""

from enum import IntEnum, StrEnum
from typing import Self

from pyas_async._checks import as_int
from pyas_async._public import public


@public
class MeetingType(IntEnum):
    """The kind of a meeting, by Zoom's number.

    A number that this version does not know becomes a member named ``UNKNOWN_…``. It equals its ``int``.
    """

    INSTANT = 1
    """An instant meeting."""
    SCHEDULED = 2
    """A scheduled meeting."""
    RECURRING = 3
    """A recurring meeting with no fixed time."""
    PERSONAL_ROOM = 4
    """A personal meeting room; read only."""
    RECURRING_FIXED = 8
    """A recurring meeting with fixed time."""
    SCREEN_SHARE = 10
    """A screen-share meeting; read only."""

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        number = as_int(value)
        if number is None:
            return None
        member = int.__new__(cls, number)
        member._name_ = f"UNKNOWN_{number}"
        member._value_ = number
        return member

    def __reduce_ex__(self, _: object) -> tuple[type[Self], tuple[int]]:
        # Pickle and copy by number: the first releases of Python 3.11 look a member up by its name.
        return type(self), (int(self),)


@public
class ListType(StrEnum):
    """Which meetings a listing contains, in the service's words. Without a type, the service lists ``"scheduled"``.

    ======================= ============================================================
    value                   meetings
    ======================= ============================================================
    ``"scheduled"``         All valid previous (unexpired) meetings, live meetings, and
                            upcoming scheduled meetings.
    ``"live"``              All the ongoing meetings.
    ``"upcoming"``          All upcoming meetings, including live meetings.
    ``"upcoming_meetings"`` All upcoming meetings, including live meetings.
    ``"previous_meetings"`` All the previous meetings.
    ======================= ============================================================

    Plain text such as ``"live"`` is accepted wherever a `ListType` is. What distinguishes ``"upcoming"`` from
    ``"upcoming_meetings"``, and which meetings are unexpired, the service's documentation does not say.
    """

    SCHEDULED = "scheduled"
    """All valid previous (unexpired) meetings, live meetings, and upcoming scheduled meetings."""
    LIVE = "live"
    """All the ongoing meetings."""
    UPCOMING = "upcoming"
    """All upcoming meetings, including live meetings."""
    UPCOMING_MEETINGS = "upcoming_meetings"
    """All upcoming meetings, including live meetings."""
    PREVIOUS_MEETINGS = "previous_meetings"
    """All the previous meetings."""
