"""Counts what has become of the accounts of an iteration over many of them, and of the iteration that it resumes.

It holds the positions of the accounts that wait to be resumed and of those that failed, and the sums of all accounts
that are no longer active. The active listings know their own positions and counts.
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
        begun: Accounts that were begun or resumed: those done, those failed, and those active now.
        done: Accounts whose listing reached its end.
        failed: Accounts whose listing did not reach its end, and ids that cannot be an account's.
        pages: Pages received and processed.
        items: Rows yielded.
        calls: Requests sent, retries included.
        restarts: Fresh walks begun because a page token expired, or to repair.
        duplicates_skipped: Rows received again and not yielded again.
        unreadable: Rows without an identity that were passed; they are not among `items`.
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
    unreadable: int = 0
    total_reported: int
    missing: int


class AccountsTally:
    """The accounts of an iteration that are not active."""

    def __init__(
        self, filters: tuple[tuple[str, str], ...], page_size: int, resume: AccountsCheckpoint | None = None
    ) -> None:
        self._filters = filters
        self._page_size = page_size
        self._to_resume = deque(() if resume is None else resume.active)
        self._items = 0 if resume is None else resume.items
        # Checkpoints point into this list, so it only grows. Entries before `_first` were retried.
        self._failed = [] if resume is None else resume.failed
        self._first = 0
        self._to_retry = len(self._failed)
        self._sums: Counter[str] = Counter()

    def begin(self, account_id: str) -> ListingCheckpoint:
        """Return the position before the first row of a new account."""
        return ListingCheckpoint(account_id=account_id, filters=self._filters, page_size=self._page_size)

    def next_to_resume(self) -> ListingCheckpoint | None:
        """Return the position of the next account to resume: one that was active; ``None`` after the last."""
        return self._resume(self._to_resume.popleft()) if self._to_resume else None

    def next_to_retry(self) -> ListingCheckpoint | None:
        """Return the position of the next account to retry: one that had failed; ``None`` after the last."""
        if self._first == self._to_retry:
            return None
        self._first += 1
        return self._resume(self._failed[self._first - 1])

    def refuse(self) -> None:
        """Count an account that cannot be begun."""
        self._sums["failed"] += 1

    def end(self, position: ListingCheckpoint, stats: IterationStats, *, failed: bool) -> None:
        """Count an account that is no longer active, with the position and the counts of its listing."""
        self._sums["failed" if failed else "done"] += 1
        _add(self._sums, stats)
        self._items += position.items
        # A listing that failed at its end, since its total did not match, has yielded all of its rows.
        if failed and not position.done:
            self._failed.append(position)

    def stats(self, active: Iterable[IterationStats]) -> AccountsStats:
        """Return the sums of all accounts, with the counts of those that are active."""
        sums = Counter(self._sums)
        sums["begun"] = sums["done"] + sums["failed"]
        for stats in active:
            sums["begun"] += 1
            _add(sums, stats)
        return AccountsStats(**{field.name: sums[field.name] for field in attrs.fields(AccountsStats)})

    def checkpoint(
        self, active: Iterable[ListingCheckpoint], *, ids_read: int, ids_crc: int, exhausted: bool
    ) -> AccountsCheckpoint:
        """Return the position of the whole iteration.

        Args:
            active: The positions of the active listings.
            ids_read: How many account ids were read from the input.
            ids_crc: The CRC-32 of these ids.
            exhausted: Whether the input has no more ids.
        """
        items, unfinished = self._items, []
        for position in active:
            items += position.items
            if not position.done:
                unfinished.append(position)
        unfinished += self._to_resume
        return AccountsCheckpoint(
            items=items,
            done=exhausted and not unfinished and self._first == len(self._failed),
            filters=self._filters,
            page_size=self._page_size,
            ids_read=ids_read,
            ids_crc=ids_crc,
            active=tuple(unfinished),
            failures=self._failed,
            first=self._first,
            end=len(self._failed),
        )

    def _resume(self, position: ListingCheckpoint) -> ListingCheckpoint:
        # From now on, the rows yielded before count with the active listing.
        self._items -= position.items
        return position


def _add(sums: Counter[str], stats: IterationStats) -> None:
    sums.update({name: count or 0 for name, count in attrs.asdict(stats, recurse=False).items()})
