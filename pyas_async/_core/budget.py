"""The call budget of one API key: how many calls may go out now, and when the next may.

The service counts calls per key and five minutes, and does not say when its window begins. So a call occupies its place
from the moment it goes out until a whole window after its answer: that is within the limit for every phase of the
service's window. What the service itself reports corrects the count downward.
"""

import math
from bisect import bisect_right
from collections import deque
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Self

import attrs

from pyas_async._core.queue import Queue
from pyas_async._core.status import count, limit_resets_in
from pyas_async.errors import ConfigurationError

DEVELOPER, GROWTH, SCALE = 100, 3_000, 5_000
"""Calls per key and five minutes, by plan."""
_REMEMBERED = 20_000
"""Calls that are counted where no limit was given: more than any plan sells."""
_FEELING = 1.0
"""Seconds for which one call goes ahead where nobody knows what is left; a slow answer must not hold the others up."""
_SPREAD = 0.05
"""The part of a window over which calls are let out after a pause."""
_TICK = 0.001
"""Seconds that nobody needs to tell apart."""
_PARTS = 8
"""How many moments of the coming window are looked at to see what interactive calls will need."""


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
        self.queue = Queue()
        self._in_flight = 0
        self._freed_at: deque[float] = deque(maxlen=limit or _REMEMBERED)
        self._interactive_at: deque[float] = deque(maxlen=limit or _REMEMBERED)
        self._paused_until = -math.inf
        self._ceiling: int | None = None
        self._ceiling_grows_at = math.inf
        self._server_left: int | None = None
        self._server_limit: int | None = None
        self._most_left: int | None = None
        self._server_resets = -math.inf
        self._answered_at = -math.inf
        self._feeling_until = -math.inf

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

    def has_place(self, now: float, *, bulk: bool = False) -> bool:
        """Say whether a call may go out now; of bulk, what interactive calls are about to need is kept back."""
        return self.wait(now, bulk=bulk) == 0

    def take(self, now: float, *, bulk: bool = False) -> bool:
        """Take a place for a call that goes out now, if there is one."""
        if self.wait(now, bulk=bulk) != 0:
            return False
        self.took(now, bulk=bulk)
        return True

    def took(self, now: float, *, bulk: bool) -> None:
        """Take note that a call goes out now."""
        self._in_flight += 1
        self._feeling_until = now + _FEELING
        if not bulk:
            self._interactive_at.append(now)

    def give_back(self) -> None:
        """Give back a place whose call never went out."""
        self._in_flight -= 1

    def spent(self, now: float, *, told: bool = False) -> None:
        """Take note that a call is over, answered or not; its place stays taken for a window.

        Unless an answer has told what the service counts (`learn`), the call counts there as well.
        """
        self._in_flight -= 1
        self._freed_at.append(now + self._window + self._guard)
        if self._server_left is not None and not told:
            self._server_left -= 1

    def learn(self, headers: Mapping[str, str], now: float, wall: datetime) -> bool:
        """Take the service's own count from an answer's headers; say whether there was one."""
        self._answered_at = now
        left = count(headers, "x-ratelimit-remaining")
        if left is None:
            return False
        self._server_limit = count(headers, "x-ratelimit-limit") or self._server_limit
        self._most_left = max(left, self._most_left or 0)
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
        """Let nothing out for so many seconds: the service has turned a call away, which is over (`spent`)."""
        before = len(self._freed_at) - 1
        if self._limit is None and now >= self._paused_until and before >= DEVELOPER // 2:
            # Nobody has said how many calls there are; now it is known how many went through before this one. If they
            # are far fewer than any plan sells, others have spent the rest, and nothing is known.
            self._ceiling = before
            self._ceiling_grows_at = now + seconds + self._window
        self._paused_until = max(self._paused_until, now + seconds)
        self._answered_at = -math.inf

    @property
    def in_flight(self) -> int:
        """Calls under way; what they give back may come at any time."""
        return self._in_flight

    def wait(self, now: float, *, bulk: bool = False) -> float | None:
        """Seconds until a place may be free: 0 if one is; ``None`` if that hangs on a call under way."""
        if now < self._paused_until:
            return self._paused_until - now
        if self._in_flight and now < self._feeling_until and self._feels_its_way(now):
            return self._feeling_until - now
        own, theirs = self._places(now), self._theirs(now)
        if own is not None and own < 1:
            return self._freed_at[0] - now if self._freed_at else None
        if theirs is not None and theirs < 1:
            return self._server_resets - now
        if bulk and own is not None and own <= self._kept_back(now, own):
            changes = [self._interactive_at[0] + self._window]
            changes += [self._freed_at[0]] if self._freed_at else []
            return max(_TICK, min(changes) - now)
        return 0.0

    def earliest(self, now: float, ahead: int = 0) -> float:
        """Seconds that a call waits at least if so many go before it, whatever becomes of those under way."""
        seconds = max(0.0, self._paused_until - now)
        own, theirs = self._places(now), self._theirs(now)
        if theirs is not None and ahead >= theirs + self._in_flight:
            seconds = max(seconds, self._server_resets - now)
        if own is not None and self._freed_at and (missing := ahead - own - self._in_flight) >= 0:
            seconds = max(seconds, self._freed_at[min(missing, len(self._freed_at) - 1)] - now)
        return seconds

    def slots(self, now: float, until: float) -> float:
        """Count the places that are free now or will surely be until then."""
        mine, own, theirs = self._mine(), self._places(now), self._theirs(now)
        if mine is None:
            return math.inf
        seconds = max(0.0, until - now)
        found = math.inf
        if own is not None:
            # Each whole round brings every place back once; what is counted one by one is the rest, its first part.
            rounds, rest = divmod(seconds, self._round)
            found = max(0, own) + bisect_right(self._freed_at, now + rest) + rounds * mine
        if theirs is not None:
            after = until - self._server_resets
            found = min(found, max(0, theirs) + (0 if after < 0 else (1 + after // self._round) * mine))
        elif own is None:
            found = (1 + seconds // self._round) * mine
        return found

    def listings(self, life: float) -> float:
        """Count the listings whose tokens, living so long, can all be served in time."""
        mine = self._mine()
        if mine is None:
            return math.inf
        rounds = life / self._round
        return max(1, math.floor((math.floor(rounds) if rounds >= 1 else rounds) * mine))

    def step(self, now: float) -> float:
        """Seconds between two calls of a crowd: after a pause they are spread a little, else they go as they can."""
        if now >= self._paused_until + self._window * _SPREAD:
            return 0.0
        return self._window * _SPREAD / (self._mine() or DEVELOPER)

    def snapshot(self, now: float, wall: datetime) -> RateLimitSnapshot:
        """Show the budget."""
        bounds = [count for count in (self._places(now), self._theirs(now)) if count is not None]
        resets = max(self._paused_until - now, self.wait(now) or 0.0, 0.0)
        if self._freed_at and self._limit is not None:
            resets = max(resets, self._freed_at[0] - now)
        if self._server_left is not None:
            resets = max(resets, self._server_resets - now)
        return RateLimitSnapshot(
            limit=self._limit or self._server_limit,
            remaining=0 if now < self._paused_until else max(0, min(bounds)) if bounds else None,
            resets_at=(wall + timedelta(seconds=resets)).astimezone(UTC) if resets else None,
            waiting=len(self.queue),
        )

    def _places(self, now: float) -> int | None:
        """Places that are free by our own count; ``None`` if nobody knows how many there are."""
        while self._freed_at and self._freed_at[0] <= now:
            self._freed_at.popleft()
        if self._limit is not None:
            return self._allowed(self._limit) - self._in_flight - len(self._freed_at)
        if self._ceiling is None:
            return None
        if now >= self._ceiling_grows_at:
            # Others may have used the key when it was learned: try a little more, at the cost of a refusal at most.
            self._ceiling += max(1, self._ceiling // 20)
            self._ceiling_grows_at = now + self._window
        return self._ceiling - self._in_flight - len(self._freed_at)

    def _theirs(self, now: float) -> int | None:
        """Places that are free by the service's count; ``None`` if it has not said, or its window is over."""
        if self._server_left is None or now >= self._server_resets:
            return None
        limit = self._whole()
        reserve = 0 if limit is None else limit - self._allowed(limit)
        return self._server_left - reserve - self._in_flight

    def _feels_its_way(self, now: float) -> bool:
        """Whether nobody can know how much is left, so that one call goes ahead of all others and asks.

        So it is before the first answer, since others may have used the key; after a pause; and, where no limit was
        given, in a window of the service that it has not spoken of yet.
        """
        if self._answered_at == -math.inf:
            return True
        return self._limit is None and self._answered_at < self._server_resets <= now

    def _kept_back(self, now: float, own: int) -> int:
        """Places that bulk calls leave for the interactive ones to come, if those come as in the last window.

        The places that come back in time serve them as well; what is kept is the largest shortfall on the way.
        """
        recent, mine = self._interactive_at, self._mine()
        while recent and recent[0] <= now - self._window:
            recent.popleft()
        if not recent or mine is None or own > 2 * len(recent) + 1:
            return 0
        short = max(
            len(recent) * part / _PARTS - bisect_right(self._freed_at, now + self._window * part / _PARTS)
            for part in range(1, _PARTS + 1)
        )
        # Arrivals vary by about the root of their number.
        return min(mine // 2, math.ceil(max(0.0, short) + math.sqrt(len(recent))))

    @property
    def _round(self) -> float:
        """Seconds in which every place surely comes back once: the window, what pacing adds, and slow answers."""
        return self._window * (1 + _SPREAD) + self._guard + min(5.0, self._window)

    def _mine(self) -> int | None:
        """Calls per window that this program may spend, as far as anybody has said."""
        if self._limit is None and self._ceiling is not None:
            return self._ceiling
        limit = self._whole()
        return None if limit is None else self._allowed(limit)

    def _whole(self) -> int | None:
        """Calls per window that the key has, as far as anybody has said."""
        seen = None if self._most_left is None else self._most_left + 1
        return self._limit or self._server_limit or seen

    def _allowed(self, limit: int) -> int:
        """Give this program's part of a limit."""
        return max(1, math.floor(limit * self._share + 1e-9))  # 100 * 0.29 is 28.999999999999996


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
