"""Equal reads of one meeting that are under way at the same moment: one call, whose outcome all of them get.

The call runs in a task of its own, because whoever asked first may be cancelled while others still wait. There is no
nursery that could own that task, since a client works without ``async with``; so those who wait own it, all of them
together. What a nursery promises holds nevertheless: the task never outlives the last who waits, since that one cancels
it and sees it end before leaving; and what it raises comes out of those who wait, and of nothing else.
"""

import contextlib
import contextvars
import copy
import math
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import anyio

from pyas_async._core.calls.messages import Call

if TYPE_CHECKING:
    from pyas_async._runtime.calls.options import CallOptions
    from pyas_async._runtime.events import CallTrace

T = TypeVar("T")


class _Flight:
    """A call on its way, and how many wait for it."""

    def __init__(self, call: Call[Any], options: "CallOptions", now: float) -> None:
        self.path = call.path
        self.query = call.query
        self.options = options
        limits = options.limits
        # Who joins late shares the end of the first one's deadline: so much of one's own is left at least. The deadline
        # of a patient call begins when the budget releases it, for those who joined before as well.
        self.open_until = math.inf if limits.deadline is None or limits.patient else now + limits.deadline / 2
        self.waiting = 0
        self.scope = anyio.CancelScope()
        self.done = anyio.Event()
        self.landed = False
        self.value: Any = None
        self.error: BaseException | None = None
        self.task: object = None


class SingleFlight:
    """The calls that may be shared."""

    def __init__(self, make: Callable[[Call[Any], "CallOptions", "CallTrace"], Awaitable[Any]]) -> None:
        """Keep what makes a call; nothing is under way."""
        self._make = make
        self._joinable: dict[str, list[_Flight]] = {}
        # The event loop itself remembers a task only weakly.
        self._under_way: set[_Flight] = set()

    async def share(self, call: Call[T], options: "CallOptions", trace: "CallTrace", *, now: float) -> T:
        """Wait for an equal call under way, or make this one so that others can wait for it."""
        while True:
            flight = self._find(call, options, now)
            if flight is None:
                flight = self._start(call, options, trace, now)
            await self._wait(flight)
            if flight.error is not None:
                raise _own(flight.error)
            if flight.landed:
                value: T = flight.value
                return value
            # Somebody who is none of us has cancelled the task. Our own cancellation would have come out of the wait.

    def part(self, path: str) -> None:
        """Let nobody join what is under way there: it may have been read before a write that begins or ends now."""
        self._joinable.pop(path, None)

    async def ended(self) -> None:
        """Wait until nothing is under way any more, once the client is closed."""
        for flight in tuple(self._under_way):
            await flight.done.wait()

    def _find(self, call: Call[Any], options: "CallOptions", now: float) -> _Flight | None:
        for flight in self._joinable.get(call.path, ()):
            if flight.query == call.query and flight.options == options and now < flight.open_until:
                return flight
        return None

    def _start(self, call: Call[Any], options: "CallOptions", trace: "CallTrace", now: float) -> _Flight:
        flight = _Flight(call, options, now)
        flight.task = _spawn(partial(self._fly, flight, call, options, trace), f"pyas_async {call.operation}")
        if not flight.done.is_set():  # an eager task may have ended by now
            self._joinable.setdefault(flight.path, []).append(flight)
            self._under_way.add(flight)
        return flight

    async def _fly(self, flight: _Flight, call: Call[Any], options: "CallOptions", trace: "CallTrace") -> None:
        try:
            with flight.scope:
                flight.value = await self._make(call, options, trace)
                flight.landed = True
        except anyio.get_cancelled_exc_class():
            raise  # the event loop ends, and those who wait with it
        except BaseException as error:  # noqa: BLE001  (it comes out of those who wait; trio ends if it comes out here)
            flight.error = error
        finally:
            self._close(flight)
            self._under_way.discard(flight)
            flight.done.set()

    async def _wait(self, flight: _Flight) -> None:
        flight.waiting += 1
        try:
            await flight.done.wait()
        finally:
            flight.waiting -= 1
            if not flight.waiting and not flight.done.is_set():
                self._close(flight)
                flight.scope.cancel()
                await _see_out(flight.done)

    def _close(self, flight: _Flight) -> None:
        joinable = self._joinable.get(flight.path, [])
        if flight in joinable:
            joinable.remove(flight)
            if not joinable:
                del self._joinable[flight.path]


def _spawn(run: Callable[[], Coroutine[Any, Any, None]], name: str) -> object:
    """Start a task outside of all nurseries, in a copy of the caller's context."""
    import asyncio  # noqa: PLC0415 -- it takes long to load, and few programs share calls

    if anyio.get_cancelled_exc_class() is asyncio.CancelledError:
        return asyncio.get_running_loop().create_task(run(), name=name)
    import trio  # noqa: PLC0415  (it is there, since it runs; asyncio's users need not have it)

    return trio.lowlevel.spawn_system_task(run, name=name, context=contextvars.copy_context())


async def _see_out(done: anyio.Event) -> None:
    """Wait for the end of what was cancelled, whatever happens to the caller meanwhile."""
    import asyncio  # noqa: PLC0415 -- see `_spawn`

    with anyio.CancelScope(shield=True):
        while not done.is_set():
            # No shield holds back a second ``task.cancel()`` of asyncio. The first is on its way up, so none is lost.
            with contextlib.suppress(asyncio.CancelledError):
                await done.wait()


def _own(error: BaseException) -> BaseException:
    """Copy an error, so that each who raises it has a traceback and notes of its own."""
    try:
        own = copy.copy(error)
    except Exception:  # noqa: BLE001  (not ours: it came out of the user's code, and cannot be copied)
        return error
    own.__cause__, own.__context__ = error.__cause__, error.__context__
    own.__suppress_context__ = error.__suppress_context__
    if hasattr(error, "__notes__"):
        own.__notes__ = list(error.__notes__)
    return own.with_traceback(error.__traceback__)
