"""The two counts of a key's calls that every process has: its own, and the service's.

Each says how many calls it would let out; the budget takes the least. Times are monotonic seconds.
"""

import math
from bisect import bisect_left
from collections import deque
from collections.abc import Mapping
from datetime import datetime

from pyas_async._core.calls.headers import call_count, limit_resets_in, whole_number

_REMEMBERED = 20_000
"""Calls that are counted where no limit was given: more than any plan sells."""
_TELLING = 50
"""Calls in a window from which on a refusal tells the limit: half of what the smallest plan sells. If the service
refuses after fewer, others have spent the rest."""
_AT_LEAST = 1.0
"""Seconds of a pause from which on a refusal tells the limit: a shorter one is some fault, and no window's end."""


class LocalCounter:
    """The calls of this process: a call keeps its place until `keeps` seconds after it is over."""

    def __init__(self, given: int | None, keeps: float, *, share: float) -> None:
        """Count against so many calls; ``None`` if nobody has said how many."""
        self.given = given
        self.in_flight: int = 0
        self.freed_at: deque[float] = deque(maxlen=given or _REMEMBERED)
        self._keeps = keeps
        self._share = share
        self._learned: int | None = None
        self._refused_until = -math.inf
        self._grows_at = math.inf
        self._was_full = False

    @property
    def allowed(self) -> int | None:
        """Calls in a window, as given or learned from a refusal; ``None`` if nobody knows."""
        if self.given is not None or self._learned is None or self._learned < _TELLING:
            return self.given
        return max(1, int(self._learned * self._share))

    @property
    def used(self) -> int:
        """Places that are taken."""
        return self.in_flight + len(self.freed_at)

    def places(self, now: float) -> int | None:
        """Count the places that are free; ``None`` if nobody knows how many there are."""
        freed_at = self.freed_at
        while freed_at and freed_at[0] <= now:
            freed_at.popleft()
        if now >= self._grows_at and self._learned is not None:
            # Others may have used the key when it was learned: try a little more, at the cost of a refusal at most.
            self._learned += self._learned // 20 if self._was_full else 0
            self._grows_at, self._was_full = now + self._keeps, False
        allowed = self.given if self._learned is None else self.allowed
        if allowed is None:
            return None
        free = allowed - self.in_flight - len(freed_at)
        self._was_full = self._was_full or free <= 0
        return free

    def spent(self, now: float) -> None:
        """Take note that a call that went out is over."""
        self.in_flight -= 1
        self.freed_at.append(now + self._keeps)

    def refused(self, now: float, seconds: float) -> None:
        """Learn from refusals how many calls there are, where nobody has said: as many as went through before them.

        Of the calls under way at the first, those go through that are not refused as well. Then a new window begins.
        """
        if self.given is not None or seconds < _AT_LEAST:
            return
        if now >= self._refused_until:
            self._learned = self.used
            self.freed_at.clear()
            self._refused_until, self._grows_at = now + seconds, now + seconds + self._keeps
        if self._learned is not None:
            self._learned -= 1

    def freed_before(self, moment: float) -> int:
        """Count the places of calls that are over and come back before then."""
        return bisect_left(self.freed_at, moment)

    def used_at(self, now: float) -> int:
        """Count the places that are taken at a moment."""
        return self.used - self.freed_before(now)

    def next_freed(self) -> float | None:
        """Give the moment at which the next of these comes back."""
        return self.freed_at[0] if self.freed_at else None

    def comes_back(self, number: int) -> float:
        """Give the moment before which the place of that number, from 0 on, does not come back; they come in turns."""
        rounds, number = divmod(number, self.allowed or _REMEMBERED)
        if not self.freed_at:
            return -math.inf
        return self.freed_at[min(number, len(self.freed_at) - 1)] + rounds * self._keeps


class ServiceCounter:
    """What the service's answers have said of the key's limit."""

    def __init__(self) -> None:
        """Know nothing."""
        self.resets: float = -math.inf
        self.told: int | None = None
        """The limit, as a header names it."""
        self._said: tuple[str | None, ...] = ()
        self._resets_in: float | None = None
        self._left: int | None = None
        self._most_left: int | None = None

    @property
    def limit(self) -> int | None:
        """The limit as far as the service has said: by name, or by what was left at most."""
        return self._most_left + 1 if self.told is None and self._most_left is not None else self.told

    @property
    def whole(self) -> int | None:
        """The same, if it can be all that the key has; where less was left at most, others have spent the rest."""
        return self.limit if self.told is not None or (self.limit or 0) >= _TELLING else None

    def left(self, now: float) -> int | None:
        """Count what is left; ``None`` if it has not said, or its window is over."""
        return None if now >= self.resets else self._left

    def uncounted(self) -> None:
        """Take note of a call whose answer did not say what is left."""
        if self._left is not None:
            self._left -= 1

    def learn(self, headers: Mapping[str, str], now: float, wall: datetime, window: float, guard: float) -> bool:
        """Read an answer's headers; say whether they told a count."""
        text = headers.get("x-ratelimit-remaining")
        if text is None or "x-ratelimit-type" in headers or "x-ratelimit-category" in headers:
            return False  # the latter two are of Zoom's own limits, which say nothing of the key's
        if (left := whole_number(text)) is None:
            return False
        said = (headers.get("x-ratelimit-limit"), headers.get("x-ratelimit-reset"), headers.get("date"))
        if said != self._said or said[2] is None:
            # One answer after the other says the same, within a second.
            self._said = said
            self.told = call_count(headers, "x-ratelimit-limit") or self.told
            self._resets_in = limit_resets_in(headers, wall)
        if self._most_left is None or left > self._most_left:
            self._most_left = left
        # Dates of headers are whole seconds, so the guard counts here, too. None is further off than a window.
        seconds = self._resets_in
        resets = now + (window if seconds is None else (min(window, seconds)) + guard)
        # Answers overtake one another, and the least of a window counts; an end clearly later is that of a new window.
        if self._left is None or left < self._left or now >= self.resets or resets > self.resets + 2:
            self._left = left
        self.resets = resets
        return True
