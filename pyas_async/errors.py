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

All of them pickle, and none holds an httpx object: its request would carry the API key.
"""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Literal, TypeAlias

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

    def __init__(
        self,
        message: str,
        *,
        status: int = 404,
        code: int | str | None = None,
        errors: Sequence[FieldError] = (),
        request_id: str | None = None,
        account_id: str | None = None,
    ) -> None:
        self.account_id = account_id
        super().__init__(message, status=status, code=code, errors=errors, request_id=request_id)

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
        self.retry_after = retry_after
        self.scope: RateLimitScope = scope
        super().__init__(message, status=status, code=code, errors=errors, request_id=request_id)

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
        candidates: Meetings that may be the created one, if they were looked up.
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
        self.operation = operation
        self.meeting_id = meeting_id
        self.sent_at = sent_at
        self.candidates: tuple[Meeting, ...] = tuple(candidates)
        super().__init__(message)
        self.write_state: WriteState | None = "unknown"


@public
class BudgetTimeoutError(PyasError, TimeoutError):
    """The call budget cannot serve the call before its deadline; nothing was sent.

    Attributes:
        retry_after: Seconds until the budget is expected to have a free slot.
    """

    def __init__(self, message: str, *, retry_after: float) -> None:
        self.retry_after = retry_after
        super().__init__(message)


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
