"""Cancels at a chosen step of the event loop, counted over all its tasks."""

from __future__ import annotations

import asyncio
import types
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import trio

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Generator, Iterator


class Steps:
    """Counts the steps of all tasks, each up to its next suspension, and acts after the chosen one."""

    def __init__(self, chosen: int, act: Callable[[], object]) -> None:
        self.count = 0
        self.chosen = chosen
        self.act = act

    def step(self) -> None:
        """Count a step."""
        self.count += 1
        if self.count == self.chosen:
            self.act()


class _Instrument(trio.abc.Instrument):
    def __init__(self, steps: Steps) -> None:
        self._steps = steps

    def after_task_step(self, task: trio.lowlevel.Task) -> None:
        """Count the steps of all tasks."""
        self._steps.step()


@types.coroutine
def _counted(coroutine: Coroutine[Any, Any, Any], steps: Steps) -> Generator[Any, Any, Any]:
    value, error = None, None
    while True:
        try:
            waits_for = coroutine.send(value) if error is None else coroutine.throw(error)
        except StopIteration as end:
            return end.value
        steps.step()
        value, error = None, None
        try:
            value = yield waits_for
        except BaseException as thrown:  # noqa: BLE001  (passed into the coroutine)
            error = thrown


@contextmanager
def counting(steps: Steps, backend: str) -> Iterator[None]:
    """Count the steps of the tasks that start within the block (asyncio), or that run in it (trio)."""
    if backend == "trio":
        instrument = _Instrument(steps)
        trio.lowlevel.add_instrument(instrument)
        try:
            yield
        finally:
            trio.lowlevel.remove_instrument(instrument)
        return

    def make(loop: asyncio.AbstractEventLoop, coroutine: Any, **more: Any) -> asyncio.Task[Any]:  # noqa: ANN401
        async def run() -> Any:  # noqa: ANN401
            return await _counted(coroutine, steps)

        return asyncio.Task(run(), loop=loop, **more)

    loop = asyncio.get_running_loop()
    loop.set_task_factory(make)
    try:
        yield
    finally:
        loop.set_task_factory(None)
