"""A long wait for the call budget is a warning: at its beginning, and again every minute."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from trio.testing import MockClock

from core.tools import NOON
from pyas_async import BudgetTimeoutError, RateBudget
from pyas_async._core.ratelimit.tickets import Ticket
from pyas_async._runtime.clock import Clock
from pyas_async._runtime.ratelimit.limiter import RateLimiter

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


class Warnings(logging.Handler):
    """Records the warnings, and when they came."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.at: list[float] = []
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Record one."""
        self.at.append(round(anyio.current_time(), 3))
        self.texts.append(record.getMessage())


def warnings_of(main: Callable[[RateLimiter], Awaitable[None]], budget: RateBudget) -> Warnings:
    """Run a program in virtual time, from 0 on, and return its warnings."""
    log, handler = logging.getLogger("pyas_async"), Warnings()

    async def run() -> None:
        began = anyio.current_time()
        handler.at.clear()
        await main(RateLimiter(budget, Clock(now=anyio.current_time)))
        handler.at[:] = [round(at - began, 3) for at in handler.at]

    log.addHandler(handler)
    try:
        anyio.run(run, backend="trio", backend_options={"clock": MockClock(autojump_threshold=0)})
    finally:
        log.removeHandler(handler)
    return handler


async def call(limiter: RateLimiter, *, bulk: bool = True, left: float | None = None) -> float:
    """Make a call whose response takes no time; return the seconds that it waited."""
    began = anyio.current_time()
    if not limiter.try_acquire(ticket := Ticket(bulk=bulk)):
        await limiter.acquire(ticket, left)
    limiter.budget.learn({}, anyio.current_time(), NOON)
    limiter.budget.settle(anyio.current_time())
    limiter.grant_waiting()
    return anyio.current_time() - began


def warned_in_a_wait_of(seconds: float) -> list[float]:
    """Return when warnings came in the one wait of a program."""

    async def main(limiter: RateLimiter) -> None:
        await call(limiter)
        assert seconds == pytest.approx(await call(limiter))

    return warnings_of(main, RateBudget(1, window=seconds, guard=0.0)).at


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (4, []),
        (9.9, []),
        (10, [0.0]),
        (59, [0.0]),
        (61, [0.0, 60.0]),
        (300, [0.0, 60.0, 120.0, 180.0, 240.0]),
    ],
)
def test_when(seconds: float, expected: list[float]) -> None:
    """A wait of 10 s and more is announced when it begins, and again every minute; a shorter one is not."""
    assert expected == warned_in_a_wait_of(seconds)


def test_text() -> None:
    """The warning says how long, why, and what to do."""

    async def main(limiter: RateLimiter) -> None:
        for _ in range(101):
            await call(limiter)

    [text, *others] = warnings_of(main, RateBudget(100, guard=0.0)).texts
    assert "the call budget (100 calls in 300 s) is used up: 1 call waits for about 300 s. Nothing has failed" in text
    assert all(word in text for word in ("goes on by itself", "larger plan", "deadline="))
    assert "for about 240 s, 60 s so far" in others[0]


def test_many_calls_wait() -> None:
    """Calls that wait together have one warning, with the time of the first and that of the last."""

    async def main(limiter: RateLimiter) -> None:
        await call(limiter)
        async with anyio.create_task_group() as group:
            for _ in range(20):
                group.start_soon(call, limiter)

    warnings = warnings_of(main, RateBudget(1, window=12.0, guard=0.0))
    assert [0.0, 60.0, 120.0, 180.0] == warnings.at
    assert "1 call waits" in warnings.texts[0]  # the others came later
    assert "15 calls wait, the first for about 12 s, the last for about" in warnings.texts[1]


def test_each_wait() -> None:
    """Each long wait of a program that makes one call after another is announced when it begins."""

    async def main(limiter: RateLimiter) -> None:
        for _ in range(4):
            await call(limiter)

    assert [0.0, 12.0, 24.0] == warnings_of(main, RateBudget(1, window=12.0, guard=0.0)).at


def test_a_wait_that_is_longer_than_it_seemed() -> None:
    """A wait whose length is not known at its beginning is announced after 10 s."""

    async def main(limiter: RateLimiter) -> None:
        assert limiter.try_acquire(Ticket())
        async with anyio.create_task_group() as group:
            group.start_soon(call, limiter)
            await anyio.sleep(35.0)
            limiter.budget.settle(anyio.current_time())
            limiter.grant_waiting()

    warnings = warnings_of(main, RateBudget(1, window=0.5, guard=0.0))
    assert [10.0] == warnings.at
    assert "1 call waits" in warnings.texts[0]
    assert "10 s so far" in warnings.texts[0]


def test_paused_by_the_service() -> None:
    """The warning after a 429 says that the service has refused a call."""

    async def main(limiter: RateLimiter) -> None:
        await call(limiter)
        limiter.budget.pause(30.0, anyio.current_time())
        await call(limiter)

    [text] = warnings_of(main, RateBudget(guard=0.0)).texts
    assert "the call budget (the key's rate limit) is used up, says the service: 1 call waits for about 30 s" in text


def test_no_warning_without_a_wait() -> None:
    """A call that fails at once, since its slot would come too late, does not wait and is not announced."""

    async def main(limiter: RateLimiter) -> None:
        await call(limiter)
        with pytest.raises(BudgetTimeoutError):
            await call(limiter, bulk=False, left=90.0)

    assert [] == warnings_of(main, RateBudget(1, guard=0.0)).at


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 3), st.integers(1, 70), st.lists(st.integers(0, 100), min_size=1, max_size=8))
def test_no_long_wait_is_silent(limit: int, window: int, arrivals: list[int]) -> None:
    """While a call waits, there is a warning 10 s after it began to, and then at least one every minute."""
    waits: list[tuple[float, float]] = []

    async def main(limiter: RateLimiter) -> None:
        began = anyio.current_time()

        async def one(at: int) -> None:
            await anyio.sleep(at)
            waits.append((at, at + await call(limiter)))

        async with anyio.create_task_group() as group:
            for at in arrivals:
                group.start_soon(one, at)
        assert began <= anyio.current_time()

    at = warnings_of(main, RateBudget(limit, window=float(window), guard=0.0)).at
    for begin, end in waits:
        for moment in range(int(begin) + 11, int(end)):
            assert any(moment - 61 <= warned <= moment for warned in at), (begin, end, moment, at)
    longest = max(end - begin for begin, end in waits)
    assert at or longest < 10.001
    assert longest >= 9.999 or not at
