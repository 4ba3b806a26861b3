"""The listings under way: how many there are, when the token of each dies, and which has the longest way to go.

Pages of a listing come one after the other, so the longest listing says when the last of many ends. While it is asking
for one page after the other, it has a claim: places that other bulk calls leave to it, when places are short.
"""

import heapq
import itertools
import math
from collections import deque
from collections.abc import Hashable

import attrs

_READER = 1.0
"""Seconds after a page in which a reader asks for the next, or its listing has no claim: it would keep others waiting
for nothing."""
_CALL = 5.0
"""Seconds that a call of such a listing takes at most."""
_LOOK = 1.0
"""Seconds after which whoever waits for the end of a listing looks for abandoned ones: those wake nobody."""


@attrs.define(eq=False)
class _Standing:
    """Where a listing stands.

    Attributes:
        listing: Whichever it is.
        pages: Pages that are left.
        since: When the last page came.
        period: Seconds for a page: those of the reader and those of the call, but not those in the queue.
        busy_until: Until when it counts as asking for one page after the other.
        reader: Seconds that the reader took for the last page.
        sent: When the call for the next one went out; ``None`` if it has not.
    """

    listing: Hashable
    pages: int
    since: float
    period: float
    busy_until: float
    reader: float = 0.0
    sent: float | None = None


class ActiveListings:
    """The listings under way. A listing whose token died is under way no longer."""

    def __init__(self) -> None:
        """Start with none."""
        self.abandoned: deque[Hashable] = deque()
        """Listings whose iterators are garbage. They may be added at any moment and in any thread, and are looked at
        when somebody counts."""
        self._standing: dict[Hashable, _Standing] = {}
        self._by_death: list[tuple[float, int, _Standing]] = []
        self._by_length: list[tuple[float, int, _Standing]] = []
        self._order = itertools.count()

    def __contains__(self, listing: Hashable) -> bool:
        """Whether it is under way."""
        return listing in self._standing

    def count(self, now: float) -> int:
        """Count those whose tokens live, and that somebody still holds."""
        self._prune()
        heap = self._by_death
        while heap and (heap[0][0] <= now or not self._holds(heap[0][2])):
            _, _, standing = heapq.heappop(heap)
            if self._holds(standing):
                del self._standing[standing.listing]
        return len(self._standing)

    def next_death(self, now: float) -> float:
        """Give the moment at which to look for the end of one; infinite if there is none.

        That is when the next token dies, or soon, since an iterator may have become garbage.
        """
        return min(self._by_death[0][0], now + _LOOK) if self.count(now) else math.inf

    def stands(self, listing: Hashable, dies: float, now: float, *, pages: int = 1) -> None:
        """Take note that a page came, or is on its way: the token of the listing dies then, and so many pages are left.

        Args:
            listing: Whichever it is.
            dies: When its token dies.
            now: The time.
            pages: Pages that are left, as far as anybody knows.
        """
        before = self._standing.get(listing)
        period = math.inf
        if before is not None and before.sent is not None:
            took = before.reader + now - before.sent
            period = took if before.period == math.inf else (3 * before.period + took) / 4
        standing = _Standing(listing, pages, now, period, now + _READER)
        self._standing[listing] = standing
        self._add(self._by_death, dies, standing)
        if pages > 1:
            self._add(self._by_length, -pages, standing)

    def sends(self, listing: Hashable, asked: float, now: float) -> None:
        """Take note that its call for the next page goes out, which was asked for at that time."""
        if (standing := self._standing.get(listing)) is not None:
            standing.reader = max(0.0, asked - standing.since)
            standing.sent, standing.busy_until = now, now + _CALL

    def ended(self, listing: Hashable) -> None:
        """Take note that the listing has no token any more: it is at its end, or nobody wants the rest."""
        self._standing.pop(listing, None)

    def claim(self, now: float) -> tuple[Hashable, int, float, float] | None:
        """Give the listing that has the longest way to go, its pages, its seconds a page, and until when it is busy.

        ``None`` if there is none, or its reader takes its time.
        """
        self._prune()
        heap = self._by_length
        while heap and not self._holds(heap[0][2]):
            heapq.heappop(heap)
        if not heap or now >= heap[0][2].busy_until:
            return None
        longest = heap[0][2]
        return longest.listing, longest.pages, longest.period, longest.busy_until

    def _prune(self) -> None:
        while self.abandoned:
            self.ended(self.abandoned.popleft())

    def _add(self, heap: list[tuple[float, int, _Standing]], rank: float, standing: _Standing) -> None:
        heapq.heappush(heap, (rank, next(self._order), standing))
        if len(heap) > 2 * len(self._standing) + 64:  # what was said of a listing before is kept until then
            heap[:] = [entry for entry in heap if self._holds(entry[2])]
            heapq.heapify(heap)

    def _holds(self, standing: _Standing) -> bool:
        return self._standing.get(standing.listing) is standing
