"""Exceptions that end the program, such as `KeyboardInterrupt`, outside of the exception groups of task groups.

On trio, Ctrl-C raises `KeyboardInterrupt` in the main task wherever that waits. If it waits in a task group, the task
group wraps the exception, and ``except KeyboardInterrupt`` in the user's code would not catch it.
"""

from collections.abc import Iterator
from types import TracebackType
from typing import Final

import anyio


def sole_exit(group: BaseExceptionGroup[BaseException]) -> BaseException | None:
    """Return the first exception of a group that ends the program; ``None`` if an error of another kind is in it too.

    Cancellations do not count: they are how a task group ends its other tasks.
    """
    found = None
    for error in _members(group):
        if isinstance(error, anyio.get_cancelled_exc_class()):
            continue
        if isinstance(error, Exception):
            return None
        found = error if found is None else found
    return found


def _members(group: BaseExceptionGroup[BaseException]) -> Iterator[BaseException]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _members(error)
        else:
            yield error


class _BareExits:
    """Raises the exception of `sole_exit` in place of a group that leaves the block."""

    __slots__ = ()

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if not isinstance(error, BaseExceptionGroup) or (found := sole_exit(error)) is None:
            return
        # Python makes the group its context, and the group has the frames of all tasks, some of which hold requests.
        context = found.__context__
        try:
            raise found
        finally:
            found.__context__ = context


bare_exits: Final = _BareExits()
"""The context manager for a block that enters task groups: ours, or those of a transport or of the user's code."""
