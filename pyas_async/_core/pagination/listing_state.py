"""What a listing may do, and what is known of it: the values that the paging machine holds."""

from typing import Literal, TypeAlias

import attrs

from pyas_async._core.pagination.checkpoint import ListingCheckpoint
from pyas_async._public import public
from pyas_async.models import Page

PAGE_SIZE = 300
"""Zoom's maximum, and what is asked for unless told otherwise: calls are what is scarce."""
MAX_BARREN_PAGES = 50
"""Pages in a row that are empty, or bring nothing but rows that are known, before the listing is given up."""

OnExpired: TypeAlias = Literal["restart", "raise"]
VerifyTotal: TypeAlias = Literal["off", "warn", "raise", "repair"]


@attrs.frozen
class PageRequest:
    """The next request: with which token and page size, and when it is too late for it."""

    token: str | None = attrs.field(repr=False)
    page_size: int | None
    not_after: float | None


@attrs.frozen(kw_only=True)
class ListingRules:
    """What a listing may do.

    Attributes:
        page_size: Rows a page that are asked for.
        max_items: Rows after which nobody wants more; ``None`` for all.
        on_expired: Whether a dead token is answered by a fresh walk, or raised.
        max_restarts: Fresh walks in a row that may bring no new row; repairing walks at most.
        verify_total: What a total that does not fit leads to.
        token_ttl: Seconds that a page token lives.
    """

    page_size: int = PAGE_SIZE
    max_items: int | None = None
    on_expired: OnExpired = "restart"
    max_restarts: int = 3
    verify_total: VerifyTotal = "warn"
    token_ttl: float = 900.0

    @property
    def token_use(self) -> float:
        """Seconds after its arrival that a token is still tried: its life, less the time a request may be under way."""
        return self.token_ttl - min(10.0, self.token_ttl * 0.05)


@public
@attrs.frozen(kw_only=True)
class IterationStats:
    """What an iteration has done so far.

    Attributes:
        pages: Pages received and looked at.
        items: Rows handed out.
        calls: Requests sent, retries included.
        restarts: Fresh walks begun because a page token died, or to repair.
        duplicates_skipped: Rows received again and not handed out again.
        total_reported: How many rows the service last said the listing has; ``None`` if it never said.
        missing: Rows that the service reported and the iteration, at its end, had not seen; ``None`` before the end,
            and where the service reported no total.
    """

    pages: int
    items: int
    calls: int
    restarts: int
    duplicates_skipped: int
    total_reported: int | None
    missing: int | None


@attrs.define
class ListingCounts:
    """What happened so far. `items` counts rows given out by the machine, whether or not they were taken yet."""

    pages: int = 0
    items: int = 0
    restarts: int = 0
    duplicates_skipped: int = 0
    total_reported: int | None = None
    missing: int | None = None

    def shown(self, *, in_hand: int, calls: int) -> IterationStats:
        """Give them as the user sees them, to whom the rows still in hand were not handed out."""
        return IterationStats(
            pages=self.pages,
            items=self.items - in_hand,
            calls=calls,
            restarts=self.restarts,
            duplicates_skipped=self.duplicates_skipped,
            total_reported=self.total_reported,
            missing=self.missing,
        )


@attrs.define
class ReportedTotal:
    """What the service says, in the course of a walk, of how many rows the listing has.

    `first` and `changed` may stem from before a checkpoint; `last` is what this process was told.
    """

    first: int | None = None
    last: int | None = None
    changed: bool = False

    def told(self, total: int) -> None:
        """Take note of what a page says."""
        self.changed = self.changed or self.first not in (None, total)
        self.first = total if self.first is None else self.first
        self.last = total

    def missing(self, seen: int) -> int | None:
        """Count the rows that did not come, where so many did; ``None`` if the service said no total."""
        return None if self.last is None else max(0, self.last - seen)

    def drift(self, seen: int) -> str | None:
        """Say how the listing changed while it was walked and so many rows came; ``None`` if nothing shows that."""
        if self.last is None or not (self.changed or self.missing(seen)):
            return None
        return (
            f"the service reported a total of {self.first:,} at first and of {self.last:,} at last, and "
            f"{seen:,} rows came: the listing changed while it was walked, and rows may be missing"
        )


@attrs.frozen(kw_only=True)
class Position:
    """A place between two pages: what asks for the page behind it, and what this walk knows before it.

    `walked` rows of this walk lie before it; the first page of the walk said that there are `total`, and `changed` says
    whether a later one said otherwise.
    """

    token: str | None = attrs.field(default=None, repr=False)
    born: float = 0.0
    born_wall: float = 0.0
    walked: int | None = 0
    total: int | None = None
    changed: bool = False

    @classmethod
    def saved(cls, resume: ListingCheckpoint, now: float, wall: float) -> "Position":
        """Give the place that a checkpoint marks."""
        # A clock that was set back makes a token look as if it was not born yet. Then it is tried: the service knows.
        age = max(0.0, wall - resume.born)
        return cls(
            token=resume.token,
            born=now - age,
            born_wall=resume.born,
            walked=resume.walked,
            total=resume.total,
            changed=resume.changed,
        )

    def past(self, page: Page, total: ReportedTotal, now: float, wall: float) -> "Position":
        """Give the place behind the page that begins here."""
        return Position(
            token=page.next_page_token,
            born=now,
            born_wall=wall,
            walked=None if self.walked is None else self.walked + len(page.meetings),
            total=total.first,
            changed=total.changed,
        )


@attrs.define
class Walk:
    """One way from the first page towards the last.

    `known` rows were yielded before it; `tokens` are those it came by, and how many of its rows lie before each.
    """

    known: int = 0
    total: ReportedTotal = attrs.field(factory=ReportedTotal)
    tokens: dict[str, int | None] = attrs.field(factory=dict)
    empty_pages: int = 0
    barren_pages: int = 0
    barren_rows: int = 0
    brought_new: bool = False

    def count(self, rows: int, new: int) -> None:
        """Take note of a page."""
        self.brought_new = self.brought_new or bool(new)
        self.empty_pages = 0 if rows else self.empty_pages + 1
        self.barren_pages = 0 if new else self.barren_pages + 1
        self.barren_rows = 0 if new else self.barren_rows + rows

    def place(self, spot: Position) -> Position:
        """Give a place that was come to, as this walk knows it."""
        # A token that comes again leads back to where it led before: what came since is not passed, and would stand in
        # for rows that are missing.
        if spot.token is None or spot.token not in self.tokens:
            return spot
        return attrs.evolve(spot, walked=self.tokens[spot.token])

    @property
    def leads_nowhere(self) -> bool:
        """Whether it has gone on for too long without anything new.

        A fresh walk passes the rows that are known, and some of them twice if they move; then something new must come.
        """
        if self.empty_pages > MAX_BARREN_PAGES:
            return True
        return self.barren_pages > MAX_BARREN_PAGES and self.barren_rows > 2 * self.known
