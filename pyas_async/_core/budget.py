"""The call budget of one API key: how many calls may go out now, and when the next may.

The service counts calls per key and five minutes, and does not say when its window begins. So a call occupies its place
from the moment it goes out until a whole window after its answer: that is within the limit for every phase of the
service's window. What the service itself reports corrects the count downward.
"""

import math
from collections import deque
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Self

import attrs

from pyas_async._core.status import count, limit_resets_in
from pyas_async.errors import ConfigurationError

DEVELOPER, GROWTH, SCALE = 100, 3_000, 5_000
"""Calls per key and five minutes, by plan."""


@attrs.frozen(kw_only=True)
class RateLimitSnapshot:
    """The call budget at one moment, for showing it.

    Attributes:
        limit: Calls per window; ``None`` if neither the user nor the service has said.
        remaining: Calls that could go out now; ``None`` if that is not known.
        resets_at: When more become available (aware, UTC); ``None`` if nothing is used or known.
        waiting: Calls that wait for room.
    """

    limit: int | None
    remaining: int | None
    resets_at: datetime | None
    waiting: int


class RateBudget:
    """The calls that one API key may spend. Pass one instance to several clients that use the same key.

    Without a limit it learns from the service's answers: the ``X-RateLimit-…`` headers, and a 429.
    """

    def __init__(
        self, limit: int | None = None, *, window: float = 300.0, share: float = 1.0, guard: float = 1.0
    ) -> None:
        """Set the budget.

        Args:
            limit: Calls per window; ``None`` to learn from the answers alone.
            window: Seconds; the service's is 300.
            share: The part of the limit that this program may spend, above 0 and at most 1.
            guard: Seconds by which a call's place is freed later than need be, for delays that vary.

        Raises:
            ConfigurationError: If a number is out of bounds.
        """
        if limit is not None and (not isinstance(limit, int) or isinstance(limit, bool) or limit < 1):
            msg = f"RateBudget limit: expected a whole number of calls >= 1, or None, got {limit!r}"
            raise ConfigurationError(msg)
        if not _is_number(window) or window <= 0:
            msg = f"RateBudget window: expected seconds above 0, got {window!r}"
            raise ConfigurationError(msg)
        if not _is_number(share) or not 0 < share <= 1:
            msg = f"RateBudget share: expected a part above 0 and at most 1, got {share!r}"
            raise ConfigurationError(msg)
        if not _is_number(guard) or guard < 0:
            msg = f"RateBudget guard: expected seconds >= 0, got {guard!r}"
            raise ConfigurationError(msg)
        self._limit = limit
        self._window = window
        self._share = share
        self._guard = guard
        self._in_flight = 0
        self._freed_at: deque[float] = deque()
        self._paused_until = -math.inf
        self._server_left: int | None = None
        self._server_limit: int | None = None
        self._server_resets = -math.inf

    @classmethod
    def developer(cls, *, share: float = 1.0) -> Self:
        """Give the budget of the Developer plan: 100 calls per five minutes."""
        return cls(DEVELOPER, share=share)

    @classmethod
    def growth(cls, *, share: float = 1.0) -> Self:
        """Give the budget of the Growth plan: 3,000 calls per five minutes."""
        return cls(GROWTH, share=share)

    @classmethod
    def scale(cls, *, share: float = 1.0) -> Self:
        """Give the budget of the Scale plan: 5,000 calls per five minutes."""
        return cls(SCALE, share=share)

    def take(self, now: float) -> bool:
        """Take a place for a call that goes out now, if there is one."""
        if now < self._paused_until:
            return False
        left = self._left(now)
        if left is not None and left < 1:
            return False
        self._in_flight += 1
        return True

    def give_back(self) -> None:
        """Give back a place whose call never went out."""
        self._in_flight -= 1

    def spent(self, now: float, *, told: bool = False) -> None:
        """Take note that a call is over, answered or not; its place stays taken for a window.

        Unless an answer has told what the service counts (`learn`), the call counts there as well.
        """
        self._in_flight -= 1
        if self._limit is not None:
            self._freed_at.append(now + self._window + self._guard)
        if self._server_left is not None and not told:
            self._server_left -= 1

    def learn(self, headers: Mapping[str, str], now: float, wall: datetime) -> bool:
        """Take the service's own count from an answer's headers; say whether there was one."""
        left = count(headers, "x-ratelimit-remaining")
        if left is None:
            return False
        self._server_limit = count(headers, "x-ratelimit-limit") or self._server_limit
        seconds = limit_resets_in(headers, wall)
        # Dates of headers are whole seconds, so the guard counts here, too.
        resets = now + (self._window if seconds is None else seconds + self._guard)
        # Answers overtake one another, and the least of a window counts; an end clearly later is that of a new window.
        if self._server_left is None or now >= self._server_resets or resets > self._server_resets + 2:
            self._server_left = left
        else:
            self._server_left = min(self._server_left, left)
        self._server_resets = resets
        return True

    def pause(self, seconds: float, now: float) -> None:
        """Let nothing out for so many seconds: the service has turned a call away."""
        self._paused_until = max(self._paused_until, now + seconds)

    @property
    def in_flight(self) -> int:
        """Calls under way; what they give back may come at any time."""
        return self._in_flight

    def wait(self, now: float) -> float | None:
        """Seconds until a place may be free: 0 if one is; ``None`` if that hangs on a call under way."""
        if now < self._paused_until:
            return self._paused_until - now
        left = self._left(now)
        if left is None or left >= 1:
            return 0.0
        own = self._places(now)
        if own is not None and own < 1:
            return self._freed_at[0] - now if self._freed_at else None
        return self._server_resets - now

    def snapshot(self, now: float, wall: datetime, waiting: int) -> RateLimitSnapshot:
        """Show the budget."""
        left = self._left(now)
        wait = self.wait(now)
        resets = max(self._freed_at[0] - now if self._freed_at else 0.0, self._paused_until - now, wait or 0.0)
        if self._server_left is not None:
            resets = max(resets, self._server_resets - now)
        return RateLimitSnapshot(
            limit=self._limit,
            remaining=None if left is None else 0 if now < self._paused_until else max(0, left),
            resets_at=(wall + timedelta(seconds=resets)).astimezone(UTC) if resets else None,
            waiting=waiting,
        )

    def _left(self, now: float) -> int | None:
        """Calls that may go out now; ``None`` if nothing bounds them."""
        own = self._places(now)
        theirs = None
        if self._server_left is not None and now < self._server_resets:
            limit = self._limit or self._server_limit
            reserve = 0 if limit is None else limit - self._allowed(limit)
            theirs = self._server_left - reserve - self._in_flight
        bounds = [count for count in (own, theirs) if count is not None]
        return min(bounds) if bounds else None

    def _places(self, now: float) -> int | None:
        if self._limit is None:
            return None
        while self._freed_at and self._freed_at[0] <= now:
            self._freed_at.popleft()
        return self._allowed(self._limit) - self._in_flight - len(self._freed_at)

    def _allowed(self, limit: int) -> int:
        """Give this program's part of a limit."""
        return max(1, math.floor(limit * self._share + 1e-9))  # 100 * 0.29 is 28.999999999999996


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
