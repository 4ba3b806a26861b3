"""The call budget of one API key: how many calls may be sent now, and when the next may be.

The service counts calls per key and five minutes, and does not say when its window begins. So a call holds its slot
from the moment it is sent until a whole window after its response: that is within the limit for every phase of the
service's window. What the service itself reports corrects the count downward.
"""

import math
from collections.abc import Mapping
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Self

import attrs

from pyas_async._base_errors import in_seconds
from pyas_async._checks import number, whole_number
from pyas_async._core.ratelimit.counters import LocalCounter, ServiceCounter
from pyas_async._core.ratelimit.forecast import TICK, Forecast
from pyas_async._core.ratelimit.gate import Gate
from pyas_async._core.ratelimit.queue import Queue
from pyas_async._public import public
from pyas_async.errors import ConfigurationError, shown
from pyas_async.limits import GUARD, MAX_CALLS, WINDOW, guard_of, portion
from pyas_async.plans import DEVELOPER, GROWTH, SCALE

if TYPE_CHECKING:
    from pyas_async._core.ratelimit.leases import EqualPart, StoreShare
    from pyas_async._core.ratelimit.store import BudgetStore

_CHECKS = 16
"""How often in a window bulk calls check whether slots are still reserved for other calls."""


@public
@attrs.frozen(kw_only=True)
class RateLimitSnapshot:
    """The call budget at one moment, for display.

    Attributes:
        limit: Calls per window; ``None`` if neither the user nor the service has said.
        remaining: Calls that could be sent now; ``None`` if that is not known.
        resets_at: When more become available (aware, UTC); ``None`` if nothing is used or known.
        waiting: Calls that wait for a slot.
    """

    limit: int | None
    remaining: int | None
    resets_at: datetime | None
    waiting: int


@public
class RateBudget:
    """The calls that one API key may spend. Pass one instance to several clients that use the same key.

    Without a limit it learns from the service's responses: the ``X-RateLimit-…`` headers, and a 429.
    """

    def __init__(
        self,
        limit: int | None = None,
        *,
        window: float = WINDOW,
        share: float = 1.0,
        guard: float | None = None,
        store: "BudgetStore | None" = None,
    ) -> None:
        """Set the budget.

        Args:
            limit: Calls per window; ``None`` to learn from the responses alone.
            window: Seconds; the service's is 300.
            share: The part of the limit that this program may spend, above 0 and at most 1. With a store, it is the
                part that all processes may spend together, and each process must set the same value.
            guard: Seconds for which a call holds its slot beyond the window, since delays and clocks vary. ``None``
                means what fits the window: a fiftieth of it, and at most a second.
            store: Counts the calls of several processes that use the key; without one, this process counts its own.

        Raises:
            ConfigurationError: If a number is out of bounds.
        """
        error, unit = ConfigurationError, "None, or a whole number of calls"
        if limit is not None:
            limit = whole_number(
                "RateBudget limit", limit, minimum=1, maximum=MAX_CALLS, digits=False, unit=unit, error=error
            )
        window = number("RateBudget window", window, above=True, unit="seconds", error=error)
        share = number("RateBudget share", share, above=True, maximum=1, unit="a part", error=error)
        if guard is not None:
            guard = number("RateBudget guard", guard, unit="seconds", error=error)
        # Dates in headers are whole seconds.
        self._precision = GUARD if guard is None else guard
        guard = guard_of(window) if guard is None else guard
        self.queue: Queue = Queue()
        self._limit = limit
        self._window = window
        self._share = share
        self._guard = guard
        self._local = LocalCounter(None if limit is None else portion(limit, share), window + guard, share=share)
        self._service = ServiceCounter()
        self._forecast = Forecast(self._local, self._service, window=window, guard=guard, share=share)
        self.store_share: StoreShare | None = None if store is None else self._share_through(store)
        self._gate = Gate(self._service, given_limit=limit, window=window)
        # Calls of this program that the service had counted at its first report, and this budget had not, since the
        # program was restarted; valid for one window.
        self._unexplained, self._unexplained_until = 0, -math.inf

    @classmethod
    def developer(cls, *, share: float = 1.0, store: "BudgetStore | None" = None) -> Self:
        """Make the budget of the Developer plan: 100 calls per five minutes."""
        return cls(DEVELOPER.calls, window=DEVELOPER.window, share=share, store=store)

    @classmethod
    def growth(cls, *, share: float = 1.0, store: "BudgetStore | None" = None) -> Self:
        """Make the budget of the Growth plan: 3,000 calls per five minutes."""
        return cls(GROWTH.calls, window=GROWTH.window, share=share, store=store)

    @classmethod
    def scale(cls, *, share: float = 1.0, store: "BudgetStore | None" = None) -> Self:
        """Make the budget of the Scale plan: 5,000 calls per five minutes."""
        return cls(SCALE.calls, window=SCALE.window, share=share, store=store)

    @property
    def in_flight(self) -> int:
        """Calls that have a slot and have not ended."""
        return self._local.in_flight

    def wait_begins(self, now: float) -> None:
        """Note that an interactive call begins to wait for a slot."""
        self._forecast.demand.wait_begins(now)

    def wait_ends(self, now: float) -> None:
        """Note that an interactive call has its slot, or does not wait for one any longer."""
        self._forecast.demand.wait_ends(now)

    def acquire(self, now: float, *, bulk: bool) -> None:
        """Acquire a slot for a call that is sent now; `wait_time` says whether one is free."""
        self._local.acquire()
        self._gate.call_sent(now)
        if self.store_share is not None:
            self.store_share.leases.acquire()
        if not bulk:
            self._forecast.demand.add(now)

    def cancel(self, *, bulk: bool = True) -> None:
        """Free the slot of a call that was not sent."""
        self._local.cancel()
        if not bulk:
            self._forecast.demand.cancel()
        if self.store_share is not None:
            self.store_share.leases.cancel()

    def settle(self, now: float, *, reported: bool = False) -> None:
        """Count a call as ended, with a response or without: it holds its slot for another window.

        Args:
            now: The time.
            reported: Whether its response reported the service's count, as `learn` returns. If not, the call is
                subtracted from the last count that the service reported.
        """
        self._local.settle(now)
        if self.store_share is not None:
            self.store_share.leases.settle(now)
        if not reported:
            self._service.count_unreported()

    def learn(self, headers: Mapping[str, str], now: float, wall: datetime) -> bool:
        """Read the service's own count from the headers of a response; return whether they had one."""
        self._gate.answered(now)
        reported = self._service.learn(
            headers, now, wall, window=self._window, guard=self._guard, precision=self._precision
        )
        if self._limit is not None and self._service.named_limit is not None:
            # If the service names fewer calls than the user, the key has a smaller plan.
            self._local.given_limit = portion(min(self._limit, self._service.named_limit), self._share)
        if reported and self._unexplained_until == -math.inf and (limit := self._key_limit()) is not None:
            # Calls that were gone before the first response are the others', if these may have spent so many. If not,
            # this program has spent some of them before it was restarted, and perhaps all that it may.
            gone, own = limit - (self._service.remaining(now) or 0) - self._local.used, portion(limit, self._share)
            self._unexplained = min(gone, own) if gone > limit - own else 0
            self._unexplained_until = now + self._window + self._guard
        if reported and self.store_share is not None:
            self.store_share.leases.note_remaining(self._service.remaining(now), self._service.resets_at)
        return reported

    def pause(self, seconds: float, now: float) -> None:
        """Send no call for some seconds, since the service has refused one; call `settle` for the refused one first."""
        if self._service.limit is None:
            self._local.learn_from_refusal(now, seconds)
        self._gate.pause(seconds, now)
        if self.store_share is not None:
            self.store_share.leases.pause(self._gate.paused_until, now)

    def wait_time(self, now: float, *, bulk: bool = False) -> float | None:
        """Return the seconds until a slot may be free: 0 if one is; ``None`` if that depends on a call in flight.

        Bulk calls do not get the slots that interactive calls are about to need.
        """
        share = self.store_share
        part = None if share is None else share.part_alone(now, self._key_limit())
        # The first reason to wait decides.
        wait: float | None = self._gate.wait_time(now, in_flight=self._local.in_flight)
        if wait == 0:
            wait = self._wait_for_local_slot(now, part)
        if wait == 0 and (share is None or part is not None):
            # Otherwise the store decides: it knows this number, and what other processes have reported since.
            wait = self._wait_for_service_slot(now)
        if wait == 0 and share is not None:
            wait = share.leases.wait_time(now)
        if wait == 0 and bulk:
            wait = self._wait_for_bulk_slot(now)
        return wait

    def awaits_response(self, now: float) -> bool:
        """Return whether it is unknown how many calls remain, so that no error may say that they are used up."""
        return self._gate.awaits_response(now)

    def min_wait(self, now: float, before: int = 0) -> float:
        """Return a call's minimum wait in seconds, if `before` calls go first and those in flight end now."""
        seconds = max(0.0, self._gate.paused_until - now)
        local, service = self._local_slots(now), self._service_slots(now)
        if service is not None and before >= service + self._local.in_flight:
            seconds = max(seconds, self._service.resets_at - now)
        if local is not None and (missing := before - local - self._local.in_flight) >= 0:
            seconds = max(seconds, self._local.earliest_free_at(missing) - now)
        return seconds

    def shortage(self, now: float) -> str:
        """Say why a call waits now."""
        limit = self._key_limit()
        share = "" if self._share == 1 else f"this program's {self._share:.0%} of "
        whole = "the key's rate limit" if limit is None else f"{limit:,} calls in {in_seconds(self._window)}"
        budget = f"the call budget ({share}{whole})"
        if self.wait_time(now) == 0:
            return f"the calls that are left of {budget} are kept for other work of this program"
        if now < self._gate.paused_until:
            return f"{budget} is used up, says the service"
        return f"{budget} is used up"

    def slots_until(self, now: float, until: float) -> float:
        """Count the slots that are free now or are certain to become free before a moment."""
        return self._forecast.slots_until(now, until, self._service_slots(now))

    def bulk_slots(self, now: float) -> float:
        """Count the slots that bulk calls may take now; infinite if the limit is unknown."""
        return self._forecast.bulk_slots(now, self._local_slots(now), self._service_slots(now))

    def listing_reserve(self, pages: int, page_seconds: float) -> int:
        """Count the slots to reserve for a listing with `pages` pages left that takes `page_seconds` for each."""
        return self._forecast.listing_reserve(pages, page_seconds)

    def max_listings(self, token_life: float) -> float:
        """Count the listings that can all get a call for their next page before its token expires."""
        return self._forecast.max_listings(token_life)

    def spacing(self, now: float) -> float:
        """Return the seconds to leave between two calls that have waited: above 0 only for a while after a pause."""
        spread = self._gate.spread(now)
        if spread == 0:
            return 0.0
        known = self._local.limit is not None or self._service.full_limit is not None
        return spread / ((self._forecast.limit() if known else None) or DEVELOPER.calls)

    def snapshot(self, now: float, wall: datetime) -> RateLimitSnapshot:
        """Return the state of the budget at this moment."""
        from pyas_async._moments import in_utc, plus  # noqa: PLC0415 -- many programs never ask

        local, service = self._local_slots(now), self._service_slots(now)
        known = [slots for slots in (local, service) if slots is not None]
        remaining = max(0, min(known)) if known else None
        resets = [self._gate.paused_until]
        # More calls become available when the lower of the two counts rises.
        if local is not None and local <= min(known):
            resets += list(islice(self._local.freed_at, 1))
        if service is not None and service <= min(known):
            resets.append(self._service.resets_at)
        return RateLimitSnapshot(
            limit=self._key_limit() if self._limit or self._service.named_limit else None,
            remaining=0 if now < self._gate.paused_until else remaining,
            resets_at=plus(in_utc(wall) or wall, seconds=max(resets) - now) if max(resets) > now else None,
            waiting=len(self.queue),
        )

    def _wait_for_local_slot(self, now: float, part: "EqualPart | None") -> float | None:
        """Return the seconds until our own count has a free slot; `part` is the bound while processes count alone."""
        free = self._local_slots(now)
        if free is not None and part is not None:
            free = min(free, part.slots - self._local.used)
        if free is None or free >= 1:
            return 0.0
        moments = [self._local.next_freed_at(), None if part is None else part.until]
        known = [moment for moment in moments if moment is not None]
        return min(known) - now if known else None

    def _wait_for_service_slot(self, now: float) -> float:
        """Return the seconds until the service's count has a free slot."""
        free = self._service_slots(now)
        return 0.0 if free is None or free >= 1 else self._service.resets_at - now

    def _wait_for_bulk_slot(self, now: float) -> float:
        """Return the seconds until a slot may be free for a bulk call, while one is free for other calls."""
        if self.bulk_slots(now) >= 1:
            return 0.0
        # As time passes, fewer slots are reserved. So check again soon, or when the next slot becomes free.
        freed_at = self._local.next_freed_at()
        check_in = self._window / _CHECKS if freed_at is None else min(self._window / _CHECKS, freed_at - now)
        return max(TICK, check_in)

    def _local_slots(self, now: float) -> int | None:
        """Slots that are free by our own count; ``None`` if the limit is unknown, or the service counts them."""
        free = self._local.free_slots(now)
        if free is None and self._service.full_limit is not None and self._service.remaining(now) is None:
            return portion(self._service.full_limit, self._share) - self._local.used
        return free

    def _service_slots(self, now: float) -> int | None:
        """Slots that are free by the service's count; ``None`` if it has not said, or its window has ended."""
        if (remaining := self._service.remaining(now)) is None:
            return None
        return remaining - self._others_reserve(remaining, now) - self._local.in_flight

    def _others_reserve(self, remaining: int, now: float) -> int:
        """How many of the remaining calls `share` leaves to other programs, less those already spent by them."""
        if self._share == 1 or (limit := self._key_limit()) is None:
            return 0
        own = self._local.used - self._local.in_flight + (self._unexplained if now < self._unexplained_until else 0)
        return max(0, limit - portion(limit, self._share) - max(0, limit - remaining - own))

    def _key_limit(self) -> int | None:
        """Calls per window of the key: the user's limit, or the service's if that is lower or the only one."""
        if self._limit is None or self._service.named_limit is None:
            return self._limit or self._service.limit
        return min(self._limit, self._service.named_limit)

    def _share_through(self, store: "BudgetStore") -> "StoreShare":
        from pyas_async._core.ratelimit.leases import Leases, StoreShare  # noqa: PLC0415 -- most programs have no store
        from pyas_async._core.ratelimit.store import BudgetStore  # noqa: PLC0415 -- as above

        if not isinstance(store, BudgetStore):
            expected = "a BudgetStore, an object with `async def lease(report)`"
            msg = f"RateBudget store: expected {expected}, got {shown(store)}"
            raise ConfigurationError(msg)
        return StoreShare(
            leases=Leases(store),
            limit=None if self._limit is None else portion(self._limit, self._share),
            window=self._window + self._guard,
            share=self._share,
            local=self._local,
            forecast=self._forecast,
            queue=self.queue,
        )
