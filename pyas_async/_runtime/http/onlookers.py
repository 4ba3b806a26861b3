"""Detects libraries that instrument httpx.

Our own requests go straight to httpx's transports. Mocks, recorders and tracers that replace
`httpx.AsyncHTTPTransport.handle_async_request`, or httpcore's, see them there. Others replace methods of
`httpx.AsyncClient`. While one does, our requests go through a client as well.
"""

from types import FunctionType

import httpx


class Seat:
    """Methods of a class that other libraries may replace."""

    def __init__(self, cls: type, *names: str) -> None:
        self._place, self._names = vars(cls), names
        self._wanted = [f"{cls.__name__}.{name}" for name in names]
        self._own: tuple[object, ...] | None = None

    def is_taken(self) -> bool:
        """Whether another library has replaced a method."""
        found = tuple(map(self._place.get, self._names))
        if found != self._own and all(map(_is_called, found, self._wanted)):
            self._own = found
        return found != self._own


def _is_called(method: object, name: str) -> bool:
    return method is None or (isinstance(method, FunctionType) and method.__code__.co_qualname == name)


# The methods that Sentry and others replace, and respx with ``using="httpx"``.
is_watched = Seat(httpx.AsyncClient, "send", "_transport_for_url").is_taken


class Relay(httpx.AsyncBaseTransport):
    """Sends a request through a client, over a connection that was chosen before."""

    def __init__(self) -> None:
        self._client = httpx.AsyncClient(transport=self, trust_env=False, timeout=None)  # noqa: S113  (see `Attempt`)

    async def send(self, request: httpx.Request, connection: httpx.AsyncBaseTransport) -> httpx.Response:
        """Send a request over a connection, through the client."""
        request.extensions = {**request.extensions, "pyas_async.connection": connection}
        return await self._client.send(request, stream=True, follow_redirects=False)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Pass the client's request on to the connection."""
        extensions = dict(request.extensions)
        connection: httpx.AsyncBaseTransport = extensions.pop("pyas_async.connection")
        request.extensions = extensions
        return await connection.handle_async_request(request)
