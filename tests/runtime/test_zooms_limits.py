"""What a client does after Zoom's own limits, which Pyas passes on, on a clock that jumps."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import anyio
import httpx
import pytest

from pyas_async import RateLimitError, RetryPolicy
from runtime.socket_server import CHANGE, MEETING, NEW, rows_after
from runtime.test_limits import get, play

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from pyas_async import PyasClient

PER_SECOND = {
    "code": 429,
    "message": "You have reached the maximum per-second rate limit for this API. Try again later.",
}


def refusal() -> httpx.Response:
    """Write Zoom's refusal, which has no headers."""
    return httpx.Response(429, json=PER_SECOND)


async def create(client: PyasClient) -> None:
    """Create a meeting."""
    assert 81 == (await client.meetings.create(NEW)).id


async def update(client: PyasClient) -> None:
    """Change a meeting."""
    await client.meetings.update(81, CHANGE)


async def delete(client: PyasClient) -> None:
    """Delete a meeting."""
    await client.meetings.delete(81)


@pytest.mark.parametrize("call", [get, create, update, delete])
@pytest.mark.parametrize("priority", ["interactive", "bulk"])
def test_a_limit_per_second_is_waited_for(call: Callable[[PyasClient], Awaitable[None]], priority: str) -> None:
    """Every call that meets a limit per second, a create too, is sent again after one to two seconds."""

    async def run(client: PyasClient) -> None:
        await call(client.with_options(priority=priority))  # type: ignore[arg-type]

    answers = [httpx.Response(200, json=MEETING | {"data": MEETING["meeting"]})] if call is create else []
    times = play(run, refusal(), refusal(), refusal(), *answers, retry=RetryPolicy())

    assert 4 == len(times)
    assert all(1.0 <= after - before <= 2.0 for before, after in itertools.pairwise(times))


def test_a_listing_goes_on() -> None:
    """A limit per second between two pages of a listing costs it a second, and no row."""

    async def both(client: PyasClient) -> None:
        assert [1, 2] == [meeting.id async for meeting in client.meetings.iter_all()]

    pages = [httpx.Response(200, json=rows_after(token)) for token in (None, "token-2")]
    times = play(both, refusal(), pages[0], refusal(), refusal(), pages[1])

    assert 5 == len(times)
    assert times[-1] <= 6.0


@pytest.mark.parametrize("attempts", [1, 2, 4])
def test_not_for_ever(attempts: int) -> None:
    """A limit per second that does not end fails its call after its attempts; a write has not been carried out."""

    async def one(client: PyasClient) -> None:
        with pytest.raises(RateLimitError) as caught:
            await client.meetings.create(NEW)
        assert ("unknown", 1.0, "rejected") == (caught.value.scope, caught.value.retry_after, caught.value.write_state)

    retry = RetryPolicy(max_attempts=attempts)
    assert attempts == len(play(one, *[refusal() for _ in range(attempts)], retry=retry))


def test_other_calls_go_on() -> None:
    """A limit per second holds only the call back that met it."""

    async def two(client: PyasClient) -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(get, client)
            await anyio.sleep(0.1)
            await get(client)
            assert 0.1 == anyio.current_time()

    assert 3 == len(play(two, refusal()))
