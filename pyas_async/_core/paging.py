"""One listing as a machine: a page or an error goes in, the next request or the rows to yield come out.

::

    FRESH ──page with a token──▶ FOLLOWING ──page without one──▶ DONE
      │ ▲                            │  │
      │ └─────token died─────────────┘  └──token died──▶ FRESH
      └──page without a token──▶ DONE

A page token lives 15 minutes (the page). When it died, or is too old to be tried, a fresh query with the same filters
walks from the start, and rows already yielded are skipped by ``(id, uuid, start_time)``. A dead token is never sent
twice.
"""

import enum
from collections.abc import Mapping
from typing import Final, Literal

import attrs

from pyas_async._core.rows import RowMemory
from pyas_async._core.status import refuses_page_size, unclear_about_token
from pyas_async.errors import APIStatusError, PageTokenExpiredError, PaginationError, PaginationLoopError
from pyas_async.models import Meeting, Page

PAGE_SIZE = 300
"""Zoom's maximum, and what is asked for unless told otherwise: calls are what is scarce."""
MAX_EMPTY_PAGES = 100
"""Empty pages in a row, each with a token, before the listing is given up."""


class State(enum.Enum):
    """Where a listing stands."""

    FRESH = "the next request asks for the first page"
    FOLLOWING = "the next request follows a page token"
    DONE = "there is no next request"


class Event(enum.Enum):
    """What can happen to a listing."""

    PAGE_WITH_TOKEN = "a page that says how to go on"  # noqa: S105  (no password)
    LAST_PAGE = "a page without a token"
    TOKEN_DIED = "the token is too old, or the service refused it"  # noqa: S105  (no password)
    STOPPED = "nobody wants more, or an error ended it"


TRANSITIONS: Final[Mapping[tuple[State, Event], State]] = {
    (State.FRESH, Event.PAGE_WITH_TOKEN): State.FOLLOWING,
    (State.FRESH, Event.LAST_PAGE): State.DONE,
    (State.FRESH, Event.STOPPED): State.DONE,
    (State.FOLLOWING, Event.PAGE_WITH_TOKEN): State.FOLLOWING,
    (State.FOLLOWING, Event.LAST_PAGE): State.DONE,
    (State.FOLLOWING, Event.TOKEN_DIED): State.FRESH,
    (State.FOLLOWING, Event.STOPPED): State.DONE,
    (State.DONE, Event.STOPPED): State.DONE,
}
"""Every transition that there is; the picture in the docs is drawn from it."""


@attrs.frozen
class Ask:
    """The next request: with which token and page size, and when it is too late for it."""

    token: str | None
    page_size: int | None
    not_after: float | None


@attrs.frozen(kw_only=True)
class Rules:
    """What a listing may do.

    Attributes:
        page_size: Rows a page that are asked for.
        max_items: Rows after which nobody wants more; ``None`` for all.
        on_expired: Whether a dead token is answered by a fresh walk, or raised.
        max_restarts: Fresh walks in a row that may bring no new row.
        token_ttl: Seconds that a page token lives.
    """

    page_size: int = PAGE_SIZE
    max_items: int | None = None
    on_expired: Literal["restart", "raise"] = "restart"
    max_restarts: int = 3
    token_ttl: float = 900.0

    @property
    def token_use(self) -> float:
        """Seconds after its arrival that a token is still tried: its life, less the time a request may be under way."""
        return self.token_ttl - min(10.0, self.token_ttl * 0.05)


@attrs.define
class Counts:
    """What happened so far."""

    pages: int = 0
    items: int = 0
    restarts: int = 0
    duplicates_skipped: int = 0
    total_reported: int | None = None


class Paging:
    """The state of one listing. Times are monotonic seconds."""

    def __init__(self, rules: Rules) -> None:
        """Stand before the first page."""
        self.state = State.FRESH
        self.counts = Counts()
        self._rules = rules
        self._page_size: int | None = rules.page_size
        self._token: str | None = None
        self._token_born = 0.0
        self._memory = RowMemory()
        self._walk_tokens: set[str] = set()
        self._empty_pages = 0
        # Restarts since the last row that was new.
        self._barren_restarts = 0

    @property
    def ended(self) -> bool:
        """Whether there is nothing more to ask for."""
        return self.state is State.DONE

    def next(self) -> Ask | None:
        """Give the next request; ``None`` at the end."""
        if self.state is State.DONE:
            return None
        if self.state is State.FRESH:
            return Ask(None, self._page_size, None)
        return Ask(self._token, self._page_size, self._token_born + self._rules.token_use)

    def on_page(self, page: Page, now: float) -> list[Meeting]:
        """Take a page in, and give the rows that are to be yielded."""
        counts = self.counts
        counts.pages += 1
        if page.total_records is not None:
            counts.total_reported = page.total_records
        new = self._memory.fresh(page.meetings)
        counts.duplicates_skipped += len(page.meetings) - len(new)
        if new:
            self._barren_restarts = 0
        self._empty_pages = 0 if page.meetings else self._empty_pages + 1
        self._follow(page.next_page_token, now, brought_new=bool(new))
        limit = self._rules.max_items
        if limit is not None and counts.items + len(new) >= limit:
            new = new[: limit - counts.items]
            self.stop()
        counts.items += len(new)
        return new

    def on_error(self, error: Exception) -> Literal["age", "answer", "size"]:
        """Recover from an error of a page's call: say why the listing goes on, or raise what ends it."""
        if self.state is State.FRESH:
            return self._on_fresh_error(error)
        if isinstance(error, PageTokenExpiredError):
            if self._rules.on_expired == "raise":
                self.stop()
                raise error
            self._restart(error)
            return "answer" if error.status else "age"
        if isinstance(error, APIStatusError) and unclear_about_token(error) and self._rules.on_expired == "restart":
            # It may mean a dead token without saying so. A fresh query settles it: if that fails too, its error is
            # raised.
            self._restart(error)
            return "answer"
        self.stop()
        raise error

    def stop(self) -> None:
        """Ask for nothing more."""
        self._move(Event.STOPPED)

    def _on_fresh_error(self, error: Exception) -> Literal["size"]:
        default = self._page_size == PAGE_SIZE
        if default and isinstance(error, APIStatusError) and refuses_page_size(error):
            # Pyas's own cap is not documented. Without a number the service takes its own.
            self._page_size = None
            return "size"
        self.stop()
        raise error

    def _follow(self, token: str | None, now: float, *, brought_new: bool) -> None:
        if token is None:
            self._move(Event.LAST_PAGE)
            return
        if token in self._walk_tokens and not brought_new:
            self.stop()
            msg = (
                f"the service handed out a page token for the second time, and the page between brought nothing new, "
                f"after {self.counts.items:,} rows; the rest cannot be reached. Narrow the dates, or ask the vendor"
            )
            raise PaginationLoopError(msg)
        if self._empty_pages >= MAX_EMPTY_PAGES:
            self.stop()
            msg = f"{self._empty_pages} empty pages in a row, each with a token to go on; giving up. Narrow the dates"
            raise PaginationError(msg)
        self._walk_tokens.add(token)
        self._token, self._token_born = token, now
        self._move(Event.PAGE_WITH_TOKEN)

    def _restart(self, error: APIStatusError) -> None:
        if self._barren_restarts >= self._rules.max_restarts:
            self.stop()
            msg = (
                f"the page token died {self._barren_restarts + 1} times without a new row in between, after "
                f"{self.counts.items:,} rows: the listing is too long for a token's {self._rules.token_ttl:g} s. "
                f"Take rows faster, or list narrower dates one after the other. The last refusal: {error}"
            )
            raise PaginationError(msg)
        self._barren_restarts += 1
        self.counts.restarts += 1
        self._token = None
        self._walk_tokens.clear()
        self._empty_pages = 0
        self._move(Event.TOKEN_DIED)

    def _move(self, event: Event) -> None:
        self.state = TRANSITIONS[self.state, event]
