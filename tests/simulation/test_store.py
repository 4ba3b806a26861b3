"""However long a call takes to reach the service, processes that share a store keep to the limit in any window."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import trio
from trio.testing import MockClock

from pyas_async import RateBudget
from pyas_async._core.ratelimit.tickets import Ticket
from pyas_async._runtime.clock import Clock
from pyas_async._runtime.ratelimit.limiter import RateLimiter
from simulation.fleets import Count, Store

if TYPE_CHECKING:
    from collections.abc import Sequence

WINDOW = 100.0
LIMIT = 20


async def spend(limiter: RateLimiter, seconds: float, calls: int, counted: list[float]) -> None:
    """Make calls one after the other. The service counts each at its end, a number of seconds after it went out."""
    for _ in range(calls):
        ticket = Ticket(bulk=True)
        if not limiter.try_acquire(ticket):
            await limiter.acquire(ticket)
        await trio.sleep(seconds)
        counted.append(trio.current_time())
        limiter.budget.settle(trio.current_time())
        limiter.grant_waiting()


@pytest.mark.parametrize("slow", [(0.1, 0.1, 0.1), (0.1, 7.0, 20.0), (0.1, 0.1, 60.0)])
def test_calls_that_reach_the_service_late(slow: Sequence[float]) -> None:
    """No window has more calls than the limit, though a call is counted long after it went out."""
    counted: list[float] = []

    async def main() -> None:
        count = Count(LIMIT)
        async with trio.open_nursery() as nursery:
            for process, seconds in enumerate(slow):
                budget = RateBudget(LIMIT, window=WINDOW, guard=0.0, store=Store(count, process))
                for _ in range(3):
                    limiter = RateLimiter(budget, Clock(now=trio.current_time))
                    nursery.start_soon(spend, limiter, seconds, 12, counted)

    trio.run(main, clock=MockClock(autojump_threshold=0))
    assert 108 == len(counted)
    assert LIMIT >= max(sum(1 for at in counted if start <= at < start + WINDOW) for start in counted)
