"""The three counts of a key's calls: our own, the service's, and that of a store which several processes share.

Each says how many calls it would let out; the budget takes the least. Times are monotonic seconds.
"""

import math
from bisect import bisect_left
from collections import deque
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from pyas_async._core.status import count, limit_resets_in, whole_number

if TYPE_CHECKING:
    from pyas_async._core.store import BudgetLease, BudgetReport, BudgetStore

_REMEMBERED = 20_000
"""Calls that are counted where no limit was given: more than any plan sells."""
_TELLING = 50
"""Calls in a window from which on a refusal tells the limit: half of what the smallest plan sells. If the service
refuses after fewer, others have spent the rest."""
_AT_LEAST = 1.0
"""Seconds of a pause from which on a refusal tells the limit: a shorter one is some fault, and no window's end."""
_ALONE = 10.0
"""Seconds for which a process counts alone where its store fails, before it asks again."""
_PATIENCE = 5.0
"""Seconds that a shared store has for an answer."""
_TRY = 1.0
"""Seconds of these that every question has at least: one packet that is lost is no reason to count alone."""
_SOONEST = 0.05
"""Seconds between two questions of which the first has brought no place: a store that says less would be asked without
end."""
_TICK = 0.001
"""Seconds that nobody needs to tell apart; 0 would say that there is a place."""
_SPARE = 8
"""Places that are leased beyond those that are waited for, so that not every call has to ask."""


class OwnCount:
    """The calls of this process: a call keeps its place until `keeps` seconds after it is over."""

    def __init__(self, given: int | None, keeps: float, *, share: float) -> None:
        """Count against so many calls; ``None`` if nobody has said how many."""
        self.given = given
        self.in_flight = 0
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

    def next_freed(self) -> float | None:
        """Give the moment at which the next of these comes back."""
        return self.freed_at[0] if self.freed_at else None

    def comes_back(self, number: int) -> float:
        """Give the moment before which the place of that number, from 0 on, does not come back; they come in turns."""
        rounds, number = divmod(number, self.allowed or _REMEMBERED)
        if not self.freed_at:
            return -math.inf
        return self.freed_at[min(number, len(self.freed_at) - 1)] + rounds * self._keeps


class ServiceCount:
    """What the service's answers have said of the key's limit."""

    def __init__(self) -> None:
        """Know nothing."""
        self.resets = -math.inf
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
            self.told = count(headers, "x-ratelimit-limit") or self.told
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


_NOTHING: tuple[int | None, float] = (None, -math.inf)
"""Nothing heard of what is left."""


class Leases:
    """The places that a shared store has leased to this process, and what it is to be told."""

    def __init__(self, store: "BudgetStore") -> None:
        """Have none."""
        self.store = store
        self.asking = False
        """Whether somebody is asking the store right now."""
        self.urgent: bool = False
        """Whether the store should be told something before places are needed."""
        self._places = 0
        self._until = -math.inf
        self._ask_at = -math.inf
        self._alone_until = -math.inf
        self._apart_until = -math.inf
        self._processes: int | None = None
        self._kept, self._kept_until = 0, -math.inf
        self._sent = self._unused = 0
        self._unanswered = 0.0
        self._heard = _NOTHING
        self._paused_until = -math.inf
        self._in_report = (self._heard, self._paused_until)

    def empty(self, now: float) -> bool:
        """Whether nothing is left of the lease; never while this process counts alone."""
        self._expire(now)
        return self._places < 1 and now >= self._alone_until

    @property
    def processes(self) -> int:
        """How many processes spend the budget, as far as the store knew."""
        return self._processes or 1

    def own_part(self, now: float, part: int) -> tuple[int, float] | None:
        """Give the places that this process may take up while not all count together, and until when that is so.

        That is an equal part, at most; and in the first window what it has taken up already, if there are others.
        When the store can be asked again, others may not have noticed yet: this process keeps to its part for as long.

        Args:
            now: The moment.
            part: An equal part.
        """
        if now >= self._apart_until:
            return None
        kept = part if now >= self._kept_until else min(part, max(1, self._kept))
        return kept, self._alone_until if now < self._alone_until else self._apart_until

    def due(self, now: float, *, wanted: bool) -> bool:
        """Whether the store is to be asked, or told, now."""
        return (
            not self.asking
            and now >= self._alone_until
            and (self.urgent or (wanted and self.empty(now) and now >= self._ask_at))
        )

    def ask_in(self, now: float) -> float | None:
        """Seconds until the store may be asked, never 0; ``None`` if that hangs on its answer to come."""
        return None if self.asking else max(_TICK, self._ask_at - now)

    @property
    def patience(self) -> float:
        """Seconds for which the next question may last."""
        return max(_TRY, _PATIENCE - self._unanswered)

    def waited(self, seconds: float) -> str | None:
        """Take note of a question without an answer, whoever ended it; say what is wrong once that is too much."""
        self._unanswered += seconds
        return f"did not answer within {_PATIENCE:g} s" if self._unanswered >= _PATIENCE - _TICK else None

    def took(self) -> None:
        """Let a call out against the lease."""
        self._places = max(0, self._places - 1)
        self._sent += 1

    def give_back(self) -> None:
        """Take back the place of a call that did not go out."""
        self._places += 1
        self._sent -= 1

    def heard(self, remaining: int | None, resets: float) -> None:
        """Keep what the service said is left, for the store."""
        self._heard = (remaining, resets)

    def paused(self, until: float, now: float) -> None:
        """Keep that the service has turned the key away, for the store, and soon."""
        self._paused_until, self.urgent = until, True
        self._expire(now)
        self._unused += self._places
        self._places = 0

    def report(
        self, now: float, *, wanted: int, interactive: int, used: int, limit: int | None, window: float
    ) -> "BudgetReport":
        """Write what the store is to be told and asked."""
        from pyas_async._core.store import BudgetReport  # noqa: PLC0415 -- most programs have no store

        remaining, resets = self._heard
        self._in_report = (self._heard, self._paused_until)
        return BudgetReport(
            wanted=wanted + _SPARE if wanted > interactive else wanted,
            interactive=interactive,
            # Below 0 if calls that were reported did not go out after all: the next to go are theirs.
            sent=max(0, self._sent),
            unused=self._unused,
            used=used,
            limit=limit,
            window=window,
            remaining=remaining,
            resets_in=max(0.0, resets - now),
            paused_for=max(0.0, self._paused_until - now),
        )

    def leased(self, report: "BudgetReport", lease: "BudgetLease", now: float) -> str | None:
        """Take the store's answer to a report, whole or not at all; say what is wrong with it."""
        from pyas_async._core.store import lease_fault  # noqa: PLC0415 -- most programs have no store

        self._unanswered = 0.0
        if (fault := lease_fault(lease)) is not None:
            return fault
        self._sent -= report.sent
        self._unused -= report.unused
        # What was heard while the store was asked, it has not been told.
        heard, paused_until = self._in_report
        if self._heard is heard:
            self._heard = _NOTHING
        self.urgent = self._paused_until > paused_until
        self._ask_at = now
        if now >= self._apart_until or (lease.processes or 1) > self.processes:
            # A store that has just come back has not heard of everybody yet.
            self._processes = lease.processes
        if report.wanted:
            lives = min(lease.expires_in, report.window)
            self._places, self._until = lease.places, now + lives
            if lease.places < 1 or lives < _SOONEST:
                self._ask_at = now + max(_SOONEST, min(lease.ask_again_in, report.window))
        return None

    def failed(self, now: float, *, used: int, window: float) -> float:
        """Count alone for so many seconds: the store did not answer, or with what is no lease.

        Args:
            now: The moment.
            used: Places that this process takes up.
            window: Seconds for which a call takes one up.
        """
        if now >= self._apart_until:
            self._kept, self._kept_until = used, -math.inf if self._processes is None else now + window
        self._alone_until = now + _ALONE
        self._apart_until = self._alone_until + _ALONE + _PATIENCE
        self._unanswered = 0.0
        return _ALONE

    def _expire(self, now: float) -> None:
        """Forget places that the store has taken back by itself."""
        if now >= self._until:
            self._places = 0
