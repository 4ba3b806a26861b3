"""How the service counts the calls of a key. Only the number and the five minutes are documented."""

from __future__ import annotations

import math
from collections import deque
from typing import Protocol


class Limit(Protocol):
    """A count of calls."""

    def try_acquire(self, now: float) -> bool:
        """Return whether a call is within the limit, and count it if so."""

    def remaining(self, now: float) -> int:
        """Count the calls that remain."""

    def resets_at(self, now: float) -> float:
        """Return when more calls become available."""


class FixedWindow:
    """Windows that follow one another, and each begins with a count of 0."""

    def __init__(self, limit: int, window: float, phase: float) -> None:
        """Begin the first whole window at the phase."""
        self._limit = limit
        self._window = window
        self._phase = phase
        self._number = -math.inf
        self._used = 0

    def try_acquire(self, now: float) -> bool:
        """Return whether a call is within the limit, and count it if so."""
        if not self.remaining(now):
            return False
        self._used += 1
        return True

    def remaining(self, now: float) -> int:
        """Count the calls that remain."""
        number = math.floor((now - self._phase) / self._window)
        if number != self._number:
            self._number, self._used = number, 0
        return self._limit - self._used

    def resets_at(self, now: float) -> float:
        """Return when the next window begins."""
        return self._phase + (math.floor((now - self._phase) / self._window) + 1) * self._window


class SlidingWindow:
    """The calls of the last seconds."""

    def __init__(self, limit: int, window: float) -> None:
        self._limit = limit
        self._window = window
        self._ends: deque[float] = deque()

    def try_acquire(self, now: float) -> bool:
        """Return whether a call is within the limit, and count it if so."""
        if not self.remaining(now):
            return False
        self._ends.append(now + self._window)
        return True

    def remaining(self, now: float) -> int:
        """Count the calls that remain."""
        while self._ends and self._ends[0] <= now:
            self._ends.popleft()
        return self._limit - len(self._ends)

    def resets_at(self, now: float) -> float:
        """Return when the oldest call leaves the window."""
        return self._ends[0] if self._ends else now
