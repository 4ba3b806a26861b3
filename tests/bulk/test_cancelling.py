"""`BulkRun.cancel` at every point where a run can wait: afterwards the client can be used as before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio
import anyio.lowlevel
import pytest

from pyas_async import PyasClient, RateBudget
from runtime.calls import check_usable
from runtime.socket_server import client_of, wire
from runtime.steps import Steps, counting

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from pyas_async import BulkRun
    from runtime.socket_server import Wire

STEPS = 400
"""More steps than a run of three items has."""


async def source() -> AsyncIterator[int]:
    """Yield three ids. If the generator were not closed, there would be a warning, and warnings are errors."""
    for _ in range(3):
        await anyio.lowlevel.checkpoint()
        yield 81


def drawn_at_once(client: PyasClient) -> BulkRun[Any, Any]:
    """Get meetings by ids from a list."""
    return client.meetings.get_many([81, 81, 81], max_concurrency=2)


def drawn_with_waits(client: PyasClient) -> BulkRun[Any, Any]:
    """Delete meetings by ids from an async generator."""
    return client.meetings.delete_many(source(), max_concurrency=2)


every_run = pytest.mark.parametrize("run", [drawn_at_once, drawn_with_waits])


@pytest.fixture(scope="module")
def service() -> Iterator[Wire]:
    """Serve on a socket."""
    with wire() as server:
        yield server


def opened(service: Wire) -> PyasClient:
    """Make a client with one connection, so that one of two calls waits for it."""
    return client_of(service.url, max_connections=1, budget=RateBudget(1_000))


async def end_early(run: BulkRun[Any, Any], steps: Steps) -> list[str]:
    """Read a run that is cancelled at some step."""
    steps.act = run.cancel
    return [outcome.state for outcome in await run]


@pytest.mark.anyio
@every_run
async def test_cancel_of_the_run(
    service: Wire, anyio_backend: str, run: Callable[[PyasClient], BulkRun[Any, Any]]
) -> None:
    """`BulkRun.cancel` at any step: each item has its outcome, and exactly the items that were sent were started."""
    early = 0
    for chosen in range(1, STEPS):
        async with opened(service) as client:
            steps = Steps(chosen, lambda: None)
            before = len(service.requests)
            states: list[str] = []

            async def call(client: PyasClient = client, steps: Steps = steps, states: Any = states) -> None:  # noqa: ANN401
                states.extend(await end_early(run(client), steps))

            with counting(steps, anyio_backend), anyio.fail_after(5):
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(call)
            assert 3 == len(states)
            assert len(service.requests) - before == states.count("ok")
            early += states.count("not_started") > 0
            await check_usable(client)
            if steps.count < chosen:
                break
    assert 5 < early < STEPS - 1
