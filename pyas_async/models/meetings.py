"""Meetings as a listing has them: a row, and a page of rows."""

from collections.abc import Iterator
from datetime import datetime

import attrs

from pyas_async._public import public
from pyas_async.models._base import Model, link, secret
from pyas_async.models.enums import MeetingType


@public
@attrs.frozen(kw_only=True, repr=False)
class Meeting(Model):
    """A row of a listing.

    Rows of a recurring meeting share `id` and differ in `uuid` or `start_time`: what tells one row from another is all
    three. Any field but `id` and `uuid` may be missing, and is ``None`` then.

    Two meetings are equal if their named fields are; `extra` does not count.

    Attributes:
        id: The meeting's number.
        uuid: The id of this instance of the meeting; empty if the service left it out.
        host_id: The host's id at Zoom.
        topic: The title.
        type: What kind of meeting it is; an unknown number is kept.
        start_time: When it starts (aware). Instant meetings and those without a fixed time have none. A time that came
            without an offset is read in the row's `timezone`, or as UTC if that is missing or unknown.
        duration: Minutes.
        timezone: The time zone it was scheduled in, an IANA name. `start_time` need not be in it.
        agenda: The description; a listing cuts it to 250 characters.
        created_at: When it was created (aware).
        join_url: Where participants join. Its ``pwd=`` is masked in ``repr``.
    """

    id: int
    uuid: str = ""
    host_id: str | None = None
    topic: str | None = None
    type: MeetingType | None = None
    start_time: datetime | None = None
    duration: int | None = None
    timezone: str | None = None
    agenda: str | None = None
    created_at: datetime | None = None
    join_url: str | None = link()


@public
@attrs.frozen(kw_only=True, repr=False)
class Page(Model):
    """One page of a listing.

    Attributes:
        meetings: Its rows, in the service's order.
        next_page_token: Asks for the next page, for 15 minutes from now; ``None`` at the end.
        page_size: How many rows a page has at most, as the service sees it.
        total_records: How many rows the service says the listing has. Information, not truth: it may lag.
    """

    meetings: tuple[Meeting, ...] = ()
    next_page_token: str | None = secret(blank=False)
    page_size: int | None = None
    total_records: int | None = None

    def __iter__(self) -> Iterator[Meeting]:
        """Go through the rows of this page."""
        return iter(self.meetings)

    def __len__(self) -> int:
        """Count the rows of this page."""
        return len(self.meetings)

    def __bool__(self) -> bool:
        """Be true even without rows: an empty page is a page."""
        return True
