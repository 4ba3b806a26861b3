"""The sockets below httpcore on asyncio behave as httpcore's own."""

from __future__ import annotations

import functools
import json
import os
import socket
import ssl
import struct
import threading
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import anyio
import anyio.lowlevel
import anyio.to_thread
import httpcore
import pytest
from pyas_async._runtime.http.single import Single

import inside
from clients import own_pool_only
from pyas_async._runtime.http import streams
from runtime.socket_server import CHANGE, DETAIL, client_of, document, found, wire
from runtime.trust import served, trusted

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

    from pyas_async import PyasClient
    from runtime.socket_server import Seen

ASYNCIO = pytest.param("asyncio", id="asyncio")
UVLOOP = pytest.param(("asyncio", {"use_uvloop": True}), id="uvloop")
TRIO = pytest.param("trio", id="trio")

pytestmark = [pytest.mark.anyio, own_pool_only]
every_loop = pytest.mark.parametrize("anyio_backend", [ASYNCIO, UVLOOP, TRIO])
on_asyncio = pytest.mark.parametrize("anyio_backend", [ASYNCIO, UVLOOP])
plain_and_encrypted = pytest.mark.parametrize("secure", [False, True], ids=["plain", "encrypted"])


@pytest.fixture
def context(tmp_path: Path) -> Iterator[ssl.SSLContext]:
    """Return the TLS context of a service that clients trust through the environment."""
    with trusted(tmp_path):
        yield served()


@contextmanager
def listening() -> Iterator[socket.socket]:
    """Listen; the test accepts."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(5)
        yield listener


@contextmanager
def accepted(listener: socket.socket) -> Iterator[socket.socket]:
    """Accept a waiting connection."""
    connection, _ = listener.accept()
    with connection:
        connection.settimeout(5)
        yield connection


async def connect(listener: socket.socket) -> httpcore.AsyncNetworkStream:
    """Connect as our clients do."""
    return await streams.Backend().connect_tcp("127.0.0.1", listener.getsockname()[1], timeout=5)


@asynccontextmanager
async def connected() -> AsyncIterator[tuple[httpcore.AsyncNetworkStream, socket.socket]]:
    """Yield both ends of a connection."""
    with listening() as listener:
        stream = await connect(listener)
        with accepted(listener) as service:
            yield stream, service
        await stream.aclose()


def line_of(client: PyasClient) -> Any:  # noqa: ANN401  (httpcore's, and its inner parts)
    """Return the only idle connection of a client, as httpcore sees it."""
    (transport,) = inside.idle_connections(client)
    pool = inside.pool_of(transport)
    assert isinstance(pool, Single)
    (line,) = pool.connections
    return line


# What clients do with them.


@every_loop
@plain_and_encrypted
async def test_calls(secure: bool, context: ssl.SSLContext, anyio_backend: object) -> None:
    """Calls go over one connection, through our stream on asyncio and through httpcore's own on trio."""
    with wire(found, context if secure else None) as server:
        async with client_of(server.url) as client:
            assert [1, 2] == [row.id async for row in client.meetings.iter_all()]
            await client.meetings.update(81, CHANGE)
            kind = type(inside.stream_of(line_of(client)))
    assert (anyio_backend != "trio") == (kind is streams.Stream)
    assert [1, 2, 3] == [seen.turn for seen in server.requests]


@every_loop
@plain_and_encrypted
async def test_large_answers(secure: bool, context: ssl.SSLContext) -> None:
    """A response many times larger than a socket's buffer arrives complete."""
    text, whole = large_answer(1_000_000)
    with wire(lambda _: whole, context if secure else None) as server:
        async with client_of(server.url) as client:
            assert text == (await client.meetings.get(81)).agenda


@every_loop
@plain_and_encrypted
async def test_extra_bytes(secure: bool, context: ssl.SSLContext) -> None:
    """Bytes after a response are not read as the next response: that uses another connection."""

    def answer(seen: Seen) -> bytes:
        return found(seen) + (document({"success": True, "meeting": {"id": 666}}) if seen.turn == 1 else b"")

    with wire(answer, context if secure else None) as server:
        async with client_of(server.url) as client:
            for number in (81, 82, 83):
                assert number == (await client.meetings.get(number)).id
    assert 2 <= server.connections


@every_loop
async def test_extra_record(context: ssl.SSLContext) -> None:
    """A TLS record that came with the response, and is not decrypted yet, is not read as the next response."""
    others = document({"success": True, "meeting": {"id": 82, "uuid": "of another"}})
    answers = [(document({"success": True, "meeting": DETAIL}), others), (found_meeting(82),)]

    with listening() as listener:
        thread = threading.Thread(target=serve_records, args=(listener, context, answers))
        thread.start()
        async with client_of(f"https://127.0.0.1:{listener.getsockname()[1]}") as client:
            assert "u81==" == (await client.meetings.get(81)).uuid
            assert "u82" == (await client.meetings.get(82)).uuid
        thread.join(5)


@functools.cache
def large_answer(numbers: int) -> tuple[str, bytes]:
    """Return the agenda of a meeting, which is `numbers` numbers, and its response, which takes long to write."""
    text = "".join(f"{number:07}" for number in range(numbers))
    return text, document({"success": True, "meeting": {"id": 81, "uuid": "u", "agenda": text}})


def found_meeting(number: int) -> bytes:
    """Return a response with a meeting."""
    return document({"success": True, "meeting": {"id": number, "uuid": f"u{number}"}})


def serve_records(listener: socket.socket, context: ssl.SSLContext, answers: list[tuple[bytes, ...]]) -> None:
    """Serve one request on each of several connections; the parts of each response are TLS records sent together."""
    for parts in answers:
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        encrypted = context.wrap_bio(incoming, outgoing, server_side=True)
        with accepted(listener) as connection:

            def go_on(step: Callable[[], object], connection: socket.socket = connection) -> None:
                while True:
                    try:
                        step()
                    except ssl.SSLWantReadError:
                        connection.sendall(outgoing.read())  # noqa: B023
                        incoming.write(connection.recv(65_536))  # noqa: B023
                    else:
                        return

            go_on(encrypted.do_handshake)
            go_on(partial(encrypted.read, 65_536))
            for part in parts:
                encrypted.write(part)
            connection.sendall(outgoing.read())
            connection.recv(65_536)  # its end


@every_loop
@plain_and_encrypted
@pytest.mark.parametrize("length", ["known", "unknown"])
async def test_close_after_a_long_response(secure: bool, length: str, context: ssl.SSLContext) -> None:
    """A long response is complete even if the service closes at once, without a proper end."""
    text, whole = large_answer(300_000)
    if length == "unknown":
        head, _, body = whole.partition(b"\r\n\r\n")
        lines = [line for line in head.split(b"\r\n") if not line.startswith(b"Content-Length")]
        whole = b"\r\n".join([*lines, b"Connection: close", b"", body])

    def serve() -> None:
        for _ in range(3):
            connection, _ = listener.accept()
            with context.wrap_socket(connection, server_side=True) if secure else connection as service:
                service.settimeout(5)
                service.recv(65_536)
                service.sendall(whole)
                os.close(service.detach())

    with listening() as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        url = f"{'https' if secure else 'http'}://127.0.0.1:{listener.getsockname()[1]}"
        async with client_of(url) as client:
            for _ in range(3):
                assert text == (await client.meetings.get(81)).agenda
        thread.join(5)


@every_loop
async def test_response_in_single_bytes() -> None:
    """A response in pieces of one byte does not block the event loop while it is read."""
    crumbs = 20_000
    body = json.dumps({"success": True, "meeting": {"id": 81, "uuid": "u", "agenda": "x" * crumbs}}).encode()
    pieces = b"".join(b"1\r\n%c\r\n" % byte for byte in body) + b"0\r\n\r\n"
    whole = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n" + pieces
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await anyio.lowlevel.checkpoint()

    with wire(lambda _: whole) as server:
        async with client_of(server.url) as client, anyio.create_task_group() as tasks:
            tasks.start_soon(count)
            assert crumbs == len((await client.meetings.get(81)).agenda or "")
            tasks.cancel_scope.cancel()
    assert crumbs / 200 < turns


# What a stream does, one behaviour per test.


@on_asyncio
async def test_end() -> None:
    """At its end, a stream returns no bytes, again and again, after all bytes sent before."""
    async with connected() as (stream, service):
        service.sendall(b"last words")
        service.shutdown(socket.SHUT_WR)
        assert b"last words" == await stream.read(65_536)
        assert [b"", b""] == [await stream.read(65_536) for _ in range(2)]
        assert stream.get_extra_info("is_readable")
        await stream.write(b"and mine")  # the sending half is open
        assert b"and mine" == service.recv(100)


@on_asyncio
async def test_reset() -> None:
    """A reset raises an error, in a waiting read and in a later one."""
    async with connected() as (stream, service):
        service.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        threading.Timer(0.02, service.close).start()
        for _ in range(2):
            with pytest.raises(httpcore.ReadError, match="reset"):
                await stream.read(65_536, timeout=5)
        with pytest.raises(httpcore.WriteError):
            await stream.write(b"hello?")


@on_asyncio
async def test_closed() -> None:
    """A stream that was closed here neither reads nor writes, and the other side sees its end."""
    async with connected() as (stream, service):
        await stream.aclose()
        assert b"" == service.recv(100)
        with pytest.raises(httpcore.ReadError):
            await stream.read(65_536)
        with pytest.raises(httpcore.WriteError):
            await stream.write(b"hello?")
        assert stream.get_extra_info("is_readable")


@on_asyncio
async def test_limits_of_time() -> None:
    """A timeout raises httpcore's error, and the stream stays usable."""
    async with connected() as (stream, service):
        with pytest.raises(httpcore.ReadTimeout):
            await stream.read(65_536, timeout=0.01)
        with pytest.raises(httpcore.WriteTimeout):
            await stream.write(bytes(1 << 24), timeout=0.01)
        service.sendall(b"here")
        assert b"here" == await stream.read(65_536, timeout=5)


@on_asyncio
async def test_writing_waits() -> None:
    """A write waits until the system has accepted the bytes, so that they do not pile up in our memory."""
    size, taken = 1 << 24, 0
    async with connected() as (stream, service):
        with anyio.move_on_after(0.05) as scope:
            await stream.write(bytes(size))
        assert scope.cancelled_caught

        def drain() -> None:
            nonlocal taken
            while taken < size:
                taken += len(service.recv(1 << 20))

        thread = threading.Thread(target=drain)
        thread.start()
        with anyio.fail_after(5):
            await stream.write(b"more")
        thread.join(5)
        assert size <= taken


@on_asyncio
async def test_cancelled_write_sends_nothing() -> None:
    """A write that is cancelled before it begins sends nothing, so it costs no call."""
    async with connected() as (stream, service):
        with anyio.CancelScope() as scope:
            scope.cancel()
            await stream.write(b"GET / HTTP/1.1\r\n\r\n")
        assert scope.cancelled_caught
        await stream.aclose()
        assert b"" == service.recv(100)


@on_asyncio
async def test_reading_stops() -> None:
    """A sender without an end fills no memory here: the socket is not read until the bytes are consumed."""
    async with connected() as (stream, service):
        assert isinstance(stream, streams.Stream)
        service.settimeout(0.2)
        sent = 0
        with pytest.raises(TimeoutError):
            while True:
                sent += await anyio.to_thread.run_sync(service.send, bytes(1 << 20))
        held = inside.stream_holds(stream)
        assert inside.STREAM_FULL <= held < 3 * inside.STREAM_FULL
        with anyio.fail_after(5):
            while sent > 0:
                sent -= len(await stream.read(65_536))
        assert 0 == sent


# TLS.


@contextmanager
def deaf(context: ssl.SSLContext) -> Iterator[int]:
    """Serve TLS: shake hands and read nothing; yield the port."""
    over = threading.Event()

    def serve() -> None:
        connection, _ = listener.accept()
        with context.wrap_socket(connection, server_side=True):
            over.wait(5)

    with listening() as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1]
        over.set()
        thread.join(5)


@on_asyncio
async def test_writing_waits_encrypted(context: ssl.SSLContext) -> None:
    """An encrypted write waits until the system has accepted the bytes, and no longer than its timeout."""
    with deaf(context) as number:
        plain = await streams.Backend().connect_tcp("127.0.0.1", number)
        stream = await plain.start_tls(inside.ssl_context(), "127.0.0.1", timeout=5)
        with pytest.raises(httpcore.WriteTimeout):
            await stream.write(bytes(1 << 24), timeout=0.05)
        await stream.aclose()


@every_loop
@pytest.mark.parametrize("ends", ["cancelled", "out of time", "closed"])
async def test_handshake_without_response(ends: str) -> None:
    """If a handshake gets no response, the connection is closed, and nothing of it is kept."""
    seen: list[bytes] = []
    begun = threading.Event()

    def serve() -> None:
        with accepted(listener) as service:
            seen.append(service.recv(65_536)[:1])
            begun.set()
            if ends != "closed":
                seen.append(service.recv(65_536))

    with listening() as listener:
        url = f"https://127.0.0.1:{listener.getsockname()[1]}/"
        timeouts = {"timeout": {"connect": 0.1 if ends == "out of time" else 5}}
        service = threading.Thread(target=serve)
        service.start()
        async with Single(ssl.create_default_context()) as single, anyio.create_task_group() as tasks:

            async def send() -> None:
                await single.handle_async_request(httpcore.Request("GET", url, extensions=timeouts))

            if ends == "cancelled":
                tasks.start_soon(send)
                assert await anyio.to_thread.run_sync(begun.wait, 10)
                tasks.cancel_scope.cancel()
            else:
                with pytest.raises(httpcore.ConnectTimeout if ends == "out of time" else httpcore.ConnectError):
                    await send()
        assert [] == single.connections
        service.join(5)
    assert [b"\x16", b""][: len(seen)] == seen


@on_asyncio
async def test_certificate() -> None:
    """A service with a wrong certificate is refused, and the error names the reason."""
    with wire(found, served()) as server, anyio.fail_after(5):
        stream = await streams.Backend().connect_tcp("127.0.0.1", server.port)
        with pytest.raises(httpcore.ConnectError) as caught:
            await stream.start_tls(ssl.create_default_context(), "127.0.0.1")
    assert isinstance(caught.value.__cause__, ssl.SSLCertVerificationError)


@on_asyncio
async def test_what_is_known_of_a_connection(context: ssl.SSLContext) -> None:
    """A stream returns what httpcore asks of one, encrypted or not."""
    with wire(found, context) as server:
        stream = await streams.Backend().connect_tcp("127.0.0.1", server.port)
        assert ("127.0.0.1", server.port) == stream.get_extra_info("server_addr")
        assert stream.get_extra_info("client_addr")[1] == stream.get_extra_info("socket").getsockname()[1]
        assert stream.get_extra_info("ssl_object") is None
        assert not stream.get_extra_info("is_readable")
        encrypted = await stream.start_tls(inside.ssl_context(), "127.0.0.1")
        assert encrypted.get_extra_info("ssl_object").version().startswith("TLS")
        assert ("127.0.0.1", server.port) == encrypted.get_extra_info("server_addr")
        await encrypted.aclose()


# Other structures than today's.


class Elsewhere(httpcore.AsyncNetworkStream):
    """A stream that keeps its socket in an unknown attribute."""


def test_taking_over() -> None:
    """A stream with another structure, or with bytes already received, is used unchanged."""
    strange = Elsewhere()
    assert inside.taken_over(strange) is strange
    inside.came_early(strange)
    assert inside.taken_over(strange) is strange
