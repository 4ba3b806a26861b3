"""A budget whose calls are counted in a store that several processes share: together they keep the limit."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import anyio
import attrs
import pytest
from trio.testing import MockClock

import inside
from core.tools import NOON
from pyas_async import (
    BudgetLease,
    BudgetReport,
    BudgetStore,
    BudgetTimeoutError,
    ClientClosedError,
    ConfigurationError,
    RateBudget,
)
from pyas_async._core.ratelimit.queue import Ticket
from pyas_async._core.ratelimit.store import lease_fault
from pyas_async._runtime.clock import Clock
from pyas_async._runtime.ratelimit.limiter import RateLimiter
from simulation.fleets import Count, Store

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

WINDOW = 100.0
LIMIT = 20


@attrs.define
class Shared:
    """A store in memory that notes what it is told: it counts leased places until they expire, and calls for a window.

    It does not know who asks, so it cannot know what a process that asks again has left: `Count` does.
    """

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


@attrs.define
class Leaving(Shared):
    """The same; it goes away half a second after it was first asked."""

    first: float = math.inf

    async def lease(self, report: BudgetReport) -> BudgetLease:
        """Count, as long as it is there."""
        self.first = min(self.first, anyio.current_time())
        if anyio.current_time() - self.first > 0.5:
            raise OSError
        return await Shared.lease(self, report)


class Process:
    """One of the processes that use the key."""

    def __init__(self, store: BudgetStore, *, limit: int = LIMIT) -> None:
        self.budget = RateBudget(limit, window=WINDOW, guard=0.0, store=store)
        self.scheduler = RateLimiter(self.budget, Clock(now=anyio.current_time))
        self.budget.learn({}, 0.0, NOON)
        self.sent: list[float] = []

    async def call(self, *, bulk: bool = True) -> None:
        """Make a call that takes a tenth of a second."""
        ticket = Ticket(bulk=bulk)
        if not self.scheduler.try_acquire(ticket):
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
        count = Count(LIMIT, at_once=2)
        processes.extend(Process(Store(count, process)) for process in range(3))
        async with anyio.create_task_group() as group:
            for process in processes:
                group.start_soon(calls, process, 40)

    in_virtual_time(main)
    sent = sorted(at for process in processes for at in process.sent)
    assert 120 == len(sent)
    assert max(sum(1 for at in sent if start <= at < start + WINDOW) for start in sent) <= LIMIT
    # As long as all have calls to make: what the first to end had leased beyond its calls comes back a window later.
    until = min(process.sent[-1] for process in processes)
    bursts = math.ceil(sum(at <= until for at in sent) / LIMIT)
    assert until - sent[0] <= WINDOW * (bursts - 1) * 1.1
    half = [sum(at < sent[0] + 2.5 * WINDOW for at in process.sent) for process in processes]
    assert max(half) - min(half) <= 0.2 * sum(half)


def test_a_store_hears_of_the_end_of_a_burst() -> None:
    """Once all calls are over and others wait for room, the store is told at once, not when there is room again."""
    store = Shared()

    async def main() -> None:
        process = Process(store)
        async with anyio.create_task_group() as group:
            group.start_soon(calls, process, LIMIT + 1)
            await anyio.sleep(1.0)
            assert LIMIT == sum(report.sent for report in store.reports)
            assert LIMIT == max(report.under_way for report in store.reports)
            group.cancel_scope.cancel()

    in_virtual_time(main)


def test_a_store_that_goes_away_wakes_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """Calls that nobody can be told of are no reason to look again and again."""
    sleeps, sleep = 0, inside.limiter_sleep()

    async def count(scheduler: RateLimiter, ticket: Ticket, give_up: float, now: float) -> None:
        nonlocal sleeps
        sleeps += 1
        await sleep(scheduler, ticket, give_up, now)

    async def main() -> None:
        process = Process(Leaving())
        with anyio.move_on_after(3 * WINDOW):
            await calls(process, 3 * LIMIT)
        assert 3 * LIMIT == len(process.sent)

    monkeypatch.setattr(inside.LIMITER_SLEEP, count)
    in_virtual_time(main)
    assert sleeps < 6 * LIMIT


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


@attrs.define
class Says:
    """A store that answers after a while, always with the same."""

    lease_: object
    latency: float | None = None
    asked: list[float] = attrs.field(factory=list)

    async def lease(self, report: BudgetReport) -> BudgetLease:
        """Answer; without a latency, at once and without suspending."""
        self.asked.append(anyio.current_time())
        assert len(self.asked) < 1_000, "asked without end"
        if self.latency is not None:
            await anyio.sleep(self.latency)
        return self.lease_  # type: ignore[return-value]


def says(places: object = 5, expires_in: object = 50.0, ask_again_in: object = 1.0) -> object:
    """Make a lease of whatever a user's store may put into it."""
    return BudgetLease(places=places, expires_in=expires_in, ask_again_in=ask_again_in)  # type: ignore[arg-type]


def test_a_place_that_comes_back_after_the_lease_has_expired() -> None:
    """Who waits for a call under way asks the store as soon as that gives its place back, however late that is."""

    async def main() -> None:
        store = Says(says(2, 5.0), 0.01)
        process = Process(store, limit=1)
        await process.scheduler.wait(Ticket())
        async with anyio.create_task_group() as group:
            group.start_soon(process.call)
            await anyio.sleep(30.0)
            process.budget.release()
            process.scheduler.moved()
        assert pytest.approx([30.0], abs=0.1) == process.sent

    in_virtual_time(main)


@pytest.mark.parametrize("end", ["answered", "cancelled"])
def test_who_comes_while_the_store_is_told(end: str) -> None:
    """Calls that come while a slow store is told of a 429 ask it for places once that is over, or was cancelled."""

    async def main() -> None:
        process = Process(Says(says(2, 5.0), 1.0))
        await process.call()
        process.budget.pause(0.2, anyio.current_time())
        began = anyio.current_time()
        async with anyio.create_task_group() as group, anyio.create_task_group() as telling:
            telling.start_soon(process.scheduler.tell_store)
            await anyio.sleep(0.1)
            group.start_soon(calls, process, 2)
            await anyio.sleep(0.5)
            if end == "cancelled":
                telling.cancel_scope.cancel()
        assert 3 == len(process.sent)
        assert process.sent[-1] - began < 5.0

    in_virtual_time(main)


def test_what_is_heard_while_the_store_is_asked() -> None:
    """A 429 and a count that come while the store is asked are told with the next question, not forgotten."""
    store = Shared(latency=1.0)

    async def main() -> None:
        process = Process(store)
        process.budget.pause(30.0, anyio.current_time())
        async with anyio.create_task_group() as group:
            group.start_soon(process.scheduler.tell_store)
            await anyio.sleep(0.5)
            process.budget.learn({"x-ratelimit-remaining": "7"}, anyio.current_time(), NOON)
            process.budget.pause(60.0, anyio.current_time())
        await process.scheduler.tell_store()
        await process.scheduler.tell_store()

    in_virtual_time(main)
    assert [(None, 30.0), (7, 59.5)] == [(report.remaining, report.paused_for) for report in store.reports]


@pytest.mark.parametrize(
    ("lease", "at_most"),
    [
        (says(0, 5.0, 0), 400),
        (says(0, 5.0, -3), 400),
        (says(0, 5.0, 0.0), 400),
        (says(5, 0, 1), 25),
        (says(5, -1.0, 1.0), 25),
    ],
)
@pytest.mark.parametrize("latency", [None, 0.0])
def test_a_store_that_gives_nothing(lease: object, at_most: int, latency: float | None) -> None:
    """A store that gives nothing, and does not even suspend, is asked now and then, and holds no other task up."""
    store = Says(lease, latency)

    async def main() -> None:
        process, ticket = Process(store), Ticket()
        assert not process.scheduler.try_acquire(ticket)
        with pytest.raises(BudgetTimeoutError):
            await process.scheduler.wait(ticket, 20.0)
        assert pytest.approx(20.0) == anyio.current_time()

    in_virtual_time(main)
    assert 20 <= len(store.asked) <= at_most


def test_a_store_that_asks_for_eternity() -> None:
    """A store is asked again after a window at the latest."""
    store = Says(says(0, 5.0, 1e300), 0.0)

    async def main() -> None:
        process = Process(store)
        with pytest.raises(BudgetTimeoutError):
            await process.scheduler.wait(Ticket(), 3.5 * WINDOW)

    in_virtual_time(main)
    assert pytest.approx([0.0, 100.0, 200.0, 300.0], abs=0.1) == store.asked


WRONG: Sequence[object] = [
    None,
    {"places": 5},
    says("5"),
    says(None),
    says(2.5),
    says(math.nan),
    says(math.inf),
    says(True),
    says(-5),
    says(5, None),
    says(5, math.nan),
    says(5, math.inf),
    says(5, 10**400),
    says(0, 5.0, None),
    says(0, 5.0, "soon"),
    says(0, 5.0, math.nan),
    says(0, 5.0, math.inf),
]


@pytest.mark.parametrize("lease", WRONG, ids=repr)
def test_what_is_no_lease(lease: object, caplog: pytest.LogCaptureFixture) -> None:
    """A store whose answer is no lease has failed: calls go on, nothing of the answer is kept, the log says why."""
    store = Says(lease, 0.01)

    async def main() -> None:
        process = Process(store)
        with anyio.fail_after(1.0):
            await calls(process, LIMIT)
        assert LIMIT == len(process.sent)
        assert process.budget.sharing is not None
        assert process.budget.sharing.leases.empty(anyio.current_time() + 20.0)

    in_virtual_time(main)
    assert 1 == len(store.asked)
    assert "counts alone" in caplog.text
    assert "expected" in caplog.text or "not with a BudgetLease" in caplog.text


@pytest.mark.parametrize(
    ("lease", "words"),
    [
        (None, ["NoneType", "BudgetLease"]),
        ({"places": 5}, ["dict", "BudgetLease"]),
        (says("5"), ["places=str", ">= 0"]),
        (says(-1), ["places=-1", ">= 0"]),
        (says(10**5000 * -1), ["places=int", ">= 0"]),
        (says(None), ["places=None", ">= 0"]),
        (says(2.5), ["places=2.5", ">= 0"]),
        (says(1, math.inf), ["expires_in=inf", "finite"]),
        (says(1, None), ["expires_in=None", "finite"]),
        (says(1, 5.0, "soon"), ["ask_again_in=str", "finite"]),
    ],
)
def test_what_is_wrong_with_a_lease(lease: object, words: Sequence[str]) -> None:
    """What is wrong is told by the name of the field, with what was expected; a text that came is not shown."""
    fault = lease_fault(lease)

    assert fault is not None
    assert [] == [word for word in words if word not in fault]
    assert "soon" not in fault


@pytest.mark.parametrize("lease", [says(0, 0, 0), says(5, -1.0, 1.5)])
def test_what_is_a_lease(lease: object) -> None:
    """No place, no time, and a time that is over, can be leased."""
    assert None is lease_fault(lease)


@pytest.mark.parametrize("deadline", [0.4, 3.0, 4.9])
def test_deadlines_shorter_than_the_store_is_waited_for(deadline: float) -> None:
    """A store that hangs has five seconds in all: then calls go out, even if none could wait for so long."""

    async def main() -> None:
        process, late = Process(Silent()), 0
        while not process.sent:
            began, ticket = anyio.current_time(), Ticket()
            try:
                await process.scheduler.wait(ticket, deadline)
                process.sent.append(anyio.current_time())
            except BudgetTimeoutError:
                late += 1
                assert pytest.approx(began + deadline) == anyio.current_time()
        assert late > 0
        assert process.sent[0] <= 6.0

    in_virtual_time(main)


def test_a_slow_store_is_not_given_up() -> None:
    """What a store once left unanswered is forgiven when it answers."""
    store = Shared(latency=2.0)

    async def main() -> None:
        process = Process(store, limit=1_000)
        for _ in range(6):
            with pytest.raises(BudgetTimeoutError):
                await process.scheduler.wait(Ticket(), 1.5)
            await calls(process, 2)
            await anyio.sleep(10.0)
        assert process.budget.sharing is not None
        assert process.budget.sharing.leases.empty(anyio.current_time())

    in_virtual_time(main)
    assert 6 == len(store.reports)


def test_telling_does_not_outlive_the_deadline() -> None:
    """The store is told of a 429 for no longer than the call has time; what was not told is told later."""

    async def main() -> None:
        process = Process(Silent())
        process.budget.pause(30.0, anyio.current_time())
        await process.scheduler.tell_store(1.0)
        assert 1.0 == anyio.current_time()
        await process.scheduler.tell_store(0.0)
        assert 1.0 == anyio.current_time()
        assert process.budget.sharing is not None
        assert process.budget.sharing.asks(anyio.current_time())

    in_virtual_time(main)


def test_closed_while_asking() -> None:
    """Closing a client ends its question: who waits is told at once, and the next client's call asks instead."""

    async def main() -> None:
        process = Process(store := Says(says(), 4.0))
        other = RateLimiter(process.budget, Clock(now=anyio.current_time))
        told: list[float] = []

        async def first() -> None:
            with pytest.raises(ClientClosedError):
                await process.scheduler.wait(Ticket())
            told.append(anyio.current_time())

        async with anyio.create_task_group() as group:
            group.start_soon(first)
            await anyio.sleep(0.1)
            group.start_soon(other.wait, Ticket())
            await anyio.sleep(0.1)
            process.scheduler.close()
        assert [0.2] == told
        assert pytest.approx([0.0, 0.2]) == store.asked
        assert (1, 0) == (process.budget.in_flight, other.waiting)

    in_virtual_time(main)


def test_nobody_is_served_after_the_closing() -> None:
    """A place that is free when a closed client's waiter looks is left to others."""

    async def main() -> None:
        process = Process(Says(says(), 1.0))
        process.scheduler.close()
        with pytest.raises(ClientClosedError):
            await process.scheduler.wait(Ticket())
        assert 0 == process.budget.in_flight

    in_virtual_time(main)


def test_no_store() -> None:
    """What is no store is refused by name."""
    with pytest.raises(ConfigurationError, match="store"):
        RateBudget(store=object())  # type: ignore[arg-type]
