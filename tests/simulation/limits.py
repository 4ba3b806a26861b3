"""How the service counts the calls of a key. Nothing is documented but the number and the five minutes."""

from __future__ import annotations

import math
from collections import deque
from typing import Protocol


class Limit(Protocol):
    """A count of calls."""

    def take(self, now: float) -> bool:
        """Count a call, and say whether it is within the limit; one that is not is not counted."""

    def left(self, now: float) -> int:
        """Tell how many more would be."""

    def resets(self, now: float) -> float:
        """Tell when there will be more."""


class FixedWindow:
    """Windows that follow one another, and each begins with nothing counted."""

    def __init__(self, limit: int, window: float, phase: float) -> None:
        """Let the first whole window begin at the phase."""
        self._limit = limit
        self._window = window
        self._phase = phase
        self._number = -math.inf
        self._used = 0

    def take(self, now: float) -> bool:
        """Count a call, and say whether it is within the limit."""
        if not self.left(now):
            return False
        self._used += 1
        return True

    def left(self, now: float) -> int:
        """Tell how many more would be."""
        number = math.floor((now - self._phase) / self._window)
        if number != self._number:
            self._number, self._used = number, 0
        return self._limit - self._used

    def resets(self, now: float) -> float:
        """Tell when the next window begins."""
        return self._phase + (math.floor((now - self._phase) / self._window) + 1) * self._window


class SlidingWindow:
    """The calls of the last seconds."""

    def __init__(self, limit: int, window: float) -> None:
        """Begin with nothing counted."""
        self._limit = limit
        self._window = window
        self._ends: deque[float] = deque()

    def take(self, now: float) -> bool:
        """Count a call, and say whether it is within the limit."""
        if not self.left(now):
            return False
        self._ends.append(now + self._window)
        return True

    def left(self, now: float) -> int:
        """Tell how many more would be."""
        while self._ends and self._ends[0] <= now:
            self._ends.popleft()
        return self._limit - len(self._ends)

    def resets(self, now: float) -> float:
        """Tell when the oldest call is forgotten."""
        return self._ends[0] if self._ends else now
