"""The service's documents as frozen attrs classes: what it sends, and what requests contain."""

import importlib
from typing import TYPE_CHECKING, Any

from pyas_async.models.enums import ListType, MeetingType
from pyas_async.models.meetings import Meeting, Page

if TYPE_CHECKING:
    from pyas_async.models.accounts import ConnectedAccount
    from pyas_async.models.details import MeetingDetail, Occurrence, TrackingField, ZoomRecurrence
    from pyas_async.models.recurrence import Recurrence
    from pyas_async.models.requests import Attendee, MeetingCreate, MeetingUpdate
    from pyas_async.models.settings import BreakoutRoom, CountriesOrRegions, MeetingSettings

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


# Loaded on first use, since many programs only list meetings.
_LATER = {
    "Attendee": "requests",
    "BreakoutRoom": "settings",
    "ConnectedAccount": "accounts",
    "CountriesOrRegions": "settings",
    "MeetingCreate": "requests",
    "MeetingDetail": "details",
    "MeetingSettings": "settings",
    "MeetingUpdate": "requests",
    "Occurrence": "details",
    "Recurrence": "recurrence",
    "TrackingField": "details",
    "ZoomRecurrence": "details",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401  (an attribute can be anything)
    if name not in _LATER:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(importlib.import_module(f"{__name__}.{_LATER[name]}"), name)
