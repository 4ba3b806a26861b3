"""A meeting with all that the service tells of one, and its parts. They are loaded when somebody gets one."""

from datetime import datetime

import attrs

from pyas_async._public import public
from pyas_async.models._base import Model, secret
from pyas_async.models.meetings import Meeting
from pyas_async.models.settings import MeetingSettings


@public
@attrs.frozen(kw_only=True, repr=False)
class Occurrence(Model):
    """One date of a recurring meeting.

    Attributes:
        occurrence_id: Its id among the dates of the meeting.
        start_time: When it starts (aware).
        duration: Minutes.
        status: ``"available"`` or ``"deleted"``.
    """

    occurrence_id: str | None = None
    start_time: datetime | None = None
    duration: int | None = None
    status: str | None = None


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
    value: str | None = None
    visible: bool | None = None


@public
@attrs.frozen(kw_only=True, repr=False)
class ZoomRecurrence(Model):
    """How a meeting recurs, in Zoom's numbers; a request says it in words instead, with `pyas_async.Recurrence`.

    Attributes:
        type: 1 daily, 2 weekly, 3 monthly.
        repeat_interval: Every so many days, weeks or months.
        weekly_days: Days of the week, Sunday = 1, as in ``"1,3"``.
        monthly_day: Day of the month, 1 to 31.
        monthly_week: Week of the month, 1 to 4; -1 for the last.
        monthly_week_day: Day of that week, Sunday = 1.
        end_times: How often it takes place, if that is what ends it.
        end_date_time: When it ends (aware), if that is what ends it.
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
    """A meeting with all that the service tells of one: everything a row has, and more.

    Attributes:
        host_email: The host's e-mail address.
        assistant_id: The id of whoever scheduled it for the host.
        status: ``"waiting"`` or ``"started"``.
        start_url: Where the host starts it. Whoever has it is let in as the host: masked in ``repr``.
        password: The passcode; masked in ``repr``, as all its forms are.
        h323_password: The passcode for H.323 and SIP rooms.
        pstn_password: The passcode for the telephone.
        encrypted_password: The passcode as links carry it.
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
