"""One call played through the exchange, without a network: what happened in turn goes in, the last word comes out."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeAlias

import attrs

from core.tools import NOON, answer
from pyas_async import PyasError, RetryPolicy, from_dict
from pyas_async._core import codec
from pyas_async._core.calls.endpoints import create_meeting, delete_meeting, get_meeting, update_meeting
from pyas_async._core.calls.exchange import Exchange, Fail, Limits, Return, Send, Wait
from pyas_async._core.calls.messages import Call, Fault, Response
from pyas_async._core.calls.retry import RetryQuota
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
LATE = Fault("timeout", "read timed out", sent=True)
UNSENT = Fault("network", "refused", sent=False)
HOPELESS = Fault("network", "bad certificate", sent=False, hopeless=True)
MEETING = answer(200, {"success": True, "meeting": {"id": 1}})
GARBAGE = answer(200, b"<html>")
KEY_LIMIT = answer(429, {"message": "Too many requests!", "code": 429, "error": "Rate limit exceeded"})
DAY_LIMIT = answer(429, {"code": 429, "message": "You have reached the maximum daily rate limit for this API."})

FAILED = answer(500, {"error": "x"})
NEVER = answer(501, {"error": "x"})
REFUSED = answer(200, {"success": False, "error": "x"})
GONE = answer(404, {"code": 3001, "message": "Meeting does not exist"})
NO_ACCOUNT = answer(404, {"success": False, "error": "Invalid account id. Account Not Found", "code": 404})
BAD = answer(400, {"error": "x"})

Happening: TypeAlias = Response | Fault
END = "the events ran out"


@attrs.frozen
class Played:
    """How a call went.

    Attributes:
        begun: When each request went out.
        waits: The pauses between.
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
        """How many requests went out."""
        return len(self.begun)

    @property
    def outcome(self) -> str:
        """The last word: the error's name with what became of the write, or "returned"."""
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
    patient: bool = False,
    mask: Callable[..., str] = redact,
) -> Exchange[Any]:
    """Begin a call at the time zero."""
    limits = Limits(timeout=timeout, deadline=deadline, retry=retry or RetryPolicy(), patient=patient)
    return Exchange(call, limits, quota or RetryQuota(), now=0.0, mask=mask)


def play(
    call: Call[Any],
    events: Iterable[Happening],
    *,
    took: Callable[[float | None], float] = lambda limit: 0.0,
    chance: float = 1.0,
    **bounds: Any,  # noqa: ANN401  (as `exchange_of` has them)
) -> Played:
    """Play the events against a call, each after the seconds that `took` makes of the attempt's limit."""
    exchange = exchange_of(call, **bounds)
    now, begun, waits = 0.0, list[float](), list[float]()
    for event in events:
        action: object = exchange.next(now)
        if isinstance(action, Send):
            exchange.sending(NOON)
            begun.append(now)
            now += took(action.limit)
            if isinstance(event, Fault):
                action = exchange.on_fault(event, now=now, chance=chance)
            else:
                wall = NOON + timedelta(seconds=now)
                action = exchange.on_answer(event, now=now, wall=wall, chance=chance)
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
        carries_token=True,
        not_after=not_after,
    )
