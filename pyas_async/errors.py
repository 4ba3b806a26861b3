"""Every error that pyas_async raises.

::

    PyasError
    ├── ConfigurationError                    the client was set up wrongly
    ├── InvalidArgumentError (ValueError)     refused before anything was sent
    │   └── CheckpointError                   damaged, other version, other filters
    ├── APIStatusError                        the service responded with an error
    │   ├── BadRequestError                   400
    │   ├── AuthenticationError               401
    │   ├── PermissionDeniedError             403
    │   ├── NotFoundError                     404
    │   ├── RateLimitError                    429
    │   ├── ServerError                       5xx
    │   └── PageTokenExpiredError             the page token has expired
    ├── TransportError                        no whole response arrived
    │   └── RequestTimeoutError (TimeoutError)
    ├── DecodeError                           a response that cannot be read
    ├── OutcomeUnknownError                   a write was sent, and its response lost
    ├── BudgetTimeoutError (TimeoutError)     the call budget cannot serve the call in time
    ├── PaginationError                       a listing that cannot be walked
    │   ├── PaginationLoopError               the service sends a page token again and again
    │   └── PaginationIncompleteError         rows are missing at the end
    ├── ClientClosedError                     used after ``aclose()``
    └── WrongEventLoopError                   used from a second event loop

All of them pickle, and ``type(error)(*error.args)`` makes each anew, from JSON values alone. None holds an httpx
object: its request would carry the API key.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeAlias

import attrs

from pyas_async._base_errors import (
    ConfigurationError,
    DecodeError,
    InvalidArgumentError,
    PyasError,
    WriteState,
    about,
    shorten,
    shown,
)
from pyas_async._public import public

if TYPE_CHECKING:
    from pyas_async.models import Meeting

__all__ = [
    "APIStatusError",
    "AuthenticationError",
    "BadRequestError",
    "BudgetTimeoutError",
    "CheckpointError",
    "ClientClosedError",
    "ConfigurationError",
    "DecodeError",
    "FieldError",
    "InvalidArgumentError",
    "NotFoundError",
    "OutcomeUnknownError",
    "PageTokenExpiredError",
    "PaginationError",
    "PaginationIncompleteError",
    "PaginationLoopError",
    "PermissionDeniedError",
    "PyasError",
    "RateLimitError",
    "RateLimitScope",
    "RequestTimeoutError",
    "ServerError",
    "TransportError",
    "WriteState",
    "WrongEventLoopError",
    "shown",
]

RateLimitScope: TypeAlias = Literal["key", "host_day", "month", "unknown"]
"""Which limit a 429 is about: the API key's window, the host's day at Zoom, the plan's month, or an unknown one."""


@public
class CheckpointError(InvalidArgumentError):
    """A checkpoint that is damaged, of another version, or of another listing."""


@public
@attrs.frozen
class FieldError:
    """One complaint of the service about one field.

    Attributes:
        message: The service's words.
        field: The field that it names; ``None`` if it names no field.
    """

    message: str
    field: str | None = None


def status_line(status: int) -> str:
    """Return the words that stand for a status where a response has none."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "an error without a word of explanation"


def _field_error(given: FieldError | Sequence[str | None]) -> FieldError:
    if isinstance(given, FieldError):
        return given
    message, field = given
    return FieldError(str(message), field)


@public
class APIStatusError(PyasError):
    """The service responded with an error.

    Attributes:
        status: The HTTP status. 200 where a success status came with ``"success": false``; 0 where a page token was
            known to be expired and nothing was sent.
        code: The code in the body, which may be Zoom's rather than the status; ``None`` if there is none.
        message: The service's message, shortened and masked.
        errors: The service's complaints about single fields, if there are any.
        request_id: The request's id for the vendor's support, if the response has one.
        excerpt: The beginning of the response's body, with secrets masked; 500 characters at most. Its text shows it if
            the service's message was not found in it.
    """

    _arguments: ClassVar[Sequence[str]] = ("message", "status", "code", "errors", "request_id", "excerpt")

    def __init__(
        self,
        message: str,
        status: int,
        code: int | str | None = None,
        errors: Iterable[FieldError | Sequence[str | None]] = (),
        request_id: str | None = None,
        excerpt: str = "",
        write_state: WriteState | None = None,
    ) -> None:
        """Make the error; each of `errors` may be a pair of message and field."""
        self.status = status
        self.code = code
        self.message = message
        self.errors: tuple[FieldError, ...] = tuple(map(_field_error, errors))
        self.request_id = request_id
        self.excerpt: str = excerpt[:500]
        super().__init__(self._describe(), write_state)

    def _describe(self) -> str:
        text = f"{self.status}: {self.message}"
        if self.message == status_line(self.status) and self.message not in self.excerpt and self.excerpt.strip():
            text += f"; the response began: {shorten(' '.join(self.excerpt.split()))}"
        if self.code is not None and self.code != self.status:
            text += f" (code {self.code})"
        fields = [error.field for error in self.errors if error.field]
        if fields:
            text += f" [{shorten(', '.join(fields))}]"
        if self.request_id:
            text += f" (request {self.request_id})"
        return text


@public
class BadRequestError(APIStatusError):
    """400: the service refused the request."""


@public
class AuthenticationError(APIStatusError):
    """401: the API key is missing, wrong or expired."""

    def _describe(self) -> str:
        return f"{super()._describe().rstrip('.')}. Check PYAS_API_KEY, or api_key=: a key can be wrong or expired"


@public
class PermissionDeniedError(APIStatusError):
    """403: the key has no right to this."""


@public
class NotFoundError(APIStatusError):
    """404: no such account or meeting.

    Attributes:
        account_id: The account that the service did not find; ``None`` if it does not speak of the account.
    """

    _arguments = ("message", "status", "code", "errors", "request_id", "excerpt", "account_id")

    def __init__(
        self,
        message: str,
        status: int = 404,
        code: int | str | None = None,
        errors: Iterable[FieldError | Sequence[str | None]] = (),
        request_id: str | None = None,
        excerpt: str = "",
        account_id: str | None = None,
        write_state: WriteState | None = None,
    ) -> None:
        self.account_id = account_id
        super().__init__(message, status, code, errors, request_id, excerpt, write_state)

    def _describe(self) -> str:
        text = super()._describe()
        if self.account_id is None:
            return text
        return f"{text} (account {json.dumps(shorten(self.account_id), ensure_ascii=False)})"


@public
class RateLimitError(APIStatusError):
    """429: a limit is used up.

    Attributes:
        retry_after: Seconds until the limit may be free again; ``None`` if the response did not say.
        scope: Which limit it is. Waiting helps with ``"key"``. ``"host_day"`` ends at midnight UTC, ``"month"`` at the
            end of the month.
    """

    _arguments = ("message", "status", "code", "errors", "request_id", "excerpt", "retry_after", "scope")

    def __init__(
        self,
        message: str,
        status: int = 429,
        code: int | str | None = None,
        errors: Iterable[FieldError | Sequence[str | None]] = (),
        request_id: str | None = None,
        excerpt: str = "",
        retry_after: float | None = None,
        scope: RateLimitScope = "unknown",
        write_state: WriteState | None = None,
    ) -> None:
        self.retry_after = retry_after
        self.scope: RateLimitScope = scope
        super().__init__(message, status, code, errors, request_id, excerpt, write_state)

    def _describe(self) -> str:
        if self.retry_after is None:
            return super()._describe()
        when = f"in {about(self.retry_after)}" if self.retry_after else "now"
        return f"{super()._describe()} (free again {when})"


@public
class ServerError(APIStatusError):
    """5xx: the service failed."""


@public
class PageTokenExpiredError(APIStatusError):
    """The page token is no longer valid: it expires 15 minutes after it was issued.

    ``iter_all`` recovers from this, unless ``on_expired="raise"`` is set.
    """


@public
class TransportError(PyasError):
    """No complete response arrived: refused, reset, cut off, or not HTTP. The message keeps the network's error."""


@public
class RequestTimeoutError(TransportError, TimeoutError):
    """The response did not arrive within ``timeout`` or ``deadline`` seconds."""


@public
class OutcomeUnknownError(PyasError):
    """A write was sent and its response lost: it may or may not have been carried out.

    Attributes:
        operation: The call, as in ``"meetings.create"``.
        meeting_id: The meeting that the call was about; ``None`` for a create.
        sent_at: When the last attempt was sent (aware, UTC).
        candidates: Meetings that may be the created one, if they were looked up. In `args` they are without the fields
            that may contain a passcode.
    """

    _arguments = ("_text", "operation", "sent_at", "meeting_id", "_rows")
    _usual_state = "unknown"

    def __init__(
        self,
        message: str,
        operation: str,
        sent_at: datetime | str,
        meeting_id: int | str | None = None,
        candidates: "Iterable[Meeting | Mapping[str, Any]]" = (),
        write_state: WriteState | None = "unknown",
    ) -> None:
        """Make the error; `sent_at` may be ISO text, and `candidates` documents, as they are in `args`."""
        self.operation = operation
        self.meeting_id = meeting_id
        self.sent_at: datetime = datetime.fromisoformat(sent_at) if isinstance(sent_at, str) else sent_at
        self.candidates: tuple[Meeting, ...] = tuple(
            _candidate(row) if isinstance(row, Mapping) else row for row in candidates
        )
        super().__init__(message, write_state)

    @property
    def _rows(self) -> list[dict[str, Any]]:
        return [{name: _plain(getattr(row, name)) for name in _SHOWN_OF_ROW} for row in self.candidates]


_SHOWN_OF_ROW = ("id", "uuid", "host_id", "topic", "type", "start_time", "duration", "timezone", "created_at")


def _plain(value: Any) -> Any:  # noqa: ANN401  (a field of a meeting)
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, str):
        from pyas_async._masking import mask_secrets  # noqa: PLC0415 -- only these errors need it

        return mask_secrets(value)
    return int(value) if isinstance(value, int) else value


def _candidate(row: Mapping[str, Any]) -> "Meeting":
    from pyas_async.models import Meeting, MeetingType  # noqa: PLC0415 -- the models import the lowest of these errors

    readers: dict[str, Any] = {
        "type": MeetingType,
        "start_time": datetime.fromisoformat,
        "created_at": datetime.fromisoformat,
    }
    values: dict[str, Any] = {
        name: readers[name](value) if name in readers and value is not None else value for name, value in row.items()
    }
    return Meeting(**values)


@public
class BudgetTimeoutError(PyasError, TimeoutError):
    """The call budget cannot serve the call before its deadline; nothing was sent.

    Attributes:
        retry_after: Seconds until the budget is expected to have a free slot.
    """

    _arguments = ("_text", "retry_after")

    def __init__(self, message: str, retry_after: float, write_state: WriteState | None = None) -> None:
        self.retry_after = retry_after
        super().__init__(message, write_state)


@public
class PaginationError(PyasError):
    """A listing cannot be read to its end. The message says why and what to change."""


@public
class PaginationLoopError(PaginationError):
    """The service sent the same page token again, and its page brought no new row."""


@public
class PaginationIncompleteError(PaginationError):
    """The listing ended with fewer rows than the service said it has."""


@public
class ClientClosedError(PyasError):
    """The client was used after ``aclose()``, or it was closed during a call."""


@public
class WrongEventLoopError(PyasError):
    """The client was used from a second event loop or process; its connections belong to the first.

    A forked process may use a client, or a `RateBudget`, that was made but not used before the fork.
    """
