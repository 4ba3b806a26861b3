"""What a budget that several processes share says to its store, and what it makes of the answers.

The leases (`leases.py`) know what the store gave; the budget's count knows what was spent. Here the two meet. It is
loaded for those who have a store.
"""

import attrs

from pyas_async._core.ratelimit.counters import LocalCounter
from pyas_async._core.ratelimit.forecast import Forecast
from pyas_async._core.ratelimit.leases import Leases
from pyas_async._core.ratelimit.queue import Queue
from pyas_async._core.ratelimit.store import BudgetLease, BudgetReport
from pyas_async.limits import portion


@attrs.frozen(kw_only=True)
class StoreShare:
    """One process's part in a budget that a store counts."""

    leases: Leases
    limit: int | None
    """Calls per window that all processes together may spend, if the user has said."""
    window: float
    """Seconds, the guard included."""
    share: float
    own: LocalCounter
    outlook: Forecast
    queue: Queue

    def asks(self, now: float) -> bool:
        """Whether the store is to be asked, or told something, now."""
        return self.leases.due(now, wanted=bool(self.queue))

    def report(self, now: float) -> BudgetReport:
        """Write what the store is to be told and asked."""
        return self.leases.report(
            now,
            wanted=len(self.queue) if self.leases.empty(now) else 0,
            interactive=self.queue.interactive,
            used=self.own.used_at(now),
            limit=self.limit,
            window=self.window,
        )

    def leased(self, report: BudgetReport, lease: BudgetLease, now: float) -> str | None:
        """Take the store's answer to a report, and look ahead as one of so many; say what is wrong with the answer."""
        fault = self.leases.leased(report, lease, now)
        self.outlook.among = self.leases.processes
        return fault

    def failed(self, now: float) -> float:
        """Take note that the store cannot be asked, for so many seconds."""
        return self.leases.failed(now, used=self.own.used_at(now), window=self.window)

    def own_part(self, now: float, whole: int | None) -> tuple[int, float] | None:
        """Give the places of a whole that are this process's while not all ask, and until when; ``None`` if all do."""
        if whole is None:
            return None
        return self.leases.own_part(now, portion(whole, self.share / self.leases.processes))
