"""What a listing may do, and what is known of it: the values that the paging machine holds."""

from typing import Literal, TypeAlias

import attrs

PAGE_SIZE = 300
"""Zoom's maximum, and what is asked for unless told otherwise: calls are what is scarce."""
MAX_BARREN_PAGES = 50
"""Pages in a row that are empty, or bring nothing but rows that are known, before the listing is given up."""

OnExpired: TypeAlias = Literal["restart", "raise"]
VerifyTotal: TypeAlias = Literal["off", "warn", "raise", "repair"]


@attrs.frozen
class Ask:
    """The next request: with which token and page size, and when it is too late for it."""

    token: str | None = attrs.field(repr=False)
    page_size: int | None
    not_after: float | None


@attrs.frozen(kw_only=True)
class Rules:
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


@attrs.define
class Counts:
    """What happened so far. `items` counts rows given out by the machine, whether or not they were taken yet."""

    pages: int = 0
    items: int = 0
    restarts: int = 0
    duplicates_skipped: int = 0
    total_reported: int | None = None
    missing: int | None = None


@attrs.frozen(kw_only=True)
class Spot:
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


@attrs.define
class Walk:
    """One way from the first page towards the last; `known` rows were yielded before it."""

    known: int = 0
    tokens: set[str] = attrs.field(factory=set)
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

    @property
    def leads_nowhere(self) -> bool:
        """Whether it has gone on for too long without anything new.

        A fresh walk passes the rows that are known, and some of them twice if they move; then something new must come.
        """
        if self.empty_pages > MAX_BARREN_PAGES:
            return True
        return self.barren_pages > MAX_BARREN_PAGES and self.barren_rows > 2 * self.known

    first_total: int | None = None
    changed: bool = False
    total: int | None = None
