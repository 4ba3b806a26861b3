"""Bounds are shown as the user has set them: which setting, and its value without the digits of a clock."""

from __future__ import annotations

import httpx
import pytest

import inside
from pyas_async import BudgetTimeoutError, PaginationError, PyasClient, RateBudget, RateLimitError
from pyas_async._base_errors import about, in_seconds
from runtime.socket_server import KEY, MEETING, heard, rows_after, through


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (30.0, "30 s"),
        (0.5, "0.5 s"),
        (29.999_999, "30 s"),
        (0.1 + 0.2, "0.3 s"),
        (2.125, "2.125 s"),
        (3_600, "3,600 s"),
        (1e7, "10,000,000 s"),
        (0.000_25, "0.00025 s"),
        (0.0, "0 s"),
    ],
)
def test_durations(seconds: float, expected: str) -> None:
    """A duration is written as a person would write it."""
    assert expected == in_seconds(seconds)


@pytest.mark.parametrize(
    ("seconds", "expected"), [(0.01, "0.1 s"), (0.4, "0.4 s"), (9.95, "10 s"), (12.3, "13 s"), (86_400.0, "86,400 s")]
)
def test_estimates(seconds: float, expected: str) -> None:
    """An estimate is rounded up, so that it is never 0."""
    assert expected == about(seconds)


@pytest.mark.parametrize(
    ("retry_after", "expected"),
    [
        (None, "429: slow down"),
        (0.0, "429: slow down (free again now)"),
        (0.4, "429: slow down (free again in 0.4 s)"),
        (12.3, "429: slow down (free again in 13 s)"),
    ],
)
def test_when_a_limit_is_free(retry_after: float | None, expected: str) -> None:
    """The error of a rate limit does not say "in 0 s"."""
    assert expected == str(RateLimitError("slow down", retry_after=retry_after))


@pytest.mark.parametrize(
    ("timeout", "expected"),
    [
        (5, "5 s (timeout=)"),
        (0.5, "0.5 s (timeout=)"),
        (httpx.Timeout(5.0, connect=2.0), "17 s (the phases of timeout=)"),
    ],
    ids=repr,
)
def test_timeouts(timeout: float | httpx.Timeout, expected: str) -> None:
    """A timeout is named by its setting, and a view may change it."""
    for client in (PyasClient(KEY, timeout=timeout), PyasClient(KEY).with_options(timeout=timeout)):
        assert expected == inside.options(client).limits.timeout_text
    assert "30 s (timeout=)" == inside.options(PyasClient(KEY)).limits.timeout_text
    view = PyasClient(KEY, timeout=httpx.Timeout(5.0)).with_options(timeout=7)
    assert "7 s (timeout=)" == inside.options(view).limits.timeout_text


@pytest.mark.anyio
async def test_budget() -> None:
    """A call that the budget cannot serve in time names its deadline."""
    async with through(lambda request: httpx.Response(200, json=MEETING), budget=RateBudget(1), deadline=2.5) as client:
        await client.meetings.get(81)
        with pytest.raises(BudgetTimeoutError, match=r"in 30\d s, after the call's 2\.5 s \(deadline=\) are over"):
            await client.meetings.get(81)


@pytest.mark.anyio
async def test_page_tokens() -> None:
    """A listing whose page tokens die names the setting of their life."""

    def answer(request: httpx.Request) -> httpx.Response:
        if "nextPageToken" in request.url.params:
            return httpx.Response(400, json={"code": 300, "message": "The next page token is invalid or expired."})
        return httpx.Response(200, json=rows_after(None))

    async with through(answer, page_token_ttl=600) as client:
        with pytest.raises(PaginationError, match=r"the 600 s of a page token \(page_token_ttl=\)"):
            await heard(client).meetings.iter_all(max_restarts=0).collect()
