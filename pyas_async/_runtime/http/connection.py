"""The client's own HTTP/1.1 connection: it carries one request at a time."""

import contextlib
import ssl
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar, TypeVarTuple

import anyio
import anyio.lowlevel
import attrs
import httpx

from pyas_async._runtime.backend import on_asyncio
from pyas_async._runtime.http.client import RequestBody
from pyas_async._runtime.http.http11 import ResponseParser, header_lines, request_head

if TYPE_CHECKING:
    from pyas_async._runtime.http.asyncio_stream import AsyncioStream
    from pyas_async._runtime.http.trio_stream import TrioStream

    Stream: TypeAlias = AsyncioStream | TrioStream

T = TypeVar("T")
Args = TypeVarTuple("Args")
_BROKEN = (anyio.BrokenResourceError, anyio.ClosedResourceError, OSError)  # an SSLError is an OSError
_ADDRESSES = {"client_addr": "getsockname", "server_addr": "getpeername"}
_FEW = 100
"""Pieces of a body that are decoded without letting the event loop run."""


class Connection:
    """Connects when it is first used. Its user sends a request and reads the response to its end, or closes it.

    Attributes:
        url: The address of the request that was prepared for it.
    """

    def __init__(self, host: str, port: int, context: ssl.SSLContext | None) -> None:
        self.url: httpx.URL | None = None
        self._address = host, port, context
        self._target = b""
        self._stream: Stream | None = None
        self._parser: ResponseParser | None = None
        self._response: httpx.Response | None = None
        self._written = _HeaderLines()

    def prepare(self, url: httpx.URL, target: bytes) -> None:
        """Expect a request for an address; `target` is its path and query as they are sent."""
        self.url = url
        self._target = target

    async def exchange(self, request: httpx.Request) -> httpx.Response:
        """Send a request, and wait for its response: for all of a success of moderate size, else for its head."""
        # If a wrapper of `send` sends again, or twice, the other requests go through httpx's transport.
        target, self.url, self._target = self._target, None, b""
        timeouts = request.extensions.get("timeout", {})
        trace = request.extensions.get("trace")
        head = request_head(request.method.encode("ascii"), target, self._written.of(request.headers.raw))
        read = timeouts.get("read")
        # A bound for the time between two pieces can only be kept if each piece is seen.
        parser = ResponseParser(by_pieces=read is not None)
        stream = self._stream
        if stream is not None and await stream.is_usable():
            stream.expect(parser)
        else:
            self.close_soon()
            if trace is not None:
                host, port, _ = self._address
                await trace("connection.connect_tcp.started", {"host": host, "port": port})
            stream = await self._connect(timeouts.get("connect"), parser)
        self._parser = parser
        # A request whose caller was cancelled while the connection was opened must not be sent.
        await anyio.lowlevel.checkpoint_if_cancelled()
        if parser.failed:
            raise httpx.ConnectError(str(parser.error()))  # nothing was sent
        if trace is not None:
            await trace("http11.send_request_headers.started", {})
        await self._write(stream, head, request.stream, timeouts.get("write"))
        while not parser.ready:
            await self.read(read)
        if parser.status is None:
            raise parser.error()
        self._response = httpx.Response(
            parser.status,
            headers=parser.headers,
            stream=_ResponseBody(self, parser, read),
            extensions={
                "http_version": parser.http_version,
                "reason_phrase": parser.reason,
                "network_stream": self,
            },
        )
        return self._response

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
        # the connection is left to `read`.
        with contextlib.suppress(*_BROKEN):
            if type(body) is RequestBody:
                await _within(limit, httpx.WriteTimeout, stream.write, head + body.content)
                body.written()
                return
            await _within(limit, httpx.WriteTimeout, stream.write, head)
            async for piece in body:
                await _within(limit, httpx.WriteTimeout, stream.write, piece)

    async def read(self, limit: float | None) -> None:
        """Wait until the parser has something for the reader, within a number of seconds."""
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

    def settle(self) -> bool:
        """End an exchange; return whether the connection can carry another request, as far as the parser knows."""
        parser, self._parser, self._response = self._parser, None, None
        if self._stream is None or parser is None or not parser.reusable:
            return False
        self._stream.expect(None)
        return True

    def close_soon(self) -> None:
        """Close without waiting."""
        stream, self._stream, self._parser, self._response = self._stream, None, None, None
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


@attrs.define(repr=False)
class _HeaderLines:
    """The last headers, and how they are written: most requests have the same.

    It has no ``__dict__``, which would show the key in them when objects are dumped.
    """

    headers: list[tuple[bytes, bytes]] = attrs.field(factory=list)
    lines: bytes = b""

    def of(self, headers: list[tuple[bytes, bytes]]) -> bytes:
        """Return the lines of headers."""
        if headers != self.headers:
            self.headers, self.lines = headers, header_lines(headers)
        return self.lines


class _ResponseBody(httpx.AsyncByteStream):
    """The body of a response. Not a generator: the event loop would have to clean up one that is not finished."""

    def __init__(self, connection: Connection, parser: ResponseParser, limit: float | None) -> None:
        self._connection = connection
        self._parser = parser
        self._limit = limit

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        parser = self._parser
        while not parser.pieces:
            if parser.failed:
                raise parser.error()
            if parser.complete:
                raise StopAsyncIteration
            parser.ready = False
            await self._connection.read(self._limit)
        return parser.take()


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
