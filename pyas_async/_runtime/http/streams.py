"""Sockets of asyncio for httpcore, with the stream interfaces of anyio and httpcore.

For each piece that is read, anyio's own socket changes the selector and lets the event loop run, and httpcore enters a
scope. That is a sixth of the cost of a page that is read by hand. anyio, called by httpcore, still opens the
connections,
happy eyeballs included, and encrypts them.
"""

import asyncio
import select
import ssl
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import anyio
import anyio.abc
import anyio.lowlevel
import httpcore
from anyio.streams.tls import TLSAttribute, TLSStream

_FULL = 1 << 18
"""Unread bytes from which on the socket is not read. The last read may bring as many again."""


class _Protocol(asyncio.Protocol):
    """The received bytes, and the waiting reader and writer: at most one each, since httpcore has no more."""

    def __init__(self, transport: Any) -> None:  # noqa: ANN401  (asyncio's, or another loop's like it)
        self.transport = transport
        self.pieces: list[bytes] = []
        self.held = 0
        self.ended = False
        self.error: Exception | None = None
        self._full = False
        self._may_write = True
        self._reader: asyncio.Future[None] | None = None
        self._writer: asyncio.Future[None] | None = None

    def data_received(self, data: bytes) -> None:
        self.pieces.append(bytes(data))  # a bytearray on Windows
        self.held += len(data)
        if self.held >= _FULL:
            self._full = True
            self.transport.pause_reading()
        _wake(self._reader)

    def eof_received(self) -> bool:
        self.ended = True
        _wake(self._reader)
        return True  # our half stays open for what is still to be written

    def connection_lost(self, exc: Exception | None) -> None:
        self.ended = self._may_write = True
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
        data = self.pieces[0] if len(self.pieces) == 1 else b"".join(self.pieces)
        self.pieces.clear()
        self.held = 0
        if self._full:
            self._full = False
            if not self.transport.is_closing():
                self.transport.resume_reading()
        return data


def _wake(waiter: "asyncio.Future[None] | None") -> None:
    if waiter is not None and not waiter.done():
        waiter.set_result(None)


class Socket(anyio.abc.ByteStream):
    """A socket that anyio has opened, without anyio's overhead for each read."""

    def __init__(self, opened: anyio.abc.ByteStream, transport: Any) -> None:  # noqa: ANN401  (asyncio's, or uvloop's)
        self._opened = opened
        self._closed = False
        self.protocol = _Protocol(transport)
        transport.set_protocol(self.protocol)
        transport.resume_reading()

    async def receive(self, max_bytes: int = 65_536) -> bytes:  # noqa: ARG002
        """Wait for bytes, and return all of them, even more than requested: httpcore can handle that.

        Raises:
            EndOfStream: If nothing more comes.
            BrokenResourceError: If the connection was torn down.
            ClosedResourceError: If it was closed here.
        """
        protocol = self.protocol
        if not protocol.pieces:
            await protocol.until_readable()
            if not protocol.pieces:
                raise self._end(anyio.EndOfStream())
        return protocol.take()

    async def send(self, item: bytes) -> None:
        """Write, and wait until the system has accepted the bytes.

        Raises:
            BrokenResourceError: If the connection was torn down.
            ClosedResourceError: If it was closed here.
        """
        transport = self.protocol.transport
        # Let a pending cancellation be raised first: a request whose caller is gone must not be sent.
        await anyio.lowlevel.checkpoint()
        if not transport.is_closing():
            transport.write(item)
            await self.protocol.until_written()
        if transport.is_closing():
            raise self._end(anyio.BrokenResourceError())

    async def send_eof(self) -> None:
        """Close the sending half."""
        self.protocol.transport.write_eof()

    async def aclose(self) -> None:
        """Close at once. The socket is closed on return, or soon afterwards if this is cancelled."""
        self._closed = True
        self.protocol.transport.abort()
        await anyio.lowlevel.checkpoint()

    @property
    def extra_attributes(self) -> Mapping[Any, Callable[[], Any]]:
        """Return the attributes that anyio has for a socket."""
        return self._opened.extra_attributes

    def is_readable(self) -> bool:
        """Whether there are bytes to read, or the end."""
        if self.protocol.ended or self.protocol.pieces:
            return True
        socket = self.protocol.transport.get_extra_info("socket")
        return socket is None or _has_more(socket.fileno())

    def _end(self, end: Exception) -> Exception:
        if self._closed:
            return anyio.ClosedResourceError()
        if self.protocol.error is None:
            return end
        broken = anyio.BrokenResourceError(str(self.protocol.error))
        broken.__cause__ = self.protocol.error
        return broken


def _has_more(number: int) -> bool:
    """Whether the socket with that number has bytes, or its end, to read now."""
    if number < 0:
        return True
    if not hasattr(select, "poll"):
        return bool(select.select([number], [], [], 0)[0])
    poller = select.poll()
    poller.register(number, select.POLLIN)
    return bool(poller.poll(0))


class Stream(httpcore.AsyncNetworkStream):
    """A connection as httpcore sees it, encrypted or not. A scope is entered only if there is a timeout."""

    def __init__(self, socket: Socket, stream: anyio.abc.ByteStream) -> None:
        self._socket = socket
        self._stream = stream

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Wait for bytes and return them; return no bytes at the end."""
        try:
            if timeout is None:
                return await self._stream.receive(max_bytes)
            with anyio.fail_after(timeout):
                return await self._stream.receive(max_bytes)
        except anyio.EndOfStream:
            return b""
        except TimeoutError as error:
            raise httpcore.ReadTimeout from error
        except _BROKEN as error:
            raise httpcore.ReadError(_why(error)) from error

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Write, and wait until the system has accepted the bytes."""
        if not buffer:
            return
        try:
            if timeout is None:
                await self._stream.send(buffer)
                return
            with anyio.fail_after(timeout):
                await self._stream.send(buffer)
        except TimeoutError as error:
            raise httpcore.WriteTimeout from error
        except _BROKEN as error:
            raise httpcore.WriteError(_why(error)) from error

    async def aclose(self) -> None:
        """Close at once."""
        await self._stream.aclose()

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.AsyncNetworkStream:
        """Encrypt the connection; close it if that fails."""
        try:
            with anyio.fail_after(timeout):
                stream = await TLSStream.wrap(
                    self._stream, ssl_context=ssl_context, hostname=server_hostname, standard_compatible=False
                )
        except BaseException as error:
            with anyio.CancelScope(shield=True):
                await self._socket.aclose()
            if isinstance(error, TimeoutError):
                raise httpcore.ConnectTimeout from error
            if isinstance(error, (anyio.EndOfStream, *_BROKEN)):
                raise httpcore.ConnectError(_why(error, "the connection was closed during the handshake")) from error
            raise
        return Stream(self._socket, stream)

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401  (httpcore's)
        """Return what httpcore asks of a connection."""
        if info == "is_readable":
            return self._socket.is_readable()
        attribute = _ATTRIBUTES.get(info)
        return None if attribute is None else self._stream.extra(attribute, None)  # noqa: S610  (no Django's)


_BROKEN = (anyio.BrokenResourceError, anyio.ClosedResourceError, ssl.SSLError)
_ATTRIBUTES: dict[str, Any] = {
    "ssl_object": TLSAttribute.ssl_object,
    "client_addr": anyio.abc.SocketAttribute.local_address,
    "server_addr": anyio.abc.SocketAttribute.remote_address,
    "socket": anyio.abc.SocketAttribute.raw_socket,
}


def _why(error: Exception, otherwise: str = "the connection was closed") -> str:
    return str(error) or str(error.__cause__ or "") or otherwise


class Backend(httpcore.AsyncNetworkBackend):
    """Opens connections on asyncio as httpcore does, and wraps them."""

    def __init__(self) -> None:
        self._anyios: Any = httpcore.AnyIOBackend()  # a stand-in if anyio is missing

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to a host."""
        return _taken_over(await self._anyios.connect_tcp(host, port, timeout, local_address, socket_options))


def _taken_over(stream: httpcore.AsyncNetworkStream) -> httpcore.AsyncNetworkStream:
    """Return a faster stream for the same connection if anyio built it for asyncio, uvloop included."""
    opened: Any = getattr(stream, "_stream", None)
    transport: Any = getattr(opened, "_transport", None)
    came = getattr(getattr(opened, "_protocol", None), "read_queue", None)
    if came is None or came or not hasattr(transport, "set_protocol") or transport.is_closing():
        return stream  # unchanged: bytes that came early must not be lost
    socket = Socket(opened, transport)
    return Stream(socket, socket)
