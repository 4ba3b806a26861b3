"""Decides which listing's page the consumer gets next, while pages of many listings wait."""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import anyio

from pyas_async._core.checkpoints.listing import ListingCheckpoint
from pyas_async._runtime.notifier import Notifier
from pyas_async._runtime.pagination.iterator import MeetingIterator
from pyas_async.models import Meeting


class AccountPages:
    """An active account, with its listing and the page of it that waits for the consumer.

    Attributes:
        rows: The rows of the page. They come from the listing itself, so that taking them moves its position.
        since: When the page was put into the queue.
        waits: Whether the page is in the queue.
        taken: Set once the consumer has taken all rows of the page.
    """

    def __init__(self, account_id: str, listing: MeetingIterator) -> None:
        self.account_id = account_id
        self.listing = listing
        self.rows: Iterator[Meeting] = iter(())
        self.since = 0.0
        self.waits = False
        self.taken = anyio.Event()
        self._checkpoint: ListingCheckpoint | None = None

    def checkpoint(self) -> ListingCheckpoint:
        """Return the position in the listing. While a page waits, it does not change, and is made only once."""
        if self._checkpoint is None or not self.waits:
            self._checkpoint = ListingCheckpoint.of(self.listing.checkpoint())
        return self._checkpoint


class PageQueue:
    """The pages that wait for the consumer.

    The consumer gets them in the order in which they arrived, so that a long listing gets its turn no more often than
    the others. But the slower the consumer, the older a page gets before its turn, and so does its page token. In the
    end each page of each listing would cost a fresh walk. So a page that has waited for longer than `patience` is late:
    it waits until there is no other page. And no account is begun while pages are late, or if pages would be late once
    all active accounts took as long as the last page did.

    An account without rows has no page that waits. So while the consumer is busy, at most `max_concurrency` such
    accounts end: if the process is killed, their calls are spent again.

    Attributes:
        changed: Notified when a page is added, or was taken, and by the workers when one of them ends.
        page_time: Seconds that the consumer took for the last page.
    """

    def __init__(self, now: Callable[[], float], patience: float, *, max_concurrency: int) -> None:
        """Make an empty queue; `patience` is in seconds."""
        self.changed = Notifier()
        self.page_time = 0.0
        self._now = now
        self._patience = patience
        self._max_concurrency = max_concurrency
        self._consumer_waits = False
        self._ended_unseen = 0
        self._picked = 0.0
        self._waiting: deque[AccountPages] = deque()
        self._late: deque[AccountPages] = deque()

    def __len__(self) -> int:
        return len(self._waiting) + len(self._late)

    async def put(self, account: AccountPages, rows: Iterator[Meeting]) -> None:
        """Add a page, and wait until the consumer has taken all of its rows."""
        account.rows, account.since, account.taken = rows, self._now(), anyio.Event()
        account.checkpoint()
        account.waits = True
        self._waiting.append(account)
        self.changed.notify()
        await account.taken.wait()

    def pick(self) -> AccountPages | None:
        """Return the account whose page is next; ``None`` if no page waits."""
        waiting, late, now = self._waiting, self._late, self._now()
        while waiting and now - waiting[0].since > self._patience:
            late.append(waiting.popleft())
        if not waiting and not late:
            return None
        account = (waiting or late).popleft()
        account.waits, self._picked = False, now
        return account

    def done(self, account: AccountPages) -> None:
        """Let the account go on to its next page: the consumer has taken all rows of the one that was picked."""
        self.page_time = self._now() - self._picked
        account.taken.set()
        self.changed.notify()

    @contextmanager
    def consumer(self) -> Iterator[None]:
        """Mark the time in which the consumer waits for a page: it sees each account that ends."""
        self._consumer_waits = True
        if self._ended_unseen:
            self._ended_unseen = 0
            self.changed.notify()
        try:
            yield
        finally:
            self._consumer_waits = False

    def ended_without_page(self) -> None:
        """Count an account whose last call has brought no page."""
        if not self._consumer_waits:
            self._ended_unseen += 1

    def admits(self, active: int) -> bool:
        """Return whether another account may be begun besides those that are active."""
        return (
            active < self._max_concurrency
            and self._ended_unseen < self._max_concurrency
            and not self._late
            and active * self.page_time <= self._patience
        )
