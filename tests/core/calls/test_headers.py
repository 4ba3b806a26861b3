"""The headers of a response: how long to wait, what is left, and which limit it was."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.strategies import brisk
from core.tools import NOON, answer
from pyas_async import RateLimitError
from pyas_async._core.calls.headers import call_count, limit_resets_in, named_limit, retry_after, window_ends_in
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


EPOCH = int(NOON.timestamp())
FORMS: dict[str, tuple[str, float | None]] = {
    "seconds": ("60", 60.0),
    "fraction": ("59.25", 59.25),
    "exponent": ("6e1", 60.0),
    "blanks": (" \t60 ", 60.0),
    "now": ("0", 0.0),
    "epoch seconds": (str(EPOCH + 60), 60.0),
    "epoch seconds with a fraction": (f"{EPOCH + 60}.5", 60.5),
    "epoch seconds in the past": (str(EPOCH - 60), 0.0),
    "epoch milliseconds": (str(EPOCH * 1_000 + 60_250), 60.25),
    "epoch milliseconds in the past": (str(EPOCH * 1_000 - 1), 0.0),
    "epoch microseconds": (str(EPOCH * 10**6 + 60 * 10**6), 60.0),
    "epoch nanoseconds": (str(EPOCH * 10**9 + 60 * 10**9), 60.0),
    "HTTP date": ("Sun, 22 Nov 2026 12:01:00 GMT", 60.0),
    "HTTP date of RFC 850": ("Sunday, 22-Nov-26 12:01:00 GMT", 60.0),
    "HTTP date of asctime": ("Sun Nov 22 12:01:00 2026", 60.0),
    "ISO 8601": ("2026-11-22T12:01:00Z", 60.0),
    "ISO 8601 with an offset": ("2026-11-22T13:01:00.250+01:00", 60.25),
    "compact ISO 8601": ("20261122T120100Z", 60.0),
    "JavaScript": ("Sun Nov 22 2026 12:01:00 GMT+0000 (Coordinated Universal Time)", 60.0),
    "date in the past": ("Sun, 22 Nov 2026 11:00:00 GMT", 0.0),
    "repeated": ("60, 60", 60.0),
    "repeated, the longer counts": ("3, 60", 60.0),
    "repeated date": ("Sun, 22 Nov 2026 12:01:00 GMT, Sun, 22 Nov 2026 12:01:00 GMT", 60.0),
    "number and date": ("3, Sun, 22 Nov 2026 12:01:00 GMT", 60.0),
    "repeated, one is empty": ("60,", 60.0),
    "one of two cannot be read": ("soon, 60", None),
    "empty": ("", None),
    "comma": (" , ", None),
    "words": ("soon", None),
    "with a unit": ("60s", None),
    "negative": ("-60", None),
    "negative epoch": (f"-{EPOCH}", None),
    "not a number": ("nan", None),
    "infinite": ("inf", None),
    "too large": ("9" * 400, None),
    "too large by little": (str(YEAR), None),
    "neither seconds nor a moment": ("500000000", None),
    "centiseconds since 1970": (str(EPOCH * 100), None),
    "milliseconds that look like a compact date": ("1764122212345", 0.0),
    "digits that look like a date with a time": ("202611221201", None),
    "underscore": ("6_0", None),
    "other digits": ("٦٠", None),
    "more than a year ahead": ("Tue, 23 Nov 2027 12:00:00 GMT", None),
    "last day of time": ("9999-12-31T23:59:59-14:00", None),
    "first day of time": ("0001-01-01T00:00:00+14:00", None),
    "more than a year ago": (str(EPOCH - YEAR), None),
}
"""What a header says, and how many seconds it is until then at noon; ``None`` if it says nothing."""


@pytest.mark.parametrize(("text", "seconds"), FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("date", [{}, {"date": "Sun, 22 Nov 2026 12:00:00 GMT"}, {"date": "1764122212345"}], ids=str)
def test_forms_of_a_moment(text: str, seconds: float | None, date: dict[str, str]) -> None:
    """``Retry-After`` and ``X-RateLimit-Reset`` are read in every known form; what is in none counts as missing."""
    found = [retry_after({"retry-after": text} | date, NOON), limit_resets_in({"x-ratelimit-reset": text} | date, NOON)]

    assert [seconds if seconds is None else pytest.approx(seconds, abs=1e-3)] * 2 == found


@brisk
@given(st.floats(0, 86_400), st.sampled_from([1, 10**3, 10**6, 10**9]))
def test_any_unit_since_1970(seconds: float, unit: int) -> None:
    """A moment in any unit since 1970 is as many seconds off as it is."""
    found = retry_after({"retry-after": str(round((EPOCH + seconds) * unit))}, NOON)

    assert pytest.approx(seconds, abs=max(1e-3, 0.5 / unit)) == found


@brisk
@given(st.text(max_size=60) | st.text("0123456789.,:-+eTZ GMTSun", max_size=60))
def test_any_text(text: str) -> None:
    """Whatever a header holds, it is a wait from 0 to a year, or nothing."""
    found = retry_after({"retry-after": text}, NOON)

    assert found is None or 0.0 <= found < YEAR


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "2"}, 2.0),
        ({"x-ratelimit-reset": "200"}, 200.0),
        ({"x-ratelimit-reset": "200", "retry-after": "2"}, 2.0),
        ({"x-ratelimit-reset": "2", "retry-after": "200"}, 2.0),
        ({"x-ratelimit-reset": "2", "retry-after": "soon"}, 2.0),
        ({"x-ratelimit-reset": "soon", "retry-after": "2"}, 2.0),
    ],
)
def test_retry_after_bounds_the_window(headers: dict[str, str], seconds: float | None) -> None:
    """The key's window ends no later than ``Retry-After`` says."""
    assert seconds == window_ends_in(headers, NOON)


@pytest.mark.parametrize(
    ("text", "limit", "left"),
    [
        ("100", 100, 100),
        ("100, 100", 100, 100),
        ("5, 100", 100, 5),
        ("many, 7", 7, 7),
        ("0", None, 0),
        ("-1", None, None),
    ],
)
def test_repeated_counts(text: str, limit: int | None, left: int | None) -> None:
    """Of repeated headers the fewest remaining calls count, and the highest limit; a limit of 0 is none."""
    headers = {"x-ratelimit-limit": text, "x-ratelimit-remaining": text}

    assert (limit, left) == (named_limit(headers), call_count(headers, "x-ratelimit-remaining"))


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
