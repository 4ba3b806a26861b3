"""`MeetingIterator`, the asynchronous iterator over one listing: it makes the requests of the pagination machine."""

import operator
from collections.abc import AsyncIterator, Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Literal, Self

import attrs

from pyas_async._core.checkpoints.listing import ListingCheckpoint
from pyas_async._core.pagination.listing_state import IterationStats, ListingRules, ReportedTotal
from pyas_async._core.pagination.machine import PaginationMachine
from pyas_async._public import explains, public
from pyas_async._runtime.calls.options import CallOptions
from pyas_async._runtime.calls.session import Session
from pyas_async._runtime.pagination.prefetch import FetchResult, PageFetcher
from pyas_async.checkpoints import Checkpoint
from pyas_async.errors import PyasError
from pyas_async.events import ListingDrifted, ListingRestarted, PageReceived
from pyas_async.models import Meeting, Page

if TYPE_CHECKING:
    from pyas_async._runtime.events import Job

_ONCE = "this listing has been iterated, or closed; call iter_all() again for another walk"


_LOOP = (
    "a listing is fetched while you loop over it: write `async for meeting in client.meetings.iter_all(…):`, or "
    "`for meeting in await client.meetings.iter_all(…).collect():`"
)
_WAIT = (
    "a listing is not awaited itself: write `await client.meetings.iter_all(…).collect()` for a list, or "
    "`async for meeting in client.meetings.iter_all(…):`"
)
_BLOCK = "write `async with client.meetings.iter_all(…) as meetings:`, and in it `async for meeting in meetings:`"
_COUNT = (
    "a listing has no length and no index, since it is fetched while you loop over it: write "
    "`meetings = await client.meetings.iter_all(…).collect()`, or `first()` for the first one"
)
_PAGES = "write `async for page in client.meetings.iter_all(…).pages():`"


@public
@explains(loop=_LOOP, wait=_WAIT, block=_BLOCK, count=_COUNT)
class MeetingIterator(AsyncIterator[Meeting]):
    """The meetings of one account, across pages, each row once.

    A bare ``async for`` requests a page when its rows are needed. Inside ``async with``, the next page is requested
    while the rows of the current one are being processed. It can be iterated once. A bare loop can be left early
    without cleaning up: it leaves no task and no connection behind. A cancelled step loses no row: the next step
    returns it.

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
        """Begin before the first row, or at the checkpoint; nothing is sent yet.

        `within` is the number of the job that this listing is a part of.
        """
        self._session = session
        self._within = within
        self._job: Job | None = None
        # The number of the job in events; 0 if it began before a handler subscribed.
        self._number = 0
        self._account_id = account_id
        self._filters = filters
        clock = session.clock
        self._machine = PaginationMachine(rules, resume, now=clock.now(), wall=clock.wall().timestamp())
        self._fetcher = PageFetcher(session, options.for_bulk(), account_id, filters, token_life=rules.token_life)
        self._prefetch = prefetch
        self._page: Page | None = None
        self._pending: Iterator[Meeting] = iter(())
        # With ``on_unreadable="raise"``, an unreadable row divides the rows of a page: `_pending` gives those up to
        # `_until`, and `_raised` of the unreadable rows were raised.
        self._raises = rules.on_unreadable == "raise"
        self._until = self._raised = 0
        self._secrets: tuple[str, ...] = ()
        self._options = options
        self._iterated = False
        self._loading = False
        self._closed = False

    @property
    def stats(self) -> IterationStats:
        """What the iteration has done so far."""
        given, yielded = self._machine.page, self._yielded()
        return self._machine.counts.stats(
            waiting=len(given.rows) - yielded,
            unreadable_waiting=given.length - len(given.rows) + yielded - self._rows_taken(),
            calls=self._fetcher.calls,
        )

    @property
    def reported_total(self) -> ReportedTotal:
        """The totals that the service has reported in the current walk."""
        return self._machine.reported_total

    def __aiter__(self) -> Self:
        """Return the iterator itself.

        Raises:
            RuntimeError: The second time.
        """
        if self._iterated:
            raise RuntimeError(_ONCE)
        self._iterated = True
        return self

    def __repr__(self) -> str:
        stats, state = self.stats, "closed" if self._closed else self._machine.state.name
        filters = "".join(f", {name}={value}" for name, value in self._filters)
        return (
            f"<MeetingIterator of account {self._account_id!r}{filters}: {stats.items} items, {stats.pages} pages, "
            f"{stats.restarts} restarts, {state}>"
        )

    async def __anext__(self) -> Meeting:
        """Return the next row.

        Raises:
            PyasError: What ended the iteration.
        """
        while True:
            for row in self._pending:
                return row
            if not await self._load():
                raise StopAsyncIteration

    def pages(self) -> AsyncIterator[Page]:
        """Iterate by page, which is faster than by row.

        Rows yielded before are left out of the pages, and a page without any other row is skipped. If some rows of a
        page were taken already, the first page holds the rest of them.

        Raises:
            RuntimeError: If the iteration is closed.
        """
        self._check_open()
        return _Pages(self)

    async def collect(self) -> list[Meeting]:
        """Return all remaining rows, and close.

        Raises:
            PyasError: What ended the iteration.
        """
        try:
            return [row async for page in self.pages() for row in page.meetings]
        finally:
            await self.aclose()

    async def first(self) -> Meeting | None:
        """Return the next row, ``None`` if there is none, and close.

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
        """Return the position after the row, or the page, that was yielded last: it counts as done.

        It is cheap to take after every row; only its text costs.
        """
        taken, prefetched = self._rows_taken(), self._fetcher.prefetched
        return self._machine.checkpoint(self._account_id, self._filters, taken, prefetched=prefetched)

    async def aclose(self) -> None:
        """End the iteration: nothing more is yielded or requested, and a request in flight is cancelled."""
        if not self._closed:
            self._closed, self._until = True, self._yielded()
        self._pending = iter(())
        self._machine.abandon()
        self._fetcher.cancel()
        self._emit_end("left")

    async def __aenter__(self) -> Self:
        """Request each next page while the current one is being processed, until the block ends."""
        self._check_open()
        if self._prefetch:
            self._fetcher.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close the iteration."""
        await self.aclose()
        await self._fetcher.close()

    def _check_open(self) -> None:
        if self._closed:
            raise RuntimeError(_ONCE)

    def _yielded(self) -> int:
        """Return how many meetings of the current page were yielded."""
        return self._until - operator.length_hint(self._pending)

    def _rows_taken(self) -> int:
        """Return how many rows of the current page lie behind the consumer: yielded, raised or skipped."""
        yielded, given = self._yielded(), self._machine.page
        return yielded + (self._raised if self._raises or not given.unreadable else given.passed(yielded))

    def _rest_of_page(self) -> Page | None:
        """Return the remaining rows of the current page, as a page; ``None`` if there are none."""
        rows = tuple(self._pending)
        if not rows or self._page is None:
            return None
        return self._page if len(rows) == len(self._page.meetings) else attrs.evolve(self._page, meetings=rows)

    async def _load_rows(self) -> Iterator[Meeting] | None:
        """Load a page, and return its rows, an iterator that moves this listing's position; ``None`` at the end."""
        return self._pending if await self._load() else None

    async def _load(self) -> bool:
        """Fetch pages until one has rows to yield; ``False`` at the end."""
        if self._loading:
            msg = "another task is waiting for the next row of this listing; give each task a listing of its own"
            raise RuntimeError(msg)
        self._loading = True
        self._emit_begin()
        try:
            self._raise_unreadable()
            while (request := self._machine.next()) is not None:
                result = await self._fetcher.fetch(request)
                if result is None or self._machine.ended:  # closed by another task
                    return False
                self._secrets = () if request.token is None else (request.token,)
                if self._process(result):
                    await self._prefetch_next()
                    if operator.length_hint(self._pending):
                        return True
                    self._raise_unreadable()
            self._report_end()
            self._emit_end("ok")
        except PyasError as error:
            error.checkpoint = self.checkpoint()
            if self._machine.ended and self._rows_taken() == self._machine.page.length:
                self._emit_end("failed", error)
            # The frames that it has come through hold it, and would keep this listing until the garbage collector runs.
            result = None
            raise error.with_traceback(None)  # noqa: B904  (it is the error itself)
        finally:
            self._loading = False
        return False

    def _begin_rows(self) -> None:
        """Let `_pending` give the next rows of the page: up to the next row that is to be raised, or to the end."""
        given, begin = self._machine.page, self._until
        waits = given.unreadable[self._raised :] if self._raises else ()
        self._until = waits[0][0] if waits else len(given.rows)
        self._pending = iter(given.rows[begin : self._until])

    def _raise_unreadable(self) -> None:
        """Raise the error of an unreadable row, if that is what comes next on the page."""
        given = self._machine.page
        if self._page is None or not self._raises or self._raised == len(given.unreadable) or self._closed:
            return
        _, row = given.unreadable[self._raised]
        self._raised += 1
        self._begin_rows()
        from pyas_async._runtime.pagination.unreadable import masked_row_error  # noqa: PLC0415 -- hardly ever needed

        raise masked_row_error(self._session, self._options, self._page, row, self._secrets)

    def _emit_begin(self) -> None:
        if self._job is None:
            self._job = self._session.events.job("meetings.iter_all", self._account_id, within=self._within, owner=self)
            self._fetcher.set_job(self._job.number)
            self._number = self._job.number or 0

    def _emit_end(self, outcome: Literal["ok", "failed", "left"], error: PyasError | None = None) -> None:
        if self._job is not None:
            self._job.end(outcome, error)

    def _process(self, result: FetchResult) -> bool:
        """Give the machine a page or an error; return whether there are rows to yield."""
        page = result.value
        if isinstance(page, PyasError):
            reason = self._machine.on_error(page)
            if reason != "size":
                yielded = self._machine.counts.items
                self._session.events.emit(
                    ListingRestarted, job=self._number, account_id=self._account_id, reason=reason, yielded=yielded
                )
            return False
        if isinstance(page, BaseException):
            raise page
        rows, unreadable = self._machine.on_page(page, result.now, result.wall), self._machine.page.unreadable
        self._page = page if len(rows) == len(page.meetings) else attrs.evolve(page, meetings=rows)
        self._until = self._raised = 0
        self._begin_rows()
        self._session.events.emit(
            PageReceived, job=self._number, account_id=self._account_id, rows=len(page.meetings), new=len(rows)
        )
        if unreadable and not self._raises:
            from pyas_async._runtime.pagination.unreadable import emit_skipped  # noqa: PLC0415 -- hardly ever needed

            emit_skipped(self._session, self._account_id, page, [row for _, row in unreadable], job=self._number)
        return bool(rows) or (self._raises and bool(unreadable))

    async def _prefetch_next(self) -> None:
        # By now the rows of the current page are kept in `_pending`, so a cancellation here loses nothing.
        await self._fetcher.prefetch(self._machine.next())

    def _report_end(self) -> None:
        """Report what the machine found out at the end, once all rows were yielded."""
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


@explains(loop=_PAGES, wait=_PAGES, block=_PAGES, async_block=_PAGES, count=_PAGES)
class _Pages(AsyncIterator[Page]):
    """The pages of a listing. It is not a generator, since the event loop would have to close an abandoned one."""

    def __init__(self, listing: MeetingIterator) -> None:
        self._listing = listing

    async def __anext__(self) -> Page:
        listing = self._listing
        while (page := listing._rest_of_page()) is None:  # noqa: SLF001  (of the same module)
            if not await listing._load():  # noqa: SLF001
                raise StopAsyncIteration
        return page
