"""Datadog's tracer, with a filter that keeps the spans, so that none is sent."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

# Read when the tracer is imported. Nothing beside spans is sent, either, and page tokens are not masked.
os.environ.update(
    DD_TRACE_OBFUSCATION_QUERY_STRING_REGEXP="",
    DD_CRASHTRACKING_ENABLED="false",
    DD_INSTRUMENTATION_TELEMETRY_ENABLED="false",
    DD_REMOTE_CONFIGURATION_ENABLED="false",
    DD_TRACE_STARTUP_LOGS="false",
)

import ddtrace
from ddtrace.contrib.internal.httpx.patch import unpatch
from ddtrace.trace import Span, TraceFilter, tracer

from instrumentation.agents.scenario import Agent, Views, run
from instrumentation.traffic import Exchange

if TYPE_CHECKING:
    from collections.abc import Iterator


class Collecting(TraceFilter):
    """Keeps spans."""

    def __init__(self) -> None:
        self.kept: list[Span] = []

    def process_trace(self, trace: list[Span]) -> list[Span] | None:
        """Keep a trace, and send none of it."""
        self.kept += trace
        return None


class Datadog(Agent):
    """Makes a span of each request."""

    header = "x-datadog-parent-id"

    def __init__(self) -> None:
        self._filter = Collecting()

    def install(self) -> None:
        """Change httpx and httpx2."""
        tracer.configure(trace_processors=[self._filter])
        ddtrace.patch(httpx=True, httpx2=True)

    def remove(self) -> bool:
        """Undo the changes of httpx."""
        unpatch()
        return True

    @contextmanager
    def trace(self) -> Iterator[Views]:
        """Trace a block."""
        views: Views = {"spans": []}
        before = len(self._filter.kept)
        with tracer.trace("test"):
            yield views
        views["spans"] += [_exchange_of(span) for span in self._filter.kept[before:] if span.name == "http.request"]

    def report(self, error: Exception) -> None:
        """Make a span that has an error."""
        with tracer.trace("failed") as span:
            span.set_exc_info(type(error), error, error.__traceback__)

    def collected(self) -> str:
        """Return all spans."""
        return "\n".join(
            f"{span.name} {span.resource} {span.get_tags()} {span.get_metrics()}" for span in self._filter.kept
        )


def _exchange_of(span: Span) -> Exchange:
    tags = {str(name): str(value) for name, value in span.get_tags().items()}
    target = "/" + tags["http.url"].split("/", 3)[3]
    return Exchange(tags["http.method"], target, int(tags.get("http.status_code", 0)))


if __name__ == "__main__":
    run(Datadog())
