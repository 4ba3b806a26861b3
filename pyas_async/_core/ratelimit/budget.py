"""The call budget of one API key: how many calls may go out now, and when the next may.

The service counts calls per key and five minutes, and does not say when its window begins. So a call occupies its place
from the moment it goes out until a whole window after its answer: that is within the limit for every phase of the
service's window. What the service itself reports corrects the count downward.
"""

import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Self

import attrs

from pyas_async._checks import number, whole_number
from pyas_async._core.ratelimit.counters import LocalCounter, ServiceCounter
from pyas_async._core.ratelimit.forecast import SPREAD, TICK, Forecast
from pyas_async._core.ratelimit.queue import Queue
from pyas_async._public import public
from pyas_async.errors import ConfigurationError, shown
from pyas_async.plans import DEVELOPER, GROWTH, SCALE
from pyas_async.plans._plan import GUARD, MOST, WINDOW, portion

if TYPE_CHECKING:
    from pyas_async._core.ratelimit.store import BudgetStore
    from pyas_async._core.ratelimit.store_share import StoreShare

_FEELING = 1.0
"""Seconds for which one call goes ahead where nobody knows what is left; a slow answer must not hold the others up."""
_LOOKS = 16
"""How often in a window it is looked again whether something must still be kept back."""


@public
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


@public
class RateBudget:
    """The calls that one API key may spend. Pass one instance to several clients that use the same key.

    Without a limit it learns from the service's answers: the ``X-RateLimit-…`` headers, and a 429.
    """

    def __init__(
        self,
        limit: int | None = None,
        *,
        window: float = WINDOW,
        share: float = 1.0,
        guard: float = GUARD,
        store: "BudgetStore | None" = None,
    ) -> None:
        """Set the budget.

        Args:
            limit: Calls per window; ``None`` to learn from the answers alone.
            window: Seconds; the service's is 300.
            share: The part of the limit that this program may spend, above 0 and at most 1; with a store, the part that
                all of its processes together may, each of which names the same.
            guard: Seconds by which a call's place is freed later than need be, for delays that vary.
            store: Counts the calls of several processes that use the key; without one, this process counts its own.

        Raises:
            ConfigurationError: If a number is out of bounds.
        """
        error, unit = ConfigurationError, "None, or a whole number of calls"
        if limit is not None:
            whole_number("RateBudget limit", limit, minimum=1, maximum=MOST, digits=False, unit=unit, error=error)
        number("RateBudget window", window, above=True, unit="seconds", error=error)
        number("RateBudget share", share, above=True, maximum=1, unit="a part", error=error)
        number("RateBudget guard", guard, unit="seconds", error=error)
        self.queue: Queue = Queue()
        self._limit = limit
        self._window = window
        self._share = share
        self._guard = guard
        self._own = LocalCounter(None if limit is None else self._allowed(limit), window + guard, share=share)
        self._service = ServiceCounter()
        self._outlook = Forecast(self._own, self._service, window=window, guard=guard, share=share)
        self.sharing: StoreShare | None = None if store is None else self._shared_through(store)
        self._paused_until = -math.inf
        self._spread = 0.0
        self._answered_at = -math.inf
        self._feeling_until = -math.inf
        self._doubtful, self._doubtful_until = 0, -math.inf

    @classmethod
    def developer(cls, *, share: float = 1.0, store: "BudgetStore | None" = None) -> Self:
        """Give the budget of the Developer plan: 100 calls per five minutes."""
        return cls(DEVELOPER.calls, window=DEVELOPER.window, share=share, store=store)

    @classmethod
    def growth(cls, *, share: float = 1.0, store: "BudgetStore | None" = None) -> Self:
        """Give the budget of the Growth plan: 3,000 calls per five minutes."""
        return cls(GROWTH.calls, window=GROWTH.window, share=share, store=store)

    @classmethod
    def scale(cls, *, share: float = 1.0, store: "BudgetStore | None" = None) -> Self:
        """Give the budget of the Scale plan: 5,000 calls per five minutes."""
        return cls(SCALE.calls, window=SCALE.window, share=share, store=store)

    @property
    def in_flight(self) -> int:
        """Calls under way; what they give back may come at any time."""
        return self._own.in_flight

    def took(self, now: float, *, bulk: bool) -> None:
        """Take note that a call goes out now."""
        self._own.in_flight += 1
        self._feeling_until = now + _FEELING
        if self.sharing is not None:
            self.sharing.leases.took()
        if not bulk:
            self._outlook.interactive(now)

    def release(self, *, bulk: bool = True) -> None:
        """Give back a place whose call never went out."""
        self._own.in_flight -= 1
        if not bulk:
            self._outlook.interactive_withdrawn()
        if self.sharing is not None:
            self.sharing.leases.release()

    def spent(self, now: float, *, told: bool = False) -> None:
        """Take note that a call is over, answered or not; its place stays taken for a window.

        Unless an answer has told what the service counts (`learn`), the call counts there as well.
        """
        self._own.spent(now)
        if self.sharing is not None:
            self.sharing.leases.over(now)
        if not told:
            self._service.uncounted()

    def learn(self, headers: Mapping[str, str], now: float, wall: datetime) -> bool:
        """Take the service's own count from an answer's headers; say whether there was one."""
        self._answered_at = now
        told = self._service.learn(headers, now, wall, self._window, self._guard)
        if self._limit is not None and self._service.told is not None:
            # A plan that is smaller than the one that was given: the service knows better.
            self._own.given = self._allowed(min(self._limit, self._service.told))
        if told and self._doubtful_until == -math.inf and (limit := self._whole()) is not None:
            # Gone before we came: it may have been this program's, if it was started anew.
            self._doubtful = max(0, limit - (self._service.left(now) or 0) - self._own.used)
            self._doubtful_until = now + self._window + self._guard
        if told and self.sharing is not None:
            self.sharing.leases.heard(self._service.left(now), self._service.resets)
        return told

    def pause(self, seconds: float, now: float) -> None:
        """Let nothing out for so many seconds: the service has turned a call away, which is over (`spent`)."""
        if self._service.limit is None:
            self._own.refused(now, seconds)
        self._paused_until = max(self._paused_until, now + seconds)
        self._spread = min(self._paused_until - now, self._window * SPREAD)
        self._answered_at = -math.inf
        if self.sharing is not None:
            self.sharing.leases.paused(self._paused_until, now)

    def wait(self, now: float, *, bulk: bool = False) -> float | None:
        """Seconds until a place may be free: 0 if one is; ``None`` if that hangs on a call under way.

        Of bulk, what interactive calls are about to need is kept back.
        """
        if (self._own.in_flight or now < self._paused_until) and (held := self._held_until(now)) > now:
            return held - now
        own, left = self._connections(now), self._service.left(now)
        part = None if self.sharing is None else self.sharing.own_part(now, self._whole())
        if self.sharing is not None and part is None:
            # The store is told with the question for places, and knows what others have been told since.
            left = None
        if own is not None and part is not None:
            own = min(own, part[0] - self._own.used)
        if own is not None and own < 1:
            freed = self._own.next_freed()
            if part is not None:
                freed = part[1] if freed is None else min(freed, part[1])
            return None if freed is None else freed - now
        if left is not None and left - self._own.in_flight - (0 if self._share == 1 else self._reserve(left, now)) < 1:
            return self._service.resets - now
        if self.sharing is not None and self.sharing.leases.empty(now):
            return self.sharing.leases.ask_in(now)
        if bulk and self.spare(now) < 1:
            freed = self._own.next_freed()
            look = now + self._window / _LOOKS  # what is kept back grows less with time, too
            return max(TICK, (look if freed is None else min(look, freed)) - now)
        return 0.0

    def earliest(self, now: float, ahead: int = 0) -> float:
        """Seconds that a call waits at least if so many go before it, whatever becomes of those under way."""
        seconds = max(0.0, self._paused_until - now)
        own, theirs = self._connections(now), self._theirs(now)
        if theirs is not None and ahead >= theirs + self._own.in_flight:
            seconds = max(seconds, self._service.resets - now)
        if own is not None and (missing := ahead - own - self._own.in_flight) >= 0:
            seconds = max(seconds, self._own.comes_back(missing) - now)
        return seconds

    def slots(self, now: float, until: float) -> float:
        """Count the places that are free now or will surely be before then."""
        return self._outlook.slots(now, until, self._theirs(now))

    def spare(self, now: float) -> float:
        """Count the places that are free for bulk calls, as far as anybody can."""
        return self._outlook.spare(now, self._connections(now), self._theirs(now))

    def claim(self, pages: int, period: float) -> int:
        """Count the places that other bulk calls leave to a listing with so many pages left, and seconds for each."""
        return self._outlook.claim(pages, period)

    def listings(self, life: float) -> float:
        """Count the listings whose tokens, living so long, can all be served in time."""
        return self._outlook.listings(life)

    def step(self, now: float) -> float:
        """Seconds between two calls of a crowd: after a pause they are spread a little, else they go as they can."""
        if now >= self._paused_until + self._spread:
            return 0.0
        known = self._own.allowed is not None or self._service.whole is not None
        return self._spread / ((self._outlook.mine() if known else None) or DEVELOPER.calls)

    def snapshot(self, now: float, wall: datetime) -> RateLimitSnapshot:
        """Show the budget."""
        own, theirs = self._connections(now), self._theirs(now)
        known = [left for left in (own, theirs) if left is not None]
        left = max(0, min(known)) if known else None
        more = [self._paused_until]
        # More comes when what holds calls back, the lesser count, gives way.
        if own is not None and own <= min(known):
            more += list(islice(self._own.freed_at, 1))
        if theirs is not None and theirs <= min(known):
            more.append(self._service.resets)
        return RateLimitSnapshot(
            limit=self._whole() if self._limit or self._service.told else None,
            remaining=0 if now < self._paused_until else left,
            resets_at=(wall + timedelta(seconds=max(more) - now)).astimezone(UTC) if max(more) > now else None,
            waiting=len(self.queue),
        )

    def _connections(self, now: float) -> int | None:
        """Places that are free by our own count; ``None`` if nobody knows of how many, or the service says it."""
        places = self._own.places(now)
        if places is None and self._service.whole is not None and self._service.left(now) is None:
            return self._allowed(self._service.whole) - self._own.used
        return places

    def _held_until(self, now: float) -> float:
        if now < self._feeling_until and self._own.in_flight and self._feels_its_way(now):
            return max(self._paused_until, self._feeling_until)
        return self._paused_until

    def _theirs(self, now: float) -> int | None:
        """Places that are free by the service's count; ``None`` if it has not said, or its window is over."""
        left = self._service.left(now)
        if left is None:
            return None
        return left - self._reserve(left, now) - self._own.in_flight

    def _reserve(self, left: int, now: float) -> int:
        """Count the calls of those left that are others' by agreement: theirs, but for what they have spent."""
        limit = self._whole()
        if limit is None or self._share == 1:
            return 0
        ours = self._own.used - self._own.in_flight + (self._doubtful if now < self._doubtful_until else 0)
        return max(0, limit - self._allowed(limit) - max(0, limit - left - ours))

    def _feels_its_way(self, now: float) -> bool:
        """Whether nobody can know how much is left, so that one call goes ahead of all others and asks.

        So it is before the first answer, since others may have used the key; after a pause; and, where no limit was
        given or the service has spoken of less, in a window that it has not spoken of yet.
        """
        if self._answered_at == -math.inf:
            return True
        told = self._service.limit
        sure = self._limit is not None and (told is None or told >= self._limit)
        return not sure and self._answered_at < self._service.resets <= now

    def _whole(self) -> int | None:
        """Calls per window that the key has: as given, unless the service names fewer; else as it shows."""
        if self._limit is None or self._service.told is None:
            return self._limit or self._service.limit
        return min(self._limit, self._service.told)

    def _allowed(self, limit: int) -> int:
        """Give this program's part of a limit."""
        return portion(limit, self._share)

    def _shared_through(self, store: "BudgetStore") -> "StoreShare":
        """Share the budget through a store, if it is one."""
        from pyas_async._core.ratelimit.leases import Leases  # noqa: PLC0415 -- most programs have no store
        from pyas_async._core.ratelimit.store import BudgetStore  # noqa: PLC0415 -- as above
        from pyas_async._core.ratelimit.store_share import StoreShare  # noqa: PLC0415 -- as above

        if not isinstance(store, BudgetStore):
            expected = "a BudgetStore, an object with `async def lease(report)`"
            msg = f"RateBudget store: expected {expected}, got {shown(store)}"
            raise ConfigurationError(msg)
        return StoreShare(
            leases=Leases(store),
            limit=None if self._limit is None else self._allowed(self._limit),
            window=self._window + self._guard,
            share=self._share,
            own=self._own,
            outlook=self._outlook,
            queue=self.queue,
        )
