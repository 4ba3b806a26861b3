"""What the client needs of asyncio and trio beyond anyio: tasks without a parent."""

import contextvars
import sys
from collections.abc import Callable, Coroutine
from typing import Any

import anyio


def on_asyncio() -> bool:
    """Whether the running event loop is asyncio's, or uvloop's."""
    # On trio, asyncio need not be imported, and takes long to load.
    asyncio = sys.modules.get("asyncio")
    return asyncio is not None and anyio.get_cancelled_exc_class() is asyncio.CancelledError


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
