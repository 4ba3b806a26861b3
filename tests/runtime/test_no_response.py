"""Many calls to a service that does not respond, or is slow to: a timeout is a timeout, on a clock that jumps."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any

import anyio
import attrs
import httpx
import pytest
import trio
from trio.testing import MockClock

from pyas_async import BudgetTimeoutError, PyasError, RateBudget, RequestTimeoutError, RetryPolicy
from runtime.socket_server import KEY_LIMIT, MEETING, through
from runtime.test_limits import tick

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from pyas_async import PyasClient

CALLS = 50


@attrs.define
class Run:
    """What became of the calls: how many returned, the errors of the others, and when all had ended."""

    done: int = 0
    errors: list[PyasError] = attrs.field(factory=list)
    ended: float = 0.0
    sent: int = 0

    @property
    def kinds(self) -> Counter[type[PyasError]]:
        """Count the errors by class."""
        return Counter(type(error) for error in self.errors)


def burst(
    answer: Callable[[int], Awaitable[httpx.Response]],
    call: Callable[[PyasClient], Awaitable[object]],
    **options: Any,  # noqa: ANN401
) -> Run:
    """Make fifty calls at once; `answer` gets the number of the request."""
    found = Run()

    async def respond(_: httpx.Request) -> httpx.Response:
        found.sent += 1
        return await answer(found.sent)

    async def one(client: PyasClient) -> None:
        try:
            await call(client)
            found.done += 1
        except PyasError as error:
            found.errors.append(error)

    async def main() -> None:
        async with through(respond, **options) as client:
            tick(client)
            async with anyio.create_task_group() as tasks:
                for _ in range(CALLS):
                    tasks.start_soon(one, client)
            found.ended = anyio.current_time()

    trio.run(main, clock=MockClock(autojump_threshold=0))
    return found


async def get(client: PyasClient) -> object:
    """Get a meeting."""
    return await client.meetings.get(81)


async def page(client: PyasClient) -> object:
    """Get a page."""
    return await client.meetings.list()


async def never(_: int) -> httpx.Response:
    """Accept the request, and never respond."""
    await anyio.sleep_forever()
    raise AssertionError


@pytest.mark.parametrize("call", [get, page])
@pytest.mark.parametrize("limit", [None, 20, 100, 3_000])
@pytest.mark.parametrize("seconds", [(5.0, 5.0), (5.0, 20.0), (30.0, 5.0), (0.5, 0.5), (5.0, 0.9), (2.0, None)])
def test_no_response_at_all(
    seconds: tuple[float, float | None], limit: int | None, call: Callable[[PyasClient], Awaitable[object]]
) -> None:
    """If the service never responds, each call times out in its time, and none says that the limit is used up."""
    timeout, deadline = seconds
    budget = RateBudget(limit)
    found = burst(never, call, timeout=timeout, deadline=deadline, budget=budget, retry=RetryPolicy.none())

    assert {RequestTimeoutError: CALLS} == found.kinds
    assert not [error for error in found.errors if re.search("rate limit|used up", str(error))]
    assert found.ended <= (timeout + 1.1 if deadline is None else min(deadline, timeout + 1.1)) + 1e-6 or limit == 20


@pytest.mark.parametrize("limit", [None, 100])
@pytest.mark.parametrize("seconds", [0.4, 1.0, 3.0, 20.0])
def test_slow_first_response(seconds: float, limit: int | None) -> None:
    """However slow the responses are, the first holds the other calls up for a second at most."""

    async def slowly(_: int) -> httpx.Response:
        await anyio.sleep(seconds)
        return httpx.Response(200, json=MEETING)

    found = burst(slowly, get, timeout=60.0, budget=RateBudget(limit))

    assert (CALLS, CALLS) == (found.done, found.sent)
    assert found.ended <= seconds + min(seconds, 1.0) + 0.01


def test_slow_first_response_alone() -> None:
    """If only the first response is slow, the others do not wait for it."""

    async def slow_once(number: int) -> httpx.Response:
        await anyio.sleep(3.0 if number == 1 else 0.1)
        return httpx.Response(200, json=MEETING)

    assert 3.0 == pytest.approx(burst(slow_once, get).ended, abs=0.01)


def test_refused_connections() -> None:
    """Connections that are refused hold no call up for longer than a second either."""

    async def refuse(_: int) -> httpx.Response:
        await anyio.sleep(0.3)
        msg = "refused"
        raise httpx.ConnectError(msg)

    found = burst(refuse, get, retry=RetryPolicy.none())

    assert CALLS == len(found.errors)
    assert {"TransportError"} == {type(error).__name__ for error in found.errors}
    assert found.ended <= 1.6


def test_no_response_after_a_pause() -> None:
    """If the service responds with a 429 and never again, the calls that waited for a response time out as well."""

    async def once(number: int) -> httpx.Response:
        return httpx.Response(429, json=KEY_LIMIT, headers={"Retry-After": "2"}) if number == 1 else await never(number)

    found = burst(once, get, timeout=5.0, deadline=2.5, budget=RateBudget(100), retry=RetryPolicy(max_attempts=2))

    assert CALLS == len(found.errors)
    assert set(found.kinds) <= {RequestTimeoutError, BudgetTimeoutError}
    # Those that waited for the probe's response say so; those that waited for the end of the pause name the limit.
    assert found.kinds[RequestTimeoutError] > CALLS // 2


def test_used_up_is_still_said() -> None:
    """Once the service has responded, a call that no slot can serve in time says that the limit is used up."""

    async def soon(_: int) -> httpx.Response:
        await anyio.sleep(0.1)
        return httpx.Response(200, json=MEETING)

    found = burst(soon, get, deadline=5.0, budget=RateBudget(20))

    assert (20, {BudgetTimeoutError: 30}) == (found.done, found.kinds)
    assert all("rate limit is used up" in str(error) for error in found.errors)
