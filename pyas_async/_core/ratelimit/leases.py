"""A budget that several processes share through a store: the slots that the store has leased to this process.

`Leases` knows what the store gave and what it must be told. `StoreShare` connects it with the counts of the budget.
When the store fails, the process counts alone: it does not ask the store for a while, and uses an equal part of the
limit. The module is loaded only if a budget has a store. Times are monotonic seconds.
"""

import math

import attrs

from pyas_async._core.ratelimit.counters import LocalCounter
from pyas_async._core.ratelimit.forecast import TICK, Forecast
from pyas_async._core.ratelimit.queue import Queue
from pyas_async._core.ratelimit.store import BudgetLease, BudgetReport, BudgetStore, lease_fault
from pyas_async.limits import portion

_ALONE = 10.0
"""Seconds for which a process counts alone after its store has failed, before it asks again."""
_ANSWER_TIME = 5.0
"""Seconds that a store has to answer. Requests that were cut short add up to this time."""
_MIN_ANSWER_TIME = 1.0
"""The minimum of that time for each request to the store: one lost packet is no reason to count alone."""
_MIN_INTERVAL = 0.05
"""Minimum seconds before the next request if a request has brought no slot. Otherwise a store that names a shorter time
would be asked in a busy loop."""
_REPORT_AFTER = 1.0
"""Seconds after which calls that have ended are reported, if a waiting call can send the report. Their slots come free
a window after the store has received it."""
_EXTRA = 8
"""Slots to ask for in addition to one for each waiting call, so that not every call has to ask."""
_NOTHING: tuple[int | None, float] = (None, -math.inf)
"""Nothing new to report about the remaining calls."""


class Leases:
    """The slots that a shared store has leased to this process, and what the store must be told."""

    def __init__(self, store: BudgetStore) -> None:
        self.store = store
        self.asking = False
        """Whether a request to the store is in flight."""
        self.urgent: bool = False
        """Whether to report to the store at once, even if no slot is needed."""
        self._slots = 0
        self._expires_at = -math.inf
        self._ask_at = -math.inf
        # Until the first time, the store is not asked; until the second, this process keeps to an equal part.
        self._alone_until = -math.inf
        self._apart_until = -math.inf
        self._processes: int | None = None
        # The slots that this process used when the store failed; it uses no more than these in the window after that.
        self._kept, self._kept_until = 0, -math.inf
        self._in_flight = self._settled = self._unused = 0
        self._settled_at = self._reported_at = -math.inf
        # Seconds of the requests since the last answer, which were cut short.
        self._unanswered = 0.0
        self._remaining = _NOTHING
        self._paused_until = -math.inf
        # What the last report contained, to tell it from what became known since.
        self._in_report = (self._remaining, self._paused_until, 0)

    def empty(self, now: float) -> bool:
        """Return whether no leased slot is left; ``False`` while this process counts alone."""
        self._expire(now)
        return self._slots < 1 and now >= self._alone_until

    @property
    def processes(self) -> int:
        """How many processes spend the budget, as the store last said; 1 if it has not said."""
        return self._processes or 1

    def part_alone(self, now: float, part: int) -> tuple[int, float] | None:
        """Return the slots that this process may use while processes count alone, and until when.

        That is at most an equal part. If there are other processes, it is in the first window also no more than this
        process had used before. When this process may ask the store again, other processes may still count alone. So it
        keeps to its part until they must have asked the store as well.

        Args:
            now: The time.
            part: An equal part.
        """
        if now >= self._apart_until:
            return None
        slots = part if now >= self._kept_until else min(part, max(1, self._kept))
        return slots, self._alone_until if now < self._alone_until else self._apart_until

    def due(self, now: float, *, wanted: bool) -> bool:
        """Return whether to send a request to the store now: for slots, or only to report.

        Args:
            now: The time.
            wanted: Whether calls wait for slots.
        """
        return (
            not self.asking
            and now >= self._alone_until
            and (self.urgent or (wanted and ((self.empty(now) and now >= self._ask_at) or now >= self.report_at)))
        )

    @property
    def report_at(self) -> float:
        """When to report calls that have ended, unless a request reports them earlier: at once if none is in flight."""
        if not self._settled or self.asking:
            return math.inf
        soon = self._settled_at + _REPORT_AFTER if self._in_flight else self._settled_at
        return max(soon, self._reported_at + _MIN_INTERVAL, self._alone_until)

    def ask_in(self, now: float) -> float | None:
        """Return the seconds until the store may be asked; ``None`` if that depends on a request in flight.

        The result is never 0, which would mean that a slot is free.
        """
        return None if self.asking else max(TICK, self._ask_at - now)

    @property
    def answer_time(self) -> float:
        """Seconds that the next request may take."""
        return max(_MIN_ANSWER_TIME, _ANSWER_TIME - self._unanswered)

    def note_unanswered(self, seconds: float) -> str | None:
        """Note a request that ended without an answer; return the store's fault once these took too long together."""
        self._unanswered += seconds
        return f"did not answer within {_ANSWER_TIME:g} s" if self._unanswered >= _ANSWER_TIME - TICK else None

    def acquire(self) -> None:
        """Use a leased slot for a call that is sent."""
        self._slots = max(0, self._slots - 1)
        self._in_flight += 1

    def settle(self, now: float) -> None:
        """Count a call as ended: its slot comes free a window after the store has received the report."""
        self._in_flight -= 1
        self._settled_at = now if not self._settled else self._settled_at
        self._settled += 1

    def cancel(self) -> None:
        """Free the leased slot of a call that was not sent."""
        self._slots += 1
        self._in_flight -= 1

    def note_remaining(self, remaining: int | None, resets_at: float) -> None:
        """Keep what the service said about the remaining calls, for the next report."""
        self._remaining = (remaining, resets_at)

    def pause(self, until: float, now: float) -> None:
        """Note that the service has refused a call. The next report is urgent, and returns the unused leased slots."""
        self._paused_until, self.urgent = until, True
        self._expire(now)
        self._unused += self._slots
        self._slots = 0

    def report(
        self, now: float, *, wanted: int, interactive: int, used: int, limit: int | None, window: float
    ) -> BudgetReport:
        """Make the report that goes to the store now."""
        remaining, resets_at = self._remaining
        self._in_report = (self._remaining, self._paused_until, self._settled)
        self._reported_at = now
        return BudgetReport(
            wanted=wanted + _EXTRA if wanted > interactive else wanted,
            interactive=interactive,
            # A call that ended more than a window ago no longer holds a slot.
            sent=min(self._settled, max(0, used - self._in_flight)),
            under_way=self._in_flight,
            unused=self._unused,
            used=used,
            limit=limit,
            window=window,
            remaining=remaining,
            resets_in=max(0.0, resets_at - now),
            paused_for=max(0.0, self._paused_until - now),
        )

    def accept(self, report: BudgetReport, lease: BudgetLease, now: float) -> str | None:
        """Apply the store's answer to a report; return what is wrong with it, in which case nothing was applied."""
        self._unanswered = 0.0
        if (fault := lease_fault(lease)) is not None:
            return fault
        # The report does not have what became known after it was sent.
        remaining, paused_until, settled = self._in_report
        self._settled -= settled
        self._settled_at = now
        self._unused -= report.unused
        if self._remaining is remaining:
            self._remaining = _NOTHING
        self.urgent = self._paused_until > paused_until
        self._ask_at = now
        if now >= self._apart_until or (lease.processes or 1) > self.processes:
            # A store that has just come back has not had reports from all processes yet: a lower number is ignored.
            self._processes = lease.processes
        if report.wanted:
            expires_in = min(lease.expires_in, report.window)
            self._slots, self._expires_at = lease.places, now + expires_in
            if lease.places < 1 or expires_in < _MIN_INTERVAL:
                self._ask_at = now + max(_MIN_INTERVAL, min(lease.ask_again_in, report.window))
        return None

    def count_alone(self, now: float, *, used: int, window: float) -> float:
        """Count alone for a while, since the store has failed; return for how many seconds.

        Args:
            now: The time.
            used: Slots that this process uses.
            window: Seconds for which a call holds its slot.
        """
        if now >= self._apart_until:
            self._kept, self._kept_until = used, -math.inf if self._processes is None else now + window
        self._alone_until = now + _ALONE
        self._apart_until = self._alone_until + _ALONE + _ANSWER_TIME
        self._unanswered = 0.0
        return _ALONE

    def _expire(self, now: float) -> None:
        """Drop slots whose lease has expired: the store has freed them."""
        if now >= self._expires_at:
            self._slots = 0


@attrs.frozen(kw_only=True)
class StoreShare:
    """One process's part in a budget that a store counts."""

    leases: Leases
    limit: int | None
    """Calls per window that all processes may spend together, if the user has said."""
    window: float
    """Seconds, the guard included."""
    share: float
    local: LocalCounter
    forecast: Forecast
    queue: Queue

    def due(self, now: float) -> bool:
        """Return whether to send a request to the store now: for slots, or only to report."""
        return self.leases.due(now, wanted=bool(self.queue))

    def report(self, now: float) -> BudgetReport:
        """Make the report that goes to the store now."""
        return self.leases.report(
            now,
            wanted=len(self.queue) if self.leases.empty(now) else 0,
            interactive=self.queue.interactive,
            used=self.local.used_at(now),
            limit=self.limit,
            window=self.window,
        )

    def accept(self, report: BudgetReport, lease: BudgetLease, now: float) -> str | None:
        """Apply the store's answer to a report; return what is wrong with it, or ``None``."""
        fault = self.leases.accept(report, lease, now)
        self.forecast.processes = self.leases.processes
        return fault

    def count_alone(self, now: float) -> float:
        """Count alone for a while, since the store has failed; return for how many seconds."""
        return self.leases.count_alone(now, used=self.local.used_at(now), window=self.window)

    def part_alone(self, now: float, limit: int | None) -> tuple[int, float] | None:
        """Return the slots that this process may use while processes count alone, and until when; else ``None``."""
        if limit is None:
            return None
        return self.leases.part_alone(now, portion(limit, self.share / self.leases.processes))
