"""One listing as a machine: a page or an error goes in, the next request or the rows to yield come out.

A page token lives 15 minutes (the page). When it died, or is too old to be tried, a fresh query with the same filters
walks from the start, and rows already yielded are skipped by ``(id, uuid, start_time)``. A dead token is never sent
twice.

Times are monotonic seconds, but for the birth of a token, which a checkpoint carries to other processes: that is on the
wall clock as well.
"""

from typing import Literal

from pyas_async._core.calls.response_errors import may_mean_expired_token, refuses_page_size
from pyas_async._core.pagination.checkpoint import ListingCheckpoint
from pyas_async._core.pagination.listing_state import (
    PAGE_SIZE,
    ListingCounts,
    ListingRules,
    PageRequest,
    Position,
    ReportedTotal,
    Walk,
)
from pyas_async._core.pagination.seen_rows import SeenRows
from pyas_async._core.pagination.transitions import TRANSITIONS, ListingEvent, ListingState
from pyas_async.errors import (
    APIStatusError,
    PageTokenExpiredError,
    PaginationError,
    PaginationIncompleteError,
    PaginationLoopError,
)
from pyas_async.models import Meeting, Page


class PaginationMachine:
    """The state of one listing."""

    def __init__(
        self, rules: ListingRules, resume: ListingCheckpoint | None = None, *, now: float = 0.0, wall: float = 0.0
    ) -> None:
        """Stand before the first page, or where a checkpoint says.

        Args:
            rules: What the listing may do.
            resume: Where an earlier iteration stood.
            now: The monotonic clock.
            wall: The wall clock, in seconds.
        """
        self.state = ListingState.FRESH
        self.counts = ListingCounts()
        # What to say, and what to raise, once all rows were handed out.
        self.drift: str | None = None
        self.failure: PaginationError | None = None
        self._rules = rules
        self._page_size: int | None = rules.page_size
        self._memory = SeenRows()
        self._walk = Walk()
        # Where the page in hand began, where the next one begins, and how many rows were yielded before the page in
        # hand.
        self._here = self._ahead = Position()
        self._before = 0
        self.given = 0
        """Rows that the last page gave."""
        self._brought = 0
        self._refused: set[str] = set()
        self._barren_restarts = 0
        self._repairs = 0
        self._finished = False

        if resume is not None:
            self._resume(resume, now, wall)

    def _resume(self, resume: ListingCheckpoint, now: float, wall: float) -> None:
        self._memory = SeenRows(resume.log())
        self._walk.known = len(self._memory)
        self._before = len(self._memory)
        self._page_size = resume.page_size
        if resume.done:
            self._finished = True
            self.stop()
        elif resume.token is not None:
            self._ahead = Position.saved(resume, now, wall)
            self._walk.total = ReportedTotal(first=resume.total, changed=resume.changed)
            self._walk.tokens[resume.token] = resume.walked
            self.state = ListingState.FOLLOWING

    @property
    def ended(self) -> bool:
        """Whether there is nothing more to ask for."""
        return self.state is ListingState.DONE

    def next(self) -> PageRequest | None:
        """Give the next request; ``None`` at the end, where `failure` says whether it is a good one."""
        if self.state is ListingState.DONE:
            return None
        if self.state is ListingState.FRESH:
            return PageRequest(None, self._page_size, None)
        return PageRequest(self._ahead.token, self._page_size, self._ahead.born + self._rules.token_use)

    def on_page(self, page: Page, now: float, wall: float) -> tuple[Meeting, ...]:
        """Take a page in, and give the rows that are to be yielded; none if nobody wants them any more."""
        if self.ended:
            return ()
        counts, walk = self.counts, self._walk
        counts.pages += 1
        self._before = len(self._memory)
        new = self._memory.fresh(page.meetings)
        counts.duplicates_skipped += len(page.meetings) - len(new)
        if new:
            self._barren_restarts = 0
        if page.total_records is not None:
            counts.total_reported = page.total_records
            walk.total.told(page.total_records)
        walk.count(len(page.meetings), len(new))
        self._here = self._ahead
        self._ahead = walk.place(self._here.past(page, walk.total, now, wall))
        wanted = new if self._rules.max_items is None else new[: self._rules.max_items - counts.items]
        counts.items += len(wanted)
        self.given, self._brought = len(wanted), len(new)
        more = len(new) > len(wanted) or page.next_page_token is not None
        if counts.items == self._rules.max_items and more:
            self.stop()
        else:
            self._follow(brought_new=bool(new))
        return wanted

    def on_error(self, error: Exception) -> Literal["age", "answer", "size"]:
        """Recover from an error of a page's call: say why the listing goes on, or raise what ends it."""
        if self.ended:
            raise error
        if self.state is ListingState.FRESH:
            if self._page_size == PAGE_SIZE and isinstance(error, APIStatusError) and refuses_page_size(error):
                # Pyas's own cap is not documented. Without a number the service takes its own.
                self._page_size = None
                return "size"
            raise error
        if isinstance(error, PageTokenExpiredError):
            if error.status and self._ahead.token is not None:
                self._refused.add(self._ahead.token)
            self._forget_token()
            if self._rules.on_expired == "raise":
                self.stop()
                raise error
            self._restart(error)
            return "answer" if error.status else "age"
        if isinstance(error, APIStatusError) and self.means_dead_token(error):
            # Perhaps. A fresh query settles it: if that fails too, its error is raised.
            self._forget_token()
            self._restart(error)
            return "answer"
        raise error  # not the listing's fault: it stands where it stood, and can be gone on with

    def means_dead_token(self, error: Exception) -> bool:
        """Whether an error of a token's request is taken to mean that the token is dead, though it may not say so."""
        if isinstance(error, PageTokenExpiredError):
            return True
        unclear = isinstance(error, APIStatusError) and may_mean_expired_token(error)
        return unclear and self._rules.on_expired == "restart"

    def stop(self) -> None:
        """Ask for nothing more."""
        self._move(ListingEvent.STOPPED)

    def abandon(self) -> None:
        """Ask for nothing more, and say nothing more."""
        self.drift = self.failure = None
        self.stop()

    def checkpoint(
        self, account_id: str, filters: tuple[tuple[str, str], ...], taken: int, *, coming: object = None
    ) -> ListingCheckpoint:
        """Mark the place after so many rows of the page in hand; `coming` is what the next request has led to."""
        # In the middle of a page it is this page that must be asked for again: the token in the page leads past it.
        # What `max_items` cut off the page was not taken, either.
        all_taken = taken >= self._brought
        spot = self._ahead if all_taken else self._here
        if all_taken and isinstance(coming, Exception) and self.means_dead_token(coming):
            spot = Position()  # nobody has looked at it yet, but a token that is known to be dead is not kept
        return ListingCheckpoint(
            account_id=account_id,
            items=self._before + taken,
            done=self._finished and all_taken,
            filters=filters,
            page_size=self._page_size,
            token=spot.token,
            born=spot.born_wall,
            index=0 if all_taken else taken,
            walked=spot.walked,
            total=spot.total,
            changed=spot.changed,
            rows=self._memory.log,
        )

    def _follow(self, *, brought_new: bool) -> None:
        token, walk, counts = self._ahead.token, self._walk, self.counts
        if token is None:
            self._end_walk()
            return
        refused = token in self._refused
        if refused or (token in walk.tokens and not brought_new):
            self._forget_token()
            self.stop()
            again = (
                "again that it had refused as expired"
                if refused
                else "for the second time, and the page between brought nothing new"
            )
            self.failure = PaginationLoopError(
                f"the service handed out a page token {again}, after {counts.items:,} rows; "
                "the rest cannot be reached. Narrow the dates, or ask the vendor"
            )
        elif walk.leads_nowhere:
            self.stop()
            self.failure = PaginationLoopError(
                f"{walk.barren_pages} pages in a row, each with a token to go on, brought nothing new after "
                f"{counts.items:,} rows; giving up. Narrow the dates, or ask the vendor"
            )
        else:
            walk.tokens[token] = self._ahead.walked
            self._move(ListingEvent.PAGE_WITH_TOKEN)

    def _end_walk(self) -> None:
        """Hold the total that the service reported against the rows of this walk."""
        walk, rules = self._walk, self._rules
        # A walk from the first page on counts rows that repeat as well, as the service's total does.
        seen = max(len(self._memory), self._ahead.walked or 0)
        self.counts.missing = walk.total.missing(seen)
        # Where not all rows are wanted, nobody asked for all of them to be there.
        drift = walk.total.drift(seen) if rules.max_items is None else None
        if (
            drift is not None
            and rules.verify_total == "repair"
            and self._repairs < rules.max_restarts
            and (walk.brought_new or not self._repairs)
        ):
            self._repairs += 1
            self.counts.restarts += 1
            self._begin_walk(ListingEvent.FELL_SHORT)
            return
        self._finished = True
        self._move(ListingEvent.LAST_PAGE)
        if drift is not None and rules.verify_total != "off":
            self.drift = drift
            if rules.verify_total == "raise":
                self.failure = PaginationIncompleteError(drift)

    def _restart(self, error: APIStatusError) -> None:
        if self._barren_restarts >= self._rules.max_restarts:
            self.stop()
            raise PaginationError(
                f"the page token died {self._barren_restarts + 1} times without a new row in between, after "
                f"{self.counts.items:,} rows: the listing is too long for a token's {self._rules.token_ttl:g} s. "
                f"Take rows faster, or list narrower dates one after the other. The last refusal: {error}"
            )
        self._barren_restarts += 1
        self.counts.restarts += 1
        self._begin_walk(ListingEvent.TOKEN_DIED)

    def _begin_walk(self, event: ListingEvent) -> None:
        self._forget_token()
        self._walk = Walk(known=len(self._memory))
        self._move(event)

    def _forget_token(self) -> None:
        self._ahead = Position()

    def _move(self, event: ListingEvent) -> None:
        self.state = TRANSITIONS[self.state, event]
