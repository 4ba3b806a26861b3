"""What httpx does not say of its pools, and must be known: how many connections they have, and which they have lost.

It is read where httpx 0.28 and httpx2 keep it. Where it is not, nothing is known and nothing is done.
"""

import contextlib
import weakref
from typing import Any

import anyio

from pyas_async._runtime.http.faults import transport_of
from pyas_async._runtime.http.limiter import ConnectionLimiter

# By pool, not by client of ours: two keys may go through one pool.
_places: "weakref.WeakKeyDictionary[Any, ConnectionLimiter]" = weakref.WeakKeyDictionary()
_ENDLESS = 100_000
"""Connections from which on a limit is none: httpcore writes ``None`` as the largest number there is."""


def places_of(client: object, url: str) -> ConnectionLimiter:
    """Give the places in the pool that an injected client sends through; without bound if no limit can be seen.

    In httpx 0.28, a request that is cancelled while it waits for a connection may take one out of use for good, by
    whatever it is cancelled. So nobody may wait there, and the limit must be known.
    """
    pool = _pool_of(client, url)
    limit = getattr(pool, "_max_connections", None)
    if not isinstance(limit, int) or not 0 < limit < _ENDLESS:
        return ConnectionLimiter(None)
    if pool not in _places:
        _places[pool] = ConnectionLimiter(limit)
    return _places[pool]


async def mend(client: object, url: str) -> None:
    """Take out of a pool what a request that got no answer has left there: a connection that nobody uses or can use.

    A tunnel through a proxy is left so if the request ends between the proxy's word and its own; and so is a connection
    that a request was given in the moment in which it was cancelled. The pool counts it, and never looks at it again.
    """
    pool = _pool_of(client, url)
    connections, requests = getattr(pool, "_connections", None), getattr(pool, "_requests", None)
    if not isinstance(connections, list) or not isinstance(requests, list):
        return
    used = {id(getattr(request, "connection", None)) for request in requests}
    lost = [
        connection
        for connection in connections
        if id(connection) not in used and not connection.is_idle() and not connection.is_closed()
    ]
    for connection in lost:
        connections.remove(connection)
    with anyio.CancelScope(shield=True):
        for connection in lost:
            with contextlib.suppress(Exception):  # it is thrown away
                await connection.aclose()


def _pool_of(client: object, url: str) -> Any:  # noqa: ANN401  (httpcore's or httpcore2's)
    return getattr(transport_of(client, url), "_pool", None)
