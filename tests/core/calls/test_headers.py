"""The headers of a response: how long to wait, what is left, and which limit it was."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core.tools import NOON, answer
from pyas_async import RateLimitError
from pyas_async._core.calls.headers import call_count, limit_resets_in, retry_after
from pyas_async._core.calls.response_errors import error_from_response

YEAR = 366 * 86_400


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0.0),
        ("20.5", 20.5),
        (" 7 ", 7.0),
        (str(YEAR - 1), YEAR - 1.0),
        (str(YEAR), None),
        ("-1", None),
        ("2027-11-23T11:59:59Z", YEAR - 1.0),
        ("2027-11-23T12:00:00Z", None),
    ],
)
def test_bounds_of_a_wait(text: str, seconds: float | None) -> None:
    """A number or a date says how long to wait, from nothing to a year; other values are ignored."""
    assert seconds == retry_after({"retry-after": text}, NOON)


def test_no_header() -> None:
    """A missing header is ``None``."""
    assert (None, None, None) == (retry_after({}, NOON), limit_resets_in({}, NOON), call_count({}, "x"))


def test_clocks_that_differ() -> None:
    """A date is compared with the response's own ``Date``, if it has one."""
    headers = {
        "date": "Sun, 22 Nov 2026 13:00:00 GMT",
        "retry-after": "Sun, 22 Nov 2026 13:00:10 GMT",
        "x-ratelimit-reset": "Sun Nov 22 2026 13:05:00 GMT+0000",
    }

    assert (10.0, 300.0) == (retry_after(headers, NOON), limit_resets_in(headers, NOON))
    assert 3_900.0 == limit_resets_in(headers | {"date": "who knows"}, NOON)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", 0),
        (" 42 ", 42),
        ("999999999", 999_999_999),
        ("1000000000", None),
        ("-1", None),
        ("4.0", None),
        ("٣", None),
    ],
)
def test_count(text: str, number: int | None) -> None:
    """A count is at most nine plain digits."""
    assert number == call_count({"x-ratelimit-remaining": text}, "x-ratelimit-remaining")


@pytest.mark.parametrize(
    ("headers", "body", "scope"),
    [
        ({"x-ratelimit-remaining": "3"}, {"error": "Rate limit exceeded"}, "unknown"),
        ({"x-ratelimit-remaining": "0"}, {"error": "500 calls PER DAY"}, "host_day"),
        ({}, {"error": "Too many requests"}, "key"),
        ({}, {"error": "Rate limit exceeded"}, "key"),
        ({}, {"error": "Sorry, too many requests"}, "unknown"),
    ],
)
def test_scope(headers: dict[str, str], body: dict[str, str], scope: str) -> None:
    """A 429 is the limit of the key if the service says so, and not while the key has calls left."""
    error = error_from_response(answer(429, body, headers), None, now=NOON, has_page_token=False, mask=str)

    assert isinstance(error, RateLimitError)
    assert scope == error.scope


def test_clock_of_the_reader() -> None:
    """If a response has no ``Date``, its dates are compared with our clock."""
    headers = {"retry-after": "2026-11-22T12:01:00Z"}

    assert 30.0 == retry_after(headers, NOON + timedelta(seconds=30))
