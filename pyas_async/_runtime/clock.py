"""Where time and chance come from."""

import random
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime

import anyio
import attrs


def _wall() -> datetime:
    return datetime.now(UTC)


@attrs.frozen(kw_only=True)
class Clock:
    """Time and chance, in one place so that tests can put their own there.

    Attributes:
        now: The monotonic clock, in seconds.
        wall: The wall clock (aware).
        sleep: Waits so many seconds.
        move_on_after: Opens a scope that is cancelled after so many seconds; ``None``: never.
        chance: Draws a number from 0 to 1.
    """

    now: Callable[[], float] = time.monotonic
    wall: Callable[[], datetime] = _wall
    sleep: Callable[[float], Awaitable[None]] = anyio.sleep
    move_on_after: Callable[[float | None], AbstractContextManager[anyio.CancelScope]] = anyio.move_on_after
    chance: Callable[[], float] = random.random
