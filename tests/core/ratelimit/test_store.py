"""A budget whose calls are counted in a store that several processes share: together they keep to the limit."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import anyio
import attrs
import pytest
from trio.testing import MockClock

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
from pyas_async._core.ratelimit.store import lease_fault
from pyas_async._core.ratelimit.tickets import Ticket
from pyas_async._runtime.clock import Clock
from pyas_async._runtime.events import EventEmitter
from pyas_async._runtime.ratelimit.limiter import RateLimiter
from pyas_async.events import BudgetStoreFailed
from simulation.fleets import Count, Store

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

WINDOW = 100.0
LIMIT = 20


@attrs.define
class MemoryStore:
    """A store in memory that keeps the reports: it counts leased slots until they expire, and calls for a window.

    It does not know which process asks, so it cannot know what a process that asks again has left: `Count` does.
    """

    latency: float = 0.01
    leased: list[tuple[float, int]] = attrs.field(factory=list)
    held_until: list[float] = attrs.field(factory=list)
    paused_until: float = -math.inf
    reports: list[BudgetReport] = attrs.field(factory=list)

    async def lease(self, report: BudgetReport) -> BudgetLease:
        """Count, and lease what is left, two slots at a time."""
        await anyio.sleep(self.latency)
        now = anyio.current_time()
        self.reports.append(report)
        self.paused_until = max(self.paused_until, now + report.paused_for)
        done = report.sent + report.unused
        while done and self.leased:
            until, slots = self.leased.pop(0)
            if slots > done:
                self.leased.insert(0, (until, slots - done))
            done -= min(done, slots)
        self.held_until += [now + report.window] * report.sent
        self.held_until = [until for until in self.held_until if until > now]
        self.leased = [(until, slots) for until, slots in self.leased if until > now]
        assert report.limit is not None
        free = report.limit - len(self.held_until) - sum(slots for _, slots in self.leased)
        given = 0 if now < self.paused_until else max(0, min(2, report.wanted, free))
        if given:
            self.leased.append((now + 5.0, given))
        return BudgetLease(places=given, expires_in=4.0, ask_again_in=1.0)


@attrs.define
class LeavingStore(MemoryStore):
    """A `MemoryStore` that fails from half a second after the first request on."""

    first: float = math.inf
    requests: int = 0

    async def lease(self, report: BudgetReport) -> BudgetLease:
        """Count, or fail."""
        self.requests += 1
        self.first = min(self.first, anyio.current_time())
        if anyio.current_time() - self.first > 0.5:
            raise OSError
        return await MemoryStore.lease(self, report)


class Process:
    """One of the processes that use the key."""

    def __init__(self, store: BudgetStore, *, limit: int = LIMIT) -> None:
        self.budget = RateBudget(limit, window=WINDOW, guard=0.0, store=store)
        clock = Clock(now=anyio.current_time, move_on_after=self._sleep)
        self.events = EventEmitter(clock)
        self.limiter = RateLimiter(self.budget, clock, self._store_failed)
        self.sleeps = 0
        self.budget.learn({}, 0.0, NOON)
        self.sent: list[float] = []

    async def call(self, *, bulk: bool = True) -> None:
        """Make a call that takes a tenth of a second."""
        ticket = Ticket(bulk=bulk)
        if not self.limiter.try_acquire(ticket):
            await self.limiter.acquire(ticket)
        self.sent.append(anyio.current_time())
        await anyio.sleep(0.1)
        self.budget.settle(anyio.current_time())
        self.limiter.grant_waiting()

    def _store_failed(self, fault: str, seconds: float) -> None:
        self.events.emit(BudgetStoreFailed, fault=fault, seconds=seconds)

    def _sleep(self, seconds: float | None) -> anyio.CancelScope:
        self.sleeps += 1
        return anyio.move_on_after(seconds)


def in_virtual_time(main: Callable[[], Awaitable[None]]) -> None:
    """Run it; waiting takes no time."""
    anyio.run(main, backend="trio", backend_options={"clock": MockClock(autojump_threshold=0)})


async def calls(process: Process, number: int) -> None:
    """Make calls, all at once."""
    async with anyio.create_task_group() as group:
        for _ in range(number):
            group.start_soon(process.call)


def test_together_they_keep_to_the_limit() -> None:
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
    # As long as all have calls to make: slots that the first to end had leased in vain come back a window later.
    until = min(process.sent[-1] for process in processes)
    bursts = math.ceil(sum(at <= until for at in sent) / LIMIT)
    assert until - sent[0] <= WINDOW * (bursts - 1) * 1.1
    half = [sum(at < sent[0] + 2.5 * WINDOW for at in process.sent) for process in processes]
    assert max(half) - min(half) <= 0.2 * sum(half)


def test_the_end_of_a_burst_is_reported() -> None:
    """Once all calls are over and another waits, they are reported at once, not when a slot becomes free."""
    store = MemoryStore()

    async def main() -> None:
        process = Process(store)
        async with anyio.create_task_group() as group:
            group.start_soon(calls, process, LIMIT + 1)
            await anyio.sleep(1.0)
            assert LIMIT == sum(report.sent for report in store.reports)
            assert LIMIT == max(report.under_way for report in store.reports)
            group.cancel_scope.cancel()

    in_virtual_time(main)


def test_calls_are_not_woken_for_a_store_that_is_gone() -> None:
    """Settled calls that cannot be reported are no reason to look again and again: a call looks twice on average."""
    store = LeavingStore()

    async def main() -> None:
        process = Process(store)
        with anyio.move_on_after(3 * WINDOW):
            await calls(process, 3 * LIMIT)
        assert 3 * LIMIT == len(process.sent)
        assert process.sleeps + store.requests < 6 * LIMIT

    in_virtual_time(main)


def test_a_pause_is_reported() -> None:
    """A 429 of one process is reported at once, so that no other process gets one."""
    store = MemoryStore()

    async def main() -> None:
        one, other = Process(store), Process(store)
        await one.call()
        one.budget.pause(30.0, anyio.current_time())
        await one.limiter.report_to_store()
        reported_at = anyio.current_time()
        await other.call()
        assert other.sent[0] >= reported_at + 29.9

    in_virtual_time(main)


def test_unused_slots_are_given_back() -> None:
    """Slots leased before a pause are given back with the next report."""
    store = MemoryStore()

    async def main() -> None:
        process = Process(store)
        await process.call()
        process.budget.pause(1.0, anyio.current_time())
        await process.limiter.report_to_store()

    in_virtual_time(main)
    assert (1, 1) == (store.reports[-1].sent, store.reports[-1].unused)
    assert 0.9 <= store.reports[-1].paused_for <= 1.0


class FailingStore:
    """A store that raises."""

    async def lease(self, report: BudgetReport) -> BudgetLease:
        """Fail."""
        msg = "redis://user:secret@host is away"
        raise OSError(msg)


class HangingStore:
    """A store that does not answer."""

    async def lease(self, report: BudgetReport) -> BudgetLease:
        """Hang."""
        await anyio.sleep_forever()
        raise AssertionError


@pytest.mark.parametrize("store", [FailingStore(), HangingStore()], ids=["raises", "hangs"])
def test_a_store_that_fails_ends_no_call(store: BudgetStore, caplog: pytest.LogCaptureFixture) -> None:
    """If the store fails, the process counts alone for a while, and logs that without the store's secrets."""

    async def main() -> None:
        process = Process(store)
        with anyio.fail_after(WINDOW):
            await calls(process, LIMIT)
        assert LIMIT == len(process.sent)

    in_virtual_time(main)
    assert "counts alone" in caplog.text
    assert "secret" not in caplog.text


def test_cancelled_while_asking() -> None:
    """If a call is cancelled while it asks the store, another one asks."""

    async def main() -> None:
        process = Process(MemoryStore(latency=1.0))
        async with anyio.create_task_group() as group:
            with anyio.move_on_after(0.5):
                async with anyio.create_task_group() as cancelled:
                    cancelled.start_soon(process.call)
                    await anyio.sleep(0.1)
                    group.start_soon(process.call)
                    await anyio.sleep(1.0)
            assert [] == process.sent
        assert 1 == len(process.sent)
        assert 0 == process.budget.in_flight

    in_virtual_time(main)


@attrs.define
class FixedStore:
    """A store that always gives the same answer, after a while."""

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


def lease_of(slots: object = 5, expires_in: object = 50.0, ask_again_in: object = 1.0) -> object:
    """Make a lease with any values, as a user's store might."""
    return BudgetLease(places=slots, expires_in=expires_in, ask_again_in=ask_again_in)  # type: ignore[arg-type]


def test_a_slot_that_comes_back_after_the_lease_has_expired() -> None:
    """A call that waits for one in flight asks the store as soon as that is cancelled, however late."""

    async def main() -> None:
        store = FixedStore(lease_of(2, 5.0), 0.01)
        process = Process(store, limit=1)
        await process.limiter.acquire(Ticket())
        async with anyio.create_task_group() as group:
            group.start_soon(process.call)
            await anyio.sleep(30.0)
            process.budget.cancel()
            process.limiter.grant_waiting()
        assert pytest.approx([30.0], abs=0.1) == process.sent

    in_virtual_time(main)


@pytest.mark.parametrize("end", ["answered", "cancelled"])
def test_calls_that_come_during_a_report(end: str) -> None:
    """Calls that come while a 429 is reported to a slow store ask it for slots once that is over, or was cancelled."""

    async def main() -> None:
        process = Process(FixedStore(lease_of(2, 5.0), 1.0))
        await process.call()
        process.budget.pause(0.2, anyio.current_time())
        began = anyio.current_time()
        async with anyio.create_task_group() as group, anyio.create_task_group() as reporting:
            reporting.start_soon(process.limiter.report_to_store)
            await anyio.sleep(0.1)
            group.start_soon(calls, process, 2)
            await anyio.sleep(0.5)
            if end == "cancelled":
                reporting.cancel_scope.cancel()
        assert 3 == len(process.sent)
        assert process.sent[-1] - began < 5.0

    in_virtual_time(main)


def test_news_during_a_request() -> None:
    """A 429 and a count that come while the store is asked go with the next request, and are not forgotten."""
    store = MemoryStore(latency=1.0)

    async def main() -> None:
        process = Process(store)
        process.budget.pause(30.0, anyio.current_time())
        async with anyio.create_task_group() as group:
            group.start_soon(process.limiter.report_to_store)
            await anyio.sleep(0.5)
            process.budget.learn({"x-ratelimit-remaining": "7"}, anyio.current_time(), NOON)
            process.budget.pause(60.0, anyio.current_time())
        await process.limiter.report_to_store()
        await process.limiter.report_to_store()

    in_virtual_time(main)
    assert [(None, 30.0), (7, 59.5)] == [(report.remaining, report.paused_for) for report in store.reports]


@pytest.mark.parametrize(
    ("lease", "at_most"),
    [
        (lease_of(0, 5.0, 0), 400),
        (lease_of(0, 5.0, -3), 400),
        (lease_of(0, 5.0, 0.0), 400),
        (lease_of(5, 0, 1), 25),
        (lease_of(5, -1.0, 1.0), 25),
    ],
)
@pytest.mark.parametrize("latency", [None, 0.0])
def test_a_store_that_gives_nothing(lease: object, at_most: int, latency: float | None) -> None:
    """A store that leases nothing, and does not even suspend, is asked now and then, and blocks no other task."""
    store = FixedStore(lease, latency)

    async def main() -> None:
        process, ticket = Process(store), Ticket()
        assert not process.limiter.try_acquire(ticket)
        with pytest.raises(BudgetTimeoutError):
            await process.limiter.acquire(ticket, 20.0)
        assert pytest.approx(20.0) == anyio.current_time()

    in_virtual_time(main)
    assert 20 <= len(store.asked) <= at_most


def test_a_store_that_wants_no_request_for_ages() -> None:
    """A store is asked again after a window at the latest."""
    store = FixedStore(lease_of(0, 5.0, 1e300), 0.0)

    async def main() -> None:
        process = Process(store)
        with pytest.raises(BudgetTimeoutError):
            await process.limiter.acquire(Ticket(), 3.5 * WINDOW)

    in_virtual_time(main)
    assert pytest.approx([0.0, 100.0, 200.0, 300.0], abs=0.1) == store.asked


WRONG: Sequence[object] = [
    None,
    {"places": 5},
    lease_of("5"),
    lease_of(None),
    lease_of(2.5),
    lease_of(math.nan),
    lease_of(math.inf),
    lease_of(True),
    lease_of(-5),
    lease_of(5, None),
    lease_of(5, math.nan),
    lease_of(5, math.inf),
    lease_of(5, 10**400),
    lease_of(0, 5.0, None),
    lease_of(0, 5.0, "soon"),
    lease_of(0, 5.0, math.nan),
    lease_of(0, 5.0, math.inf),
]


@pytest.mark.parametrize("lease", WRONG, ids=repr)
def test_a_wrong_answer(lease: object, caplog: pytest.LogCaptureFixture) -> None:
    """A store with a wrong answer has failed: calls go on, nothing of the answer is kept, and the log says why."""
    store = FixedStore(lease, 0.01)

    async def main() -> None:
        process = Process(store)
        with anyio.fail_after(1.0):
            await calls(process, LIMIT)
        assert LIMIT == len(process.sent)
        assert process.budget.store_share is not None
        assert process.budget.store_share.leases.empty(anyio.current_time() + 20.0)

    in_virtual_time(main)
    assert 1 == len(store.asked)
    assert "counts alone" in caplog.text
    assert "expected" in caplog.text or "not with a BudgetLease" in caplog.text


@pytest.mark.parametrize(
    ("lease", "words"),
    [
        (None, ["NoneType", "BudgetLease"]),
        ({"places": 5}, ["dict", "BudgetLease"]),
        (lease_of("5"), ["places=str", ">= 0"]),
        (lease_of(-1), ["places=-1", ">= 0"]),
        (lease_of(10**5000 * -1), ["places=int", ">= 0"]),
        (lease_of(None), ["places=None", ">= 0"]),
        (lease_of(2.5), ["places=2.5", ">= 0"]),
        (lease_of(1, math.inf), ["expires_in=inf", "finite"]),
        (lease_of(1, None), ["expires_in=None", "finite"]),
        (lease_of(1, 5.0, "soon"), ["ask_again_in=str", "finite"]),
    ],
)
def test_what_is_wrong_with_a_lease(lease: object, words: Sequence[str]) -> None:
    """The fault names the field and what was expected; text from the answer is not shown."""
    fault = lease_fault(lease)

    assert fault is not None
    assert [] == [word for word in words if word not in fault]
    assert "soon" not in fault


@pytest.mark.parametrize("lease", [lease_of(0, 0, 0), lease_of(5, -1.0, 1.5)])
def test_extreme_leases(lease: object) -> None:
    """A lease may have no slots, no time, or a time that is over."""
    assert None is lease_fault(lease)


@pytest.mark.parametrize("deadline", [0.4, 3.0, 4.9])
def test_deadlines_shorter_than_the_time_for_an_answer(deadline: float) -> None:
    """A store that hangs has five seconds in all: then calls go out, even if none could wait that long."""

    async def main() -> None:
        process, late = Process(HangingStore()), 0
        while not process.sent:
            began, ticket = anyio.current_time(), Ticket()
            try:
                await process.limiter.acquire(ticket, deadline)
                process.sent.append(anyio.current_time())
            except BudgetTimeoutError:
                late += 1
                assert pytest.approx(began + deadline) == anyio.current_time()
        assert late > 0
        assert process.sent[0] <= 6.0

    in_virtual_time(main)


def test_a_slow_store_is_not_given_up() -> None:
    """Requests without an answer no longer count once the store has answered."""
    store = MemoryStore(latency=2.0)

    async def main() -> None:
        process = Process(store, limit=1_000)
        for _ in range(6):
            with pytest.raises(BudgetTimeoutError):
                await process.limiter.acquire(Ticket(), 1.5)
            await calls(process, 2)
            await anyio.sleep(10.0)
        assert process.budget.store_share is not None
        assert process.budget.store_share.leases.empty(anyio.current_time())

    in_virtual_time(main)
    assert 6 == len(store.reports)


def test_a_report_does_not_outlive_the_deadline() -> None:
    """A 429 is reported for no longer than the call has time; it goes with the next request otherwise."""

    async def main() -> None:
        process = Process(HangingStore())
        process.budget.pause(30.0, anyio.current_time())
        await process.limiter.report_to_store(1.0)
        assert 1.0 == anyio.current_time()
        await process.limiter.report_to_store(0.0)
        assert 1.0 == anyio.current_time()
        assert process.budget.store_share is not None
        assert process.budget.store_share.due(anyio.current_time())

    in_virtual_time(main)


def test_closed_while_asking() -> None:
    """Closing a client ends its request: its calls fail at once, and a call of another client asks instead."""

    async def main() -> None:
        process = Process(store := FixedStore(lease_of(), 4.0))
        other = RateLimiter(process.budget, Clock(now=anyio.current_time))
        ended: list[float] = []

        async def first() -> None:
            with pytest.raises(ClientClosedError):
                await process.limiter.acquire(Ticket())
            ended.append(anyio.current_time())

        async with anyio.create_task_group() as group:
            group.start_soon(first)
            await anyio.sleep(0.1)
            group.start_soon(other.acquire, Ticket())
            await anyio.sleep(0.1)
            process.limiter.close()
        assert [0.2] == ended
        assert pytest.approx([0.0, 0.2]) == store.asked
        assert (1, 0) == (process.budget.in_flight, other.waiting)

    in_virtual_time(main)


def test_no_slot_after_closing() -> None:
    """A slot that is free when a closed client's call looks is left to others."""

    async def main() -> None:
        process = Process(FixedStore(lease_of(), 1.0))
        process.limiter.close()
        with pytest.raises(ClientClosedError):
            await process.limiter.acquire(Ticket())
        assert 0 == process.budget.in_flight

    in_virtual_time(main)


def test_no_store() -> None:
    """An object that is no store is refused."""
    with pytest.raises(ConfigurationError, match="store"):
        RateBudget(store=object())  # type: ignore[arg-type]
