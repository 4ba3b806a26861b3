"""Counts what has become of the accounts of an iteration over many of them, and of the iteration that it resumes.

It holds the positions of accounts that are waiting to be resumed and of those that failed, and the sums of all that are
no longer under way. The listings under way know their own positions and counts.
"""

from collections import Counter, deque
from collections.abc import Iterable

import attrs

from pyas_async._core.checkpoints.accounts import AccountsCheckpoint
from pyas_async._core.checkpoints.listing import ListingCheckpoint
from pyas_async._core.pagination.listing_state import IterationStats
from pyas_async._public import public


@public
@attrs.frozen(kw_only=True)
class AccountsStats:
    """What an iteration over many accounts has done so far; the iteration that it resumes is not counted.

    Attributes:
        begun: Accounts that were begun or resumed: those done, those failed, and those under way.
        done: Accounts whose listing reached its end.
        failed: Accounts whose listing did not reach its end, and ids that cannot be an account's.
        pages: Pages received and processed.
        items: Rows handed out.
        calls: Requests sent, retries included.
        restarts: Fresh walks begun because a page token expired, or to repair.
        duplicates_skipped: Rows received again and not handed out again.
        total_reported: The sum of the totals that the service reported.
        missing: Rows that the service reported and the listings, at their end, had not seen.
    """

    begun: int
    done: int
    failed: int
    pages: int
    items: int
    calls: int
    restarts: int
    duplicates_skipped: int
    total_reported: int
    missing: int


class AccountsTally:
    """The accounts of an iteration that are not under way."""

    def __init__(
        self, filters: tuple[tuple[str, str], ...], page_size: int, resume: AccountsCheckpoint | None = None
    ) -> None:
        self._filters = filters
        self._page_size = page_size
        self._to_resume = deque(() if resume is None else resume.under_way)
        self._items = 0 if resume is None else resume.items
        # Checkpoints point into this list, so it only grows. Entries before `_first` have been taken up again.
        self._failed = [] if resume is None else resume.failed
        self._first = 0
        self._to_retry = len(self._failed)
        self._sums: Counter[str] = Counter()

    def begin(self, account_id: str) -> ListingCheckpoint:
        """Return the position before the first row of a new account."""
        return ListingCheckpoint(account_id=account_id, filters=self._filters, page_size=self._page_size)

    def next_to_resume(self) -> ListingCheckpoint | None:
        """Take up the next account that was under way in the resumed iteration; ``None`` after the last."""
        return self._take_up(self._to_resume.popleft()) if self._to_resume else None

    def next_to_retry(self) -> ListingCheckpoint | None:
        """Take up the next account that failed in the resumed iteration or before; ``None`` after the last."""
        if self._first == self._to_retry:
            return None
        self._first += 1
        return self._take_up(self._failed[self._first - 1])

    def refuse(self) -> None:
        """Count an account that cannot be begun."""
        self._sums["failed"] += 1

    def end(self, position: ListingCheckpoint, stats: IterationStats, *, failed: bool) -> None:
        """Count an account that is no longer under way, with the position and the counts of its listing."""
        self._sums["failed" if failed else "done"] += 1
        _add(self._sums, stats)
        self._items += position.items
        # A listing that failed at its end, since its total did not fit, has yielded all of its rows.
        if failed and not position.done:
            self._failed.append(position)

    def stats(self, under_way: Iterable[IterationStats]) -> AccountsStats:
        """Return the sums of all accounts, with the counts of those under way."""
        sums = Counter(self._sums)
        sums["begun"] = sums["done"] + sums["failed"]
        for stats in under_way:
            sums["begun"] += 1
            _add(sums, stats)
        return AccountsStats(**{field.name: sums[field.name] for field in attrs.fields(AccountsStats)})

    def checkpoint(
        self, under_way: Iterable[ListingCheckpoint], *, drawn: int, ids: int, exhausted: bool
    ) -> AccountsCheckpoint:
        """Return the position of the whole iteration.

        Args:
            under_way: The positions of the listings under way.
            drawn: Account ids drawn from the input.
            ids: The check sum of these ids.
            exhausted: Whether the input has no more ids.
        """
        items, unfinished = self._items, []
        for position in under_way:
            items += position.items
            if not position.done:
                unfinished.append(position)
        unfinished += self._to_resume
        return AccountsCheckpoint(
            items=items,
            done=exhausted and not unfinished and self._first == len(self._failed),
            filters=self._filters,
            page_size=self._page_size,
            drawn=drawn,
            ids=ids,
            under_way=tuple(unfinished),
            failures=self._failed,
            first=self._first,
            end=len(self._failed),
        )

    def _take_up(self, position: ListingCheckpoint) -> ListingCheckpoint:
        # From now on, the rows yielded before count with the listing under way.
        self._items -= position.items
        return position


def _add(sums: Counter[str], stats: IterationStats) -> None:
    sums.update({name: count or 0 for name, count in attrs.asdict(stats, recurse=False).items()})
