"""What the client's own connections do with TLS, on each event loop."""

from __future__ import annotations

import socket
import ssl
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

import anyio
import anyio.lowlevel
import anyio.to_thread
import httpx
import pytest

import inside
from clients import own_pool_only
from pyas_async import RetryPolicy, TransportError
from runtime.names import resolving
from runtime.open_sockets import linux_only, states
from runtime.raw_service import every_loop, talking
from runtime.socket_server import client_of, document, found, until, wire
from runtime.tls_records import APPLICATION_DATA, HANDSHAKE, TICKET, Recorder
from runtime.trust import AUTHORITY, served, trusted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.anyio, own_pool_only, every_loop]


@pytest.fixture(autouse=True)
def _trusting(tmp_path: Path) -> Iterator[None]:
    """Let clients trust the services of the tests."""
    with trusted(tmp_path):
        yield


def meeting(number: int) -> bytes:
    """Return a response with a meeting."""
    return document({"success": True, "meeting": {"id": number, "uuid": f"u{number}"}})


# The handshake.


@linux_only
@pytest.mark.parametrize("ends", ["cancelled", "out of time", "closed"])
async def test_handshake_without_response(ends: str) -> None:
    """If a handshake gets no response, the connection is closed, and no socket of it is left."""
    seen: list[bytes] = []
    begun = threading.Event()

    def talk(service: socket.socket) -> None:
        seen.append(service.recv(65_536)[:1])
        begun.set()
        if ends != "closed":
            seen.append(service.recv(65_536))

    with talking(talk) as port:
        connection = inside.connection_to("127.0.0.1", port, inside.ssl_context())
        async with anyio.create_task_group() as tasks:

            async def send() -> None:
                await inside.exchange(connection, connect=0.1 if ends == "out of time" else 5)

            if ends == "cancelled":
                tasks.start_soon(send)
                assert await anyio.to_thread.run_sync(begun.wait, 10)
                tasks.cancel_scope.cancel()
            else:
                with pytest.raises(httpx.ConnectTimeout if ends == "out of time" else httpx.ConnectError):
                    await send()
        assert inside.is_closed(connection)
        with anyio.fail_after(5):
            await until(lambda: {} == states(port))
    assert [b"\x16", b""][: len(seen)] == seen


@linux_only
async def test_handshakes_that_are_cancelled_at_any_moment() -> None:
    """However far a handshake was when it was cancelled, no socket is left, and later connections work."""
    with wire(found, served()) as server:
        for turns in range(12):
            connection = inside.connection_to("127.0.0.1", server.port, inside.ssl_context())
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(inside.exchange, connection)
                for _ in range(turns):
                    await anyio.lowlevel.checkpoint()
                tasks.cancel_scope.cancel()
            await connection.aclose()
            with anyio.fail_after(5):
                await until(lambda: {} == states(server.port))
        async with client_of(server.url) as client:
            assert 81 == (await client.meetings.get(81)).id


@pytest.mark.parametrize(
    ("names", "known", "reason"),
    [
        (("127.0.0.1",), False, "unable to get local issuer certificate|self.signed"),
        (("192.0.2.1",), True, "IP address mismatch"),
    ],
    ids=["of an unknown authority", "of another host"],
)
async def test_certificate(names: tuple[str, ...], known: bool, reason: str, tmp_path: Path) -> None:
    """A service with a wrong certificate gets no request, at one attempt, and the error names the reason."""
    with pytest.MonkeyPatch.context() as environment:
        if not known:
            environment.delenv("SSL_CERT_FILE")
        with wire(found, served(*names)) as server:
            async with client_of(server.url) as client:
                with pytest.raises(TransportError, match=f"certificate verify failed: .*({reason})"):
                    await client.meetings.get(81)
    assert ([], 1) == (server.requests, server.connections)


@pytest.mark.parametrize(
    ("host", "named"),
    [("pyas.test", "pyas.test"), ("fa\u00df.test", "xn--fa-hia.test"), ("127.0.0.1", None)],
    ids=["a name", "an international name", "an address"],
)
async def test_server_name(host: str, named: str | None, anyio_backend: object) -> None:
    """The handshake names the host if it has a name, in the form in which it was resolved, and offers HTTP/1.1 only."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    AUTHORITY.issue_cert(named or host).configure_cert(context)
    context.set_alpn_protocols(["h2", "http/1.1"])
    asked: list[str | None] = []
    spoken: list[str | None] = []

    def note(encrypted: ssl.SSLObject | ssl.SSLSocket, name: str | None, _: ssl.SSLContext) -> None:
        asked.append(name)

    def talk(service: socket.socket) -> None:
        assert isinstance(service, ssl.SSLSocket)
        spoken.append(service.selected_alpn_protocol())
        service.recv(65_536)
        service.sendall(meeting(81))

    context.sni_callback = note
    with talking(talk, context=context) as port, resolving("127.0.0.1", loop=anyio_backend) as names:
        async with client_of(f"https://{host}:{port}") as client:
            assert 81 == (await client.meetings.get(81)).id
    assert ([named], ["http/1.1"]) == (asked, spoken)
    assert [named] * (named is not None) == names


# Records that are no part of a response.


@pytest.fixture
def recorded(tmp_path: Path) -> tuple[ssl.SSLContext, Path]:
    """Return a TLS context of a service, and the file into which it logs its keys."""
    context, log = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), tmp_path / "keys"
    AUTHORITY.issue_cert("127.0.0.1").configure_cert(context)
    context.num_tickets = 0
    context.keylog_filename = str(log)
    return context, log


@pytest.mark.parametrize("loop_reads", [True, False], ids=["read by the loop", "unread"])
@pytest.mark.parametrize("moment", ["handshake", "before", "with", "after"])
async def test_session_ticket(moment: str, loop_reads: bool, recorded: tuple[ssl.SSLContext, Path]) -> None:
    """A connection stays usable when a session ticket arrives.

    It may arrive after the handshake, with the response or before it, or while the connection is idle, and the event
    loop may or may not have read it when the next call begins.
    """
    context, log = recorded
    answered = threading.Event()
    ticket = HANDSHAKE, TICKET
    ends: list[bytes] = []

    def talk(plain: socket.socket) -> None:
        service = Recorder(plain, context, log)
        if moment == "handshake":
            service.send(ticket)
        for number in (81, 82):
            if not service.receive():
                return  # the client has closed the connection
            answer = APPLICATION_DATA, meeting(number)
            service.send(*{"before": [ticket, answer], "with": [answer, ticket]}.get(moment, [answer]))
            if moment == "after" and number == 81:
                assert answered.wait(5)
                service.send(ticket)
        ends.append(service.receive())

    with talking(talk) as port:
        async with client_of(f"https://127.0.0.1:{port}", timeout=3, retry=RetryPolicy.none()) as client:
            assert "u81" == (await client.meetings.get(81)).uuid
            if moment == "after":
                answered.set()
                inside.wait_for_input(client)
            for _ in range(5 if loop_reads else 0):
                await anyio.lowlevel.checkpoint()
            assert "u82" == (await client.meetings.get(82)).uuid
    assert [b""] == ends


@pytest.mark.parametrize("moment", ["with", "after"])
async def test_extra_record(moment: str, recorded: tuple[ssl.SSLContext, Path]) -> None:
    """A record with data that no request has asked for is not read as the next response: that uses another connection.

    It may arrive with the response, and not be decrypted yet, or afterwards, and not be read yet; a session ticket
    before it makes no difference.
    """
    context, log = recorded
    answered = threading.Event()

    def talk(plain: socket.socket) -> None:
        answer, ticket = (APPLICATION_DATA, meeting(81)), (HANDSHAKE, TICKET)
        extra = ticket, (APPLICATION_DATA, document({"success": True, "meeting": {"id": 82, "uuid": "of another"}}))
        service = Recorder(plain, context, log)
        assert service.receive()
        service.send(answer, *(extra if moment == "with" else ()))
        if moment == "after":
            assert answered.wait(5)
            service.send(*extra)
        assert not service.receive()

    def talk_again(plain: socket.socket) -> None:
        service = Recorder(plain, context, log)
        assert service.receive()
        service.send((APPLICATION_DATA, meeting(82)))
        assert not service.receive()

    with talking(talk, talk_again) as port:
        async with client_of(f"https://127.0.0.1:{port}", timeout=3, retry=RetryPolicy.none()) as client:
            assert "u81" == (await client.meetings.get(81)).uuid
            if moment == "after":
                answered.set()
                inside.wait_for_input(client)
            assert "u82" == (await client.meetings.get(82)).uuid


@pytest.mark.parametrize("proper", [True, False], ids=["with TLS's own end", "without"])
async def test_closed_while_idle(proper: bool) -> None:
    """A connection that the service has closed is not used, whether or not the event loop has seen its end."""
    answered = threading.Event()

    def talk(service: socket.socket) -> None:
        service.recv(65_536)
        service.sendall(meeting(81))
        assert answered.wait(5)
        if proper:
            assert isinstance(service, ssl.SSLSocket)
            with suppress(ssl.SSLError):
                service.setblocking(False)  # it need not wait for the client's end
                service.unwrap()
        service.shutdown(socket.SHUT_RDWR)

    def talk_again(service: socket.socket) -> None:
        service.recv(65_536)
        service.sendall(meeting(82))

    with talking(talk, talk_again, context=served()) as port:
        async with client_of(f"https://127.0.0.1:{port}", retry=RetryPolicy.none()) as client:
            assert "u81" == (await client.meetings.get(81)).uuid
            answered.set()
            inside.wait_for_input(client)
            assert "u82" == (await client.meetings.get(82)).uuid
