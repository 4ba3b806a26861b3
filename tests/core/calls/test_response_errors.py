"""The error that a response means, for every error shape that the service and Zoom are known to use."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.strategies import brisk, json_values
from core.tools import NOON, answer
from pyas_async import (
    APIStatusError,
    AuthenticationError,
    BadRequestError,
    FieldError,
    NotFoundError,
    PageTokenExpiredError,
    PermissionDeniedError,
    RateLimitError,
    ServerError,
)
from pyas_async._core.calls.response_errors import error_from_response, may_mean_expired_token, refuses_page_size
from pyas_async._core.redact import redact

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pyas_async._core.calls.messages import Response

KEY = "pk_live_0123456789abcdef"
SECRET = "hush-5ecret"


def mask(text: str) -> str:
    """Mask the key and the secrets that are known everywhere."""
    return redact(text, (KEY,))


def error(got: Response, *, has_page_token: bool = False, document: Mapping[str, Any] | None = None) -> APIStatusError:
    """Make the error of a response."""
    return error_from_response(got, document, now=NOON, has_page_token=has_page_token, mask=mask)


@pytest.mark.parametrize(
    ("status", "cls"),
    [
        (400, BadRequestError),
        (401, AuthenticationError),
        (403, PermissionDeniedError),
        (404, NotFoundError),
        (429, RateLimitError),
        (500, ServerError),
        (599, ServerError),
        (200, APIStatusError),
        (409, APIStatusError),
        (410, APIStatusError),
        (418, APIStatusError),
    ],
)
def test_class(status: int, cls: type[APIStatusError]) -> None:
    """Each documented status has its class; every other has their base class."""
    made = error(answer(status, {"error": "x"}))

    assert cls is type(made)
    assert status == made.status


@pytest.mark.parametrize(
    ("status", "body", "message", "code"),
    [
        (401, {"error": "Unauthorized. Invalid API key."}, "Unauthorized. Invalid API key.", None),
        (404, {"success": False, "error": "Invalid account id. Account Not Found", "code": 404},
         "Invalid account id. Account Not Found", 404),
        (404, {"success": False, "error": "Not Found"}, "Not Found", None),
        (404, {"code": 3001, "message": "Meeting does not exist"}, "Meeting does not exist", 3001),
        (400, {"code": "300", "message": "Bad"}, "Bad", "300"),
        (429, {"message": "Too many requests! Slow down", "code": 429, "error": "Rate limit exceeded"},
         "Rate limit exceeded", 429),
        (400, {"error": {"message": "inner", "code": 300}}, "inner", 300),
        (400, {"error": {}, "message": "outer"}, "outer", None),
        (400, {"error": {"msg": "inner"}, "message": "outer"}, "inner", None),
        (400, {"error": {"error": "inner"}, "message": "outer"}, "inner", None),
        (400, {"errors": [{"msg": "bad day", "param": "startDate"}], "error": "x"}, "bad day", None),
        (400, {"errors": [{"msg": "a"}, {"msg": "b"}]}, "a; b", None),
        (400, {"errors": [], "error": " ", "message": "last"}, "last", None),
        (400, {"errors": "no list"}, "Bad Request", None),
        (400, {"error": 5, "message": None, "code": True}, "Bad Request", None),
        (503, b"<html>", "Service Unavailable", None),
        (400, b"", "Bad Request", None),
        (400, [1], "Bad Request", None),
    ],
)  # fmt: skip
def test_message_and_code(status: int, body: object, message: str, code: int | str | None) -> None:
    """The message is that of ``errors``, else ``error``, else ``message``, else the status line."""
    made = error(answer(status, body))

    assert (message, code) == (made.message, made.code)
    assert message in str(made)


@pytest.mark.parametrize("place", ["param", "path", "field"])
def test_field_errors(place: str) -> None:
    """Each field error is kept, whichever validator wrote it; the value that was sent is not shown."""
    made = error(answer(400, {"errors": [{"msg": "bad", place: "type", "location": "body", "value": SECRET}, "text"]}))

    assert (FieldError("bad", "type"), FieldError("text")) == made.errors
    assert "[type]" in str(made)
    assert SECRET not in str(made)


@pytest.mark.parametrize(
    ("complaint", "expected"),
    [
        ({"message": "bad"}, FieldError("bad")),
        ({"msg": "bad", "message": "worse"}, FieldError("bad")),
        ({"msg": "", "path": "type"}, FieldError("refused", "type")),
        ({"msg": 5, "param": "", "path": 7}, FieldError("5", "7")),
        ({"msg": "bad", "param": "p" * 150}, FieldError("bad", "p" * 100)),
    ],
)
def test_complaints(complaint: dict[str, Any], expected: FieldError) -> None:
    """A field error may have its text and field under several names, or neither; a long field is cut."""
    assert (expected,) == error(answer(400, {"errors": [complaint, 5]})).errors


@pytest.mark.parametrize(
    ("status", "has_page_token"), [(400, True), (400, False), (429, False), (500, False), (409, False)]
)
def test_nothing_is_lost(status: int, has_page_token: bool) -> None:
    """An error of any class keeps the message, the status, the code, the field errors and the request id."""
    body = {"errors": [{"msg": "page token expired", "param": "p"}], "code": "c" * 150}
    made = error(answer(status, body, {"x-request-id": "req"}), has_page_token=has_page_token)

    assert (has_page_token, status) == (isinstance(made, PageTokenExpiredError), made.status)
    assert ("page token expired", "c" * 100, (FieldError("page token expired", "p"),), "req") == (
        made.message, made.code, made.errors, made.request_id,
    )  # fmt: skip


@pytest.mark.parametrize(
    "body",
    [
        {"code": 300, "message": "Bad day"},
        {"code": 4, "message": "Token is odd"},
        {"errors": [{"msg": "Invalid value", "param": "startDate"}]},
        {"errors": [{"msg": "Invalid value"}]},
    ],
)
def test_no_expiry(body: dict[str, Any]) -> None:
    """Zoom's code 300 means no expired token if the message is about something else; nor does another field."""
    assert BadRequestError is type(error(answer(400, body), has_page_token=True))


def test_an_end_that_is_a_date() -> None:
    """A 429 may have a date at which it ends."""
    made = error(answer(429, {}, {"retry-after": "2026-11-22T12:00:30Z"}))

    assert isinstance(made, RateLimitError)
    assert 30.0 == made.retry_after


def test_parsed_document_is_used() -> None:
    """A success status whose document says that the call failed is an error with the document's reason."""
    document = {"success": False, "error": "Invalid account id", "code": 404}
    made = error(answer(200, b""), document=document)

    assert (200, 404, "Invalid account id") == (made.status, made.code, made.message)


EXPIRED: list[dict[str, Any]] = [
    {"code": 300, "message": "The next page token is invalid or expired."},
    {"success": False, "error": "The next page token is invalid or expired", "code": 400},
    {"error": {"code": 300, "message": "The next page token is invalid or expired."}},
    {"error": json.dumps({"code": 300, "message": "The next page token is invalid or expired."})},
    {"errors": [{"msg": "Invalid value", "param": "nextPageToken", "location": "query"}]},
    {"errors": [{"msg": "Invalid value", "path": "next_page_token"}]},
    {"code": 300, "message": "Token is expired"},
    {"message": "Expired nextPageToken"},
]
each_expired = pytest.mark.parametrize("body", EXPIRED, ids=range(len(EXPIRED)))


@each_expired
@pytest.mark.parametrize("status", [400, 404, 410, 422, 200])
def test_expired_token(status: int, body: dict[str, Any]) -> None:
    """An expired page token is recognised in every error shape and with each status that may report it."""
    made = error(answer(status, body), has_page_token=True)

    assert PageTokenExpiredError is type(made)
    assert status == made.status


def test_expired_token_that_is_a_word_of_the_answer() -> None:
    """Masked words in a message do not change what the response means."""
    body = {"errors": [{"msg": "Invalid value", "param": "nextPageToken", "location": "query"}]}
    made = error_from_response(
        answer(400, body), None, now=NOON, has_page_token=True, mask=lambda text: redact(text, ("Token",))
    )

    assert isinstance(made, PageTokenExpiredError)
    assert "Token" not in made.message


@each_expired
@pytest.mark.parametrize("status", [400, 404, 200])
def test_no_token_no_expiry(status: int, body: dict[str, Any]) -> None:
    """A request without a page token cannot fail because of an expired one."""
    assert not isinstance(error(answer(status, body)), PageTokenExpiredError)


@each_expired
@pytest.mark.parametrize("status", [401, 403, 429, 500, 502, 503])
def test_never_expiry(status: int, body: dict[str, Any]) -> None:
    """Errors of the key, its rights, a limit or a failing service are never taken for an expired page token."""
    made = error(answer(status, body), has_page_token=True)

    assert not isinstance(made, PageTokenExpiredError)
    assert not may_mean_expired_token(made)


@pytest.mark.parametrize("status", [200, 400, 404, 409, 410, 422])
def test_unclear(status: int) -> None:
    """An error that does not say why is no expired token, but may mean one."""
    made = error(answer(status, {"error": "Not Found"}), has_page_token=True)

    assert not isinstance(made, PageTokenExpiredError)
    assert may_mean_expired_token(made)


@pytest.mark.parametrize(
    ("status", "body", "refused"),
    [
        (400, {"errors": [{"msg": "Invalid value", "param": "maxResults"}]}, True),
        (400, {"message": "page_size must be at most 100"}, True),
        (200, {"success": False, "error": "The page size is too large"}, True),
        (400, {"error": "Invalid date"}, False),
        (500, {"error": "page size"}, False),
        (429, {"error": "page size"}, False),
    ],
)
def test_page_size(status: int, body: object, refused: bool) -> None:
    """An error about the page size is recognised."""
    assert refused is refuses_page_size(error(answer(status, body)))


@pytest.mark.parametrize(
    ("headers", "body", "scope"),
    [
        ({"x-ratelimit-remaining": "0"}, {}, "key"),
        ({"x-ratelimit-reset": "Sun Nov 22 2026 12:05:00 GMT+0000"}, {}, "key"),
        ({}, {"message": "Too many requests! …", "code": 429, "error": "Rate limit exceeded"}, "key"),
        ({}, {"code": 429, "message": "You have reached the maximum daily rate limit for this API."}, "host_day"),
        ({}, {"error": "You have used up the 2,000 calls of this month"}, "month"),
        ({}, {"code": 429, "message": "You have reached the maximum per-second rate limit for this API."}, "unknown"),
        ({"retry-after": "1"}, b"<html>", "unknown"),
    ],
)
def test_scope(headers: dict[str, str], body: object, scope: str) -> None:
    """A 429 says which limit it is: the key's, the host's day at Zoom, the plan's month, or none that is known."""
    made = error(answer(429, body, headers))

    assert isinstance(made, RateLimitError)
    assert scope == made.scope


@brisk
@given(status=st.sampled_from([200, 302, 400, 404, 429, 500, 799]), body=json_values, has_page_token=st.booleans())
def test_any_answer(status: int, body: object, has_page_token: bool) -> None:
    """Whatever JSON an error holds, it becomes an error of ours with a message."""
    made = error(answer(status, body), has_page_token=has_page_token)

    assert made.message
    assert str(status) in str(made)


def test_request_id() -> None:
    """The request id is kept for the vendor's support, cut to 100 characters; it is ``None`` if there is none."""
    assert "req-1" == error(answer(400, {}, {"x-request-id": "req-1", "cf-ray": "ray"})).request_id
    assert 100 == len(error(answer(400, {}, {"x-zm-trackingid": "i" * 5_000})).request_id or "")
    assert error(answer(400, {})).request_id is None


@pytest.mark.parametrize(
    "body",
    [
        {"error": f"no key {KEY} here"},
        {"error": {"message": f"no key {KEY}"}},
        {"message": f'{{"password": "{SECRET}"}}'},
        {"message": f"see https://zoom.example/j/1?pwd={SECRET}"},
        {"errors": [{"msg": f"bad {KEY}", "param": f"header {KEY}"}]},
        {"message": "x", "code": KEY},
    ],
    ids=["error", "object", "password", "link", "field", "code"],
)
def test_secrets_are_masked(body: dict[str, Any]) -> None:
    """No secret shows in an error or in any of its attributes, whatever the service echoes."""
    made = error(answer(400, body))
    shown = f"{made} {made!r} {vars(made)}"

    assert KEY not in shown
    assert SECRET not in shown


def test_message_is_bounded() -> None:
    """A long text of the service does not become a long error."""
    complaint = {"msg": "no " * 5_000, "param": "p" * 5_000}
    made = error(answer(400, {"errors": [complaint] * 200, "code": "c" * 5_000}, {"x-request-id": "i" * 5_000}))

    assert len(made.message) <= 500
    assert len(str(made)) <= 5_000
