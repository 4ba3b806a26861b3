"""Where a listing can stand, what can happen to it, and where that leads: the transitions as data."""

import enum
from collections.abc import Mapping
from typing import Final


class ListingState(enum.Enum):
    """Where a listing stands."""

    FRESH = "the next request asks for the first page"
    FOLLOWING = "the next request follows a page token"
    DONE = "there is no next request"


class ListingEvent(enum.Enum):
    """What can happen to a listing."""

    PAGE_WITH_TOKEN = "a page with a token"  # noqa: S105  (no password)
    LAST_PAGE = "a page without one"
    TOKEN_DIED = "the token died"  # noqa: S105  (no password)
    FELL_SHORT = "a page without one, and rows are missing that are to be repaired"
    STOPPED = "nobody wants more, or an error"


TRANSITIONS: Final[Mapping[tuple[ListingState, ListingEvent], ListingState]] = {
    (ListingState.FRESH, ListingEvent.PAGE_WITH_TOKEN): ListingState.FOLLOWING,
    (ListingState.FRESH, ListingEvent.LAST_PAGE): ListingState.DONE,
    (ListingState.FRESH, ListingEvent.FELL_SHORT): ListingState.FRESH,
    (ListingState.FRESH, ListingEvent.STOPPED): ListingState.DONE,
    (ListingState.FOLLOWING, ListingEvent.PAGE_WITH_TOKEN): ListingState.FOLLOWING,
    (ListingState.FOLLOWING, ListingEvent.LAST_PAGE): ListingState.DONE,
    (ListingState.FOLLOWING, ListingEvent.TOKEN_DIED): ListingState.FRESH,
    (ListingState.FOLLOWING, ListingEvent.FELL_SHORT): ListingState.FRESH,
    (ListingState.FOLLOWING, ListingEvent.STOPPED): ListingState.DONE,
    (ListingState.DONE, ListingEvent.STOPPED): ListingState.DONE,
}
"""Every transition that there is; the picture in the docs is drawn from it."""
