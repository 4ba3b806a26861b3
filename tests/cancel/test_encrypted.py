"""Calls over encrypted connections, cancelled at each suspension point, those of the handshake among them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest

from cancel.sweep import How, Tally, nothing_said, strike, tasks
from clients import of_the_own_pool
from runtime.trust import served, trusted
from runtime.whole import check_whole
from runtime.wires import NEW, client_of, found, until, wire

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [of_the_own_pool, pytest.mark.parametrize("way", ["own"])]
MOST = 30
"""Points that are struck where not all of them are: all of today's."""


async def sweep(tally: Tally, folder: Path, way: str, how: How, backend: str) -> None:
    """Strike a create at its points, each time with a client of its own, and see each connection closed in the end."""
    with trusted(folder), wire(found, served()) as service, nothing_said():
        for point in tally.points(MOST):
            async with client_of(service.url, way=way, max_connections=1) as client:
                before = tasks()
                tally.note(await strike(partial(client.meetings.create, NEW), how, backend, point))
                assert before == tasks()
                await check_whole(client)
            await until(lambda: service.closed == service.connections)
    assert tally.cancelled


@pytest.mark.asyncio
async def test_task_cancel(way: str, tmp_path: Path, tally: Tally) -> None:
    """`task.cancel()` ends a call as cancelled, and leaves no connection open, however far its handshake was."""
    await sweep(tally, tmp_path, way, "task.cancel()", "asyncio")


@pytest.mark.anyio
async def test_scope(way: str, tmp_path: Path, anyio_backend: str, tally: Tally) -> None:
    """So does a scope, on asyncio and trio."""
    await sweep(tally, tmp_path, way, "scope", anyio_backend)
