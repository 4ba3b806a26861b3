"""A lock on the file of a sandbox: two sandboxes on one file would not know of each other's meetings and ids."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

try:
    import fcntl
except ModuleNotFoundError:  # Windows
    fcntl = None  # type: ignore[assignment]

_SUFFIX: Final = "-lock"


def lock_file(path: str) -> Callable[[], None]:
    """Lock a file against other sandboxes, in this process and in others, and return the function that unlocks it.

    The lock is on another file beside it, which is removed with the lock. The system releases the lock of a process
    that is killed. A system without such locks (Windows) has none.

    Raises:
        BlockingIOError: A sandbox has the lock.
        OSError: The file beside it cannot be made.
    """
    if fcntl is None:
        return _nothing
    locks = fcntl
    # One file may have several names.
    name = Path(os.path.realpath(path) + _SUFFIX)
    while True:
        descriptor = os.open(name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            locks.flock(descriptor, locks.LOCK_EX | locks.LOCK_NB)
            # The sandbox that had the lock before may just have removed this file.
            mine = _is_named(descriptor, name)
        except BaseException:
            os.close(descriptor)
            raise
        if mine:
            break
        os.close(descriptor)

    def unlock() -> None:
        # Only the file that is locked may be removed; a forked process may keep the lock otherwise.
        if _is_named(descriptor, name):
            name.unlink()
        locks.flock(descriptor, locks.LOCK_UN)
        os.close(descriptor)

    return unlock


def _is_named(descriptor: int, name: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), name.stat())
    except FileNotFoundError:
        return False


def _nothing() -> None:
    """Unlock nothing."""
