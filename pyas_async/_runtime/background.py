"""The background tasks of an object that one call opens and another closes, perhaps in another task.

They are in no task group. A task group must be left in the task that entered it, and a block need not be: a notebook
may enter it in one cell and leave it in another, and the event loop finalizes an abandoned async generator in a task of
its own. On asyncio, anyio raises an error then; trio ends the task that entered the block with an error. So these tasks
belong to the event loop, and this module keeps the promises of a task group: no task outlives the block, and what a
task raises is raised at the end of the block.
"""

from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, TypeVarTuple

import anyio

from pyas_async._runtime.backend import spawn
from pyas_async._runtime.exits import sole_exit
from pyas_async._runtime.loop_guard import LoopGuard
from pyas_async._runtime.notifier import Notifier

Args = TypeVarTuple("Args")


class _CancellingError(Exception):
    """Takes the place of an exception that is being handled."""


class BackgroundTasks:
    """The background tasks of an object that is an asynchronous context manager itself.

    The object opens it in its ``__aenter__`` and closes it in its ``__aexit__``, which may run in another task.

    Attributes:
        is_open: Whether `open` was called, and `close` was not.
    """

    def __init__(self) -> None:
        self.is_open: bool = False
        self._guard = LoopGuard()
        self._cancelled = False
        # Each running task by its scope. The event loop itself has only weak references to its tasks.
        self._running: dict[anyio.CancelScope, object] = {}
        self._task_ended = Notifier()
        self._errors: list[BaseException] = []

    def open(self) -> None:
        """Allow tasks to be started; it must not be open.

        Raises:
            WrongEventLoopError: If it was open in another event loop or process.
        """
        assert not self.is_open  # noqa: S101
        self._guard.check()
        self.is_open, self._cancelled = True, False

    def start_soon(self, name: str, function: Callable[[*Args], Coroutine[Any, Any, object]], *args: *Args) -> None:
        """Start a task. One of the tasks may do so during `close` as well; then the new one is cancelled, too."""
        scope = anyio.CancelScope()
        if self._cancelled:
            scope.cancel()
        self._running[scope] = None
        task = spawn(partial(self._run, scope, function, *args), name)
        if scope in self._running:  # an eager task may have ended by now
            self._running[scope] = task

    def cancel(self) -> None:
        """Cancel all tasks, and those that they start from now on."""
        self._cancelled = True
        # trio makes the tasks' cancellations right here, and Python gives them the exception that is being handled as
        # their context: the one that leaves the block. The tasks would keep its frames alive, or clear them.
        try:
            raise _CancellingError  # noqa: TRY301  (to be the exception that is being handled)
        except _CancellingError as placeholder:
            placeholder.__context__ = None
            for scope in self._running:
                scope.cancel()

    async def close(self) -> None:
        """Cancel all tasks, and wait until they have ended, even if the caller is cancelled meanwhile.

        Raises:
            WrongEventLoopError: If tasks are running in another event loop or process. Nothing is closed then.
            BaseException: What a task has raised; an exception group if several tasks have raised something.
        """
        if not self.is_open:
            return
        if self._running:
            self._guard.check()
        self.is_open = False
        interruption = None
        if self._running:
            self.cancel()
            interruption = await self._wait_ended()
        errors, self._errors = self._errors, []
        if len(errors) > 1:
            group = BaseExceptionGroup("several background tasks failed", errors)
            raise sole_exit(group) or group
        for error in (*errors, interruption):
            if error is not None:
                raise error

    async def _run(
        self, scope: anyio.CancelScope, function: Callable[[*Args], Coroutine[Any, Any, object]], *args: *Args
    ) -> None:
        try:
            with scope:
                await function(*args)
        except anyio.get_cancelled_exc_class():
            raise  # code outside of this package has cancelled the task, or the event loop ends
        except BaseException as error:  # noqa: BLE001  (`close` raises it; raised here, it would end trio)
            self._errors.append(error)
            self.cancel()
        finally:
            del self._running[scope]
            self._task_ended.notify()

    async def _wait_ended(self) -> BaseException | None:
        """Wait until all tasks have ended; return the exception that would have ended the wait, if there was one."""
        interruption = None
        with anyio.CancelScope(shield=True):
            while self._running:
                try:
                    await self._task_ended.wait()
                except BaseException as error:  # noqa: BLE001  (`close` raises it)
                    # A shield holds back neither ``task.cancel()`` of asyncio nor Ctrl-C on trio.
                    interruption = error
        return interruption
