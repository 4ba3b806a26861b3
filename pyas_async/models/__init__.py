"""The service's words as frozen attrs classes: what it answers, and what it can be asked for."""

from typing import TYPE_CHECKING, Any

from pyas_async.models.accounts import ConnectedAccount
from pyas_async.models.enums import ListType, MeetingType
from pyas_async.models.meetings import Meeting, MeetingDetail, Occurrence, Page, TrackingField, ZoomRecurrence
from pyas_async.models.settings import BreakoutRoom, CountriesOrRegions, MeetingSettings

if TYPE_CHECKING:
    from pyas_async.models.recurrence import Recurrence
    from pyas_async.models.requests import Attendee, MeetingCreate, MeetingUpdate

__all__ = [
    "Attendee",
    "BreakoutRoom",
    "ConnectedAccount",
    "CountriesOrRegions",
    "ListType",
    "Meeting",
    "MeetingCreate",
    "MeetingDetail",
    "MeetingSettings",
    "MeetingType",
    "MeetingUpdate",
    "Occurrence",
    "Page",
    "Recurrence",
    "TrackingField",
    "ZoomRecurrence",
]


def __getattr__(name: str) -> Any:  # noqa: ANN401  (whatever has that name)
    # Many programs only read.
    if name not in __all__:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    from pyas_async.models import requests  # noqa: PLC0415 -- see above

    return getattr(requests, name)
