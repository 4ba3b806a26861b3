"""What can be said of a request afterwards, through every kind of transport."""

from __future__ import annotations

import gc
import ssl
import sys
import warnings
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import anyio
import anyio.lowlevel
import httpx
import pytest
import respx

import inside
from clients import own_pool_only
from pyas_async import (
    AttemptStarted,
    BadRequestError,
    DecodeError,
    OutcomeUnknownError,
    PyasError,
    ServerError,
    TransportError,
)
from runtime.socket_server import CHANGE, NEW, client_of, document, found, through, wire

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from contextlib import AbstractAsyncContextManager

    from pyas_async import Event, PyasClient
    from runtime.socket_server import Seen

pytestmark = pytest.mark.anyio


class Relay(httpx.AsyncBaseTransport):
    """A transport around httpx's own that sends a request of its own making."""

    def __init__(self, *, tells: bool) -> None:
        self.tells = tells
        self.inner = httpx.AsyncHTTPTransport()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a copy of the request, with or without the trace extension."""
        extensions = request.extensions if self.tells else {}
        copy = httpx.Request(
            request.method, request.url, headers=request.headers, content=request.content, extensions=extensions
        )
        return await self.inner.handle_async_request(copy)

    async def aclose(self) -> None:
        """Close the connections."""
        await self.inner.aclose()


class Foreign(httpx.AsyncBaseTransport):
    """A foreign transport that maps errors in its own way."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Raise the error."""
        raise self.error


Way = tuple["PyasClient", list[Any]]


@asynccontextmanager
async def socket_of_ones_own(answer: bytes | None) -> AsyncIterator[Way]:
    """Lose the response on a socket."""
    with wire(lambda seen: answer) as server:
        async with client_of(server.url) as client:
            yield client, server.requests


@asynccontextmanager
async def relayed(tells: bool) -> AsyncIterator[Way]:
    """Lose the response behind a wrapped transport."""
    with wire(lambda seen: None) as server:
        async with through(Relay(tells=tells), base_url=server.url) as client:
            yield client, server.requests


@asynccontextmanager
async def mocked(error: Exception) -> AsyncIterator[Way]:
    """Lose the response in httpx's own mock."""
    seen: list[httpx.Request] = []

    def fail(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        raise error

    async with through(fail) as client:
        yield client, seen


@asynccontextmanager
async def with_respx(error: Exception) -> AsyncIterator[Way]:
    """Lose the response in respx."""
    with respx.mock(base_url="http://localhost") as router:
        route = router.post("/zoom/meetings").mock(side_effect=error)
        async with client_of("http://localhost") as client:
            yield client, route.calls


CUT = b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\nConnection: close\r\n\r\n{"
WAYS: dict[str, Callable[[], AbstractAsyncContextManager[Way]]] = {
    "own client, hung up": lambda: socket_of_ones_own(None),
    "own client, cut off": lambda: socket_of_ones_own(CUT),
    "own client, no HTTP": lambda: socket_of_ones_own(b"Connection: close\r\n\r\n"),
    "relay": lambda: relayed(tells=False),
    "relay that tells": lambda: relayed(tells=True),
    "mock ReadError": lambda: mocked(httpx.ReadError("reset")),
    "mock ReadTimeout": lambda: mocked(httpx.ReadTimeout("slow")),
    "mock RemoteProtocolError": lambda: mocked(httpx.RemoteProtocolError("no HTTP")),
    "respx ReadError": lambda: with_respx(httpx.ReadError("reset")),
    "respx ReadTimeout": lambda: with_respx(httpx.ReadTimeout("slow")),
}


@pytest.mark.parametrize(
    "way",
    [pytest.param(way, id=name, marks=[own_pool_only] * ("respx" in name)) for name, way in WAYS.items()],
)
async def test_create_whose_answer_was_lost(way: Callable[[], AbstractAsyncContextManager[Way]]) -> None:
    """A create whose response was lost is sent once, through every kind of transport, and its outcome is unknown."""
    async with way() as (client, requests):
        with pytest.raises(OutcomeUnknownError) as caught:
            await client.meetings.create(NEW)
    assert (1, "unknown") == (len(requests), caught.value.write_state)


async def test_refused_connection() -> None:
    """If httpx itself could not connect, nothing was sent: a create is retried, and its state is `not_sent`."""
    events: list[Event] = []
    with wire() as server:
        url = server.url
    async with client_of(url, on_event=events.append) as client:
        with pytest.raises(TransportError) as caught:
            await client.meetings.create(NEW)
    attempts = [event for event in events if isinstance(event, AttemptStarted)]
    assert (4, "not_sent") == (len(attempts), caught.value.write_state)


async def test_relay_that_cannot_connect() -> None:
    """If the transport passes httpcore's trace on, it is known that nothing was sent, even through a wrapper."""
    with wire() as server:
        url = server.url
    async with through(Relay(tells=True), base_url=url) as client:
        with pytest.raises(TransportError) as caught:
            await client.meetings.create(NEW)
    assert "not_sent" == caught.value.write_state


@pytest.mark.parametrize(
    "error", [httpx.ConnectError("x"), httpx.PoolTimeout("x"), ConnectionRefusedError("x")], ids=repr
)
async def test_connect_error_of_a_foreign_transport(error: Exception) -> None:
    """A connect error of a foreign transport proves nothing: the create is sent once."""
    events: list[Event] = []
    async with through(Foreign(error), on_event=events.append) as client:
        with pytest.raises(OutcomeUnknownError):
            await client.meetings.create(NEW)
    assert 1 == sum(isinstance(event, AttemptStarted) for event in events)


async def test_transport_that_retries_by_itself() -> None:
    """If a transport sent the request before it failed to connect, the request counts as sent."""

    class Retrying(Relay):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            try:
                return await super().handle_async_request(request)
            except httpx.RemoteProtocolError:
                raise httpx.ConnectError("refused") from None

    with wire(lambda seen: None) as server:
        async with through(Retrying(tells=True), base_url=server.url) as client:
            with pytest.raises(OutcomeUnknownError):
                await client.meetings.create(NEW)
        assert 1 == len(server.requests)


@pytest.mark.parametrize(
    ("status", "error", "state"),
    [(200, DecodeError, "done"), (400, BadRequestError, "rejected"), (500, ServerError, "unknown")],
)
async def test_answer_that_is_too_large(
    monkeypatch: pytest.MonkeyPatch, status: int, error: type[PyasError], state: str
) -> None:
    """A body above the limit is not read further, and the status still tells the state of a create."""
    monkeypatch.setattr(inside.LARGEST_BODY, 1_000)
    with wire(lambda seen: document("x" * 2_000, status)) as server:
        async with client_of(server.url) as client:
            with pytest.raises(error) as caught:
                await client.meetings.create(NEW)
        assert 1 == len(server.requests)
    assert state == caught.value.write_state


async def test_certificate_that_does_not_fit() -> None:
    """An untrusted certificate fails the call at once, and nothing was sent."""
    authority = pytest.importorskip("trustme").CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with wire(found, context) as server:
        async with client_of(server.url) as client:
            with pytest.raises(TransportError, match="certificate") as caught:
                await client.meetings.create(NEW)
        assert (1, []) == (server.connections, server.requests)
        trusting = ssl.create_default_context()
        authority.configure_trust(trusting)
        async with httpx.AsyncClient(verify=trusting) as http:
            assert 81 == (await client_of(server.url, http_client=http).meetings.create(NEW)).id
    assert "not_sent" == caught.value.write_state


async def test_nothing_is_left_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """After responses, faults and cancellations, a closed client leaves no socket to the garbage collector."""
    found_open: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", found_open.append)

    def answer(seen: Seen) -> bytes | None:
        if seen.method == "PATCH":
            server.stop.wait(5)
        return None if seen.method == "POST" else found(seen)

    with warnings.catch_warnings(), wire(answer) as server:
        warnings.simplefilter("error", ResourceWarning)
        async with client_of(server.url) as client:
            await client.meetings.get(81)
            with pytest.raises(OutcomeUnknownError):
                await client.meetings.create(NEW)
            with anyio.move_on_after(0.01):
                await client.meetings.update(81, CHANGE)
            async for _ in client.meetings.iter_all():
                break
        del client
        await anyio.lowlevel.checkpoint()
        gc.collect()
    assert [] == found_open
