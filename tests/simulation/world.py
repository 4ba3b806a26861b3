"""What a run of the simulation consists of: a plan, accounts, calls that arrive meanwhile, and the least it can take.

All chance is drawn from the seed, and belongs to the account, the page or the call rather than to the order in which
calls are made: whoever is simulated finds the same world.
"""

from __future__ import annotations

import functools
import itertools
import math
from random import Random
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import attrs

if TYPE_CHECKING:
    from collections.abc import Iterator

TOKEN_LIFE: Final = 900.0
LATENCY: Final = (0.1, 0.5)
"""Seconds that a call takes, at least and at most; half of them on the way there."""
SHORT: Final = (1, 5)
"""Pages of an account, at least and at most; of all but one, unless a world says otherwise."""
LONG: Final = 300
"""Pages of that one."""
Window: TypeAlias = Literal["fixed", "sliding"]

_DRAWS: Final = 10_007


@attrs.frozen
class Plan:
    """What a key may spend.

    Attributes:
        name: What it is called.
        limit: Calls in a window.
        window: Seconds.
        monthly: Calls in a month; ``None`` if they are not limited.
    """

    name: str
    limit: int
    window: float = 300.0
    monthly: int | None = None


PLANS: Final = {
    plan.name: plan for plan in (Plan("developer", 100, monthly=2_000), Plan("growth", 3_000), Plan("scale", 5_000))
}


@attrs.frozen
class Bound:
    """The least that a run can take.

    Attributes:
        seconds: When the last listing can end at the earliest.
        calls: Calls until then, those that arrive meanwhile among them.
    """

    seconds: float
    calls: int


@attrs.frozen(kw_only=True, slots=False)
class World:
    """One run's conditions.

    Attributes:
        plan: What the key may spend.
        accounts: How many are listed; the listings are begun all at once.
        window: How the service counts: in windows of its own, that begin at any time, or over the last seconds.
        headers: Whether answers other than a refusal tell the count, too.
        interactive: The part of the plan that calls which arrive meanwhile would take: single calls, at any time.
        short: Pages of the other listings, at least and at most.
        long: Pages of the one long listing.
        seed: Where all chance comes from.
    """

    plan: Plan
    accounts: int
    window: Window = "fixed"
    headers: bool = True
    interactive: float = 0.05
    short: tuple[int, int] = SHORT
    long: int = LONG
    seed: int = 1

    @functools.cached_property
    def pages(self) -> tuple[int, ...]:
        """Pages of each account."""
        chance = Random(f"pages {self.seed}")
        pages = [chance.randint(*self.short) for _ in range(self.accounts)]
        pages[chance.randrange(self.accounts)] = self.long
        return tuple(pages)

    @functools.cached_property
    def phase(self) -> float:
        """When the service's first whole window begins."""
        return Random(f"phase {self.seed}").uniform(0, self.plan.window)

    @property
    def least(self) -> int:
        """Calls that the listings take at least."""
        return sum(self.pages)

    def latency(self, account: int, page: int) -> float:
        """Seconds that the call for a page takes, from 0 on; for a single call, its number and -1."""
        return self._latencies[(account * 6_151 + page * 1_543) % _DRAWS]

    @functools.cached_property
    def _latencies(self) -> list[float]:
        chance = Random(f"latencies {self.seed}")
        return [chance.uniform(*LATENCY) for _ in range(_DRAWS)]

    def arrivals(self) -> Iterator[float]:
        """Tell when single calls arrive, for ever: at random, as those of many users do."""
        if not self.interactive:
            return iter(())
        chance = Random(f"arrivals {self.seed}")
        rate = self.interactive * self.plan.limit / self.plan.window
        return itertools.accumulate(chance.expovariate(rate) for _ in itertools.count())

    @functools.cached_property
    def bound(self) -> Bound:
        """The least that the run can take, for whoever must not be refused and does not know the service's windows.

        Two things hold everybody back:

        - **The limit.** The windows of the service may begin at any time, so a call is safe only if any span of a
          window's length holds no more calls than the limit. Then C calls need ``ceil(C / limit)`` bursts, each of them
          a window after the one before, and the last of them ends after a call's latency, taken here as the least that
          there is. Somebody who could see the future would reach that: in each burst, calls for which nothing else need
          be awaited.
        - **The longest chain.** Pages of a listing come one after the other, so it takes the sum of their latencies.

        C counts the pages, and the single calls that arrived until that end: they are to be served as well. These make
        the end later, and that more of them: it is the first end that all calls which arrived by then allow.

        A fixed window lets one be faster by up to one window: who knows when it ends, be it by having been refused, can
        spend a whole limit just before and another just after. A makespan below the bound says that this has happened.
        """
        chain = max(
            sum(self.latency(account, page) for page in range(pages)) for account, pages in enumerate(self.pages)
        )
        calls, seconds = self.least, 0.0
        arrivals = self.arrivals()
        due = next(arrivals, math.inf)
        while True:
            bursts = math.ceil(calls / self.plan.limit)
            seconds = max((bursts - 1) * self.plan.window + LATENCY[0], chain)
            if due > seconds:
                return Bound(seconds, calls)
            calls += 1
            due = next(arrivals, math.inf)
