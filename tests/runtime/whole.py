"""What a client is to be after a cancellation, and the calls that are cancelled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio
import httpx

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


def pools_of(client: PyasClient) -> list[Any]:
    """Give the pools that a client sends through, its own or an injected one's; those in use are not among its own."""
    transport = client._session._transport
    connections = transport._own.connections
    if transport._client is not None:
        client_of_theirs: Any = transport._client
        # A proxy of the environment has a pool of its own.
        senders: list[Any] = [client_of_theirs._transport_for_url(httpx.URL(transport._base_url))]
    else:
        senders = [] if connections is None else [connection for connection, _ in connections.idle]
    return [pool for sender in senders if (pool := getattr(sender, "_pool", None)) is not None]


def connections_of(client: PyasClient) -> list[Any]:
    """Give the connections of these pools."""
    return [connection for pool in pools_of(client) for connection in pool.connections]


def pooled(client: PyasClient) -> list[Any]:
    """Give the requests that a client has under way, and those that wait or run in its pools."""
    return [*client._session._transport._under_way, *(one for pool in pools_of(client) for one in pool._requests)]


def held(client: PyasClient) -> dict[str, object]:
    """Give whatever is still under way in a client, by where it is."""
    session = client._session
    scheduler = session._scheduler
    found = {
        "requests": pooled(client),
        "places": session._places.taken,
        "places in the budget": scheduler.budget.in_flight,
        "the budget's queue": scheduler.waiting,
        "waits": scheduler._waiting,
        "questions to the store": scheduler._asking and scheduler._asking._under_way,
        "pauses": session._pauses,
        "shared calls": session._flights._under_way,
        "calls to share": session._flights._joinable,
    }
    return {name: what for name, what in found.items() if what}


async def check_whole(client: PyasClient) -> None:
    """See that nothing of a call is left, and that the client works."""
    assert {} == held(client)
    with anyio.fail_after(5):
        assert 81 == (await client.meetings.get(81)).id
    assert {} == held(client)
