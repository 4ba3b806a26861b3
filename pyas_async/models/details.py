"""The full details of a meeting, and their parts. Loaded on first use."""

from datetime import datetime

import attrs

from pyas_async._public import public
from pyas_async.models._base import Model, free_text, secret
from pyas_async.models.meetings import Meeting, end_of
from pyas_async.models.settings import MeetingSettings


@public
@attrs.frozen(kw_only=True, repr=False)
class Occurrence(Model):
    """One date of a recurring meeting.

    Attributes:
        occurrence_id: Its id among the dates of the meeting.
        start_time: When it starts (aware). A time without an offset is read in the meeting's `timezone`.
        duration: Minutes.
        status: ``"available"`` or ``"deleted"``.
    """

    occurrence_id: str | None = None
    start_time: datetime | None = None
    duration: int | None = None
    status: str | None = None

    @property
    def end_time(self) -> datetime | None:
        """When it ends (aware), in the zone of `start_time`: the start plus `duration`; ``None`` if one is missing."""
        return end_of(self.start_time, self.duration)


@public
@attrs.frozen(kw_only=True, repr=False)
class TrackingField(Model):
    """A tracking field of the host's Zoom account.

    Attributes:
        field: Its label.
        value: Its value.
        visible: Whether participants see it.
    """

    field: str | None = None
    value: str | None = free_text()
    visible: bool | None = None


@public
@attrs.frozen(kw_only=True, repr=False)
class ZoomRecurrence(Model):
    """How a meeting recurs, in Zoom's numbers. Requests use words instead: `pyas_async.Recurrence`.

    Attributes:
        type: 1 daily, 2 weekly, 3 monthly.
        repeat_interval: The number of days, weeks or months between two dates.
        weekly_days: Days of the week, Sunday = 1, as in ``"1,3"``.
        monthly_day: Day of the month, 1 to 31.
        monthly_week: Week of the month, 1 to 4; -1 for the last.
        monthly_week_day: Day of that week, Sunday = 1.
        end_times: The number of dates, if the series ends after a number of them.
        end_date_time: When the series ends (aware), if it ends at a time. A time without an offset is read in the
            meeting's `timezone`.
    """

    type: int | None = None
    repeat_interval: int | None = None
    weekly_days: str | None = None
    monthly_day: int | None = None
    monthly_week: int | None = None
    monthly_week_day: int | None = None
    end_times: int | None = None
    end_date_time: datetime | None = None


@public
@attrs.frozen(kw_only=True, repr=False)
class MeetingDetail(Meeting):
    """A meeting with all its details: the fields of a row, and more.

    Attributes:
        host_email: The host's e-mail address.
        assistant_id: The id of the user who scheduled it for the host.
        status: ``"waiting"`` or ``"started"``.
        start_url: The URL with which the host starts it. It lets its holder in as the host: masked in ``repr``.
        password: The passcode; masked in ``repr``, as are its other forms.
        h323_password: The passcode for H.323 and SIP rooms.
        pstn_password: The passcode for the telephone.
        encrypted_password: The passcode in the form that links contain.
        settings: The meeting's settings.
        pre_schedule: Whether it was scheduled with the older Google Suite or Outlook add-in.
        occurrences: The dates of a recurring meeting with fixed time.
        recurrence: How it recurs, in Zoom's numbers.
        tracking_fields: The tracking fields of the host's account.
    """

    host_email: str | None = None
    assistant_id: str | None = None
    status: str | None = None
    start_url: str | None = secret()
    password: str | None = secret()
    h323_password: str | None = secret()
    pstn_password: str | None = secret()
    encrypted_password: str | None = secret()
    settings: MeetingSettings | None = None
    pre_schedule: bool | None = None
    occurrences: tuple[Occurrence, ...] = ()
    recurrence: ZoomRecurrence | None = None
    tracking_fields: tuple[TrackingField, ...] = ()
