"""Which limit a 429 is about, and when that limit ends."""

from __future__ import annotations

import pytest

from core.tools import NOON, answer
from pyas_async import RateLimitError
from pyas_async._core.calls.response_errors import error_from_response

ZOOMS = "You have reached the maximum per-second rate limit for this API. Try again later."
"""Zoom's words, as they are passed on."""
WINDOW = {"x-ratelimit-limit": "100", "x-ratelimit-reset": "2026-11-22T12:03:20Z"}
"""Headers of the key's limit: its window ends in 200 s."""


def limit_of(body: object, headers: dict[str, str]) -> tuple[str, float | None]:
    """Read a 429; return its scope, and when the limit ends."""
    error = error_from_response(answer(429, body, headers), None, now=NOON, has_page_token=False, mask=str)
    assert isinstance(error, RateLimitError)
    return error.scope, error.retry_after


@pytest.mark.parametrize(
    "body",
    [
        {"code": 429, "message": ZOOMS},
        {"success": False, "error": ZOOMS, "code": 429},
        {"error": {"code": 429, "message": ZOOMS}},
        {"errors": [{"msg": ZOOMS}]},
        {"message": ZOOMS.upper()},
        {"message": "You have exceeded the limit of 20 requests per second."},
        {"message": "Rate limit: 10 requests/second"},
        {"message": "Rate limit: 10 req / s exceeded, 10/s"},
        {"message": "Only ten calls each second"},
        {"message": "QPS limit reached"},
    ],
    ids=str,
)
@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, 1.0),
        ({"retry-after": "0"}, 1.0),
        ({"retry-after": "soon"}, 1.0),
        ({"retry-after": "3"}, 3.0),
        (WINDOW | {"x-ratelimit-remaining": "57"}, 1.0),
        (WINDOW | {"x-ratelimit-remaining": "57", "retry-after": "200"}, 1.0),
        (WINDOW | {"x-ratelimit-remaining": "0"}, 1.0),
        ({"x-ratelimit-type": "QPS", "x-ratelimit-category": "Light", "x-ratelimit-remaining": "0"}, 1.0),
        ({"x-ratelimit-type": "QPS", "x-ratelimit-remaining": "0", "retry-after": "2"}, 2.0),
    ],
    ids=str,
)
def test_limit_per_second(body: object, headers: dict[str, str], seconds: float) -> None:
    """A limit per second is not the key's and ends in a second, whatever the key's own headers say of its window."""
    assert ("unknown", seconds) == limit_of(body, headers)


def test_limit_per_second_by_its_header() -> None:
    """Zoom's header names the limit as well as its words do."""
    assert ("unknown", 1.0) == limit_of({}, {"x-ratelimit-type": "QPS", "x-ratelimit-remaining": "0"})


def test_daily_limit_by_its_header() -> None:
    """A daily limit is known by Zoom's header, and is not taken for the key's."""
    assert ("host_day", None) == limit_of({}, {"x-ratelimit-type": "Daily-limit", "x-ratelimit-remaining": "0"})


def test_zooms_count_is_not_the_keys() -> None:
    """With the headers of Zoom's limits, no remaining call does not mean that the key is used up."""
    assert ("unknown", None) == limit_of({}, {"x-ratelimit-category": "Heavy", "x-ratelimit-remaining": "0"})


@pytest.mark.parametrize(
    "words",
    [
        "Try again in 30 seconds",
        "Refused: a second attempt came too early",
        "Too fast, see https://example.com/s",
        "The secondary limit is used up",
        "Upper section",
    ],
)
def test_other_words(words: str) -> None:
    """Words that only mention seconds name no limit per second."""
    assert ("unknown", None) == limit_of({"message": words}, {})


@pytest.mark.parametrize(
    ("body", "headers", "limit"),
    [
        ({"error": "Too many requests! 20 per second"}, {}, ("key", 1.0)),
        ({"error": "Rate limit exceeded", "message": "20 per second"}, {"retry-after": "7"}, ("key", 7.0)),
        ({"error": "Rate limit exceeded"}, {}, ("key", None)),
        ({"message": "At most 2 per second and 100 per day"}, {}, ("host_day", None)),
        ({"message": "per-second limits apply; the month's calls are used up"}, {}, ("month", None)),
    ],
    ids=str,
)
def test_other_limits(body: object, headers: dict[str, str], limit: tuple[str, float | None]) -> None:
    """A limit of the key is the key's even if it counts seconds; a longer one that is named as well decides."""
    assert limit == limit_of(body, headers)
