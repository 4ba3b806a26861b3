"""A task group that is opened by one call and closed by another, rather than by one `async with` statement."""

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, TypeVarTuple

import anyio

if TYPE_CHECKING:
    from anyio.abc import TaskGroup

Args = TypeVarTuple("Args")


class BackgroundTasks:
    """The task group of an object that is an asynchronous context manager itself.

    The object opens it in its ``__aenter__`` and closes it in its ``__aexit__``, both in the task that uses the object.

    Attributes:
        is_open: Whether `open` was called, and `close` was not.
    """

    def __init__(self) -> None:
        self.is_open: bool = False
        self._group: TaskGroup | None = None

    async def open(self) -> None:
        """Open the task group; it must not be open."""
        assert self._group is None  # noqa: S101
        self._group = anyio.create_task_group()
        await self._group.__aenter__()
        self.is_open = True

    def start_soon(self, function: Callable[[*Args], Coroutine[Any, Any, object]], *args: *Args) -> None:
        """Start a task. A task of the group may do so while the group is being closed."""
        assert self._group is not None  # noqa: S101
        self._group.start_soon(function, *args)

    async def close(self, *, cancel: bool) -> None:
        """Wait for the tasks, cancelled or not, and close the task group if it is open.

        An exception of the user's block is not passed to the task group, which would wrap it in an exception group.
        """
        group = self._group
        if group is None or not self.is_open:
            return
        self.is_open = False
        if cancel:
            group.cancel_scope.cancel()
        try:
            await group.__aexit__(None, None, None)
        finally:
            self._group = None
