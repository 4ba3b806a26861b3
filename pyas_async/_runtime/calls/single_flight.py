"""Equal reads of one meeting that are in flight at the same time share one call, and all callers get its outcome.

The call runs in its own task, because the first caller may be cancelled while others still wait. No nursery can own the
task, since a client also works without ``async with``. So its callers own it together, and keep the promises of a
nursery. The task never outlives its callers, because the last one that leaves cancels it and waits for its end. And an
exception of the task is raised to its callers, and nowhere else.
"""

import contextlib
import copy
import math
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import anyio

from pyas_async._core.calls.messages import Call
from pyas_async._runtime.backend import spawn
from pyas_async.errors import PyasError

if TYPE_CHECKING:
    from pyas_async._runtime.calls.options import CallOptions
    from pyas_async._runtime.events import CallTrace

T = TypeVar("T")


class _SharedCall:
    """A call in flight, its outcome, and the number of callers that wait for it."""

    def __init__(self, call: Call[Any], options: "CallOptions", now: float) -> None:
        self.path = call.path
        self.query = call.query
        self.options = options
        limits = options.limits
        # Callers share the deadline of the first one. A caller may join in the first half of it, and so has at least
        # half of its own deadline. A deadline that excludes waits begins when the call gets its slot, for all callers.
        deadline = None if limits.waits_excluded else limits.deadline
        self.joinable_until = math.inf if deadline is None else now + deadline / 2
        self.callers = 0
        self.scope = anyio.CancelScope()
        self.done = anyio.Event()
        self.succeeded = False
        self.value: Any = None
        self.error: BaseException | None = None
        self.task: object = None


class SingleFlight:
    """The shared calls of a client."""

    def __init__(self, make: Callable[[Call[Any], "CallOptions", "CallTrace"], Awaitable[Any]]) -> None:
        """Share calls that are made by `make`."""
        self._make = make
        self._joinable: dict[str, list[_SharedCall]] = {}
        # The event loop itself has only weak references to its tasks.
        self._in_flight: set[_SharedCall] = set()

    async def run(self, call: Call[T], options: "CallOptions", trace: "CallTrace", *, now: float) -> T:
        """Return the value of an equal call in flight; if there is none, make this one, and let others join it.

        Raises:
            PyasError: What ended the call.
        """
        for _ in range(2):
            shared = self._find(call, options, now)
            if shared is None:
                shared = self._start(call, options, trace, now)
            await self._wait(shared)
            if shared.error is not None:
                raise _copy_error(shared.error)
            if shared.succeeded:
                value: T = shared.value
                return value
            # Code outside of this package has cancelled the task: a cancellation of this caller would have been raised
            # by the wait. So the call is made again.
        # A transport that itself raises a cancellation each time must not keep the caller here for ever.
        result: T = await self._make(call, options, trace)
        return result

    def stop_sharing(self, path: str) -> None:
        """Let no more callers join the calls in flight for a path, as they may have been read before a write to it."""
        self._joinable.pop(path, None)

    async def wait_ended(self) -> None:
        """Wait until all calls in flight have ended, once the client is closed."""
        for shared in tuple(self._in_flight):
            await shared.done.wait()

    def _find(self, call: Call[Any], options: "CallOptions", now: float) -> _SharedCall | None:
        for shared in self._joinable.get(call.path, ()):
            if shared.query == call.query and shared.options == options and now < shared.joinable_until:
                return shared
        return None

    def _start(self, call: Call[Any], options: "CallOptions", trace: "CallTrace", now: float) -> _SharedCall:
        shared = _SharedCall(call, options, now)
        shared.task = spawn(partial(self._run, shared, call, options, trace), f"pyas_async {call.operation}")
        if not shared.done.is_set():  # an eager task may have ended by now
            self._joinable.setdefault(shared.path, []).append(shared)
            self._in_flight.add(shared)
        return shared

    async def _run(self, shared: _SharedCall, call: Call[Any], options: "CallOptions", trace: "CallTrace") -> None:
        try:
            with shared.scope:
                shared.value = await self._make(call, options, trace)
                shared.succeeded = True
        except anyio.get_cancelled_exc_class():
            raise  # the event loop ends, and the callers with it
        except BaseException as error:  # noqa: BLE001  (the callers raise it; raised here, it would end trio)
            # Without the traceback, which leads to this frame and so back to the error. Errors of user code keep it.
            shared.error = error.with_traceback(None) if isinstance(error, PyasError) else error
        finally:
            self._remove(shared)
            self._in_flight.discard(shared)
            shared.done.set()

    async def _wait(self, shared: _SharedCall) -> None:
        shared.callers += 1
        try:
            await shared.done.wait()
        finally:
            shared.callers -= 1
            if not shared.callers and not shared.done.is_set():
                self._remove(shared)
                shared.scope.cancel()
                await _wait_shielded(shared.done)

    def _remove(self, shared: _SharedCall) -> None:
        joinable = self._joinable.get(shared.path, [])
        if shared in joinable:
            joinable.remove(shared)
            if not joinable:
                del self._joinable[shared.path]


async def _wait_shielded(done: anyio.Event) -> None:
    """Wait for the end of a cancelled task, even if the caller is cancelled again meanwhile."""
    import asyncio  # noqa: PLC0415 -- it takes long to load, and few programs share calls

    with anyio.CancelScope(shield=True):
        while not done.is_set():
            # A shield does not hold back a second ``task.cancel()`` of asyncio. No cancellation is lost here, since the
            # first one is already being raised.
            with contextlib.suppress(asyncio.CancelledError):
                await done.wait()


def _copy_error(error: BaseException) -> BaseException:
    """Copy an error, so that each caller that raises it has its own traceback and notes."""
    try:
        copied = copy.copy(error)
    except Exception:  # noqa: BLE001  (the user's code has raised it, and it cannot be copied)
        return error
    copied.__cause__, copied.__context__ = error.__cause__, error.__context__
    copied.__suppress_context__ = error.__suppress_context__
    if hasattr(error, "__notes__"):
        copied.__notes__ = list(error.__notes__)
    return copied.with_traceback(error.__traceback__)
