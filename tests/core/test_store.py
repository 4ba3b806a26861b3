"""A budget whose calls are counted in a store that several processes share: together they keep the limit."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import anyio
import attrs
import pytest
from trio.testing import MockClock

from core.tools import NOON
from pyas_async import BudgetLease, BudgetReport, BudgetStore, ConfigurationError, RateBudget
from pyas_async._core.queue import Ticket
from pyas_async._runtime.clock import Clock
from pyas_async._runtime.scheduler import Scheduler

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

WINDOW = 100.0
LIMIT = 20


@attrs.define
class Shared:
    """A store in memory: it counts leased places until they expire, and calls that were sent for a window."""

    latency: float = 0.01
    leased: list[tuple[float, int]] = attrs.field(factory=list)
    spent_until: list[float] = attrs.field(factory=list)
    paused_until: float = -math.inf
    reports: list[BudgetReport] = attrs.field(factory=list)

    async def lease(self, report: BudgetReport) -> BudgetLease:
        """Count, and give what is left, two places at a time."""
        await anyio.sleep(self.latency)
        now = anyio.current_time()
        self.reports.append(report)
        self.paused_until = max(self.paused_until, now + report.paused_for)
        done = report.sent + report.unused
        while done and self.leased:
            until, places = self.leased.pop(0)
            if places > done:
                self.leased.insert(0, (until, places - done))
            done -= min(done, places)
        self.spent_until += [now + report.window] * report.sent
        self.spent_until = [until for until in self.spent_until if until > now]
        self.leased = [(until, places) for until, places in self.leased if until > now]
        assert report.limit is not None
        free = report.limit - len(self.spent_until) - sum(places for _, places in self.leased)
        given = 0 if now < self.paused_until else max(0, min(2, report.wanted, free))
        if given:
            self.leased.append((now + 5.0, given))
        return BudgetLease(places=given, expires_in=4.0, ask_again_in=1.0)


class Process:
    """One of the processes that use the key."""

    def __init__(self, store: BudgetStore, *, limit: int = LIMIT) -> None:
        self.budget = RateBudget(limit, window=WINDOW, guard=0.0, store=store)
        self.scheduler = Scheduler(self.budget, Clock(now=anyio.current_time))
        self.budget.learn({}, 0.0, NOON)
        self.sent: list[float] = []

    async def call(self, *, bulk: bool = True) -> None:
        """Make a call that takes a tenth of a second."""
        ticket = Ticket(bulk=bulk)
        if not self.scheduler.try_now(ticket):
            await self.scheduler.wait(ticket)
        self.sent.append(anyio.current_time())
        await anyio.sleep(0.1)
        self.budget.spent(anyio.current_time())
        self.scheduler.moved()


def in_virtual_time(main: Callable[[], Awaitable[None]]) -> None:
    """Run it; waiting takes no time."""
    anyio.run(main, backend="trio", backend_options={"clock": MockClock(autojump_threshold=0)})


async def calls(process: Process, number: int) -> None:
    """Make so many calls at once."""
    async with anyio.create_task_group() as group:
        for _ in range(number):
            group.start_soon(process.call)


def test_together_they_keep_the_limit() -> None:
    """Processes that share a store spend the limit together, use all of it, and get about the same."""
    processes: list[Process] = []

    async def main() -> None:
        store = Shared()
        processes.extend(Process(store) for _ in range(3))
        async with anyio.create_task_group() as group:
            for process in processes:
                group.start_soon(calls, process, 40)

    in_virtual_time(main)
    sent = sorted(at for process in processes for at in process.sent)
    assert 120 == len(sent)
    assert max(sum(1 for at in sent if start <= at < start + WINDOW) for start in sent) <= LIMIT
    assert sent[-1] - sent[0] <= WINDOW * (120 / LIMIT - 1) * 1.1
    half = [sum(at < sent[0] + 2.5 * WINDOW for at in process.sent) for process in processes]
    assert max(half) - min(half) <= 0.2 * sum(half)


def test_a_pause_is_told() -> None:
    """A 429 that one process got is told to the store at once, so that no other gets its own."""
    store = Shared()

    async def main() -> None:
        one, other = Process(store), Process(store)
        await one.call()
        one.budget.pause(30.0, anyio.current_time())
        await one.scheduler.tell_store()
        told = anyio.current_time()
        await other.call()
        assert other.sent[0] >= told + 29.9

    in_virtual_time(main)


def test_what_is_not_used_is_given_back() -> None:
    """Places leased before a pause are given back with the next report."""
    store = Shared()

    async def main() -> None:
        process = Process(store)
        await process.call()
        process.budget.pause(1.0, anyio.current_time())
        await process.scheduler.tell_store()

    in_virtual_time(main)
    assert (1, 1) == (store.reports[-1].sent, store.reports[-1].unused)
    assert 0.9 <= store.reports[-1].paused_for <= 1.0


class Broken:
    """A store that fails."""

    async def lease(self, report: BudgetReport) -> BudgetLease:
        """Fail."""
        msg = "redis://user:secret@host is away"
        raise OSError(msg)


class Silent:
    """A store that does not answer."""

    async def lease(self, report: BudgetReport) -> BudgetLease:
        """Hang."""
        await anyio.sleep_forever()
        raise AssertionError


@pytest.mark.parametrize("store", [Broken(), Silent()], ids=["raises", "hangs"])
def test_a_store_that_fails_ends_no_call(store: BudgetStore, caplog: pytest.LogCaptureFixture) -> None:
    """Where the store fails, the process counts alone for a while, and says so without the store's secrets."""

    async def main() -> None:
        process = Process(store)
        with anyio.fail_after(WINDOW):
            await calls(process, LIMIT)
        assert LIMIT == len(process.sent)

    in_virtual_time(main)
    assert "counts alone" in caplog.text
    assert "secret" not in caplog.text


def test_cancelled_while_asking() -> None:
    """Whoever is cancelled while the store is asked hands the asking on."""

    async def main() -> None:
        process = Process(Shared(latency=1.0))
        async with anyio.create_task_group() as group:
            with anyio.move_on_after(0.5):
                async with anyio.create_task_group() as doomed:
                    doomed.start_soon(process.call)
                    await anyio.sleep(0.1)
                    group.start_soon(process.call)
                    await anyio.sleep(1.0)
            assert [] == process.sent
        assert 1 == len(process.sent)
        assert 0 == process.budget.in_flight

    in_virtual_time(main)


def test_no_store() -> None:
    """What is no store is refused by name."""
    with pytest.raises(ConfigurationError, match="store"):
        RateBudget(store=object())  # type: ignore[arg-type]
