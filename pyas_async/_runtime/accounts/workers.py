"""The listings of many accounts: a task for each that is under way, and one that begins them.

A task brings a page, and waits until the reader has taken it; the page after it is on its way meanwhile. The reader
takes the rows from the listing itself, so that each listing stands where the reader stands.
"""

import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING

import anyio
import anyio.lowlevel

from pyas_async._core.accounts.checkpoint import AccountsCheckpoint
from pyas_async._core.accounts.tally import AccountsStats, AccountsTally
from pyas_async._core.bulk import ends_run, without_context
from pyas_async._core.pagination.checkpoint import ListingCheckpoint
from pyas_async._runtime.accounts.page_queue import AccountPages, PageQueue
from pyas_async._runtime.accounts.source import AccountSource
from pyas_async._runtime.bulk.workers import is_own_cancellation
from pyas_async._runtime.pagination.iterator import MeetingIterator
from pyas_async.errors import PyasError

if TYPE_CHECKING:
    from anyio.abc import TaskGroup

_log = logging.getLogger("pyas_async")
# A reader that takes so many seconds for a page is not kept waiting noticeably where the listings get one of them.
_SLOW, _SETTLE = 10.0, 1.0


class AccountWorkers:
    """The accounts under way, and the tasks that list them.

    Attributes:
        failures: What ended a listing before its end, by account.
        error: What ends all of them, once the reader has what came before it.
        closing: What was raised when the input was closed.
    """

    def __init__(
        self,
        open_listing: Callable[[ListingCheckpoint], MeetingIterator],
        roll: AccountSource,
        ledger: AccountsTally,
        turns: PageQueue,
        *,
        max_concurrency: int,
    ) -> None:
        """Have no account under way."""
        self.failures: dict[str, PyasError] = {}
        self.error: BaseException | None = None
        self.closing: Exception | None = None
        self._open_listing = open_listing
        self._roll = roll
        self._ledger = ledger
        self._turns = turns
        self._most = max_concurrency
        self._open: dict[AccountPages, None] = {}
        self._listed: list[str] = []
        self._told_early: set[AccountPages] = set()
        self._tasks: TaskGroup | None = None
        self._running = 0
        self._all_begun = False

    @property
    def over(self) -> bool:
        """Whether no further page will come."""
        return self.error is not None or (self._tasks is not None and not self._running)

    @property
    def cut_off(self) -> bool:
        """Whether the tasks were stopped before they were through."""
        return bool(self._open) or not self._all_begun

    def start(self, tasks: "TaskGroup") -> None:
        """Begin to draw accounts, unless that was begun."""
        if self._tasks is None:
            self._tasks = tasks
            self._start(tasks, partial(self._draw, tasks))

    async def settle(self) -> None:
        """Let listings without a page for a slow reader get one: if it computes, they have no other time for it."""
        if self._turns.page_time < _SLOW:
            return
        with anyio.move_on_after(_SETTLE):
            while not self.over and len(self._turns) < len(self._open):
                await self._turns.news.wait()

    def stats(self) -> AccountsStats:
        """Add up what all listings have done."""
        return self._ledger.stats(account.listing.stats for account in self._open)

    def checkpoint(self) -> AccountsCheckpoint:
        """Mark the place at which all listings stand."""
        places, roll = [account.place() for account in self._open], self._roll
        return self._ledger.checkpoint(places, drawn=roll.drawn, ids=roll.ids, drawn_out=roll.empty)

    def take_listed(self) -> list[str]:
        """Give the accounts that have come to their end since this was asked last.

        A checkpoint counts a listing as done when its last row is handed out, before its task has noticed; so does
        this.
        """
        early = [account for account in self._open if account not in self._told_early and account.place().done]
        self._told_early.update(early)
        listed, self._listed = [*self._listed, *(account.account_id for account in early)], []
        return listed

    def _start(self, tasks: "TaskGroup", part: Callable[[], Awaitable[None]]) -> None:
        self._running += 1
        tasks.start_soon(self._run, part)

    async def _run(self, part: Callable[[], Awaitable[None]]) -> None:
        try:
            await part()
        except BaseException as error:
            if is_own_cancellation(error):
                raise
            # It is kept out of the task group: whoever reads, or leaves the block, raises it.
            if self.error is not None:
                fields = {"pyas_event": "AlsoRaised", "pyas_operation": "meetings.iter_accounts"}
                said = "iter_accounts: this was raised, too, while the iteration was ending"
                _log.error(said, exc_info=error, extra=fields)
            else:
                self.error = error
        finally:
            self._running -= 1
            self._turns.news.notify()

    async def _draw(self, tasks: "TaskGroup") -> None:
        """Begin one account after the other, each when there is room for it."""
        try:
            await self._roll.open()
            while await self._admits():
                if (place := await self._next_place()) is None:
                    self._all_begun = True
                    return
                account = AccountPages(place.account_id, self._open_listing(place))
                self._open[account] = None
                self._start(tasks, partial(self._list, account))
        finally:
            try:
                await self._roll.aclose()
            except Exception as error:  # noqa: BLE001  (raised at the end of the block)
                self.closing = error

    async def _admits(self) -> bool:
        """Wait until another account may be begun; ``False`` if none is to be."""
        while self.error is None and not (len(self._open) < self._most and self._turns.allow(len(self._open))):
            await self._turns.news.wait()
        return self.error is None

    async def _next_place(self) -> ListingCheckpoint | None:
        """Find the next account: first those that were under way, then the input's, then those that had failed."""
        if (place := self._ledger.go_on()) is not None:
            return place
        while (drawn := await self._roll.draw()) is not None:
            account_id, error = drawn
            if error is None:
                return self._ledger.begin(account_id)
            self._ledger.refused()
            self.failures[account_id] = error
            await anyio.lowlevel.checkpoint()
        return self._ledger.retry()

    async def _list(self, account: AccountPages) -> None:
        """List an account page by page, each once the reader has taken the one before."""
        failure: PyasError | None = None
        try:
            async with account.listing as listing:
                while (rows := await listing._hand_over()) is not None:  # noqa: SLF001  (the reader moves its place)
                    await self._turns.offer(account, rows)
                    if self.error is not None:
                        return
        except PyasError as error:
            if ends_run(error):
                raise
            failure = without_context(error)
        del self._open[account]
        self._ledger.ended(account.place(), account.listing.stats, failed=failure is not None)
        if failure is not None:
            self.failures[account.account_id] = failure
        elif account not in self._told_early:
            self._listed.append(account.account_id)
        self._told_early.discard(account)
