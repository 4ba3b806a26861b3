"""One run: a contender in a world, and its figures."""

from __future__ import annotations

import contextlib
import math
import time
import traceback
from typing import TYPE_CHECKING, Final
from unittest import mock

import attrs
import trio
from trio.testing import MockClock

import inside
from simulation.byhand import Queue, Semaphore, Workers
from simulation.fleets import Apart, Shares, Stored, UnevenShares, UnevenStored
from simulation.ours import Ours, Pairs
from simulation.service import Service

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simulation.contender import Contender
    from simulation.world import World

CONTENDERS: Final[dict[str, type[Contender]]] = {
    "ours": Ours,
    "pairs": Pairs,
    "semaphore": Semaphore,
    "queue": Queue,
    "workers": Workers,
    "apart": Apart,
    "shares": Shares,
    "uneven-shares": UnevenShares,
    "stored": Stored,
    "uneven-stored": UnevenStored,
}
CAP: Final = 5.0
"""A run is cut off when it takes this many times the bound, in calls or in seconds."""


@attrs.frozen(kw_only=True)
class Figures:
    """The result of a run.

    Attributes:
        calls: Calls that the service counted.
        pages: How many of these were for pages, with valid tokens or expired ones.
        least: How many would have been enough for all pages.
        refused: Calls over the limit, which are not counted.
        expired: Calls whose token had expired.
        restarts: Listings that were begun again.
        done: Accounts that were listed to the end.
        accounts: How many accounts there were.
        seconds: When the last listing ended, or the run was cut off.
        bound: When it could have ended.
        waits: Seconds that each single call took beyond its own latency, in ascending order; for those that still
            waited when the run was cut off, until then.
        real: Seconds of real time.
        cpu: Seconds of processor time.
        failures: What was raised, by where it was raised.
        trace: The first traceback of these.
    """

    calls: int
    pages: int
    least: int
    refused: int
    expired: int
    restarts: int
    done: int
    accounts: int
    seconds: float
    bound: float
    waits: list[float] = attrs.field(repr=False)
    real: float
    cpu: float
    failures: dict[str, str]
    trace: str = attrs.field(repr=False)

    @property
    def ended(self) -> bool:
        """Whether all accounts were listed; otherwise the run was cut off, or failed."""
        return self.done == self.accounts

    @property
    def spent(self) -> float:
        """Calls for pages over the least possible."""
        return self.pages / self.least

    @property
    def makespan(self) -> float:
        """The end over the bound."""
        return self.seconds / self.bound

    def wait(self, part: float) -> float | None:
        """Return the longest wait in this part of the single calls, the shortest first; ``None`` if there were none."""
        return self.waits[math.ceil(part * len(self.waits)) - 1] if self.waits else None


def run(world: World, contender: str, *, cap: float = CAP) -> Figures:
    """Run a contender; the same arguments give the same figures, except for real and processor time."""
    with _repeatable(world.seed):
        return trio.run(_run, world, CONTENDERS[contender], cap, clock=MockClock(autojump_threshold=0))


@contextlib.contextmanager
def _repeatable(seed: int) -> Iterator[None]:
    """Let trio run the tasks of one moment in the same order every time; by default it is random."""
    module, in_order, order = inside.trio_order()
    state = order.getstate()
    order.seed(seed)
    try:
        with mock.patch.object(module, in_order, new=True):
            yield
    finally:
        order.setstate(state)


async def _run(world: World, kind: type[Contender], cap: float) -> Figures:
    began, busy, bound = time.perf_counter(), time.process_time(), world.bound
    scope = trio.CancelScope(deadline=cap * bound.seconds)
    service = Service(world, most=math.ceil(cap * bound.calls), enough=scope.cancel)
    contender = kind(service)
    ended, waits = math.nan, list[float]()
    with contender.noting("the run"), scope:
        async with contender.opened(), trio.open_nursery() as singles:
            arriving = await singles.start(_arrive, contender, singles, waits)
            try:
                await contender.list_all()
            finally:
                ended = trio.current_time()
                arriving.cancel()
    counts, failures = service.counts, contender.failures
    return Figures(
        calls=counts.total() - counts["refused"],
        pages=counts["page"] + counts["expired"],
        least=world.least,
        refused=counts["refused"],
        expired=counts["expired"],
        restarts=contender.restarts,
        done=contender.done,
        accounts=world.accounts,
        seconds=ended,
        bound=bound.seconds,
        waits=sorted(waits),
        real=time.perf_counter() - began,
        cpu=time.process_time() - busy,
        failures={where: f"{type(error).__name__}: {error}" for where, error in failures.items()},
        trace="".join(traceback.format_exception(next(iter(failures.values())))) if failures else "",
    )


async def _arrive(
    contender: Contender,
    singles: trio.Nursery,
    waits: list[float],
    task_status: trio.TaskStatus[trio.CancelScope] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Let single calls arrive until cancelled; those in progress are finished."""
    with trio.CancelScope() as scope:
        task_status.started(scope)
        for number, at in enumerate(contender.service.world.arrivals()):
            await trio.sleep_until(at)
            singles.start_soon(_get, contender, number, waits)


async def _get(contender: Contender, number: int, waits: list[float]) -> None:
    began = trio.current_time()
    try:
        with contender.noting(f"single call {number}"):
            await contender.get(number)
    finally:
        waits.append(max(0.0, trio.current_time() - began - contender.service.world.latency(number, -1)))
