"""Whose page the reader gets next, where the pages of many listings wait for it."""

from collections import deque
from collections.abc import Callable, Iterator

import anyio

from pyas_async._core.pagination.checkpoint import ListingCheckpoint
from pyas_async._runtime.notifier import Notifier
from pyas_async._runtime.pagination.iterator import MeetingIterator
from pyas_async.models import Meeting


class AccountPages:
    """An account under way, and the page of it that waits for the reader."""

    def __init__(self, account_id: str, listing: MeetingIterator) -> None:
        """Have no page yet."""
        self.account_id = account_id
        self.listing = listing
        self.rows: Iterator[Meeting] = iter(())
        self.since = 0.0
        self.waits = False
        self.taken = anyio.Event()
        self._place: ListingCheckpoint | None = None

    def place(self) -> ListingCheckpoint:
        """Mark the place of its listing; while its page waits, that is before the page, and need not be made anew."""
        if self._place is None or not self.waits:
            self._place = ListingCheckpoint.of(self.listing.checkpoint())
        return self._place


class PageQueue:
    """The pages that wait for the reader.

    They get their turn in the order in which they came, so that a long listing comes round as seldom as the others do.
    But the slower the reader, the older a page gets before its turn, and the page token behind it with it; in the end
    each page of each listing would cost a fresh walk. So a page that has waited for longer than `patience` is late: it
    is left until no other page waits. And no account is begun as long as pages are late, or would become so if all that
    are under way took as long as the last.

    Attributes:
        news: Rings when something has changed.
        page_time: Seconds that the reader took for the last page.
    """

    def __init__(self, now: Callable[[], float], patience: float) -> None:
        """Have no pages yet; `patience` is in seconds."""
        self.news = Notifier()
        self.page_time = 0.0
        self._now = now
        self._patience = patience
        self._picked = 0.0
        self._waiting: deque[AccountPages] = deque()
        self._late: deque[AccountPages] = deque()

    def __len__(self) -> int:
        """Count the pages that wait."""
        return len(self._waiting) + len(self._late)

    async def offer(self, account: AccountPages, rows: Iterator[Meeting]) -> None:
        """Let a page wait until the reader has taken all of its rows."""
        account.rows, account.since, account.taken = rows, self._now(), anyio.Event()
        account.place()
        account.waits = True
        self._waiting.append(account)
        self.news.notify()
        await account.taken.wait()

    def pick(self) -> AccountPages | None:
        """Give the account whose page is next; ``None`` if none waits."""
        waiting, late, now = self._waiting, self._late, self._now()
        while waiting and now - waiting[0].since > self._patience:
            late.append(waiting.popleft())
        if not waiting and not late:
            return None
        account = (waiting or late).popleft()
        account.waits, self._picked = False, now
        return account

    def release(self, account: AccountPages) -> None:
        """Take a page back whose rows were all taken."""
        self.page_time = self._now() - self._picked
        account.taken.set()
        self.news.notify()

    def allow(self, under_way: int) -> bool:
        """Say whether another account may be begun beside those under way."""
        return not self._late and under_way * self.page_time <= self._patience
