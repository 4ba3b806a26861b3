"""Calls that wait for slots over time, on a clock that jumps."""

from __future__ import annotations

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from trio.testing import MockClock

from core.tools import NOON
from pyas_async import BudgetTimeoutError, RateBudget, RequestTimeoutError
from pyas_async._core.ratelimit.tickets import Ticket
from pyas_async._runtime.clock import Clock
from pyas_async._runtime.ratelimit.limiter import RateLimiter

WINDOW = 10.0

callers = st.lists(
    st.tuples(
        st.floats(0, 60).map(lambda at: round(at, 1)),  # arrives
        st.floats(0, 15).map(lambda at: round(at, 1)),  # its response takes
        st.booleans(),  # bulk
        st.none() | st.floats(0.1, 40).map(lambda at: round(at, 1)),  # is cancelled after
        st.none() | st.floats(0.1, 40).map(lambda at: round(at, 1)),  # its deadline
    ),
    min_size=1,
    max_size=10,
)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 3), callers)
def test_each_call_gets_a_slot_or_an_error(
    limit: int, callers: list[tuple[float, float, bool, float | None, float | None]]
) -> None:
    """No wake-up is lost: a call that may wait gets its slot, never above the limit, never after its deadline."""
    sent: list[float] = []
    ends: list[str] = []

    async def main() -> None:
        budget = RateBudget(limit, window=WINDOW, guard=0.0)
        limiter = RateLimiter(budget, Clock(now=anyio.current_time))

        async def call(at: float, takes: float, bulk: bool, cancelled: float | None, left: float | None) -> None:
            await anyio.sleep(at)
            began = anyio.current_time()
            with anyio.move_on_after(float("inf") if cancelled is None else cancelled):
                try:
                    if not limiter.try_acquire(ticket := Ticket(bulk=bulk)):
                        await limiter.acquire(ticket, left)
                except (BudgetTimeoutError, RequestTimeoutError):
                    assert left is not None
                    ends.append("late")
                    return
                assert left is None or anyio.current_time() <= began + left + 1e-6
                ends.append("granted")
                sent.append(anyio.current_time())
                try:
                    await anyio.sleep(takes)
                finally:
                    budget.settle(anyio.current_time())
                    limiter.grant_waiting()
                return
            ends.append("cancelled")

        with anyio.fail_after(2_000):
            async with anyio.create_task_group() as group:
                for caller in callers:
                    group.start_soon(call, *caller)
        assert 0 == limiter.waiting

    anyio.run(main, backend="trio", backend_options={"clock": MockClock(autojump_threshold=0)})

    assert len(ends) >= len(callers)
    assert all(sum(1 for at in sent if start <= at < start + WINDOW - 1e-6) <= limit for start in sent)


def test_shared_budget() -> None:
    """A waiting call notices a slot that another client with the same budget gives back."""

    async def main() -> float:
        budget = RateBudget(2, window=300.0)
        one, other = (RateLimiter(budget, Clock(now=anyio.current_time)) for _ in range(2))
        one.try_acquire(Ticket())
        budget.settle(anyio.current_time())
        budget.learn({}, 0.0, NOON)
        other.try_acquire(ticket := Ticket())
        began = anyio.current_time()

        async def leave() -> None:
            await anyio.sleep(1.0)
            other.cancel(ticket)

        async with anyio.create_task_group() as group:
            group.start_soon(leave)
            await one.acquire(Ticket())
        return anyio.current_time() - began

    waited = anyio.run(main, backend="trio", backend_options={"clock": MockClock(autojump_threshold=0)})

    assert pytest.approx(1.0) == waited


@pytest.mark.parametrize("looks", range(12))
def test_a_slot_that_comes_free_between_two_looks(looks: int) -> None:
    """Time passes while the queue is looked at. A slot that becomes free meanwhile is noticed."""
    passed = 0

    def now() -> float:
        nonlocal passed
        passed += 1
        return anyio.current_time() + passed * 2**-10

    async def main() -> None:
        budget = RateBudget(1, window=WINDOW, guard=0.0)
        limiter = RateLimiter(budget, Clock(now=now))
        assert limiter.try_acquire(Ticket(bulk=False))
        budget.settle(settled_at := now())
        await anyio.sleep(settled_at + WINDOW - (passed + looks) * 2**-10 - anyio.current_time())
        ticket = Ticket(bulk=True)
        with anyio.fail_after(1.0):
            if not limiter.try_acquire(ticket):
                await limiter.acquire(ticket)
        assert ticket.granted

    anyio.run(main, backend="trio", backend_options={"clock": MockClock(autojump_threshold=0)})
