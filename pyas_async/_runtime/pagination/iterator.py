"""A listing as users hold it: an asynchronous iterator that turns the handle of the paging machine."""

import operator
from collections.abc import AsyncIterator, Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Literal, Self

import attrs

from pyas_async._core.pagination.checkpoint import Checkpoint, ListingCheckpoint
from pyas_async._core.pagination.listing_state import IterationStats, ListingRules
from pyas_async._core.pagination.machine import PaginationMachine
from pyas_async._runtime.calls.options import CallOptions
from pyas_async._runtime.calls.session import Session
from pyas_async._runtime.pagination.prefetch import Arrival, PageFetcher
from pyas_async.errors import PyasError
from pyas_async.events import ListingDrifted, ListingRestarted, PageReceived
from pyas_async.models import Meeting, Page

if TYPE_CHECKING:
    from pyas_async._runtime.events import Job

_ONCE = "this listing has been iterated, or closed; call iter_all() again for another walk"


class MeetingIterator(AsyncIterator[Meeting]):
    """The meetings of one account, across pages, each row once.

    ``async for`` over it fetches a page when its rows are wanted. Under ``async with`` the next page travels while the
    rows of this one are worked on. It can be iterated once. Leaving a bare loop early needs no cleaning up: there is no
    task and no connection to be left behind. A cancelled step loses nothing: go on with the next.

    Every `PyasError` that it raises carries a `checkpoint`.
    """

    def __init__(
        self,
        session: Session,
        options: CallOptions,
        *,
        account_id: str,
        filters: tuple[tuple[str, str], ...],
        rules: ListingRules,
        prefetch: bool = True,
        resume: ListingCheckpoint | None = None,
        within: int | None = None,
    ) -> None:
        """Stand before the first row, or where the checkpoint says; nothing is sent yet.

        `within` is the number of the job that this listing is a part of.
        """
        self._session = session
        self._within = within
        self._job: Job | None = None
        self._account_id = account_id
        self._filters = filters
        clock = session.clock
        self._machine = PaginationMachine(rules, resume, now=clock.now(), wall=clock.wall().timestamp())
        self._fetcher = PageFetcher(session, options.for_bulk(), account_id, filters, token_use=rules.token_use)
        self._prefetch = prefetch
        self._page: Page | None = None
        self._pending: Iterator[Meeting] = iter(())
        self._iterated = False
        self._busy = False
        self._taken_at_close: int | None = None

    @property
    def stats(self) -> IterationStats:
        """What the iteration has done so far."""
        in_hand = self._machine.given - self._taken()
        return self._machine.counts.shown(in_hand=in_hand, calls=self._fetcher.calls)

    def __aiter__(self) -> Self:
        """Begin the iteration.

        Raises:
            RuntimeError: The second time.
        """
        if self._iterated:
            raise RuntimeError(_ONCE)
        self._iterated = True
        return self

    def __repr__(self) -> str:
        """Show whose listing it is, and how far it has come."""
        stats, state = self.stats, "closed" if self._taken_at_close is not None else self._machine.state.name
        filters = "".join(f", {name}={value}" for name, value in self._filters)
        return (
            f"<MeetingIterator of account {self._account_id!r}{filters}: {stats.items} items, {stats.pages} pages, "
            f"{stats.restarts} restarts, {state}>"
        )

    async def __anext__(self) -> Meeting:
        """Give the next row.

        Raises:
            PyasError: What ended the iteration.
        """
        while True:
            for row in self._pending:
                return row
            if not await self._load():
                raise StopAsyncIteration

    def pages(self) -> AsyncIterator[Page]:
        """Iterate by page: the faster way.

        Rows handed out before are not in the pages, and a page left without a row is skipped. After rows were taken, it
        begins with the rest of their page.

        Raises:
            RuntimeError: If the iteration is closed.
        """
        self._check_open()
        return _Pages(self)

    async def collect(self) -> list[Meeting]:
        """Take all rows that are left, and close.

        Raises:
            PyasError: What ended the iteration.
        """
        try:
            return [row async for page in self.pages() for row in page.meetings]
        finally:
            await self.aclose()

    async def first(self) -> Meeting | None:
        """Take the next row, ``None`` if there is none, and close.

        Raises:
            PyasError: What ended the iteration.
            RuntimeError: If it is closed.
        """
        self._check_open()
        try:
            return await anext(self, None)
        finally:
            await self.aclose()

    def checkpoint(self) -> Checkpoint:
        """Mark the place after the row, or the page, that was handed out last: it counts as done.

        Cheap enough to be taken after every row; only its text costs.
        """
        return self._machine.checkpoint(self._account_id, self._filters, self._taken(), coming=self._fetcher.coming)

    async def aclose(self) -> None:
        """End the iteration: nothing more is handed out or asked for, and a page on its way is let go."""
        if self._taken_at_close is None:
            self._taken_at_close = self._taken()
        self._pending = iter(())
        self._machine.abandon()
        self._fetcher.let_go()
        self._emit_end("left")

    async def __aenter__(self) -> Self:
        """Let the next page travel while this one is worked on, until the block ends."""
        self._check_open()
        if self._prefetch:
            await self._fetcher.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close the iteration."""
        await self.aclose()
        await self._fetcher.close()

    def _check_open(self) -> None:
        if self._taken_at_close is not None:
            raise RuntimeError(_ONCE)

    def _taken(self) -> int:
        """Count the rows of the page in hand that were handed out."""
        if self._taken_at_close is not None:
            return self._taken_at_close
        return 0 if self._page is None else len(self._page.meetings) - operator.length_hint(self._pending)

    def _rest(self) -> Page | None:
        """Hand out what is left of the page in hand; ``None`` if nothing is."""
        rows = tuple(self._pending)
        if not rows or self._page is None:
            return None
        return self._page if len(rows) == len(self._page.meetings) else attrs.evolve(self._page, meetings=rows)

    async def _hand_over(self) -> Iterator[Meeting] | None:
        """Load rows, and give what hands them out: whoever takes from it moves this iteration's place."""
        return self._pending if await self._load() else None

    async def _load(self) -> bool:
        """Fetch until a page brings rows that were not handed out; ``False`` at the end."""
        if self._busy:
            msg = "another task is waiting for the next row of this listing; give each task a listing of its own"
            raise RuntimeError(msg)
        self._busy = True
        self._emit_begin()
        try:
            while (ask := self._machine.next()) is not None:
                arrival = await self._fetcher.fetch(ask)
                if arrival is None or self._machine.ended:  # closed by another task
                    return False
                if self._take(arrival):
                    await self._send_ahead()
                    return True
            self._end()
            self._emit_end("ok")
        except PyasError as error:
            error.checkpoint = self.checkpoint()
            if self._machine.ended:
                self._emit_end("failed", error)
            raise
        finally:
            self._busy = False
        return False

    @property
    def _number(self) -> int:
        """The number of the job in events; 0 if it began before a handler subscribed."""
        return (self._job and self._job.number) or 0

    def _emit_begin(self) -> None:
        if self._job is None:
            self._job = self._session.events.job("meetings.iter_all", self._account_id, within=self._within, owner=self)
            self._fetcher.belongs_to(self._job.number)

    def _emit_end(self, outcome: Literal["ok", "failed", "left"], error: PyasError | None = None) -> None:
        if self._job is not None:
            self._job.end(outcome, error)

    def _take(self, arrival: Arrival) -> bool:
        """Show the machine what came; say whether rows did."""
        page = arrival.result
        if isinstance(page, PyasError):
            reason = self._machine.on_error(page)
            if reason != "size":
                yielded = self._machine.counts.items
                self._session.events.emit(
                    ListingRestarted, job=self._number, account_id=self._account_id, reason=reason, yielded=yielded
                )
            return False
        if isinstance(page, Exception):
            raise page
        rows = self._machine.on_page(page, arrival.now, arrival.wall)
        self._page = page if len(rows) == len(page.meetings) else attrs.evolve(page, meetings=rows)
        self._pending = iter(self._page.meetings)
        self._session.events.emit(
            PageReceived, job=self._number, account_id=self._account_id, rows=len(page.meetings), new=len(rows)
        )
        return bool(rows)

    async def _send_ahead(self) -> None:
        """Let the next page travel. The rows in hand are safe by now: a cancellation here loses nothing."""
        await self._fetcher.send_ahead(self._machine.next())

    def _end(self) -> None:
        """Report what the total says of the listing, once all rows were handed out."""
        machine = self._machine
        if machine.drift is not None:
            machine.drift = None
            reported, yielded = machine.counts.total_reported or 0, machine.counts.items
            self._session.events.emit(
                ListingDrifted, job=self._number, account_id=self._account_id, reported=reported, yielded=yielded
            )
        if machine.failure is not None:
            failure, machine.failure = machine.failure, None
            raise failure


class _Pages(AsyncIterator[Page]):
    """The pages of a listing. A class, since an abandoned generator would have to be cleaned up by the event loop."""

    def __init__(self, listing: MeetingIterator) -> None:
        self._listing = listing

    async def __anext__(self) -> Page:
        listing = self._listing
        while (page := listing._rest()) is None:  # noqa: SLF001  (two halves of one thing)
            if not await listing._load():  # noqa: SLF001
                raise StopAsyncIteration
        return page
