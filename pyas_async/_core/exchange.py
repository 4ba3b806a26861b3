"""One call's life, as a machine that decides and does nothing.

::

    ready ──Send──▶ sent ──answer or fault──▶ Return | Fail
      ▲                │
      └────── Wait ◀───┘

The session asks, does what it is told, and reports back. Retries, the deadline, and what may be said of a write whose
answer was lost are decided here and nowhere else.
"""

from collections.abc import Iterable
from datetime import datetime
from http import HTTPStatus
from typing import Generic, TypeAlias, TypeVar

import attrs

from pyas_async._core.codec import Refused
from pyas_async._core.messages import Answer, Call, Fault, Repeat
from pyas_async._core.retry import RetryQuota, pause
from pyas_async._core.status import error_of, retry_after
from pyas_async.errors import (
    APIStatusError,
    DecodeError,
    NotFoundError,
    OutcomeUnknownError,
    PageTokenExpiredError,
    PyasError,
    RateLimitError,
    RequestTimeoutError,
    TransportError,
)
from pyas_async.options import RetryPolicy

T = TypeVar("T")
_NEVER_BETTER = {HTTPStatus.NOT_IMPLEMENTED, HTTPStatus.HTTP_VERSION_NOT_SUPPORTED}


@attrs.frozen
class Send:
    """Send the request; it may take so many seconds, the last byte included (``None``: any time)."""

    limit: float | None


@attrs.frozen
class Wait:
    """Wait so many seconds, then ask again."""

    seconds: float


@attrs.frozen
class Return(Generic[T]):
    """The call is done, with this value."""

    value: T


@attrs.frozen
class Fail:
    """The call is over, with this error."""

    error: PyasError


Action: TypeAlias = Send | Wait | Return[T] | Fail


@attrs.frozen(kw_only=True)
class Limits:
    """What bounds a call.

    Attributes:
        timeout: Seconds for one attempt; ``None`` for no bound.
        deadline: Seconds for the whole call; ``None`` for no bound.
        retry: How often it is tried.
    """

    timeout: float | None
    deadline: float | None
    retry: RetryPolicy


class Exchange(Generic[T]):
    """The state of one call between its attempts."""

    def __init__(self, call: Call[T], limits: Limits, quota: RetryQuota, *, now: float) -> None:
        """Begin a call at the given (monotonic) time."""
        self.call = call
        self.attempt = 0
        self._limits = limits
        self._quota = quota
        self._ends = None if limits.deadline is None else now + limits.deadline
        self._sent_at: datetime | None = None
        # An attempt of a write was sent, and nobody knows what it did.
        self._in_doubt = False

    def remaining(self, now: float) -> float | None:
        """Seconds until the deadline; ``None`` if there is none."""
        return None if self._ends is None else self._ends - now

    def not_counted(self, seconds: float) -> None:
        """Move the deadline by a wait that does not count: a bulk call's wait for the budget."""
        if self._ends is not None:
            self._ends += seconds

    def next(self, now: float) -> Send | Fail:
        """Say what to do when the call is ready to be sent."""
        if self.call.not_after is not None and now >= self.call.not_after:
            # The page: "This token expires after 15 minutes". A call that can be known to be useless is not made.
            return Fail(PageTokenExpiredError("the page token is too old to be tried; nothing was sent", status=0))
        left = self.remaining(now)
        if left is not None and left <= 0:
            return self._out_of_time()
        limits = [seconds for seconds in (left, self._limits.timeout) if seconds is not None]
        return Send(min(limits) if limits else None)

    def sending(self, wall: datetime) -> None:
        """Take note that an attempt goes out now."""
        self.attempt += 1
        self._sent_at = wall

    def on_fault(self, fault: Fault, *, now: float, chance: float) -> Wait | Fail:
        """Decide after an attempt to which no whole answer came."""
        lost = fault.sent and self.call.writes
        self._in_doubt = self._in_doubt or lost
        if lost and self.call.repeat is Repeat.CREATE:
            return Fail(self._unknown(fault))
        wait = None if fault.hopeless else self._wait_before_retry(now, chance)
        return wait or Fail(self._unknown(fault) if self._in_doubt else self._transport_error(fault))

    def on_answer(
        self, answer: Answer, *, now: float, wall: datetime, chance: float, secrets: Iterable[str] = ()
    ) -> Wait | Return[T] | Fail:
        """Decide after an answer."""
        document = None
        if HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES:
            try:
                value = self.call.read(answer.body)
            except Refused as refused:
                document = refused.document
            except DecodeError as unreadable:
                return Fail(self._of_write(unreadable, "done"))
            else:
                self._quota.succeeded()
                return Return(value)
        secrets = tuple(secrets)
        error = error_of(answer, document, now=wall, carries_token=self.call.carries_token, secrets=secrets)
        return self._on_error(error, answer, now=now, wall=wall, chance=chance)

    def _on_error(
        self, error: APIStatusError, answer: Answer, *, now: float, wall: datetime, chance: float
    ) -> Wait | Return[T] | Fail:
        if isinstance(error, RateLimitError):
            waiting_helps = error.scope in ("key", "unknown")
            wait = self._wait_before_retry(now, chance, error.retry_after) if waiting_helps else None
            return wait or Fail(self._of_write(error, "rejected"))
        if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR or error.status == HTTPStatus.REQUEST_TIMEOUT:
            self._in_doubt = self._in_doubt or self.call.writes
            again = self.call.repeat is not Repeat.CREATE and error.status not in _NEVER_BETTER
            wait = self._wait_before_retry(now, chance, retry_after(answer.headers, wall)) if again else None
            return wait or Fail(self._of_write(error, "unknown"))
        if self._already_deleted(error):
            return Return(self.call.read(b""))
        return Fail(self._of_write(error, "rejected"))

    def _already_deleted(self, error: APIStatusError) -> bool:
        # A DELETE that finds nothing after an attempt of its own whose answer was lost has done its work. An account
        # that is not found is another matter.
        gone = isinstance(error, NotFoundError) and "account" not in error.message.lower()
        return gone and self._in_doubt and self.call.method == "DELETE"

    def _wait_before_retry(self, now: float, chance: float, asked: float | None = None) -> Wait | None:
        """Give the pause before the next attempt; ``None`` if there must not be one."""
        if self.attempt >= self._limits.retry.max_attempts:
            return None
        drawn = pause(self._limits.retry, self.attempt, chance)
        # What the service asks for is a floor; the jitter above it keeps a crowd from coming back in step.
        seconds = drawn if asked is None else asked + min(drawn, 1.0)
        left = self.remaining(now)
        if left is not None and seconds >= left:
            return None
        if self.call.not_after is not None and now + seconds >= self.call.not_after and asked is None:
            seconds = 0.0
        return Wait(seconds) if self._quota.take() else None

    def _out_of_time(self) -> Fail:
        error = RequestTimeoutError(
            f"{self.call.operation}: the deadline of {self._limits.deadline:g} s passed before an attempt"
        )
        return Fail(self._of_write(error, "not_sent"))

    def _of_write(self, error: PyasError, state: str) -> PyasError:
        if self.call.writes:
            settled = state == "done" or not self._in_doubt
            error.write_state = state if settled else "unknown"  # type: ignore[assignment]
        return error

    def _transport_error(self, fault: Fault) -> TransportError:
        tries = "" if self.attempt == 1 else f" (after {self.attempt} attempts)"
        cls = RequestTimeoutError if fault.kind == "timeout" else TransportError
        error = cls(f"{self.call.operation}: {fault.text}{tries}")
        self._of_write(error, "not_sent")
        return error

    def _unknown(self, fault: Fault) -> OutcomeUnknownError:
        call = self.call
        verb = call.operation.rpartition(".")[2]
        about = "" if call.meeting_id is None else f" of meeting {call.meeting_id}"
        assert self._sent_at is not None  # noqa: S101  (a fault comes after sending)
        return OutcomeUnknownError(
            f"{call.operation}: the {verb}{about} was sent at {self._sent_at:%H:%M:%S} UTC, and no answer came "
            f"({fault.text}); it may have been carried out. Look before you do it again",
            operation=call.operation,
            meeting_id=call.meeting_id,
            sent_at=self._sent_at,
        )
