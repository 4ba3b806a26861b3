"""Waits until all tasks are blocked, without real time."""

from __future__ import annotations

import asyncio

import anyio
import anyio.lowlevel

import inside

ROUNDS = 10_000
"""Iterations of the event loop after which all tasks must be blocked."""
_resting: list[object] = []
"""The loop of each task that waits here."""


async def rest() -> None:
    """Run all tasks until each of them is blocked.

    anyio's own function for this checks only every tenth of a second on asyncio.
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
            # Nothing runs now or in the next iteration, except the other tasks that wait here.
            if inside.ready_callbacks(loop) < _resting.count(loop):
                return
    finally:
        _resting.remove(loop)
    msg = "the tasks do not come to rest: one of them keeps running"
    raise AssertionError(msg)


def running_tasks() -> set[int]:
    """Return the ids of the running tasks, but not of trio's task that closes a client's idle connections in time."""
    return {task.id for task in anyio.get_running_tasks() if task.name != inside.IDLE_TIMER}
