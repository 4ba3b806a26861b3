"""What a budget can say of the time to come: which places will be there, and for whom some of them are kept.

Nothing here lets a call out or holds one back; the queue asks, and decides.
"""

import math
from collections import deque

from pyas_async._core.ratelimit.counters import LocalCounter, ServiceCounter
from pyas_async.limits import portion

SPREAD = 0.05
"""The part of a window over which calls are let out after a pause; after a short one, as long as that was."""
TICK = 0.001
"""Seconds that nobody needs to tell apart."""
_VAIN = 0.03
"""The part of the limit that may be kept back in vain."""
_CLAIM = 0.2
"""The part of the limit that the longest listing may claim."""
_SINGLE_CALLS = 5_000
"""Interactive calls that are remembered, to see how many will come."""
_PARTS = 8
"""How many moments of the coming window are looked at to see what interactive calls will need."""


class Forecast:
    """Looks ahead from the counts of one budget.

    The counts of places that are free now come from the budget, which knows what else holds calls back; ``None`` where
    nobody knows.
    """

    def __init__(
        self, own: LocalCounter, service: ServiceCounter, *, window: float, guard: float, share: float
    ) -> None:
        """Look ahead from these counts."""
        self._own = own
        self._service = service
        self._window = window
        self._guard = guard
        self._share = share
        self._interactive_at: deque[float] = deque(maxlen=_SINGLE_CALLS)
        self.among = 1
        """How many processes spend the limit together: what each can count on is its part."""

    def interactive(self, now: float) -> None:
        """Take note of an interactive call, to see how many will come."""
        self._interactive_at.append(now)

    def interactive_withdrawn(self) -> None:
        """Take back the last of them: it did not go out."""
        if self._interactive_at:
            self._interactive_at.pop()

    def mine(self) -> int | None:
        """Calls per window that this program may spend, as far as anybody has said."""
        told = self._service.limit
        counts = [self._own.allowed, None if told is None else portion(told, self._share)]
        known = [count for count in counts if count is not None]
        return portion(min(known), 1 / self.among) if known else None

    def slots(self, now: float, until: float, theirs: int | None) -> float:
        """Count the places that are free now or will surely be before then."""
        mine, own = self.mine(), self._own.places(now)
        if mine is None:
            return math.inf
        if own is not None and self.among > 1:
            own = mine - self._own.used
        seconds = max(0.0, until - now)
        found = math.inf
        if own is not None:
            # Each whole round brings every place back once; what is counted one by one is the rest, its first part.
            rounds, rest = divmod(seconds, self._round)
            found = max(0, own) + self._own.freed_before(now + rest) + rounds * mine
        if theirs is not None:
            after = until - self._service.resets
            found = min(found, max(0, theirs) + (0 if after <= 0 else (1 + after // self._round) * mine))
        elif own is None:
            found = (1 + seconds // self._round) * mine
        return found

    def spare(self, now: float, own: int | None, theirs: int | None) -> float:
        """Count the places that are free for bulk calls, as far as anybody can."""
        kept_back = 0 if own is None else self._kept_back(now, own)
        return min(math.inf if own is None else own, math.inf if theirs is None else theirs) - kept_back

    def claim(self, pages: int, period: float) -> int:
        """Count the places that other bulk calls leave to the longest listing: what it can soon use.

        Args:
            pages: Its pages that are left.
            period: Seconds that it takes for one.
        """
        # Interactive calls take some of them as well.
        return int(min(pages * 1.25, (self.mine() or 0) * _CLAIM, self._window / 2 / max(period, TICK)))

    def listings(self, life: float) -> float:
        """Count the listings whose tokens, living so long, can all be served in time."""
        mine = self.mine()
        if mine is None:
            return math.inf
        rounds = life / self._round
        return max(1, math.floor((math.floor(rounds) if rounds >= 1 else rounds) * mine))

    def _kept_back(self, now: float, own: int) -> int:
        """Places that bulk calls leave for the interactive ones to come, if those come as in the last window.

        The places that come back in time serve them as well; what is kept is the largest shortfall on the way.
        """
        recent, mine = self._interactive_at, self.mine()
        while recent and recent[0] <= now - self._window:
            recent.popleft()
        if not recent or mine is None or own > 2 * len(recent) + 1:
            return 0
        short = max(
            len(recent) * part / _PARTS - self._own.freed_before(now + self._window * part / _PARTS)
            for part in range(1, _PARTS + 1)
        )
        # Arrivals vary by about the root of their number; but a place kept in vain is a call that nobody makes.
        return int(min(mine / 2, max(0.0, short) + min(math.sqrt(len(recent)), mine * _VAIN)))

    @property
    def _round(self) -> float:
        """Seconds in which every place surely comes back once: the window, what pacing adds, and slow answers."""
        return self._window * (1 + SPREAD) + self._guard + min(5.0, self._window)
