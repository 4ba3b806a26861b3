"""Elastic's agent, with a transport that keeps what it would send."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import elasticapm
from elasticapm.transport.base import Transport

from instrumentation.agents.scenario import Agent, Views, run
from instrumentation.traffic import AFTER_CALLS, BEFORE_CALLS, BEFORE_CLIENT, Exchange

if TYPE_CHECKING:
    from collections.abc import Iterator


class Collecting(Transport):  # type: ignore[misc,unused-ignore]  # untyped
    """Keeps events."""

    kept: list[tuple[str, Any]] = []  # noqa: RUF012  (the agent makes the only instance)

    def start_thread(self, pid: int | None = None) -> None:
        """Start no thread, since there is nothing to send."""

    def queue(self, event_type: str, data: Any, flush: bool = False) -> None:  # noqa: ANN401
        """Keep an event."""
        self.kept.append((event_type, data))


class Elastic(Agent):
    """Makes a span at `httpx.AsyncClient.send`, and adds the trace's header at a connection of httpcore."""

    cases = (("own", BEFORE_CLIENT), ("own", BEFORE_CALLS), ("own", AFTER_CALLS), ("httpx", AFTER_CALLS))
    header = "traceparent"

    def __init__(self) -> None:
        self._client: Any = None

    def install(self) -> None:
        """Start the agent, without the parts that ask for the machine or for settings."""
        self._client = elasticapm.Client(
            service_name="test",
            transport_class=f"{__name__}.{Collecting.__name__}",
            cloud_provider="none",
            central_config=False,
            metrics_interval="0ms",
            transaction_max_spans=1000,
            span_compression_enabled=False,
        )
        elasticapm.instrument()

    def remove(self) -> bool:
        """Undo all changes."""
        elasticapm.uninstrument()
        return True

    @contextmanager
    def trace(self) -> Iterator[Views]:
        """Trace a block."""
        views: Views = {"spans": []}
        before = len(Collecting.kept)
        self._client.begin_transaction("test")
        yield views
        self._client.end_transaction("test", "success")
        spans = [data for kind, data in Collecting.kept[before:] if kind == "span"]
        views["spans"] += [_exchange_of(span) for span in spans if span["type"] == "external"]

    def report(self, error: Exception) -> None:
        """Send an error."""
        self._client.capture_exception((type(error), error, error.__traceback__))

    def collected(self) -> str:
        """Return all events."""
        return json.dumps(Collecting.kept, default=repr)


def _exchange_of(span: Any) -> Exchange:  # noqa: ANN401  (JSON)
    http = span["context"]["http"]
    return Exchange(span["name"].split()[0], "/" + http["url"].split("/", 3)[3], http.get("status_code", 0))


if __name__ == "__main__":
    run(Elastic())
