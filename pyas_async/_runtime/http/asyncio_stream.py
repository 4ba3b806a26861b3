"""The byte stream of a connection on asyncio and uvloop: a protocol that parses responses as their bytes arrive.

anyio's stream lets the event loop run for each piece that is read, and wakes the reader for each. Here, the reader
sleeps until the parser has something for it.
"""

import asyncio
import contextlib
import ipaddress
import socket
import ssl
from typing import Any

import anyio

from pyas_async._runtime.http.http11 import ResponseParser
from pyas_async._runtime.http.sockets import has_input

_NEXT_ADDRESS = 0.25
"""Seconds after which the next address of a host is tried in parallel (RFC 8305, "Happy Eyeballs")."""


class AsyncioStream(asyncio.Protocol):
    """A connected socket, encrypted or not, with at most one reader and one writer."""

    def __init__(self) -> None:
        self._transport: Any = None  # asyncio's or uvloop's
        self._encrypted = False
        self._parser: ResponseParser | None = None
        self._unexpected = False
        self._ended = False
        self._error: Exception | None = None
        self._paused = False
        self._writable = True
        self._reader: asyncio.Future[None] | None = None
        self._writer: asyncio.Future[None] | None = None

    # The event loop calls these.

    def connection_made(self, transport: Any) -> None:  # noqa: ANN401  (as above)
        """Begin."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Parse the bytes, and wake the reader if the parser is ready."""
        parser = self._parser
        if parser is None:
            self._unexpected = True
            return
        parser.feed(data)
        if parser.ready:
            _wake(self._reader)
            if parser.is_full and not self._paused:
                self._paused = True
                self._transport.pause_reading()

    def eof_received(self) -> bool:
        """Note the end, and close unless a request may still be written. TLS cannot stay half open."""
        self._end(None)
        return self._parser is not None and not self._encrypted

    def connection_lost(self, exc: Exception | None) -> None:
        """Note the end in both directions."""
        self._writable = True
        self._end(exc)
        _wake(self._writer)

    def pause_writing(self) -> None:
        """Let the writer wait."""
        self._writable = False

    def resume_writing(self) -> None:
        """Let the writer go on."""
        self._writable = True
        _wake(self._writer)

    def _end(self, error: Exception | None) -> None:
        self._ended = True
        self._error = self._error or error
        if self._parser is not None:
            self._parser.end(self._error)
        _wake(self._reader)

    # A connection calls these.

    async def encrypt(self, context: ssl.SSLContext, host: str) -> None:
        """Encrypt the connection."""
        self._encrypted = True
        loop = asyncio.get_running_loop()
        transport = await loop.start_tls(self._transport, self, context, server_hostname=host)
        if transport is None:
            msg = "the connection was closed during the handshake"
            raise ConnectionAbortedError(msg)
        self._transport = transport

    def expect(self, parser: ResponseParser | None) -> None:
        """Pass the bytes that arrive from now on to a parser; ``None`` if no bytes are expected."""
        self._parser = parser
        if parser is not None and self._ended:
            parser.end(self._error)

    async def write(self, data: bytes) -> None:
        """Write, and wait until the system has accepted the bytes. A failure shows when the response is read."""
        self._transport.write(data)
        while not self._writable:
            self._writer = asyncio.get_running_loop().create_future()
            try:
                await self._writer
            finally:
                self._writer = None

    async def read(self) -> None:
        """Wait until the parser has something for the reader."""
        if self._paused:
            self._paused = False
            if not self._transport.is_closing():
                self._transport.resume_reading()
        self._reader = asyncio.get_running_loop().create_future()
        try:
            await self._reader
        finally:
            self._reader = None

    async def settle(self) -> bool:
        """Whether no byte has followed the response. What arrives is parsed at once, so the parser knows."""
        return True

    def is_quiet(self) -> bool:
        """Whether it is open, and no unexpected byte has arrived."""
        if self._ended or self._unexpected or self._paused or self._transport.is_closing():
            return False
        # The service may have closed the connection since the event loop looked last.
        return not has_input(self._transport.get_extra_info("socket"))

    def close(self) -> None:
        """Close without waiting: the event loop closes the socket in its next turn."""
        with contextlib.suppress(RuntimeError):  # the event loop is closed, and the socket with it
            self._transport.abort()


def _wake(waiter: "asyncio.Future[None] | None") -> None:
    if waiter is not None and not waiter.done():
        waiter.set_result(None)


async def connect(host: str, port: int, context: ssl.SSLContext | None) -> AsyncioStream:
    """Connect to the first address of a host that answers.

    Raises:
        OSError: If none does, or if the TLS handshake fails.
    """
    stream = await _connect_tcp(host, port)
    if context is not None:
        try:
            await stream.encrypt(context, host)
        except BaseException:
            stream.close()
            raise
    return stream


async def _connect_tcp(host: str, port: int) -> AsyncioStream:
    loop = asyncio.get_running_loop()
    addresses = await _resolve(host, port)
    if len(addresses) == 1:
        return (await loop.create_connection(AsyncioStream, addresses[0], port))[1]
    connected: list[AsyncioStream] = []
    errors: list[OSError] = []

    async def attempt(address: str, ended: anyio.Event) -> None:
        try:
            _, stream = await loop.create_connection(AsyncioStream, address, port)
        except OSError as error:
            errors.append(error)
            return
        finally:
            ended.set()
        connected.append(stream)
        tasks.cancel_scope.cancel()

    try:
        async with anyio.create_task_group() as tasks:
            for address in addresses:
                ended = anyio.Event()
                tasks.start_soon(attempt, address, ended)
                with anyio.move_on_after(_NEXT_ADDRESS):
                    await ended.wait()
    except BaseException:
        for stream in connected:
            stream.close()
        raise
    for stream in connected[1:]:
        stream.close()
    if not connected:
        msg = f"no address of {host} could be reached: {errors[-1]}"
        raise OSError(msg)
    return connected[0]


async def _resolve(host: str, port: int) -> list[str]:
    try:
        return [str(ipaddress.ip_address(host))]
    except ValueError:
        pass
    found = await anyio.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = list(dict.fromkeys(str(address[0]) for *_, address in found))
    # RFC 8305: the first address of IPv6, the first of IPv4, and so on.
    six = [address for address in addresses if ":" in address]
    four = [address for address in addresses if ":" not in address]
    paired = [address for pair in zip(six, four, strict=False) for address in pair]
    return [*paired, *six[len(four) :], *four[len(six) :]]
