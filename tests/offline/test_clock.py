"""The clock for tests moves when the test moves it, or when a task would wait; no task waits in real time."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import anyio
import anyio.lowlevel
import pytest
from anyio.from_thread import start_blocking_portal

from pyas_async.testing import Clock

pytestmark = pytest.mark.anyio


async def test_stands_still() -> None:
    """Without a wait or a call of `advance`, no time passes."""
    clock = Clock()
    before = clock.now
    await clock.settle()

    assert (before, 0.0) == (clock.now, clock.elapsed)
    assert before.timestamp() == clock.time()


@pytest.mark.parametrize("step", [90, timedelta(minutes=1, seconds=30)])
def test_advance(step: float | timedelta) -> None:
    """A test moves the clock by seconds or by a timedelta, without an event loop."""
    start = datetime(2030, 5, 1, 12, tzinfo=UTC)
    clock = Clock(start)
    clock.advance(step)

    assert (90.0, start + timedelta(seconds=90)) == (clock.elapsed, clock.now)


def test_mistakes() -> None:
    """The clock only goes forward, and starts at an unambiguous time."""
    for step in (-1, float("inf"), float("nan")):
        with pytest.raises(ValueError, match="a clock goes forward"):
            Clock().advance(step)
    with pytest.raises(ValueError, match="aware"):
        Clock(datetime(2030, 5, 1))  # noqa: DTZ001  (the mistake under test)


async def test_waits_are_jumped_over() -> None:
    """Waiting tasks continue in the order of their times, each at its time."""
    clock, seen = Clock(), []

    async def wait(seconds: float) -> None:
        await clock.sleep(seconds)
        seen.append((seconds, clock.elapsed))

    async with anyio.create_task_group() as tasks:
        for seconds in (300, 0, 5, 5, 86_400):
            tasks.start_soon(wait, seconds)

    assert [(0, 0.0), (5, 5.0), (5, 5.0), (300, 300.0), (86_400, 86_400.0)] == sorted(seen)
    assert [seconds for seconds, _ in seen] == sorted(seconds for seconds, _ in seen)


async def test_work_takes_no_time() -> None:
    """The clock does not jump over a wait while other tasks run, if they look at the clock now and then."""
    clock, seen = Clock(), []

    async def work() -> None:
        for _ in range(500):
            clock.time()
            await anyio.lowlevel.checkpoint()
        seen.append(clock.elapsed)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(clock.sleep, 60)
        tasks.start_soon(work)

    assert [0.0] == seen
    assert 60.0 == clock.elapsed


async def test_jumps_off() -> None:
    """With `jumps` off, only the test ends a wait; switched on again, the clock jumps by itself."""
    clock, over = Clock(), []

    async def wait(seconds: float) -> None:
        await clock.sleep(seconds)
        over.append(seconds)

    clock.jumps = False
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(wait, 10)
        tasks.start_soon(wait, 20)
        await clock.settle()
        clock.advance(9.5)
        await clock.settle()
        assert [] == over
        clock.advance(0.5)
        await clock.settle()
        assert [10] == over
        assert 10.0 == clock.elapsed
        clock.jumps = True
    assert ([10, 20], 20.0, True) == (over, clock.elapsed, clock.jumps)


async def test_move_on_after() -> None:
    """A scope ends at its time, not before; without a time, never."""
    clock = Clock()
    with clock.move_on_after(30) as scope:
        await clock.sleep(29)
    assert (False, 29.0) == (scope.cancelled_caught, clock.elapsed)
    with clock.move_on_after(30) as scope:
        await clock.sleep(31)
    assert (True, 59.0) == (scope.cancelled_caught, clock.elapsed)
    with clock.move_on_after(None) as scope:
        await clock.sleep(1_000_000)
    assert not scope.cancelled_caught
    with clock.move_on_after(0) as scope:
        await anyio.sleep_forever()
    assert (True, 1_000_059.0) == (scope.cancelled_caught, clock.elapsed)


async def test_waiting_for_real() -> None:
    """While a task waits in real time, a jump ends pauses but no timeout; afterwards it ends timeouts as well."""
    clock = Clock()
    with clock.move_on_after(5) as scope:
        with clock.waiting_for_real():
            for _ in range(300):
                await anyio.lowlevel.checkpoint()
            await clock.sleep(2)
        assert (2.0, False) == (clock.elapsed, scope.cancel_called)
        await anyio.sleep_forever()
    assert (5.0, True) == (clock.elapsed, scope.cancelled_caught)


async def test_cancelled_waits_are_forgotten() -> None:
    """A cancelled wait does not move the clock."""
    clock = Clock()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(clock.sleep, 3600)
        await anyio.lowlevel.checkpoint()
        tasks.cancel_scope.cancel()
    await clock.sleep(1)

    assert 1.0 == clock.elapsed


def test_several_runs() -> None:
    """One clock serves several event loops in turn, of either kind, even after a run that ended during a wait."""
    clock = Clock()

    async def run() -> None:
        await clock.sleep(60)
        with anyio.move_on_after(0):
            await clock.sleep(60)

    for backend in ("asyncio", "trio", "asyncio"):
        anyio.run(run, backend=backend)

    assert 180.0 == clock.elapsed


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_moved_from_another_thread(backend: str) -> None:
    """A synchronous test moves the clock of an application in another thread."""
    clock = Clock()
    clock.jumps = False
    waits = threading.Event()

    async def wait() -> float:
        waits.set()
        await clock.sleep(60)
        return clock.elapsed

    with start_blocking_portal(backend) as portal:
        waiting = portal.start_task_soon(wait)
        assert waits.wait(10)
        portal.call(clock.settle)
        clock.advance(61)

        assert 61.0 == waiting.result(10)
