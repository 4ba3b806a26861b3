"""Meetings in a listing: a row, and a page of rows."""

from collections.abc import Iterator
from datetime import datetime

import attrs

from pyas_async._moments import plus
from pyas_async._public import explains, public
from pyas_async.models._base import Model, free_text, secret
from pyas_async.models.enums import MeetingType


def end_of(start: datetime | None, duration: int | None) -> datetime | None:
    """Return when something ends, in the time zone of its start; ``None`` if that is not known, or is no `datetime`."""
    if start is None or duration is None or duration < 0:
        return None
    return plus(start, minutes=duration)


@public
@attrs.frozen(kw_only=True, repr=False)
class Meeting(Model):
    """A meeting in a listing: one row.

    The rows of a recurring meeting share `id`, and differ in `uuid` or `start_time`: a row is identified by all three.
    Any field except `id` and `uuid` can be missing; it is ``None`` then. So it is if its value is not as documented;
    `unreadable` has the value.

    Two meetings are equal if their named fields are; `extra` is not compared.

    Attributes:
        id: The meeting's number.
        uuid: The id of this instance of the meeting; empty if the service left it out.
        host_id: The host's id at Zoom.
        topic: The title. Passcodes in it, as of a pasted invitation, are masked in ``repr``.
        type: The kind of meeting; an unknown number is kept.
        start_time: When it starts (aware). Instant meetings and those without a fixed time have none. A time without an
            offset is read in the row's `timezone`, or as UTC if that is missing or unknown.
        duration: Minutes.
        timezone: The time zone in which it was scheduled, an IANA name. `start_time` may be in another zone.
        agenda: The description; a listing cuts it to 250 characters. Masked in ``repr`` as `topic` is.
        created_at: When it was created (aware).
        join_url: The URL with which participants join. Its ``pwd=`` is masked in ``repr``.
    """

    id: int
    uuid: str = ""
    host_id: str | None = None
    topic: str | None = free_text()
    type: MeetingType | None = None
    start_time: datetime | None = None
    duration: int | None = None
    timezone: str | None = None
    agenda: str | None = free_text()
    created_at: datetime | None = None
    join_url: str | None = free_text()

    @property
    def end_time(self) -> datetime | None:
        """When it ends (aware), in the zone of `start_time`: the start plus `duration`; ``None`` if one is missing."""
        return end_of(self.start_time, self.duration)


@public
@explains(
    async_loop="a page is complete: write `for meeting in page:`; `client.meetings.iter_all(…)` is for all pages",
    index="a page is not a list: write `page.meetings[0]`",
)
@attrs.frozen(kw_only=True, repr=False)
class Page(Model):
    """One page of a listing.

    Attributes:
        meetings: The page's rows, in the service's order.
        next_page_token: The token of the next page, valid for 15 minutes; ``None`` on the last page.
        page_size: The maximum number of rows on a page, according to the service.
        total_records: The number of rows in the listing, according to the service. It may lag behind.
    """

    meetings: tuple[Meeting, ...] = ()
    next_page_token: str | None = secret(blank=False, also=("nextPageToken",))
    page_size: int | None = None
    total_records: int | None = None

    def __iter__(self) -> Iterator[Meeting]:
        return iter(self.meetings)

    def __len__(self) -> int:
        return len(self.meetings)

    def __bool__(self) -> bool:
        # An empty page is a page.
        return True
