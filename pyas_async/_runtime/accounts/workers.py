"""The tasks behind `AccountsIterator`: one that begins accounts, and a worker for each active account.

An account is active while its listing is open. Its worker loads a page of the listing, and waits until the consumer
has taken the page; meanwhile the listing prefetches the next one. The consumer takes the rows from the listing itself,
so the position of a listing never counts a row that the consumer does not have.
"""

import logging
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

import anyio
import anyio.lowlevel

from pyas_async._core.accounts import AccountsStats, AccountsTally
from pyas_async._core.bulk import ends_run, without_context
from pyas_async._core.checkpoints.accounts import AccountsCheckpoint
from pyas_async._core.checkpoints.listing import ListingCheckpoint
from pyas_async._runtime.accounts.page_queue import AccountPages, PageQueue
from pyas_async._runtime.accounts.source import AccountSource
from pyas_async._runtime.background import BackgroundTasks
from pyas_async._runtime.bulk.workers import is_own_cancellation
from pyas_async._runtime.pagination.iterator import MeetingIterator
from pyas_async.errors import PyasError

_log = logging.getLogger("pyas_async")
# Seconds. A consumer that takes `_SLOW_PAGE` for a page hardly notices `_PAUSE`, in which the listings can load.
_SLOW_PAGE, _PAUSE = 10.0, 1.0


class AccountWorkers:
    """The active accounts, and the tasks that list them.

    Attributes:
        failures: The errors that ended a listing before its end, by account.
        error: The error that ends all listings; raised once the consumer has taken the rows before it.
        closing_error: What was raised when the input was closed.
    """

    def __init__(
        self,
        tasks: BackgroundTasks,
        open_listing: Callable[[ListingCheckpoint], MeetingIterator],
        source: AccountSource,
        tally: AccountsTally,
        queue: PageQueue,
    ) -> None:
        self.failures: dict[str, PyasError] = {}
        self.error: BaseException | None = None
        self.closing_error: Exception | None = None
        self._tasks = tasks
        self._open_listing = open_listing
        self._source = source
        self._tally = tally
        self._queue = queue
        self._active: dict[AccountPages, None] = {}
        self._listed: list[str] = []
        # Accounts that `take_listed` has returned before their workers have ended.
        self._listed_early: set[AccountPages] = set()
        self._started = False
        self._running = 0
        self._all_begun = False

    @property
    def over(self) -> bool:
        """Whether all tasks have ended, or an error has ended the iteration."""
        return self.error is not None or (self._started and not self._running)

    @property
    def cut_off(self) -> bool:
        """Whether some accounts are not finished. If this is so after the tasks have ended, they were cancelled."""
        return bool(self._active) or not self._all_begun

    def start(self) -> None:
        """Start the task that reads the account ids from the input, unless it was started before."""
        if not self._started:
            self._started = True
            self._start(self._begin_accounts)

    async def let_listings_load(self) -> None:
        """Give all listings up to a second to load a page, if the consumer is slow.

        A consumer that computes blocks the event loop, so the listings cannot load pages at other times.
        """
        if self._queue.page_time < _SLOW_PAGE:
            return
        with anyio.move_on_after(_PAUSE):
            while not self.over and len(self._queue) < len(self._active):
                await self._queue.changed.wait()

    def stats(self) -> AccountsStats:
        """Return the sums of what all listings have done."""
        return self._tally.stats(account.listing.stats for account in self._active)

    def checkpoint(self) -> AccountsCheckpoint:
        """Return the position of the whole iteration."""
        positions, source = [account.checkpoint() for account in self._active], self._source
        return self._tally.checkpoint(
            positions, ids_read=source.ids_read, ids_crc=source.ids_crc, exhausted=source.exhausted
        )

    def take_listed(self) -> list[str]:
        """Return the accounts whose listing has reached its end since this was called last.

        A listing counts as done when its last row is yielded, as in a checkpoint. Its worker may not have noticed
        yet.
        """
        early = [account for account in self._active if account not in self._listed_early and account.checkpoint().done]
        self._listed_early.update(early)
        listed, self._listed = [*self._listed, *(account.account_id for account in early)], []
        return listed

    def _start(self, function: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self._running += 1
        self._tasks.start_soon("pyas_async iter_accounts", self._run, function)

    async def _run(self, function: Callable[[], Coroutine[Any, Any, None]]) -> None:
        try:
            await function()
        except BaseException as error:
            if is_own_cancellation(error):
                raise
            # The consumer's next step raises it, or else the end of the block.
            if self.error is not None:
                fields = {"pyas_event": "AlsoRaised", "pyas_operation": "meetings.iter_accounts"}
                said = "iter_accounts: this was raised, too, while the iteration was ending"
                _log.error(said, exc_info=error, extra=fields)
            else:
                self.error = error
        finally:
            self._running -= 1
            self._queue.changed.notify()

    async def _begin_accounts(self) -> None:
        try:
            await self._source.open()
            while await self._wait_to_begin():
                if (position := await self._next_position()) is None:
                    self._all_begun = True
                    return
                account = AccountPages(position.account_id, self._open_listing(position))
                self._active[account] = None
                self._start(partial(self._list, account))
        finally:
            try:
                await self._source.aclose()
            except Exception as error:  # noqa: BLE001  (raised at the end of the block)
                self.closing_error = error

    async def _wait_to_begin(self) -> bool:
        """Wait until another account may be begun; ``False`` if the iteration fails during the wait."""
        while self.error is None and not self._queue.admits(len(self._active)):
            await self._queue.changed.wait()
        return self.error is None

    async def _next_position(self) -> ListingCheckpoint | None:
        """Return where the next listing begins; ``None`` after the last.

        The order: the accounts that were active in the resumed iteration, those of the input, those that had failed.
        """
        if (position := self._tally.next_to_resume()) is not None:
            return position
        while (found := await self._source.read_next()) is not None:
            account_id, error = found
            if error is None:
                return self._tally.begin(account_id)
            self._tally.refuse()
            self.failures[account_id] = error
            await anyio.lowlevel.checkpoint()
        return self._tally.next_to_retry()

    async def _list(self, account: AccountPages) -> None:
        failure: PyasError | None = None
        try:
            async with account.listing as listing:
                while (rows := await listing._load_rows()) is not None:  # noqa: SLF001  (not for users)
                    await self._queue.put(account, rows)
                    if self.error is not None:
                        return
        except PyasError as error:
            if ends_run(error):
                raise
            failure = without_context(error)
        del self._active[account]
        self._tally.end(account.checkpoint(), account.listing.stats, failed=failure is not None)
        if failure is not None or not account.listing.stats.items:
            self._queue.ended_without_page()
        if failure is not None:
            self.failures[account.account_id] = failure
        elif account not in self._listed_early:
            self._listed.append(account.account_id)
        self._listed_early.discard(account)
