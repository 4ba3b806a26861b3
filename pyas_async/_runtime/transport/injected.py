"""An injected client: how many requests its pool has connections for, as far as it can be known."""

import weakref
from typing import Any

import anyio
import httpx

from pyas_async._runtime.transport.faults import speaks_httpx

# By pool, not by client of ours: two keys may go through one pool.
_places: "weakref.WeakKeyDictionary[Any, anyio.Semaphore]" = weakref.WeakKeyDictionary()
_ENDLESS = 100_000
"""Connections from which on a limit is none: httpcore writes ``None`` as the largest number there is."""


def places_of(client: Any, url: str) -> anyio.Semaphore | None:  # noqa: ANN401  (httpx's or httpx2's, or a user's own)
    """Give the places in the pool that an injected client sends through; ``None`` if it has no limit that we can see.

    In httpx 0.28, a request that is cancelled while it waits for a connection may take one out of use for good, by
    whatever it is cancelled. So nobody may wait there, and the limit must be known; httpx has no public name for it.
    """
    if not speaks_httpx(client, url):
        return None
    pool = getattr(client._transport_for_url(httpx.URL(url)), "_pool", None)  # noqa: SLF001
    limit = getattr(pool, "_max_connections", None)
    if not isinstance(limit, int) or not 0 < limit < _ENDLESS:
        return None
    if pool not in _places:
        _places[pool] = anyio.Semaphore(limit, fast_acquire=True)
    return _places[pool]
