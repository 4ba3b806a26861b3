"""What has become of the accounts that were begun, in one iteration and in those that it resumes.

It knows the places of those that wait to be gone on with and of those that failed, and what all that are not under way
add up to. The listings under way know their own.
"""

from collections import Counter, deque
from collections.abc import Iterable

import attrs

from pyas_async._core.accounts.checkpoint import AccountsCheckpoint
from pyas_async._core.pagination.checkpoint import ListingCheckpoint
from pyas_async._core.pagination.listing_state import IterationStats
from pyas_async._public import public


@public
@attrs.frozen(kw_only=True)
class AccountsStats:
    """What an iteration over many accounts has done so far; the one that it resumes is not counted.

    Attributes:
        begun: Accounts that were begun or gone on with: those done, those failed, and those under way.
        done: Accounts whose listing came to its end.
        failed: Accounts whose listing did not, or whose id cannot be one.
        pages: Pages received and looked at.
        items: Rows handed out.
        calls: Requests sent, retries included.
        restarts: Fresh walks begun because a page token died, or to repair.
        duplicates_skipped: Rows received again and not handed out again.
        total_reported: How many rows the service said that the listings have, as far as it said so.
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
        """Begin with nothing, or with what a checkpoint knows."""
        self._filters = filters
        self._page_size = page_size
        self._waiting = deque(() if resume is None else resume.under_way)
        self._items = 0 if resume is None else resume.items
        # Checkpoints point into this list, so it only grows. Those before `_first` are being tried again, or were.
        self._failed = [] if resume is None else resume.failed
        self._first = 0
        self._to_retry = len(self._failed)
        self._sums: Counter[str] = Counter()

    def begin(self, account_id: str) -> ListingCheckpoint:
        """Give the place at which a new account's listing begins."""
        return ListingCheckpoint(account_id=account_id, filters=self._filters, page_size=self._page_size)

    def go_on(self) -> ListingCheckpoint | None:
        """Give the next place of those that were under way in the iteration before; ``None`` after the last."""
        return self._leaves(self._waiting.popleft()) if self._waiting else None

    def retry(self) -> ListingCheckpoint | None:
        """Give the next place of those that had failed in the iterations before; ``None`` after the last."""
        if self._first == self._to_retry:
            return None
        self._first += 1
        return self._leaves(self._failed[self._first - 1])

    def refused(self) -> None:
        """Book an account that cannot be begun."""
        self._sums["failed"] += 1

    def ended(self, place: ListingCheckpoint, stats: IterationStats, *, failed: bool) -> None:
        """Book an account that is no longer under way, with what its listing has done."""
        self._sums["failed" if failed else "done"] += 1
        _add(self._sums, stats)
        self._items += place.items
        # All rows of a listing whose total did not fit were given: there is nothing to go on with.
        if failed and not place.done:
            self._failed.append(place)

    def stats(self, under_way: Iterable[IterationStats]) -> AccountsStats:
        """Add up what all have done, with those that are under way."""
        sums = Counter(self._sums)
        sums["begun"] = sums["done"] + sums["failed"]
        for stats in under_way:
            sums["begun"] += 1
            _add(sums, stats)
        return AccountsStats(**{field.name: sums[field.name] for field in attrs.fields(AccountsStats)})

    def checkpoint(
        self, under_way: Iterable[ListingCheckpoint], *, drawn: int, ids: int, drawn_out: bool
    ) -> AccountsCheckpoint:
        """Mark the place at which all stand, with those that are under way.

        Args:
            under_way: Where their listings stand.
            drawn: Accounts that were drawn from the input.
            ids: What their ids add up to.
            drawn_out: Whether the input has no more.
        """
        items, places = self._items, []
        for place in under_way:
            items += place.items
            if not place.done:
                places.append(place)
        places += self._waiting
        return AccountsCheckpoint(
            items=items,
            done=drawn_out and not places and self._first == len(self._failed),
            filters=self._filters,
            page_size=self._page_size,
            drawn=drawn,
            ids=ids,
            under_way=tuple(places),
            failures=self._failed,
            first=self._first,
            end=len(self._failed),
        )

    def _leaves(self, place: ListingCheckpoint) -> ListingCheckpoint:
        self._items -= place.items
        return place


def _add(sums: Counter[str], stats: IterationStats) -> None:
    sums.update({name: count or 0 for name, count in attrs.asdict(stats, recurse=False).items()})
