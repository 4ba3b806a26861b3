"""A call of each kind, the requests that they make, and a service that responds to them."""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack, asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import httpx
import httpx2

from runtime.socket_server import CHANGE, DETAIL, KEY, NEW, client_of, document, rows_after, wire

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Callable, Iterator
    from contextlib import AbstractContextManager

    from pyas_async import PyasClient
    from runtime.socket_server import Seen, Wire

REFUSED_ONCE: Final = 503
"""The meeting whose first request is refused with this status; a client sends it again."""
WAYS: Final = ("own", "httpx", "httpx2")
"""Where requests go: over the client's own connections, or through a client of a library that the user passes."""
LIBRARIES: Final[dict[str, Any]] = {"own": httpx, "httpx": httpx, "httpx2": httpx2}
"""The library whose client sends the requests, by the way they go."""
BEFORE_CLIENT: Final = "before the client is made"
BEFORE_CALLS: Final = "before its first call"
AFTER_CALLS: Final = "after its first call"
MOMENTS: Final = (BEFORE_CLIENT, BEFORE_CALLS, AFTER_CALLS)
"""When a tool is installed."""


class Exchange(NamedTuple):
    """A request and the status of its response, as a tool or the service sees them."""

    method: str
    target: str
    status: int


def _request(method: str, path: str, query: str = "", *, status: int = 200) -> Exchange:
    return Exchange(method, f"/zoom/{path}{query and '?'}{query}", status)


EXCHANGES: Final = Counter(
    [
        _request("GET", "meetings", "accountId=acc&maxResults=5"),
        _request("GET", "meetings", "accountId=acc&maxResults=1"),
        _request("GET", "meetings", "accountId=acc&maxResults=1&nextPageToken=token-2"),
        _request("GET", "meetings", "accountId=a&maxResults=1"),
        _request("GET", "meetings", "accountId=a&maxResults=1&nextPageToken=token-2"),
        _request("GET", f"meetings/{REFUSED_ONCE}", "accountId=acc", status=503),
        _request("GET", f"meetings/{REFUSED_ONCE}", "accountId=acc"),
        _request("POST", "meetings"),
        _request("PATCH", "meetings/81"),
        _request("DELETE", "meetings/81", "accountId=acc"),
        *(_request("GET", f"meetings/{number}", "accountId=acc") for number in (1, 2, 3)),
        _request("GET", "oauth", "state=s"),
        _request("POST", "connect"),
    ]
)
"""What `call_everything` causes. The meetings 1 to 3 are requested at the same time."""


async def call_everything(client: PyasClient) -> None:
    """Make a call of each kind, and check its result."""
    meetings = client.meetings
    assert [1] == [row.id for row in (await meetings.list(max_results=5)).meetings]
    async with meetings.iter_all(page_size=1) as rows:  # requests the second page in the background
        assert [1, 2] == [row.id async for row in rows]
    async with meetings.iter_accounts(["a"], page_size=1) as pairs:
        assert [("a", 1), ("a", 2)] == [(account, row.id) async for account, row in pairs]
    assert REFUSED_ONCE == (await meetings.get(REFUSED_ONCE)).id
    assert 81 == (await meetings.create(NEW)).id
    changed = await meetings.update(81, CHANGE)
    assert changed is not None
    assert 81 == changed.id
    await meetings.delete(81)
    assert [1, 2, 3] == [outcome.unwrap().id for outcome in await meetings.get_many([1, 2, 3])]
    assert "https://zoom.example/" == await client.accounts.oauth_url(state="s")
    assert "acc" == (await client.accounts.connect(code="c", name="n")).account_id


class Service:
    """Decides on the responses, and records the exchanges."""

    def __init__(self) -> None:
        self.exchanges: list[Exchange] = []
        self.headers: list[httpx.Headers] = []
        self.bodies: list[bytes] = []

    def reply(self, method: str, target: str, headers: object, body: bytes) -> tuple[int, dict[str, Any]]:
        """Return the status and the document of a response."""
        found = httpx.URL(f"http://localhost{target}")
        earlier = [exchange.target for exchange in self.exchanges]
        name = found.path.rpartition("/")[2]
        if name == str(REFUSED_ONCE) and earlier.count(target) % 2 == 0:
            status, reply = 503, {"message": "try again"}
        else:
            status, reply = 200, _document(method, name, found.params.get("nextPageToken"))
        self.exchanges.append(Exchange(method, target, status))
        self.headers.append(httpx.Headers(headers))  # type: ignore[arg-type]  # httpx2's class has the same interface
        self.bodies.append(body)
        return status, reply

    def on_wire(self, seen: Seen) -> bytes:
        """Respond on a socket."""
        status, reply = self.reply(seen.method, seen.target, seen.headers, seen.body)
        return document(reply, status)

    def in_process(self, request: Any) -> Any:  # noqa: ANN401  (a request of httpx or httpx2, and its response)
        """Respond in place of the network, with a response of the request's own library."""
        library = httpx2 if isinstance(request, httpx2.Request) else httpx
        target = request.url.raw_path.decode()
        status, reply = self.reply(request.method, target, request.headers.multi_items(), request.content)
        return library.Response(status, json=reply)

    def check_complete(self) -> None:
        """Check that each request of `call_everything` arrived once, with its key and its whole body."""
        assert EXCHANGES == Counter(self.exchanges)
        assert {KEY} == {headers["x-api-key"] for headers in self.headers}
        for exchange, headers, body in zip(self.exchanges, self.headers, self.bodies, strict=True):
            assert int(headers.get("content-length", 0)) == len(body)
            assert (exchange.method in ("POST", "PATCH")) == body.endswith(b"}")


def _document(method: str, name: str, token: str | None) -> dict[str, Any]:
    if (method, name) == ("GET", "meetings"):
        return rows_after(token and "token-2")  # any token is that of the second page, which is the last
    if name == "oauth":
        return {"success": True, "url": "https://zoom.example/"}
    if name == "connect":
        return {"success": True, "data": {"accountId": "acc"}}
    detail = {**DETAIL, "id": int(name)} if name.isdigit() else DETAIL
    return {"success": True, "meeting": detail, "data": detail}


class Server(Service):
    """The same on a socket."""

    def __init__(self, server: Wire) -> None:
        super().__init__()
        self.url = server.url
        self.wire = server

    def start_again(self) -> None:
        """Forget the exchanges."""
        for record in (self.exchanges, self.headers, self.bodies):
            record.clear()


@contextmanager
def serving(context: ssl.SSLContext | None = None) -> Iterator[Server]:
    """Serve on a socket, encrypted if a context is given."""
    service: Server

    def answer(seen: Seen) -> bytes:
        return service.on_wire(seen)

    with wire(answer, context) as server:
        service = Server(server)
        yield service


def exchange_of(request: Any, response: Any) -> Exchange:  # noqa: ANN401  (of httpx, httpx2, httpcore or httpcore2)
    """Return what a tool has seen of a request and its response."""
    if isinstance(request.method, bytes):  # httpcore's
        return Exchange(request.method.decode(), request.url.target.decode(), response.status)
    return Exchange(request.method, request.url.raw_path.decode(), response.status_code)


@asynccontextmanager
async def instrumented(
    service: Server,
    way: str,
    moment: str,
    tool: Callable[[], AbstractContextManager[Any]],
    http_client: Any = None,  # noqa: ANN401  (of httpx or httpx2)
) -> AsyncIterator[tuple[PyasClient, Any]]:
    """Install a tool at a moment in a client's life, and remove it at the end, before the client is closed.

    Yields the client, and what the tool's context manager yields. After the tool is removed, one more call is made. An
    `http_client` takes the place of the one that the way names.
    """
    with ExitStack() as stack:
        found = stack.enter_context(tool()) if moment == BEFORE_CLIENT else None
        async with client_of(service.url, way=way, http_client=http_client) as client:
            if moment == BEFORE_CALLS:
                found = stack.enter_context(tool())
            elif moment == AFTER_CALLS:
                await client.meetings.get(7)
                found = stack.enter_context(tool())
            service.start_again()
            yield client, found
            stack.close()
            before = len(service.exchanges)
            await client.meetings.get(8)
            assert before + 1 == len(service.exchanges)
