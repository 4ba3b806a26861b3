"""Event loops whose clock can leap, so that what is made of time takes none.

Sockets are real, so no clock may run ahead by itself when everybody waits: it leaps when the service says that so much
time has passed, and runs as usual otherwise.
"""

from __future__ import annotations

import asyncio
from typing import Any

import anyio
import anyio.lowlevel
from trio.lowlevel import current_clock
from trio.testing import MockClock


class LeapingLoop(asyncio.SelectorEventLoop):
    """asyncio's event loop, with a clock that can leap."""

    ahead = 0.0

    def time(self) -> float:
        """Tell the time."""
        return super().time() + self.ahead


def backend(name: str) -> tuple[str, dict[str, Any]]:
    """Give what anyio runs tests on."""
    if name == "trio":
        return name, {"clock": MockClock(rate=1.0)}
    return name, {"loop_factory": LeapingLoop}


def leap(seconds: float) -> bool:
    """Let so much time pass at once, if this event loop's clock can leap; say whether it did."""
    if anyio.get_cancelled_exc_class() is asyncio.CancelledError:
        loop = asyncio.get_running_loop()
        if isinstance(loop, LeapingLoop):
            loop.ahead += seconds
        return isinstance(loop, LeapingLoop)
    clock = current_clock()
    if isinstance(clock, MockClock):
        clock.jump(seconds)
    return isinstance(clock, MockClock)


async def passes(seconds: float, *, really: float) -> None:
    """Let so much time pass; where clocks cannot leap, another time really does."""
    if leap(seconds):
        await anyio.lowlevel.checkpoint()
    else:
        await anyio.sleep(really)
