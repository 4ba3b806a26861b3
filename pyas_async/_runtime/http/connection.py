"""The client's own HTTP/1.1 connection: it carries one request at a time."""

import contextlib
import ssl
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar, TypeVarTuple

import anyio
import anyio.lowlevel
import httpx

from pyas_async._runtime.backend import on_asyncio
from pyas_async._runtime.http.http11 import ResponseParser, header_lines, request_head
from pyas_async._runtime.http.progress import RequestBody

if TYPE_CHECKING:
    from pyas_async._runtime.http.asyncio_stream import AsyncioStream
    from pyas_async._runtime.http.trio_stream import TrioStream

    Stream: TypeAlias = AsyncioStream | TrioStream

T = TypeVar("T")
Args = TypeVarTuple("Args")
_BROKEN = (anyio.BrokenResourceError, anyio.ClosedResourceError, OSError)  # an SSLError is an OSError
_NO_TIMEOUTS: dict[str, float | None] = {}
_ADDRESSES = {"client_addr": "getsockname", "server_addr": "getpeername"}
_FEW = 100
"""Pieces of a body that are decoded without letting the event loop run."""


class Connection:
    """Connects when it is first used. Its user sends a request and reads the response to its end, or closes it.

    Attributes:
        client: The client that sends over this connection: `httpx.AsyncClient.send` passes the request on to the
            transport, and the transport to `exchange`.
        url: The address of the request that was prepared for it.
        is_ours: Whether it is a connection of ours, and no client of httpx's.
    """

    is_ours = True

    def __init__(self, client: httpx.AsyncClient, host: str, port: int, context: ssl.SSLContext | None) -> None:
        self.client: httpx.AsyncClient = client
        self.url: httpx.URL | None = None
        self._address = host, port, context
        self._target = b""
        self._stream: Stream | None = None
        self._parser: ResponseParser | None = None
        self._response: httpx.Response | None = None
        self._last_lines = _HeaderLines([], b"")

    def prepare(self, url: httpx.URL, target: bytes, extensions: dict[str, Any]) -> None:
        """Expect a request for an address; `target` is its path and query as they are sent."""
        self.url = url
        self._target = target
        extensions[CONNECTION] = self

    def is_usable(self) -> bool:
        """Whether it is open, and the service has sent nothing that no request has asked for."""
        return self._stream is not None and self._stream.is_quiet()

    async def becomes_usable(self) -> bool:
        """Whether it is usable after all: what the service has sent is no response, but a session ticket of TLS."""
        return self._stream is not None and await self._stream.skip_records()

    async def exchange(self, request: httpx.Request) -> httpx.Response:
        """Send a request, and wait for its response: for all of a success of moderate size, else for its head."""
        # If a wrapper of `send` sends again, or twice, the other requests go through httpx's transport.
        target, self.url, self._target = self._target, None, b""
        extensions = request.extensions
        timeouts = extensions.get("timeout", _NO_TIMEOUTS)
        trace = extensions.get("trace")
        head = request_head(request.method.encode("ascii"), target, self._lines(request.headers.raw))
        read = timeouts.get("read")
        # A bound for the time between two pieces can only be kept if each piece is seen.
        parser = self._parser = ResponseParser(by_pieces=read is not None)
        stream = self._stream
        if stream is None or not stream.is_open():
            self.close_soon()
            self._parser = parser
            if trace is not None:
                host, port, _ = self._address
                await trace("connection.connect_tcp.started", {"host": host, "port": port})
            stream = await self._connect(timeouts.get("connect"), parser)
        else:
            stream.expect(parser)
        # A request whose caller was cancelled while the connection was opened must not be sent.
        await anyio.lowlevel.checkpoint_if_cancelled()
        if parser.error is not None:
            raise httpx.ConnectError(str(parser.error))  # nothing was sent
        if trace is not None:
            await trace("http11.send_request_headers.started", {})
        await self._write(stream, head, request.stream, timeouts.get("write"))
        while not parser.ready:
            await self._read(read)
        if parser.status is None:
            raise parser.fresh_error()
        response = self._response = httpx.Response(
            parser.status,
            headers=parser.headers,
            stream=_ResponseBody(self, parser, read),
            extensions={
                "http_version": parser.http_version,
                "reason_phrase": parser.reason,
                "network_stream": self,
            },
        )
        return response

    async def _connect(self, limit: float | None, parser: ResponseParser) -> "Stream":
        if on_asyncio():
            from pyas_async._runtime.http.asyncio_stream import connect  # noqa: PLC0415 -- not loaded on trio
        else:
            from pyas_async._runtime.http.trio_stream import (  # type: ignore[assignment]  # noqa: PLC0415
                connect,
            )
        try:
            self._stream = await _within(limit, httpx.ConnectTimeout, connect, *self._address, parser)
        except (anyio.EndOfStream, *_BROKEN) as error:
            raise httpx.ConnectError(str(error) or "the connection was closed during the handshake") from error
        return self._stream

    async def _write(self, stream: "Stream", head: bytes, body: Any, limit: float | None) -> None:  # noqa: ANN401
        # A service may reject a request before it has read all of it, and its response must be read: so an error of
        # the connection is left to `_read`.
        with contextlib.suppress(*_BROKEN):
            if type(body) is RequestBody:
                await _within(limit, httpx.WriteTimeout, stream.write, head + body.content)
                body.written()
                return
            await _within(limit, httpx.WriteTimeout, stream.write, head)
            async for piece in body:
                await _within(limit, httpx.WriteTimeout, stream.write, piece)

    async def _read(self, limit: float | None) -> None:
        if self._stream is None:
            msg = "the connection was closed"
            raise httpx.ReadError(msg)
        await _within(limit, httpx.ReadTimeout, self._stream.read)

    def pieces(self, response: httpx.Response) -> Sequence[bytes] | None:
        """Return the parts of a body that has arrived as a whole; ``None`` if the response must be read.

        That spares the steps of httpx for each part. Not so if another library has replaced the response or its
        stream, or has read it.
        """
        parser = self._parser
        if (
            parser is None
            or not parser.complete
            or response is not self._response
            or response.is_stream_consumed
            or type(response.stream).__module__.partition(".")[0] != "httpx"
            or len(parser.pieces) > _FEW
        ):
            return None
        # httpx's response and its stream refer to each other, and would keep the body until the garbage collector runs.
        pieces, parser.pieces = parser.pieces, deque()
        return pieces

    async def read_piece(self, parser: ResponseParser, limit: float | None) -> bytes | None:
        """Return the next part of a body; ``None`` at its end."""
        while not parser.pieces:
            if parser.error is not None:
                raise parser.fresh_error()
            if parser.complete:
                return None
            parser.ready = False
            await self._read(limit)
        return parser.take()

    async def settle(self) -> bool:
        """End an exchange; return whether the connection can carry another request."""
        parser, self._parser, self._response = self._parser, None, None
        if self._stream is None or parser is None or not parser.reusable:
            return False
        self._stream.expect(None)
        return await self._stream.settle()

    def close_soon(self) -> None:
        """Close without waiting."""
        stream, self._stream, self._parser = self._stream, None, None
        if stream is not None:
            stream.close()

    async def aclose(self) -> None:
        """Close. httpx's response calls this on its ``network_stream``, too."""
        self.close_soon()

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401  (as httpcore's)
        """Return what httpcore's streams tell of a connection: httpx's response has it as its ``network_stream``."""
        socket = None if self._stream is None else self._stream.socket
        if socket is None or socket.fileno() < 0:
            return None
        if info in _ADDRESSES:
            return getattr(socket, _ADDRESSES[info])()
        return socket if info == "socket" else None

    def _lines(self, headers: list[tuple[bytes, bytes]]) -> bytes:
        # They are the same from request to request, except for the length of a body.
        if headers != self._last_lines.headers:
            self._last_lines = _HeaderLines(headers, header_lines(headers))
        return self._last_lines.lines


class _HeaderLines:
    """Headers, and how they are written. It has no ``__dict__`` that shows the key in them when objects are dumped."""

    __slots__ = ("headers", "lines")

    def __init__(self, headers: list[tuple[bytes, bytes]], lines: bytes) -> None:
        self.headers = headers
        self.lines = lines


class _ResponseBody(httpx.AsyncByteStream):
    """The body of a response. Not a generator: the event loop would have to clean up one that is not finished."""

    def __init__(self, connection: Connection, parser: ResponseParser, limit: float | None) -> None:
        self._connection = connection
        self._parser = parser
        self._limit = limit

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        piece = await self._connection.read_piece(self._parser, self._limit)
        if piece is None:
            raise StopAsyncIteration
        return piece


CONNECTION = "pyas_async.connection"
"""The extension of a request that holds the connection over which it is to be sent."""


class ConnectionTransport(httpx.AsyncBaseTransport):
    """The transport of the client's own `httpx.AsyncClient`: passes each request on to the connection it carries.

    A wrapper of `httpx.AsyncClient.send` may send another request than it was given: one for another address, or one
    without our extensions. That one goes through a transport of httpx's.
    """

    def __init__(self, make_stock: Callable[[], httpx.AsyncBaseTransport]) -> None:
        """`make_stock` makes the transport of httpx's when one is needed: it loads many modules."""
        self._make_stock = make_stock
        self._stock: httpx.AsyncBaseTransport | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request."""
        connection: Connection | None = request.extensions.get(CONNECTION)
        # By identity, since a comparison would parse the addresses.
        if connection is None or request.url is not connection.url:
            if self._stock is None:
                self._stock = self._make_stock()
            return await self._stock.handle_async_request(request)
        return await connection.exchange(request)

    async def aclose(self) -> None:
        """Close the transport of httpx's. The connections have an owner who closes them."""
        if self._stock is not None:
            await self._stock.aclose()


async def _within(
    limit: float | None, timed_out: type[httpx.TimeoutException], step: Callable[[*Args], Awaitable[T]], *args: *Args
) -> T:
    if limit is None:  # no scope: that would cost as much as the step
        return await step(*args)
    try:
        with anyio.fail_after(limit):
            return await step(*args)
    except TimeoutError:
        raise timed_out("") from None  # as httpx does it
