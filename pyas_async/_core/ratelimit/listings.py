"""The active listings: how many there are, when the token of each expires, and which has the most pages left.

Pages of a listing come one after the other, so the longest listing decides when the last of many ends. While it asks
for one page after the other, other bulk calls leave some slots to it when slots are short.
"""

import heapq
import itertools
import math
from collections import deque
from collections.abc import Hashable
from typing import NamedTuple

import attrs

_CONSUMER_TIME = 1.0
"""Seconds after a page in which the consumer must ask for the next. After that, no slots are reserved for the listing:
other calls would wait although it does not use them."""
_CALL_TIME = 5.0
"""Seconds that a call of such a listing may take, for the same reason."""
_ABANDONED_CHECK = 1.0
"""Seconds between two checks for abandoned listings, by calls that wait for a listing to end: nothing wakes them."""


class LongestListing(NamedTuple):
    """The busy listing that has the most pages left.

    Attributes:
        listing: The listing.
        pages: Pages that are left.
        page_seconds: Seconds that it takes for a page.
        busy_until: When it is no longer busy, unless it asks for another page.
    """

    listing: Hashable
    pages: int
    page_seconds: float
    busy_until: float


@attrs.define(eq=False)
class _Progress:
    """How far a listing is.

    Attributes:
        listing: The listing.
        pages: Pages that are left.
        updated_at: When the last page arrived.
        page_seconds: Seconds for a page: the consumer's and the call's, without the wait in the queue.
        busy_until: Until when it counts as asking for one page after the other.
        consumer_seconds: Seconds that the consumer took for the last page.
        sent_at: When the call for the next page was sent; ``None`` if it was not.
    """

    listing: Hashable
    pages: int
    updated_at: float
    page_seconds: float
    busy_until: float
    consumer_seconds: float = 0.0
    sent_at: float | None = None


class ActiveListings:
    """The active listings. A listing whose token has expired is no longer active."""

    def __init__(self) -> None:
        self.abandoned: deque[Hashable] = deque()
        """Listings whose iterators were garbage-collected. That can happen at any moment and in any thread, so they are
        only noted here, and removed at the next count."""
        self._progress: dict[Hashable, _Progress] = {}
        self._by_expiry: list[tuple[float, int, _Progress]] = []
        self._by_length: list[tuple[float, int, _Progress]] = []
        self._order = itertools.count()

    def __contains__(self, listing: Hashable) -> bool:
        return listing in self._progress

    def count(self, now: float) -> int:
        """Count the listings whose tokens have not expired, and whose iterators still exist."""
        self._remove_abandoned()
        heap = self._by_expiry
        while heap and (heap[0][0] <= now or not self._is_current(heap[0][2])):
            _, _, progress = heapq.heappop(heap)
            if self._is_current(progress):
                del self._progress[progress.listing]
        return len(self._progress)

    def next_end(self, now: float) -> float:
        """Return when to check whether a listing has ended; infinite if there is none.

        That is when the next token expires, or in a second, since an iterator may have been garbage-collected.
        """
        return min(self._by_expiry[0][0], now + _ABANDONED_CHECK) if self.count(now) else math.inf

    def update(self, listing: Hashable, expires_at: float, now: float, *, pages: int = 1) -> None:
        """Note that a page of a listing has arrived, or that its first call is sent.

        Args:
            listing: The listing.
            expires_at: When its page token expires.
            now: The time.
            pages: Pages that are known to be left.
        """
        before = self._progress.get(listing)
        page_seconds = math.inf
        if before is not None and before.sent_at is not None:
            took = before.consumer_seconds + now - before.sent_at
            page_seconds = took if before.page_seconds == math.inf else (3 * before.page_seconds + took) / 4
        progress = _Progress(listing, pages, now, page_seconds, now + _CONSUMER_TIME)
        self._progress[listing] = progress
        self._push(self._by_expiry, expires_at, progress)
        if pages > 1:
            self._push(self._by_length, -pages, progress)

    def call_sent(self, listing: Hashable, requested_at: float, now: float) -> None:
        """Note that the call for the next page, which the consumer had requested earlier, is sent."""
        if (progress := self._progress.get(listing)) is not None:
            progress.consumer_seconds = max(0.0, requested_at - progress.updated_at)
            progress.sent_at, progress.busy_until = now, now + _CALL_TIME

    def end(self, listing: Hashable) -> None:
        """Remove a listing that has no page token any more: it is at its end, or was left."""
        self._progress.pop(listing, None)

    def longest(self, now: float) -> LongestListing | None:
        """Return the listing with the most pages left; ``None`` if none has more than one, or that one is not busy."""
        self._remove_abandoned()
        heap = self._by_length
        while heap and not self._is_current(heap[0][2]):
            heapq.heappop(heap)
        if not heap or now >= heap[0][2].busy_until:
            return None
        longest = heap[0][2]
        return LongestListing(longest.listing, longest.pages, longest.page_seconds, longest.busy_until)

    def _remove_abandoned(self) -> None:
        while self.abandoned:
            self.end(self.abandoned.popleft())

    def _push(self, heap: list[tuple[float, int, _Progress]], rank: float, progress: _Progress) -> None:
        heapq.heappush(heap, (rank, next(self._order), progress))
        if len(heap) > 2 * len(self._progress) + 64:  # outdated entries stay in the heap until then
            heap[:] = [entry for entry in heap if self._is_current(entry[2])]
            heapq.heapify(heap)

    def _is_current(self, progress: _Progress) -> bool:
        return self._progress.get(progress.listing) is progress
