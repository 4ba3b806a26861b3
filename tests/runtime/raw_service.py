"""A service whose sockets a test's functions use directly, in a thread, and one that never accepts a connection."""

from __future__ import annotations

import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterator

ASYNCIO = pytest.param("asyncio", id="asyncio")
UVLOOP = pytest.param(("asyncio", {"use_uvloop": True}), id="uvloop")
TRIO = pytest.param("trio", id="trio")
every_loop = pytest.mark.parametrize("anyio_backend", [ASYNCIO, UVLOOP, TRIO])
plain_and_encrypted = pytest.mark.parametrize("secure", [False, True], ids=["plain", "encrypted"])
LIMIT = 10.0
"""Seconds after which a service that waits for its client fails the test."""


@contextmanager
def listening() -> Iterator[socket.socket]:
    """Listen; the test accepts."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(LIMIT)
        yield listener


@contextmanager
def accepted(listener: socket.socket, context: ssl.SSLContext | None = None) -> Iterator[socket.socket]:
    """Accept a connection, and encrypt it if there is a context."""
    plain, _ = listener.accept()
    with plain:
        plain.settimeout(LIMIT)
        if context is None:
            yield plain
        else:
            with context.wrap_socket(plain, server_side=True) as encrypted:
                yield encrypted


@contextmanager
def talking(*talks: Callable[[socket.socket], object], context: ssl.SSLContext | None = None) -> Iterator[int]:
    """Accept a connection for each function, one after the other, and call it with the socket; yield the port.

    What a function raises, the block raises at its end.
    """
    with listening() as listener, ThreadPoolExecutor(1) as thread:

        def serve() -> None:
            for talk in talks:
                with accepted(listener, context) as service:
                    talk(service)

        served = thread.submit(serve)
        yield listener.getsockname()[1]
        served.result(LIMIT)


def request_on(service: socket.socket) -> bytes:
    """Return the head of the next request, and the part of its body that has arrived with it."""
    received = b""
    while b"\r\n\r\n" not in received:
        piece = service.recv(65_536)
        assert piece, f"the connection ended within the request: {received!r}"
        received += piece
    return received


def rest_on(service: socket.socket) -> int:
    """Read to the end of a connection; return how many bytes there were."""
    count = 0
    with suppress(ConnectionResetError):
        while piece := service.recv(1 << 20):
            count += len(piece)
    return count


@contextmanager
def silent(host: str, port: int = 0) -> Iterator[int]:
    """Listen at an address where connections are neither accepted nor refused: the queue is full; yield the port."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with ExitStack() as stack:
        listener = stack.enter_context(socket.socket(family))
        listener.bind((host, port))
        listener.listen(0)
        address: Any = listener.getsockname()
        for _ in range(8):
            waiting = stack.enter_context(socket.socket(family))
            waiting.setblocking(False)
            waiting.connect_ex(address)
        yield address[1]
