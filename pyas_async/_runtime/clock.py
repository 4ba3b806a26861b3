"""The source of time and randomness."""

import random as random_module
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime

import anyio
import attrs


def _utc_now() -> datetime:
    return datetime.now(UTC)


@attrs.frozen(kw_only=True)
class Clock:
    """Time and randomness behind one object, so that tests can replace them.

    Attributes:
        now: Reads the monotonic clock, in seconds.
        wall: Reads the wall clock; the datetime is aware.
        sleep: Waits for a number of seconds.
        move_on_after: Opens a scope that is cancelled after a number of seconds; never, if it is ``None``.
        random: Returns a random number from 0 to 1.
    """

    now: Callable[[], float] = time.monotonic
    wall: Callable[[], datetime] = _utc_now
    sleep: Callable[[float], Awaitable[None]] = anyio.sleep
    move_on_after: Callable[[float | None], AbstractContextManager[anyio.CancelScope]] = anyio.move_on_after
    random: Callable[[], float] = random_module.random
