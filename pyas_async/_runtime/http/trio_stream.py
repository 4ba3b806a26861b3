"""The byte stream of a connection on trio: anyio's stream, and the parser of the response."""

import ssl

import anyio
import anyio.abc
import anyio.lowlevel
from anyio.streams.tls import TLSStream

from pyas_async._runtime.http.http11 import ResponseParser, has_input

_READ = 1 << 18


class TrioStream:
    """A connected socket, encrypted or not. Its methods are those of `AsyncioStream`."""

    def __init__(self, stream: anyio.abc.ByteStream) -> None:
        self._stream = stream
        self._socket = stream.extra(anyio.abc.SocketAttribute.raw_socket)  # noqa: S610  (no Django's)
        self._parser: ResponseParser | None = None

    def expect(self, parser: ResponseParser | None) -> None:
        """Pass the bytes that arrive from now on to a parser; ``None`` if no bytes are expected."""
        self._parser = parser

    async def write(self, data: bytes) -> None:
        """Write, and wait until the system has accepted the bytes."""
        await self._stream.send(data)

    async def read(self) -> None:
        """Read until the parser has something for the reader."""
        parser = self._parser
        while parser is not None:
            try:
                parser.feed(await self._stream.receive(_READ))
            except anyio.EndOfStream:
                parser.end(None)
            except (anyio.BrokenResourceError, anyio.ClosedResourceError, ssl.SSLError) as error:
                parser.end(error.__cause__ if isinstance(error.__cause__, Exception) else error)
            if parser.ready:
                return

    async def settle(self) -> bool:
        """Whether no byte has followed the response, and none waits to be decrypted."""
        if not isinstance(self._stream, TLSStream):
            return True
        # The scope of the shield ends the wait, so that a cancellation of the call cannot be lost in it.
        with anyio.CancelScope(shield=True) as scope:
            scope.cancel()  # what has arrived is received nevertheless
            try:
                await self._stream.receive(1)
            except (anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError, ssl.SSLError):
                return False
        return scope.cancelled_caught

    def is_quiet(self) -> bool:
        """Whether it is open, and no unexpected byte has arrived."""
        return not has_input(self._socket)

    def close(self) -> None:
        """Close the socket. No task may be waiting for it."""
        self._socket.close()


async def connect(host: str, port: int, context: ssl.SSLContext | None) -> TrioStream:
    """Connect to the first address of a host that answers.

    Raises:
        OSError: If none does, or if the TLS handshake fails.
    """
    if context is None:
        return TrioStream(await anyio.connect_tcp(host, port))
    return TrioStream(
        await anyio.connect_tcp(host, port, ssl_context=context, tls_hostname=host, tls_standard_compatible=False)
    )
