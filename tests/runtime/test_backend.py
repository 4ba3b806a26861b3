"""Tasks without a parent, timers, and the clock and end of the event loop, on each event loop."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from typing import TYPE_CHECKING, Any

import anyio
import anyio.lowlevel
import anyio.to_thread
import pytest
import trio
import trio.testing

from pyas_async._runtime.backend import Timer, before_loop_ends, loop_clock, loop_entry, on_asyncio, spawn
from runtime.raw_service import ASYNCIO, UVLOOP, every_loop

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

MOCKED_TRIO = pytest.param(("trio", {"clock": trio.testing.MockClock()}), id="trio")
LOOPS: dict[str, tuple[str, dict[str, Any]]] = {
    "asyncio": ("asyncio", {}),
    "uvloop": ("asyncio", {"use_uvloop": True}),
    "trio": ("trio", {}),
}
every_run = pytest.mark.parametrize(("backend", "options"), LOOPS.values(), ids=LOOPS)
label: contextvars.ContextVar[str] = contextvars.ContextVar("label")


async def turns(count: int = 20) -> None:
    """Let the event loop run."""
    for _ in range(count):
        await anyio.lowlevel.checkpoint()


# Which loop it is.


@pytest.mark.anyio
@every_loop
async def test_loop_of_a_task(anyio_backend: object) -> None:
    """A task knows whether its event loop is asyncio's; uvloop counts as asyncio."""
    assert (anyio_backend != "trio") == on_asyncio()


def test_loop_of_a_callback() -> None:
    """So does a callback of asyncio's, in a program that runs its loop without anyio."""
    seen: list[bool] = []

    async def main() -> None:
        asyncio.get_running_loop().call_soon(lambda: seen.append(on_asyncio()))
        await asyncio.sleep(0)

    asyncio.run(main())
    assert [True] == seen


def test_trio_as_a_guest_of_asyncio() -> None:
    """A task of trio's that runs inside of asyncio's loop is trio's."""
    seen: list[bool] = []

    async def guest() -> None:
        await trio.lowlevel.checkpoint()
        seen.append(on_asyncio())

    async def host() -> None:
        loop = asyncio.get_running_loop()
        done: asyncio.Future[Any] = loop.create_future()
        trio.lowlevel.start_guest_run(
            guest, run_sync_soon_threadsafe=loop.call_soon_threadsafe, done_callback=done.set_result
        )
        (await done).unwrap()
        seen.append(on_asyncio())

    asyncio.run(host())
    assert [False, True] == seen


def test_without_a_loop() -> None:
    """Without an event loop there is no answer."""
    with pytest.raises(RuntimeError):
        on_asyncio()


# Tasks.


@pytest.mark.anyio
@every_loop
async def test_task_without_a_parent() -> None:
    """A spawned task outlives the scope of its caller, and has a copy of its context and the name that was given."""
    seen: list[object] = []
    done = anyio.Event()

    async def run() -> None:
        seen.extend((label.get(), anyio.get_current_task().name))
        label.set("changed")
        await turns()
        done.set()

    label.set("caller's")
    with anyio.CancelScope() as scope:
        kept = spawn(run, "a task")
        scope.cancel()
        await anyio.lowlevel.checkpoint()
    assert scope.cancelled_caught
    with anyio.fail_after(5):
        await done.wait()
    assert kept is not None
    assert (["caller's", "a task"], "caller's") == (seen, label.get())


# The clock.


@pytest.mark.anyio
@every_loop
async def test_clock() -> None:
    """The clock is that of the event loop, by which anyio counts."""
    now = loop_clock()
    before = anyio.current_time()
    assert before <= now() <= anyio.current_time()


# Timers.


@pytest.fixture
def pass_by(anyio_backend: object, monkeypatch: pytest.MonkeyPatch) -> Callable[[float], Coroutine[Any, Any, None]]:
    """Return a function that lets the time of the event loop pass, and what is due then happen."""
    later = 0.0
    patched = False

    async def pass_by(seconds: float) -> None:
        nonlocal later, patched
        if anyio_backend == "asyncio":
            if not patched:
                patched, loop = True, asyncio.get_running_loop()
                real = loop.time
                monkeypatch.setattr(loop, "time", lambda: real() + later)
            await turns()
            later += seconds
        else:
            clock = trio.lowlevel.current_clock()
            assert isinstance(clock, trio.testing.MockClock)
            await turns()  # the timer's task has to begin
            clock.jump(seconds)
        await turns()

    return pass_by


with_moved_time = pytest.mark.parametrize("anyio_backend", [ASYNCIO, MOCKED_TRIO])


@pytest.mark.anyio
@with_moved_time
async def test_timer(pass_by: Callable[[float], Coroutine[Any, Any, None]]) -> None:
    """A timer calls its function when its seconds have passed, and after as many as that returns, until None."""
    pauses: list[float | None] = [3.0, 1.0, None]
    calls = 0

    def act() -> float | None:
        nonlocal calls
        calls += 1
        return pauses[calls - 1]

    Timer(10.0, act, "a timer")
    counts = []
    for seconds in (9.5, 0.6, 2.5, 0.6, 1.1, 100.0):
        await pass_by(seconds)
        counts.append(calls)
    assert [0, 1, 1, 2, 3, 3] == counts


@pytest.mark.anyio
@with_moved_time
@pytest.mark.parametrize("moment", ["at once", "before", "between", "within"])
async def test_stopped_timer(moment: str, pass_by: Callable[[float], Coroutine[Any, Any, None]]) -> None:
    """A timer that was stopped calls nothing any more, whenever that was, and may be stopped twice."""
    calls = 0

    def act() -> float:
        nonlocal calls
        calls += 1
        if moment == "within":
            timer.cancel()
        return 1.0

    timer = Timer(1.0, act, "a timer")
    if moment != "at once":
        await pass_by(0.5)
    if moment == "between":
        await pass_by(1.0)
    if moment != "within":
        timer.cancel()
        timer.cancel()
    for _ in range(3):
        await pass_by(1.1)
    assert {"at once": 0, "before": 0, "between": 1, "within": 1}[moment] == calls


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", [ASYNCIO, UVLOOP, pytest.param("trio", id="trio")])
async def test_timer_without_delay() -> None:
    """A timer without a delay calls its function in a later iteration of the event loop."""
    pauses: list[float | None] = [None, 0.0]
    done = anyio.Event()

    def act() -> float | None:
        if len(pauses) == 1:
            done.set()
        return pauses.pop()

    Timer(0.0, act, "a timer")
    assert 2 == len(pauses)
    with anyio.fail_after(5):
        await done.wait()
    assert [] == pauses


@pytest.mark.anyio
@every_loop
async def test_timer_ends_with_its_loop() -> None:
    """A timer that has not fired keeps no event loop open: this test ends."""
    Timer(1_000_000.0, lambda: None, "a timer")
    await turns()


# Into the loop, and its end.


@pytest.mark.anyio
@every_loop
async def test_call_from_another_thread() -> None:
    """A function can be called in the event loop's thread from any other thread, and from its own."""
    call = loop_entry()
    threads: list[int] = []
    await anyio.to_thread.run_sync(lambda: call(lambda: threads.append(threading.get_ident())))
    call(lambda: threads.append(threading.get_ident()))
    with anyio.fail_after(5):
        while len(threads) < 2:
            await anyio.lowlevel.checkpoint()
    assert [threading.get_ident()] * 2 == threads


@every_run
def test_call_after_the_end(backend: str, options: dict[str, Any]) -> None:
    """Once the event loop has ended, nothing can be called in it, and the caller is told."""

    async def main() -> Callable[[Callable[[], object]], object]:
        return loop_entry()

    call = anyio.run(main, backend=backend, backend_options=options)
    with pytest.raises(RuntimeError):
        call(lambda: None)


@every_run
@pytest.mark.parametrize("closed", [False, True], ids=["at the end", "when it is closed"])
def test_before_the_end(backend: str, options: dict[str, Any], closed: bool) -> None:
    """On asyncio, a function is awaited before the event loop is closed, or when that is no longer wanted; once."""
    happened: list[str] = []

    async def act() -> None:
        await anyio.lowlevel.checkpoint()
        happened.append("act")

    async def main() -> object:
        watch = await before_loop_ends(act)
        assert (backend == "asyncio") == (watch is not None)
        if closed and watch is not None:
            await watch.aclose()
        happened.append("end")
        return watch

    kept = anyio.run(main, backend=backend, backend_options=options)
    expected = ["end"] if backend == "trio" else ["act", "end"] if closed else ["end", "act"]
    assert expected == happened
    del kept
