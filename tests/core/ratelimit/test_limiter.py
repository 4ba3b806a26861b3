"""Who may send next: the order of the queue, those who leave it, and nobody forgotten in it."""

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


class Hand:
    """A clock that a test moves by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def clock(self) -> Clock:
        """Give it in the form that the limiter takes."""
        return Clock(now=lambda: self.now, wall=lambda: NOON)


class Queue:
    """A budget of one call that is under way, and those who wait for its place."""

    def __init__(self, limit: int = 1) -> None:
        self.hand = Hand()
        self.budget = RateBudget(limit, window=WINDOW, guard=0.0)
        self.limiter = RateLimiter(self.budget, self.hand.clock())
        self.served: list[str] = []
        self.scopes: dict[str, anyio.CancelScope] = {}
        self.budget.learn({}, 0.0, NOON)
        while self.limiter.try_acquire(Ticket()):
            pass

    async def enter(self, name: str, *, bulk: bool = False, left: float | None = None) -> None:
        """Wait for a place, and note that it came."""
        with anyio.CancelScope() as self.scopes[name]:
            await self.limiter.acquire(Ticket(bulk=bulk), left)
            self.served.append(name)

    async def turn(self) -> None:
        """End the call that is under way and let its window pass; then let everybody act."""
        self.budget.settle(self.hand.now)
        self.hand.now += WINDOW
        self.limiter.grant_waiting()
        await settle()


async def settle() -> None:
    """Let all tasks run until they wait."""
    for _ in range(20):
        await anyio.lowlevel.checkpoint()


async def fill(queue: Queue, group: anyio.abc.TaskGroup, names: Sequence[str]) -> None:
    """Let callers arrive one after the other; a name that begins with b is that of a bulk call."""
    for name in names:
        group.start_soon(lambda name=name: queue.enter(name, bulk=name.startswith("b")))  # type: ignore[misc]
        await settle()


async def test_order() -> None:
    """Interactive calls go before bulk ones, and among equals the first to arrive is the first to go."""
    queue = Queue()
    async with anyio.create_task_group() as group:
        await fill(queue, group, ["b1", "i1", "b2", "i2", "b3"])
        assert 5 == queue.limiter.waiting
        for _ in range(5):
            await queue.turn()

    assert ["i1", "i2", "b1", "b2", "b3"] == queue.served
    assert 0 == queue.limiter.waiting


async def test_nobody_overtakes() -> None:
    """While somebody waits, a newcomer does not take the place that came free."""
    queue = Queue()
    async with anyio.create_task_group() as group:
        await fill(queue, group, ["i1"])
        queue.budget.settle(0.0)
        queue.hand.now += WINDOW
        assert not queue.limiter.try_acquire(Ticket())
        queue.limiter.grant_waiting()
        await settle()

        assert ["i1"] == queue.served


@pytest.mark.parametrize("gone", ["i1", "i2", "i3"])
async def test_cancelled_waiter(gone: str) -> None:
    """Who is cancelled in the queue leaves no gap in it, and takes no place with them."""
    queue = Queue()
    names = ["i1", "i2", "i3"]
    async with anyio.create_task_group() as group:
        await fill(queue, group, names)
        queue.scopes[gone].cancel()
        await settle()
        assert 2 == queue.limiter.waiting
        for _ in range(2):
            await queue.turn()

    assert [name for name in names if name != gone] == queue.served


async def test_cancelled_with_the_place_in_hand() -> None:
    """Who is cancelled in the moment of being served gives the place to the next."""
    queue = Queue()
    async with anyio.create_task_group() as group:
        await fill(queue, group, ["i1", "i2"])
        queue.budget.settle(0.0)
        queue.hand.now += WINDOW
        queue.limiter.grant_waiting()
        queue.scopes["i1"].cancel()
        await settle()
        served = list(queue.served)
        group.cancel_scope.cancel()

    # Whether the cancellation or the place came first is the event loop's to say; either way, the place has one owner.
    assert served in (["i1"], ["i2"])


async def test_all_cancelled() -> None:
    """When all who waited are gone, the place is free for whoever comes."""
    queue = Queue()
    async with anyio.create_task_group() as group:
        await fill(queue, group, ["i1", "b1"])
        group.cancel_scope.cancel()
    queue.budget.settle(0.0)
    queue.hand.now += WINDOW

    assert 0 == queue.limiter.waiting
    assert queue.limiter.try_acquire(Ticket())


async def test_give_back() -> None:
    """A place that is given back goes to the next in the queue at once."""
    queue = Queue()
    async with anyio.create_task_group() as group:
        await fill(queue, group, ["b1", "i1"])
        queue.budget.cancel()
        queue.limiter.grant_waiting()
        await settle()
        served = list(queue.served)
        group.cancel_scope.cancel()

    assert ["i1"] == served


async def test_hopeless_wait_fails_now() -> None:
    """A call that the budget cannot serve before its deadline fails at once, and leaves."""
    queue = Queue()
    queue.budget.settle(0.0)
    with anyio.fail_after(1), pytest.raises(BudgetTimeoutError) as caught:
        await queue.limiter.acquire(Ticket(), WINDOW - 1)

    assert WINDOW == caught.value.retry_after
    assert 0 == queue.limiter.waiting
    queue.hand.now += WINDOW
    assert queue.limiter.try_acquire(Ticket())


async def test_one_who_fails_holds_nobody_up() -> None:
    """A waiter whose deadline does not suffice leaves; those behind keep their turn."""
    queue = Queue()
    async with anyio.create_task_group() as group:
        await fill(queue, group, ["i1"])
        queue.budget.settle(0.0)
        with pytest.raises(BudgetTimeoutError):
            await queue.limiter.acquire(Ticket(), 1.0)
        queue.hand.now += WINDOW
        queue.limiter.grant_waiting()
        await settle()

    assert ["i1"] == queue.served


async def test_far_behind_in_line() -> None:
    """Who stands so far behind that no place comes before the deadline is told at once, and how long it takes."""
    queue = Queue(limit=2)
    for at in (0.0, 4.0):
        queue.budget.settle(at)
    queue.hand.now = 4.0
    async with anyio.create_task_group() as group:
        await fill(queue, group, ["i1"])
        with pytest.raises(BudgetTimeoutError) as caught:
            await queue.limiter.acquire(Ticket(), 9.0)
        assert 10.0 == caught.value.retry_after
        group.cancel_scope.cancel()


async def test_two_event_loops() -> None:
    """Calls of two event loops cannot stand in one line, and are told so before they could disturb each other."""
    queue = Queue()
    found: list[type[Exception]] = []

    async def elsewhere() -> None:
        for call in (lambda: queue.limiter.acquire(Ticket()), lambda: tried(queue.limiter)):
            try:
                await call()
            except WrongEventLoopError as error:
                found.append(type(error))
        queue.budget.settle(0.0)
        queue.hand.now = WINDOW
        queue.limiter.grant_waiting()

    async with anyio.create_task_group() as group:
        await fill(queue, group, ["i1"])
        await anyio.to_thread.run_sync(lambda: anyio.run(elsewhere))
        assert [] == queue.served
        queue.limiter.grant_waiting()
        await settle()

    assert ["i1"] == queue.served
    assert [WrongEventLoopError] * 2 == found


def test_a_closed_loop_is_forgotten() -> None:
    """Calls that waited in a loop which was closed under them bar no later loop, and disturb none as garbage."""
    queue, loop = Queue(2), asyncio.new_event_loop()

    async def abandon() -> None:
        for name in ("i1", "i2"):
            task = asyncio.get_running_loop().create_task(queue.enter(name))
            inside.destroy_silently(task)
        await asyncio.sleep(0)

    loop.run_until_complete(abandon())
    assert 2 == queue.limiter.waiting

    async def later() -> None:
        with pytest.raises(WrongEventLoopError):
            await queue.limiter.acquire(Ticket())
        loop.close()
        other = RateLimiter(queue.budget, queue.hand.clock())
        assert not other.try_acquire(Ticket())
        assert 0 == other.waiting
        async with anyio.create_task_group() as group:
            group.start_soon(other.acquire, Ticket())
            await settle()
            queue.scopes.clear()
            gc.collect()
            assert 1 == other.waiting
            queue.budget.cancel()
            other.grant_waiting()

    asyncio.run(later())
    assert ([], 0) == (queue.served, len(queue.budget.queue))


def test_a_trio_run_that_has_ended_is_known() -> None:
    """A run of trio is told from one that goes on."""
    tokens: list[object] = []

    async def main() -> None:
        tokens.append(anyio.lowlevel.current_token())
        assert not has_ended(tokens[0])

    anyio.run(main, backend="trio")
    assert has_ended(tokens[0])
    assert not has_ended(object())


async def test_many_waiting_accounts_are_not_counted_at_each_look(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who goes before a call is counted one by one only if its deadline may hang on that."""
    queue, counted = Queue(), list[Ticket]()

    def count(ticket: Ticket) -> int:
        counted.append(ticket)
        return count_before(ticket)

    count_before = queue.budget.queue.count_before
    monkeypatch.setattr(queue.budget.queue, "count_before", count)
    queue.budget.settle(0.0)
    async with anyio.create_task_group() as group:
        for number in range(50):
            group.start_soon(queue.limiter.acquire, Ticket(account=str(number)), 1_000.0)
        await settle()
        assert [] == counted
        with pytest.raises(BudgetTimeoutError):
            await queue.limiter.acquire(Ticket(), WINDOW / 2)
        assert 1 == len(counted)
        group.cancel_scope.cancel()


async def tried(limiter: RateLimiter) -> bool:
    """Try for a place."""
    return limiter.try_acquire(Ticket())
