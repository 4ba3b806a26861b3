"""Streams: outcomes as they come, and consumers that are slow, that leave early, or of which there are several."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import anyio
import anyio.lowlevel
import pytest

import inside
from bulk.tools import Counted, Service, never, states, streamed, tasks, when
from resting import rest

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from pyas_async import BulkRun, PyasClient

pytestmark = pytest.mark.anyio


class LeavingError(Exception):
    """Ends a block."""


async def test_as_they_come(client: PyasClient, service: Service) -> None:
    """An outcome is delivered as soon as it is known, whatever the position of its item."""
    events = [anyio.Event() for _ in range(3)]
    for number in range(3):
        service.special[number + 1] = when(events[number], number + 1)

    keys = []
    async with client.meetings.get_many([1, 2, 3]) as outcomes:
        for number in (2, 1, 3):
            events[number - 1].set()
            keys.append((await anext(outcomes)).key)

    assert [2, 1, 3] == keys


async def test_slow_consumer(client: PyasClient, service: Service) -> None:
    """A slow consumer slows the workers down: at most `max_concurrency` items are between the input and it."""
    numbers = Counted(12)
    read = 0
    async with client.meetings.get_many(numbers.sync(), max_concurrency=3) as outcomes:
        async for _ in outcomes:
            read += 1
            await rest()
            assert numbers.drawn <= read + 3
            assert len(service.requests) <= read + 3

    assert 12 == read


async def test_calls_go_on_while_the_consumer_works(client: PyasClient, service: Service) -> None:
    """While the consumer works on one outcome, the next calls are in flight."""
    async with client.meetings.get_many(range(1, 100), max_concurrency=2) as outcomes:
        await anext(outcomes)
        await rest()
        assert 3 == len(service.requests)


async def test_cancelled_step_loses_nothing(client: PyasClient, service: Service) -> None:
    """After a step that timed out, the next one returns its outcome: none is lost."""
    event = anyio.Event()
    service.special[1] = when(event, 1)
    async with client.meetings.get_many([1]) as outcomes:
        with anyio.move_on_after(0.01) as scope:
            await anext(outcomes)
        assert scope.cancelled_caught
        event.set()
        assert 1 == (await anext(outcomes)).key


async def test_several_consumers(client: PyasClient) -> None:
    """Tasks that read one stream share its outcomes: each outcome goes to one task, and all tasks come to an end."""
    keys: list[Any] = []

    async with client.meetings.get_many(range(1, 21), max_concurrency=4) as outcomes:

        async def reader() -> None:
            async for outcome in outcomes:
                keys.append(outcome.key)
                await anyio.lowlevel.checkpoint()

        async with anyio.create_task_group() as group:
            for _ in range(3):
                group.start_soon(reader)

    assert list(range(1, 21)) == sorted(keys)


async def by_break(run: BulkRun[Any, Any]) -> None:
    """Leave by `break`."""
    async with run as outcomes:
        async for _ in outcomes:
            break


async def by_not_reading(run: BulkRun[Any, Any]) -> None:
    """Leave without having read."""
    async with run:
        await rest()


async def by_leaving_at_once(run: BulkRun[Any, Any]) -> None:
    """Leave before anything could happen."""
    async with run:
        pass


async def by_exception(run: BulkRun[Any, Any]) -> None:
    """Leave by an exception, which is raised as it is, and not in a group."""
    mistake = LeavingError()
    with pytest.raises(LeavingError) as caught:
        async with run as outcomes:
            async for _ in outcomes:
                raise mistake
    assert caught.value is mistake
    assert caught.value.__context__ is None


async def by_scope(run: BulkRun[Any, Any]) -> None:
    """Leave by the cancellation of a scope during the wait for the next outcome."""
    with anyio.move_on_after(0.02) as scope:
        async with run as outcomes:
            async for _ in outcomes:
                pass
    assert scope.cancelled_caught


async def by_awaiting_in_a_scope(run: BulkRun[Any, Any]) -> None:
    """Cancel an `await`."""
    with anyio.move_on_after(0.02) as scope:
        await run
    assert scope.cancelled_caught


async def by_task_cancel(run: BulkRun[Any, Any]) -> None:
    """Cancel a task that reads."""

    async def read() -> None:
        await streamed(run)

    task = asyncio.ensure_future(read())
    await asyncio.sleep(0.02)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def by_cancelling_an_await(run: BulkRun[Any, Any]) -> None:
    """Cancel a task that awaits."""
    task = asyncio.ensure_future(run)
    await asyncio.sleep(0.02)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def by_asyncio_timeout(run: BulkRun[Any, Any]) -> None:
    """Leave by `asyncio.timeout`, which needs cancellations to be passed on and counted correctly."""
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.02):
            await run
    task = asyncio.current_task()
    assert task is not None
    assert 0 == task.cancelling()


async def check_leaving(
    leave: Callable[[BulkRun[Any, Any]], Awaitable[None]], client: PyasClient, service: Service
) -> None:
    """Leave while calls hang, check that nothing is left, and use the client again."""
    service.special.update(dict.fromkeys(range(2, 10), never))
    before = tasks()

    await leave(client.meetings.get_many(range(1, 100), max_concurrency=5))

    await rest()
    assert before == tasks()
    assert 0 == service.in_flight
    assert 0 == inside.in_flight(client)
    assert 0 == client.rate_limit.waiting
    assert 50 == (await client.meetings.get(50)).id


@pytest.mark.parametrize(
    "leave", [by_break, by_not_reading, by_leaving_at_once, by_exception, by_scope, by_awaiting_in_a_scope]
)
async def test_leaving(
    leave: Callable[[BulkRun[Any, Any]], Awaitable[None]], client: PyasClient, service: Service
) -> None:
    """However a run is left, its calls are cancelled: no task, no request and no slot in the budget remains."""
    await check_leaving(leave, client, service)


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.parametrize("leave", [by_task_cancel, by_cancelling_an_await, by_asyncio_timeout])
async def test_leaving_natively(
    leave: Callable[[BulkRun[Any, Any]], Awaitable[None]], client: PyasClient, service: Service
) -> None:
    """The same holds for asyncio's own ways of cancelling."""
    await check_leaving(leave, client, service)


async def test_cancelled_while_drawing(client: PyasClient) -> None:
    """A run that is cancelled while its input waits cancels the input, too."""
    cancelled = False

    async def source() -> Any:  # noqa: ANN401
        nonlocal cancelled
        yield 1
        try:
            await anyio.sleep_forever()
        except BaseException:
            cancelled = True
            raise

    before = tasks()
    for read in (streamed, by_awaiting_in_a_scope):
        cancelled = False
        with anyio.move_on_after(0.02):
            await read(client.meetings.get_many(source()))
        assert cancelled
        assert before == tasks()


async def test_bare_loop(client: PyasClient) -> None:
    """A bare `async for` is a TypeError that says how to write it."""
    run = client.meetings.get_many([1])
    with pytest.raises(TypeError, match="async with run as outcomes"):
        async for _ in run:  # type: ignore[attr-defined]
            pass
    assert ["ok"] == states(await run)


async def test_once(client: PyasClient) -> None:
    """A run is used once; the second time, it says what to do."""

    async def enter(run: BulkRun[Any, Any]) -> None:
        async with run:
            pass

    async def collect(run: BulkRun[Any, Any]) -> None:
        await run.collect()

    for first in (streamed, collect, enter):
        for second in (streamed, collect, enter):
            run = client.meetings.delete_many([1])
            await first(run)
            with pytest.raises(RuntimeError, match=r"call delete_many\(\) again"):
                await second(run)


async def test_after_the_end(client: PyasClient) -> None:
    """A stream that was read to its end stays at its end, inside of its block and after it."""
    async with client.meetings.get_many([1]) as outcomes:
        assert 1 == len([outcome async for outcome in outcomes])
        assert None is await anext(outcomes, None)
    assert None is await anext(outcomes, None)


async def test_after_leaving(client: PyasClient) -> None:
    """Reading on after the block was left early raises an error; the outcomes do not just end."""
    async with client.meetings.get_many([1, 2]) as outcomes:
        await anext(outcomes)
    with pytest.raises(RuntimeError, match="left before its end"):
        await anext(outcomes)
