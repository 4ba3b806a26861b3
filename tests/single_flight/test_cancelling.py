"""Cancelled callers of a shared call: the others go on, the last one ends the call, and nothing is left."""

from __future__ import annotations

import asyncio
import gc
import sys
import threading
from typing import TYPE_CHECKING, Any

import anyio
import anyio.lowlevel
import pytest
import trio

import inside
from pyas_async import RateBudget
from runtime.calls import check_usable
from runtime.socket_server import KEY, client_of, found, through, until, wire
from runtime.steps import Steps, counting
from single_flight.callers import Caller, assert_nothing_left, held, settle, tasks

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

    from pyas_async import MeetingDetail, PyasClient
    from runtime.socket_server import Wire

STEPS = 100
"""More steps than a call has."""


@pytest.mark.anyio
@pytest.mark.parametrize("leaving", [[0], [2], [0, 1], [0, 2], [1, 2]], ids=str)
async def test_some_leave(leaving: list[int]) -> None:
    """A cancelled caller leaves at once, whether first or last; the others get the meeting of the one call."""
    async with held() as (server, service, _, crowd):
        callers = await crowd.ask(3)
        await until(lambda: server.requests)
        for index in leaving:
            callers[index].scope.cancel()
        with anyio.fail_after(1):
            for index in leaving:
                await callers[index].ended.wait()
        assert not service.go.is_set()
        service.go.set()
        await crowd.all_ended()
        assert 1 == len(server.requests)
    assert [index not in leaving for index in range(3)] == [value is not None for value in crowd.values]
    assert {None} == {caller.error for caller in callers}


@pytest.mark.anyio
async def test_all_leave() -> None:
    """When the last caller is cancelled, the call ends with it: no task, no request and no slot is left."""
    async with held() as (server, service, client, crowd):
        before = tasks()
        callers = await crowd.ask(3)
        await until(lambda: server.requests)
        with anyio.fail_after(1):
            for caller in callers:
                caller.scope.cancel()
                await caller.ended.wait()
        await assert_nothing_left(client, before)
        service.go.set()
        await crowd.ask()
        await crowd.all_ended()
        assert 2 == len(server.requests)
    assert [True, True, True, False] == [value is None for value in crowd.values]


@pytest.mark.anyio
async def test_a_caller_after_the_last_one_left() -> None:
    """The last caller stays until its call has ended, however long that takes; a caller meanwhile gets another call."""
    asked, given = anyio.Event(), anyio.Event()

    async def key() -> str:
        if not asked.is_set():
            asked.set()
            with anyio.CancelScope(shield=True):
                await given.wait()
        return KEY

    async with held(api_key=key) as (server, service, client, crowd):
        service.go.set()
        [first] = await crowd.ask()
        await asked.wait()
        [flight] = inside.shared_calls(client)
        first.scope.cancel()
        await until(lambda: flight.scope.cancel_called)
        late = await client.meetings.get(81)
        assert (False, False) == (first.ended.is_set(), flight.done.is_set())
        given.set()
        await crowd.all_ended()
        assert flight.done.is_set()
        assert 1 == len(server.requests)
    assert (81, None, None) == (late.id, first.value, first.error)


@pytest.fixture(scope="module")
def service() -> Iterator[Wire]:
    """Serve on a socket, slowly enough for a call to be shared."""
    pause = threading.Event()
    with wire(lambda seen: None if pause.wait(0.002) else found(seen)) as server:
        yield server


def opened(service: Wire) -> PyasClient:
    """Make a client with one connection that shares calls."""
    return client_of(service.url, max_connections=1, budget=RateBudget(1_000), single_flight=True)


@pytest.mark.anyio
@pytest.mark.parametrize("warm", [False, True], ids=["cold", "warm"])
async def test_first_leaves_at_any_step(service: Wire, anyio_backend: str, warm: bool) -> None:
    """At whatever step the first caller is cancelled, the second gets the meeting, for one call altogether."""
    left = 0
    for chosen in range(1, STEPS):
        async with opened(service) as client:
            if warm:
                await client.meetings.get(81)
            first, second = Caller(), Caller()
            steps = Steps(chosen, first.scope.cancel)
            sent = len(service.requests)
            with counting(steps, anyio_backend):
                async with anyio.create_task_group() as group:
                    group.start_soon(first.ask, client)
                    group.start_soon(second.ask, client)
                    with anyio.fail_after(5):
                        await first.ended.wait()
                        await second.ended.wait()
            assert (None, None) == (first.error, second.error)
            assert second.value is not None
            assert 1 == len(service.requests) - sent
            await check_usable(client)
            left += first.value is None
            if not first.scope.cancel_called:
                break
    assert 2 < left < STEPS - 1  # a call over an open connection has exactly three steps


@pytest.mark.anyio
@pytest.mark.parametrize("warm", [False, True], ids=["cold", "warm"])
async def test_both_leave_at_any_step(service: Wire, anyio_backend: str, warm: bool) -> None:
    """At whatever step both callers are cancelled, nothing is left of their call, and the client can be used."""
    left = 0
    for chosen in range(1, STEPS):
        async with opened(service) as client:
            if warm:
                await client.meetings.get(81)
            before = tasks()
            callers = [Caller(), Caller()]

            def leave(callers: list[Caller] = callers) -> None:
                for caller in callers:
                    caller.scope.cancel()

            with counting(Steps(chosen, leave), anyio_backend):
                async with anyio.create_task_group() as group:
                    for caller in callers:
                        group.start_soon(caller.ask, client)
                    with anyio.fail_after(5):
                        for caller in callers:
                            await caller.ended.wait()
            await assert_nothing_left(client, before)
            await check_usable(client)
            left += all(caller.value is None for caller in callers)
            if not callers[0].scope.cancel_called:
                break
    assert 2 < left < STEPS - 1  # a call over an open connection has exactly three steps


@pytest.mark.asyncio
@pytest.mark.parametrize("others", [0, 1])
async def test_task_cancel_at_any_step(service: Wire, others: int) -> None:
    """`task.cancel()` of the first caller at any step ends it as cancelled; the other caller gets the meeting."""
    left = 0
    for chosen in range(1, STEPS):
        async with opened(service) as client:
            heeded: list[bool] = []
            running: list[asyncio.Task[MeetingDetail]] = []

            def cancel(heeded: list[bool] = heeded, running: list[asyncio.Task[Any]] = running) -> None:
                heeded.append(running[0].cancel())

            with counting(Steps(chosen, cancel), "asyncio"):
                running += [asyncio.ensure_future(client.meetings.get(81)) for _ in range(1 + others)]
                await asyncio.wait(running, timeout=5)
            assert [81] * others == [(await task).id for task in running[1:]]
            if not heeded:
                assert 81 == (await running[0]).id
                break
            assert [running[0].cancelled()] == heeded
            left += 1
            assert {asyncio.current_task()} == asyncio.all_tasks()
            await check_usable(client)
    assert 2 < left < STEPS - 1  # a call over an open connection has exactly three steps


@pytest.mark.asyncio
async def test_task_cancel_twice() -> None:
    """A second `task.cancel()`, while the last caller waits for the end of its call, is not lost, nor is the call."""
    async with held() as (server, _, client, _crowd):
        await client_ready(client, server)
        before = asyncio.all_tasks()
        task = asyncio.ensure_future(client.meetings.get(81))
        await settle(lambda: inside.waiting_for_shared_calls(client) == 1)
        [flight] = inside.shared_calls(client)
        task.cancel()
        for _ in range(3):
            await asyncio.sleep(0)
            task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert flight.done.is_set()
        assert before == asyncio.all_tasks()


async def client_ready(client: PyasClient, server: Wire) -> None:
    """Open the client's pool, so that the next call is sent at once."""
    with anyio.move_on_after(5) as scope:
        async with anyio.create_task_group() as group:
            group.start_soon(client.meetings.get, 1)
            await until(lambda: server.requests)
            scope.cancel()


@pytest.mark.asyncio
async def test_asyncio_timeout() -> None:
    """`asyncio.timeout` around one caller ends only that caller, with its TimeoutError."""
    async with held() as (server, service, client, crowd):
        await crowd.ask()
        await until(lambda: server.requests)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await client.meetings.get(81)
        service.go.set()
        await crowd.all_ended()
        assert 1 == len(server.requests)
    assert [81] == [value.id for value in crowd.values if value is not None]


@pytest.mark.asyncio
async def test_asyncio_timeout_of_the_last() -> None:
    """`asyncio.timeout` around the only caller ends the call, and raises its TimeoutError."""
    async with held() as (_, _service, client, _crowd):
        before = tasks()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await client.meetings.get(81)
        await assert_nothing_left(client, before)


@pytest.mark.asyncio
async def test_who_cancels_all_other_tasks() -> None:
    """If other code cancels the task of a shared call, the call is made again, and its callers get the meeting."""
    async with held() as (server, service, client, crowd):
        await crowd.ask(2)
        await until(lambda: server.requests)
        [flight] = inside.shared_calls(client)
        assert isinstance(flight.task, asyncio.Task)
        flight.task.cancel()
        await until(lambda: len(server.requests) == 2)
        service.go.set()
        await crowd.all_ended()
    assert None not in crowd.values


@pytest.mark.asyncio
async def test_cancelled_error_of_a_transport() -> None:
    """If the transport itself raises CancelledError each time, the caller gets it instead of trying for ever."""
    sent: list[httpx.Request] = []

    async def fail(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        raise asyncio.CancelledError

    async with through(fail, single_flight=True) as client:
        with pytest.raises(asyncio.CancelledError):
            await client.meetings.get(81)
        assert {} == inside.under_way(client)
    assert 3 == len(sent)


@pytest.mark.asyncio
async def test_eager_tasks() -> None:
    """With eager tasks, which may end at once, calls are shared, fail and are cancelled in the same way."""
    if sys.version_info < (3, 12):
        pytest.skip("Python 3.12 brought eager tasks")
    fail = True

    async def key() -> str:
        if fail:
            raise LookupError
        return KEY

    async with held(api_key=key) as (server, service, client, crowd):
        asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)
        before = tasks()
        with pytest.raises(LookupError):
            await client.meetings.get(81)
        await assert_nothing_left(client, before)
        fail = False
        first, *_ = await crowd.ask(3)
        await until(lambda: server.requests)
        first.scope.cancel()
        await first.ended.wait()
        service.go.set()
        await crowd.all_ended()
        assert 1 == len(server.requests)
    assert [False, True, True] == [value is not None for value in crowd.values]


def test_the_loop_ends_under_it(anyio_backend: str) -> None:
    """A program that ends during a shared call ends as with any call: no warning, no task, no hang."""
    released = threading.Event()

    class EndedError(Exception):
        pass

    with wire(lambda seen: found(seen) if released.wait(5) else None) as server:

        async def program() -> None:
            client = client_of(server.url, single_flight=True)  # never closed
            async with anyio.create_task_group() as group:
                for _ in range(3):
                    group.start_soon(client.meetings.get, 81)
                await until(lambda: server.requests)
                raise EndedError

        with pytest.raises(ExceptionGroup) as caught:
            anyio.run(program, backend=anyio_backend)
        assert [EndedError] == [type(error) for error in caught.value.exceptions]
        released.set()
    gc.collect()


def test_asyncio_run_ends_under_it() -> None:
    """`asyncio.run` cancels the tasks that its main function left, both callers and call, and returns."""
    released = threading.Event()
    with wire(lambda seen: found(seen) if released.wait(5) else None) as server:
        left: list[asyncio.Task[Any]] = []

        async def program() -> None:
            client = client_of(server.url, single_flight=True)  # never closed
            left.extend(asyncio.ensure_future(client.meetings.get(81)) for _ in range(3))
            await until(lambda: server.requests)

        asyncio.run(program())
        assert [True] * 3 == [task.cancelled() for task in left]
        released.set()
    left.clear()
    gc.collect()


def test_trio_is_left_as_it_was() -> None:
    """On trio, the task of a shared call has ended when its last cancelled caller has ended."""
    counts: list[int] = []
    released = threading.Event()
    with wire(lambda seen: found(seen) if released.wait(5) else None) as server:

        async def program() -> None:
            async with client_of(server.url, single_flight=True) as client:
                counts.append(trio.lowlevel.current_statistics().tasks_living)
                async with trio.open_nursery() as nursery:
                    for _ in range(3):
                        nursery.start_soon(client.meetings.get, 81)
                    await until(lambda: server.requests)
                    nursery.cancel_scope.cancel()
                counts.append(trio.lowlevel.current_statistics().tasks_living)

        trio.run(program)
        released.set()
    assert counts[0] == counts[1]
