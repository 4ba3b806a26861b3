"""From an answer that is no success to the error that says what happened.

The vendor's pages show several error shapes, and Zoom's own pass through: a list of ``errors`` with ``msg`` and
``param`` (or ``path``), an ``error`` that is text or an object, a ``message``, with or without a ``code`` that may be
Zoom's.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Any

from pyas_async._core.calls.headers import call_count, limit_ends_in
from pyas_async._core.calls.messages import Response
from pyas_async._core.codec.decoding import parse
from pyas_async.errors import (
    APIStatusError,
    AuthenticationError,
    BadRequestError,
    DecodeError,
    FieldError,
    NotFoundError,
    PageTokenExpiredError,
    PermissionDeniedError,
    RateLimitError,
    RateLimitScope,
    ServerError,
)

_CLASSES: Mapping[int, type[APIStatusError]] = {
    400: BadRequestError,
    401: AuthenticationError,
    403: PermissionDeniedError,
    404: NotFoundError,
}
_COMPLAINTS = 100
"""Complaints of one answer that are kept: more than there are fields."""
_TOO_MANY = HTTPStatus.TOO_MANY_REQUESTS
# Zoom's sibling lists: "The next page token is invalid or expired", code 300. Pyas may wrap it in any of its shapes.
# Compiled when they are first needed: many programs never are.
_TOKEN = r"(?is)page.?token"  # noqa: S105  (a pattern)
_TOKEN_ITSELF = r"(?is)page.?token\b"  # noqa: S105  (a pattern)
_DEAD = r"(?i)(?:invalid|expire)\w*"
_TOKEN_FIELDS = {"nextpagetoken", "next_page_token", "pagetoken", "page_token"}
# Never mistaken for a dead token, whatever their text says: the key, its rights, a limit, a request that took too long.
_NEVER_EXPIRED = {401, 403, 408, 429}
_REQUEST_IDS = ("x-request-id", "x-zm-trackingid", "x-amzn-requestid", "cf-ray")


def error_of(
    answer: Response,
    document: Mapping[str, Any] | None,
    *,
    now: datetime,
    carries_token: bool,
    mask: Callable[[str], str],
) -> APIStatusError:
    """Make the error of an answer.

    Args:
        answer: What came.
        document: Its body, if that was parsed already.
        now: The wall clock, for dates in headers (aware).
        carries_token: Whether the request carried a page token.
        mask: Takes the secrets out of a text.
    """
    if document is None:
        document = _document(answer.body)
    # What an answer means is read in what it says; what it says is shown without the secrets, be they words of it.
    said = tuple(_field_errors(document, _as_it_is))
    words, said_code = _message(document, said), _code(document)
    errors = tuple(_field_errors(document, mask))
    message = mask(words) or _status_line(answer.status)
    code = mask(said_code)[:100] if isinstance(said_code, str) else said_code
    request_id = next((mask(answer.headers[name])[:100] for name in _REQUEST_IDS if name in answer.headers), None)
    status = answer.status
    if carries_token and _says_expired(status, said_code, said, words or message):
        return PageTokenExpiredError(message, status=status, code=code, errors=errors, request_id=request_id)
    if status == _TOO_MANY:
        return RateLimitError(
            message,
            code=code,
            errors=errors,
            request_id=request_id,
            retry_after=limit_ends_in(answer.headers, now),
            scope=_scope(answer.headers, document, words),
        )
    cls = ServerError if status >= HTTPStatus.INTERNAL_SERVER_ERROR else _CLASSES.get(status, APIStatusError)
    return cls(message, status=status, code=code, errors=errors, request_id=request_id)


def _as_it_is(text: str) -> str:
    return text


def unclear_about_token(error: APIStatusError) -> bool:
    """Whether an error of a request with a page token may mean that the token is dead, without saying so."""
    status = error.status
    return status not in _NEVER_EXPIRED and (HTTPStatus.OK <= status < HTTPStatus.INTERNAL_SERVER_ERROR)


def refuses_page_size(error: APIStatusError) -> bool:
    """Whether the service complains about the page size."""
    if error.status in _NEVER_EXPIRED or error.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return False
    words = [error.message, *(f"{complaint.field} {complaint.message}" for complaint in error.errors)]
    return any(re.search(r"max.?results|page.?size", text, re.IGNORECASE) for text in words)


def _document(body: bytes) -> Mapping[str, Any]:
    try:
        document = parse(body)
    except DecodeError:
        return {}
    return document if isinstance(document, dict) else {}


def _field_errors(document: Mapping[str, Any], mask: Callable[[str], str]) -> Iterable[FieldError]:
    complaints = document.get("errors")
    for complaint in complaints[:_COMPLAINTS] if isinstance(complaints, list) else ():
        if isinstance(complaint, dict):
            text = complaint.get("msg") or complaint.get("message") or "refused"
            field = complaint.get("param") or complaint.get("path") or complaint.get("field")
            yield FieldError(mask(str(text)), mask(str(field))[:100] if field else None)
        elif isinstance(complaint, str):
            yield FieldError(mask(complaint))


def _message(document: Mapping[str, Any], errors: tuple[FieldError, ...]) -> str:
    if errors:
        return "; ".join(error.message for error in errors)
    error = document.get("error")
    if isinstance(error, dict):
        error = error.get("message") or error.get("msg") or error.get("error")
    for text in (error, document.get("message")):
        if isinstance(text, str) and text.strip():
            return text.strip()
    return ""


def _status_line(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "an error without a word of explanation"


def _code(document: Mapping[str, Any]) -> int | str | None:
    error = document.get("error")
    for place in (document, error if isinstance(error, dict) else {}):
        code = place.get("code")
        if isinstance(code, (int, str)) and not isinstance(code, bool):
            return code
    return None


def _says_expired(status: int, code: int | str | None, errors: tuple[FieldError, ...], message: str) -> bool:
    if status in _NEVER_EXPIRED or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return False
    if any(error.field and error.field.lower() in _TOKEN_FIELDS for error in errors):
        return True
    # Zoom's code 300 also stands for other bad parameters: with a message that speaks of something else it is unclear.
    dead = _in_turn(_TOKEN_ITSELF, _DEAD, message) or _in_turn(_DEAD, _TOKEN, message)
    return dead or (str(code) == "300" and "token" in message.lower())


def _in_turn(first: str, then: str, text: str) -> bool:
    """Whether a text has one thing, and after it the other: found in one pass, however long and repetitive it is."""
    found = re.search(first, text)
    return found is not None and re.search(then, text[found.end() :]) is not None


def _scope(headers: Mapping[str, str], document: Mapping[str, Any], message: str) -> RateLimitScope:
    words = message.lower()
    if "daily" in words or "per day" in words:
        return "host_day"
    if "month" in words:
        return "month"
    if call_count(headers, "x-ratelimit-remaining"):
        return "unknown"  # the key has calls left: this is another limit
    if "x-ratelimit-remaining" in headers or "x-ratelimit-reset" in headers:
        return "key"
    if document.get("error") == "Rate limit exceeded" or words.startswith("too many requests"):
        return "key"
    return "unknown"
