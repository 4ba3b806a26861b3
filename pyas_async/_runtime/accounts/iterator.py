"""The listings of many accounts as users hold them: one asynchronous iterator of pairs."""

import logging
from collections.abc import AsyncIterator, Callable, Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Literal, NoReturn, Self

import anyio
import anyio.lowlevel

from pyas_async._core.accounts.checkpoint import AccountsCheckpoint
from pyas_async._core.accounts.tally import AccountsStats, AccountsTally
from pyas_async._core.pagination.checkpoint import Checkpoint, ListingCheckpoint
from pyas_async._core.pagination.listing_state import ListingRules
from pyas_async._public import public
from pyas_async._runtime.accounts.chunks import Chunks
from pyas_async._runtime.accounts.page_queue import AccountPages, PageQueue
from pyas_async._runtime.accounts.source import AccountSource
from pyas_async._runtime.accounts.workers import AccountWorkers
from pyas_async._runtime.calls.options import CallOptions
from pyas_async._runtime.calls.session import Session
from pyas_async._runtime.pagination.iterator import MeetingIterator
from pyas_async.errors import PyasError
from pyas_async.models import Meeting

if TYPE_CHECKING:
    from anyio.abc import TaskGroup

    from pyas_async._runtime.events import Job

_log = logging.getLogger("pyas_async")
_HOW = (
    "iter_accounts() needs a block: `async with client.meetings.iter_accounts(…) as pairs:`, and in it "
    "`async for account_id, meeting in pairs:`"
)
_ONCE = "these listings have been iterated, or closed; call iter_accounts() again for another walk"


@public
class AccountsIterator(AsyncIterator[tuple[str, Meeting]]):
    """The meetings of many accounts, as pairs ``(account_id, meeting)``, each row of each account once.

    It is iterated in a block, and once::

        async with client.meetings.iter_accounts(account_ids) as pairs:
            async for account_id, meeting in pairs:
                ...

    Pages of the accounts under way take turns; the rows of one account come in the order of its listing. A cancelled
    step loses nothing: go on with the next. Every `PyasError` that it raises carries a `checkpoint`.

    Attributes:
        failures: What ended a listing before its end, by account; the other listings go on. Each error carries the
            checkpoint of its listing.
    """

    failures: dict[str, PyasError]

    def __init__(
        self,
        session: Session,
        options: CallOptions,
        roll: AccountSource,
        *,
        filters: tuple[tuple[str, str], ...],
        rules: ListingRules,
        max_concurrency: int,
        resume: AccountsCheckpoint | None = None,
    ) -> None:
        """Stand before the first pair, or where the checkpoint says; nothing is drawn or sent yet."""

        def open_listing(place: ListingCheckpoint) -> MeetingIterator:
            return MeetingIterator(
                session,
                options,
                account_id=place.account_id,
                filters=filters,
                rules=rules,
                resume=place,
                within=None if self._job is None else self._job.number,
            )

        self._session = session
        self._job: Job | None = None
        # A page that has waited for half its token's life may need the other half until all of its rows are taken.
        self._turns = PageQueue(session.clock.now, rules.token_use / 2)
        ledger = AccountsTally(filters, rules.page_size, resume)
        self._listings = AccountWorkers(open_listing, roll, ledger, self._turns, max_concurrency=max_concurrency)
        self.failures = self._listings.failures
        self._tasks: TaskGroup | None = None
        self._in_hand: AccountPages | None = None
        self._account_id = ""
        self._rows: Iterator[Meeting] = iter(())
        self._iterated = self._busy = self._over = False
        self._raised: BaseException | None = None

    @property
    def stats(self) -> AccountsStats:
        """What the iteration has done so far."""
        return self._listings.stats()

    def checkpoint(self) -> Checkpoint:
        """Mark the place after the pair that was handed out last: it counts as done, and nothing after it.

        Cheap enough to be taken after every pair; only its text costs.
        """
        return self._listings.checkpoint()

    def take_listed(self) -> list[str]:
        """Give the accounts whose listing has come to its end since this was asked last, in about that order.

        The pairs so far are all of theirs. It belongs to a checkpoint that is taken in the same breath: each account
        that comes to its end in one of several iterations, of which one resumes the other, is given by one of them.
        """
        return self._listings.take_listed()

    def chunks(
        self, *, pages: int = 16, seconds: float = 1.0
    ) -> AsyncIterator[tuple[list[tuple[str, Meeting]], Checkpoint]]:
        """Iterate by chunks: pairs, and the checkpoint behind them, to be stored in one transaction.

        A process that is killed has called in vain for the pages since the last chunk that it stored, and for those
        that were under way. Accounts without a row give no pair, but cost a call as well: where many of them come one
        after the other, chunks have fewer pairs, or none. The last checkpoint is `done`, unless accounts failed.

        Args:
            pages: Pages of a chunk at most; they are taken whole. As many accounts that end make a chunk, too.
            seconds: After which a chunk ends that has fewer. It then waits for the first page, or the first account
                that ends, however long.

        Raises:
            InvalidArgumentError: If an argument is out of bounds.
            TypeError: Outside of ``async with``.
            RuntimeError: If it is iterated already.
        """
        chunks = Chunks(self._next_page, self.checkpoint, self._listings.stats, pages=pages, seconds=seconds)
        aiter(self)
        return chunks

    def __aiter__(self) -> Self:
        """Begin the iteration.

        Raises:
            TypeError: Outside of ``async with``.
            RuntimeError: The second time.
        """
        if self._iterated or self._over:
            raise RuntimeError(_ONCE)
        if self._tasks is None:
            raise TypeError(_HOW)
        self._iterated = True
        return self

    async def __anext__(self) -> tuple[str, Meeting]:
        """Give the next pair.

        Raises:
            PyasError: What ended the iteration, since no other account would be spared.
            CheckpointError: If the accounts are others than those of the checkpoint.
        """
        while True:
            for row in self._rows:
                return self._account_id, row
            await self._turn()

    async def _next_page(self, enough: Callable[[], bool]) -> list[tuple[str, Meeting]]:
        """Give all pairs of a page, or what is left of it; none if it is enough before a page is there."""
        while not (pairs := [(self._account_id, row) for row in self._rows]) and not enough():
            await self._turn(enough)
        return pairs

    async def __aenter__(self) -> Self:
        """Let accounts be listed, from the first pair that is asked for, until the block ends."""
        if self._tasks is not None or self._over:
            raise RuntimeError(_ONCE)
        self._tasks = anyio.create_task_group()
        await self._tasks.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """End the iteration: nothing more is handed out or asked for, and pages on their way are let go."""
        tasks, self._tasks = self._tasks, None
        self._over, self._rows = True, iter(())
        if tasks is None:
            return
        tasks.cancel_scope.cancel()
        # The group is told of no error: its tasks keep theirs, and the block's goes on as it is, not in a group.
        try:
            await tasks.__aexit__(None, None, None)
        finally:
            self._emit_end()
        self._raise_unread(beside=error)

    def __repr__(self) -> str:
        """Show how far it has come."""
        stats, state = self.stats, "closed" if self._over else "open"
        return (
            f"<AccountsIterator: {stats.begun} accounts begun, {stats.done} done, {stats.failed} failed, "
            f"{stats.items} items, {stats.pages} pages, {state}>"
        )

    def _raise_unread(self, *, beside: BaseException | None) -> None:
        """Raise what no reader was told: what ends the program, and what closing the input raised."""
        error, closing = self._listings.error, self._listings.closing
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
            error = self._listings.error
            outcome: Literal["ok", "failed", "left"] = "left" if self._listings.cut_off else "ok"
            self._job.end(outcome if error is None else "failed", error)

    async def _turn(self, enough: Callable[[], bool] = bool) -> None:
        """Give back the page in hand, which was taken whole, and take the next, unless it is enough before."""
        if self._over:
            raise StopAsyncIteration
        if self._tasks is None:
            raise TypeError(_HOW)
        if self._busy:
            msg = "another task is waiting for the next pair; let one task iterate, and hand the pairs on"
            raise RuntimeError(msg)
        self._busy = True
        try:
            if self._in_hand is not None:
                self._turns.release(self._in_hand)
                self._in_hand = None
            self._emit_begin()
            self._listings.start(self._tasks)
            # A reader that never waits would keep the tasks from sending for further pages.
            await anyio.lowlevel.checkpoint()
            await self._listings.settle()
            while (account := self._turns.pick()) is None:
                if self._listings.over:
                    # The tasks may have heard of a cancellation of the block first; then it is the reader's as well.
                    await anyio.lowlevel.checkpoint_if_cancelled()
                    self._end()
                if enough():
                    return
                await self._turns.news.wait()
            self._in_hand, self._account_id, self._rows = account, account.account_id, account.rows
        finally:
            self._busy = False

    def _end(self) -> NoReturn:
        self._over = True
        error = self._raised = self._listings.error
        if error is None and self._listings.cut_off:
            error = RuntimeError("the block of this iteration is being cancelled, and nothing more will come")
        if isinstance(error, PyasError):
            error.checkpoint = self.checkpoint()
        raise StopAsyncIteration if error is None else error
