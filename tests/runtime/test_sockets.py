"""Calls of a client over sockets of its own, on each event loop, plain and encrypted."""

from __future__ import annotations

import functools
import json
import os
from typing import TYPE_CHECKING

import anyio
import anyio.lowlevel
import pytest

from clients import own_pool_only
from runtime.raw_service import every_loop, plain_and_encrypted, talking
from runtime.socket_server import CHANGE, client_of, document, found, wire
from runtime.trust import served, trusted

if TYPE_CHECKING:
    import socket
    import ssl
    from collections.abc import Iterator
    from pathlib import Path

    from runtime.socket_server import Seen

pytestmark = [pytest.mark.anyio, own_pool_only]


@pytest.fixture
def context(tmp_path: Path) -> Iterator[ssl.SSLContext]:
    """Return the TLS context of a service that clients trust through the environment."""
    with trusted(tmp_path):
        yield served()


@every_loop
@plain_and_encrypted
async def test_calls(secure: bool, context: ssl.SSLContext) -> None:
    """Calls that follow each other go over one connection."""
    with wire(found, context if secure else None) as server:
        async with client_of(server.url) as client:
            assert [1, 2] == [row.id async for row in client.meetings.iter_all()]
            await client.meetings.update(81, CHANGE)
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


@functools.cache
def large_answer(numbers: int) -> tuple[str, bytes]:
    """Return the agenda of a meeting, which is `numbers` numbers, and its response, which takes long to write."""
    text = "".join(f"{number:07}" for number in range(numbers))
    return text, document({"success": True, "meeting": {"id": 81, "uuid": "u", "agenda": text}})


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

    def talk(service: socket.socket) -> None:
        service.recv(65_536)
        service.sendall(whole)
        os.close(service.detach())

    with talking(talk, talk, talk, context=context if secure else None) as port:
        async with client_of(f"{'https' if secure else 'http'}://127.0.0.1:{port}") as client:
            for _ in range(3):
                assert text == (await client.meetings.get(81)).agenda


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
