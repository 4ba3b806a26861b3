"""How calls wait for a slot: their order, those that leave the queue, and that none is forgotten in it."""

from __future__ import annotations

import asyncio
import gc
from typing import TYPE_CHECKING

import anyio
import anyio.lowlevel
import anyio.to_thread
import pytest

import inside
from core.tools import NOON
from pyas_async import BudgetTimeoutError, RateBudget, WrongEventLoopError
from pyas_async._core.ratelimit.tickets import Ticket
from pyas_async._runtime.clock import Clock
from pyas_async._runtime.loop_guard import has_ended
from pyas_async._runtime.ratelimit.limiter import RateLimiter

if TYPE_CHECKING:
    from collections.abc import Sequence

pytestmark = pytest.mark.anyio
WINDOW = 10.0


class ManualTime:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def clock(self) -> Clock:
        """Return it in the form that the limiter takes."""
        return Clock(now=lambda: self.now, wall=lambda: NOON)


class World:
    """A budget whose slots are all taken by calls in flight, and the calls that wait for them."""

    def __init__(self, limit: int = 1) -> None:
        self.time = ManualTime()
        self.budget = RateBudget(limit, window=WINDOW, guard=0.0)
        self.limiter = RateLimiter(self.budget, self.time.clock())
        self.granted: list[str] = []
        self.scopes: dict[str, anyio.CancelScope] = {}
        self.budget.learn({}, 0.0, NOON)
        while self.limiter.try_acquire(Ticket()):
            pass

    async def enter(self, name: str, *, bulk: bool = False, left: float | None = None) -> None:
        """Wait for a slot, and note that it was granted."""
        with anyio.CancelScope() as self.scopes[name]:
            await self.limiter.acquire(Ticket(bulk=bulk), left)
            self.granted.append(name)

    async def next_window(self) -> None:
        """End the call in flight and let its window pass; then let all tasks run."""
        self.budget.settle(self.time.now)
        self.time.now += WINDOW
        self.limiter.grant_waiting()
        await run_all()


async def run_all() -> None:
    """Let all tasks run until they wait."""
    for _ in range(20):
        await anyio.lowlevel.checkpoint()


async def enter_all(world: World, group: anyio.abc.TaskGroup, names: Sequence[str]) -> None:
    """Let calls arrive one after the other; a name that begins with b stands for a bulk call."""
    for name in names:
        group.start_soon(lambda name=name: world.enter(name, bulk=name.startswith("b")))  # type: ignore[misc]
        await run_all()


async def test_order() -> None:
    """Interactive calls go before bulk ones, and among equals the first to arrive is the first to go."""
    world = World()
    async with anyio.create_task_group() as group:
        await enter_all(world, group, ["b1", "i1", "b2", "i2", "b3"])
        assert 5 == world.limiter.waiting
        for _ in range(5):
            await world.next_window()

    assert ["i1", "i2", "b1", "b2", "b3"] == world.granted
    assert 0 == world.limiter.waiting


async def test_no_call_overtakes() -> None:
    """While a call waits, a later one does not take the slot that became free."""
    world = World()
    async with anyio.create_task_group() as group:
        await enter_all(world, group, ["i1"])
        world.budget.settle(0.0)
        world.time.now += WINDOW
        assert not world.limiter.try_acquire(Ticket())
        world.limiter.grant_waiting()
        await run_all()

        assert ["i1"] == world.granted


@pytest.mark.parametrize("gone", ["i1", "i2", "i3"])
async def test_cancelled_while_waiting(gone: str) -> None:
    """A call that is cancelled in the queue leaves no gap in it, and takes no slot with it."""
    world = World()
    names = ["i1", "i2", "i3"]
    async with anyio.create_task_group() as group:
        await enter_all(world, group, names)
        world.scopes[gone].cancel()
        await run_all()
        assert 2 == world.limiter.waiting
        for _ in range(2):
            await world.next_window()

    assert [name for name in names if name != gone] == world.granted


async def test_cancelled_when_granted() -> None:
    """A call that is cancelled in the moment when its slot is granted gives the slot to the next."""
    world = World()
    async with anyio.create_task_group() as group:
        await enter_all(world, group, ["i1", "i2"])
        world.budget.settle(0.0)
        world.time.now += WINDOW
        world.limiter.grant_waiting()
        world.scopes["i1"].cancel()
        await run_all()
        granted = list(world.granted)
        group.cancel_scope.cancel()

    # The event loop decides whether the cancellation or the slot comes first; either way, the slot has one owner.
    assert granted in (["i1"], ["i2"])


async def test_all_cancelled() -> None:
    """When all waiting calls are gone, a later call gets the free slot."""
    world = World()
    async with anyio.create_task_group() as group:
        await enter_all(world, group, ["i1", "b1"])
        group.cancel_scope.cancel()
    world.budget.settle(0.0)
    world.time.now += WINDOW

    assert 0 == world.limiter.waiting
    assert world.limiter.try_acquire(Ticket())


async def test_cancelled_slot() -> None:
    """The slot of a call that was not sent goes to the next in the queue at once."""
    world = World()
    async with anyio.create_task_group() as group:
        await enter_all(world, group, ["b1", "i1"])
        world.budget.cancel()
        world.limiter.grant_waiting()
        await run_all()
        granted = list(world.granted)
        group.cancel_scope.cancel()

    assert ["i1"] == granted


async def test_hopeless_wait_fails_now() -> None:
    """A call that cannot get a slot before its deadline fails at once, and leaves the queue."""
    world = World()
    world.budget.settle(0.0)
    with anyio.fail_after(1), pytest.raises(BudgetTimeoutError) as caught:
        await world.limiter.acquire(Ticket(), WINDOW - 1)

    assert WINDOW == caught.value.retry_after
    assert 0 == world.limiter.waiting
    world.time.now += WINDOW
    assert world.limiter.try_acquire(Ticket())


async def test_a_call_that_fails_holds_no_other_up() -> None:
    """A call whose deadline is too short leaves the queue; those behind it keep their turn."""
    world = World()
    async with anyio.create_task_group() as group:
        await enter_all(world, group, ["i1"])
        world.budget.settle(0.0)
        with pytest.raises(BudgetTimeoutError):
            await world.limiter.acquire(Ticket(), 1.0)
        world.time.now += WINDOW
        world.limiter.grant_waiting()
        await run_all()

    assert ["i1"] == world.granted


async def test_far_behind_in_the_queue() -> None:
    """A call so far behind that no slot comes before its deadline fails at once, and says how long it would take."""
    world = World(limit=2)
    for at in (0.0, 4.0):
        world.budget.settle(at)
    world.time.now = 4.0
    async with anyio.create_task_group() as group:
        await enter_all(world, group, ["i1"])
        with pytest.raises(BudgetTimeoutError) as caught:
            await world.limiter.acquire(Ticket(), 9.0)
        assert 10.0 == caught.value.retry_after
        group.cancel_scope.cancel()


async def test_two_event_loops() -> None:
    """Calls of two event loops cannot wait in one queue: the second is refused before it could disturb the first."""
    world = World()
    found: list[type[Exception]] = []

    async def elsewhere() -> None:
        for call in (lambda: world.limiter.acquire(Ticket()), lambda: try_acquire(world.limiter)):
            try:
                await call()
            except WrongEventLoopError as error:
                found.append(type(error))
        world.budget.settle(0.0)
        world.time.now = WINDOW
        world.limiter.grant_waiting()

    async with anyio.create_task_group() as group:
        await enter_all(world, group, ["i1"])
        await anyio.to_thread.run_sync(lambda: anyio.run(elsewhere))
        assert [] == world.granted
        world.limiter.grant_waiting()
        await run_all()

    assert ["i1"] == world.granted
    assert [WrongEventLoopError] * 2 == found


def test_a_closed_loop_is_forgotten() -> None:
    """Calls that waited in a loop which was closed block no later loop, nor disturb it when they are collected."""
    world, loop = World(2), asyncio.new_event_loop()

    async def abandon() -> None:
        for name in ("i1", "i2"):
            task = asyncio.get_running_loop().create_task(world.enter(name))
            inside.destroy_silently(task)
        await asyncio.sleep(0)

    loop.run_until_complete(abandon())
    assert 2 == world.limiter.waiting

    async def later() -> None:
        with pytest.raises(WrongEventLoopError):
            await world.limiter.acquire(Ticket())
        loop.close()
        other = RateLimiter(world.budget, world.time.clock())
        assert not other.try_acquire(Ticket())
        assert 0 == other.waiting
        async with anyio.create_task_group() as group:
            group.start_soon(other.acquire, Ticket())
            await run_all()
            world.scopes.clear()
            gc.collect()
            assert 1 == other.waiting
            world.budget.cancel()
            other.grant_waiting()

    asyncio.run(later())
    assert ([], 0) == (world.granted, len(world.budget.queue))


def test_a_trio_run_that_has_ended_is_known() -> None:
    """A run of trio that has ended is told from one that goes on."""
    tokens: list[object] = []

    async def main() -> None:
        tokens.append(anyio.lowlevel.current_token())
        assert not has_ended(tokens[0])

    anyio.run(main, backend="trio")
    assert has_ended(tokens[0])
    assert not has_ended(object())


async def test_waiting_accounts_are_not_counted_at_each_look(monkeypatch: pytest.MonkeyPatch) -> None:
    """The calls that go before one are counted exactly only if its deadline may depend on that."""
    world, counted = World(), list[Ticket]()

    def count(ticket: Ticket) -> int:
        counted.append(ticket)
        return count_before(ticket)

    count_before = world.budget.queue.count_before
    monkeypatch.setattr(world.budget.queue, "count_before", count)
    world.budget.settle(0.0)
    async with anyio.create_task_group() as group:
        for number in range(50):
            group.start_soon(world.limiter.acquire, Ticket(account=str(number)), 1_000.0)
        await run_all()
        assert [] == counted
        with pytest.raises(BudgetTimeoutError):
            await world.limiter.acquire(Ticket(), WINDOW / 2)
        assert 1 == len(counted)
        group.cancel_scope.cancel()


async def try_acquire(limiter: RateLimiter) -> bool:
    """Take a slot without waiting."""
    return limiter.try_acquire(Ticket())
