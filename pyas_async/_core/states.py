"""Where a listing can stand, what can happen to it, and where that leads: the transitions as data."""

import enum
from collections.abc import Mapping
from typing import Final


class State(enum.Enum):
    """Where a listing stands."""

    FRESH = "the next request asks for the first page"
    FOLLOWING = "the next request follows a page token"
    DONE = "there is no next request"


class Event(enum.Enum):
    """What can happen to a listing."""

    PAGE_WITH_TOKEN = "a page with a token"  # noqa: S105  (no password)
    LAST_PAGE = "a page without one"
    TOKEN_DIED = "the token died"  # noqa: S105  (no password)
    FELL_SHORT = "a page without one, and rows are missing that are to be repaired"
    STOPPED = "nobody wants more, or an error"


TRANSITIONS: Final[Mapping[tuple[State, Event], State]] = {
    (State.FRESH, Event.PAGE_WITH_TOKEN): State.FOLLOWING,
    (State.FRESH, Event.LAST_PAGE): State.DONE,
    (State.FRESH, Event.FELL_SHORT): State.FRESH,
    (State.FRESH, Event.STOPPED): State.DONE,
    (State.FOLLOWING, Event.PAGE_WITH_TOKEN): State.FOLLOWING,
    (State.FOLLOWING, Event.LAST_PAGE): State.DONE,
    (State.FOLLOWING, Event.TOKEN_DIED): State.FRESH,
    (State.FOLLOWING, Event.FELL_SHORT): State.FRESH,
    (State.FOLLOWING, Event.STOPPED): State.DONE,
    (State.DONE, Event.STOPPED): State.DONE,
}
"""Every transition that there is; the picture in the docs is drawn from it."""
