"""What a wrapper of `send`, or an event hook, does with requests and responses is what happens."""

from __future__ import annotations

import gzip
import json
import ssl
import uuid
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final
from unittest import mock

import pytest

from clients import own_pool_only
from instrumentation.traffic import (
    AFTER_CALLS,
    EXCHANGES,
    LIBRARIES,
    WAYS,
    call_everything,
    exchange_of,
    instrumented,
    serving,
)
from pyas_async import OutcomeUnknownError
from runtime.socket_server import MEETING, NEW, client_of, wire
from runtime.trust import AUTHORITY, served, trusted

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from instrumentation.traffic import Exchange, Server
    from runtime.socket_server import Seen

pytestmark = [pytest.mark.anyio, own_pool_only]

NOWHERE: Final = "http://127.0.0.1:9"
"""An address at which nothing is served."""


@pytest.fixture(scope="module")
def service() -> Iterator[Server]:
    """Serve on a socket."""
    with serving() as server:
        yield server


def around_send(
    way: str, send: Callable[[Callable[[Any], Awaitable[Any]], Any], Awaitable[Any]]
) -> Callable[[], AbstractContextManager[None]]:
    """Return a context manager that replaces ``AsyncClient.send`` of a library.

    Args:
        way: Names the library.
        send: Gets a function that sends a request with the original method, and a request; returns the response.
    """
    cls = LIBRARIES[way].AsyncClient

    @contextmanager
    def tool() -> Iterator[None]:
        original = cls.send

        async def replacement(client: object, request: Any, **options: Any) -> Any:  # noqa: ANN401
            return await send(lambda one: original(client, one, **options), request)

        cls.send = replacement
        try:
            yield
        finally:
            cls.send = original

    return tool


@pytest.mark.parametrize("way", WAYS)
async def test_another_address(way: str, tmp_path: Path) -> None:
    """A request whose address a wrapper replaces goes to that address, and over no connection to another one."""
    with serving(served()) as service, serving(served()) as other, trusted(tmp_path):
        if way == "own":
            await check_another_address(service, other, way, None)
            return
        context = ssl.create_default_context()
        AUTHORITY.configure_trust(context)
        async with LIBRARIES[way].AsyncClient(verify=context, trust_env=False) as http:
            await check_another_address(service, other, way, http)


async def test_another_address_without_encryption(service: Server) -> None:
    """The same holds on this machine without encryption."""
    with serving() as other:
        await check_another_address(service, other, "own", None)


async def check_another_address(service: Server, other: Server, way: str, http: Any) -> None:  # noqa: ANN401
    """Check that all requests arrive at another service, while a wrapper of `send` names that in their addresses."""

    async def elsewhere(send: Any, request: Any) -> Any:  # noqa: ANN401
        request.url = request.url.copy_with(port=other.wire.port).copy_merge_params({"by": "gateway"})
        return await send(request)

    async with instrumented(service, way, AFTER_CALLS, around_send(way, elsewhere), http) as (client, _):
        await call_everything(client)
        assert [] == service.exchanges
    assert all("by=gateway" in exchange.target for exchange in other.exchanges)
    assert EXCHANGES == Counter(
        exchange._replace(target=exchange.target.replace("by=gateway", "").rstrip("?&")) for exchange in other.exchanges
    )


@pytest.mark.parametrize("way", WAYS)
async def test_another_request(service: Server, way: str) -> None:
    """A request that a wrapper builds from ours, without its extensions, arrives in place of ours."""
    library = LIBRARIES[way]

    async def rebuild(send: Any, request: Any) -> Any:  # noqa: ANN401
        content = await request.aread()
        return await send(library.Request(request.method, request.url, headers=request.headers, content=content))

    async with instrumented(service, way, AFTER_CALLS, around_send(way, rebuild)) as (client, _):
        await call_everything(client)
        service.check_complete()


@pytest.mark.parametrize("way", WAYS)
async def test_another_request_without_a_response(way: str) -> None:
    """A create that a wrapper sends as a request of its own is not repeated if the response is lost."""
    library = LIBRARIES[way]

    async def rebuild(send: Any, request: Any) -> Any:  # noqa: ANN401
        content = await request.aread()
        return await send(library.Request(request.method, request.url, headers=request.headers, content=content))

    with wire(lambda seen: None) as server, around_send(way, rebuild)():
        async with client_of(server.url, way=way) as client:
            with pytest.raises(OutcomeUnknownError):
                await client.meetings.create(NEW)
        assert 1 == len(server.requests)


@pytest.mark.parametrize("way", WAYS)
async def test_body_read(service: Server, way: str) -> None:
    """A wrapper can read the body of a request before it is sent."""
    seen = []

    async def read(send: Any, request: Any) -> Any:  # noqa: ANN401
        seen.append(await request.aread())
        return await send(request)

    async with instrumented(service, way, AFTER_CALLS, around_send(way, read)) as (client, _):
        await call_everything(client)
        service.check_complete()
        assert Counter(service.bodies) == Counter(seen)


@pytest.mark.parametrize("way", WAYS)
async def test_response_read(service: Server, way: str) -> None:
    """A wrapper can read and close a response before it returns it."""
    seen = []

    async def read(send: Any, request: Any) -> Any:  # noqa: ANN401
        response = await send(request)
        seen.append(json.loads(await response.aread()))
        await response.aclose()
        return response

    async with instrumented(service, way, AFTER_CALLS, around_send(way, read)) as (client, _):
        await call_everything(client)
        service.check_complete()
        assert EXCHANGES.total() == len(seen)


@pytest.mark.parametrize("way", WAYS)
async def test_compressed_response_read(way: str) -> None:
    """A compressed response that a wrapper reads and closes is decompressed once."""

    def compressed(seen: Seen) -> bytes:
        body = gzip.compress(json.dumps(MEETING).encode())
        head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(body)}\r\n\r\n"
        return head.encode() + body

    async def read(send: Any, request: Any) -> Any:  # noqa: ANN401
        response = await send(request)
        assert MEETING == json.loads(await response.aread())
        await response.aclose()
        return response

    with wire(compressed) as server, around_send(way, read)():
        async with client_of(server.url, way=way) as client:
            assert [81, 81] == [(await client.meetings.get(81)).id for _ in range(2)]
        assert 1 == server.connections


@pytest.mark.parametrize("way", WAYS)
async def test_trace_headers(service: Server, way: str) -> None:
    """A header that a wrapper adds to a request arrives with it."""
    added = []

    async def trace(send: Any, request: Any) -> Any:  # noqa: ANN401
        added.append(f"00-{uuid.uuid4().hex}-{uuid.uuid4().hex[:16]}-01")
        request.headers["traceparent"] = added[-1]
        return await send(request)

    async with instrumented(service, way, AFTER_CALLS, around_send(way, trace)) as (client, _):
        await call_everything(client)
        service.check_complete()
        assert Counter(added) == Counter(headers["traceparent"] for headers in service.headers)
    assert "traceparent" not in service.headers[-1]


@pytest.mark.parametrize("is_read", [True, False])
@pytest.mark.parametrize("way", WAYS)
async def test_sent_twice(service: Server, way: str, is_read: bool) -> None:
    """A wrapper can send a request again, with its whole body, after it has closed the first response."""

    async def again(send: Any, request: Any) -> Any:  # noqa: ANN401
        response = await send(request)
        if is_read:
            await response.aread()
        await response.aclose()
        return await send(request)

    async with instrumented(service, way, AFTER_CALLS, around_send(way, again)) as (client, _):
        assert 81 == (await client.meetings.create(NEW)).id
        assert 82 == (await client.meetings.get(82)).id
        [first, second, third, fourth] = service.exchanges
        assert (first, third) == (second, fourth)
        assert service.bodies[0] == service.bodies[1]
        assert service.bodies[0].endswith(b"}")


@pytest.mark.parametrize("way", WAYS)
async def test_signature_written_out(service: Server, way: str) -> None:
    """A wrapper with the parameters of today's `send`, as SkyWalking's, sees each request."""
    library, seen = LIBRARIES[way], []
    original, unset = library.AsyncClient.send, library.USE_CLIENT_DEFAULT

    async def send(
        self: object,
        request: Any,  # noqa: ANN401
        *,
        stream: bool = False,
        auth: Any = unset,  # noqa: ANN401
        follow_redirects: Any = unset,  # noqa: ANN401
    ) -> Any:  # noqa: ANN401
        response = await original(self, request, stream=stream, auth=auth, follow_redirects=follow_redirects)
        seen.append(exchange_of(request, response))
        return response

    service.start_again()
    with mock.patch.object(library.AsyncClient, "send", send):
        async with client_of(service.url, way=way) as client:
            await call_everything(client)
    service.check_complete()
    assert EXCHANGES == Counter(seen)


@pytest.mark.parametrize("way", WAYS)
async def test_replaced_by_a_mock(way: str) -> None:
    """A test can replace `send` by a mock that returns a finished response, and needs no service."""
    library = LIBRARIES[way]
    send = mock.AsyncMock(side_effect=lambda request, **_: library.Response(200, json=MEETING))
    with mock.patch.object(library.AsyncClient, "send", send):
        async with client_of(NOWHERE, way=way) as client:
            assert [81, 81] == [(await client.meetings.create(NEW)).id, (await client.meetings.get(81)).id]
    assert ["POST", "GET"] == [call.args[0].method for call in send.await_args_list]


@pytest.mark.parametrize("way", ["httpx", "httpx2"])
async def test_event_hooks(service: Server, way: str) -> None:
    """The event hooks of a passed client see each request once; they can add headers, and read the response."""
    seen: list[Exchange] = []
    added: list[str] = []
    read: list[int] = []

    async def before(request: Any) -> None:  # noqa: ANN401
        added.append(f"00-{uuid.uuid4().hex}-{uuid.uuid4().hex[:16]}-01")
        request.headers["traceparent"] = added[-1]

    async def after(response: Any) -> None:  # noqa: ANN401
        read.append(len(await response.aread()))
        seen.append(exchange_of(response.request, response))

    hooks = {"request": [before], "response": [after]}
    service.start_again()
    async with LIBRARIES[way].AsyncClient(event_hooks=hooks, verify=False, trust_env=False) as http:
        await call_everything(client_of(service.url, http_client=http))
    service.check_complete()
    assert EXCHANGES == Counter(seen)
    assert all(read)
    assert Counter(added) == Counter(headers["traceparent"] for headers in service.headers)
