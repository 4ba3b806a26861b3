"""Cancels an operation at a chosen suspension point, and checks what is left behind."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal
from zlib import crc32

import anyio
import anyio.lowlevel
import attrs

from resting import running_tasks
from runtime.steps import Steps, counting

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator

How = Literal["task.cancel()", "scope"]
COMPLETE = os.environ.get("PYAS_ASYNC_CANCEL") == "complete"
"""Whether every point is tried, or only some of each operation."""
NEVER = 1_000_000
HANGS = 30.0
"""Seconds after which an operation counts as hanging. A busy machine needs a generous value."""


@attrs.frozen
class Cancellation:
    """The result of an operation that was to be cancelled at a point.

    Attributes:
        steps: How often one of its tasks ran.
        cancelled: Whether it ended as cancelled.
        value: The value that it returned otherwise.
    """

    steps: int
    cancelled: bool
    value: object = None


async def cancel_at(do: Callable[[], Awaitable[object]], how: How, backend: str, point: int) -> Cancellation:
    """Run an operation and cancel it at a point, counted from 1.

    A cancellation that was delivered must come out as one.
    """
    if how == "scope":
        return await _by_scope(do, backend, point)
    heeded: list[bool] = []
    running: list[asyncio.Future[object]] = []
    steps = Steps(point, lambda: heeded.append(running[0].cancel()))
    with counting(steps, backend):
        task = asyncio.ensure_future(do())
        running.append(task)
        done, _ = await asyncio.wait([task], timeout=HANGS)
    assert done, f"it hangs after a cancellation at point {point}"
    assert task.cancelled() == (heeded == [True]), f"the cancellation at point {point} was lost"
    return Cancellation(steps.count, task.cancelled(), None if task.cancelled() else task.result())


async def _by_scope(do: Callable[[], Awaitable[object]], backend: str, point: int) -> Cancellation:
    scope, ended, values = anyio.CancelScope(), anyio.Event(), list[object]()

    async def call() -> None:
        with scope:
            values.append(await do())
        ended.set()

    steps = Steps(point, scope.cancel)
    with counting(steps, backend):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(call)
            with anyio.fail_after(HANGS):
                await ended.wait()
    assert scope.cancelled_caught != bool(values), f"the cancellation at point {point} was lost"
    return Cancellation(steps.count, scope.cancelled_caught, *values)


@attrs.define
class Tally:
    """Chooses the points at which an operation is cancelled, and counts the cancellations.

    Attributes:
        name: The operation's name. Each name leads to other points if not all are tried.
        steps: The number of suspension points seen.
        cancelled: How often the operation ended as cancelled.
    """

    name: str
    steps: int = 0
    cancelled: int = 0

    def points(self, most: int) -> Iterator[int]:
        """Yield all points, or at most `most` of them. The first run has no cancellation: it counts the points."""
        yield NEVER
        assert not self.cancelled
        every = 1 if COMPLETE else max(1, -(-self.steps // most))
        # There may be more points than before if a response took longer.
        point = 1 + crc32(self.name.encode()) % every
        while point <= self.steps:
            yield point
            point += every

    def note(self, result: Cancellation) -> None:
        """Record the result of a run."""
        self.steps = max(self.steps, result.steps)
        self.cancelled += result.cancelled


def tasks() -> set[int]:
    """Return the ids of the tasks of this event loop."""
    return running_tasks()


@contextmanager
def nothing_said() -> Iterator[None]:
    """Assert that nothing is logged from WARNING on or reported to the loop, and no generator is left unfinished."""
    said: list[object] = []
    handler = _Handler(said)
    hooks = sys.get_asyncgen_hooks()

    def left(generator: AsyncGenerator[Any, None]) -> None:
        said.append(f"left unfinished: {generator!r}")
        if hooks.finalizer is not None:
            hooks.finalizer(generator)

    loop = _asyncio_loop()
    if loop is not None:
        loop.set_exception_handler(lambda _, context: said.append(context))
    logging.getLogger().addHandler(handler)
    sys.set_asyncgen_hooks(finalizer=left)
    gc.freeze()  # a scan of the older objects takes longer than most cases
    try:
        yield
        gc.collect()
    finally:
        gc.unfreeze()
        sys.set_asyncgen_hooks(*hooks)
        logging.getLogger().removeHandler(handler)
        if loop is not None:
            loop.set_exception_handler(None)
    assert [] == said


class _Handler(logging.Handler):
    def __init__(self, said: list[object]) -> None:
        super().__init__(logging.WARNING)
        self._said = said

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a record."""
        self._said.append(record.getMessage())


def _asyncio_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
