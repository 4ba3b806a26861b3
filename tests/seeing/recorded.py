"""The spans and metrics that an application's OpenTelemetry SDK records, in memory."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from pyas_async.integrations.opentelemetry import instrument

if TYPE_CHECKING:
    from collections.abc import Iterator

    from opentelemetry.sdk.trace import ReadableSpan

    from pyas_async import PyasClient


class Recorded:
    """The spans and metrics of a test."""

    def __init__(self) -> None:
        self.spans = InMemorySpanExporter()
        self.tracers = TracerProvider()
        self.tracers.add_span_processor(SimpleSpanProcessor(self.spans))
        self.reader = InMemoryMetricReader()
        self.meters = MeterProvider([self.reader])
        self.tracer = self.tracers.get_tracer("the application")

    def of(self, client: PyasClient, **options: Any) -> PyasClient:  # noqa: ANN401 -- whatever `instrument` takes
        """Record the spans and metrics of a client."""
        return instrument(client, tracer_provider=self.tracers, meter_provider=self.meters, **options)

    def finished(self) -> tuple[ReadableSpan, ...]:
        """Return the spans that have ended, in the order of their ends."""
        return self.spans.get_finished_spans()

    def paths(self) -> list[str]:
        """Return each span that has ended with its ancestors, sorted, as in ``"job > call > GET"``."""
        spans = {span.context.span_id: span for span in self.finished() if span.context is not None}

        def path(span: ReadableSpan) -> str:
            if span.parent is None:
                return span.name
            above = spans.get(span.parent.span_id)
            return f"{'?' if above is None else path(above)} > {span.name}"

        return sorted(path(span) for span in spans.values())

    def named(self, name: str) -> ReadableSpan:
        """Return the one span of a name."""
        (span,) = (span for span in self.finished() if span.name == name)
        return span

    def points(self, name: str) -> list[tuple[dict[str, Any], Any]]:
        """Return the attributes and points of a metric."""
        data = self.reader.get_metrics_data()
        return [
            (dict(point.attributes or {}), point)
            for resource in ([] if data is None else data.resource_metrics)
            for scope in resource.scope_metrics
            for metric in scope.metrics
            if metric.name == name
            for point in metric.data.data_points
        ]


@contextmanager
def httpx_instrumented(recorded: Recorded) -> Iterator[None]:
    """Enable the instrumentation of httpx as well."""
    instrumentor = HTTPXClientInstrumentor()
    instrumentor.instrument(tracer_provider=recorded.tracers)
    try:
        yield
    finally:
        instrumentor.uninstrument()


def events_of(span: ReadableSpan) -> list[tuple[str, dict[str, Any]]]:
    """Return the events of a span, without their times."""
    return [
        (event.name, {name: value for name, value in (event.attributes or {}).items() if name != "pyas.seconds"})
        for event in span.events
    ]
