"""Runs a call through the exchange without a network: responses and faults go in, the outcome comes out."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import attrs

from core.tools import NOON, answer
from pyas_async import PyasError, RetryPolicy, from_dict
from pyas_async._core import codec
from pyas_async._core.calls.endpoints import create_meeting, delete_meeting, get_meeting, update_meeting
from pyas_async._core.calls.exchange import Exchange
from pyas_async._core.calls.messages import Call, Fail, Fault, ResponseOrFault, Return, Send, Wait
from pyas_async._core.calls.retry import Limits, RetryQuota
from pyas_async._core.redact import redact
from pyas_async.models import MeetingCreate, MeetingUpdate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

GET = get_meeting("acc", 1)
CREATE = create_meeting(
    "acc", from_dict(MeetingCreate, {"type": 2, "title": "t", "description": "", "startDate": "2026-11-22T12:00:00Z"})
)
UPDATE = update_meeting("acc", 1, MeetingUpdate(title="t"))
DELETE = delete_meeting("acc", 1)
CALLS: dict[str, Call[Any]] = {"GET": GET, "CREATE": CREATE, "UPDATE": UPDATE, "DELETE": DELETE}

LOST = Fault("network", "reset", sent=True)
TIMED_OUT = Fault("timeout", "read timed out", sent=True)
UNSENT = Fault("network", "refused", sent=False)
BAD_CERTIFICATE = Fault("network", "bad certificate", sent=False, permanent=True)
MEETING = answer(200, {"success": True, "meeting": {"id": 1}})
GARBAGE = answer(200, b"<html>")
KEY_LIMIT = answer(429, {"message": "Too many requests!", "code": 429, "error": "Rate limit exceeded"})
DAY_LIMIT = answer(429, {"code": 429, "message": "You have reached the maximum daily rate limit for this API."})

SERVER_ERROR = answer(500, {"error": "x"})
NOT_IMPLEMENTED = answer(501, {"error": "x"})
NOT_SUCCESS = answer(200, {"success": False, "error": "x"})
NOT_FOUND = answer(404, {"code": 3001, "message": "Meeting does not exist"})
NO_ACCOUNT = answer(404, {"success": False, "error": "Invalid account id. Account Not Found", "code": 404})
BAD_REQUEST = answer(400, {"error": "x"})

END = "the events ran out"


@attrs.frozen
class Played:
    """How a call went.

    Attributes:
        begun: When each request was sent.
        waits: The waits between them.
        value: What the call returned, if it did.
        error: What it failed with, if it did.
        seconds: How long it took.
    """

    begun: list[float]
    waits: list[float]
    value: object
    error: PyasError | None
    seconds: float

    @property
    def sent(self) -> int:
        """How many requests were sent."""
        return len(self.begun)

    @property
    def outcome(self) -> str:
        """The outcome: the name of the error with the state of the write, or "returned"."""
        if self.error is None:
            return str(self.value) if self.value == END else "returned"
        state = self.error.write_state
        return type(self.error).__name__ + (f" {state}" if state else "")


def exchange_of(
    call: Call[Any],
    *,
    timeout: float | None = 30.0,
    deadline: float | None = 90.0,
    retry: RetryPolicy | None = None,
    quota: RetryQuota | None = None,
    waits_excluded: bool = False,
    mask: Callable[..., str] = redact,
) -> Exchange[Any]:
    """Begin a call at time 0."""
    limits = Limits(timeout=timeout, deadline=deadline, retry=retry or RetryPolicy(), waits_excluded=waits_excluded)
    return Exchange(call, limits, quota or RetryQuota(), now=0.0, mask=mask)


def play(
    call: Call[Any],
    events: Iterable[ResponseOrFault],
    *,
    took: Callable[[float | None], float] = lambda timeout: 0.0,
    jitter: float = 1.0,
    **bounds: Any,  # noqa: ANN401  (those of `exchange_of`)
) -> Played:
    """Run a call; each event comes after the seconds that `took` returns for the timeout of the attempt."""
    exchange = exchange_of(call, **bounds)
    now, begun, waits = 0.0, list[float](), list[float]()
    for event in events:
        action: object = exchange.next(now)
        if isinstance(action, Send):
            exchange.on_send(NOON)
            begun.append(now)
            now += took(action.timeout)
            if isinstance(event, Fault):
                action = exchange.on_fault(event, now=now, jitter=jitter)
            else:
                wall = NOON + timedelta(seconds=now)
                action = exchange.on_response(event, now=now, wall=wall, jitter=jitter)
        if isinstance(action, Return):
            return Played(begun, waits, action.value, None, now)
        if isinstance(action, Fail):
            return Played(begun, waits, None, action.error, now)
        assert isinstance(action, Wait)
        waits.append(action.seconds)
        now += action.seconds
    return Played(begun, waits, END, None, now)


def listing(not_after: float) -> Call[Any]:
    """Make a call that follows a page token."""
    query = (("accountId", "acc"), ("nextPageToken", "tok"))
    return Call(
        operation="meetings.list",
        method="GET",
        path="/zoom/meetings",
        read=codec.read_page,
        query=query,
        has_page_token=True,
        not_after=not_after,
    )
