"""Turns a response that is not a success into the error that says what happened.

`error_words` finds the words in its body. Here they are masked, and decide what the error is.
"""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from pyas_async._core.calls.messages import Response
from pyas_async.errors import (
    APIStatusError,
    AuthenticationError,
    BadRequestError,
    FieldError,
    NotFoundError,
    PageTokenExpiredError,
    PermissionDeniedError,
    RateLimitError,
    ServerError,
    status_line,
)

if TYPE_CHECKING:
    from pyas_async._core.calls.error_words import Words

_CLASSES: Mapping[int, type[APIStatusError]] = {
    400: BadRequestError,
    401: AuthenticationError,
    403: PermissionDeniedError,
    404: NotFoundError,
}
# A response with a success status may name another one, as the code of its error.
_CLASSES_BY_CODE: Mapping[str, type[APIStatusError]] = {
    **{str(status): cls for status, cls in _CLASSES.items()},
    "429": RateLimitError,
}
_MAX_EXCERPT = 4_000
"""Bytes of a body from which an excerpt is made: more than the 500 characters that an error holds."""
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
    # What the response means is decided by its own words: masking may change the very words that decide. The error
    # shows the masked ones.
    from pyas_async._core.calls.error_words import words_of, words_of_document  # noqa: PLC0415 -- only errors need it

    words = words_of(response.body) if document is None else words_of_document(document)
    status, code = response.status, words.code
    cls = _class_of(status, code)
    message = " ".join(mask(words.message).split()) or status_line(status)
    if has_page_token and _says_expired(status, words, message):
        cls = PageTokenExpiredError
    request_id = next((mask(response.headers[name])[:100] for name in _REQUEST_IDS if name in response.headers), None)
    more: dict[str, Any] = {}
    if issubclass(cls, RateLimitError):
        from pyas_async._core.calls.limit_responses import reached_limit  # noqa: PLC0415 -- few calls meet a limit

        reached = reached_limit(response.headers, words.message, now)
        more = {"retry_after": reached.ends_in, "scope": reached.scope}
    elif cls is NotFoundError and _ACCOUNT.search(words.message):
        more = {"account_id": account or None}
    return cls(
        message,
        status=status,
        code=mask(code)[:100] if isinstance(code, str) else code,
        errors=[
            FieldError(mask(complaint.text), mask(complaint.field)[:100] if complaint.field else None)
            for complaint in words.complaints
        ],
        request_id=request_id,
        excerpt=mask(response.body[:_MAX_EXCERPT].decode(errors="replace")),
        **more,
    )


def _class_of(status: int, code: int | str | None) -> type[APIStatusError]:
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return _CLASSES_BY_CODE.get(str(code).strip(), APIStatusError)
    if status == _TOO_MANY:
        return RateLimitError
    return ServerError if status >= HTTPStatus.INTERNAL_SERVER_ERROR else _CLASSES.get(status, APIStatusError)


def may_mean_expired_token(error: APIStatusError) -> bool:
    """Whether the error of a request with a page token may mean that the token has expired, without saying so."""
    return not _has_clear_status(error) and error.status >= HTTPStatus.OK


def _has_clear_status(error: APIStatusError) -> bool:
    """Whether the status, or the one that the body names, says that no argument of the call is at fault."""
    if isinstance(error, (AuthenticationError, PermissionDeniedError, RateLimitError)):
        return True
    return error.status in _NEVER_EXPIRED or error.status >= HTTPStatus.INTERNAL_SERVER_ERROR


def refuses_page_size(error: APIStatusError) -> bool:
    """Whether the service complains about the page size."""
    if _has_clear_status(error):
        return False
    words = [error.message, *(f"{complaint.field} {complaint.message}" for complaint in error.errors)]
    return any(re.search(r"max.?results|page.?size", text, re.IGNORECASE) for text in words)


def _says_expired(status: int, words: "Words", message: str) -> bool:
    if status in _NEVER_EXPIRED or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return False
    if any(complaint.field and complaint.field.lower() in _TOKEN_FIELDS for complaint in words.complaints):
        return True
    message = words.message or message
    # Zoom's code 300 also stands for other bad parameters: with a message about another one, it does not decide.
    expired = _in_order(_TOKEN_WORD, _EXPIRED, message) or _in_order(_EXPIRED, _TOKEN, message)
    return expired or (str(words.code) == "300" and "token" in message.lower())


def _in_order(first: str, then: str, text: str) -> bool:
    """Whether a text matches one pattern, and the other after it.

    Two searches take time in proportion to the text, however repetitive it is; one pattern for both would not.
    """
    found = re.search(first, text)
    return found is not None and re.search(then, text[found.end() :]) is not None
