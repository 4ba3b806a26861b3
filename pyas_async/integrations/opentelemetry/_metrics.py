"""The metrics of a client. Durations are in seconds."""

import weakref
from collections.abc import Callable, Iterable, Mapping
from time import monotonic
from typing import Any

import attrs
from opentelemetry.metrics import CallbackOptions, Histogram, Meter, Observation

from pyas_async import (
    AttemptEnded,
    AttemptStarted,
    CallEnded,
    CallStarted,
    Event,
    ListingRestarted,
    PageReceived,
    PyasClient,
    RateLimitSnapshot,
    Waiting,
)

# The buckets of the semantic conventions for HTTP requests, extended to waits for the next window of the rate limit.
_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0, 30.0, 60.0, 150.0, 300.0)
_MAX_AGE = 300.0
"""Seconds after which the budget of the last call is outdated: a window of the rate limit."""


@attrs.define
class _Wait:
    """A wait that has not ended."""

    operation: str
    reason: str
    began: float


class Metrics:
    """An event handler that counts and measures."""

    def __init__(self, meter: Meter, client: PyasClient, attributes: Mapping[str, str]) -> None:
        self._client = weakref.ref(client)
        self._attributes = attributes
        self._waits: dict[int, _Wait] = {}
        self._in_flight: set[int] = set()
        # Exporters read the gauges in a thread of their own, where the budget must not be read. So it is read after a
        # call, and only if an exporter has asked for it: without one, this costs nothing.
        self._gauges_in_use = False
        self._budget: tuple[RateLimitSnapshot, float] | None = None

        def durations(name: str, what: str) -> Histogram:
            name = f"pyas.client.{name}.duration"
            return meter.create_histogram(
                name, unit="s", description=what, explicit_bucket_boundaries_advisory=_BUCKETS
            )

        self._calls = durations("call", "Calls, from their beginning to their end, with all waits.")
        self._attempts = durations("attempt", "Requests, from sending to the last byte or the fault.")
        self._waited = durations("wait", "Waits of calls: after a failed attempt, for the budget, for a connection.")
        self._active = meter.create_up_down_counter("pyas.client.active_calls", "{call}", "Calls in flight.")
        self._pages = meter.create_counter("pyas.client.listing.pages", "{page}", "Pages received.")
        self._rows = meter.create_counter("pyas.client.listing.rows", "{row}", "Rows yielded, each once.")
        restarts = "Listings restarted because a page token expired."
        self._restarts = meter.create_counter("pyas.client.listing.restarts", "{restart}", restarts)
        for field, what in (
            ("limit", "Calls per window that the key has."),
            ("remaining", "Calls left in this window after the last call."),
            ("waiting", "Calls that wait for a slot in the call budget."),
        ):
            name = f"pyas.client.budget.{field}"
            meter.create_observable_gauge(name, [self._observe(field)], unit="{call}", description=what)
        self._handlers: dict[type, Callable[[Any], None]] = {
            CallStarted: self._call_started,
            CallEnded: self._call_ended,
            AttemptStarted: self._attempt_started,
            AttemptEnded: self._attempt_ended,
            Waiting: self._waiting,
            PageReceived: self._page,
            ListingRestarted: self._restarted,
        }

    def __call__(self, event: Event) -> None:
        handler = self._handlers.get(type(event))
        if handler is not None:
            handler(event)

    def _with(self, **own: str | int) -> dict[str, str | int]:
        return {**self._attributes, **{f"pyas.{name}": value for name, value in own.items()}}

    def _call_started(self, event: CallStarted) -> None:
        self._in_flight.add(event.call)
        self._active.add(1, self._with(operation=event.operation))

    def _call_ended(self, event: CallEnded) -> None:
        if event.call not in self._in_flight:  # it started before this handler was added
            return
        self._in_flight.remove(event.call)
        self._wait_ended(event.call)
        self._active.add(-1, self._with(operation=event.operation))
        about = self._with(operation=event.operation, outcome=event.outcome)
        if event.error is not None:
            about["error.type"] = event.error
        self._calls.record(event.seconds, about)
        client = self._client() if self._gauges_in_use else None
        if client is not None:
            self._budget = client.rate_limit, monotonic()

    def _attempt_started(self, event: AttemptStarted) -> None:
        self._wait_ended(event.call)

    def _attempt_ended(self, event: AttemptEnded) -> None:
        about = self._with(operation=event.operation)
        if event.status is not None:
            about["http.response.status_code"] = event.status
        else:
            about["error.type"] = "transport"
        self._attempts.record(event.seconds, about)

    def _waiting(self, event: Waiting) -> None:
        self._wait_ended(event.call)
        self._waits[event.call] = _Wait(event.operation, event.reason, monotonic())

    def _wait_ended(self, call: int) -> None:
        if (wait := self._waits.pop(call, None)) is not None:
            self._waited.record(monotonic() - wait.began, self._with(operation=wait.operation, reason=wait.reason))

    def _page(self, event: PageReceived) -> None:
        self._pages.add(1, self._attributes)
        self._rows.add(event.new, self._attributes)

    def _restarted(self, event: ListingRestarted) -> None:
        self._restarts.add(1, self._with(reason=event.reason))

    def _observe(self, field: str) -> Callable[[CallbackOptions], Iterable[Observation]]:
        reference = weakref.ref(self)  # a meter keeps its callbacks forever

        def observe(_: CallbackOptions) -> Iterable[Observation]:
            metrics = reference()
            return () if metrics is None else metrics._observations(field)  # noqa: SLF001 -- a method of this class

        return observe

    def _observations(self, field: str) -> Iterable[Observation]:
        self._gauges_in_use = True
        if self._budget is None or monotonic() - self._budget[1] > _MAX_AGE:
            return
        value = getattr(self._budget[0], field)
        if value is not None:
            yield Observation(value, self._attributes)
