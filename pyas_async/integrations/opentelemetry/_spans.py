"""A span for each call, and for each job."""

from collections.abc import Callable, Mapping
from time import time_ns
from typing import Any, Final

import attrs
from opentelemetry import context
from opentelemetry.trace import Span, Status, StatusCode, Tracer, get_current_span, set_span_in_context

from pyas_async import (
    AttemptEnded,
    CallEnded,
    CallStarted,
    Event,
    FieldsUnreadable,
    JobEnded,
    JobStarted,
    ListingDrifted,
    ListingRestarted,
    PageReceived,
    RowsSkipped,
    Waiting,
)

_MEETING_PATH = "/zoom/meetings/{id}"
REQUESTS: Final[Mapping[str, tuple[str, str]]] = {
    "meetings.list": ("GET", "/zoom/meetings"),
    "meetings.get": ("GET", _MEETING_PATH),
    "meetings.create": ("POST", "/zoom/meetings"),
    "meetings.update": ("PATCH", _MEETING_PATH),
    "meetings.delete": ("DELETE", _MEETING_PATH),
    "accounts.oauth_url": ("GET", "/zoom/oauth"),
    "accounts.connect": ("POST", "/zoom/connect"),
}
"""The method and the path template of each call, for the attributes of the semantic conventions."""


@attrs.define(eq=False)
class _OpenSpan:
    """A span that has not ended, and the attributes for its end."""

    span: Span
    began: int
    status: int | None = None
    pages: int = 0
    rows: int = 0
    restarts: int = 0
    # The contexts outside and inside of the call, if the call has a context of its own.
    outside: Any = None
    inside: Any = None


class Spans:
    """An event handler that makes spans."""

    def __init__(self, tracer: Tracer, attributes: Mapping[str, str]) -> None:
        self._tracer = tracer
        self._attributes = attributes
        self._open: dict[int, _OpenSpan] = {}
        self._handlers: dict[type, Callable[[Any], None]] = {
            JobStarted: self._job_started,
            JobEnded: self._job_ended,
            CallStarted: self._call_started,
            CallEnded: self._call_ended,
            AttemptEnded: self._attempt_ended,
            Waiting: self._waiting,
            PageReceived: self._page,
            ListingRestarted: self._restarted,
            ListingDrifted: self._drifted,
            FieldsUnreadable: self._fields_unreadable,
            RowsSkipped: self._rows_skipped,
        }

    def __call__(self, event: Event) -> None:
        handler = self._handlers.get(type(event))
        if handler is not None:
            handler(event)

    def _start(self, number: int, within: int | None, operation: str, account_id: str | None) -> _OpenSpan:
        parent = None if within is None else self._open.get(within)
        around = None if parent is None else set_span_in_context(parent.span)
        began = time_ns()
        span = self._tracer.start_span(f"pyas.{operation}", context=around, start_time=began)
        opened = self._open[number] = _OpenSpan(span, began)
        if span.is_recording():
            span.set_attributes({**self._attributes, "pyas.operation": operation})
            if account_id is not None:
                span.set_attribute("pyas.account_id", account_id)
        return opened

    def _job_started(self, event: JobStarted) -> None:
        self._start(event.job, event.within, event.operation, event.account_id)

    def _job_ended(self, event: JobEnded) -> None:
        if (opened := self._open.pop(event.job, None)) is None:
            return
        span = opened.span
        if span.is_recording():
            span.set_attribute("pyas.outcome", event.outcome)
            if event.operation == "meetings.iter_all":
                counts = {"pyas.pages": opened.pages, "pyas.rows": opened.rows, "pyas.restarts": opened.restarts}
                span.set_attributes(counts)
            _fail(span, event.error)
        # The event for a loop that was left may come long after its end.
        span.end(opened.began + int(event.seconds * 1e9) if event.outcome == "left" else None)

    def _call_started(self, event: CallStarted) -> None:
        opened = self._start(event.call, event.job, event.operation, event.account_id)
        span = opened.span
        if span.is_recording() and event.operation in REQUESTS:
            method, template = REQUESTS[event.operation]
            span.set_attributes({"http.request.method": method, "url.template": template})
        # A span that is not sampled has a context, too, and spans below it need it. Without an SDK there is no context.
        if span.get_span_context().is_valid and span is not get_current_span():
            opened.outside = context.get_current()
            opened.inside = set_span_in_context(span)
            context.attach(opened.inside)

    def _call_ended(self, event: CallEnded) -> None:
        if (opened := self._open.pop(event.call, None)) is None:
            return
        # A coroutine that is closed without being run ends in another context.
        if opened.inside is not None and context.get_current() is opened.inside:
            context.attach(opened.outside)
        span = opened.span
        if span.is_recording():
            span.set_attribute("pyas.outcome", event.outcome)
            if opened.status is not None:
                span.set_attribute("http.response.status_code", opened.status)
            if event.attempts > 1:
                span.set_attribute("http.request.resend_count", event.attempts - 1)
            _fail(span, event.error)
        span.end()

    def _attempt_ended(self, event: AttemptEnded) -> None:
        opened = self._open.get(event.call)
        if opened is None:
            return
        opened.status = event.status
        about: dict[str, str | int | float] = {"pyas.attempt": event.attempt, "pyas.seconds": event.seconds}
        if event.status is not None:
            about["http.response.status_code"] = event.status
        if event.fault is not None:
            about |= {"error.type": "transport", "pyas.fault": event.fault}
        self._add_event(event.call, "pyas.attempt", about)

    def _waiting(self, event: Waiting) -> None:
        self._add_event(event.call, "pyas.wait", {"pyas.reason": event.reason, "pyas.seconds": event.seconds})

    def _page(self, event: PageReceived) -> None:
        if (opened := self._open.get(event.job)) is not None:
            opened.pages += 1
            opened.rows += event.new
            self._add_event(event.job, "pyas.page", {"pyas.rows": event.rows, "pyas.new": event.new})

    def _restarted(self, event: ListingRestarted) -> None:
        if (opened := self._open.get(event.job)) is not None:
            opened.restarts += 1
            self._add_event(event.job, "pyas.restart", {"pyas.reason": event.reason, "pyas.yielded": event.yielded})

    def _drifted(self, event: ListingDrifted) -> None:
        self._add_event(event.job, "pyas.drift", {"pyas.reported": event.reported, "pyas.yielded": event.yielded})

    def _fields_unreadable(self, event: FieldsUnreadable) -> None:
        self._add_event(event.call, "pyas.unreadable", {f"pyas.{name}": count for name, count in event.fields})

    def _rows_skipped(self, event: RowsSkipped) -> None:
        if event.job is not None:
            self._add_event(event.job, "pyas.skipped", {"pyas.rows": event.rows, "pyas.path": event.path})

    def _add_event(self, number: int, name: str, about: Mapping[str, str | int | float]) -> None:
        opened = self._open.get(number)
        if opened is not None and opened.span.is_recording():
            opened.span.add_event(name, about)


def _fail(span: Span, error: str | None) -> None:
    if error is not None:
        span.set_attribute("error.type", error)
        # Only the class: the message is for the code that catches the error.
        span.set_status(Status(StatusCode.ERROR, error))
