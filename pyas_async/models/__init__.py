"""The service's words as frozen attrs classes: what it answers, and what it can be asked for."""

from pyas_async.models.accounts import ConnectedAccount
from pyas_async.models.enums import ListType, MeetingType
from pyas_async.models.meetings import Meeting, MeetingDetail, Occurrence, Page, TrackingField, ZoomRecurrence
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
