"""The service's documents as frozen attrs classes: what it sends, and what requests contain."""

from typing import TYPE_CHECKING

from pyas_async._public import lazy_exports
from pyas_async.models.enums import ListType, MeetingType
from pyas_async.models.meetings import Meeting, Page

if TYPE_CHECKING:
    from pyas_async.models.accounts import ConnectedAccount
    from pyas_async.models.details import MeetingDetail, Occurrence, TrackingField, ZoomRecurrence
    from pyas_async.models.recurrence import Recurrence
    from pyas_async.models.requests import Attendee, MeetingCreate, MeetingUpdate
    from pyas_async.models.settings import BreakoutRoom, CountriesOrRegions, MeetingSettings
else:
    # A program that only lists meetings needs none of these.
    __getattr__, __dir__ = lazy_exports(
        __name__,
        {
            "accounts": ["ConnectedAccount"],
            "details": ["MeetingDetail", "Occurrence", "TrackingField", "ZoomRecurrence"],
            "recurrence": ["Recurrence"],
            "requests": ["Attendee", "MeetingCreate", "MeetingUpdate"],
            "settings": ["BreakoutRoom", "CountriesOrRegions", "MeetingSettings"],
        },
    )

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
