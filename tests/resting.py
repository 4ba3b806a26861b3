"""Waits until all tasks wait, without real time."""

from __future__ import annotations

import asyncio

import anyio
import anyio.lowlevel

import inside

ROUNDS = 10_000
"""Rounds of the event loop after which something must have come to rest."""
_resting: list[object] = []
"""The loop of each task that waits here."""


async def rest() -> None:
    """Let all tasks run until each of them waits for something.

    What anyio has for it looks again only after a tenth of a second, on asyncio.
    """
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        await anyio.wait_all_tasks_blocked()
        return
    _resting.append(loop)
    try:
        for _ in range(ROUNDS):
            await anyio.lowlevel.checkpoint()
            # Nothing is to be run now or in the next round, but the others that wait here.
            if inside.ready_callbacks(loop) < _resting.count(loop):
                return
    finally:
        _resting.remove(loop)
    msg = "there is no rest: some task runs on and on"
    raise AssertionError(msg)
