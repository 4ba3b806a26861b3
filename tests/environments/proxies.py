"""A proxy on a loopback socket that opens tunnels, and records every byte that it receives."""

from __future__ import annotations

import contextlib
import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class Proxy:
    """Opens a tunnel for each CONNECT, unless it has a refusal; records the bytes from the clients."""

    def __init__(self, refusal: bytes | None) -> None:
        self.seen = bytearray()
        self.tunnels = 0
        self._refusal = refusal
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=100)
        self.port: int = self._listener.getsockname()[1]
        self._open: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    @property
    def url(self) -> str:
        """The address of the proxy."""
        return f"http://127.0.0.1:{self.port}"

    def close(self) -> None:
        """Close all connections."""
        for end in (self._listener, *self._open):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
        for thread in self._threads:
            thread.join(5)
            assert not thread.is_alive()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self._open.append(client)
                self._start(self._serve, client)

    def _start(self, run: object, *arguments: object) -> None:
        thread = threading.Thread(target=run, args=arguments)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _serve(self, client: socket.socket) -> None:
        with contextlib.suppress(OSError):
            head = b""
            while b"\r\n\r\n" not in head:
                if not (some := client.recv(4096)):
                    return
                head += some
                self.seen += some
            if self._refusal is not None:
                client.sendall(self._refusal)
                client.close()
                return
            host, _, port = head.split()[1].decode().rpartition(":")
            server = socket.create_connection((host, int(port)), 5)
            self._open.append(server)
            self.tunnels += 1
            client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            self._start(self._pass, server, client, False)
            self._pass(client, server, True)

    def _pass(self, source: socket.socket, target: socket.socket, keep: bool) -> None:
        with contextlib.suppress(OSError):
            while some := source.recv(65536):
                if keep:
                    self.seen += some
                target.sendall(some)
        for end in (source, target):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


@contextmanager
def proxy(refusal: bytes | None = None) -> Iterator[Proxy]:
    """Run a proxy. With a refusal, it sends that to each CONNECT."""
    server = Proxy(refusal)
    try:
        yield server
    finally:
        server.close()
