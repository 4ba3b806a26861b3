"""`AccountsIterator`, the asynchronous iterator over the meetings of many accounts."""

import logging
from collections.abc import AsyncIterator, Callable, Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Literal, NoReturn, Self

import anyio.lowlevel

from pyas_async._core.accounts import AccountsStats, AccountsTally
from pyas_async._core.checkpoints.accounts import AccountsCheckpoint
from pyas_async._core.checkpoints.listing import ListingCheckpoint
from pyas_async._core.pagination.listing_state import ListingRules
from pyas_async._public import explains, public
from pyas_async._runtime.accounts.chunks import Chunks
from pyas_async._runtime.accounts.page_queue import AccountPages, PageQueue
from pyas_async._runtime.accounts.source import AccountSource
from pyas_async._runtime.accounts.workers import AccountWorkers
from pyas_async._runtime.background import BackgroundTasks
from pyas_async._runtime.calls.options import CallOptions
from pyas_async._runtime.calls.session import Session
from pyas_async._runtime.pagination.iterator import MeetingIterator
from pyas_async.checkpoints import Checkpoint
from pyas_async.errors import PyasError
from pyas_async.models import Meeting

if TYPE_CHECKING:
    from pyas_async._runtime.events import Job

_log = logging.getLogger("pyas_async")
_BLOCK_NEEDED = (
    "iter_accounts() needs a block: `async with client.meetings.iter_accounts(…) as pairs:`, and in it "
    "`async for account_id, meeting in pairs:`"
)
_ONCE = "these listings have been iterated, or closed; call iter_accounts() again for another walk"


@public
@explains(loop=_BLOCK_NEEDED, wait=_BLOCK_NEEDED, block=_BLOCK_NEEDED, count=_BLOCK_NEEDED)
class AccountsIterator(AsyncIterator[tuple[str, Meeting]]):
    """The meetings of many accounts, as pairs ``(account_id, meeting)``, each row of each account once.

    It is iterated in a block, and once::

        async with client.meetings.iter_accounts(account_ids) as pairs:
            async for account_id, meeting in pairs:
                ...

    Pages of the active accounts take turns; the rows of one account come in the order of its listing. A cancelled
    step loses no pair: the next step returns it. Every `PyasError` that it raises carries a `checkpoint`.

    Attributes:
        failures: The errors that ended a listing before its end, by account; the other listings go on. Each error
            carries the checkpoint of its listing.
    """

    failures: dict[str, PyasError]

    def __init__(
        self,
        session: Session,
        options: CallOptions,
        source: AccountSource,
        *,
        filters: tuple[tuple[str, str], ...],
        rules: ListingRules,
        max_concurrency: int,
        resume: AccountsCheckpoint | None = None,
    ) -> None:
        """Begin before the first pair, or at the checkpoint; nothing is read or sent yet."""

        def open_listing(position: ListingCheckpoint) -> MeetingIterator:
            return MeetingIterator(
                session,
                options,
                account_id=position.account_id,
                filters=filters,
                rules=rules,
                resume=position,
                within=None if self._job is None else self._job.number,
            )

        self._session = session
        self._job: Job | None = None
        # A page waits for at most half its token's life: the consumer may need the other half to take its rows.
        self._queue = PageQueue(session.clock.now, rules.token_life / 2, max_concurrency=max_concurrency)
        self._tasks = BackgroundTasks()
        tally = AccountsTally(filters, rules.page_size, resume)
        self._workers = AccountWorkers(self._tasks, open_listing, source, tally, self._queue)
        self.failures = self._workers.failures
        self._current: AccountPages | None = None
        self._account_id = ""
        self._rows: Iterator[Meeting] = iter(())
        self._iterated = self._loading = self._over = False
        self._raised: BaseException | None = None

    @property
    def stats(self) -> AccountsStats:
        """What the iteration has done so far."""
        return self._workers.stats()

    def checkpoint(self) -> Checkpoint:
        """Return the position after the pair that was yielded last: it counts as done, and nothing after it.

        It is cheap to take after every pair; only its text costs.
        """
        return self._workers.checkpoint()

    def take_listed(self) -> list[str]:
        """Return the accounts whose listing has reached its end since the last call, in about that order.

        All of their pairs were yielded. Take a checkpoint together with it, with nothing awaited in between: then,
        in a series of iterations of which each resumes the one before, each account that ends is returned once.
        """
        return self._workers.take_listed()

    def chunks(
        self, *, pages: int = 16, seconds: float = 1.0
    ) -> AsyncIterator[tuple[list[tuple[str, Meeting]], Checkpoint]]:
        """Iterate by chunks: pairs, and the checkpoint after them, to be stored in one transaction.

        If the process is killed, the pages after the last stored chunk are requested again, and so are those in flight.
        An account without rows has no pair, but costs a call as well: where many of them follow each other, chunks have
        fewer pairs, or none. The last checkpoint is `done`, unless accounts failed.

        Args:
            pages: The most pages of a chunk; pages are never split. The same number of accounts that end make a chunk
                as well.
            seconds: The time after which a chunk ends that has fewer. If it has nothing by then, it waits for the first
                page, or the first account that ends, however long that takes.

        Raises:
            InvalidArgumentError: If an argument is out of bounds.
            TypeError: Outside of ``async with``.
            RuntimeError: If it is iterated already.
        """
        chunks = Chunks(self._next_page, self.checkpoint, self._workers.stats, pages=pages, seconds=seconds)
        aiter(self)
        return chunks

    def __aiter__(self) -> Self:
        """Return the iterator itself.

        Raises:
            TypeError: Outside of ``async with``.
            RuntimeError: The second time.
        """
        if self._iterated or self._over:
            raise RuntimeError(_ONCE)
        if not self._tasks.is_open:
            raise TypeError(_BLOCK_NEEDED)
        self._iterated = True
        return self

    async def __anext__(self) -> tuple[str, Meeting]:
        """Return the next pair.

        Raises:
            PyasError: What ended the iteration, since every other account would fail as well.
            CheckpointError: If the accounts are others than those of the checkpoint.
        """
        while True:
            for row in self._rows:
                return self._account_id, row
            await self._load()

    async def _next_page(self, enough: Callable[[], bool]) -> list[tuple[str, Meeting]]:
        """Return the remaining pairs of the current page, or those of the next; none if `enough()` before."""
        while not (pairs := [(self._account_id, row) for row in self._rows]) and not enough():
            await self._load(enough)
        return pairs

    async def __aenter__(self) -> Self:
        """Begin the block. Nothing is read or sent before the first pair is asked for."""
        if self._tasks.is_open or self._over:
            raise RuntimeError(_ONCE)
        self._tasks.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """End the iteration: nothing more is yielded or requested, and requests in flight are cancelled."""
        self._over, self._rows = True, iter(())
        if not self._tasks.is_open:
            return
        try:
            await self._tasks.close()
        finally:
            self._emit_end()
        self._raise_unreported(beside=error)

    def __repr__(self) -> str:
        stats, state = self.stats, "closed" if self._over else "open"
        return (
            f"<AccountsIterator: {stats.begun} accounts begun, {stats.done} done, {stats.failed} failed, "
            f"{stats.items} items, {stats.pages} pages, {state}>"
        )

    def _raise_unreported(self, *, beside: BaseException | None) -> None:
        """Raise what no step has raised: an exception that ends the program, or what closing the input raised."""
        error, closing = self._workers.error, self._workers.closing_error
        if error is not None and error is not self._raised and not isinstance(error, Exception):
            raise error
        if closing is not None and beside is None:
            raise closing
        if closing is not None:
            fields = {"pyas_event": "AlsoRaised", "pyas_operation": "meetings.iter_accounts"}
            _log.error("iter_accounts: closing the input raised this", exc_info=closing, extra=fields)

    def _emit_begin(self) -> None:
        if self._job is None:
            self._job = self._session.events.job("meetings.iter_accounts", None)

    def _emit_end(self) -> None:
        if self._job is not None:
            error = self._workers.error
            outcome: Literal["ok", "failed", "left"] = "left" if self._workers.cut_off else "ok"
            self._job.end(outcome if error is None else "failed", error)

    async def _load(self, enough: Callable[[], bool] = bool) -> None:
        """Make the next page the current one, whose rows were all taken; stop waiting if `enough` returns true."""
        if self._over:
            raise StopAsyncIteration
        if not self._tasks.is_open:
            raise TypeError(_BLOCK_NEEDED)
        if self._loading:
            msg = "another task is waiting for the next pair; let one task iterate, and pass the pairs on"
            raise RuntimeError(msg)
        self._loading = True
        try:
            if self._current is not None:
                self._queue.done(self._current)
                self._current = None
            self._emit_begin()
            self._workers.start()
            with self._queue.consumer():
                # Without this, a consumer that never waits would keep the workers from requesting further pages.
                await anyio.lowlevel.checkpoint()
                await self._workers.let_listings_load()
                while (account := self._queue.pick()) is None:
                    if self._workers.over:
                        # If the block is cancelled, the workers may see it first; then this step is cancelled, too.
                        await anyio.lowlevel.checkpoint_if_cancelled()
                        self._end()
                    if enough():
                        return
                    await self._queue.changed.wait()
            self._current, self._account_id, self._rows = account, account.account_id, account.rows
        finally:
            self._loading = False

    def _end(self) -> NoReturn:
        self._over = True
        error = self._raised = self._workers.error
        if error is None and self._workers.cut_off:
            error = RuntimeError("the block of this iteration was left or cancelled, and nothing more will come")
        if isinstance(error, PyasError):
            error.checkpoint = self.checkpoint()
        raise StopAsyncIteration if error is None else error
