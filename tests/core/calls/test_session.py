"""The loop that sends: what it says of a write that waits for the budget, and of one that the budget cannot serve."""

from __future__ import annotations

import httpx
import pytest

from core.tools import NOON
from pyas_async import (
    BudgetTimeoutError,
    MeetingCreate,
    MeetingUpdate,
    OutcomeUnknownError,
    PyasClient,
    PyasError,
    RateBudget,
    RetryPolicy,
)

pytestmark = pytest.mark.anyio


async def update(budget: RateBudget) -> PyasError:
    """Change a meeting at a service that drops every connection after it has read the request."""

    def drop(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadError("reset", request=request)

    async with (
        httpx.AsyncClient(transport=httpx.MockTransport(drop)) as http_client,
        PyasClient(
            "key",
            account_id="acc",
            base_url="http://localhost",
            budget=budget,
            retry=RetryPolicy(base=0),
            http_client=http_client,
        ) as client,
    ):
        with pytest.raises(PyasError) as caught:
            await client.meetings.update(1, MeetingUpdate(title="new"))
    return caught.value


async def test_write_without_budget() -> None:
    """A write that the budget cannot serve in time was not sent, and says so."""
    budget = RateBudget(1)
    budget.pause(1_000_000.0, 1e9)
    error = await update(budget)

    assert isinstance(error, BudgetTimeoutError)
    assert "not_sent" == error.write_state


async def test_write_in_doubt_without_budget() -> None:
    """A write whose answer was lost may be done: it never says "not sent", also where the budget ends its retries."""
    error = await update(RateBudget(1))

    assert "unknown" == error.write_state


async def test_create_is_sent_once() -> None:
    """A create whose answer was lost is not sent again, whatever kind of transport lost it."""
    seen = []

    def drop(request: httpx.Request) -> httpx.Response:
        seen.append(request.method)
        raise httpx.ReadTimeout("too slow", request=request)

    async with httpx.AsyncClient(transport=httpx.MockTransport(drop)) as http_client:
        client = PyasClient("key", account_id="acc", retry=RetryPolicy(base=0), http_client=http_client)
        with pytest.raises(PyasError) as caught:
            await client.meetings.create(MeetingCreate(2, "title", "", NOON))

    assert ["POST"] == seen
    assert isinstance(caught.value, OutcomeUnknownError)


@pytest.mark.parametrize("status", [200, 400])
async def test_echoed_key(status: int) -> None:
    """An answer that echoes the request's headers, as a proxy's page may, brings no key into an error."""

    def echo(request: httpx.Request) -> httpx.Response:
        return httpx.Response(status, text=f"<pre>x-api-key: {request.headers['x-api-key']}</pre>")

    key = "pk_live_0123456789abcdef"
    async with httpx.AsyncClient(transport=httpx.MockTransport(echo)) as http_client:
        client = PyasClient(key, account_id="acc", http_client=http_client)
        with pytest.raises(PyasError) as caught:
            await client.meetings.get(1)

    assert key not in f"{caught.value} {caught.value!r} {vars(caught.value)}"


async def test_write_in_doubt() -> None:
    """A write whose answers were all lost has an unknown outcome."""
    error = await update(RateBudget(10))

    assert isinstance(error, OutcomeUnknownError)
    assert "unknown" == error.write_state
