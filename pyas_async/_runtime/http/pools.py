"""Facts about httpx's pools that have no public interface: the number of connections, and the lost ones.

They are read from the attributes in which httpx 0.28 and httpx2 keep them. Without those, nothing is known or done.
"""

import contextlib
import weakref
from typing import Any

import anyio

from pyas_async._runtime.http.faults import transport_of
from pyas_async._runtime.http.limiter import ConnectionLimiter

# By pool, not by client: two keys may share one pool.
_places: "weakref.WeakKeyDictionary[Any, ConnectionLimiter]" = weakref.WeakKeyDictionary()
_ENDLESS = 100_000
"""A limit from which on a pool counts as unlimited: httpcore stores ``None`` as the largest integer."""


def places_of(client: object, url: str) -> ConnectionLimiter:
    """Return the slots of the pool that an injected client uses; unlimited if no limit can be seen.

    In httpx 0.28, a request that is cancelled while it waits for a connection may make one unusable for good, however
    it is
    cancelled. So no request may wait there, and the limit must be known.
    """
    pool = _pool_of(client, url)
    limit = getattr(pool, "_max_connections", None)
    if not isinstance(limit, int) or not 0 < limit < _ENDLESS:
        return ConnectionLimiter(None)
    if pool not in _places:
        _places[pool] = ConnectionLimiter(limit)
    return _places[pool]


async def mend(client: object, url: str) -> None:
    """Remove the connections that a request without a response has left in a pool, and that cannot be used.

    A tunnel through a proxy is left so if the request ends between the proxy's response and its own. So is a connection
    that
    was assigned to a request in the moment in which it was cancelled. The pool counts it, and never uses it again.
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
            with contextlib.suppress(Exception):  # it is discarded anyway
                await connection.aclose()


def _pool_of(client: object, url: str) -> Any:  # noqa: ANN401  (httpcore's or httpcore2's)
    return getattr(transport_of(client, url), "_pool", None)
