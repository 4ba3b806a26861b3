"""A service on a raw socket, in the test's own event loop, that follows a script for each request."""

from __future__ import annotations

import contextlib
import enum
import socket
import struct
from collections.abc import Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, TypeAlias

import anyio
import anyio.abc
import anyio.lowlevel
import attrs
import httpx
from anyio.streams.buffered import BufferedByteReceiveStream
from anyio.streams.tls import TLSStream

from faults.answers import well
from faults.jumping_clock import passes
from runtime.socket_server import Seen

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator


PATIENCE = 30.0
"""Seconds of an attempt by default."""
TURNS = 5
"""Turns of the event loop in which a client in the same loop has read what was sent to it. One is enough."""


class Do(enum.Enum):
    """What the service does with a connection besides sending bytes."""

    CLOSE = "hangs up"
    RESET = "hangs up with a reset, which takes what is on its way with it"
    STALL = "says nothing more, and stays"


@attrs.frozen
class Drip:
    """Pieces sent slowly: one every five seconds, or every fiftieth of a second where clocks cannot jump.

    It goes on for longer than any client listens.
    """

    pieces: Sequence[bytes]


@attrs.frozen
class Later:
    """Bytes sent when the client has read the previous ones, so that it reads them separately."""

    text: bytes


Step: TypeAlias = bytes | Drip | Later | Do
Script: TypeAlias = Callable[[Seen], Iterable[Step]]
"""Returns what is done with a request. After the last step, the connection is open for the next request."""


@attrs.define
class Server:
    """A service under test.

    Attributes:
        url: The address.
        script: What it does with a request; a test may change it.
        greets: What it does with a connection before it reads anything; ``None`` for nothing.
        requests: The requests that it has read.
        connections: The number of connections opened to it.
        passes: Whether the fault ends after it has happened once.
    """

    url: str
    script: Script
    greets: Step | None = None
    requests: list[Seen] = attrs.field(factory=list)
    connections: int = 0
    passes: bool = False
    _busy: int = 0

    def recover(self) -> None:
        """End the fault."""
        self.script, self.greets = well, None

    async def quiet(self) -> None:
        """Wait until the script has sent everything."""
        while self._busy:  # noqa: ASYNC110  (it takes milliseconds)
            await anyio.sleep(0.001)

    async def talk(self, plain: anyio.abc.SocketStream, context: ssl.SSLContext | None) -> None:
        """Serve one connection to its end, whatever the client does."""
        gone = (anyio.EndOfStream, anyio.IncompleteRead, anyio.BrokenResourceError, anyio.ClosedResourceError, OSError)
        raw = plain.extra(anyio.abc.SocketAttribute.raw_socket)  # noqa: S610  (not Django's)
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.connections += 1
        async with _closing(plain):
            with contextlib.suppress(*gone):
                if (greets := self.greets) is not None:
                    if self.passes:
                        self.recover()
                    await _take(greets, plain, raw)
                    return
                stream: anyio.abc.ByteStream = plain
                if context is not None:
                    # The script closes the connection without TLS's close_notify: to the client, that is a truncated
                    # stream.
                    stream = await TLSStream.wrap(
                        plain, server_side=True, ssl_context=context, standard_compatible=False
                    )
                reader = BufferedByteReceiveStream(stream)
                while True:
                    seen = await _read_request(reader)
                    self.requests.append(seen)
                    script = self.script
                    if self.passes:
                        self.recover()
                    self._busy += 1
                    try:
                        for step in script(seen):
                            if await _take(step, stream, raw):
                                return
                    finally:
                        self._busy -= 1


@asynccontextmanager
async def _closing(stream: anyio.abc.SocketStream) -> AsyncIterator[None]:
    try:
        yield
    finally:
        with anyio.CancelScope(shield=True):
            await stream.aclose()


async def _take(step: Step, stream: anyio.abc.ByteStream, raw: socket.socket) -> bool:
    """Perform a step; return whether it was the connection's last."""
    if isinstance(step, Do):
        await _act(step, raw)
        return True
    if isinstance(step, Drip):
        for number, piece in enumerate(step.pieces):
            await stream.send(piece)
            if 5.0 * number >= PATIENCE:
                break  # the client has gone, and the clock must not jump for the others
            await passes(5.0, really=0.02)
        await anyio.sleep_forever()
        return True
    if isinstance(step, Later):
        await arrival()
        step = step.text
    await stream.send(step)
    return False


async def arrival() -> None:
    """Wait until clients in this event loop have read what was sent to them."""
    for _ in range(TURNS):
        await anyio.lowlevel.checkpoint()


async def _act(act: Do, raw: socket.socket) -> None:
    if act is Do.STALL:
        await passes(PATIENCE, really=0.0)
        await anyio.sleep_forever()
    if act is Do.RESET:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


async def _read_request(reader: BufferedByteReceiveStream) -> Seen:
    head = (await reader.receive_until(b"\r\n\r\n", 65_536)).decode()
    first, *lines = head.split("\r\n")
    method, target, _ = first.split()
    headers = httpx.Headers([(name, value) for name, _, value in (line.partition(": ") for line in lines)])
    return Seen(method, target, headers, await reader.receive_exactly(int(headers.get("content-length", 0))))


@asynccontextmanager
async def serve(
    script: Script, *, greets: Step | None = None, context: ssl.SSLContext | None = None
) -> AsyncIterator[Server]:
    """Serve on a loopback socket, over TLS if there is a context."""
    # Not `create_tcp_listener`, which resolves the address in a thread.
    listener = await anyio.abc.SocketListener.from_socket(socket.create_server(("127.0.0.1", 0)))
    port = listener.extra(anyio.abc.SocketAttribute.local_port)  # noqa: S610  (not Django's)
    server = Server(f"{'http' if context is None else 'https'}://127.0.0.1:{port}", script, greets)

    async def handle(stream: anyio.abc.SocketStream) -> None:
        await server.talk(stream, context)

    raised: Exception | None = None
    async with listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, handle)
        try:
            yield server
        except Exception as error:  # noqa: BLE001  (raised again below, where no group wraps it)
            raised = error
        tasks.cancel_scope.cancel()
    if raised is not None:
        raise raised


@asynccontextmanager
async def closed_port() -> AsyncIterator[Server]:
    """Reserve a port without a listener, so that connections are refused."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield Server(f"http://127.0.0.1:{held.getsockname()[1]}", well)
