"""Limits and the budget, on a clock that jumps: no test takes time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import anyio
import attrs
import httpx
import pytest
import trio
from trio.testing import MockClock

import inside
from pyas_async import (
    BudgetTimeoutError,
    OutcomeUnknownError,
    PyasError,
    RateBudget,
    RateLimitError,
    RequestTimeoutError,
    RetryPolicy,
)
from pyas_async._runtime.attempts.limiter import ConnectionLimiter
from pyas_async._runtime.clock import Clock
from runtime.socket_server import CHANGE, KEY_LIMIT, MEETING, NEW, client_of, heard, rows_after, through

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from pyas_async import PyasClient

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
DAILY = {"code": 429, "message": "You have exceeded the daily rate limit of (100) for Meeting Create/Update API"}
SLOW = RetryPolicy(base=2.0, cap=2.0)
"""Pauses of exactly two seconds: the random factor is one here."""


def wall() -> datetime:
    """Return the time of day on the clock that jumps."""
    return NOON + timedelta(seconds=anyio.current_time())


@attrs.define
class Played:
    """A service that sends listed responses and then a meeting, and records the time of each request."""

    lines: list[httpx.Response | Exception]
    times: list[float] = attrs.field(factory=list)
    takes: float = 0.0

    async def answer(self, request: httpx.Request) -> httpx.Response:
        """Send the next response."""
        self.times.append(anyio.current_time())
        await anyio.sleep(self.takes)
        line = self.lines.pop(0) if self.lines else httpx.Response(200, json=MEETING)
        if isinstance(line, Exception):
            raise line
        return line


def tick(client: PyasClient) -> PyasClient:
    """Set a client's clock to the one that jumps."""
    clock = Clock(now=anyio.current_time, wall=wall, random=lambda: 1.0)
    inside.set_clock(client, clock)
    return client


def play(
    test: Callable[[PyasClient], Awaitable[Any]],
    *lines: httpx.Response | Exception,
    takes: float = 0.0,
    **options: Any,  # noqa: ANN401
) -> list[float]:
    """Run a test against a service; return the times of the requests, in seconds from the start."""
    service = Played(list(lines), takes=takes)

    async def main() -> None:
        async with through(service.answer, **{"retry": SLOW, **options}) as client:
            await test(tick(client))
            assert 0 == inside.in_flight(client)

    trio.run(main, clock=MockClock(autojump_threshold=0))
    return service.times


async def get(client: PyasClient) -> None:
    """Get a meeting."""
    await client.meetings.get(81)


async def fails_in_iteration(client: PyasClient) -> None:
    """Iterate over all rows."""
    assert 2 == len(await client.meetings.iter_all().collect())


def resets_in(seconds: float) -> str:
    """Return a date in the format of the service's headers."""
    return f"{NOON + timedelta(seconds=seconds):%a, %d %b %Y %H:%M:%S GMT}"


@pytest.mark.parametrize("headers", [{}, {"Retry-After": "7"}, {"X-RateLimit-Reset": resets_in(7)}], ids=str)
def test_key_limit_stops_all_calls(headers: dict[str, str]) -> None:
    """The key's 429 stops all calls of the key for the time that it names; without one, for a random pause."""

    async def three(client: PyasClient) -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(get, client)
            await anyio.sleep(0.5)
            tasks.start_soon(get, client)
            tasks.start_soon(get, client)

    times = play(three, httpx.Response(429, json=KEY_LIMIT, headers=headers))
    assert (4, 0.0) == (len(times), times[0])
    assert min(times[1:]) >= (7.0 if headers else 2.0)
    assert max(times) < 9.0


def test_daily_limit_stops_no_other_call() -> None:
    """Zoom's daily limit fails its call, and other calls with the key go on at once."""

    async def two(client: PyasClient) -> None:
        with pytest.raises(RateLimitError) as caught:
            await client.meetings.create(NEW)
        assert ("host_day", "rejected") == (caught.value.scope, caught.value.write_state)
        await get(client)

    headers = {"X-RateLimit-Remaining": "57", "X-RateLimit-Limit": "100", "X-RateLimit-Reset": resets_in(200)}
    assert [0.0, 0.0] == play(two, httpx.Response(429, json=DAILY, headers=headers))


def test_iteration_waits_beyond_its_deadline() -> None:
    """An iteration waits for the end of a key's limit beyond its deadline; a single call does not."""
    limited = httpx.Response(429, json=KEY_LIMIT, headers={"Retry-After": "200"})
    pages = [httpx.Response(200, json=rows_after(token)) for token in (None, "token-2")]
    times = play(fails_in_iteration, limited, *pages, deadline=90.0)
    assert 3 == len(times)
    assert 200.0 <= times[1] < 210.0

    async def impatient(client: PyasClient) -> None:
        with pytest.raises(RateLimitError):
            await get(client)

    assert [0.0] == play(impatient, httpx.Response(429, json=KEY_LIMIT, headers={"Retry-After": "200"}), deadline=90.0)


def test_reset_is_no_retry_after() -> None:
    """The end of the key's window does not tell when a failing server recovers."""
    headers = {"X-RateLimit-Remaining": "57", "X-RateLimit-Reset": resets_in(280)}
    assert [0.0, 2.0] == play(get, httpx.Response(503, headers=headers))


def test_unsent_costs_nothing() -> None:
    """Attempts that were certainly not sent cost no budget; those that may have been sent do."""

    async def one(client: PyasClient) -> None:
        with pytest.raises(PyasError):
            await client.meetings.update(81, CHANGE)
        left.append(client.rate_limit.remaining)

    left: list[int | None] = []
    play(one, *[httpx.ConnectError("refused") for _ in range(4)], budget=RateBudget(10))
    play(one, *[httpx.ReadError("reset") for _ in range(4)], budget=RateBudget(10))
    assert [10, 6] == left


def test_shared_budget() -> None:
    """Clients with one budget spend it together: when one has used it up, the other waits for the next window."""
    service = Played([])

    async def main() -> None:
        budget = RateBudget(2, window=10.0, guard=0.0)
        transport = httpx.MockTransport(service.answer)
        async with httpx.AsyncClient(transport=transport) as http:
            first, second = (tick(client_of("http://localhost", http_client=http, budget=budget)) for _ in range(2))
            await get(first)
            await get(first)
            assert 0 == second.rate_limit.remaining
            with pytest.raises(BudgetTimeoutError) as caught:
                await get(second.with_options(deadline=5.0))
            assert 10.0 == caught.value.retry_after
            await get(second)

    trio.run(main, clock=MockClock(autojump_threshold=0))
    assert [0.0, 0.0] == service.times[:2]
    assert [10.0] == pytest.approx(service.times[2:], abs=0.3)


@pytest.mark.parametrize("retry", [SLOW, RetryPolicy.none()], ids=["retries", "none"])
@pytest.mark.parametrize("phase", ["pool", "connect"])
def test_no_connection_before_the_token_expires(phase: str, retry: RetryPolicy) -> None:
    """A page request waits for a connection until its token is too old: then a fresh walk begins instead."""
    sent: list[tuple[float, str | None]] = []
    waits = [15.0]

    async def crowded(request: httpx.Request) -> httpx.Response:
        token = request.url.params.get("nextPageToken")
        if token and waits:
            with anyio.move_on_after(request.extensions["timeout"][phase]) as waiting:
                await anyio.sleep(waits.pop())
            if waiting.cancelled_caught:
                raise (httpx.PoolTimeout if phase == "pool" else httpx.ConnectTimeout)("crowded")
        sent.append((anyio.current_time(), token))
        return httpx.Response(200, json=rows_after(token))

    async def main() -> None:
        async with through(crowded, retry=retry) as client:
            listing = tick(client).meetings.iter_all()
            first = await anext(listing)
            await anyio.sleep(889.0 - anyio.current_time())
            assert first != await anext(listing)
            assert 1 == listing.stats.restarts

    trio.run(main, clock=MockClock(autojump_threshold=0))
    assert [(0.0, None), (890.0, None), (890.0, "token-2")] == [(round(time, 3), token) for time, token in sent]


def test_budget_ends_the_retries_of_a_write() -> None:
    """If the budget ends the retries of a write whose response was lost, the error says that the outcome is unknown."""
    caught: list[PyasError] = []

    async def update(client: PyasClient) -> None:
        with pytest.raises(PyasError) as raised:
            await client.meetings.update(81, CHANGE)
        caught.append(raised.value)

    play(update, httpx.ReadError("reset"), budget=RateBudget(1))
    [error] = caught
    assert isinstance(error, OutcomeUnknownError)
    assert ("meetings.update", 81, "unknown") == (error.operation, error.meeting_id, error.write_state)


def test_sent_at() -> None:
    """An unknown outcome names the time of the last attempt that was sent, not of one that was not."""
    caught: list[OutcomeUnknownError] = []

    async def update(client: PyasClient) -> None:
        with pytest.raises(OutcomeUnknownError) as raised:
            await client.meetings.update(81, CHANGE)
        caught.append(raised.value)

    unsent = [httpx.ConnectError("refused") for _ in range(2)]
    times = play(update, httpx.ReadError("reset"), httpx.ReadError("reset"), *unsent)
    assert [0.0, 2.0, 4.0, 6.0] == times
    assert NOON + timedelta(seconds=2) == caught[0].sent_at


def test_deadline_in_the_queue() -> None:
    """A call that waits in the queue until its deadline is not sent, and its slot is not lost."""

    async def main(client: PyasClient) -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(get, client)
            await anyio.sleep(0.1)
            with pytest.raises(RequestTimeoutError, match="has not responded"):
                await client.with_options(deadline=1.0).meetings.get(82)
        await anyio.sleep(0.1)
        assert 1 == client.rate_limit.remaining

    budget = RateBudget(1, window=0.001, guard=0.0)
    assert [0.0] == play(main, budget=budget, takes=3.0)[:1]


def test_key_that_comes_too_late() -> None:
    """A call whose API key takes longer than the deadline sends nothing, and costs no budget."""

    async def key() -> str:
        await anyio.sleep(10.0)
        return "late"

    async def main(client: PyasClient) -> None:
        with pytest.raises(TimeoutError) as caught:
            await client.meetings.create(NEW)
        assert isinstance(caught.value, PyasError)
        assert ("not_sent", 5.0) == (caught.value.write_state, anyio.current_time())

    assert [] == play(main, api_key=key, deadline=5.0)


@pytest.mark.parametrize(("deadline", "sent", "late"), [(None, 40, 0), (10.5, 22, 20)])
def test_many_calls_on_few_connections(deadline: float | None, sent: int, late: int) -> None:
    """Waiting for a connection takes no time from an attempt, and ends with the deadline."""
    ends: list[float] = []

    async def crowd(client: PyasClient) -> None:
        inside.set_connection_limiter(client, ConnectionLimiter(2))
        heard(client)

        async def one() -> None:
            try:
                await client.meetings.get(81)
            except RequestTimeoutError:
                ends.append(anyio.current_time())

        async with anyio.create_task_group() as tasks:
            for _ in range(40):
                tasks.start_soon(one)

    times = play(crowd, takes=1.0, timeout=1.5, deadline=deadline)
    assert [float(number // 2) for number in range(sent)] == times
    assert [10.5] * late == ends


def test_bound_of_the_wait_for_a_connection() -> None:
    """An `httpx.Timeout` also bounds the wait for a connection; then the call is retried, as after any fault."""
    ends: list[float] = []

    async def two(client: PyasClient) -> None:
        inside.set_connection_limiter(client, ConnectionLimiter(1))
        heard(client)

        async def impatient() -> None:
            with pytest.raises(RequestTimeoutError, match="no connection was free"):
                await client.meetings.get(81)
            ends.append(anyio.current_time())

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(get, client.with_options(timeout=None))
            await anyio.wait_all_tasks_blocked()
            tasks.start_soon(impatient)

    retry = RetryPolicy(max_attempts=2, base=2.0, cap=2.0)
    assert [0.0] == play(two, takes=60.0, timeout=httpx.Timeout(30.0, pool=4.0), retry=retry)
    assert [10.0] == ends


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"timeout": 0.5}, r"no whole answer within 0\.5 s \(timeout=\)"),
        ({"timeout": 30}, r"no whole answer within 30 s \(timeout=\)"),
        ({"deadline": 7}, r"no whole answer within .*7 s \(deadline=\)"),
    ],
    ids=str,
)
def test_texts_of_bounds(settings: dict[str, Any], text: str) -> None:
    """An error names the setting that ended an attempt, and its value as the user gave it."""

    async def one(client: PyasClient) -> None:
        with pytest.raises(RequestTimeoutError, match=text):
            await get(client.with_options(**settings))

    play(one, httpx.Response(200, json=MEETING), takes=100.0, retry=RetryPolicy.none())
