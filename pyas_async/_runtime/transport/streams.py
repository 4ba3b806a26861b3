"""Sockets of asyncio below httpcore, by httpcore's interface for such a thing.

Its own way through anyio enters a scope, changes the selector and lets the event loop turn for each piece that is read.
That is a fifth of what a page costs by hand. What opens the connections is httpcore's backend for anyio all the same.
"""

import asyncio
import select
import ssl
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

import anyio
import anyio.lowlevel
import httpcore

_FULL = 1 << 18
"""Bytes that wait to be read, from which on the socket is not read any further: as much as one look at it may bring."""


class _Protocol(asyncio.Protocol):
    """What came, and who waits for it: at most one reader and one writer, since httpcore has no more."""

    def __init__(self, transport: Any) -> None:  # noqa: ANN401  (asyncio's, or another loop's like it)
        self.transport = transport
        self.pieces: list[bytes] = []
        self.held = 0
        self.ended = False
        self.lost = False
        self.error: Exception | None = None
        self._full = False
        self._may_write = True
        self._reader: asyncio.Future[None] | None = None
        self._writer: asyncio.Future[None] | None = None

    def data_received(self, data: bytes) -> None:
        self.pieces.append(data)
        self.held += len(data)
        if self.held >= _FULL:
            self._full = True
            self.transport.pause_reading()
        _wake(self._reader)

    def eof_received(self) -> bool:
        self.ended = True
        _wake(self._reader)
        # What was not written yet still is; but below TLS, nothing can be half closed.
        return self.transport.get_extra_info("sslcontext") is None

    def connection_lost(self, exc: Exception | None) -> None:
        self.ended = self.lost = self._may_write = True
        self.error = exc
        _wake(self._reader)
        _wake(self._writer)

    def pause_writing(self) -> None:
        self._may_write = False

    def resume_writing(self) -> None:
        self._may_write = True
        _wake(self._writer)

    async def until_readable(self) -> None:
        while not self.pieces and not self.ended:
            self._reader = asyncio.get_running_loop().create_future()
            try:
                await self._reader
            finally:
                self._reader = None

    async def until_written(self) -> None:
        while not self._may_write:
            self._writer = asyncio.get_running_loop().create_future()
            try:
                await self._writer
            finally:
                self._writer = None

    def take(self) -> bytes:
        """Give what came; nothing at the end."""
        data = self.pieces[0] if len(self.pieces) == 1 else b"".join(self.pieces)
        self.pieces.clear()
        self.held = 0
        if self._full:
            self._full = False
            if not self.lost:
                self.transport.resume_reading()
        return data


def _wake(waiter: "asyncio.Future[None] | None") -> None:
    if waiter is not None and not waiter.done():
        waiter.set_result(None)


class Stream(httpcore.AsyncNetworkStream):
    """A connection."""

    def __init__(self, protocol: _Protocol) -> None:
        """Read and write by way of a protocol that is connected."""
        self._protocol = protocol
        self._closed = False

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002
        """Wait until something came, and give all of it; nothing at the end.

        It may be more than was asked for: that is how much httpcore would have a buffer for, if it had one.
        """
        protocol = self._protocol
        if not protocol.pieces and not protocol.ended:
            if timeout is None:
                await protocol.until_readable()
            else:
                async with _within(timeout, httpcore.ReadTimeout):
                    await protocol.until_readable()
        if not protocol.pieces and (self._closed or protocol.error is not None):
            raise httpcore.ReadError(_why(protocol.error)) from protocol.error
        return protocol.take()

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Write, and wait until the system has taken it."""
        if not buffer:
            return
        protocol = self._protocol
        # A request that nobody waits for any more must not go out.
        await anyio.lowlevel.checkpoint_if_cancelled()
        if not protocol.transport.is_closing():
            protocol.transport.write(buffer)
            if timeout is None:
                await protocol.until_written()
            else:
                async with _within(timeout, httpcore.WriteTimeout):
                    await protocol.until_written()
        if protocol.transport.is_closing():
            raise httpcore.WriteError(_why(protocol.error)) from protocol.error

    async def aclose(self) -> None:
        """Close at once; the socket is closed when this returns, unless it is cancelled, and soon after then."""
        self._closed = True
        self._protocol.transport.abort()
        await anyio.lowlevel.checkpoint()

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.AsyncNetworkStream:
        """Go on encrypted."""
        protocol = self._protocol
        try:
            async with _within(timeout, httpcore.ConnectTimeout):
                encrypted = await asyncio.get_running_loop().start_tls(
                    protocol.transport, protocol, ssl_context, server_hostname=server_hostname
                )
        except OSError as error:  # ssl's are, too
            await self.aclose()
            raise httpcore.ConnectError(_why(error)) from error
        except BaseException:
            protocol.transport.abort()
            raise
        protocol.transport = encrypted
        return Stream(protocol)

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401  (httpcore's)
        """Tell of the connection what httpcore asks for."""
        transport = self._protocol.transport
        if info == "is_readable":
            return self._protocol.ended or bool(self._protocol.pieces) or _has_more(transport.get_extra_info("socket"))
        return transport.get_extra_info(_NAMES.get(info, info))


_NAMES = {"client_addr": "sockname", "server_addr": "peername"}


@asynccontextmanager
async def _within(seconds: float | None, error: type[Exception]) -> AsyncIterator[None]:
    try:
        with anyio.fail_after(seconds):
            yield
    except TimeoutError as late:
        raise error from late


def _why(error: Exception | None) -> str:
    return "the connection was closed" if error is None else str(error)


def _has_more(socket: Any) -> bool:  # noqa: ANN401  (asyncio's, or another loop's)
    """Whether a socket would give something at once: bytes, or its end."""
    number = -1 if socket is None else socket.fileno()
    if number < 0:
        return True
    if not hasattr(select, "poll"):
        return bool(select.select([number], [], [], 0)[0])
    poller = select.poll()
    poller.register(number, select.POLLIN)
    return bool(poller.poll(0))


class Backend(httpcore.AsyncNetworkBackend):
    """Opens connections as httpcore does, on asyncio, and takes them over."""

    def __init__(self) -> None:
        """Leave the opening to httpcore."""
        self._anyios: Any = httpcore.AnyIOBackend()  # which is another class where there is no anyio

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect."""
        return _taken_over(await self._anyios.connect_tcp(host, port, timeout, local_address, socket_options))


def _taken_over(stream: httpcore.AsyncNetworkStream) -> httpcore.AsyncNetworkStream:
    """Give a faster stream over the same connection, where it is as anyio makes them on asyncio, uvloop included."""
    inner = getattr(stream, "_stream", None)
    transport: Any = getattr(inner, "_transport", None)
    came = getattr(getattr(inner, "_protocol", None), "read_queue", None)
    if came is None or came or not hasattr(transport, "set_protocol") or transport.is_closing():
        return stream  # as it is: what a service says unasked must not be lost, either
    protocol = _Protocol(transport)
    transport.set_protocol(protocol)
    transport.resume_reading()
    return Stream(protocol)
