"""What the client needs of asyncio and trio beyond anyio: tasks without a parent, timers, the loop's clock and end."""

import contextvars
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
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


def loop_entry() -> Callable[[Callable[[], object]], object]:
    """Return a function that lets the running event loop call a function soon. It works in every thread.

    It raises a `RuntimeError` once the loop has ended.
    """
    if on_asyncio():
        import asyncio  # noqa: PLC0415 -- see `on_asyncio`

        return asyncio.get_running_loop().call_soon_threadsafe
    import trio  # noqa: PLC0415 -- see `spawn`

    return trio.lowlevel.current_trio_token().run_sync_soon


async def before_loop_ends(act: Callable[[], Awaitable[object]]) -> AsyncGenerator[None] | None:
    """On asyncio, await a function before the event loop is closed, or when the returned object is closed.

    `asyncio.run` closes all asynchronous generators at its end, and there is no other public way to be asked. On trio,
    return ``None``.
    """
    if not on_asyncio():
        return None
    watch = _watch(act)
    await anext(watch)
    return watch


async def _watch(act: Callable[[], Awaitable[object]]) -> AsyncGenerator[None]:
    try:
        yield
    finally:
        await act()


class Timer:
    """Calls a function after some seconds, and again after as many seconds as it returns, until it returns ``None``."""

    def __init__(self, seconds: float, act: Callable[[], float | None], name: str) -> None:
        """Start; on trio, `name` is the name of the task that waits."""
        self._act = act
        self._scope: anyio.CancelScope | None = None
        if on_asyncio():
            import asyncio  # noqa: PLC0415 -- see `on_asyncio`

            self._loop = asyncio.get_running_loop()
            self._stopped = False
            self._handle = self._loop.call_later(seconds, self._fire)
        else:
            scope = self._scope = anyio.CancelScope()
            spawn(lambda: self._wait(scope, seconds), name)

    def cancel(self) -> None:
        """Stop."""
        if self._scope is not None:
            self._scope.cancel()
        else:
            self._stopped = True
            self._handle.cancel()

    def _fire(self) -> None:
        if (again := self._act()) is not None and not self._stopped:
            self._handle = self._loop.call_later(again, self._fire)

    async def _wait(self, scope: anyio.CancelScope, seconds: float | None) -> None:
        with scope:
            while seconds is not None:
                await anyio.sleep(seconds)
                seconds = self._act()
