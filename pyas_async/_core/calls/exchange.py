"""One call's life, as a machine that decides and does nothing.

::

    ready ──Send──▶ sent ──answer or fault──▶ Return | Fail
      ▲                │
      └────── Wait ◀───┘

The session asks, does what it is told, and reports back. Retries, the deadline, which 429 stops the whole key, and what
may be said of a write whose answer was lost are decided here and nowhere else.
"""

from collections.abc import Callable, Generator
from datetime import datetime
from http import HTTPStatus
from typing import Generic, TypeVar

import attrs
import msgspec

from pyas_async._core.calls.headers import retry_after
from pyas_async._core.calls.messages import Call, Fault, Repeat, Response
from pyas_async._core.calls.response_errors import error_of
from pyas_async._core.calls.retry import RetryQuota, pause
from pyas_async._core.codec import NotSuccessError, WrongMeetingError
from pyas_async._core.redact import redact
from pyas_async.errors import (
    APIStatusError,
    BudgetTimeoutError,
    ClientClosedError,
    DecodeError,
    NotFoundError,
    OutcomeUnknownError,
    PageTokenExpiredError,
    PyasError,
    RateLimitError,
    RequestTimeoutError,
    TransportError,
    WriteState,
)
from pyas_async.options import RetryPolicy

T = TypeVar("T")
_NEVER_BETTER = {HTTPStatus.NOT_IMPLEMENTED, HTTPStatus.HTTP_VERSION_NOT_SUPPORTED}
# "The same request, there": it was not carried out here. The other redirects may follow on a write that was.
_ELSEWHERE = {HTTPStatus.TEMPORARY_REDIRECT, HTTPStatus.PERMANENT_REDIRECT}
LONGEST_WAIT = 3600.0
"""Seconds that one answer makes anybody wait at most. The service's window is five minutes long: what says more than an
hour is another limit, or no time that anybody meant, and whoever called should hear of it now."""


# Structs, here and below: every call makes some of these, and they are made in no time.
class Send(msgspec.Struct):
    """Send the request; it may take so many seconds, the last byte included (``None``: any time).

    Within `start` seconds it must have a connection: after that, its page token is too old to be tried. If it is to be
    `fresh`, that is one which has carried nothing before.
    """

    limit: float | None
    start: float | None = None
    fresh: bool = False


class Wait(msgspec.Struct):
    """Wait so many seconds, then ask again."""

    seconds: float


class Return(msgspec.Struct, Generic[T]):
    """The call is done, with this value."""

    value: T


class Fail(msgspec.Struct):
    """The call is over, with this error."""

    error: PyasError


@attrs.frozen(kw_only=True)
class Limits:
    """What bounds a call.

    Attributes:
        timeout: Seconds for one attempt; ``None`` for no bound.
        deadline: Seconds for the whole call; ``None`` for no bound.
        retry: How often it is tried.
        patient: Whether waits for the call budget do not count towards the deadline: those of bulk calls.
    """

    timeout: float | None
    deadline: float | None
    retry: RetryPolicy
    patient: bool = False


def _too_old() -> PageTokenExpiredError:
    return PageTokenExpiredError("the page token is too old to be tried; nothing was sent", status=0)


class Exchange(Generic[T]):
    """The state of one call between its attempts.

    Attributes:
        call: What is sent.
        attempt: The number of the attempt, from 1; 0 before the first.
        pauses_key: Seconds for which the last answer stops the whole key; ``None`` if it does not.
    """

    def __init__(
        self, call: Call[T], limits: Limits, quota: RetryQuota, now: float, mask: Callable[..., str] = redact
    ) -> None:
        """Begin a call.

        Args:
            call: What to send.
            limits: What bounds it.
            quota: The retries that all calls may spend together.
            now: The monotonic clock.
            mask: Takes the secrets out of a text.
        """
        self.call = call
        self.attempt = 0
        self.pauses_key: float | None = None
        self._limits = limits
        self._quota = quota
        self.mask = mask
        self._ends = None if limits.deadline is None else now + limits.deadline
        self._going_out: datetime | None = None
        self._sent_at: datetime | None = None
        # An attempt of a write was sent, and nobody knows what it did.
        self._in_doubt = False
        # The last attempt got no answer.
        self._lost = False
        self._turned_away = False
        self._value: T | NotSuccessError | DecodeError | None = None

    def remaining(self, now: float) -> float | None:
        """Seconds until the deadline; ``None`` if there is none."""
        return None if self._ends is None else self._ends - now

    def patience(self, now: float, bound: float | None) -> float | None:
        """Seconds that the call may wait for a connection to be free; ``None`` if nothing bounds that."""
        ends = [None if self._limits.patient else self._ends, self.call.not_after]
        bounds = [bound, *(None if end is None else max(0.0, end - now) for end in ends)]
        return min((seconds for seconds in bounds if seconds is not None), default=None)

    def waited(self, seconds: float) -> None:
        """Take note of a wait for room in the call budget, or for a connection: a patient call's deadline moves."""
        if self._ends is not None and self._limits.patient:
            self._ends += seconds

    def next(self, now: float) -> Send | Fail:
        """Say what to do when the call is ready to be sent."""
        not_after, limit = self.call.not_after, self._limits.timeout
        if not_after is not None and now >= not_after:
            return Fail(_too_old())
        if self._ends is not None:
            left = self._ends - now
            if left <= 0:
                return Fail(self.out_of_time())
            if limit is None or left < limit:
                limit = left
        # The other side may be closing a connection that was used before, and then the request is lost. A create must
        # not be, since it is not repeated; and what was lost once must not be lost again to the next one like it.
        fresh = self.call.repeat is Repeat.CREATE or self._lost
        return Send(limit, None if not_after is None else not_after - now, fresh)

    def sending(self, wall: datetime) -> None:
        """Take note that an attempt goes out now."""
        self.attempt += 1
        self._going_out = wall
        self.pauses_key = None

    def no_connection(self, *, now: float, chance: float) -> Wait | Fail:
        """Decide after an attempt for which no connection was free in the time that it may wait for one."""
        self.attempt += 1
        return self.on_fault(Fault("timeout", "no connection was free in time", sent=False), now=now, chance=chance)

    def on_fault(self, fault: Fault, *, now: float, chance: float) -> Wait | Fail:
        """Decide after an attempt to which no whole answer came."""
        self._lost = True
        self._note_sent(fault)
        text = self.mask(fault.text)
        if not fault.sent and self._too_late_for_token(now):
            return Fail(_too_old())
        if fault.delivered:
            return Fail(self._of_write(DecodeError(text), "done"))
        if self._in_doubt and self.call.repeat is Repeat.CREATE:
            return Fail(self._unknown(text))
        wait = None if fault.hopeless else self._wait_before_retry(now, chance)
        return wait or Fail(self._unknown(text) if self._in_doubt else self._transport_error(fault, text))

    def reading(self, answer: Response) -> Generator[None, None, None]:
        """Read an answer in steps, if it can take long; between two of them, others may have the event loop."""
        if self.call.steps is None or not 200 <= answer.status < 300:
            return
        try:
            self._value = yield from self.call.steps(answer.body)
        except (NotSuccessError, DecodeError) as error:
            self._value = error

    def _read(self, body: bytes) -> T:
        """Give what was read in steps, or read it now."""
        value, self._value = self._value, None
        if isinstance(value, (NotSuccessError, DecodeError)):
            raise value
        return self.call.read(body) if value is None else value

    def on_answer(self, answer: Response, *, now: float, wall: datetime, chance: float) -> Wait | Return[T] | Fail:
        """Decide after an answer."""
        self._lost = False
        self._sent_at = self._going_out
        document = None
        if 200 <= answer.status < 300:
            try:
                value = self._read(answer.body)
            except NotSuccessError as refused:
                document = refused.document
            except DecodeError as error:
                return self._unreadable(error)
            else:
                self._quota.succeeded()
                return Return(value)
        failure = error_of(answer, document, now=wall, carries_token=self.call.carries_token, mask=self.mask)
        if isinstance(failure, RateLimitError):
            return self._on_limit(failure, now, chance)
        return self._on_error(failure, answer, now=now, wall=wall, chance=chance)

    def _unreadable(self, error: DecodeError) -> Fail:
        masked = DecodeError(self.mask(error.reason), path=error.path, excerpt=self.mask(error.excerpt))
        return Fail(self._of_write(masked, "unknown" if isinstance(error, WrongMeetingError) else "done"))

    def on_closed(self, fault: Fault | None = None) -> Fail:
        """Decide when the client was closed under the call."""
        if fault is not None:
            self._note_sent(fault)
        return Fail(self.failed(ClientClosedError(f"{self.call.operation}: the client was closed under the call")))

    def out_of_time(self) -> PyasError:
        """Give the error of a call whose deadline passed while it was not on the wire."""
        message = f"{self.call.operation}: the deadline of {self._limits.deadline:g} s passed before an attempt"
        return self.failed(RequestTimeoutError(message))

    def failed(self, error: PyasError) -> PyasError:
        """Complete an error from outside of the exchange with what is known of the write."""
        if not self._in_doubt:
            return self._of_write(error, "not_sent")
        if isinstance(error, (BudgetTimeoutError, RequestTimeoutError)):
            return self._unknown(str(error))
        return self._of_write(error, "unknown")

    def _too_late_for_token(self, now: float) -> bool:
        # The page: "This token expires after 15 minutes". A call that can be known to be useless is not made.
        return self.call.not_after is not None and now >= self.call.not_after

    def _note_sent(self, fault: Fault) -> None:
        if fault.sent:
            self._sent_at = self._going_out
            self._in_doubt = self._in_doubt or self.call.writes

    def _on_limit(self, error: RateLimitError, now: float, chance: float) -> Wait | Fail:
        self._turned_away = True
        rejected = Fail(self._of_write(error, "rejected"))
        drawn = pause(self._limits.retry, self.attempt, chance)
        if error.scope == "key":
            # Pyas's own limit: nobody with this key gets anything before it ends. The scheduler holds all of them back.
            asked = drawn if error.retry_after is None else error.retry_after
            self.pauses_key = min(asked, LONGEST_WAIT)
            left = None if self._limits.patient else self.remaining(now)
            too_late = asked > LONGEST_WAIT or (left is not None and asked >= left)
            return rejected if too_late or self.attempt >= self._limits.retry.max_attempts else Wait(0.0)
        if error.scope == "unknown" and error.retry_after is not None:
            return self._wait_before_retry(now, chance, error.retry_after) or rejected
        # Zoom's own, passed through. Waiting for another day is pointless; where nothing is said, it may be that.
        return rejected

    def _on_error(
        self, error: APIStatusError, answer: Response, *, now: float, wall: datetime, chance: float
    ) -> Wait | Return[T] | Fail:
        if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR or error.status == HTTPStatus.REQUEST_TIMEOUT:
            self._in_doubt = self._in_doubt or self.call.writes
            again = self.call.repeat is not Repeat.CREATE and error.status not in _NEVER_BETTER
            wait = self._wait_before_retry(now, chance, retry_after(answer.headers, wall)) if again else None
            return wait or Fail(self._of_write(error, "unknown"))
        if self._already_deleted(error):
            return Return(self.call.read(b""))
        redirected = HTTPStatus.MULTIPLE_CHOICES <= error.status < HTTPStatus.BAD_REQUEST
        unclear = redirected and error.status not in _ELSEWHERE
        return Fail(self._of_write(error, "unknown" if unclear else "rejected"))

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
        if (asked or 0.0) > LONGEST_WAIT or (left is not None and seconds >= left):
            return None
        if self.call.not_after is not None and now + seconds >= self.call.not_after and asked is None:
            seconds = 0.0
        return Wait(seconds) if self._quota.take() else None

    def _of_write(self, error: PyasError, state: WriteState) -> PyasError:
        if self.call.writes:
            if state == "not_sent" and self._turned_away:
                state = "rejected"
            error.write_state = state if state == "done" or not self._in_doubt else "unknown"
        return error

    def _transport_error(self, fault: Fault, text: str) -> PyasError:
        tries = "" if self.attempt == 1 else f" (after {self.attempt} attempts)"
        cls = RequestTimeoutError if fault.kind == "timeout" else TransportError
        return self._of_write(cls(f"{self.call.operation}: {text}{tries}"), "not_sent")

    def _unknown(self, text: str) -> OutcomeUnknownError:
        call = self.call
        verb = call.operation.rpartition(".")[2]
        about = "" if call.meeting_id is None else f" of meeting {call.meeting_id}"
        assert self._sent_at is not None  # noqa: S101  (there is no doubt before something was sent)
        return OutcomeUnknownError(
            f"{call.operation}: the {verb}{about} was sent at {self._sent_at:%H:%M:%S} UTC, and no answer came "
            f"({text}); it may have been carried out. Look before you do it again",
            operation=call.operation,
            meeting_id=call.meeting_id,
            sent_at=self._sent_at,
        )
