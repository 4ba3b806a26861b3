"""What the client needs of asyncio and trio beyond anyio: tasks without a parent, timers, and the loop's clock."""

import contextvars
import sys
from collections.abc import Callable, Coroutine
from typing import Any

import anyio


def on_asyncio() -> bool:
    """Whether the running event loop is asyncio's, or uvloop's."""
    # On trio, asyncio need not be imported, and takes long to load.
    asyncio = sys.modules.get("asyncio")
    if asyncio is None:
        return False
    try:
        return anyio.get_cancelled_exc_class() is asyncio.CancelledError
    except anyio.NoEventLoopError:
        # In a callback of asyncio's there is no task, by which anyio's helper sniffio finds the loop.
        asyncio.get_running_loop()
        return True


def spawn(run: Callable[[], Coroutine[Any, Any, object]], name: str) -> object:
    """Start a task outside of all task groups, in a copy of the caller's context.

    The caller keeps the returned object until the task has ended: asyncio keeps no reference to it. On trio, any
    exception except a cancellation would end the program.
    """
    if on_asyncio():
        import asyncio  # noqa: PLC0415 -- see `on_asyncio`

        return asyncio.get_running_loop().create_task(run(), name=name)
    import trio  # noqa: PLC0415  (installed, since it runs; users of asyncio need not have it)

    return trio.lowlevel.spawn_system_task(run, name=name, context=contextvars.copy_context())


def loop_clock() -> Callable[[], float]:
    """Return the clock of the running event loop. On asyncio that is cheaper than anyio's, which looks for the loop."""
    if not on_asyncio():
        return anyio.current_time
    import asyncio  # noqa: PLC0415 -- see `on_asyncio`

    return asyncio.get_running_loop().time


class Timer:
    """Calls a function after some seconds, and again after as many seconds as it returns, until it returns ``None``."""

    def __init__(self, seconds: float, act: Callable[[], float | None], name: str) -> None:
        """Start; on trio, `name` is the name of the task that waits."""
        self._act = act
        if on_asyncio():
            import asyncio  # noqa: PLC0415 -- see `on_asyncio`

            self._loop = asyncio.get_running_loop()
            self._handle = self._loop.call_later(seconds, self._fire)
            self.cancel: Callable[[], None] = self._cancel_handle
            """Stop."""
        else:
            scope = anyio.CancelScope()
            spawn(lambda: self._wait(scope, seconds), name)
            self.cancel = scope.cancel

    def _fire(self) -> None:
        if (again := self._act()) is not None:
            self._handle = self._loop.call_later(again, self._fire)

    def _cancel_handle(self) -> None:
        self._handle.cancel()

    async def _wait(self, scope: anyio.CancelScope, seconds: float | None) -> None:
        with scope:
            while seconds is not None:
                await anyio.sleep(seconds)
                seconds = self._act()
