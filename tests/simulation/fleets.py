"""Several processes with one key: each is a client of its own, and lists its part of the accounts."""

from __future__ import annotations

import abc
import contextlib
import itertools
import math
from collections import deque
from typing import TYPE_CHECKING, ClassVar, Final

import attrs
import trio

from pyas_async import BudgetLease, RateBudget
from simulation.contender import Contender
from simulation.ours import client_on
from simulation.service import meetings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from pyas_async import BudgetReport, PyasClient
    from simulation.service import Service

PROCESSES: Final = 4
_ROUND_TRIP: Final = 0.001
_LIFE: Final = 1.0


class Fleet(Contender):
    """Processes, and the budget of each. The first lists `heavy` accounts out of ten; the others divide the rest."""

    heavy: ClassVar[float] = 10 / PROCESSES

    def __init__(self, service: Service) -> None:
        super().__init__(service)
        self._made = [client_on(service, budget, f"process {at}") for at, budget in enumerate(self.budgets())]

    @abc.abstractmethod
    def budgets(self) -> list[RateBudget]:
        """Make a budget for each process."""

    @contextlib.asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """Close the clients at the end."""
        async with contextlib.AsyncExitStack() as stack:
            for http, client in self._made:
                await stack.enter_async_context(http)
                await stack.enter_async_context(client)
            yield

    async def list_all(self) -> None:
        """Let each process list its part, and check that all rows of each account came."""
        accounts = self.service.world.accounts
        heavy = round(accounts * self.heavy / 10)
        cuts = [0, *(heavy + (accounts - heavy) * part // (PROCESSES - 1) for part in range(PROCESSES))]
        async with trio.open_nursery() as nursery:
            for (_, client), (first, last) in zip(self._made, itertools.pairwise(cuts), strict=True):
                nursery.start_soon(self._list, client, range(first, last))

    async def list_one(self, account: int) -> None:
        """List one account: not used."""
        raise NotImplementedError

    async def get(self, number: int) -> None:
        """Make a single call, with the processes taking turns."""
        client = self._made[number % PROCESSES][1].with_options(deadline=None)
        assert number + 1 == (await client.meetings.get(number + 1, account_id="0")).id

    async def _list(self, client: PyasClient, accounts: range) -> None:
        seen: dict[int, list[int]] = {}
        with self.noting(f"accounts from {accounts.start}"):
            async with client.meetings.iter_accounts(map(str, accounts)) as pairs:
                async for account_id, meeting in pairs:
                    seen.setdefault(int(account_id), []).append(meeting.id)
            self.restarts += pairs.stats.restarts
            self.failures.update(pairs.failures)
        pages = self.service.world.pages
        self.done += sum(list(meetings(number, pages[number])) == seen.get(number) for number in accounts)


class Apart(Fleet):
    """Each process takes the whole limit for itself."""

    about: ClassVar[str] = "four processes that know nothing of each other"

    def budgets(self) -> list[RateBudget]:
        """Make budgets with the whole limit."""
        plan = self.service.world.plan
        return [RateBudget(plan.limit, window=plan.window) for _ in range(PROCESSES)]


class Shares(Fleet):
    """Each process has a quarter of the limit."""

    about: ClassVar[str] = "four processes, a share of a quarter each"

    def budgets(self) -> list[RateBudget]:
        """Make budgets with a share."""
        plan = self.service.world.plan
        return [RateBudget(plan.limit, window=plan.window, share=1 / PROCESSES) for _ in range(PROCESSES)]


class UnevenShares(Shares):
    """One process has seven accounts out of ten."""

    about: ClassVar[str] = "the same, and one of them has seven of ten accounts"
    heavy = 7


class Stored(Fleet):
    """A store counts the calls of all processes."""

    about: ClassVar[str] = "four processes with a store"

    def budgets(self) -> list[RateBudget]:
        """Make budgets with stores that ask one `Count`."""
        plan = self.service.world.plan
        count = Count(plan.limit)
        return [RateBudget(plan.limit, window=plan.window, store=Store(count, process)) for process in range(PROCESSES)]


class UnevenStored(Stored):
    """One process has seven accounts out of ten."""

    about: ClassVar[str] = "the same, and one of them has seven of ten accounts"
    heavy = 7


@attrs.define
class Count:
    """The slots of a key: those that calls hold, and those that processes have leased and not reported yet."""

    limit: int
    at_once: int | None = None
    """The largest number of slots in a lease; ``None`` for a part of the free ones."""
    held: deque[tuple[float, int]] = attrs.field(factory=deque)
    leased: dict[int, tuple[float, int]] = attrs.field(factory=dict)
    seen: dict[int, float] = attrs.field(factory=dict)
    paused_until: float = -math.inf

    def lease(self, process: int, report: BudgetReport, now: float) -> BudgetLease:
        """Count what a process reports, and lease it its part of the free slots at most."""
        while self.held and self.held[0][0] <= now:
            self.held.popleft()
        # An expired lease may have been used, by a process that reports late or was killed. It is held for a window.
        self.leased = {other: lease for other, lease in self.leased.items() if now < lease[0] + report.window}
        expires, had = self.leased.pop(process, (-math.inf, 0))
        left = max(0, had - report.sent - report.under_way - report.unused) if now < expires else 0
        if report.sent:
            self.held.append((now + report.window, report.sent))
        self.seen[process] = now
        self.paused_until = max(self.paused_until, now + report.paused_for if report.paused_for else -math.inf)
        active = sum(now - moment < report.window for moment in self.seen.values())
        left += report.under_way
        taken = sum(slots for _, slots in [*self.held, *self.leased.values()]) + left
        free = 0 if now < self.paused_until else max(0, self.limit - taken)
        most = min(free, self.at_once) if self.at_once else math.ceil(free / active)
        slots = min(report.wanted, most)
        if slots + left:
            self.leased[process] = (now + _LIFE, slots + left)
        again = min(_LIFE, self.held[0][0] - now) if self.held else _LIFE
        return BudgetLease(places=slots, expires_in=_LIFE, ask_again_in=again, processes=active)


@attrs.frozen
class Store:
    """What one process asks the count with."""

    count: Count
    process: int

    async def lease(self, report: BudgetReport) -> BudgetLease:
        """Ask it; a round trip takes time."""
        await trio.sleep(_ROUND_TRIP / 2)
        lease = self.count.lease(self.process, report, trio.current_time())
        await trio.sleep(_ROUND_TRIP / 2)
        return lease
