"""Calls over TLS, cancelled at each suspension point, including those of the handshake."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest

from cancel.sweep import How, Tally, cancel_at, nothing_said, tasks
from clients import own_pool_only
from runtime.calls import check_usable
from runtime.socket_server import NEW, client_of, found, until, wire
from runtime.trust import served, trusted

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [own_pool_only, pytest.mark.parametrize("way", ["own"])]
MOST = 30
"""Points that are tried in the ordinary suite: all that there are today."""


async def sweep(tally: Tally, folder: Path, way: str, how: How, backend: str) -> None:
    """Cancel a create at its points, each time with a new client, and check that each connection gets closed."""
    with trusted(folder), wire(found, served()) as service, nothing_said():
        for point in tally.points(MOST):
            async with client_of(service.url, way=way, max_connections=1) as client:
                before = tasks()
                tally.note(await cancel_at(partial(client.meetings.create, NEW), how, backend, point))
                assert before == tasks()
                await check_usable(client)
            await until(lambda: service.closed == service.connections)
    assert tally.cancelled


@pytest.mark.asyncio
async def test_task_cancel_leaves_no_connection_open(way: str, tmp_path: Path, tally: Tally) -> None:
    """`task.cancel()` ends a call as cancelled and leaves no connection open, at any point of the handshake."""
    await sweep(tally, tmp_path, way, "task.cancel()", "asyncio")


@pytest.mark.anyio
async def test_scope_leaves_no_connection_open(way: str, tmp_path: Path, anyio_backend: str, tally: Tally) -> None:
    """A cancel scope does the same, on asyncio and trio."""
    await sweep(tally, tmp_path, way, "scope", anyio_backend)
