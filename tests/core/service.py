"""A listing service in pure Python, whose tokens expire and whose rows change during a walk."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, TypeAlias

import attrs

from core.tools import NOON
from pyas_async import APIStatusError, Meeting, NotFoundError, Page, PageTokenExpiredError, PyasError
from pyas_async._core.pagination.machine import PaginationMachine

if TYPE_CHECKING:
    from pyas_async._core.pagination.listing_state import PageRequest

Row: TypeAlias = tuple[int, str, datetime]
LIFE = 900.0


def identity(row: Meeting) -> Row:
    """Return what tells one row from another."""
    assert row.start_time is not None
    return row.id, row.uuid, row.start_time


def make_row(number: int) -> Row:
    """Make a row that shares its id, and perhaps its uuid, with others."""
    return number % 3 + 1, f"uuid-{number % 5}", NOON + timedelta(minutes=number)


@attrs.define
class Listing:
    """A listing whose tokens stand for offsets; a token is valid for `LIFE` seconds, or until it is killed."""

    rows: list[Row]
    cap: int
    tokens: dict[str, tuple[int, float]] = attrs.field(factory=dict)
    expired: set[str] = attrs.field(factory=set)
    refused: list[str] = attrs.field(factory=list)
    cursor: int = 0
    calls: int = 0

    def answer(self, request: PageRequest, now: float) -> Page:
        """Return the requested page.

        Raises:
            PageTokenExpiredError: If the token has expired.
        """
        self.calls += 1
        start = 0
        if request.token is not None:
            assert request.token not in self.refused, "an expired token was sent twice"
            start, issued_at = self.tokens[request.token]
            if request.token in self.expired or now - issued_at > LIFE:
                self.refused.append(request.token)
                raise PageTokenExpiredError("The next page token is invalid or expired", status=400, code=300)
        size = min(request.page_size or 30, self.cap)
        rows = self.rows[start : start + size]
        self.cursor = start + len(rows)
        token = None
        if self.cursor < len(self.rows):
            token = f"token-{self.calls}"
            self.tokens[token] = (self.cursor, now)
        meetings = tuple(Meeting(id=row[0], uuid=row[1], start_time=row[2]) for row in rows)
        return Page(meetings=meetings, next_page_token=token, page_size=size, total_records=len(self.rows))

    def insert(self, index: int, row: Row) -> None:
        """Insert a row, before the cursor or after it."""
        self.rows.insert(index % (len(self.rows) + 1), row)

    def remove_ahead(self, index: int) -> Row | None:
        """Remove a row that the walk has not reached."""
        if self.cursor >= len(self.rows):
            return None
        return self.rows.pop(self.cursor + index % (len(self.rows) - self.cursor))

    def repeat(self, index: int) -> None:
        """Add a row a second time, at the end."""
        if self.rows:
            self.rows.append(self.rows[index % len(self.rows)])


@attrs.define
class Walk:
    """A machine that lists a `Listing`: the rows it yielded, and the error that ended it."""

    machine: PaginationMachine
    listing: Listing
    now: float = 0.0
    yielded: list[Row] = attrs.field(factory=list)
    ended_by: PyasError | None = None

    def step(self, *, vague: bool = False) -> bool:
        """Make one request; return whether there was one. A `vague` service does not say that a token has expired."""
        request = self.machine.next()
        if request is None:
            return False
        if request.not_after is not None and self.now >= request.not_after:
            return self._fail(PageTokenExpiredError("too old", status=0))
        try:
            page = self.listing.answer(request, self.now)
        except PageTokenExpiredError as error:
            return self._fail(NotFoundError("Not Found", status=404) if vague else error)
        self.yielded += [identity(row) for row in self.machine.on_page(page, self.now, self.now)]
        self.ended_by = self.machine.failure
        return True

    def _fail(self, error: APIStatusError) -> bool:
        try:
            self.machine.on_error(error)
        except PyasError as reason:
            self.ended_by = reason
            return False
        return True

    def finish(self, bound: int = 10_000) -> None:
        """Make requests until the end, at most `bound` of them."""
        for _ in range(bound):
            if not self.step():
                return
        msg = "the walk does not end"
        raise AssertionError(msg)
