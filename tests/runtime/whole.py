"""What a client is to be after a cancellation, and the calls that are cancelled."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio

import inside
from runtime.wires import NEW

if TYPE_CHECKING:
    from pyas_async import PyasClient


async def get(client: PyasClient) -> object:
    """Read."""
    return await client.meetings.get(81)


async def create(client: PyasClient) -> object:
    """Write."""
    return await client.meetings.create(NEW)


async def page(client: PyasClient) -> object:
    """Read a page."""
    return await client.meetings.list()


async def iterate(client: PyasClient) -> object:
    """Read all pages."""
    return [row async for row in client.meetings.iter_all()]


async def check_whole(client: PyasClient) -> None:
    """See that nothing of a call is left, and that the client works."""
    assert {} == inside.under_way(client)
    with anyio.fail_after(5):
        assert 81 == (await client.meetings.get(81)).id
    assert {} == inside.under_way(client)
