"""Those who watch httpx from outside.

Our own requests go straight to httpx's transports: mocks, recorders and tracers that take the place of
`httpx.AsyncHTTPTransport.handle_async_request`, or of httpcore's, see them there. Others take the place of methods of
`httpx.AsyncClient`. While somebody does, our requests go through a client as well.
"""

from types import FunctionType

import httpx

# What Sentry and others replace, and what respx does with ``using="httpx"``.
_METHODS = ("send", "_transport_for_url")


def _methods() -> tuple[object, ...]:
    return tuple(vars(httpx.AsyncClient).get(name) for name in _METHODS)


def _as_they_were() -> tuple[object, ...] | None:
    """Give httpx's own methods; ``None`` if they were replaced before this module was imported."""
    found = _methods()
    own = all(
        method is None or (isinstance(method, FunctionType) and method.__code__.co_qualname == f"AsyncClient.{name}")
        for name, method in zip(_METHODS, found, strict=True)
    )
    return found if own else None


_OWN = _as_they_were()


def is_watched() -> bool:
    """Say whether somebody has put something in the place of httpx's own methods."""
    return _methods() != _OWN


class Relay(httpx.AsyncBaseTransport):
    """Sends a request by a client, over a connection that was chosen before."""

    def __init__(self) -> None:
        """Make the client. It holds nothing that would have to be closed."""
        self._client = httpx.AsyncClient(transport=self, trust_env=False, timeout=None)  # noqa: S113  (see `Attempt`)

    async def send(self, request: httpx.Request, connection: httpx.AsyncBaseTransport) -> httpx.Response:
        """Send."""
        request.extensions = {**request.extensions, "pyas_async.connection": connection}
        return await self._client.send(request, stream=True, follow_redirects=False)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Be asked by the client, and ask the connection."""
        extensions = dict(request.extensions)
        connection: httpx.AsyncBaseTransport = extensions.pop("pyas_async.connection")
        request.extensions = extensions
        return await connection.handle_async_request(request)
