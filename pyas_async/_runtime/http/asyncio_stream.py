"""The byte stream of a connection on asyncio and uvloop: a protocol that parses responses as their bytes arrive.

anyio's stream lets the event loop run for each piece that is read, and wakes the reader for each. Here the reader
sleeps until the parser has something for it.
"""

import asyncio
import contextlib
import socket
import ssl
from ipaddress import ip_address
from typing import Any

import anyio
from aiohappyeyeballs import addr_to_addr_infos, start_connection

from pyas_async._runtime.http.http11 import ResponseParser, has_input

_NEXT_ADDRESS = 0.25
"""Seconds after which the next address of a host is tried in parallel (RFC 8305, "Happy Eyeballs")."""
_LOOKS = 4
"""How often to look whether the event loop has read what has arrived. It runs in between; once may not be enough."""
_PIECE = 1 << 16
"""Bytes of a request that are written at once. With TLS, only a later write finds that the system accepts no more."""


class AsyncioStream(asyncio.Protocol):
    """A connected socket, encrypted or not, with at most one reader and one writer."""

    def __init__(self, parser: ResponseParser, *, encrypted: bool) -> None:
        """Pass what arrives to a parser: a service may answer before it has read anything."""
        self.socket: Any = None  # what an event loop shows of it
        self._transport: Any = None  # asyncio's or uvloop's
        self._encrypted = encrypted
        self._parser: ResponseParser | None = parser
        self._unexpected = self._ended = False
        self._error: Exception | None = None
        self._writable = True
        self._reader: asyncio.Future[None] | None = None
        self._writer: asyncio.Future[None] | None = None

    # The event loop calls these.

    def connection_made(self, transport: Any) -> None:  # noqa: ANN401
        self._transport = transport
        self.socket = transport.get_extra_info("socket")

    def data_received(self, data: bytes) -> None:
        parser = self._parser
        if parser is None:
            self._unexpected = True
            return
        parser.feed(data)
        if parser.ready or parser.by_pieces:
            _wake(self._reader)
            _wake(self._writer)
        if parser.failed:
            self.close()

    def eof_received(self) -> bool:
        """Close, unless a request may still be written. TLS cannot stay half open."""
        self._end(None)
        return self._parser is not None and not self._encrypted

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(exc)
        self.resume_writing()

    def pause_writing(self) -> None:
        self._writable = False

    def resume_writing(self) -> None:
        self._writable = True
        _wake(self._writer)

    def _end(self, error: Exception | None) -> None:
        self._ended = True
        self._error = self._error or error
        if self._parser is not None:
            self._parser.end(self._error)
        _wake(self._reader)

    # A connection calls these.

    def expect(self, parser: ResponseParser | None) -> None:
        """Pass the bytes that arrive from now on to a parser; ``None`` if no bytes are expected."""
        self._parser = parser
        if parser is not None and self._ended:
            parser.end(self._error)

    async def write(self, data: bytes) -> None:
        """Write, and wait until the system has accepted the bytes. A failure shows when the response is read.

        A service that has answered reads no more. The rest is not written, and the connection carries no other request.
        """
        for begin in range(0, len(data), _PIECE):
            if self._transport.is_closing():  # uvloop raises a RuntimeError for a write
                return
            self._transport.write(data[begin : begin + _PIECE])
            while not self._writable:
                if self._parser is not None and self._parser.ready:
                    self._unexpected = True
                    return
                self._writer = asyncio.get_running_loop().create_future()
                await self._writer

    async def read(self) -> None:
        """Wait until the parser has something for the reader, or has been given a piece if it is read by pieces."""
        self._reader = asyncio.get_running_loop().create_future()
        await self._reader

    async def is_usable(self) -> bool:
        """Whether it is open, and nothing has arrived that no request has asked for."""
        for _ in range(_LOOKS if self._encrypted else 1):
            if self._ended or self._unexpected or self._transport.is_closing():
                return False
            if not has_input(self.socket):
                return True
            # The service has closed the connection, or has sent bytes, since the event loop looked last. With TLS, that
            # may be a session ticket, of which the loop tells nothing.
            await asyncio.sleep(0)
        return False

    def close(self) -> None:
        """Close without waiting: the event loop closes the socket in its next turn."""
        with contextlib.suppress(RuntimeError):  # the event loop is closed, and the socket with it
            self._transport.abort()


def _wake(waiter: "asyncio.Future[None] | None") -> None:
    if waiter is not None and not waiter.done():
        waiter.set_result(None)


async def connect(host: str, port: int, context: ssl.SSLContext | None, parser: ResponseParser) -> AsyncioStream:
    """Connect to the first address of a host that answers.

    Raises:
        OSError: If none does, or if the TLS handshake fails.
    """
    try:
        ip_address(host)
    except ValueError:
        addresses: Any = await anyio.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    else:
        addresses = addr_to_addr_infos((host, port, 0, 0) if ":" in host else (host, port))
    task = asyncio.current_task()
    assert task is not None  # noqa: S101
    cancellations = task.cancelling()
    connected = await start_connection(addresses, happy_eyeballs_delay=_NEXT_ADDRESS, interleave=1)
    if task.cancelling() > cancellations:
        # `start_connection` swallows a cancellation while it waits for the attempts that have lost.
        connected.close()
        raise asyncio.CancelledError
    stream = AsyncioStream(parser, encrypted=context is not None)
    loop = asyncio.get_running_loop()
    try:
        if context is None:
            await loop.create_connection(lambda: stream, sock=connected)
        else:
            # In two steps: on uvloop, a cancelled `create_connection` with TLS writes to a closed socket and logs it.
            transport, _ = await loop.create_connection(asyncio.Protocol, sock=connected)
            encrypted = await loop.start_tls(transport, stream, context, server_hostname=host)
            if encrypted is None or encrypted.is_closing():  # on uvloop, without any handshake
                msg = "the connection was closed during the handshake"
                raise ConnectionAbortedError(msg)  # noqa: TRY301  (the handler closes the socket)
            stream.connection_made(encrypted)
    except BaseException:
        connected.close()
        raise
    return stream
