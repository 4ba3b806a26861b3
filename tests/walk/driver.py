"""Event loops that are paused between the steps of a machine.

Cancel scopes and task groups belong to the task that entered them. So the same task makes all steps of an example, and
Hypothesis, which knows no event loop, runs in between. Both run in one thread: handing each step over to another thread
would cost more than the step.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Mapping
from queue import Empty, SimpleQueue
from typing import Any, Final, TypeAlias

import anyio
import anyio.lowlevel
import trio

Body: TypeAlias = Callable[[], Coroutine[Any, Any, None]]
PATIENCE = 120.0
"""Real seconds after which a step counts as hanging. On a busy machine, some steps take many."""


class Driver:
    """An event loop that runs in this thread, and only while a step is made."""

    def __init__(self) -> None:
        self._jobs: deque[Body | None] = deque()
        self._outcome: BaseException | None = None
        self._finished = False
        self._start(self._root)

    def begin(self) -> None:
        """Start a task for the steps of one example."""
        self._do(None)

    def end(self) -> None:
        """End the task."""
        self._do(None)

    def close(self) -> None:
        """End the event loop."""
        self._jobs.append(None)
        self._do(None)

    def run(self, body: Body) -> None:
        """Make a step in the example's task."""
        self._do(body)

    def _do(self, job: Body | None) -> None:
        self._jobs.append(job)
        self._finished, self._outcome = False, None
        self._spin()
        if self._outcome is not None:
            raise self._outcome

    async def _root(self) -> None:
        while True:
            await self._next()
            if self._jobs:  # a second one: the end
                self._done(None)
                return
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._example)
            self._done(None)

    async def _example(self) -> None:
        self._done(None)
        while (body := await self._next()) is not None:
            try:
                await body()
            except Exception as error:  # noqa: BLE001  (raised in `_do`)
                self._done(error)
            else:
                self._done(None)

    async def _next(self) -> Body | None:
        # An event loop with nothing to do would wait for the network; trio as a guest does so in another thread.
        while not self._jobs:
            await anyio.lowlevel.checkpoint()
        return self._jobs.popleft()

    def _done(self, outcome: BaseException | None) -> None:
        self._finished, self._outcome = True, outcome
        self._halt()

    def _start(self, root: Callable[[], Coroutine[Any, Any, None]]) -> None:
        raise NotImplementedError

    def _spin(self) -> None:
        raise NotImplementedError

    def _halt(self) -> None:
        """Stop spinning."""


class AsyncioDriver(Driver):
    """Runs asyncio."""

    def _start(self, root: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self._loop = asyncio.new_event_loop()
        self._task = self._loop.create_task(root())

    def _spin(self) -> None:
        patience = self._loop.call_later(PATIENCE, self._loop.stop)
        self._loop.run_forever()
        patience.cancel()
        assert self._finished, "the step hangs"

    def _halt(self) -> None:
        self._loop.stop()

    def close(self) -> None:
        """End the loop."""
        super().close()
        self._loop.run_until_complete(self._task)
        self._loop.close()


class TrioDriver(Driver):
    """Runs trio as a guest; the host does nothing else."""

    def _start(self, root: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self._ticks: SimpleQueue[Callable[[], object]] = SimpleQueue()
        self._ended = False
        trio.lowlevel.start_guest_run(root, run_sync_soon_threadsafe=self._ticks.put, done_callback=self._end)

    def _end(self, _: object) -> None:
        self._ended = True

    def _tick(self) -> None:
        try:
            tick = self._ticks.get(timeout=PATIENCE)
        except Empty:
            raise AssertionError("the step hangs") from None
        tick()

    def _spin(self) -> None:
        while not self._finished:
            self._tick()

    def close(self) -> None:
        """End the loop."""
        super().close()
        while not self._ended:
            self._tick()


DRIVERS: Final[Mapping[str, type[Driver]]] = {"asyncio": AsyncioDriver, "trio": TrioDriver}
