"""OpenTelemetry's instrumentations of httpx and httpx2 make a span of each request, and send its context along."""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.instrumentation import httpx as instrumentation
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from clients import own_pool_only
from instrumentation.traffic import (
    AFTER_CALLS,
    EXCHANGES,
    LIBRARIES,
    MOMENTS,
    Exchange,
    call_everything,
    instrumented,
    serving,
)
from runtime.socket_server import KEY, client_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from instrumentation.traffic import Server

pytestmark = [pytest.mark.anyio, own_pool_only]

INSTRUMENTORS: dict[str, Any] = {
    "own": instrumentation.HTTPXClientInstrumentor,
    "httpx": instrumentation.HTTPXClientInstrumentor,
    "httpx2": getattr(instrumentation, "HTTPX2ClientInstrumentor", None),
}
"""The instrumentation of each library. That of httpx2 came with 0.65b0."""


@pytest.fixture(scope="module")
def service() -> Iterator[Server]:
    """Serve on a socket."""
    with serving() as server:
        yield server


class Spans:
    """Collects spans."""

    def __init__(self) -> None:
        self._exporter, self.provider = InMemorySpanExporter(), TracerProvider()
        self.provider.add_span_processor(SimpleSpanProcessor(self._exporter))

    def finished(self) -> tuple[ReadableSpan, ...]:
        """Return the spans that have ended."""
        return self._exporter.get_finished_spans()

    def check(self, service: Server) -> None:
        """Check that each request has one span, whose context arrived with it, and that no span has the key."""
        service.check_complete()
        assert EXCHANGES == Counter(_exchange_of(span, service) for span in self.finished())
        arrived = Counter(headers["traceparent"].rpartition("-")[0] for headers in service.headers)
        assert arrived == Counter(map(_context_of, self.finished()))
        assert KEY not in str([span.to_json() for span in self.finished()])


def _exchange_of(span: ReadableSpan, service: Server) -> Exchange:
    found: dict[str, Any] = dict(span.attributes or {})
    target = str(found["http.url"]).removeprefix(service.url)
    return Exchange(found["http.method"], target, found["http.status_code"])


def _context_of(span: ReadableSpan) -> str:
    """Return the header ``traceparent`` that W3C defines, without its flags."""
    context = span.get_span_context()
    assert context is not None
    return f"00-{context.trace_id:032x}-{context.span_id:016x}"


def instrumentor_of(way: str) -> Any:  # noqa: ANN401  (one of two classes with the same interface)
    """Return the instrumentor of a library."""
    if INSTRUMENTORS[way] is None:
        pytest.skip("this release of OpenTelemetry has no instrumentation of httpx2")
    return INSTRUMENTORS[way]()


@pytest.mark.parametrize(
    ("way", "moment"), [("own", moment) for moment in MOMENTS] + [("httpx", AFTER_CALLS), ("httpx2", AFTER_CALLS)]
)
async def test_all_clients(service: Server, way: str, moment: str) -> None:
    """Instrumented at any moment, each request has a span until the instrumentation is removed, and none after."""
    spans, instrumentor = Spans(), instrumentor_of(way)

    @contextmanager
    def tool() -> Iterator[None]:
        instrumentor.instrument(tracer_provider=spans.provider)
        try:
            yield
        finally:
            instrumentor.uninstrument()

    async with instrumented(service, way, moment, tool) as (client, _):
        await call_everything(client)
        spans.check(service)
    assert EXCHANGES.total() == len(spans.finished())


async def test_switched_on_and_off(service: Server) -> None:
    """An instrumentation that comes and goes several times makes spans in its times."""
    spans, instrumentor = Spans(), instrumentor_of("own")
    async with client_of(service.url, way="own") as client:
        for times in (1, 2, 3):
            instrumentor.instrument(tracer_provider=spans.provider)
            try:
                await client.meetings.get(1)
            finally:
                instrumentor.uninstrument()
            assert times == len(spans.finished())
            await client.meetings.get(2)
        assert 3 == len(spans.finished())


@pytest.mark.parametrize("way", ["httpx", "httpx2"])
async def test_one_client(service: Server, way: str) -> None:
    """Instrumented on its own, a passed client has a span for each request, and our own connections have none."""
    spans, instrumentor = Spans(), instrumentor_of(way)
    async with LIBRARIES[way].AsyncClient(trust_env=False) as http:
        instrumentor.instrument_client(http, tracer_provider=spans.provider)
        service.start_again()
        await call_everything(client_of(service.url, http_client=http))
        spans.check(service)
        async with client_of(service.url, way="own") as client:
            await client.meetings.get(1)
        instrumentor.uninstrument_client(http)
        await client_of(service.url, http_client=http).meetings.get(2)
    assert EXCHANGES.total() == len(spans.finished())


async def test_transport_of_a_client(service: Server) -> None:
    """The transport that makes spans works in a passed client."""
    spans = Spans()
    inner = LIBRARIES["httpx"].AsyncHTTPTransport()
    transport = instrumentation.AsyncOpenTelemetryTransport(inner, tracer_provider=spans.provider)
    async with LIBRARIES["httpx"].AsyncClient(transport=transport) as http:
        service.start_again()
        await call_everything(client_of(service.url, http_client=http))
    spans.check(service)
