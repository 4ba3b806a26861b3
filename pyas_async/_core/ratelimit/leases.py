"""A budget that several processes share through a store: the slots that the store has leased to this process.

`Leases` knows what the store gave and what it must be told. `StoreShare` connects it with the counts of the budget.
When the store fails, the process counts alone: it does not ask the store for a while, and uses an equal part of the
limit. The module is loaded only if a budget has a store. Times are monotonic seconds.
"""

import math
from typing import NamedTuple

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
"""Seconds after which calls that have ended are reported, if a waiting call can send the report. Their slots become
free a window after the store has received it."""
_EXTRA = 8
"""Slots to ask for in addition to one for each waiting call, so that not every call has to ask."""


class EqualPart(NamedTuple):
    """What this process may use while processes count alone.

    Attributes:
        slots: The slots that its calls may hold at a time.
        until: When that may change.
    """

    slots: int
    until: float


@attrs.define
class _Lease:
    """The last lease: the slots that are left of it, and when they belong to other processes again."""

    slots: int = 0
    expires_at: float = -math.inf

    def expire(self, now: float) -> None:
        """Drop the slots if the lease has expired: the store has freed them."""
        if now >= self.expires_at:
            self.slots = 0


@attrs.frozen(eq=False)
class _ServiceCount:
    """What the service last said about the remaining calls; ``None`` if it said nothing new."""

    remaining: int | None = None
    resets_at: float = -math.inf


_NOTHING_NEW = _ServiceCount()


@attrs.define
class _News:
    """What the store is to be told.

    Attributes:
        ended: Calls that have ended since the last report.
        ended_at: When the first of them ended.
        unused: Leased slots that this process returns.
        service_count: What the service has said since the last report.
        paused_until: Until when the service refuses calls.
    """

    ended: int = 0
    ended_at: float = -math.inf
    unused: int = 0
    service_count: _ServiceCount = _NOTHING_NEW
    paused_until: float = -math.inf

    def add_ended(self, now: float) -> None:
        """Add a call that has ended."""
        if not self.ended:
            self.ended_at = now
        self.ended += 1

    def remove(self, reported: "_News", report: BudgetReport, now: float) -> None:
        """Remove what a report has told. What became known after it was sent stays."""
        self.ended -= reported.ended
        self.ended_at = now  # at the latest
        self.unused -= report.unused
        if self.service_count is reported.service_count:
            self.service_count = _NOTHING_NEW


@attrs.define
class _Fallback:
    """How this process counts alone after its store has failed.

    Attributes:
        alone_until: When the store is asked again.
        part_until: Until when this process keeps to an equal part of the limit. It does so for some time after it may
            ask again, since other processes may still count alone until they have asked the store as well.
        used_before: The slots that this process used when the store failed.
        first_window_until: Until when it uses no more slots than these, since others may have used more than their
            parts.
    """

    alone_until: float = -math.inf
    part_until: float = -math.inf
    used_before: int = 0
    first_window_until: float = -math.inf
    answered: bool = True

    def start(self, now: float, *, used: int, first_window: float) -> None:
        """Count alone from now on; the first window begins only if the store has answered since the last one began."""
        if self.answered:
            self.used_before, self.first_window_until, self.answered = used, now + first_window, False
        self.alone_until = now + _ALONE
        self.part_until = self.alone_until + _ALONE + _ANSWER_TIME

    def part(self, now: float, part: int) -> EqualPart | None:
        """Return the part of this process; ``None`` if it need not keep to a part."""
        if now >= self.part_until:
            return None
        until = self.alone_until if now < self.alone_until else self.part_until
        if now >= self.first_window_until:
            return EqualPart(part, until)
        return EqualPart(min(part, self.used_before), min(until, self.first_window_until))


class Leases:
    """The slots that a shared store has leased to this process, and what the store must be told."""

    def __init__(self, store: BudgetStore) -> None:
        self.store = store
        self.asking = False
        """Whether a request to the store is in flight."""
        self.urgent: bool = False
        """Whether to report to the store at once, even if no slot is needed."""
        self._lease = _Lease()
        self._fallback = _Fallback()
        self._news = _News()
        self._reported = _News()  # what the last report contained
        self._in_flight = 0
        self._processes: int | None = None
        self._ask_at = self._reported_at = -math.inf
        # Seconds of the requests since the last answer, which were cut short.
        self._unanswered = 0.0

    def empty(self, now: float) -> bool:
        """Return whether no leased slot is left; ``False`` while this process counts alone."""
        self._lease.expire(now)
        return self._lease.slots < 1 and now >= self._fallback.alone_until

    @property
    def processes(self) -> int:
        """How many processes spend the budget, as the store last said; 1 if it has not said."""
        return self._processes or 1

    def part_alone(self, now: float, part: int) -> EqualPart | None:
        """Return what this process may use while processes count alone; ``None`` if they do not.

        That is at most an equal part. If there are other processes, it is in the first window also no more than this
        process had used before.

        Args:
            now: The time.
            part: An equal part.
        """
        return self._fallback.part(now, part)

    def due(self, now: float, *, wanted: bool) -> bool:
        """Return whether to send a request to the store now: for slots, or only to report.

        Args:
            now: The time.
            wanted: Whether calls wait for slots.
        """
        if self.asking or now < self._fallback.alone_until:
            return False
        needs_slots = wanted and self.empty(now) and now >= self._ask_at
        return self.urgent or needs_slots or (wanted and now >= self.report_at)

    @property
    def report_at(self) -> float:
        """When to report calls that have ended, unless a request reports them earlier: at once if none is in flight."""
        if not self._news.ended or self.asking:
            return math.inf
        soon = self._news.ended_at + (_REPORT_AFTER if self._in_flight else 0.0)
        return max(soon, self._reported_at + _MIN_INTERVAL, self._fallback.alone_until)

    def wait_time(self, now: float) -> float | None:
        """Return the seconds until there may be a leased slot: 0 if there is one, or while this process counts alone.

        ``None`` if that depends on a request in flight.
        """
        return self.ask_in(now) if self.empty(now) else 0.0

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
        self._lease.slots = max(0, self._lease.slots - 1)
        self._in_flight += 1

    def settle(self, now: float) -> None:
        """Count a call as ended: its slot becomes free a window after the store has received the report."""
        self._in_flight -= 1
        self._news.add_ended(now)

    def cancel(self) -> None:
        """Free the leased slot of a call that was not sent."""
        self._lease.slots += 1
        self._in_flight -= 1

    def note_remaining(self, remaining: int | None, resets_at: float) -> None:
        """Note what the service said about the remaining calls, for the next report."""
        self._news.service_count = _ServiceCount(remaining, resets_at)

    def pause(self, until: float, now: float) -> None:
        """Note that the service has refused a call. The next report is urgent, and returns the unused leased slots."""
        self._news.paused_until, self.urgent = until, True
        self._lease.expire(now)
        self._news.unused += self._lease.slots
        self._lease.slots = 0

    def report(
        self, now: float, *, wanted: int, interactive: int, used: int, limit: int | None, window: float
    ) -> BudgetReport:
        """Make the report that goes to the store now."""
        news = self._news
        self._reported = attrs.evolve(news)
        self._reported_at = now
        return BudgetReport(
            wanted=wanted + _EXTRA if wanted > interactive else wanted,
            interactive=interactive,
            # A call that ended more than a window ago no longer holds a slot.
            sent=min(news.ended, max(0, used - self._in_flight)),
            under_way=self._in_flight,
            unused=news.unused,
            used=used,
            limit=limit,
            window=window,
            remaining=news.service_count.remaining,
            resets_in=max(0.0, news.service_count.resets_at - now),
            paused_for=max(0.0, news.paused_until - now),
        )

    def accept(self, report: BudgetReport, lease: BudgetLease, now: float) -> str | None:
        """Apply the store's answer to a report; return what is wrong with it, in which case nothing was applied."""
        self._unanswered = 0.0
        if (fault := lease_fault(lease)) is not None:
            return fault
        self._news.remove(self._reported, report, now)
        self.urgent = self._news.paused_until > self._reported.paused_until
        self._fallback.answered = True
        self._ask_at = now
        if now >= self._fallback.part_until or (lease.processes or 1) > self.processes:
            # A store that has just come back has not had reports from all processes yet: a lower number is ignored.
            self._processes = lease.processes
        if report.wanted:
            expires_in = min(lease.expires_in, report.window)
            self._lease = _Lease(lease.places, now + expires_in)
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
        # A process that knows of no others is not bound by the first window: no other can have used more.
        self._fallback.start(now, used=used, first_window=-math.inf if self.processes == 1 else window)
        self._unanswered = 0.0
        return _ALONE


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

    def part_alone(self, now: float, limit: int | None) -> EqualPart | None:
        """Return what this process may use while processes count alone; ``None`` if they do not."""
        if limit is None:
            return None
        return self.leases.part_alone(now, portion(limit, self.share / self.leases.processes))
