"""What a client is to be after a cancellation, and the calls that are cancelled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio

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


def pooled(client: PyasClient) -> list[Any]:
    """Give what a client's transport has under way, and the connections that are idle and yet hold a request."""
    transport = client._session._transport
    connections = transport._own.connections
    idle: list[Any] = [] if connections is None else [connection for connection, _ in connections.idle]
    return [*transport._under_way, *(request for connection in idle for request in connection._pool._requests)]


async def check_whole(client: PyasClient) -> None:
    """See that nothing of a call is left, and that the client works."""
    assert [] == pooled(client)
    assert 0 == client._session._scheduler.budget.in_flight
    assert 0 == client._session._scheduler.waiting
    with anyio.fail_after(5):
        assert 81 == (await client.meetings.get(81)).id
    assert [] == pooled(client)
