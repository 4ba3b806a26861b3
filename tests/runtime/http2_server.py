"""A service that speaks HTTP/2 without TLS, and does what a test's function says with each request."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Callable
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeAlias

import attrs
import h2.config
import h2.connection
import h2.events
import h2.settings

from runtime.socket_server import MEETING

if TYPE_CHECKING:
    from collections.abc import Iterator


@attrs.define
class Stream:
    """A request on a connection, and what a service may do with it."""

    connection: h2.connection.H2Connection
    number: int
    method: str
    turn: int
    send: Callable[[bytes], None]

    def answer(self) -> None:
        """Answer with the meeting."""
        self.connection.send_headers(self.number, [(":status", "200"), ("content-type", "application/json")])
        self.connection.send_data(self.number, json.dumps(MEETING).encode(), end_stream=True)

    def allow(self, streams: int) -> None:
        """Change how many requests may be under way on the connection."""
        self.connection.update_settings({h2.settings.SettingCodes.MAX_CONCURRENT_STREAMS: streams})

    def go_away(self) -> None:
        """Take no further requests on the connection."""
        self.connection.close_connection(last_stream_id=self.number)

    def violate(self) -> None:
        """Send a frame that the protocol forbids: data for a request that was never made."""
        self.send(self.connection.data_to_send() + b"\0\0\1\0\1\0\0\0\x63x")


Handler: TypeAlias = Callable[[Stream], None]


class Http2Server:
    """Counts requests and connections; `handle` is called with each request once it was received as a whole."""

    def __init__(self, handle: Handler, streams: int) -> None:
        self.seen: list[str] = []
        self.connections = 0
        self._handle = handle
        self._streams = streams
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=100)
        self.url: str = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._open: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def close(self) -> None:
        """Close all connections."""
        for end in (self._listener, *self._open):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(5)
            assert not thread.is_alive()
        for end in (self._listener, *self._open):
            end.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                end, _ = self._listener.accept()
                self.connections += 1
                self._open.append(end)
                thread = threading.Thread(target=self._talk, args=(end,))
                self._threads.append(thread)
                thread.start()

    def _talk(self, end: socket.socket) -> None:
        connection = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
        allowed = {h2.settings.SettingCodes.MAX_CONCURRENT_STREAMS: self._streams}
        connection.local_settings = h2.settings.Settings(client=False, initial_values=allowed)
        connection.initiate_connection()
        methods: dict[int, str] = {}
        turn = 0
        with contextlib.suppress(OSError, h2.exceptions.ProtocolError):
            end.sendall(connection.data_to_send())
            while data := end.recv(65536):
                for event in connection.receive_data(data):
                    if isinstance(event, h2.events.RequestReceived):
                        methods[event.stream_id] = dict(event.headers)[b":method"].decode()
                    elif isinstance(event, h2.events.StreamEnded):
                        turn += 1
                        self.seen.append(methods[event.stream_id])
                        self._handle(Stream(connection, event.stream_id, self.seen[-1], turn, end.sendall))
                end.sendall(connection.data_to_send())
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


@contextmanager
def http2_server(handle: Handler = Stream.answer, *, streams: int = 100) -> Iterator[Http2Server]:
    """Run a service; `streams` is how many requests may be under way on a connection."""
    server = Http2Server(handle, streams)
    try:
        yield server
    finally:
        server.close()
