"""Libraries that instrument httpx see the requests over a client's own connections, and can answer them."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import httpcore
import httpx
import pytest
import respx
import vcr
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import inside
from clients import own_pool_only
from runtime.socket_server import KEY, MEETING, NEW, client_of, found, until, wire

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from pathlib import Path

    from pytest_httpx import HTTPXMock

    from pyas_async import PyasClient
    from runtime.socket_server import Wire

pytestmark = [pytest.mark.anyio, own_pool_only]


@pytest.fixture(scope="module")
def service() -> Iterator[Wire]:
    """Serve on a socket."""
    with wire(found) as server:
        yield server


@pytest.mark.parametrize("using", ["httpcore", "httpx"])
async def test_respx(using: str) -> None:
    """A respx route replaces the service, and sees the whole request with its body."""
    with respx.mock(base_url="https://api.pyas.io", using=using) as router:
        route = router.post("/zoom/meetings", headers={"x-api-key": KEY}).respond(json=MEETING)
        async with client_of("https://api.pyas.io") as client:
            assert 81 == (await client.meetings.create(NEW)).id
    assert b'"meetingData"' in route.calls.last.request.content


async def test_pytest_httpx(httpx_mock: HTTPXMock) -> None:
    """A response of pytest-httpx replaces the service."""
    httpx_mock.add_response(method="POST", url="https://api.pyas.io/zoom/meetings", json=MEETING)
    async with client_of("https://api.pyas.io") as client:
        assert 81 == (await client.meetings.create(NEW)).id
    (request,) = httpx_mock.get_requests()
    assert b'"meetingData"' in request.content


async def test_vcrpy(service: Wire, tmp_path: Path) -> None:
    """Vcrpy replays what it has recorded, without the service."""
    recorder = vcr.VCR(cassette_library_dir=str(tmp_path), filter_headers=["x-api-key"])
    seen = len(service.requests)
    for _ in range(2):
        with recorder.use_cassette("one.yaml") as cassette:
            async with client_of(service.url) as client:
                assert [1, 2] == [row.id async for row in client.meetings.iter_all()]
            assert 2 == len(cassette)
    assert 2 == len(service.requests) - seen


async def test_opentelemetry(service: Wire) -> None:
    """OpenTelemetry's instrumentation makes a span of each request, with its address, and sends its context."""
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    instrumentor = HTTPXClientInstrumentor()
    instrumentor.instrument(tracer_provider=provider)
    try:
        async with client_of(service.url) as client:
            await client.meetings.get(81)
    finally:
        instrumentor.uninstrument()
    (span,) = exporter.get_finished_spans()
    assert span.attributes is not None
    assert f"{service.url}/zoom/meetings/81" in str(span.attributes["http.url"])
    assert 200 == span.attributes["http.status_code"]
    assert span.context is not None
    assert f"{span.context.trace_id:032x}" in service.requests[-1].headers["traceparent"]


async def test_replaced_send(service: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    """A function that replaces `httpx.AsyncClient.send`, as tracers do, sees each request."""
    send: Callable[..., Awaitable[httpx.Response]] = httpx.AsyncClient.send
    seen = []

    @functools.wraps(send)
    async def watch(client: httpx.AsyncClient, request: httpx.Request, **options: Any) -> httpx.Response:  # noqa: ANN401
        response = await send(client, request, **options)
        seen.append((request.method, request.url.path, response.status_code))
        return response

    async def both(client: PyasClient) -> None:
        await client.meetings.get(81)
        await client.meetings.create(NEW)

    async with client_of(service.url) as client:
        await both(client)
        assert [] == seen
        monkeypatch.setattr(httpx.AsyncClient, "send", watch)
        await both(client)
        assert [("GET", "/zoom/meetings/81", 200), ("POST", "/zoom/meetings", 200)] == seen
        monkeypatch.undo()
        await both(client)
        assert 2 == len(seen)
        assert 1 == len(inside.idle_connections(client))


@pytest.mark.parametrize("cls", [httpcore.AsyncConnectionPool, httpcore.AsyncHTTPConnection])
async def test_replaced_httpcore_method(cls: type[Any], service: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    """A function that replaces a method of httpcore's pool, or of a connection in it, sees each request."""
    handle: Callable[..., Awaitable[httpcore.Response]] = cls.handle_async_request
    seen = []

    async def watch(self: Any, request: httpcore.Request) -> httpcore.Response:  # noqa: ANN401
        seen.append((request.method, request.url.target))
        return await handle(self, request)

    async with client_of(service.url) as client:
        before = service.connections
        await client.meetings.get(81)
        monkeypatch.setattr(cls, "handle_async_request", watch)
        await client.meetings.get(82)
        assert [(b"GET", b"/zoom/meetings/82?accountId=acc")] == seen
        await until(lambda: service.closed == before + 1)  # there are never two
        monkeypatch.undo()
        await client.meetings.get(83)
        assert 1 == len(seen)
        await until(lambda: service.closed == before + 2)
        assert before + 3 == service.connections


async def test_log_of_connections(service: Wire, caplog: pytest.LogCaptureFixture) -> None:
    """Httpcore's log shows connections opened and closed, and the traffic on them."""
    with caplog.at_level("DEBUG", "httpcore"):
        async with client_of(service.url) as client:
            await client.meetings.get(81)
    names = [record.getMessage().partition(" ")[0] for record in caplog.records if record.name.startswith("httpcore")]
    assert {"connect_tcp.started", "send_request_headers.complete", "close.complete"} <= set(names)
