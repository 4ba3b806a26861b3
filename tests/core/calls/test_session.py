"""The loop that sends: the state of a write that waits for the budget, and of one that gets no slot."""

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
    """The error of a write that gets no slot in time says that it was not sent."""
    budget = RateBudget(1)
    budget.pause(1_000_000.0, 1e9)
    error = await update(budget)

    assert isinstance(error, BudgetTimeoutError)
    assert "not_sent" == error.write_state


async def test_write_in_doubt_without_budget() -> None:
    """A write without a response may be done: its state is never "not_sent", even if a retry gets no slot."""
    error = await update(RateBudget(1))

    assert "unknown" == error.write_state


async def test_create_is_sent_once() -> None:
    """A create without a response is not sent again, with any kind of transport."""
    seen = []

    def drop(request: httpx.Request) -> httpx.Response:
        seen.append(request.method)
        raise httpx.ReadTimeout("too slow", request=request)

    async with httpx.AsyncClient(transport=httpx.MockTransport(drop)) as http_client:
        client = PyasClient("key", account_id="acc", retry=RetryPolicy(base=0), http_client=http_client)
        with pytest.raises(PyasError) as caught:
            await client.meetings.create(MeetingCreate("title", NOON))

    assert ["POST"] == seen
    assert isinstance(caught.value, OutcomeUnknownError)


@pytest.mark.parametrize("status", [200, 400])
async def test_echoed_key(status: int) -> None:
    """A response that repeats the request's headers, as a proxy may, brings no key into an error."""

    def echo(request: httpx.Request) -> httpx.Response:
        return httpx.Response(status, text=f"<pre>x-api-key: {request.headers['x-api-key']}</pre>")

    key = "pk_live_0123456789abcdef"
    async with httpx.AsyncClient(transport=httpx.MockTransport(echo)) as http_client:
        client = PyasClient(key, account_id="acc", http_client=http_client)
        with pytest.raises(PyasError) as caught:
            await client.meetings.get(1)

    assert key not in f"{caught.value} {caught.value!r} {vars(caught.value)}"


async def test_write_in_doubt() -> None:
    """A write whose attempts all got no response has an unknown outcome."""
    error = await update(RateBudget(10))

    assert isinstance(error, OutcomeUnknownError)
    assert "unknown" == error.write_state
