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


def pool_of(client: PyasClient) -> Any:  # noqa: ANN401  (httpcore's, or httpcore2's)
    """Give the pool that a client sends through, its own or an injected one's; ``None`` if there is none yet."""
    transport = client._session._transport
    http: Any = transport._injected or transport._own
    if http is None:
        return None
    # A proxy of the environment has a pool of its own.
    return getattr(http._transport_for_url(httpx.URL(transport._base_url)), "_pool", None)


def pooled(client: PyasClient) -> list[Any]:
    """Give the requests that wait or run in a client's pool."""
    pool = pool_of(client)
    return [] if pool is None else list(pool._requests)


def held(client: PyasClient) -> dict[str, object]:
    """Give whatever is still under way in a client, by where it is."""
    session = client._session
    transport, scheduler = session._transport, session._scheduler
    places, pool = transport._places, pool_of(client)
    found = {
        "requests in the pool": pooled(client),
        "places in the pool": 0 if places is None or pool is None else pool._max_connections - places.value,
        "exchanges": transport._under_way,
        "places in the budget": scheduler.budget.in_flight,
        "the budget's queue": scheduler.waiting,
        "waits": scheduler._waiting,
        "questions to the store": scheduler._asks,
        "pauses": session._pauses,
        "shared calls": session._flights._under_way,
        "calls to share": session._flights._joinable,
    }
    return {name: what for name, what in found.items() if what}


async def check_whole(client: PyasClient) -> None:
    """See that nothing of a call is left, and that the client works."""
    assert {} == held(client)
    with anyio.fail_after(1):
        assert 81 == (await client.meetings.get(81)).id
    assert {} == held(client)
