"""One connection that speaks HTTP/1.1 through h11, for one request at a time.

httpcore's own connection does the same, and more: it reports each step to a log and a trace, acquires a lock, which
lets
the event loop run other tasks, and serves requests for other protocols. None of that is needed here, and it costs a
tenth of the time of a page. A `Line` has the interface of httpcore's connection.
"""

import contextlib
from collections.abc import AsyncIterator
from typing import Any

import anyio
import h11
import httpcore

_READ = 65_536
_LONGEST_HEAD = 100 * 1024
"""The largest number of bytes before the body of a response, the same as httpcore's."""


class Line(httpcore.AsyncConnectionInterface):
    """A connection: its user sends one request and reads the response to its end, or closes it."""

    def __init__(self, stream: httpcore.AsyncNetworkStream) -> None:
        self._stream = stream
        self._idle = True
        self._closed = False
        self._h11_state = h11.Connection(h11.CLIENT, max_incomplete_event_size=_LONGEST_HEAD)

    async def handle_async_request(self, request: httpcore.Request) -> httpcore.Response:
        """Send a request, and read the head of its response."""
        if not self._idle:
            raise httpcore.ConnectionNotAvailable
        self._idle = False
        timeouts = request.extensions.get("timeout", {})
        try:
            # A service may refuse a request before it has read all of it, and its response must be read.
            with contextlib.suppress(httpcore.WriteError):
                await self._send(request, timeouts.get("write"))
            head = await self._receive_head(timeouts.get("read"))
        except BaseException:
            await self._break_off()
            raise
        return httpcore.Response(
            head.status_code,
            headers=head.headers.raw_items(),
            content=_Content(self, timeouts.get("read")),
            extensions={
                "http_version": b"HTTP/" + head.http_version,
                "reason_phrase": head.reason,
                "network_stream": self._stream,
            },
        )

    async def _send(self, request: httpcore.Request, limit: float | None) -> None:
        state = self._h11_state
        try:
            head = state.send(h11.Request(method=request.method, target=request.url.target, headers=request.headers))
        except h11.LocalProtocolError as error:
            raise httpcore.LocalProtocolError(str(error)) from error
        if "trace" in request.extensions:  # `Wire` marks the request as begun
            await request.extensions["trace"]("http11.send_request_headers.started", {"request": request})
        await self._stream.write(head or b"", limit)
        content: Any = request.stream
        try:
            async for piece in content:
                await self._stream.write(state.send(h11.Data(data=piece)) or b"", limit)
            await self._stream.write(state.send(h11.EndOfMessage()) or b"", limit)
        except h11.LocalProtocolError as error:
            raise httpcore.LocalProtocolError(str(error)) from error

    async def _receive_head(self, limit: float | None) -> h11.Response:
        while True:
            event = await self.receive(limit)
            if isinstance(event, h11.Response):
                return event

    async def receive(self, limit: float | None) -> Any:  # noqa: ANN401  (of h11's events, which share no class)
        """Return the next event that h11 reads from the stream."""
        state = self._h11_state
        while True:
            try:
                event = state.next_event()
            except h11.RemoteProtocolError as error:
                raise httpcore.RemoteProtocolError(str(error)) from error
            if event is not h11.NEED_DATA:
                return event
            data = await self._stream.read(_READ, limit)
            if not data and state.their_state is h11.SEND_RESPONSE:
                msg = "Server disconnected without sending a response."  # httpcore's words
                raise httpcore.RemoteProtocolError(msg)
            state.receive_data(data)

    async def settle(self) -> None:
        """Prepare for another request if this one and its response are complete; otherwise close."""
        state = self._h11_state
        if state.our_state is h11.DONE and state.their_state is h11.DONE:
            state.start_next_cycle()
            self._idle = True
        else:
            await self.aclose()

    async def _break_off(self) -> None:
        with anyio.CancelScope(shield=True):
            await self.aclose()

    async def aclose(self) -> None:
        """Close the connection."""
        self._closed = True
        self._idle = False
        await self._stream.aclose()

    # httpcore asks these before it uses a connection again.

    def is_idle(self) -> bool:
        """Whether it is ready for a request."""
        return self._idle

    def has_expired(self) -> bool:
        """Whether the other side has closed it, or has sent bytes that belong to no request."""
        return self._idle and bool(self._stream.get_extra_info("is_readable"))

    def is_closed(self) -> bool:
        """Whether it is closed."""
        return self._closed


class _Content:
    """The body of a response. Not a generator: the event loop would have to clean up one that is not finished."""

    def __init__(self, connection: Line, limit: float | None) -> None:
        self._connection = connection
        self._limit = limit
        self._ended = False
        self._settled = False

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        if self._ended:
            raise StopAsyncIteration
        try:
            event = await self._connection.receive(self._limit)
        except BaseException:
            with anyio.CancelScope(shield=True):
                await self.aclose()
            raise
        if isinstance(event, h11.Data):
            return bytes(event.data)
        self._ended = True
        raise StopAsyncIteration

    async def aclose(self) -> None:
        if not self._settled:
            self._settled = True
            await self._connection.settle()
