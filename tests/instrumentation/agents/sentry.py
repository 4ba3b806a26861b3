"""Sentry's SDK, with a transport that keeps what it would send."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import sentry_sdk
from sentry_sdk.integrations.httpx import HttpxIntegration
from sentry_sdk.integrations.httpx2 import Httpx2Integration
from sentry_sdk.transport import Transport

from instrumentation.agents.scenario import Agent, Views, run
from instrumentation.traffic import Exchange

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sentry_sdk.envelope import Envelope


class Collecting(Transport):
    """Keeps envelopes."""

    kept: list[Envelope] = []  # noqa: RUF012  (the SDK makes the only instance)

    def capture_envelope(self, envelope: Envelope) -> None:
        """Keep an envelope."""
        self.kept.append(envelope)


def _exchange_of(data: dict[str, Any]) -> Exchange:
    path = "/" + data["url"].split("/", 3)[3]
    query = data["http.query"]
    return Exchange(
        data.get("http.method", ""), f"{path}?{query}" if query else path, data.get("http.response.status_code", 0)
    )


class Sentry(Agent):
    """Makes spans and breadcrumbs, and collects errors with the variables of all frames."""

    header = "sentry-trace"

    def install(self) -> None:
        """Start with the integrations of httpx and httpx2."""
        sentry_sdk.init(
            dsn="http://public@127.0.0.1:9/1",
            transport=Collecting,
            traces_sample_rate=1.0,
            # The others would import each web framework that is installed.
            auto_enabling_integrations=False,
            integrations=[HttpxIntegration(), Httpx2Integration()],
        )

    @contextmanager
    def trace(self) -> Iterator[Views]:
        """Trace a block, and send a message with its breadcrumbs at the end."""
        views: Views = {"spans": [], "breadcrumbs": []}
        before = len(Collecting.kept)
        with sentry_sdk.isolation_scope(), sentry_sdk.start_transaction(name="test", op="test"):
            yield views
            sentry_sdk.capture_message("end")
        for envelope in Collecting.kept[before:]:
            if (transaction := envelope.get_transaction_event()) is not None:
                views["spans"] += [_exchange_of(span["data"]) for span in _clients(transaction["spans"])]
            elif (event := envelope.get_event()) is not None and event.get("message") == "end":
                crumbs: Any = event["breadcrumbs"]
                views["breadcrumbs"] += [
                    _exchange_of(crumb["data"]) for crumb in crumbs["values"] if crumb["type"] == "http"
                ]

    def report(self, error: Exception) -> None:
        """Send an error."""
        sentry_sdk.capture_exception(error)

    def collected(self) -> str:
        """Return all envelopes."""
        return "\n".join(repr(item.payload.json) for envelope in Collecting.kept for item in envelope.items)


def _clients(spans: Any) -> list[dict[str, Any]]:  # noqa: ANN401  (JSON)
    return [span for span in spans if span["op"] == "http.client"]


if __name__ == "__main__":
    run(Sentry())
