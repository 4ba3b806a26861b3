"""Every error that pyas_async raises.

::

    PyasError
    ├── ConfigurationError                    the client was set up wrongly
    ├── InvalidArgumentError (ValueError)     refused before anything was sent
    │   └── CheckpointError                   damaged, other version, other filters
    ├── APIStatusError                        the service answered, with an error
    │   ├── BadRequestError                   400
    │   ├── AuthenticationError               401
    │   ├── PermissionDeniedError             403
    │   ├── NotFoundError                     404
    │   ├── RateLimitError                    429
    │   ├── ServerError                       5xx
    │   └── PageTokenExpiredError             the 15 minutes of a page token are over
    ├── TransportError                        no whole answer arrived
    │   └── RequestTimeoutError (TimeoutError)
    ├── DecodeError                           an answer that cannot be read
    ├── OutcomeUnknownError                   a write was sent, and its answer lost
    ├── BudgetTimeoutError (TimeoutError)     the call budget cannot serve the call in time
    ├── PaginationError                       a listing that cannot be walked
    │   ├── PaginationLoopError               the service sends a page token again and again
    │   └── PaginationIncompleteError         rows are missing at the end
    ├── ClientClosedError                     used after ``aclose()``
    └── WrongEventLoopError                   used from a second event loop

All of them pickle, and none holds an httpx object: its request would carry the API key.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import attrs

if TYPE_CHECKING:
    from pyas_async.checkpoints import Checkpoint
    from pyas_async.models import Meeting

WriteState: TypeAlias = Literal["not_sent", "rejected", "done", "unknown"]
"""What became of a write that raised: never sent, turned away, carried out, or nobody can tell."""

RateLimitScope: TypeAlias = Literal["key", "host_day", "month", "unknown"]
"""Which limit a 429 speaks of: the API key's window, the host's day at Zoom, the plan's month, or an unknown one."""


def _rebuild(cls: type["PyasError"], args: tuple[Any, ...], state: dict[str, Any]) -> "PyasError":
    error = cls.__new__(cls, *args)
    error.args = args  # which OSError, the base of TimeoutError, does not take from its constructor's arguments
    error.__dict__.update(state)
    return error


class PyasError(Exception):
    """The root of all errors of this library.

    Attributes:
        checkpoint: Where an iteration stood when it raised; ``None`` for everything else.
        write_state: What became of the write that raised; ``None`` for reads and for errors that are no call's.
    """

    def __init__(self, message: str) -> None:
        """Hold the message; what else there is to say is in attributes."""
        super().__init__(message)
        self.checkpoint: Checkpoint | None = None
        self.write_state: WriteState | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle by state, since the constructors of subclasses differ."""
        return _rebuild, (type(self), self.args, vars(self))


class ConfigurationError(PyasError):
    """The client cannot be set up like this; the message says which setting and what it may be."""


class InvalidArgumentError(PyasError, ValueError):
    """An argument was refused before anything was sent.

    Attributes:
        field: The argument or model field, as in ``start_date``; with its place in a list, as in ``attendees[2]``.
        expected: What is allowed.
        got: What came, as text; secrets are not echoed.
    """

    def __init__(self, field: str, expected: str, got: object, *, hint: str = "") -> None:
        """Say where, what was expected, and what came."""
        self.field = field
        self.expected = expected
        self.got: str = _shorten(got) if isinstance(got, str) and got.startswith("<") else shown(got)
        super().__init__(f"{field}: expected {expected}, got {self.got}" + (f". {hint}" if hint else ""))


class CheckpointError(InvalidArgumentError):
    """A checkpoint that is damaged, of another version, or of another listing."""


@attrs.frozen
class FieldError:
    """One complaint of the service about one field.

    Attributes:
        message: The service's words.
        field: The field that it names; ``None`` if it names none.
    """

    message: str
    field: str | None = None


class APIStatusError(PyasError):
    """The service answered with an error.

    Attributes:
        status: The HTTP status. 200 where a success status came with ``"success": false``; 0 where a page token was
            known to be dead and nothing was sent.
        code: The code in the body, which may be Zoom's rather than the status; ``None`` if there is none.
        message: The service's words, shortened and masked.
        errors: The complaints field by field, if it made any.
        request_id: The request's id for the vendor's support, if the answer named one.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int,
        code: int | str | None = None,
        errors: Sequence[FieldError] = (),
        request_id: str | None = None,
    ) -> None:
        """Keep what the answer said."""
        self.status = status
        self.code = code
        self.message = message
        self.errors: tuple[FieldError, ...] = tuple(errors)
        self.request_id = request_id
        super().__init__(self._describe())

    def _describe(self) -> str:
        text = f"{self.status}: {self.message}"
        if self.code is not None and self.code != self.status:
            text += f" (code {self.code})"
        fields = [error.field for error in self.errors if error.field]
        if fields:
            text += f" [{_shorten(', '.join(fields))}]"
        if self.request_id:
            text += f" (request {self.request_id})"
        return text


class BadRequestError(APIStatusError):
    """400: the service refused the request as it stands."""


class AuthenticationError(APIStatusError):
    """401: the API key is missing, wrong or expired."""


class PermissionDeniedError(APIStatusError):
    """403: the key has no right to this."""


class NotFoundError(APIStatusError):
    """404: no such account or meeting."""


class RateLimitError(APIStatusError):
    """429: a limit is used up.

    Attributes:
        retry_after: Seconds until the limit may be free again; ``None`` if the answer did not say.
        scope: Which limit it is. Waiting helps with ``"key"``; ``"host_day"`` ends at midnight UTC, ``"month"`` with
            the month.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int = 429,
        code: int | str | None = None,
        errors: Sequence[FieldError] = (),
        request_id: str | None = None,
        retry_after: float | None = None,
        scope: RateLimitScope = "unknown",
    ) -> None:
        """Keep what the answer said of the limit."""
        self.retry_after = retry_after
        self.scope: RateLimitScope = scope
        super().__init__(message, status=status, code=code, errors=errors, request_id=request_id)

    def _describe(self) -> str:
        when = "" if self.retry_after is None else f" (free again in {self.retry_after:.0f} s)"
        return super()._describe() + when


class ServerError(APIStatusError):
    """5xx: the service failed."""


class PageTokenExpiredError(APIStatusError):
    """The page token is no longer valid: 15 minutes after it was issued, it dies.

    ``iter_all`` recovers from this by itself, unless told ``on_expired="raise"``.
    """


class TransportError(PyasError):
    """No whole answer arrived: refused, reset, cut off, or not HTTP. The message keeps what the network said."""


class RequestTimeoutError(TransportError, TimeoutError):
    """The answer did not arrive within ``timeout`` or ``deadline`` seconds."""


class DecodeError(PyasError):
    """An answer arrived that is not what the service documents, or that belongs to another question.

    Attributes:
        path: Where, as in ``$.data.meetings[3].start_time``.
        reason: What does not fit there.
        excerpt: The answer around there: secrets masked, 500 characters at most.
    """

    def __init__(self, message: str, *, path: str = "$", excerpt: str = "") -> None:
        """Keep the place and what stood there."""
        self.path = path
        self.reason = message
        self.excerpt: str = excerpt[:500]
        super().__init__(
            f"{path}: {message}" + (f"; the answer began: {_shorten(self.excerpt)}" if self.excerpt else "")
        )


class OutcomeUnknownError(PyasError):
    """A write was sent and its answer lost: it may have been carried out, or not.

    Attributes:
        operation: The call, as in ``"meetings.create"``.
        meeting_id: The meeting it was about; ``None`` for a create.
        sent_at: When the last attempt was sent (aware, UTC).
        candidates: Meetings that may be the one created, if they were looked up.
    """

    def __init__(
        self,
        message: str,
        *,
        operation: str,
        sent_at: datetime,
        meeting_id: int | str | None = None,
        candidates: "Sequence[Meeting]" = (),
    ) -> None:
        """Keep what is known of the write."""
        self.operation = operation
        self.meeting_id = meeting_id
        self.sent_at = sent_at
        self.candidates: tuple[Meeting, ...] = tuple(candidates)
        super().__init__(message)
        self.write_state: WriteState | None = "unknown"


class BudgetTimeoutError(PyasError, TimeoutError):
    """The call budget cannot serve the call before its deadline; nothing was sent.

    Attributes:
        retry_after: Seconds until the budget is expected to have room.
    """

    def __init__(self, message: str, *, retry_after: float) -> None:
        """Keep how long the wait would be."""
        self.retry_after = retry_after
        super().__init__(message)


class PaginationError(PyasError):
    """A listing cannot be walked to its end; the message says why and what to change."""


class PaginationLoopError(PaginationError):
    """The service handed out a page token again, and its page brought nothing new."""


class PaginationIncompleteError(PaginationError):
    """The listing ended with fewer rows than the service said it has."""


class ClientClosedError(PyasError):
    """The client was used after ``aclose()``, or closed under a call."""


class WrongEventLoopError(PyasError):
    """The client was used from a second event loop, or process; its connections belong to the first.

    A process that is forked off may use a client, or a `RateBudget`, that was made before; not one that was used.
    """


def shown(got: object) -> str:
    """Write down what a user has passed: not too much of it, and whatever it does when it is asked for its ``repr``."""
    try:
        return _shorten(repr(got))
    except Exception:  # noqa: BLE001  (it is the user's object; a number of 5,000 digits has none, either)
        return f"<{type(got).__name__} that cannot be shown>"


def _shorten(text: str, limit: int = 200) -> str:
    return text if len(text) <= limit else f"{text[:limit]}… ({len(text)} characters)"
