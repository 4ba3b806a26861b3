"""The byte stream of a connection on trio: anyio's stream, and the parser of the response."""

import contextlib
import ssl

import anyio
import anyio.abc
import anyio.lowlevel
from anyio.streams.stapled import StapledByteStream
from anyio.streams.tls import TLSStream

from pyas_async._runtime.http.http11 import ResponseParser, has_input

_READ = 1 << 18


class TrioStream:
    """A connected socket, encrypted or not. Its methods are those of `AsyncioStream`."""

    def __init__(self, parser: ResponseParser, stream: anyio.abc.ByteStream, below: "_BelowTLS | None" = None) -> None:
        self._stream = stream
        self._below = below
        self.socket = stream.extra(anyio.abc.SocketAttribute.raw_socket)  # noqa: S610  (no Django's)
        self._parser: ResponseParser | None = parser

    def expect(self, parser: ResponseParser | None) -> None:
        """Pass the bytes that arrive from now on to a parser; ``None`` if no bytes are expected."""
        self._parser = parser

    async def write(self, data: bytes) -> None:
        """Write, and wait until the system has accepted the bytes."""
        await self._stream.send(data)

    async def read(self) -> None:
        """Read until the parser has something for the reader, or once if it is read by pieces."""
        parser = self._parser
        while parser is not None:
            try:
                parser.feed(await self._stream.receive(_READ))
            except anyio.EndOfStream:
                parser.end(None)
            except (anyio.BrokenResourceError, anyio.ClosedResourceError, ssl.SSLError) as error:
                parser.end(error.__cause__ if isinstance(error.__cause__, Exception) else error)
            if parser.ready or parser.by_pieces:
                return

    async def is_usable(self) -> bool:
        """Whether it is open, and nothing has arrived that no request has asked for."""
        if self._below is None:
            return not has_input(self.socket)
        # What has arrived may be a session ticket, which TLS keeps to itself.
        self._below.waits = False
        try:
            await self._stream.receive(1)
        except anyio.WouldBlock:
            return True
        except (anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError, ssl.SSLError):
            return False
        finally:
            self._below.waits = True
        return False

    def close(self) -> None:
        """Close the socket. No task may be waiting for it."""
        with contextlib.suppress(OSError):
            self.socket.close()


class _BelowTLS(anyio.abc.ByteReceiveStream):
    """The incoming half of the stream below TLS. It can raise `anyio.WouldBlock` instead of waiting for bytes.

    Attributes:
        waits: Whether it waits.
    """

    def __init__(self, stream: anyio.abc.SocketStream) -> None:
        self.waits = True
        self._stream = stream
        self._socket = stream.extra(anyio.abc.SocketAttribute.raw_socket)  # noqa: S610  (no Django's)

    async def receive(self, max_bytes: int = _READ) -> bytes:
        """Return the bytes that have arrived."""
        if not self.waits and not has_input(self._socket):
            raise anyio.WouldBlock
        return await self._stream.receive(max_bytes)

    async def aclose(self) -> None:
        """Close both halves."""
        await self._stream.aclose()


def _reasons(error: BaseException | None) -> str | None:
    """Return why no address could be connected to; anyio's own exception names no reason."""
    errors = error.exceptions if isinstance(error, BaseExceptionGroup) else [error] if error is not None else []
    return "; ".join(dict.fromkeys(str(one) for one in errors)) or None


async def connect(host: str, port: int, context: ssl.SSLContext | None, parser: ResponseParser) -> TrioStream:
    """Connect to the first address of a host that answers.

    Raises:
        OSError: If none does, or if the TLS handshake fails.
    """
    try:
        stream = await anyio.connect_tcp(host, port)
    except OSError as error:
        if (reasons := _reasons(error.__cause__)) is None:
            raise
        raise OSError(reasons) from error
    if context is None:
        return TrioStream(parser, stream)
    below = _BelowTLS(stream)
    try:
        both = StapledByteStream(stream, below)
        encrypted = await TLSStream.wrap(both, hostname=host, ssl_context=context, standard_compatible=False)
    except BaseException:
        await anyio.aclose_forcefully(stream)
        raise
    return TrioStream(parser, encrypted, below)
