"""The SDK of AWS X-Ray, with an emitter that keeps what it would send."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from aws_xray_sdk.core import patch, xray_recorder
from aws_xray_sdk.core.async_context import AsyncContext

from instrumentation.agents.scenario import Agent, Views, run
from instrumentation.traffic import BEFORE_CALLS, BEFORE_CLIENT, Exchange

if TYPE_CHECKING:
    from collections.abc import Iterator


class Collecting:
    """Keeps segments."""

    def __init__(self) -> None:
        self.kept: list[dict[str, Any]] = []

    def send_entity(self, entity: Any) -> None:  # noqa: ANN401  (untyped)
        """Keep a segment or a part of one."""
        self.kept.append(json.loads(entity.serialize()))

    def set_daemon_address(self, address: str | None) -> None:
        """Need no address."""


class XRay(Agent):
    """Replaces the class `httpx.AsyncClient` by one whose transport makes a subsegment of each request."""

    cases = (("own", BEFORE_CLIENT), ("own", BEFORE_CALLS), ("httpx", BEFORE_CLIENT))
    header = "x-amzn-trace-id"
    has_query = False
    on_trio = False  # it stores the trace in asyncio's tasks

    def __init__(self) -> None:
        self._emitter = Collecting()

    def install(self) -> None:
        """Replace the classes of httpx."""
        xray_recorder.configure(service="test", sampling=False, emitter=self._emitter, context=AsyncContext())
        patch(["httpx"])

    @contextmanager
    def trace(self) -> Iterator[Views]:
        """Trace a block."""
        views: Views = {"subsegments": []}
        before = len(self._emitter.kept)
        with xray_recorder.in_segment("test"):
            yield views
        for segment in self._emitter.kept[before:]:
            views["subsegments"] += _exchanges_in(segment)

    def collected(self) -> str:
        """Return all segments."""
        return json.dumps(self._emitter.kept)


def _exchanges_in(segment: dict[str, Any]) -> list[Exchange]:
    """Return the requests in a tree. Requests at the same time are nested."""
    found = []
    if http := segment.get("http"):
        request = http["request"]
        target = "/" + request["url"].split("/", 3)[3]
        found.append(Exchange(request["method"], target, http.get("response", {}).get("status", 0)))
    for part in segment.get("subsegments", ()):
        found += _exchanges_in(part)
    return found


if __name__ == "__main__":
    run(XRay())
