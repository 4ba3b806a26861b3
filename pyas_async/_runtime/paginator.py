"""A listing as users hold it: an asynchronous iterator that turns the handle of the paging machine."""

import operator
from collections.abc import AsyncIterator, Iterator
from types import TracebackType
from typing import Self

import attrs

from pyas_async._core.endpoints import list_meetings
from pyas_async._core.messages import Call
from pyas_async._core.paging import Ask, Paging, Rules
from pyas_async._runtime.session import CallOptions, Session, Tally
from pyas_async.errors import PyasError
from pyas_async.events import ListingRestarted, PageReceived
from pyas_async.models import Meeting, Page


@attrs.frozen(kw_only=True)
class IterationStats:
    """What an iteration has done so far.

    Attributes:
        pages: Pages received.
        items: Rows handed out.
        calls: Requests sent, retries included.
        restarts: Fresh walks begun because a page token died.
        duplicates_skipped: Rows received again and not handed out again.
        total_reported: How many rows the service last said the listing has; ``None`` if it never said.
        missing: Rows that the service reported and the iteration, at its end, had not seen; ``None`` before the end,
            and where it cannot be known (`max_items`, no total).
    """

    pages: int
    items: int
    calls: int
    restarts: int
    duplicates_skipped: int
    total_reported: int | None
    missing: int | None


class MeetingIterator(AsyncIterator[Meeting]):
    """The meetings of one account, across pages, each row once.

    ``async for`` over it fetches a page when its rows are wanted. A page token that dies on the way (they live 15
    minutes) is answered by a fresh walk that skips what was handed out. It can be iterated once. Leaving the loop
    early needs no cleaning up: there is no task and no connection to be left behind. A cancelled step loses nothing:
    go on with the next.
    """

    def __init__(
        self,
        session: Session,
        options: CallOptions,
        *,
        account_id: str,
        filters: tuple[tuple[str, str], ...],
        rules: Rules,
    ) -> None:
        """Stand before the first row; nothing is sent yet."""
        self._session = session
        self._options = options.bulk()
        self._account_id = account_id
        self._filters = filters
        self._machine = Paging(rules)
        self._bounded = rules.max_items is not None
        self._tally = Tally()
        self._page: Page | None = None
        self._pending: Iterator[Meeting] = iter(())
        self._iterated = False
        self._busy = False

    @property
    def stats(self) -> IterationStats:
        """What the iteration has done so far."""
        counts = self._machine.counts
        missing = None
        if self._machine.ended and not self._bounded and counts.total_reported is not None:
            missing = max(0, counts.total_reported - counts.items)
        return IterationStats(
            pages=counts.pages,
            items=counts.items - operator.length_hint(self._pending),
            calls=self._tally.requests,
            restarts=counts.restarts,
            duplicates_skipped=counts.duplicates_skipped,
            total_reported=counts.total_reported,
            missing=missing,
        )

    def __aiter__(self) -> Self:
        """Begin the iteration.

        Raises:
            RuntimeError: The second time.
        """
        self._begin()
        return self

    async def __anext__(self) -> Meeting:
        """Give the next row.

        Raises:
            PyasError: What ended the iteration.
        """
        for row in self._pending:
            return row
        while (page := await self._next_page()) is not None:
            self._pending = iter(page.meetings)
            for row in self._pending:
                return row
        raise StopAsyncIteration

    def pages(self) -> AsyncIterator[Page]:
        """Iterate by page: the faster way.

        Rows handed out before are not in the pages, and a page left without a row is skipped. After rows were taken, it
        begins with the rest of their page.

        """
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
        """
        try:
            return await anext(self, None)
        finally:
            await self.aclose()

    async def aclose(self) -> None:
        """End the iteration: nothing more is handed out, nothing more is asked for."""
        self._machine.stop()
        self._pending = iter(())

    async def __aenter__(self) -> Self:
        """Give the iterator itself."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close the iteration."""
        await self.aclose()

    def _begin(self) -> None:
        if self._iterated:
            msg = "this listing has been iterated; call iter_all() again for another walk"
            raise RuntimeError(msg)
        self._iterated = True

    def _rest(self) -> Page | None:
        """Give the rows of the current page that were not handed out; ``None`` if there are none."""
        rows = tuple(self._pending)
        return attrs.evolve(self._page, meetings=rows) if rows and self._page is not None else None

    async def _next_page(self) -> Page | None:
        """Fetch until a page brings rows that were not handed out; ``None`` at the end."""
        if self._busy:
            msg = "another task is waiting for the next row of this listing; give each task a listing of its own"
            raise RuntimeError(msg)
        self._busy = True
        try:
            while (ask := self._machine.next()) is not None:
                page = await self._fetch(ask)
                if page is not None and page.meetings:
                    self._page = page
                    return page
        finally:
            self._busy = False
        return None

    async def _fetch(self, ask: Ask) -> Page | None:
        call = list_meetings(
            self._account_id,
            self._filters,
            max_results=ask.page_size,
            next_page_token=ask.token,
            not_after=ask.not_after,
        )
        page = await self._answer(call)
        if isinstance(page, PyasError):
            reason = self._machine.on_error(page)
            if reason != "size":
                yielded = self._machine.counts.items
                self._session.emit(ListingRestarted(account_id=self._account_id, reason=reason, yielded=yielded))
            return None
        rows = self._machine.on_page(page, self._session.clock.now())
        self._session.emit(PageReceived(account_id=self._account_id, rows=len(page.meetings), new=len(rows)))
        return page if len(rows) == len(page.meetings) else attrs.evolve(page, meetings=tuple(rows))

    async def _answer(self, call: Call[Page]) -> Page | PyasError:
        # The error is looked at outside the handler: one raised in it would drag the first along as its context.
        try:
            return await self._session.run(call, self._options, self._tally)
        except PyasError as error:
            return error


class _Pages(AsyncIterator[Page]):
    """The pages of a listing. A class, since an abandoned generator would have to be cleaned up by the event loop."""

    def __init__(self, listing: MeetingIterator) -> None:
        self._listing = listing

    async def __anext__(self) -> Page:
        listing = self._listing
        page = listing._rest() or await listing._next_page()  # noqa: SLF001  (two halves of one thing)
        if page is None:
            raise StopAsyncIteration
        return page
