"""The conditions of a simulated run: a plan, accounts, calls that arrive meanwhile, and the least that it can take.

All randomness comes from the seed, and depends on the account, the page or the call rather than on the order of calls.
So each contender has the same conditions.
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
"""Seconds that a call takes, at least and at most; half of them until it reaches the service."""
SHORT: Final = (1, 5)
"""Pages of an account, at least and at most, for all accounts but one; the default of a world."""
LONG: Final = 300
"""Pages of that one account."""
Window: TypeAlias = Literal["fixed", "sliding"]

_DRAWS: Final = 10_007


@attrs.frozen
class Plan:
    """What a key may spend.

    Attributes:
        name: Its name.
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
    """The conditions of one run.

    Attributes:
        plan: What the key may spend.
        accounts: How many are listed; all listings begin at once.
        window: How the service counts: in fixed windows, which begin at any time, or over the last seconds.
        headers: Whether all responses have the count, or only refusals.
        interactive: The part of the plan that single calls take, which arrive meanwhile at any time.
        short: Pages of the other listings, at least and at most.
        long: Pages of the one long listing.
        seed: The seed of all randomness.
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
        """The least calls that the listings take."""
        return sum(self.pages)

    def latency(self, account: int, page: int) -> float:
        """Return the seconds that the call for a page takes, from 0 on; for a single call, pass its number and -1."""
        return self._latencies[(account * 6_151 + page * 1_543) % _DRAWS]

    @functools.cached_property
    def _latencies(self) -> list[float]:
        chance = Random(f"latencies {self.seed}")
        return [chance.uniform(*LATENCY) for _ in range(_DRAWS)]

    def arrivals(self) -> Iterator[float]:
        """Return when single calls arrive, without end: at random, as those of many users do."""
        if not self.interactive:
            return iter(())
        chance = Random(f"arrivals {self.seed}")
        rate = self.interactive * self.plan.limit / self.plan.window
        return itertools.accumulate(chance.expovariate(rate) for _ in itertools.count())

    @functools.cached_property
    def bound(self) -> Bound:
        """The least that the run can take without a refusal, and without knowledge of the service's windows.

        Two things are bounds:

        - **The limit.** The windows of the service may begin at any time, so a call is safe only if any span of a
          window's length holds no more calls than the limit. Then C calls need ``ceil(C / limit)`` bursts, each of them
          a window after the one before. The last of them ends after a call's latency, taken here as the lowest possible
          one. A program that knew the future would reach that, with calls in each burst that need not wait for others.
        - **The longest chain.** Pages of a listing come one after the other, so it takes the sum of their latencies.

        C counts the pages, and the single calls that arrive before the end, which must be made as well. They make the
        end later, which lets more of them arrive. The bound is the first end that leaves time for all of them.

        With fixed windows, a program can be faster by up to one window: if it knows when a window ends, even from a
        refusal, it can spend one limit just before and another just after. A makespan below the bound shows that.
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
