"""Private names of other libraries: the only module that uses them, and only for what is not our own connection.

They serve requests through a client that was passed, or through httpx's transports. Without one of them, less is known
or mended, and nothing else changes. `tests/runtime/test_private_names.py` fails if one moves.

- ``AsyncClient._transport_for_url``: the transport that a passed client uses. Without it, a write that failed before
  it was sent is less often known as "not sent".
- ``AsyncHTTPTransport._pool``, ``_max_connections``, ``_connections``, ``_requests``: the pool of that transport.
  Without them, requests may wait in the pool, where a cancellation can make a connection unusable in httpx 0.28.
- ``_proxy_url``, ``_proxy``: the proxy of that pool; ``_default_proxy``: that of an aiohttp session. Without them,
  plain http through a proxy is refused only if httpcore's trace reports that a connection to the proxy is opened.
- ``_connection``, ``_httpcore_stream``, ``_stream``, ``_h11_state``: the way from a response to h11; ``_read_bio``,
  ``_incoming``: the bytes that a stream of anyio's or trio's has not decrypted. Without them, bytes that a service
  sends after a response may be read as the next one.
"""

import contextlib
from functools import lru_cache
from typing import Any
from urllib.request import getproxies, proxy_bypass

import anyio
import httpx

PACKAGES = {"httpx", "httpx2"}
"""The packages of clients whose parts are known by name: httpx2 has the same classes as httpx."""
_ENDLESS = 100_000
"""A limit from which on a pool counts as unlimited: httpcore stores ``None`` as the largest integer."""
_PROXIES = ("_proxy", "_proxy_url", "proxy", "_default_proxy")
_BELOW = ("handle_async_request", "trust_env")
_parsed = lru_cache(maxsize=16)(httpx.URL)
_INNER = ("_connection", "_httpcore_stream", "_stream")
_DEPTH = 8


def transport_of(client: object, url: str) -> object:
    """Return the transport that a client uses for a URL if it is httpx's own; otherwise ``None``."""
    transport = _any_transport_of(client, url)
    return transport if type(transport).__module__.partition(".")[0] in PACKAGES else None


def _any_transport_of(client: object, url: str) -> object:
    find = getattr(client, "_transport_for_url", None)
    return None if find is None else find(_parsed(url))


def pool_of(client: object, url: str) -> Any:  # noqa: ANN401  (httpcore's or httpcore2's)
    """Return the pool below the transport that a client uses for a URL; ``None`` if there is none to be seen."""
    return getattr(transport_of(client, url), "_pool", None)


def uses_proxy(client: object, url: str) -> bool:
    """Whether a client sends plain http for a URL through a proxy, as far as its transports show."""
    host = _parsed(url).host
    parts: list[Any] = [_any_transport_of(client, url)]
    for part in parts:  # the list grows: a transport may have another one, a pool or a session below it
        if callable(getattr(part, "client", None)) and hasattr(type(part), "get_client"):
            part.client = part.get_client()  # as httpx-aiohttp does with its first request
        own = getattr(part, "__dict__", {})
        # aiohttp reads the environment for each request.
        from_environment = hasattr(type(part), "trust_env") and part.trust_env and not proxy_bypass(host)
        if any(own.get(name) for name in _PROXIES) or (from_environment and getproxies().get("http")):
            return True
        if "_connections" not in own:  # nothing is below a pool
            below = (one for one in own.values() if any(hasattr(type(one), name) for name in _BELOW))
            parts += [one for one in below if all(one is not known for known in parts)]
    return False


def limit_of(pool: object) -> int | None:
    """Return how many connections a pool may have; ``None`` if it has no limit, or if that cannot be seen."""
    limit = getattr(pool, "_max_connections", None)
    return limit if isinstance(limit, int) and 0 < limit < _ENDLESS else None


async def remove_lost(pool: object) -> None:
    """Remove the connections that a request without a response has left in a pool, and that cannot be used.

    A tunnel through a proxy is left so if the request ends between the proxy's response and its own. So is a connection
    that was assigned to a request in the moment in which it was cancelled. The pool counts it, and never uses it again.
    """
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


def spoil(response: Any) -> None:  # noqa: ANN401  (httpx's or httpx2's)
    """Keep the connection of a response from being used again. It decides by h11's state, if it is HTTP/1."""
    connection = _h11_of(response)
    if connection is not None:
        connection.send_failed()


def has_surplus(response: Any) -> bool:  # noqa: ANN401  (httpx's or httpx2's)
    """Whether more bytes came than the response has, which httpcore would read as the response to the next request.

    Unread bytes it detects itself when it takes the connection again, but not those that have left the socket.
    """
    connection = _h11_of(response)
    if connection is None:
        return False
    stream = getattr(response.extensions.get("network_stream"), "_stream", None)
    waiting = getattr(stream, "_read_bio", None) or getattr(stream, "_incoming", None)
    return bool(connection.trailing_data[0]) or getattr(waiting, "pending", 0) > 0


def _h11_of(response: Any) -> Any:  # noqa: ANN401  (httpx's or httpx2's)
    stream = response.stream
    for _ in range(_DEPTH):
        if (connection := getattr(stream, "_h11_state", None)) is not None:
            return connection
        stream = next((inner for name in _INNER if (inner := getattr(stream, name, None)) is not None), None)
    return None  # HTTP/2, a mock, or another transport
