"""A process's side of the count that several processes share: the places that the store has leased to it.

It is loaded for those who have a store. Times are monotonic seconds.
"""

import math

from pyas_async._core.ratelimit.store import BudgetLease, BudgetReport, BudgetStore, lease_fault

_ALONE = 10.0
"""Seconds for which a process counts alone where its store fails, before it asks again."""
_PATIENCE = 5.0
"""Seconds that a shared store has for an answer."""
_TRY = 1.0
"""Seconds of these that every question has at least: one packet that is lost is no reason to count alone."""
_SOONEST = 0.05
"""Seconds between two questions of which the first has brought no place: a store that says less would be asked without
end."""
_TELL = 1.0
"""Seconds after which calls that are over are told, if somebody waits who can: their places come back a window after
the store has heard of it."""
_TICK = 0.001
"""Seconds that nobody needs to tell apart; 0 would say that there is a place."""
_SPARE = 8
"""Places that are leased beyond those that are waited for, so that not every call has to ask."""
_NOTHING: tuple[int | None, float] = (None, -math.inf)
"""Nothing heard of what is left."""


class Leases:
    """The places that a shared store has leased to this process, and what it is to be told."""

    def __init__(self, store: BudgetStore) -> None:
        """Have none."""
        self.store = store
        self.asking = False
        """Whether somebody is asking the store right now."""
        self.urgent: bool = False
        """Whether the store should be told something before places are needed."""
        self._connections = 0
        self._until = -math.inf
        self._ask_at = -math.inf
        self._alone_until = -math.inf
        self._apart_until = -math.inf
        self._processes: int | None = None
        self._kept, self._kept_until = 0, -math.inf
        self._under_way = self._sent = self._unused = 0
        self._over_at = self._told_at = -math.inf
        self._unanswered = 0.0
        self._heard = _NOTHING
        self._paused_until = -math.inf
        self._in_report = (self._heard, self._paused_until, 0)

    def empty(self, now: float) -> bool:
        """Whether nothing is left of the lease; never while this process counts alone."""
        self._expire(now)
        return self._connections < 1 and now >= self._alone_until

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
            and (self.urgent or (wanted and ((self.empty(now) and now >= self._ask_at) or now >= self.tells_at)))
        )

    @property
    def tells_at(self) -> float:
        """When the store is to be told of calls that are over, unless it is asked before: at once after the last."""
        if not self._sent or self.asking:
            return math.inf
        soon = self._over_at + _TELL if self._under_way else self._over_at
        return max(soon, self._told_at + _SOONEST, self._alone_until)

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
        self._connections = max(0, self._connections - 1)
        self._under_way += 1

    def over(self, now: float) -> None:
        """Take note that a call is over, answered or not: only now does its place begin to come back."""
        self._under_way -= 1
        self._over_at = now if not self._sent else self._over_at
        self._sent += 1

    def release(self) -> None:
        """Take back the place of a call that did not go out."""
        self._connections += 1
        self._under_way -= 1

    def heard(self, remaining: int | None, resets: float) -> None:
        """Keep what the service said is left, for the store."""
        self._heard = (remaining, resets)

    def paused(self, until: float, now: float) -> None:
        """Keep that the service has turned the key away, for the store, and soon."""
        self._paused_until, self.urgent = until, True
        self._expire(now)
        self._unused += self._connections
        self._connections = 0

    def report(
        self, now: float, *, wanted: int, interactive: int, used: int, limit: int | None, window: float
    ) -> BudgetReport:
        """Write what the store is to be told and asked."""
        remaining, resets = self._heard
        self._in_report = (self._heard, self._paused_until, self._sent)
        self._told_at = now
        return BudgetReport(
            wanted=wanted + _SPARE if wanted > interactive else wanted,
            interactive=interactive,
            # What is over for longer than a window has its place back.
            sent=min(self._sent, max(0, used - self._under_way)),
            under_way=self._under_way,
            unused=self._unused,
            used=used,
            limit=limit,
            window=window,
            remaining=remaining,
            resets_in=max(0.0, resets - now),
            paused_for=max(0.0, self._paused_until - now),
        )

    def leased(self, report: BudgetReport, lease: BudgetLease, now: float) -> str | None:
        """Take the store's answer to a report, whole or not at all; say what is wrong with it."""
        self._unanswered = 0.0
        if (fault := lease_fault(lease)) is not None:
            return fault
        # What has become known while the store was asked, it has not been told.
        heard, paused_until, sent = self._in_report
        self._sent -= sent
        self._over_at = now
        self._unused -= report.unused
        if self._heard is heard:
            self._heard = _NOTHING
        self.urgent = self._paused_until > paused_until
        self._ask_at = now
        if now >= self._apart_until or (lease.processes or 1) > self.processes:
            # A store that has just come back has not heard of everybody yet.
            self._processes = lease.processes
        if report.wanted:
            lives = min(lease.expires_in, report.window)
            self._connections, self._until = lease.places, now + lives
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
            self._connections = 0
