"""The values that the pagination machine holds: the rules of a listing, its counts, and its position."""

from collections import Counter
from collections.abc import Iterable
from typing import Literal, TypeAlias

import attrs

from pyas_async._core.calls.endpoints import MAX_PAGE_SIZE, list_meetings
from pyas_async._core.calls.messages import Call
from pyas_async._core.checkpoints.listing import ListingCheckpoint
from pyas_async._public import public
from pyas_async.models import Meeting, Page
from pyas_async.models._source import UnreadableRow

MAX_PAGES_WITHOUT_NEW_ROWS = 50
"""Consecutive pages without a new row, empty or with known rows only, after which the listing is given up."""

OnExpired: TypeAlias = Literal["restart", "raise"]
VerifyTotal: TypeAlias = Literal["off", "warn", "raise", "repair"]
OnUnreadable: TypeAlias = Literal["raise", "skip"]
"""What to do about a row without an identity."""


@attrs.frozen
class PageRequest:
    """The next request of a listing.

    Attributes:
        token: The page token; ``None`` asks for the first page.
        page_size: Rows to ask for; ``None`` leaves the number to the service.
        not_after: The monotonic time after which the token is too old to be sent.
    """

    token: str | None = attrs.field(repr=False)
    page_size: int | None
    not_after: float | None

    def call(self, account_id: str, filters: tuple[tuple[str, str], ...]) -> Call[Page]:
        """Return the call that makes this request for an account's listing."""
        return list_meetings(
            account_id, filters, max_results=self.page_size, next_page_token=self.token, not_after=self.not_after
        )


@attrs.frozen(kw_only=True)
class ListingRules:
    """What the caller wants of a listing.

    Attributes:
        page_size: Rows to ask for with each page.
        max_items: Rows after which the listing ends; ``None`` for all.
        on_expired: Whether an expired token leads to a fresh walk, or its error is raised.
        max_restarts: The most consecutive fresh walks without a new row; also the most repairing walks.
        verify_total: What to do if the service's total does not match the rows.
        on_unreadable: Whether a row without an identity raises after the rows before it, or is skipped.
        token_ttl: Seconds for which a page token is valid.
    """

    page_size: int = MAX_PAGE_SIZE
    max_items: int | None = None
    on_expired: OnExpired = "restart"
    max_restarts: int = 3
    verify_total: VerifyTotal = "warn"
    on_unreadable: OnUnreadable = "raise"
    token_ttl: float = 900.0

    @property
    def token_life(self) -> float:
        """Seconds after its arrival for which a token is sent.

        That is `token_ttl` less 10 seconds, or less a twentieth if it is short: the request needs time to arrive.
        """
        return self.token_ttl - min(10.0, self.token_ttl * 0.05)


@public
@attrs.frozen(kw_only=True)
class IterationStats:
    """What an iteration has done so far.

    Attributes:
        pages: Pages received and processed.
        items: Rows yielded.
        calls: Requests sent, retries included.
        restarts: Fresh walks begun because a page token expired, or to repair.
        duplicates_skipped: Rows received again and not yielded again.
        unreadable: Rows without an identity that were passed; they are not among `items`.
        total_reported: How many rows the service last said the listing has; ``None`` if it never said.
        missing: Rows that the service reported and the iteration, at its end, had not seen; ``None`` before the end,
            and where the service reported no total.
    """

    pages: int
    items: int
    calls: int
    restarts: int
    duplicates_skipped: int
    unreadable: int = 0
    total_reported: int | None
    missing: int | None


class GivenPage:
    """What is to be handed out of a page: its new rows, and between them those that could not be read.

    Attributes:
        rows: The meetings.
        unreadable: The rows without an identity, each with the number of meetings before it.
    """

    __slots__ = ("rows", "unreadable")

    def __init__(self, rows: tuple[Meeting, ...] = (), unreadable: tuple[tuple[int, UnreadableRow], ...] = ()) -> None:
        self.rows = rows
        self.unreadable = unreadable

    @classmethod
    def of(cls, items: Iterable[Meeting | UnreadableRow]) -> "GivenPage":
        """Sort the rows of a page."""
        rows: list[Meeting] = []
        unreadable = []
        for item in items:
            if isinstance(item, UnreadableRow):
                unreadable.append((len(rows), item))
            else:
                rows.append(item)
        return cls(tuple(rows), tuple(unreadable))

    @property
    def length(self) -> int:
        """How many rows these are, readable and unreadable ones."""
        return len(self.rows) + len(self.unreadable)

    def first(self, rows: int) -> "GivenPage":
        """Return the page up to a number of meetings: nothing after the last of them."""
        if len(self.rows) < rows:
            return self
        return GivenPage(self.rows[:rows], tuple(pair for pair in self.unreadable if pair[0] < rows))

    def unreadable_among(self, rows: int) -> int:
        """Return how many of the first rows of the page, readable and unreadable ones, are unreadable."""
        return sum(before + number < rows for number, (before, _) in enumerate(self.unreadable))

    def passed(self, rows: int) -> int:
        """Return how many of the unreadable rows lie behind the consumer, who has got this many meetings.

        Those directly before a meeting are passed together with it, and those at the end with the last meeting.
        """
        if rows == len(self.rows):
            return len(self.unreadable)
        return sum(before < rows for before, _ in self.unreadable)


@attrs.define
class ListingCounts:
    """What the machine has counted: `items` and `unreadable` whether or not the consumer has got to these rows."""

    pages: int = 0
    items: int = 0
    restarts: int = 0
    duplicates_skipped: int = 0
    unreadable: int = 0
    total_reported: int | None = None
    missing: int | None = None

    def stats(self, *, waiting: int, unreadable_waiting: int, calls: int) -> IterationStats:
        """Return the counts for users. The consumer has not got to the `waiting` rows yet."""
        return IterationStats(
            pages=self.pages,
            items=self.items - waiting,
            calls=calls,
            restarts=self.restarts,
            duplicates_skipped=self.duplicates_skipped,
            unreadable=self.unreadable - unreadable_waiting,
            total_reported=self.total_reported,
            missing=self.missing,
        )


@attrs.define
class ReportedTotal:
    """The totals that the service reports during a walk: how many rows, it says, the listing has.

    `first` and `changed` may come from a checkpoint; `last` was reported to this process.
    """

    first: int | None = None
    last: int | None = None
    changed: bool = False

    def update(self, total: int) -> None:
        """Add the total that a page reports."""
        self.changed = self.changed or self.first not in (None, total)
        self.first = total if self.first is None else self.first
        self.last = total

    def missing(self, seen: int) -> int | None:
        """Return how many rows are missing if `seen` were received; ``None`` if the service reported no total."""
        return None if self.last is None else max(0, self.last - seen)

    def drift(self, seen: int) -> str | None:
        """Describe how the listing changed during a walk of `seen` rows; ``None`` if nothing shows a change."""
        if self.last is None or not (self.changed or self.missing(seen)):
            return None
        return (
            f"the service reported a total of {self.first:,} at first and of {self.last:,} at last, and "
            f"{seen:,} rows were received: the listing changed while it was read, and rows may be missing"
        )


@attrs.frozen(kw_only=True)
class Position:
    """A position between two pages: how to ask for the next page, and what the walk knows of the pages before it.

    Attributes:
        token: The token that leads to the next page; ``None`` for the first page, and after the last.
        arrived_at: When the token arrived, in monotonic seconds.
        arrived_wall: The same on the wall clock.
        walked: Rows of this walk before the position; ``None`` if that is not known.
        total: The first total that the service reported in this walk.
        changed: Whether the service has reported another total since.
    """

    token: str | None = attrs.field(default=None, repr=False)
    arrived_at: float = 0.0
    arrived_wall: float = 0.0
    walked: int | None = 0
    total: int | None = None
    changed: bool = False

    @classmethod
    def from_checkpoint(cls, checkpoint: ListingCheckpoint, now: float, wall: float) -> "Position":
        """Return the position before the current page of a checkpoint."""
        # If the wall clock was set back, the token seems to come from the future. It counts as new then, and is sent:
        # the service knows whether it is valid.
        age = max(0.0, wall - checkpoint.arrived_wall)
        return cls(
            token=checkpoint.token,
            arrived_at=now - age,
            arrived_wall=checkpoint.arrived_wall,
            walked=checkpoint.walked,
            total=checkpoint.total,
            changed=checkpoint.changed,
        )

    def after(self, page: Page, rows: int, total: ReportedTotal, now: float, wall: float) -> "Position":
        """Return the position after a page with this many rows that begins here."""
        return Position(
            token=page.next_page_token,
            arrived_at=now,
            arrived_wall=wall,
            walked=None if self.walked is None else self.walked + rows,
            total=total.first,
            changed=total.changed,
        )


@attrs.define
class Walk:
    """One pass over the listing, from the first page towards the last.

    Attributes:
        known: Rows that were yielded before this walk.
        total: What the service reported during it.
        tokens: The tokens that it has followed, and for each how many rows of the walk are before it.
        empty_pages: Pages without a row since the last one with a row.
        pages_without_new: Pages since the last one with a new row.
        rows_without_new: Rows on those pages.
        found_new: Whether it has brought a new row.
        unreadable: How often it has brought each row without an identity, by content.
    """

    known: int = 0
    total: ReportedTotal = attrs.field(factory=ReportedTotal)
    tokens: dict[str, int | None] = attrs.field(factory=dict)
    empty_pages: int = 0
    pages_without_new: int = 0
    rows_without_new: int = 0
    found_new: bool = False
    unreadable: Counter[str] = attrs.field(factory=Counter)

    def count_page(self, rows: int, new: int) -> None:
        """Count a page with `rows` rows, of which `new` were not known."""
        self.found_new = self.found_new or bool(new)
        self.empty_pages = 0 if rows else self.empty_pages + 1
        self.pages_without_new = 0 if new else self.pages_without_new + 1
        self.rows_without_new = 0 if new else self.rows_without_new + rows

    def locate(self, position: Position) -> Position:
        """Correct a position whose token has come before in this walk: it is where that token led the first time.

        The rows since then are not behind this position. If they were counted, they would hide missing rows.
        """
        if position.token is None or position.token not in self.tokens:
            return position
        return attrs.evolve(position, walked=self.tokens[position.token])

    @property
    def is_stuck(self) -> bool:
        """Whether the walk has brought nothing new for too long.

        A fresh walk passes all known rows, and some of them twice if they move. After that a new row must come.
        """
        if self.empty_pages > MAX_PAGES_WITHOUT_NEW_ROWS:
            return True
        return self.pages_without_new > MAX_PAGES_WITHOUT_NEW_ROWS and self.rows_without_new > 2 * self.known
