"""The words of an error's body: no shape that services, frameworks and gateways write drops them."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.strategies import brisk, json_values
from core.tools import NOON, answer
from pyas_async import APIStatusError, FieldError
from pyas_async._core.calls.error_words import words_of
from pyas_async._core.calls.response_errors import error_from_response
from pyas_async._core.redact import redact

INVALID = FieldError("Invalid field.", "start_time")


def error(body: object, status: int = 400) -> APIStatusError:
    """Make the error of a response."""
    return error_from_response(answer(status, body), None, now=NOON, has_page_token=False, mask=redact)


ZOOM = {"code": 300, "message": "Validation Failed.", "errors": [{"field": "start_time", "message": "Invalid field."}]}
SHAPES: dict[str, tuple[Any, str, int | str | None, tuple[FieldError, ...]]] = {
    "Zoom": (ZOOM, "Validation Failed. Invalid field.", 300, (INVALID,)),
    "Zoom in error": ({"error": ZOOM}, "Validation Failed. Invalid field.", 300, (INVALID,)),
    "Zoom in error, twice": ({"error": {"error": ZOOM}}, "Validation Failed. Invalid field.", 300, (INVALID,)),
    "Zoom as text": ({"error": json.dumps(ZOOM)}, "Validation Failed. Invalid field.", 300, (INVALID,)),
    "Zoom in data": ({"success": False, "data": ZOOM}, "Validation Failed. Invalid field.", 300, (INVALID,)),
    "Zoom beside a text": (
        {"error": "Request failed", "details": ZOOM}, "Request failed: Validation Failed. Invalid field.", 300,
        (INVALID,),
    ),
    "Zoom in an axios error": (
        {"message": "Request failed with status code 400", "response": {"data": ZOOM}},
        "Request failed with status code 400: Validation Failed. Invalid field.", 300, (INVALID,),
    ),
    "NestJS": (
        {"statusCode": 400, "message": ["start must be a date", "title is odd"], "error": "Bad Request"},
        "start must be a date; title is odd", None, (FieldError("start must be a date"), FieldError("title is odd")),
    ),
    "NestJS, one": ({"statusCode": 404, "message": "Cannot GET /x", "error": "Not Found"}, "Cannot GET /x", None, ()),
    "class-validator": (
        {"message": [{"property": "start", "constraints": {"isDate": "must be a date", "isSet": "is empty"}}]},
        "must be a date; is empty", None, (FieldError("must be a date; is empty", "start"),),
    ),
    "express-validator 7": (
        {"errors": [{"type": "field", "msg": "Invalid value", "path": "startDate", "location": "query"}]},
        "Invalid value", None, (FieldError("Invalid value", "startDate"),),
    ),
    "joi": (
        {"error": "Bad Request", "details": [{"message": "is required", "path": ["recurrence", "type"]}]},
        "is required", None, (FieldError("is required", "recurrence.type"),),
    ),
    "zod": (
        {"error": {"name": "ZodError", "issues": [{"code": "invalid_type", "path": ["title"], "message": "Required"}]}},
        "Required", None, (FieldError("Required", "title"),),
    ),
    "FastAPI": ({"detail": "Not authenticated"}, "Not authenticated", None, ()),
    "FastAPI, fields": (
        {"detail": [{"loc": ["body", "title"], "msg": "field required", "type": "value_error.missing"}]},
        "field required", None, (FieldError("field required", "body.title"),),
    ),
    "Laravel": (
        {"message": "The given data was invalid.", "errors": {"title": ["is empty", "is odd"]}},
        "The given data was invalid. is empty; is odd", None,
        (FieldError("is empty", "title"), FieldError("is odd", "title")),
    ),
    "ASP.NET": (
        {"title": "Validation errors occurred", "status": 400, "errors": {"Start": ["is no date"]}},
        "Validation errors occurred: is no date", None, (FieldError("is no date", "Start"),),
    ),
    "Mongoose": (
        {"errors": {"title": {"name": "ValidatorError", "message": "Path is required"}}},
        "Path is required", None, (FieldError("Path is required", "title"),),
    ),
    "problem details": (
        {"type": "about:blank", "title": "Conflict", "status": 409, "detail": "It has ended"}, "It has ended", None, (),
    ),
    "problem details, parameters": (
        {"title": "Invalid", "invalid-params": [{"name": "start", "reason": "is past"}]},
        "Invalid: is past", None, (FieldError("is past", "start"),),
    ),
    "JSON:API": (
        {"errors": [{"status": "422", "title": "Invalid", "detail": "is past", "source": {"pointer": "/data/start"}}]},
        "is past", None, (FieldError("is past", "/data/start"),),
    ),
    "Google": ({"error": {"code": 403, "message": "Denied", "status": "PERMISSION_DENIED"}}, "Denied", 403, ()),
    "AWS": ({"Message": "User is not authorized"}, "User is not authorized", None, ()),
    "OAuth": ({"error": "invalid_grant", "error_description": "Expired"}, "invalid_grant: Expired", None, ()),
    "Java": ({"errorCode": "E7", "errorMessage": "No such host"}, "No such host", "E7", ()),
    "Python": ({"error_code": 7, "error_message": "No such host"}, "No such host", 7, ()),
    "Apigee": ({"fault": {"faultstring": "No quota", "detail": {"errorcode": "q"}}}, "No quota", "q", ()),
    "Spring": ({"status": 400, "error": "Bad Request", "message": "No zone", "path": "/x"}, "No zone", None, ()),
    "JSend": ({"status": "fail", "data": {"message": "No title"}}, "No title", None, ()),
    "a list of errors": ({"error": ["one", "two"]}, "one; two", None, (FieldError("one"), FieldError("two"))),
    "a bare list": ([{"message": "No title", "errorCode": 5}], "No title", None, (FieldError("No title"),)),
    "JSON text": ("No such meeting", "No such meeting", None, ()),
    "text": (b"  No such\r\nmeeting\n", "No such meeting", None, ()),
    "XML": (
        b'<?xml version="1.0"?><Error><Code>AccessDenied</Code><Message>Access &amp; more</Message></Error>',
        "Access & more", "AccessDenied", (),
    ),
    "SOAP": (
        b"<s:Body><faultcode>s:Client</faultcode><faultstring xml:lang='en'><![CDATA[No zone]]></faultstring></s:Body>",
        "No zone", "s:Client", (),
    ),
    "XML of another shape": (b"<oops><a>No zone</a> <b>here</b></oops>", "No zone here", None, ()),
    "HTML": (
        b"<!DOCTYPE html><html><head><title>Error</title><style>b {}</style></head><body><h1>Gateway down</h1>",
        "Error", None, (),
    ),
    "HTML without a heading": (
        b"<html><script>if (1 < 2) f()</script><!-- x --><body><pre>Cannot GET /x</pre></body></html>",
        "Cannot GET /x", None, (),
    ),
}  # fmt: skip


@pytest.mark.parametrize(("body", "message", "code", "errors"), SHAPES.values(), ids=SHAPES)
def test_shapes(body: object, message: str, code: int | str | None, errors: tuple[FieldError, ...]) -> None:
    """The message, the code and the complaints about fields are found in each shape, and in the text of the error."""
    made = error(body)

    assert (message, code, errors) == (made.message, made.code, made.errors)
    assert message in str(made)


@pytest.mark.parametrize(
    ("body", "excerpt"),
    [
        ({"oops": ["title is odd"]}, '{"oops": ["title is odd"]}'),
        ({"error": 5}, '{"error": 5}'),
        ([1, 2], "[1, 2]"),
        (b'{"message": "cut', '{"message": "cut'),
        (b"<html></html>", "<html></html>"),
        (b"\x00\x01", "\x00\x01"),
    ],
)
def test_no_words(body: object, excerpt: str) -> None:
    """If there are no words, the text of the error shows how the body begins."""
    made = error(body)

    assert ("Bad Request", excerpt) == (made.message, made.excerpt)
    assert str(made).startswith(f"400: Bad Request; the response began: {excerpt}")


@pytest.mark.parametrize("body", [b"", b" \n", {"error": "Bad Request"}])
def test_nothing_to_show(body: object) -> None:
    """An empty body, or one that says what the status says, adds nothing to the text."""
    assert "400: Bad Request" == str(error(body))


def test_excerpt() -> None:
    """The excerpt is the beginning of the body, masked, and has 500 characters at most; the text shows 200 of them."""
    made = error({"oops": "x" * 5_000, "password": "hush-5ecret"})
    assert (500, '{"oops": "xxx') == (len(made.excerpt), made.excerpt[:13])
    assert len(str(made)) < 300
    masked = error({"password": "hush-5ecret", "oops": "pwd=hush-5ecret"})
    assert "hush" not in f"{masked!r} {masked} {masked.args} {vars(masked)}"
    assert '"password": "***"' in masked.excerpt


@brisk
@given(
    st.recursive(
        json_values | st.text(max_size=9),
        lambda inner: (
            st.dictionaries(
                st.sampled_from(["error", "errors", "message", "detail", "data", "code", "field", "msg", "x"]), inner
            )
            | st.lists(inner, max_size=3)
        ),
    )
)
def test_any_document(body: object) -> None:
    """Any document becomes an error with a message, which survives being written as JSON."""
    made = error(body)

    assert made.message
    assert vars(made) == vars(type(made)(*json.loads(json.dumps(made.args))))


SLOW = [
    b"<" * 200_000, b"<message" * 20_000, b"<script" * 20_000, b"<!--" * 50_000, b"<!-" * 50_000, b"<a>" * 60_000,
    b"<title >" * 20_000, b"x " * 100_000, b"&amp;" * 40_000, b'{"error": ' * 90 + b'"x"' + b"}" * 90,
    b'{"errors": [' + b'{"message": "x"},' * 10_000 + b'{"message": "x"}]}', b"[" + b"[]," * 60_000 + b"[]]",
]  # fmt: skip


@pytest.mark.parametrize("body", SLOW, ids=[str(body[:9]) for body in SLOW])
def test_time(body: bytes) -> None:
    """No body takes long: a response must not block the event loop."""
    began = time.thread_time()
    words_of(body)

    assert time.thread_time() - began < 0.25
