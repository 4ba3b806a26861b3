"""The states of a listing, the events that change them, and the transitions between them, as data."""

import enum
from collections.abc import Mapping
from typing import Final


class ListingState(enum.Enum):
    """What a listing asks for next."""

    FRESH = "the next request asks for the first page"
    FOLLOWING = "the next request sends a page token"
    DONE = "there is no next request"


class ListingEvent(enum.Enum):
    """What can happen to a listing."""

    PAGE_WITH_TOKEN = "a page with a token"  # noqa: S105  (no password)
    LAST_PAGE = "a page without a token"
    TOKEN_EXPIRED = "the token expired"  # noqa: S105  (no password)
    ROWS_MISSING = "a page without a token, with rows missing that a fresh walk is to find"
    STOPPED = "enough rows, an error, or closed"


TRANSITIONS: Final[Mapping[tuple[ListingState, ListingEvent], ListingState]] = {
    (ListingState.FRESH, ListingEvent.PAGE_WITH_TOKEN): ListingState.FOLLOWING,
    (ListingState.FRESH, ListingEvent.LAST_PAGE): ListingState.DONE,
    (ListingState.FRESH, ListingEvent.ROWS_MISSING): ListingState.FRESH,
    (ListingState.FRESH, ListingEvent.STOPPED): ListingState.DONE,
    (ListingState.FOLLOWING, ListingEvent.PAGE_WITH_TOKEN): ListingState.FOLLOWING,
    (ListingState.FOLLOWING, ListingEvent.LAST_PAGE): ListingState.DONE,
    (ListingState.FOLLOWING, ListingEvent.TOKEN_EXPIRED): ListingState.FRESH,
    (ListingState.FOLLOWING, ListingEvent.ROWS_MISSING): ListingState.FRESH,
    (ListingState.FOLLOWING, ListingEvent.STOPPED): ListingState.DONE,
    (ListingState.DONE, ListingEvent.STOPPED): ListingState.DONE,
}
"""Every transition that exists; the diagram in docs/architecture.md is drawn from this table."""
