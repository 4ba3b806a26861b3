"""The two counts of a key's calls that every process has: its own, and the service's.

Each says how many more calls may be sent; the budget takes the lower number. Times are monotonic seconds.
"""

import math
from bisect import bisect_left
from collections import deque
from collections.abc import Mapping
from datetime import datetime

from pyas_async._core.calls.headers import call_count, named_limit, window_ends_in
from pyas_async._core.dates import parse_header

_REMEMBERED = 20_000
"""Calls that are counted where no limit was given: more than any plan sells."""
_MIN_LEARNED = 50
"""The smallest limit that is learned from a refusal: half of what the smallest plan sells. If the service refuses after
fewer calls, other programs have spent the rest."""
_MIN_PAUSE = 1.0
"""Seconds of the shortest pause that a limit is learned from: a shorter one is a fault, not the end of a window."""

_WINDOW_HEADERS = ("x-ratelimit-limit", "x-ratelimit-reset", "retry-after", "date")
"""The headers that describe the service's window."""


class LocalCounter:
    """The calls of this process. A call holds its slot until `hold` seconds after it has ended."""

    def __init__(self, given_limit: int | None, hold: float, *, share: float) -> None:
        """Count against a limit; ``None`` if the user has given none."""
        self.given_limit = given_limit
        self.in_flight: int = 0
        self.freed_at: deque[float] = deque(maxlen=given_limit or _REMEMBERED)
        """When the slots of calls that have ended become free, in ascending order."""
        self._hold = hold
        self._share = share
        self._learned: int | None = None
        self._refused_until = -math.inf
        self._grows_at = math.inf
        self._was_full = False

    @property
    def limit(self) -> int | None:
        """Calls in a window, as given or learned from a refusal; ``None`` if unknown."""
        if self.given_limit is not None or self._learned is None or self._learned < _MIN_LEARNED:
            return self.given_limit
        return max(1, int(self._learned * self._share))

    @property
    def used(self) -> int:
        """Slots that calls hold: those in flight, and those that ended less than `hold` seconds ago."""
        return self.in_flight + len(self.freed_at)

    def free_slots(self, now: float) -> int | None:
        """Count the slots that are free; ``None`` if the limit is unknown."""
        freed_at = self.freed_at
        while freed_at and freed_at[0] <= now:
            freed_at.popleft()
        if now >= self._grows_at and self._learned is not None:
            # Others may have used the key when the limit was learned, so a little more is tried. It costs one refusal.
            self._learned += self._learned // 20 if self._was_full else 0
            self._grows_at, self._was_full = now + self._hold, False
        limit = self.given_limit if self._learned is None else self.limit
        if limit is None:
            return None
        free = limit - self.in_flight - len(freed_at)
        self._was_full = self._was_full or free <= 0
        return free

    def acquire(self) -> None:
        """Count a call that is sent."""
        self.in_flight += 1

    def cancel(self) -> None:
        """Free the slot of a call that was not sent."""
        self.in_flight -= 1

    def settle(self, now: float) -> None:
        """Count a call as ended: its slot becomes free after `hold` seconds."""
        self.in_flight -= 1
        self.freed_at.append(now + self._hold)

    def learn_from_refusal(self, now: float, seconds: float) -> None:
        """Learn the limit, if none was given, from a refusal: as many calls as went through before it.

        The calls in flight at the first refusal have gone through unless each is refused as well. Then a new window
        begins.

        Args:
            now: When the refusal was received.
            seconds: How long the service wants no calls.
        """
        if self.given_limit is not None or seconds < _MIN_PAUSE:
            return
        if now >= self._refused_until:
            self._learned = self.used
            self.freed_at.clear()
            self._refused_until, self._grows_at = now + seconds, now + seconds + self._hold
        if self._learned is not None:
            self._learned -= 1

    def freed_before(self, moment: float) -> int:
        """Count the slots that become free before a moment, of calls that have ended already."""
        return bisect_left(self.freed_at, moment)

    def used_at(self, now: float) -> int:
        """Count the slots that calls hold at a moment."""
        return self.used - self.freed_before(now)

    def next_freed_at(self) -> float | None:
        """Return when the first slot of a call that has ended becomes free; ``None`` if there is no such call."""
        return self.freed_at[0] if self.freed_at else None

    def earliest_free_at(self, number: int) -> float:
        """Return the earliest moment at which the slot of that number, from 0 on, can become free.

        The slots become free in turns, so a number beyond the limit means a later turn.
        """
        turns, number = divmod(number, self.limit or _REMEMBERED)
        if not self.freed_at:
            return -math.inf
        return self.freed_at[min(number, len(self.freed_at) - 1)] + turns * self._hold


class ServiceCounter:
    """What the service's responses have said about the key's limit."""

    def __init__(self) -> None:
        self.resets_at: float = -math.inf
        """When the window that the service reported last ends."""
        self.named_limit: int | None = None
        """The limit, as a header names it."""
        self._last_headers: tuple[str | None, ...] = ()
        self._resets_in: float | None = None
        self._remaining: int | None = None
        self._most_remaining: int | None = None

    @property
    def limit(self) -> int | None:
        """The limit as a header names it, else one call more than ever remained; ``None`` if neither is known."""
        if self.named_limit is None and self._most_remaining is not None:
            return self._most_remaining + 1
        return self.named_limit

    @property
    def full_limit(self) -> int | None:
        """The same, if it can be all that the key has; where fewer calls remained, others have spent the rest."""
        return self.limit if self.named_limit is not None or (self.limit or 0) >= _MIN_LEARNED else None

    def remaining(self, now: float) -> int | None:
        """Count the calls that remain; ``None`` if the service has not said, or its window has ended."""
        return None if now >= self.resets_at else self._remaining

    def count_unreported(self) -> None:
        """Count a call whose response did not say how many calls remain."""
        if self._remaining is not None:
            self._remaining -= 1

    def learn(
        self,
        headers: Mapping[str, str],
        now: float,
        wall: datetime,
        *,
        window: float,
        guard: float,
        precision: float,
    ) -> bool:
        """Read the headers of a response; return whether they had a count.

        Args:
            headers: The headers.
            now: The time.
            wall: The wall clock, for dates (aware).
            window: Seconds in a window.
            guard: Seconds by which windows and delays vary.
            precision: Seconds by which a window may end later than the headers say.
        """
        if "x-ratelimit-remaining" not in headers or "x-ratelimit-type" in headers or "x-ratelimit-category" in headers:
            return False  # the latter two belong to Zoom's own limits, which say nothing about the key's
        if (remaining := call_count(headers, "x-ratelimit-remaining")) is None:
            return False
        found = tuple(headers.get(name) for name in _WINDOW_HEADERS)
        if found != self._last_headers or parse_header(headers.get("date", "")) is None:
            # Responses of the same second say the same, and need not be read again.
            self._last_headers = found
            self.named_limit = named_limit(headers) or self.named_limit
            self._resets_in = window_ends_in(headers, wall)
        if self._most_remaining is None or remaining > self._most_remaining:
            self._most_remaining = remaining
        # No reset is further off than a window.
        seconds = self._resets_in
        resets_at = now + (window if seconds is None else min(window + guard, seconds + precision))
        # Responses overtake one another, so the lowest count of a window holds. An end that is clearly later belongs to
        # a new window.
        if (
            self._remaining is None
            or remaining < self._remaining
            or now >= self.resets_at
            or resets_at > self.resets_at + 2
        ):
            self._remaining = remaining
        self.resets_at = resets_at
        return True
