"""A passed client that speaks HTTP/2: whether a request was sent is known here, too."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import anyio
import attrs
import httpx
import httpx2
import pytest

import inside
from pyas_async import AttemptStarted, OutcomeUnknownError, RateBudget, TransportError
from runtime.calls import check_usable
from runtime.socket_server import CHANGE, NEW, client_of, heard, until

pytest.importorskip("h2", reason="HTTP/2 needs the package h2")

from runtime.http2_server import Stream, http2_server

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from pyas_async import Event, PyasClient

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("library", [httpx, httpx2])]

CALLS: dict[str, Callable[[PyasClient], Coroutine[Any, Any, object]]] = {
    "GET": lambda client: client.meetings.get(81),
    "POST": lambda client: client.meetings.create(NEW),
    "PATCH": lambda client: client.meetings.update(81, CHANGE),
    "DELETE": lambda client: client.meetings.delete(81),
}
every_method = pytest.mark.parametrize("method", CALLS)


def speaking_http2(library: Any) -> Any:  # noqa: ANN401
    """Make a client of a library that speaks HTTP/2."""
    return library.AsyncClient(http1=False, http2=True, trust_env=False)


def once(stream: Stream) -> None:
    """Answer a request, and allow no other one on its connection."""
    stream.answer()
    stream.allow(0)


@every_method
async def test_calls(library: Any, method: str) -> None:  # noqa: ANN401
    """Every kind of call works, several at once on one connection."""
    with http2_server() as server:
        async with speaking_http2(library) as http:
            client = heard(client_of(server.url, http_client=http))
            await client.meetings.get(81)
            async with anyio.create_task_group() as tasks:
                for _ in range(5):
                    tasks.start_soon(CALLS[method], client)
            await check_usable(client)
        assert ["GET", *[method] * 5, "GET"] == server.seen
        assert 1 == server.connections


@every_method
async def test_no_free_stream(library: Any, method: str) -> None:  # noqa: ANN401
    """If the connection allows no further request, nothing was sent: the call is tried again, and costs no budget."""
    events: list[Event] = []
    with http2_server(once) as server:
        async with speaking_http2(library) as http:
            client = client_of(server.url, http_client=http, budget=RateBudget(10), on_event=events.append)
            await client.meetings.get(81)
            with pytest.raises(TransportError, match="Max outbound streams is 0") as caught:
                await CALLS[method](client)
            assert 9 == client.rate_limit.remaining
            assert {} == inside.under_way(client)
        assert ["GET"] == server.seen
    assert (None if method == "GET" else "not_sent") == caught.value.write_state
    assert 5 == sum(isinstance(event, AttemptStarted) for event in events)


@every_method
async def test_free_stream_after_a_retry(library: Any, method: str) -> None:  # noqa: ANN401
    """A create is sent, once, as soon as another connection can be used."""
    with http2_server(once) as server:
        async with speaking_http2(library) as http:
            client = client_of(server.url, http_client=http)
            [pool] = inside.pools(client)

            async def close_connections(_: float) -> None:
                await pool.aclose()

            inside.set_clock_of_calls(client, attrs.evolve(inside.clock(client), sleep=close_connections))
            await client.meetings.get(81)
            await CALLS[method](client)
        assert (["GET", method], 2) == (server.seen, server.connections)


@every_method
@pytest.mark.parametrize("streams", [1, 100])
async def test_connection_that_ends(library: Any, method: str, streams: int) -> None:  # noqa: ANN401
    """If the service ends a connection before it takes a request, that is sent once, on another connection.

    With one stream, the request was waiting for it; with more, it was written, and the service says that it was not
    taken.
    """
    held: list[Stream] = []

    def answer(stream: Stream) -> None:
        if server.connections > 1:
            stream.answer()
        elif stream.turn == 1:
            held.append(stream)
            ready.wait(5)
            stream.answer()
            stream.go_away()

    ready = threading.Event()
    with http2_server(answer, streams=streams) as server:
        async with speaking_http2(library) as http:
            client = heard(client_of(server.url, http_client=http))
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(client.meetings.get, 81)
                await until(lambda: held)
                tasks.start_soon(CALLS[method], client)
                await anyio.wait_all_tasks_blocked()
                ready.set()
            await check_usable(client)
        assert (["GET", method, "GET"], 2) == (server.seen, server.connections)


@every_method
async def test_no_stream_number_left(library: Any, method: str) -> None:  # noqa: ANN401
    """A connection whose numbers for requests are used up is replaced, and the request is sent once."""
    with http2_server() as server:
        async with speaking_http2(library) as http:
            client = client_of(server.url, http_client=http)
            await client.meetings.get(81)
            inside.use_up_stream_numbers(client)
            await CALLS[method](client)
        assert (["GET", method], 2) == (server.seen, server.connections)


@every_method
async def test_header_that_http2_forbids(library: Any, method: str) -> None:  # noqa: ANN401
    """A header that the protocol does not allow is found before anything is sent."""
    with http2_server() as server:
        async with speaking_http2(library) as http:
            http.headers["te"] = "gzip"
            client = client_of(server.url, http_client=http)
            with pytest.raises(TransportError, match="TE") as caught:
                await CALLS[method](client)
        assert [] == server.seen
    assert (None if method == "GET" else "not_sent") == caught.value.write_state


@every_method
async def test_service_that_violates_the_protocol(library: Any, method: str) -> None:  # noqa: ANN401
    """After a frame that the protocol forbids, a request may have been carried out: only a create is not repeated."""
    with http2_server(Stream.violate) as server:
        async with speaking_http2(library) as http:
            client = client_of(server.url, http_client=http)
            with pytest.raises(TransportError if method == "GET" else OutcomeUnknownError):
                await CALLS[method](client)
        assert [method] * (1 if method == "POST" else 4) == server.seen
