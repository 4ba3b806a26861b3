"""How many interactive calls to expect, from those that were made.

A person who waits for a response makes no further call meanwhile. So calls are counted over the time in which none of
them waited for a slot: otherwise, the fewer slots people got, the fewer would be reserved for them. Times are monotonic
seconds.
"""

from collections import deque

_REMEMBERED = 5_000
"""Calls that are remembered, to expect as many again."""
_BURST = 0.05
"""The part of a window that a burst may take. Calls that begin together say nothing about how many will follow."""
_FIRST = 0.1
"""The part of a window after which a person who has called once is expected to call again."""


class Demand:
    """The interactive calls of the last window."""

    def __init__(self, window: float) -> None:
        self._window = window
        # The moments of calls on a clock that stands still while an interactive call waits.
        self._calls: deque[float] = deque(maxlen=_REMEMBERED)
        # When the oldest calls that are remembered began, and how many of them were made in the time of a burst.
        self._began_at, self._burst = 0.0, 0
        self._waiting = 0
        self._wait_began_at = self._waited = 0.0

    def add(self, now: float) -> None:
        """Count a call that is sent now, unless it is one of those that wait, or came after them."""
        if not self._waiting:
            self._count(now - self._waited)

    def cancel(self) -> None:
        """Forget the last call."""
        if self._calls:
            self._burst -= self._calls.pop() <= self._began_at + self._window * _BURST

    def wait_begins(self, now: float) -> None:
        """Count a call that begins to wait now. While it does, further calls are not counted, nor is the time."""
        if not self._waiting:
            self._count(now - self._waited)
            self._wait_began_at = now
        self._waiting += 1

    def wait_ends(self, now: float) -> None:
        """Note that a call has its slot, or waits no longer."""
        self._waiting -= 1
        if not self._waiting:
            self._waited += now - self._wait_began_at

    def expected(self, now: float) -> float:
        """Return how many calls to expect in the next window: as many as in the last one.

        If the first call is not a window old, those that followed are expected to go on as they began. A call that none
        has followed yet may be the first of a person; less so if it was one of a burst.
        """
        at = self._clock(now)
        self._forget(at)
        calls, seconds = len(self._calls), at - self._began_at
        if not calls or seconds >= self._window:
            return calls
        left, later = self._window - seconds, calls - self._burst
        if later <= 0:
            return calls + left / (seconds + self._window * _FIRST) / calls
        # The time since the last call counts only as far as it is longer than the calls are usually apart.
        took = self._calls[-1] - self._began_at
        return calls + later * left / (max(took, seconds - took / later) - self._window * _BURST / 2)

    def _count(self, at: float) -> None:
        if not self._calls or self._calls[-1] <= at - self._window:
            self._began_at, self._burst = at, 0
        self._calls.append(at)
        self._burst += at <= self._began_at + self._window * _BURST

    def _clock(self, now: float) -> float:
        return (self._wait_began_at if self._waiting else now) - self._waited

    def _forget(self, at: float) -> None:
        calls = self._calls
        while calls and calls[0] <= at - self._window:
            calls.popleft()
