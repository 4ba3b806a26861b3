"""Proxies on a loopback socket: they open tunnels or pass requests on, and record every byte from the clients."""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Proxy:
    """Opens a tunnel for each CONNECT and passes other requests on, unless it has a refusal.

    It records the bytes from the clients.
    """

    scheme = "http"

    def __init__(self, refusal: bytes | None, context: ssl.SSLContext | None = None) -> None:
        self.seen = bytearray()
        self.connections = 0
        self.tunnels = 0
        self._refusal = refusal
        self._context = context
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=100)
        self.port: int = self._listener.getsockname()[1]
        self._open: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    @property
    def url(self) -> str:
        """The address of the proxy."""
        return f"{self.scheme}{'' if self._context is None else 's'}://127.0.0.1:{self.port}"

    @property
    def place(self) -> str:
        """Its host and port."""
        return f"127.0.0.1:{self.port}"

    def close(self) -> None:
        """Close all connections."""
        for end in (self._listener, *self._open):
            _shut(end)
        for thread in self._threads:
            thread.join(5)
            assert not thread.is_alive()
        for end in (self._listener, *self._open):
            end.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self.connections += 1
                self._open.append(client)
                self._start(self._serve, client)

    def _start(self, run: Callable[[socket.socket], None], client: socket.socket) -> None:
        thread = threading.Thread(target=run, args=(client,))
        self._threads.append(thread)
        thread.start()

    def _serve(self, client: socket.socket) -> None:
        with contextlib.suppress(OSError):
            if self._context is not None:
                client = self._context.wrap_socket(client, server_side=True, do_handshake_on_connect=False)
                self._open.append(client)
                client.do_handshake()
            self._handle(client)
        _shut(client)

    def _handle(self, client: socket.socket) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            if not (some := client.recv(4096)):
                return
            head += some
            self.seen += some
        if self._refusal is not None:
            client.sendall(self._refusal)
            return
        method, target, _ = head.split(maxsplit=2)
        if method == b"CONNECT":
            server = self._connect(*target.decode().rsplit(":", 1))
            client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        else:
            url = httpx.URL(target.decode())
            server = self._connect(url.host, url.port or 80)
            server.sendall(head)
        self._join(client, server)

    def _connect(self, host: str, port: str | int) -> socket.socket:
        server = socket.create_connection((host, int(port)), 5)
        self._open.append(server)
        self.tunnels += 1
        return server

    def _join(self, client: socket.socket, server: socket.socket) -> None:
        # In one thread: a TLS connection cannot be read and written at the same time.
        with contextlib.suppress(OSError, EOFError):
            while True:
                buffered = isinstance(client, ssl.SSLSocket) and client.pending()
                for source in [client] if buffered else select.select([client, server], [], [])[0]:
                    if not (some := source.recv(65536)):
                        raise EOFError
                    if source is client:
                        self.seen += some
                    (server if source is client else client).sendall(some)
        _shut(server)


def _shut(end: socket.socket) -> None:
    with contextlib.suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)


class SocksProxy(Proxy):
    """A SOCKS5 proxy (RFC 1928). It sends `replies`, one for each message of a client; then it opens a tunnel."""

    scheme = "socks5"

    def __init__(self, *replies: bytes) -> None:
        self._replies = replies
        super().__init__(None)

    def _handle(self, client: socket.socket) -> None:
        target = b""
        for reply in self._replies:
            if not (target := client.recv(4096)):
                return
            self.seen += target
            client.sendall(reply)
        if self._replies[-1] == SOCKS_CONNECTED:
            self._join(client, self._connect(socket.inet_ntoa(target[4:8]), int.from_bytes(target[-2:], "big")))


SOCKS_CONNECTED = b"\5\0\0\1\0\0\0\0\0\0"
"""The reply of a SOCKS5 proxy after which it is a tunnel."""


@contextmanager
def proxy(refusal: bytes | None = None, context: ssl.SSLContext | None = None) -> Iterator[Proxy]:
    """Run a proxy, over TLS with a context. With a refusal, it sends that to each request."""
    with _running(Proxy(refusal, context)) as server:
        yield server


@contextmanager
def socks_proxy(*replies: bytes) -> Iterator[Proxy]:
    """Run a SOCKS5 proxy that wants no password; or one that sends these replies."""
    with _running(SocksProxy(*(replies or (b"\5\0", SOCKS_CONNECTED)))) as server:
        yield server


@contextmanager
def _running(server: Proxy) -> Iterator[Proxy]:
    try:
        yield server
    finally:
        server.close()
