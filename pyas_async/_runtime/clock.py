"""Where time and chance come from."""

import random
import time
from collections.abc import Awaitable, Callable
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
        chance: Draws a number from 0 to 1.
    """

    now: Callable[[], float] = time.monotonic
    wall: Callable[[], datetime] = _wall
    sleep: Callable[[float], Awaitable[None]] = anyio.sleep
    chance: Callable[[], float] = random.random
