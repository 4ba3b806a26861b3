"""Turns a response that is not a success into the error that says what happened.

The vendor's pages show several error shapes, and Zoom's own pass through: a list of ``errors`` with ``msg`` and
``param`` (or ``path``), an ``error`` that is text or an object, a ``message``, with or without a ``code``, which may be
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
_MAX_FIELD_ERRORS = 100
"""Field errors that are kept of one response: more than there are fields."""
_ACCOUNT = re.compile(r"\baccount\b", re.IGNORECASE)
_TOO_MANY = HTTPStatus.TOO_MANY_REQUESTS
# Zoom's sibling lists: "The next page token is invalid or expired", code 300. Pyas may wrap it in any of its shapes.
# `re` compiles the patterns when they are first used, which in many programs is never.
_TOKEN = r"(?is)page.?token"  # noqa: S105  (a pattern)
_TOKEN_WORD = r"(?is)page.?token\b"  # noqa: S105  (a pattern)
_EXPIRED = r"(?i)(?:invalid|expire)\w*"
_TOKEN_FIELDS = {"nextpagetoken", "next_page_token", "pagetoken", "page_token"}
# These statuses never mean that a token has expired, whatever their text says: they are about the key, its rights, a
# request that took too long, or a limit.
_NEVER_EXPIRED = {401, 403, 408, 429}
_REQUEST_IDS = ("x-request-id", "x-zm-trackingid", "x-amzn-requestid", "cf-ray")


def error_from_response(
    response: Response,
    document: Mapping[str, Any] | None,
    *,
    now: datetime,
    has_page_token: bool,
    mask: Callable[[str], str],
    account: str = "",
) -> APIStatusError:
    """Make the error that a response means.

    Args:
        response: The response.
        document: Its body, if that was parsed before.
        now: The wall clock, for dates in headers (aware).
        has_page_token: Whether the request carried a page token.
        mask: Removes the secrets from a text.
        account: The account that the request was about, for an error about it.
    """
    if document is None:
        document = _document(response.body)
    # What the response means is decided by its own text: masking may change the very words that decide. The error shows
    # the masked text.
    raw_errors = tuple(_field_errors(document, _unmasked))
    raw_message, raw_code = _message(document, raw_errors), _code(document)
    errors = tuple(_field_errors(document, mask))
    message = mask(raw_message) or _status_line(response.status)
    code = mask(raw_code)[:100] if isinstance(raw_code, str) else raw_code
    request_id = next((mask(response.headers[name])[:100] for name in _REQUEST_IDS if name in response.headers), None)
    status = response.status
    if has_page_token and _says_expired(status, raw_code, raw_errors, raw_message or message):
        return PageTokenExpiredError(message, status=status, code=code, errors=errors, request_id=request_id)
    if status == _TOO_MANY:
        return RateLimitError(
            message,
            code=code,
            errors=errors,
            request_id=request_id,
            retry_after=limit_ends_in(response.headers, now),
            scope=_scope(response.headers, document, raw_message),
        )
    if status == HTTPStatus.NOT_FOUND and _ACCOUNT.search(raw_message):
        return NotFoundError(message, code=code, errors=errors, request_id=request_id, account_id=account or None)
    cls = ServerError if status >= HTTPStatus.INTERNAL_SERVER_ERROR else _CLASSES.get(status, APIStatusError)
    return cls(message, status=status, code=code, errors=errors, request_id=request_id)


def _unmasked(text: str) -> str:
    return text


def may_mean_expired_token(error: APIStatusError) -> bool:
    """Whether the error of a request with a page token may mean that the token has expired, without saying so."""
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
    for complaint in complaints[:_MAX_FIELD_ERRORS] if isinstance(complaints, list) else ():
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
    for holder in (document, error if isinstance(error, dict) else {}):
        code = holder.get("code")
        if isinstance(code, (int, str)) and not isinstance(code, bool):
            return code
    return None


def _says_expired(status: int, code: int | str | None, errors: tuple[FieldError, ...], message: str) -> bool:
    if status in _NEVER_EXPIRED or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return False
    if any(error.field and error.field.lower() in _TOKEN_FIELDS for error in errors):
        return True
    # Zoom's code 300 also stands for other bad parameters: with a message about another one, it does not decide.
    expired = _in_order(_TOKEN_WORD, _EXPIRED, message) or _in_order(_EXPIRED, _TOKEN, message)
    return expired or (str(code) == "300" and "token" in message.lower())


def _in_order(first: str, then: str, text: str) -> bool:
    """Whether a text matches one pattern, and the other after it.

    Two searches take time in proportion to the text, however repetitive it is; one pattern for both would not.
    """
    found = re.search(first, text)
    return found is not None and re.search(then, text[found.end() :]) is not None


def _scope(headers: Mapping[str, str], document: Mapping[str, Any], message: str) -> RateLimitScope:
    words = message.lower()
    if "daily" in words or "per day" in words:
        return "host_day"
    if "month" in words:
        return "month"
    if call_count(headers, "x-ratelimit-remaining"):
        return "unknown"  # the key has calls left, so this is another limit
    if "x-ratelimit-remaining" in headers or "x-ratelimit-reset" in headers:
        return "key"
    if document.get("error") == "Rate limit exceeded" or words.startswith("too many requests"):
        return "key"
    return "unknown"
