"""What one of the client's own connections does, one behaviour per test, on each event loop, plain and encrypted."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
import threading
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import TYPE_CHECKING, Any

import anyio
import anyio.lowlevel
import anyio.to_thread
import httpx
import pytest
from anyio.streams.tls import TLSStream

import inside
from clients import own_pool_only
from runtime.raw_service import LIMIT, every_loop, plain_and_encrypted, request_on, rest_on, silent, talking
from runtime.socket_server import until
from runtime.trust import served, trusted

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

    from pyas_async._runtime.http.connection import Connection

pytestmark = [pytest.mark.anyio, own_pool_only, every_loop, plain_and_encrypted]

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK"
ENDLESS = b"HTTP/1.1 200 OK\r\n\r\n"
"""The head of a response that ends with its connection."""
LOST = (httpx.ReadError, httpx.RemoteProtocolError)
"""The errors of a request that was begun and got no whole response: the second if the system reports only an end."""
LARGE = 1 << 24
"""Bytes of a request that are more than the buffers of two sockets hold."""


@pytest.fixture
def context(tmp_path: Path, secure: bool) -> Iterator[ssl.SSLContext | None]:
    """Return the TLS context of a service that the client trusts; ``None`` for plain HTTP."""
    with trusted(tmp_path):
        yield served() if secure else None


@asynccontextmanager
async def connection_to(port: int, context: ssl.SSLContext | None) -> AsyncIterator[Connection]:
    """Yield a connection to a service on this machine, and close it at the end."""
    connection = inside.connection_to("127.0.0.1", port, context and inside.ssl_context())
    try:
        yield connection
    finally:
        with anyio.CancelScope(shield=True):
            await connection.aclose()
            await anyio.lowlevel.checkpoint()  # asyncio closes the socket in its next iteration


async def turns(count: int = 10) -> None:
    """Let the event loop read what has arrived."""
    for _ in range(count):
        await anyio.lowlevel.checkpoint()


# The end of a connection.


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"", "Server disconnected without sending a response"),
        (b"HTTP/1.1 200", "Server disconnected without sending a response"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nOK", "without sending complete message body"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nOK\r\n", "without sending complete message body"),
    ],
    ids=["before the head", "within the head", "within the body", "between chunks"],
)
async def test_early_end(answer: bytes, said: str, context: ssl.SSLContext | None) -> None:
    """If a connection ends before the response does, the error says so, and the connection is not used again."""

    def talk(service: socket.socket) -> None:
        request_on(service)
        service.sendall(answer)

    with talking(talk, context=context) as port:
        async with connection_to(port, context) as connection:
            with pytest.raises(httpx.RemoteProtocolError, match=said):
                await (await inside.exchange(connection)).aread()
            assert not connection.settle()


async def test_end_of_a_response_without_length(context: ssl.SSLContext | None) -> None:
    """The end of the connection is the end of a response that states no length; all bytes before it arrive."""

    def talk(service: socket.socket) -> None:
        request_on(service)
        service.sendall(ENDLESS + b"last words")

    with talking(talk, context=context) as port:
        async with connection_to(port, context) as connection:
            assert b"last words" == await (await inside.exchange(connection)).aread()
            assert not connection.settle()


async def test_response_before_the_request_is_read(context: ssl.SSLContext | None) -> None:
    """A service may refuse a request before it has read all of it: its response is returned."""

    def talk(service: socket.socket) -> None:
        request_on(service)
        service.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 5\r\nConnection: close\r\n\r\nlarge")
        rest_on(service)

    with talking(talk, context=context) as port:
        async with connection_to(port, context) as connection:
            response = await inside.exchange(connection, bytes(LARGE))
            assert (413, b"large") == (response.status_code, await response.aread())
            await connection.aclose()


def reset(service: socket.socket) -> None:
    """Close a connection with a reset, without the end of TLS."""
    service.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    socket.socket(fileno=service.detach()).close()


@pytest.mark.parametrize("after", [b"", ENDLESS + b"half"], ids=["before the head", "within the body"])
async def test_reset(after: bytes, context: ssl.SSLContext | None) -> None:
    """A reset is an error that says so, for a waiting reader and for a later one, and the connection is not usable."""

    def talk(service: socket.socket) -> None:
        request_on(service)
        service.sendall(after)
        assert not after or read.wait(5)
        reset(service)

    read = threading.Event()
    with talking(talk, context=context) as port:
        async with connection_to(port, context) as connection:
            with pytest.raises(httpx.ReadError, match="reset"):
                async for piece in (await inside.exchange(connection, read=5)).stream:  # type: ignore[union-attr]
                    assert b"half" == piece
                    read.set()
            assert not await inside.is_usable(connection)


async def test_reset_while_writing(context: ssl.SSLContext | None) -> None:
    """A request that waits until the service reads on fails when the connection is reset."""

    def talk(service: socket.socket) -> None:
        request_on(service)
        assert stuck.wait(5)
        reset(service)

    stuck = threading.Event()
    with talking(talk, context=context) as port:
        async with connection_to(port, context) as connection, anyio.create_task_group() as tasks:

            async def send() -> None:
                with anyio.fail_after(5), pytest.raises(LOST):
                    await inside.exchange(connection, bytes(LARGE))

            tasks.start_soon(send)
            await until(lambda: not inside.is_closed(connection))
            await turns(100)
            stuck.set()


async def test_after_a_reset(context: ssl.SSLContext | None) -> None:
    """A connection that was reset is not usable, however the loop reports it."""

    def talk(service: socket.socket) -> None:
        request_on(service)
        service.sendall(OK)
        assert answered.wait(5)
        reset(service)
        gone.set()

    answered, gone = threading.Event(), threading.Event()
    with talking(talk, context=context) as port:
        async with connection_to(port, context) as connection:
            await inside.exchange(connection)
            assert connection.settle()
            answered.set()
            assert await anyio.to_thread.run_sync(gone.wait, 5)
            await turns()
            assert not await inside.is_usable(connection)


async def test_closing(context: ssl.SSLContext | None) -> None:
    """After closing, twice even, the other side sees the end, and the connection is not usable."""
    ends: list[int] = []

    def talk(service: socket.socket) -> None:
        request_on(service)
        service.sendall(OK)
        ends.append(rest_on(service))

    with talking(talk, context=context) as port:
        async with connection_to(port, context) as connection:
            await inside.exchange(connection)
            assert connection.settle()
            assert await inside.is_usable(connection)
            connection.close_soon()
            await connection.aclose()
            assert not await inside.is_usable(connection)
    assert [0] == ends


async def test_closing_under_a_reader(context: ssl.SSLContext | None) -> None:
    """A response whose stream is closed midway, as a hook may do, cannot be read on, and says so."""

    def talk(service: socket.socket) -> None:
        request_on(service)
        service.sendall(ENDLESS + b"half")
        rest_on(service)

    with talking(talk, context=context) as port:
        async with connection_to(port, context) as connection:
            response = await inside.exchange(connection, read=5)
            await response.extensions["network_stream"].aclose()
            with pytest.raises(httpx.ReadError, match="closed"):
                await response.aread()


# Limits of time.


@pytest.mark.parametrize("after", [b"", ENDLESS + b"half"], ids=["before the head", "within the body"])
async def test_read_timeout(after: bytes, context: ssl.SSLContext | None) -> None:
    """The time for a piece of the response is limited, from the request on and from piece to piece."""

    def talk(service: socket.socket) -> None:
        request_on(service)
        service.sendall(after)
        rest_on(service)

    with talking(talk, context=context) as port:
        async with connection_to(port, context) as connection:
            with pytest.raises(httpx.ReadTimeout):
                await (await inside.exchange(connection, read=0.05)).aread()


async def test_write_timeout(context: ssl.SSLContext | None) -> None:
    """The time for a piece of the request is limited, if the service does not read it."""

    def talk(_: socket.socket) -> None:
        assert over.wait(5)

    over = threading.Event()
    with talking(talk, context=context) as port:
        async with connection_to(port, context) as connection:
            with pytest.raises(httpx.WriteTimeout):
                await inside.exchange(connection, bytes(LARGE), write=0.05)
        over.set()


async def test_connect_timeout(context: ssl.SSLContext | None) -> None:
    """The time for opening a connection is limited, and nothing is left of one that did not open."""
    with silent("127.0.0.1") as port:
        async with connection_to(port, context) as connection:
            with pytest.raises(httpx.ConnectTimeout):
                await inside.exchange(connection, connect=0.05)
            assert inside.is_closed(connection)


# Writing.


async def test_writing_waits(context: ssl.SSLContext | None) -> None:
    """A request counts as written once the system has accepted all of it, so that it does not pile up in memory."""
    go_on, written = threading.Event(), anyio.Event()
    counts: list[int] = []

    def talk(service: socket.socket) -> None:
        assert go_on.wait(5)
        _, _, body = request_on(service).partition(b"\r\n\r\n")
        count = len(body)
        while count < LARGE:
            count += len(service.recv(1 << 20))
        counts.append(count)
        service.sendall(OK)

    with talking(talk, context=context) as port:
        async with connection_to(port, context) as connection, anyio.create_task_group() as tasks:

            async def send() -> None:
                response = await inside.exchange(connection, bytes(LARGE), on_wire=written.set)
                assert 200 == response.status_code

            tasks.start_soon(send)
            await until(lambda: not inside.is_closed(connection))
            await turns(100)
            assert not written.is_set()
            go_on.set()
            with anyio.fail_after(5):
                await written.wait()
    assert [LARGE] == counts


@pytest.mark.parametrize("used", [False, True], ids=["new", "used"])
async def test_cancelled_before_writing(used: bool, context: ssl.SSLContext | None) -> None:
    """A request that is cancelled before it is written sends nothing, so it costs no call."""
    sent: list[int] = []

    def talk(service: socket.socket) -> None:
        if used:
            request_on(service)
            service.sendall(OK)
        sent.append(rest_on(service))

    with talking(*[talk] * used, context=context) as port:
        async with connection_to(port, context) as connection:
            if used:
                await inside.exchange(connection)
                assert connection.settle()
            with anyio.CancelScope() as scope:
                scope.cancel()
                await inside.exchange(connection, b"a meeting")
            assert scope.cancelled_caught
            assert used != inside.is_closed(connection)
    assert [0] * used == sent


@contextmanager
def opened(then: Callable[[], object], patch: pytest.MonkeyPatch, loop: object, secure: bool) -> Iterator[None]:
    """Call a function in the moment in which a connection has been opened, and encrypted if it is to be."""
    where: Any = asyncio.get_running_loop() if loop != "trio" else TLSStream if secure else anyio
    name = ("start_tls" if secure else "create_connection") if loop != "trio" else "wrap" if secure else "connect_tcp"
    real = getattr(where, name)

    async def opening(*args: Any, **more: Any) -> Any:  # noqa: ANN401
        result = await real(*args, **more)
        then()
        return result

    with patch.context() as patched:
        patched.setattr(where, name, opening)
        yield


async def test_cancelled_while_it_connects(
    context: ssl.SSLContext | None, monkeypatch: pytest.MonkeyPatch, anyio_backend: object
) -> None:
    """A request that is cancelled in the moment in which its connection has been opened sends nothing."""
    sent: list[int] = []
    with talking(lambda service: sent.append(rest_on(service)), context=context) as port:
        async with connection_to(port, context) as connection:
            with (
                anyio.CancelScope() as scope,
                opened(scope.cancel, monkeypatch, anyio_backend, context is not None),
            ):
                await inside.exchange(connection, b"a meeting", connect=5)
            assert scope.cancelled_caught
    assert [0] == sent


# Reading.


async def test_reading_stops(context: ssl.SSLContext | None) -> None:
    """A response without an end fills no memory: the socket is not read while its reader takes nothing."""
    piece = bytes(1 << 20)
    sockets: list[socket.socket] = []
    over = threading.Event()

    def talk(service: socket.socket) -> None:
        request_on(service)
        service.sendall(ENDLESS)
        service.setblocking(False)
        sockets.append(service)
        assert over.wait(LIMIT)

    async def send_until_stuck() -> int:
        count = stuck = 0
        while stuck < 50:
            try:
                count += sockets[0].send(piece)
            except (BlockingIOError, ssl.SSLWantWriteError):
                stuck += 1
                await anyio.sleep(0.001)
            except OSError:  # the client has closed the connection
                break
            else:
                stuck = 0
            assert count < 1 << 26, "the client reads without end"
        return count

    with talking(talk, context=context) as port:
        async with connection_to(port, context) as connection, anyio.create_task_group() as tasks:
            responses: list[httpx.Response] = []

            async def send() -> None:
                responses.append(await inside.exchange(connection))

            tasks.start_soon(send)
            await until(lambda: sockets)
            await send_until_stuck()
            [response] = responses
            assert inside.held(connection) <= inside.MOST_HELD
            over.set()
            with suppress(httpx.TransportError):
                async for _ in response.stream:  # type: ignore[union-attr]
                    pass
