"""What the call budget can expect: which slots will become free, and which of them are reserved for particular calls.

Nothing here grants a slot or withholds one: the queue asks, and decides.
"""

import math
from collections.abc import Callable

from pyas_async._core.ratelimit.counters import LocalCounter, ServiceCounter
from pyas_async._core.ratelimit.demand import Demand
from pyas_async._core.ratelimit.gate import SPREAD
from pyas_async.limits import portion

TICK = 0.001
"""Seconds below which two moments count as one."""
_SAFETY_MARGIN = 0.03
"""The largest part of the limit that is reserved for interactive calls beyond the expected ones."""
_LISTING_RESERVE = 0.2
"""The largest part of the limit that is reserved for the longest listing."""
_SAMPLES = 8
"""How many moments of the coming window are checked for a shortage of slots for interactive calls."""


class Forecast:
    """Predicts slots from the counts of one budget.

    How many slots are free now is passed in by the budget, which knows what else holds calls back; ``None`` where that
    is unknown.
    """

    def __init__(
        self, local: LocalCounter, service: ServiceCounter, *, window: float, guard: float, share: float
    ) -> None:
        self._local = local
        self._service = service
        self._window = window
        self._guard = guard
        self._share = share
        self.demand: Demand = Demand(window)
        """The interactive calls."""
        self.processes = 1
        """How many processes spend the limit together: each can count on an equal part."""

    def limit(self) -> int | None:
        """Return the calls per window that this process can count on; ``None`` if the limit is unknown."""
        named = self._service.limit
        counts = [self._local.limit, None if named is None else portion(named, self._share)]
        known = [count for count in counts if count is not None]
        return portion(min(known), 1 / self.processes) if known else None

    def slots_until(self, now: float, until: float, service_slots: int | None) -> float:
        """Count the slots that are free now or are certain to become free before a moment."""
        limit, local = self.limit(), self._local.free_slots(now)
        if limit is None:
            return math.inf
        if local is not None and self.processes > 1:
            local = limit - self._local.used
        seconds = max(0.0, until - now)
        found = math.inf
        if local is not None:
            # Each whole cycle brings every slot back once. Slots are counted one by one in the rest, its first part.
            cycles, rest = divmod(seconds, self._cycle)
            found = max(0, local) + self._local.freed_before(now + rest) + cycles * limit
        if service_slots is not None:
            after = until - self._service.resets_at
            found = min(found, max(0, service_slots) + (0 if after <= 0 else (1 + after // self._cycle) * limit))
        elif local is None:
            found = (1 + seconds // self._cycle) * limit
        return found

    def bulk_slots(self, now: float, local_slots: int | None, service_slots: int | None) -> float:
        """Count the slots that bulk calls may take now; infinite if the limit is unknown."""
        found = math.inf
        if local_slots is not None:
            found = local_slots - self._interactive_reserve(now, local_slots, self._local_shortage)
        if service_slots is not None:
            found = min(found, service_slots - self._interactive_reserve(now, service_slots, self._service_shortage))
        return found

    def listing_reserve(self, pages: int, page_seconds: float) -> int:
        """Count the slots that other bulk calls leave to the longest listing: as many as it can soon use.

        Args:
            pages: Pages that it has left.
            page_seconds: Seconds that it takes for one page.
        """
        # A quarter more than its pages: interactive calls take some of the slots as well.
        return int(
            min(pages * 1.25, (self.limit() or 0) * _LISTING_RESERVE, self._window / 2 / max(page_seconds, TICK))
        )

    def max_listings(self, token_life: float) -> float:
        """Count the listings that can all get a call for their next page before its token expires."""
        limit = self.limit()
        if limit is None:
            return math.inf
        cycles = token_life / self._cycle
        return max(1, math.floor((math.floor(cycles) if cycles >= 1 else cycles) * limit))

    def _interactive_reserve(self, now: float, slots: int, shortage: Callable[[float, float], float]) -> int:
        """Slots that bulk calls leave for interactive ones, if as many of these come as are expected.

        Args:
            now: The time.
            slots: Slots that are free by one of the counts.
            shortage: Counts the slots that will be lacking by the same count.
        """
        expected, limit = self.demand.expected(now), self.limit()
        if not expected or limit is None or slots > 2 * expected + 1:
            return 0
        # The number of arrivals varies by about its square root. But a reserved slot that is not used is a lost call.
        margin = min(math.sqrt(expected), limit * _SAFETY_MARGIN)
        return int(min(limit / 2, max(0.0, shortage(now, expected)) + margin))

    def _local_shortage(self, now: float, expected: float) -> float:
        """The slots that so many calls in a window lack, by our own count, if they use those that become free in time.

        These serve them as well, so the largest shortage during the window is what counts.
        """
        return max(
            expected * part / _SAMPLES - self._local.freed_before(now + self._window * part / _SAMPLES)
            for part in range(1, _SAMPLES + 1)
        )

    def _service_shortage(self, now: float, expected: float) -> float:
        """The slots that so many calls in a window lack, by the service's count, until its window ends."""
        return expected * min(1.0, max(0.0, self._service.resets_at - now) / self._window)

    @property
    def _cycle(self) -> float:
        """Seconds in which every slot is certain to come back once: the window, the spread, and slow responses."""
        return self._window * (1 + SPREAD) + self._guard + min(5.0, self._window)
