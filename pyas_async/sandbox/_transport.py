"""A transport for an `httpx.AsyncClient` that calls a sandbox without a socket. Only this module imports httpx."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import anyio
import anyio.lowlevel
import httpx

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping

    from starlette.types import ASGIApp

    Message = MutableMapping[str, Any]


class InProcess(httpx.AsyncBaseTransport):
    """Passes requests to an application in process, on asyncio or trio.

    Unlike `httpx.ASGITransport`, it can fail as a network does: refuse a connection, cut it off, or never answer. It
    also reports the progress of a request to httpcore's ``trace`` extension, from which a client learns whether a write
    can have been carried out.

    Args:
        app: The application.
        refuses: Whether to refuse the connection for a request, given its method and its raw path.
    """

    def __init__(self, app: ASGIApp, refuses: Callable[[str, str], bool]) -> None:
        self._app: Final = app
        self._refuses: Final = refuses

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Pass a request to the application, and return its response.

        Raises:
            httpx.ConnectError: The connection was refused.
            httpx.RemoteProtocolError: The connection was closed without a complete response.
            httpx.ReadTimeout: The response took longer than the request's read timeout, in real time.
        """
        tell: Callable[[str, dict[str, Any]], Awaitable[None]] = request.extensions.get("trace", _ignore_trace)
        path = request.url.raw_path.partition(b"?")[0]
        # Let other tasks run before each request, as a real network would.
        await anyio.lowlevel.checkpoint()
        await tell("connection.connect_tcp.started", {})
        if self._refuses(request.method, path.decode("latin-1")):
            message = "all connection attempts failed"
            raise httpx.ConnectError(message, request=request)
        await tell("http11.send_request_headers.started", {})
        body = b""
        if isinstance(request.stream, httpx.AsyncByteStream):
            body = b"".join([piece async for piece in request.stream])
        exchange = _Exchange(body)
        wait: float | None = request.extensions.get("timeout", {}).get("read")
        with anyio.move_on_after(wait) as scope:
            await self._app(_scope(request, path), exchange.receive, exchange.send)
        if scope.cancelled_caught:
            message = f"no response within {wait} s"
            raise httpx.ReadTimeout(message, request=request)
        if not exchange.complete:
            message = "the server closed the connection without a whole response"
            raise httpx.RemoteProtocolError(message, request=request)
        return httpx.Response(exchange.status, headers=exchange.headers, stream=httpx.ByteStream(exchange.body))


class _Exchange:
    """The two ends of the ASGI call: the request that the application receives, and the response that it sends."""

    def __init__(self, body: bytes) -> None:
        self.status = 0
        self.headers: list[tuple[bytes, bytes]] = []
        self.body = b""
        self.complete = False
        self._request: bytes | None = body

    async def receive(self) -> Message:
        if self._request is None:
            # An application that receives again waits for the client to disconnect, which is a cancellation here.
            await anyio.sleep_forever()
        body, self._request = self._request, None
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = list(message["headers"])
        else:
            self.body += message.get("body", b"")
            self.complete = not message.get("more_body", False)


async def _ignore_trace(_name: str, _info: dict[str, Any]) -> None:
    """Ignore a trace event: the default when the request has no ``trace`` extension."""


def _scope(request: httpx.Request, path: bytes) -> dict[str, Any]:
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": request.method,
        "headers": [(name.lower(), value) for name, value in request.headers.raw],
        "scheme": request.url.scheme,
        "path": request.url.path,
        "raw_path": path,
        "query_string": request.url.query,
        "server": (request.url.host, request.url.port),
        "client": ("127.0.0.1", 50_000),
        "root_path": "",
    }
