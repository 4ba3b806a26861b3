"""The states of one call. The state machine only decides: it sends nothing, and does not wait.

::

    ready ──Send──▶ sent ──response or fault──▶ Return | Fail
      ▲                │
      └────── Wait ◀───┘

The execution (`_runtime/calls/execution.py`) asks for an action, carries it out, and reports the result. Only this
module decides about retries, about the deadline, about which 429 pauses the whole key, and about what is known of a
write that got no response.
"""

from collections.abc import Callable, Generator, Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Generic, TypeVar

from pyas_async._base_errors import in_seconds
from pyas_async._core.calls.headers import retry_after, without_outage
from pyas_async._core.calls.messages import Call, Fail, Fault, Repeat, Response, Return, Send, Wait
from pyas_async._core.calls.response_errors import error_from_response
from pyas_async._core.calls.retry import Limits, RetryQuota, backoff
from pyas_async._core.codec import NotSuccessError, UnmaskedDecodeError, WrongMeetingError
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

T = TypeVar("T")
_NOT_RETRIED = {HTTPStatus.NOT_IMPLEMENTED, HTTPStatus.HTTP_VERSION_NOT_SUPPORTED}
# These two mean "send the same request to another address": the service has not carried it out. The other redirects may
# follow a write that was carried out.
_REDIRECTS_WITHOUT_EFFECT = {HTTPStatus.TEMPORARY_REDIRECT, HTTPStatus.PERMANENT_REDIRECT}
MAX_WAIT = 3600.0
"""The longest wait, in seconds, that a response can impose. The service's window is five minutes long: a response that
names more than an hour means another limit, or is a mistake, and the caller should get the error at once."""


class Exchange(Generic[T]):
    """The state of one call between its attempts.

    Attributes:
        call: What is sent.
        attempt: The number of the attempt, from 1; 0 before the first.
        key_pause: Seconds for which the last response pauses the whole key; ``None`` if it does not.
        mask: Removes the secrets from a text.
    """

    def __init__(
        self, call: Call[T], limits: Limits, quota: RetryQuota, now: float, mask: Callable[..., str] = redact
    ) -> None:
        """Begin a call.

        Args:
            call: What to send.
            limits: Its limits.
            quota: The retries that all calls of a client share.
            now: The monotonic clock.
            mask: Removes the secrets from a text.
        """
        self.call = call
        self.attempt = 0
        self.key_pause: float | None = None
        self.mask = mask
        self._limits = limits
        # What ends the attempt that was allowed last, and the last wait for a connection, if time ends it.
        self._ended_by_deadline = False
        self._connection_bound = ""
        self._quota = quota
        self._deadline = None if limits.deadline is None else now + limits.deadline
        self._attempt_at: datetime | None = None
        # The last attempt that may have reached the service.
        self._sent_at: datetime | None = None
        # An attempt of a write may have reached the service, and no response says whether it was carried out.
        self._outcome_unknown = False
        self._last_attempt_failed = False
        self._rate_limited = False
        self._value: T | NotSuccessError | DecodeError | None = None

    def remaining(self, now: float) -> float | None:
        """Return the seconds until the deadline; ``None`` if there is none."""
        return None if self._deadline is None else self._deadline - now

    def max_connection_wait(self, now: float, limit: float | None) -> float | None:
        """Return the seconds that the call may wait for a free connection; ``None`` for no limit.

        Args:
            now: The monotonic clock.
            limit: The limit that the caller has set.
        """
        bounds: list[tuple[float, str]] = []
        if limit is not None:
            bounds.append((limit, f"{in_seconds(limit)} (timeout.pool)"))
        if self._deadline is not None and not self._limits.waits_excluded:
            bounds.append((max(0.0, self._deadline - now), self._limits.deadline_text))
        if self.call.not_after is not None:
            bounds.append((max(0.0, self.call.not_after - now), "the life of the page token (page_token_ttl=)"))
        seconds, self._connection_bound = min(bounds, default=(None, ""))
        return seconds

    def next(self, now: float) -> Send | Fail:
        """Decide what to do with a call that is ready to be sent."""
        not_after, timeout = self.call.not_after, self._limits.timeout
        if self._token_is_too_old(now):
            return Fail(_token_error())
        if self._deadline is not None:
            left = self._deadline - now
            if left <= 0:
                return Fail(self.deadline_error())
            self._ended_by_deadline = timeout is None or left < timeout
            if timeout is None or left < timeout:
                timeout = left
        # The service may close a reused connection just as a request is written to it, and the request is lost. A
        # create is never repeated, so it gets a new connection. So does a retry: it must not be lost this way again.
        fresh = self.call.repeat is Repeat.CREATE or self._last_attempt_failed
        return Send(timeout, None if not_after is None else not_after - now, fresh)

    def on_wait(self, seconds: float) -> None:
        """Note a wait for the call budget or for a connection: it extends a deadline that excludes waits."""
        if self._deadline is not None and self._limits.waits_excluded:
            self._deadline += seconds

    def on_send(self, wall: datetime) -> None:
        """Note that an attempt begins now."""
        self.attempt += 1
        self._attempt_at = wall
        self.key_pause = None

    def on_no_connection(self, *, now: float, jitter: float) -> Wait | Fail:
        """Decide after an attempt for which no connection became free in time."""
        self.attempt += 1
        text = f"no connection was free within {self._connection_bound}"
        return self.on_fault(Fault("timeout", text, sent=False), now=now, jitter=jitter)

    def limit_headers(self, response: Response) -> Mapping[str, str]:
        """Return the headers of a response, after `on_response`, that say what is left of the key's limit."""
        if response.status == HTTPStatus.TOO_MANY_REQUESTS and self.key_pause is None:
            return {}  # one of Zoom's limits: its headers do not show how much of the key's limit is left
        outage = response.status >= HTTPStatus.INTERNAL_SERVER_ERROR
        return without_outage(response.headers) if outage else response.headers

    def describe(self, fault: Fault) -> str:
        """Return the text of a fault, masked, with the setting whose time has passed if that is the reason."""
        text = self.mask(fault.text)
        if not fault.out_of_time:
            return text
        bound = self._limits.deadline_text if self._ended_by_deadline else self._limits.timeout_text
        return f"{text} within {bound}"

    def on_fault(self, fault: Fault, *, now: float, jitter: float) -> Wait | Fail:
        """Decide after an attempt without a complete response."""
        self._last_attempt_failed = True
        self._note_sent(fault)
        text = self.describe(fault)
        if not fault.sent and self._token_is_too_old(now):
            return Fail(_token_error())
        if fault.carried_out:
            return Fail(self._with_state(DecodeError(text), "done"))
        if self._outcome_unknown and self.call.repeat is Repeat.CREATE:
            return Fail(self._unknown_error(text))
        wait = None if fault.permanent else self._wait_before_retry(now, jitter)
        return wait or Fail(self._unknown_error(text) if self._outcome_unknown else self._transport_error(fault, text))

    def read_in_steps(self, response: Response) -> Generator[None, None, None]:
        """Read a response in steps if that can take long, so that other tasks can run between two of them."""
        if self.call.steps is None or not 200 <= response.status < 300:
            return
        try:
            self._value = yield from self.call.steps(response.body)
        except (NotSuccessError, DecodeError) as error:
            self._value = error

    def on_response(self, response: Response, *, now: float, wall: datetime, jitter: float) -> Wait | Return[T] | Fail:
        """Decide after a response."""
        self._last_attempt_failed = False
        self._sent_at = self._attempt_at
        document = None
        if 200 <= response.status < 300:
            try:
                value = self._read(response.body)
            except NotSuccessError as refused:
                document = refused.document
            except DecodeError as error:
                return self._on_unreadable(error)
            else:
                self._quota.on_success()
                return Return(value)
        failure = error_from_response(
            response,
            document,
            now=wall,
            has_page_token=self.call.has_page_token,
            mask=self.mask,
            account=self.call.account,
        )
        if isinstance(failure, RateLimitError):
            return self._on_rate_limit(failure, now, jitter)
        return self._on_error(failure, response, now=now, wall=wall, jitter=jitter)

    def on_closed(self, fault: Fault | None = None) -> Fail:
        """Decide when the client was closed during the call."""
        if fault is not None:
            self._note_sent(fault)
        error = ClientClosedError(f"{self.call.operation}: the client was closed during the call")
        return Fail(self.with_write_state(error))

    def deadline_error(self) -> PyasError:
        """Return the error of a call whose deadline passed while no request was in flight."""
        message = f"{self.call.operation}: {self._limits.deadline_text} passed before an attempt"
        return self.with_write_state(RequestTimeoutError(message))

    def with_write_state(self, error: PyasError) -> PyasError:
        """Return an error that was raised outside of the exchange, with the state of the write added."""
        if not self._outcome_unknown:
            return self._with_state(error, "not_sent")
        if isinstance(error, (BudgetTimeoutError, RequestTimeoutError)):
            return self._unknown_error(str(error))
        return self._with_state(error, "unknown")

    def _read(self, body: bytes) -> T:
        value, self._value = self._value, None
        if isinstance(value, (NotSuccessError, DecodeError)):
            try:
                raise value
            finally:
                del value  # the traceback leads to this frame, and must not come back to the error
        return self.call.read(body) if value is None else value

    def _token_is_too_old(self, now: float) -> bool:
        # The service's documentation: "This token expires after 15 minutes". A call that must fail is not made.
        return self.call.not_after is not None and now >= self.call.not_after

    def _note_sent(self, fault: Fault) -> None:
        if fault.sent:
            self._sent_at = self._attempt_at
            self._outcome_unknown = self._outcome_unknown or self.call.writes

    def _on_unreadable(self, error: DecodeError) -> Fail:
        state: WriteState = "unknown" if isinstance(error, WrongMeetingError) else "done"
        masked = error.masked(self.mask) if isinstance(error, UnmaskedDecodeError) else error
        return Fail(self._with_state(masked, state))

    def _on_rate_limit(self, error: RateLimitError, now: float, jitter: float) -> Wait | Fail:
        self._rate_limited = True
        rejected = Fail(self._with_state(error, "rejected"))
        if error.scope == "key":
            # Pyas's own limit: no call with this key succeeds before it ends. The rate limiter holds all of them back.
            own = backoff(self._limits.retry, self.attempt, jitter)
            requested = error.retry_after or own  # a wait of 0 seconds would be a busy loop
            self.key_pause = min(requested, MAX_WAIT)
            left = None if self._limits.waits_excluded else self.remaining(now)
            too_long = requested > MAX_WAIT or (left is not None and requested >= left)
            return rejected if too_long or self.attempt >= self._limits.retry.max_attempts else Wait(0.0)
        if error.scope == "unknown" and error.retry_after is not None:
            return self._wait_before_retry(now, jitter, error.retry_after) or rejected
        # Pyas passed on a limit of Zoom's, which may last until the next day, so a wait would be pointless. A limit of
        # unknown scope and without a time may be the same one.
        return rejected

    def _on_error(
        self, error: APIStatusError, response: Response, *, now: float, wall: datetime, jitter: float
    ) -> Wait | Return[T] | Fail:
        if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR or error.status == HTTPStatus.REQUEST_TIMEOUT:
            self._outcome_unknown = self._outcome_unknown or self.call.writes
            again = self.call.repeat is not Repeat.CREATE and error.status not in _NOT_RETRIED
            wait = self._wait_before_retry(now, jitter, retry_after(response.headers, wall)) if again else None
            return wait or Fail(self._with_state(error, "unknown"))
        if self._was_deleted_before(error):
            return Return(self.call.read(b""))
        redirected = HTTPStatus.MULTIPLE_CHOICES <= error.status < HTTPStatus.BAD_REQUEST
        unclear = redirected and error.status not in _REDIRECTS_WITHOUT_EFFECT
        return Fail(self._with_state(error, "unknown" if unclear else "rejected"))

    def _was_deleted_before(self, error: APIStatusError) -> bool:
        # If a DELETE finds no meeting after an earlier attempt without a response, that attempt has deleted it. An
        # error about an unknown account does not show that the meeting is gone. Zoom's own code for a meeting that does
        # not exist may come with another status.
        not_found = isinstance(error, NotFoundError) or error.status == HTTPStatus.GONE or str(error.code) == "3001"
        return (
            not_found
            and "account" not in error.message.lower()
            and self._outcome_unknown
            and self.call.method == "DELETE"
        )

    def _wait_before_retry(self, now: float, jitter: float, requested: float | None = None) -> Wait | None:
        """Return the wait before the next attempt; ``None`` if there must not be one.

        `requested` is the wait that the service asks for. The jitter is added to it, so that clients which got the same
        number do not retry at the same time.
        """
        if self.attempt >= self._limits.retry.max_attempts:
            return None
        own = backoff(self._limits.retry, self.attempt, jitter)
        seconds = own if requested is None else requested + min(own, 1.0)
        left = self.remaining(now)
        if (requested or 0.0) > MAX_WAIT or (left is not None and seconds >= left):
            return None
        if requested is None and self._token_is_too_old(now + seconds):
            seconds = 0.0
        return Wait(seconds) if self._quota.try_spend() else None

    def _with_state(self, error: PyasError, state: WriteState) -> PyasError:
        if self.call.writes:
            if state == "not_sent" and self._rate_limited:
                state = "rejected"
            error.write_state = state if state == "done" or not self._outcome_unknown else "unknown"
        return error

    def _transport_error(self, fault: Fault, text: str) -> PyasError:
        attempts = "" if self.attempt == 1 else f" (after {self.attempt} attempts)"
        cls = RequestTimeoutError if fault.kind == "timeout" else TransportError
        return self._with_state(cls(f"{self.call.operation}: {text}{attempts}"), "not_sent")

    def _unknown_error(self, text: str) -> OutcomeUnknownError:
        call = self.call
        verb = call.operation.rpartition(".")[2]
        about = "" if call.meeting_id is None else f" of meeting {self.mask(str(call.meeting_id))}"
        assert self._sent_at is not None  # noqa: S101  (an outcome is unknown only after a request was sent)
        return OutcomeUnknownError(
            f"{call.operation}: the {verb}{about} was sent at {self._sent_at:%H:%M:%S} UTC, and no response came "
            f"({text}); it may have been carried out. Look before you do it again",
            operation=call.operation,
            meeting_id=call.meeting_id,
            sent_at=self._sent_at,
        )


def _token_error() -> PageTokenExpiredError:
    return PageTokenExpiredError("the page token is too old to be tried (page_token_ttl=); nothing was sent", status=0)
