"""Idle connections are closed in time, without a further call, and are reused in the order that needs the fewest."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

import anyio
import anyio.lowlevel
import httpx
import pytest
import trio
import trio.testing

import inside
from clients import own_pool_only
from runtime.open_sockets import linux_only, states
from runtime.raw_service import every_loop
from runtime.socket_server import NEW, Last, client_of, found, heard, wire

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyas_async import PyasClient
    from runtime.socket_server import Seen, Wire

pytestmark = own_pool_only

KEEPALIVE = 4.0
"""Seconds for which a connection may be idle: Node closes it after five."""
BURST = 100
TURNS = 200_000
"""Iterations of the event loop within which the threads of a service have certainly done their part."""


class Timer:
    """A timer of a pool, which the test lets fire."""

    def __init__(self, due: float, act: Callable[[], float | None]) -> None:
        self.due: float | None = due
        self.act = act

    def cancel(self) -> None:
        """Stop."""
        self.due = None


class Time:
    """The time of pools: it passes when the test says so, and their timers fire at their moments."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self.timers: list[Timer] = []

    def start(self, seconds: float, act: Callable[[], float | None], name: str) -> Timer:
        """Start a timer, as `Timer` of the package does."""
        self.timers.append(Timer(self.now + seconds, act))
        return self.timers[-1]

    def pass_by(self, seconds: float) -> None:
        """Let seconds pass."""
        end = self.now + seconds
        while due := [timer for timer in self.timers if timer.due is not None and timer.due <= end]:
            timer = min(due, key=lambda timer: timer.due or 0.0)
            assert timer.due is not None
            self.now = timer.due
            again = timer.act()
            if timer.due is not None:
                timer.due = None if again is None else self.now + again
        self.now = end


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    """Replace the clock and the timers of pools."""
    time = Time()
    monkeypatch.setattr(inside.POOL_TIMER, time.start)
    monkeypatch.setattr(inside.POOL_CLOCK, lambda: lambda: time.now)
    return time


async def turns_until(ready: Callable[[], object]) -> None:
    """Let the event loop and the threads of a service run until something has happened, without a pause."""
    for _ in range(TURNS):
        if ready():
            return
        await anyio.lowlevel.checkpoint()
    pytest.fail("it has not happened")


async def at_once(client: PyasClient, count: int) -> None:
    """Make calls at the same time."""
    async with anyio.create_task_group() as tasks:
        for number in range(count):
            tasks.start_soon(heard(client).meetings.get, number + 1)


def together(count: int, kind: Callable[[bytes], bytes] = bytes) -> Callable[[Seen], bytes]:
    """Return a function that responds once so many requests wait for a response; the later ones follow each other."""
    barrier = threading.Barrier(count)
    first = threading.Semaphore(count)

    def answer(seen: Seen) -> bytes:
        if first.acquire(blocking=False):
            barrier.wait(30)
        return kind(found(seen))

    return answer


def open_at(server: Wire) -> int:
    """Return how many connections a service has open."""
    return server.connections - server.closed


@pytest.mark.anyio
@every_loop
@linux_only
@pytest.mark.parametrize("kind", [bytes, Last], ids=["the client", "the service"])
async def test_after_a_burst(kind: type[bytes], time: Time) -> None:
    """Four seconds after a burst no socket is left, without a further call, even if the service closed them first."""
    with wire(together(BURST, kind)) as server:
        async with client_of(server.url) as client:
            await at_once(client, BURST)
            assert BURST == server.connections
            if kind is Last:
                await turns_until(lambda: server.closed == BURST)
            else:
                time.pass_by(KEEPALIVE - 0.1)
                assert {"ESTABLISHED": BURST} == states(server.port)
            time.pass_by(KEEPALIVE)
            await turns_until(lambda: {} == states(server.port))
            assert [] == inside.idle_connections(client)
            assert [None] == [timer.due for timer in time.timers]  # nothing wakes an idle client


@pytest.mark.anyio
@every_loop
async def test_each_in_its_time(time: Time) -> None:
    """Each connection is closed four seconds after its own last use; one that is used again stays."""
    with wire(together(3)) as server:
        async with client_of(server.url) as client:
            await at_once(client, 3)
            time.pass_by(3.0)
            await client.meetings.get(81)
            time.pass_by(1.5)
            await turns_until(lambda: open_at(server) == 1)
            time.pass_by(2.0)
            await client.meetings.get(81)  # 3.5 s after its last use
            assert 3 == server.connections
            time.pass_by(KEEPALIVE)
            await turns_until(lambda: open_at(server) == 0)
            await client.meetings.get(81)
            assert 4 == server.connections
            time.pass_by(KEEPALIVE)
            await turns_until(lambda: open_at(server) == 0)


@pytest.mark.anyio
@every_loop
async def test_a_connection_in_use_is_not_closed(time: Time) -> None:
    """However long a call takes, the timer does not close its connection."""
    released = threading.Event()

    def answer(seen: Seen) -> bytes:
        assert seen.turn == 1 or released.wait(30)
        return found(seen)

    with wire(answer) as server:
        async with client_of(server.url) as client:
            await client.meetings.get(81)
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(client.meetings.get, 82)
                await turns_until(lambda: len(server.requests) == 2)
                time.pass_by(10 * KEEPALIVE)
                released.set()
            await client.meetings.get(83)
        assert [1, 2, 3] == [seen.turn for seen in server.requests]


@pytest.mark.anyio
@every_loop
async def test_closing_stops_the_timer(time: Time) -> None:
    """A closed client has no timer that could run, and no connection."""
    with wire() as server:
        async with client_of(server.url) as client:
            await client.meetings.get(81)
            assert [1_000.0 + KEEPALIVE] == [timer.due for timer in time.timers]
        assert [None] == [timer.due for timer in time.timers]
        await turns_until(lambda: open_at(server) == 0)


@pytest.mark.anyio
@every_loop
async def test_last_in_first_out(time: Time) -> None:
    """The connection that was used last is used next, so that the others age, and are closed."""
    with wire(together(3)) as server:
        async with client_of(server.url) as client:
            await at_once(client, 3)
            for number in (4, 5, 6):
                await client.meetings.get(number)
        assert [1, 1, 1, 2, 3, 4] == [seen.turn for seen in server.requests]


@pytest.mark.anyio
@every_loop
@pytest.mark.parametrize("idle", [0, 1, 3])
async def test_create_on_a_fresh_connection(idle: int, time: Time) -> None:
    """A create uses a connection that has carried nothing before, and no more connections are open than before."""
    with wire(together(max(idle, 1))) as server:
        async with client_of(server.url) as client:
            if idle:
                await at_once(client, idle)
            for count in (1, 2):
                await client.meetings.create(NEW)
                await turns_until(lambda: open_at(server) == max(idle, 1))
                assert idle + count == server.connections
        assert [1] * (idle + 2) == [seen.turn for seen in server.requests]


# With the real timer, in an event loop whose time is moved.


TRIO = pytest.param(("trio", {"clock": trio.testing.MockClock()}), id="trio")
every_way = pytest.mark.parametrize("through_httpx", [False, True], ids=["own connections", "httpx's"])


def trace(patch: pytest.MonkeyPatch) -> None:
    """Replace a method of httpx's transport, as tracers do, so that requests go through that transport."""
    real = httpx.AsyncHTTPTransport.handle_async_request

    async def traced(transport: Any, request: httpx.Request) -> httpx.Response:  # noqa: ANN401
        return await real(transport, request)

    patch.setattr(httpx.AsyncHTTPTransport, "handle_async_request", traced)


async def check_real_timer(pass_by: Callable[[float], None]) -> None:
    """Make calls at once, and check that their connections are closed four seconds later."""
    with wire(together(3)) as server:
        async with client_of(server.url) as client:
            await at_once(client, 3)
            for _ in range(2):
                for _ in range(100):  # trio's timer is a task, which has to begin
                    await anyio.lowlevel.checkpoint()
                assert 3 == open_at(server)
                pass_by(KEEPALIVE / 2)
            await turns_until(lambda: open_at(server) == 0)
            assert [] == inside.idle_connections(client)


@pytest.mark.asyncio
@every_way
async def test_timer_of_asyncio(through_httpx: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """The timer of asyncio's loop closes idle connections, in a program that runs its loop without anyio."""
    loop, later = asyncio.get_running_loop(), 0.0
    real = loop.time

    def pass_by(seconds: float) -> None:
        nonlocal later
        later += seconds

    monkeypatch.setattr(loop, "time", lambda: real() + later)
    if through_httpx:
        trace(monkeypatch)
    await check_real_timer(pass_by)


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", [TRIO])
@every_way
async def test_timer_of_trio(through_httpx: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """The timer of trio closes idle connections."""
    clock = trio.lowlevel.current_clock()
    assert isinstance(clock, trio.testing.MockClock)
    if through_httpx:
        trace(monkeypatch)
    await check_real_timer(clock.jump)
