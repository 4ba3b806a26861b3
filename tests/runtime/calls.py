"""The calls of the cancellation tests, and the check that a client is usable afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio

import inside
from runtime.socket_server import NEW

if TYPE_CHECKING:
    from pyas_async import PyasClient


async def get(client: PyasClient) -> object:
    """Get a meeting."""
    return await client.meetings.get(81)


async def create(client: PyasClient) -> object:
    """Create a meeting."""
    return await client.meetings.create(NEW)


async def page(client: PyasClient) -> object:
    """List a page."""
    return await client.meetings.list()


async def iterate(client: PyasClient) -> object:
    """Iterate over all pages."""
    return [row async for row in client.meetings.iter_all()]


async def check_usable(client: PyasClient) -> None:
    """Assert that nothing of a call is left, and that the client works."""
    assert {} == inside.under_way(client)
    with anyio.fail_after(5):
        assert 81 == (await client.meetings.get(81)).id
    assert {} == inside.under_way(client)
