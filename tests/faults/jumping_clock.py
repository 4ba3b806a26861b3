"""Event loops whose clock can jump, so that faults which need time take none.

Sockets are real, so the clock must not run ahead whenever all tasks wait. It jumps when the service says that time has
passed, and runs as usual otherwise.
"""

from __future__ import annotations

import asyncio
from typing import Any

import anyio
import anyio.lowlevel
from trio.lowlevel import current_clock
from trio.testing import MockClock


class JumpingLoop(asyncio.SelectorEventLoop):
    """asyncio's event loop, with a clock that can jump."""

    ahead = 0.0

    def time(self) -> float:
        """Return the loop's time."""
        return super().time() + self.ahead


def backend(name: str) -> tuple[str, dict[str, Any]]:
    """Return the backend and options with which anyio runs the tests."""
    if name == "trio":
        return name, {"clock": MockClock(rate=1.0)}
    return name, {"loop_factory": JumpingLoop}


def jump(seconds: float) -> bool:
    """Let `seconds` pass at once if this event loop's clock can jump; return whether it did."""
    if anyio.get_cancelled_exc_class() is asyncio.CancelledError:
        loop = asyncio.get_running_loop()
        if isinstance(loop, JumpingLoop):
            loop.ahead += seconds
        return isinstance(loop, JumpingLoop)
    clock = current_clock()
    if isinstance(clock, MockClock):
        clock.jump(seconds)
    return isinstance(clock, MockClock)


async def passes(seconds: float, *, really: float) -> None:
    """Let `seconds` pass; if the clock cannot jump, sleep for `really` seconds instead."""
    if jump(seconds):
        await anyio.lowlevel.checkpoint()
    else:
        await anyio.sleep(really)
