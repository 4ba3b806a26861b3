"""The pagination machine: it is given pages and errors, and decides which rows to yield and what to request next.

The service's documentation says that a page token is valid for 15 minutes. A walk is one pass over the pages, from the
first. When a token has expired, or is too old to be sent, a fresh walk begins: the first page is requested again with
the same filters, and rows already yielded are skipped by ``(id, uuid, start_time)``.
A token that the service has refused is never sent again.

Times are monotonic seconds. Only the arrival of a token is also kept in wall clock time, for checkpoints, which other
processes read.
"""

from collections.abc import Sequence
from typing import Literal

from pyas_async._base_errors import in_seconds
from pyas_async._core import codec
from pyas_async._core.calls.endpoints import MAX_PAGE_SIZE, MAX_PAGE_TOKEN, fits_url
from pyas_async._core.calls.response_errors import may_mean_expired_token, refuses_page_size
from pyas_async._core.checkpoints.listing import ListingCheckpoint
from pyas_async._core.checkpoints.seen_rows import SeenRows, digests, unreadable_digest
from pyas_async._core.pagination.listing_state import (
    GivenPage,
    ListingCounts,
    ListingRules,
    PageRequest,
    Position,
    ReportedTotal,
    Walk,
)
from pyas_async._core.pagination.transitions import TRANSITIONS, ListingEvent, ListingState
from pyas_async.errors import (
    APIStatusError,
    PageTokenExpiredError,
    PaginationError,
    PaginationIncompleteError,
    PaginationLoopError,
)
from pyas_async.models import Meeting, Page
from pyas_async.models._source import UnreadableRow


class PaginationMachine:
    """The state of one listing.

    Attributes:
        state: What is requested next.
        counts: What was counted so far.
        page: What is to be handed out of the last page.
        drift: The text of the warning after the last row; ``None`` for no warning.
        failure: The error to raise after the last row; ``None`` for no error.
    """

    def __init__(
        self, rules: ListingRules, resume: ListingCheckpoint | None = None, *, now: float = 0.0, wall: float = 0.0
    ) -> None:
        """Begin before the first page, or at a checkpoint.

        Args:
            rules: The options of the listing.
            resume: The checkpoint of an earlier iteration.
            now: The monotonic clock.
            wall: The wall clock, in seconds.
        """
        self.state = ListingState.FRESH
        self.counts = ListingCounts()
        self.page = GivenPage()
        self.drift: str | None = None
        self.failure: PaginationError | None = None
        self._rules = rules
        self._page_size: int | None = rules.page_size
        self._seen = SeenRows()
        self._walk = Walk()
        # Where the current page begins, and where the next one begins.
        self._page_start = self._next_page = Position()
        # Rows yielded before the current page, and new rows on it, also unreadable ones. `max_items` may give fewer of
        # them: `page`.
        self._rows_before = 0
        self._rows_new = 0
        # How many of the rows before the current page were unreadable.
        self._unreadable_before = 0
        self._refused_tokens: set[str] = set()
        self._restarts_without_new = 0
        self._repairs = 0
        self._complete = False

        if resume is not None:
            self._resume(resume, now, wall)

    @property
    def reported_total(self) -> ReportedTotal:
        """The totals that the service has reported in the current walk."""
        return self._walk.total

    def _resume(self, checkpoint: ListingCheckpoint, now: float, wall: float) -> None:
        self._seen = SeenRows(checkpoint.rows())
        self._walk.known = len(self._seen)
        self._rows_before = len(self._seen)
        self._unreadable_before = checkpoint.unreadable
        self._page_size = checkpoint.page_size
        if checkpoint.done:
            self._complete = True
            self.stop()
        elif checkpoint.token is not None:
            self._next_page = Position.from_checkpoint(checkpoint, now, wall)
            self._walk.total = ReportedTotal(first=checkpoint.total, changed=checkpoint.changed)
            self._walk.tokens[checkpoint.token] = checkpoint.walked
            self.state = ListingState.FOLLOWING

    @property
    def rows_given(self) -> int:
        """How many meetings of the last page are to be yielded."""
        return len(self.page.rows)

    @property
    def ended(self) -> bool:
        """Whether there is no next request."""
        return self.state is ListingState.DONE

    def next(self) -> PageRequest | None:
        """Return the next request; ``None`` at the end. `failure` then holds the error, if there is one."""
        if self.state is ListingState.DONE:
            return None
        if self.state is ListingState.FRESH:
            return PageRequest(None, self._page_size, None)
        return PageRequest(self._next_page.token, self._page_size, self._next_page.arrived_at + self._rules.token_life)

    def on_page(self, page: Page, now: float, wall: float) -> tuple[Meeting, ...]:
        """Process a page, and return the rows to yield: those of `self.page`.

        A page that arrives after `stop` gives no rows.
        """
        if self.ended:
            return ()
        counts, walk = self.counts, self._walk
        counts.pages += 1
        self._rows_before = len(self._seen)
        self._unreadable_before += len(self.page.unreadable)
        unreadable = codec.unreadable_rows(page)
        received = len(page.meetings) + len(unreadable)
        new = self._add_new_between(page, unreadable) if unreadable else GivenPage(self._seen.add_new(page.meetings))
        counts.duplicates_skipped += received - new.length
        if new.length:
            self._restarts_without_new = 0
        if page.total_records is not None:
            counts.total_reported = page.total_records
            walk.total.update(page.total_records)
        walk.count_page(received, new.length)
        self._page_start = self._next_page
        self._next_page = walk.locate(self._page_start.after(page, received, walk.total, now, wall))
        left = None if self._rules.max_items is None else self._rules.max_items - counts.items
        self.page = wanted = new if left is None else new.first(left)
        counts.items += len(wanted.rows)
        counts.unreadable += len(wanted.unreadable)
        self._rows_new = new.length
        lost = codec.token_is_lost(page)
        more = new.length > wanted.length or page.next_page_token is not None or lost
        if counts.items == self._rules.max_items and more:
            self.stop()
        elif lost:
            self._fail_without_token()
        else:
            self._advance(found_new=bool(new.length))
        return wanted.rows

    def _add_new_between(self, page: Page, unreadable: Sequence[UnreadableRow]) -> GivenPage:
        """Remember the rows of a page, with those that could not be read in their positions; return the new ones."""
        rows = iter(zip(digests(page.meetings), page.meetings, strict=True))
        odd = {row.index: row for row in unreadable}
        times, keys = self._walk.unreadable, list[int]()
        items: list[Meeting | UnreadableRow] = []
        for index in range(len(page.meetings) + len(unreadable)):
            if (row := odd.get(index)) is None:
                key, meeting = next(rows)
                items.append(meeting)
            else:
                times[row.content] += 1
                key = unreadable_digest(row.content, times[row.content])
                items.append(row)
            keys.append(key)
        return GivenPage.of(self._seen.add_new_by_digest(keys, tuple(items)))

    def on_error(self, error: Exception) -> Literal["age", "answer", "size"]:
        """Recover from the error of a request.

        Returns:
            Why the first page is requested again: the token was too old (``"age"``), the service refused the token, or
            may have (``"answer"``), or the service refused the page size (``"size"``).

        Raises:
            Exception: `error` itself if there is no recovery, or a `PaginationError` after too many restarts.
        """
        if self.ended:
            raise error
        if self.state is ListingState.FRESH:
            if self._page_size == MAX_PAGE_SIZE and isinstance(error, APIStatusError) and refuses_page_size(error):
                # The cap of Pyas itself is not documented. Without a number, the service uses its own.
                self._page_size = None
                return "size"
            raise error
        if isinstance(error, PageTokenExpiredError):
            if error.status and self._next_page.token is not None:
                self._refused_tokens.add(self._next_page.token)
            self._forget_token()
            if self._rules.on_expired == "raise":
                self.stop()
                raise error
            self._restart(error)
            return "answer" if error.status else "age"
        if isinstance(error, APIStatusError) and self.counts_as_expired(error):
            # The response does not say whether the token is to blame. Requesting the first page shows it: if
            # that fails as well, its error is raised.
            self._forget_token()
            self._restart(error)
            return "answer"
        raise error  # the position is unchanged, so the consumer's next step sends the same request again

    def counts_as_expired(self, error: Exception) -> bool:
        """Whether the error of a request with a token is treated as an expired token, though it may not say so."""
        if isinstance(error, PageTokenExpiredError):
            return True
        unclear = isinstance(error, APIStatusError) and may_mean_expired_token(error)
        return unclear and self._rules.on_expired == "restart"

    def stop(self) -> None:
        """Request nothing more."""
        self._transition(ListingEvent.STOPPED)

    def abandon(self) -> None:
        """Request nothing more, and drop `drift` and `failure`."""
        self.drift = self.failure = None
        self.stop()

    def checkpoint(
        self, account_id: str, filters: tuple[tuple[str, str], ...], taken: int, *, prefetched: object = None
    ) -> ListingCheckpoint:
        """Return the position after `taken` rows of the current page, readable and unreadable ones.

        `prefetched` is the outcome of the next request, a page or an error, if that request has ended already.
        """
        # In the middle of a page, that page must be requested again, with the token that led to it. The token that it
        # brought leads to the page after it. New rows that `max_items` left out do not count as taken.
        all_taken = taken >= self._rows_new
        position = self._next_page if all_taken else self._page_start
        if all_taken and isinstance(prefetched, Exception) and self.counts_as_expired(prefetched):
            position = Position()  # `on_error` was not called yet, but an expired token is not kept
        unreadable = self._unreadable_before + self.page.unreadable_among(taken)
        return ListingCheckpoint(
            account_id=account_id,
            items=self._rows_before + taken - unreadable,
            unreadable=unreadable,
            done=self._complete and all_taken,
            filters=filters,
            page_size=self._page_size,
            token=position.token,
            arrived_wall=position.arrived_wall,
            index=0 if all_taken else taken,
            walked=position.walked,
            total=position.total,
            changed=position.changed,
            rows=self._seen.log,
        )

    def _advance(self, *, found_new: bool) -> None:
        token, walk, counts = self._next_page.token, self._walk, self.counts
        if token is None:
            self._end_walk()
            return
        refused = token in self._refused_tokens
        if refused or (token in walk.tokens and not found_new):
            self._forget_token()
            self.stop()
            again = (
                "again that it had refused as expired"
                if refused
                else "for the second time, and the page between brought nothing new"
            )
            self.failure = PaginationLoopError(
                f"the service sent a page token {again}, after {counts.items:,} rows; "
                "the rest cannot be reached. Narrow the dates, or ask the vendor"
            )
        elif not fits_url(token, MAX_PAGE_TOKEN):
            self._forget_token()
            self.stop()
            self.failure = PaginationError(
                f"the service handed out a page token of {len(token):,} characters, too long for a URL, after "
                f"{counts.items:,} rows; the rest cannot be reached. Narrow the dates, or ask the vendor"
            )
        elif walk.is_stuck:
            self.stop()
            self.failure = PaginationLoopError(
                f"{walk.pages_without_new} pages in a row, each with a token to go on, brought nothing new after "
                f"{counts.items:,} rows; giving up. Narrow the dates, or ask the vendor"
            )
        else:
            walk.tokens[token] = self._next_page.walked
            self._transition(ListingEvent.PAGE_WITH_TOKEN)

    def _fail_without_token(self) -> None:
        self._forget_token()
        self.stop()
        self.failure = PaginationError(
            f"the service sent a page token that is not text, after {self.counts.items:,} rows; the rest cannot be "
            "reached. Please report it to the vendor"
        )

    def _end_walk(self) -> None:
        """Compare the rows of this walk with the total that the service reported."""
        walk, rules = self._walk, self._rules
        # A walk that began at the first page counts repeated rows as well, as the service's total does.
        seen = max(len(self._seen), self._next_page.walked or 0)
        self.counts.missing = walk.total.missing(seen)
        # With `max_items`, the caller does not ask for all rows.
        drift = walk.total.drift(seen) if rules.max_items is None else None
        if (
            drift is not None
            and rules.verify_total == "repair"
            and self._repairs < rules.max_restarts
            and (walk.found_new or not self._repairs)
        ):
            self._repairs += 1
            self.counts.restarts += 1
            self._begin_walk(ListingEvent.ROWS_MISSING)
            return
        self._complete = True
        self._transition(ListingEvent.LAST_PAGE)
        if drift is not None and rules.verify_total != "off":
            self.drift = drift
            if rules.verify_total == "raise":
                self.failure = PaginationIncompleteError(drift)

    def _restart(self, error: APIStatusError) -> None:
        if self._restarts_without_new >= self._rules.max_restarts:
            self.stop()
            raise PaginationError(
                f"the page token expired {self._restarts_without_new + 1} times without a new row in between, after "
                f"{self.counts.items:,} rows: the listing is too long for the {in_seconds(self._rules.token_ttl)} "
                f"of a page token (page_token_ttl=). Take rows faster, or list "
                f"narrower dates one after the other. The last refusal: {error}"
            )
        self._restarts_without_new += 1
        self.counts.restarts += 1
        self._begin_walk(ListingEvent.TOKEN_EXPIRED)

    def _begin_walk(self, event: ListingEvent) -> None:
        self._forget_token()
        self._walk = Walk(known=len(self._seen))
        self._transition(event)

    def _forget_token(self) -> None:
        self._next_page = Position()

    def _transition(self, event: ListingEvent) -> None:
        self.state = TRANSITIONS[self.state, event]
