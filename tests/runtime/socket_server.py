"""A service on a raw socket that follows a test's function, and the settings of its clients."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Callable
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeAlias

import anyio
import attrs
import httpx

import clients
import inside
from pyas_async import MeetingCreate, MeetingUpdate, RetryPolicy

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Awaitable, Iterator

    from pyas_async import PyasClient

KEY = "runtime-key-9c41d7"
NEW = MeetingCreate(type=2, title="t", description="", start_date=datetime(2026, 12, 1, tzinfo=UTC))
CHANGE = MeetingUpdate(title="new")
SWIFT = RetryPolicy(base=0.0, cap=0.0)
"""The default retries, without a pause."""
DETAIL = {"id": 81, "uuid": "u81==", "topic": "Found", "type": 2}
MEETING = {"success": True, "meeting": DETAIL, "data": DETAIL}
"""The response of a service that has one meeting, for every request."""
KEY_LIMIT = {"message": "Too many requests!", "code": 429, "error": "Rate limit exceeded"}
"""The body that the page documents for the key's own limit."""


def heard(client: PyasClient) -> PyasClient:
    """Record a first response for a client, which otherwise sends its first call alone."""
    clock = inside.clock(client)
    inside.budget(client).learn({}, clock.now(), clock.wall())
    return client


def document(body: object, status: int = 200, **headers: str) -> bytes:
    """Return a complete response."""
    text = json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status} Whatever", "Content-Type: application/json", f"Content-Length: {len(text)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + text


def rows_after(token: str | None, *, pages: int = 2) -> dict[str, Any]:
    """Return a page of one row; the token names the page."""
    number = int(token.rpartition("-")[2]) if token else 1
    row = {"id": number, "uuid": f"u{number}", "type": 2, "start_time": "2026-12-01T10:00:00Z"}
    following = f"token-{number + 1}" if number < pages else ""
    data = {"page_size": 1, "total_records": pages, "next_page_token": following, "meetings": [row]}
    return {"success": True, "data": data}


@attrs.define
class Seen:
    """A request as it was received; `turn` counts those on its connection, from 1."""

    method: str
    target: str
    headers: httpx.Headers
    body: bytes
    turn: int = 1

    @property
    def query(self) -> dict[str, str]:
        """The parameters of the query."""
        return dict(httpx.URL(f"http://localhost{self.target}").params)


class Last(bytes):
    """A response after which the service closes the connection without notice."""

    __slots__ = ()


Answerer: TypeAlias = Callable[[Seen], bytes | None]
"""Returns a response; ``None`` closes the connection without one, `Last` and ``Connection: close`` after it."""


def found(seen: Seen) -> bytes:
    """Respond to any request: with a listing's page, the meeting of that number, or the one meeting."""
    what = seen.target.partition("?")[0].rpartition("/")[2]
    if seen.method == "GET" and what == "meetings":
        return document(rows_after(seen.query.get("nextPageToken")))
    detail = {**DETAIL, "id": int(what)} if what.isdigit() else DETAIL
    return document({"success": True, "meeting": detail, "data": detail})


class Wire:
    """A server on a loopback socket, in its own threads, outside of the event loop under test."""

    def __init__(self, answer: Answerer, context: ssl.SSLContext | None) -> None:
        self.requests: list[Seen] = []
        self.connections = 0
        self.closed = 0
        self.stop = threading.Event()
        self._answer = answer
        self._context = context
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=100)
        self._open: list[socket.socket] = []
        self.port: int = self._listener.getsockname()[1]
        """The port, also after closing."""
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    @property
    def url(self) -> str:
        """The address of the server."""
        return f"{'http' if self._context is None else 'https'}://127.0.0.1:{self.port}"

    def close(self) -> None:
        """Close all connections."""
        self.stop.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self._open:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(5)
            assert not thread.is_alive()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while not self.stop.is_set():
                connection, _ = self._listener.accept()
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self.connections += 1
                self._open.append(connection)
                thread = threading.Thread(target=self._talk, args=(connection,))
                self._threads.append(thread)
                thread.start()

    def _talk(self, plain: socket.socket) -> None:
        with contextlib.suppress(OSError):
            connection = plain if self._context is None else self._context.wrap_socket(plain, server_side=True)
            with connection, connection.makefile("rb") as stream:
                turn = 0
                while first := stream.readline():
                    turn += 1
                    method, target, _ = first.decode().split()
                    lines = iter(stream.readline, b"\r\n")
                    pairs = (line.decode().strip().partition(": ") for line in lines)
                    headers = httpx.Headers([(name, value) for name, _, value in pairs])
                    size = int(headers.get("content-length", 0))
                    seen = Seen(method, target, headers, stream.read(size), turn)
                    if len(seen.body) < size:  # the client hung up midway
                        break
                    self.requests.append(seen)
                    answer = self._answer(seen)
                    if answer is None:
                        break
                    connection.sendall(answer)
                    if isinstance(answer, Last) or b"Connection: close" in answer:
                        break
        plain.close()
        self.closed += 1


@contextmanager
def wire(answer: Answerer = found, context: ssl.SSLContext | None = None) -> Iterator[Wire]:
    """Serve on a socket."""
    server = Wire(answer, context)
    try:
        yield server
    finally:
        server.close()


def client_of(url: str, **options: Any) -> PyasClient:  # noqa: ANN401  (the client's options)
    """Make a client of a service on a socket."""
    settings: dict[str, Any] = {"account_id": "acc", "retry": SWIFT, "base_url": url, **options}
    return clients.make(settings.pop("api_key", KEY), **settings)


@asynccontextmanager
async def through(
    transport: httpx.AsyncBaseTransport | Callable[[httpx.Request], httpx.Response | Awaitable[httpx.Response]],
    **options: Any,  # noqa: ANN401
) -> AsyncIterator[PyasClient]:
    """Open a client that sends through a transport, or to a function that responds."""
    sender = transport if isinstance(transport, httpx.AsyncBaseTransport) else httpx.MockTransport(transport)  # type: ignore[arg-type]
    url = options.pop("base_url", "http://localhost")
    async with httpx.AsyncClient(transport=sender) as http, client_of(url, http_client=http, **options) as client:
        yield client


async def until(ready: Callable[[], object]) -> None:
    """Wait for an event in a thread or another task."""
    while not ready():  # noqa: ASYNC110  (a thread sets no event of the loop)
        await anyio.sleep(0.001)
