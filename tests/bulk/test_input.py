"""The input: any iterable, drawn as needed by one task; it may be slow, it may raise, and it may be invalid."""
# ruff: noqa: PERF401 -- outcomes of a loop are kept one by one, to have those before an error

from __future__ import annotations

import contextvars
import gc
import itertools
from typing import TYPE_CHECKING, Any

import anyio
import anyio.lowlevel
import httpx
import pytest

import clients
from bulk.tools import CHANGE, Counted, Service, awaited, meeting, never, states, streamed, tasks
from pyas_async import InvalidArgumentError, PyasClient
from pyas_async.sandbox import Sandbox
from resting import rest

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from bulk.tools import Read
    from pyas_async import BulkRun

pytestmark = pytest.mark.anyio
either_way = pytest.mark.parametrize("read", [awaited, streamed])
either_kind = pytest.mark.parametrize("kind", ["sync", "asynchronous"])


class InputError(Exception):
    """Raised by an input."""


async def asynchronous(*items: Any) -> AsyncIterator[Any]:  # noqa: ANN401
    """Yield items asynchronously."""
    for item in items:
        await anyio.lowlevel.checkpoint()
        yield item


@either_way
async def test_async_inputs(read: Read, client: PyasClient) -> None:
    """Each of the four methods takes an async iterable."""
    meetings = client.meetings
    runs: list[BulkRun[Any, Any]] = [
        meetings.get_many(asynchronous(1, 2)),
        meetings.create_many(asynchronous(meeting(1), meeting(2))),
        meetings.update_many(asynchronous((1, CHANGE), (2, CHANGE))),
        meetings.delete_many(asynchronous(1, 2)),
    ]

    assert [["ok", "ok"]] * 4 == [states(await read(run)) for run in runs]


async def test_async_order(client: PyasClient) -> None:
    """The outcomes of an async input are in its order."""
    ids = [5, 3, 9, 1]

    outcomes = await client.meetings.get_many(asynchronous(*ids), max_concurrency=2)

    assert ids == [outcome.key for outcome in outcomes]


async def test_async_iterator_without_more(client: PyasClient) -> None:
    """Any object that works with `aiter` and `anext` is an input, even one that has only those two methods."""

    class Two:
        left = 2

        def __aiter__(self) -> Two:
            return self

        async def __anext__(self) -> int:
            self.left -= 1
            if self.left < 0:
                raise StopAsyncIteration
            return 9

    assert ["ok", "ok"] == states(await client.meetings.get_many(Two()))


@either_kind
async def test_nothing_is_drawn_before_the_start(kind: str, client: PyasClient) -> None:
    """Before a run is awaited or entered, nothing is drawn."""
    numbers = Counted(3)
    run = client.meetings.get_many(getattr(numbers, kind)())
    await rest()

    assert 0 == numbers.drawn
    await run
    assert 3 == numbers.drawn


@either_kind
async def test_drawn_as_needed(kind: str, client: PyasClient) -> None:
    """When a consumer stops, no more was drawn than it has read, and `max_concurrency` items more."""
    numbers = Counted(1_000_000)
    async with client.meetings.get_many(getattr(numbers, kind)(), max_concurrency=4) as outcomes:
        for read in range(1, 8):
            await anext(outcomes)
            await rest()
            assert read + 4 == numbers.drawn


@either_kind
async def test_no_task_for_each(kind: str, client: PyasClient) -> None:
    """However long the input is, there are no more tasks than the workers and the one that each sends in."""
    before = len(tasks())
    most = 0
    numbers = Counted(120)

    def watched(ids: Iterator[int]) -> Iterator[int]:
        nonlocal most
        for number in ids:
            most = max(most, len(tasks()))
            yield number

    async def watched_as_well(ids: AsyncIterator[int]) -> AsyncIterator[int]:
        nonlocal most
        async for number in ids:
            most = max(most, len(tasks()))
            yield number

    source: Any = watched(numbers.sync()) if kind == "sync" else watched_as_well(numbers.asynchronous())
    outcomes = await client.meetings.get_many(source, max_concurrency=16)

    assert 120 == sum(outcome.ok for outcome in outcomes)
    assert before < most <= before + 2 * 16


async def test_as_many_as_allowed(client: PyasClient, service: Service) -> None:
    """Exactly `max_concurrency` calls are in flight, and never more."""
    await client.meetings.get_many(range(1, 50), max_concurrency=5)

    assert 5 == service.most_in_flight


async def test_no_more_workers_than_items(client: PyasClient) -> None:
    """Three items start three workers, whatever `max_concurrency` is."""
    before = len(tasks())
    most = 0

    async def slow() -> Any:  # noqa: ANN401
        nonlocal most
        await rest()
        most = max(most, len(tasks()))
        return None

    async def source() -> AsyncIterator[int]:
        for number in (1, 2, 3):
            yield number
        await slow()

    await client.meetings.get_many(source(), max_concurrency=1_000)

    assert before + 3 == most


async def test_outcomes_during_a_slow_input(client: PyasClient) -> None:
    """Outcomes are delivered while the run waits for its input."""
    more = anyio.Event()

    async def source() -> AsyncIterator[int]:
        yield 1
        yield 2
        await more.wait()
        yield 3

    async with client.meetings.get_many(source()) as outcomes:
        assert {1, 2} == {(await anext(outcomes)).key, (await anext(outcomes)).key}
        more.set()
        assert 3 == (await anext(outcomes)).key


async def test_one_task_draws(client: PyasClient) -> None:
    """Only one task steps an async generator, as it may keep a scope, a task group or a listing open."""
    stepped: set[int] = set()

    async def source() -> AsyncIterator[int]:
        async with anyio.create_task_group() as group:
            group.start_soon(anyio.sleep_forever)
            with anyio.fail_after(60):
                for number in range(1, 30):
                    stepped.add(anyio.get_current_task().id)
                    await anyio.lowlevel.checkpoint()
                    yield number
            group.cancel_scope.cancel()

    outcomes = await streamed(client.meetings.get_many(source(), max_concurrency=3))

    assert 29 == len(outcomes)
    assert 1 == len(stepped)


async def test_leaving_a_generator_that_holds_scopes(client: PyasClient) -> None:
    """A generator with open scopes is closed by the task that stepped it, however the run is left."""
    closed = 0

    async def source() -> AsyncIterator[int]:
        nonlocal closed
        async with anyio.create_task_group() as group:
            group.start_soon(anyio.sleep_forever)
            try:
                for number in itertools.count(1):
                    await anyio.lowlevel.checkpoint()
                    yield number
            finally:
                closed += 1
                group.cancel_scope.cancel()

    before = tasks()
    async with client.meetings.get_many(source(), max_concurrency=2) as outcomes:
        await anext(outcomes)
    with anyio.move_on_after(0.02) as scope:
        await client.meetings.get_many(source(), max_concurrency=2)

    assert scope.cancelled_caught
    assert 2 == closed
    assert before == tasks()


async def test_the_listing_of_the_same_client() -> None:
    """The ids may come from a listing with prefetch, which goes on while its meetings are fetched."""
    with Sandbox(accounts=1, meetings=50) as sandbox, sandbox.serve() as url:
        async with clients.make(sandbox.api_key, base_url=url, account_id=sandbox.account_ids[0]) as other:

            async def source() -> AsyncIterator[int]:
                async with other.meetings.iter_all(page_size=10) as listing:
                    async for meeting in listing:
                        yield meeting.id

            outcomes = await other.meetings.get_many(source())

        listed = {row["id"] for row in sandbox.rows(sandbox.account_ids[0])}
    assert listed == {outcome.unwrap().id for outcome in outcomes}


async def test_both_kinds_at_once(client: PyasClient) -> None:
    """An input that can be iterated in both ways is iterated asynchronously, which does not block."""

    class Both:
        def __iter__(self) -> Iterator[int]:
            raise AssertionError

        def __aiter__(self) -> AsyncIterator[int]:
            return asynchronous(1, 2)

    assert [1, 2] == [outcome.key for outcome in await client.meetings.get_many(Both())]


async def test_endless_input_of_an_ended_run(client: PyasClient) -> None:
    """When nothing is sent any more, the rest is drawn without keeping other tasks from running or cancelling."""
    run = client.meetings.get_many(itertools.count(1))
    run.cancel()
    with anyio.move_on_after(0.02) as scope:
        await run

    assert scope.cancelled_caught
    assert run.stats.not_started == len(run.collected) > 0


async def test_one_draw_at_a_time(client: PyasClient) -> None:
    """The input is never asked for an item before it has returned the one before."""
    inside = 0
    most = 0

    class Source:
        left = 30

        def __aiter__(self) -> Source:
            return self

        async def __anext__(self) -> int:
            nonlocal inside, most
            inside += 1
            most = max(most, inside)
            await anyio.lowlevel.checkpoint()
            inside -= 1
            self.left -= 1
            if self.left < 0:
                raise StopAsyncIteration
            return 1 + self.left

    await client.meetings.get_many(Source())

    assert 1 == most


async def test_context(client: PyasClient) -> None:
    """The input sees the context variables of the code that runs it."""
    variable = contextvars.ContextVar("variable", default=0)
    variable.set(7)
    seen: list[int] = []

    def source() -> Iterator[int]:
        seen.append(variable.get())
        yield 1

    await streamed(client.meetings.get_many(source()))
    assert [7] == seen


@either_kind
@either_way
async def test_input_that_raises(read: Read, kind: str, client: PyasClient, service: Service) -> None:
    """An exception of the input is raised as it is, after the calls of the items before it have ended."""
    mistake = InputError()

    def failing() -> Iterator[int]:
        yield from (1, 2, 3)
        raise mistake

    async def failing_as_well() -> AsyncIterator[int]:
        for number in (1, 2, 3):
            yield number
        raise mistake

    source: Any = failing() if kind == "sync" else failing_as_well()
    run = client.meetings.get_many(source)
    with pytest.raises(InputError) as caught:
        await read(run)

    assert caught.value is mistake
    assert caught.value.__context__ is None
    assert 3 == run.stats.ok
    assert [1, 2, 3] == sorted(service.asked)


async def test_outcomes_before_the_exception(client: PyasClient) -> None:
    """A stream yields all outcomes, then raises the exception of the input, and has ended after that."""

    def failing() -> Iterator[int]:
        yield from (1, 2, 3)
        raise InputError

    keys = []
    async with client.meetings.get_many(failing()) as outcomes:
        with pytest.raises(InputError):
            async for outcome in outcomes:
                keys.append(outcome.key)
        assert None is await anext(outcomes, None)

    assert [1, 2, 3] == sorted(keys)


async def test_collected_before_the_exception(client: PyasClient) -> None:
    """The outcomes that an `await` had when the input raised are kept."""

    def failing() -> Iterator[Any]:
        yield from (meeting(8), meeting(9))
        raise InputError

    run = client.meetings.create_many(failing())
    with pytest.raises(InputError):
        await run

    assert [(0, 8), (1, 9)] == [(outcome.key, outcome.unwrap().id) for outcome in run.collected]


async def test_collected_before_a_cancellation(client: PyasClient, service: Service) -> None:
    """The outcomes that an `await` had when it was cancelled are kept; a call in flight has no outcome."""
    service.special[2] = never
    run = client.meetings.get_many([1, 2, 3])
    with anyio.move_on_after(0.05):
        await run

    assert [1, 3] == [outcome.key for outcome in run.collected]


@either_way
async def test_iter_that_raises(read: Read, client: PyasClient) -> None:
    """An iterable whose `__iter__` raises is an input that raises."""

    class Broken:
        def __iter__(self) -> Iterator[int]:
            raise InputError

    with pytest.raises(InputError):
        await read(client.meetings.get_many(Broken()))


@either_kind
async def test_generator_is_closed(kind: str, client: PyasClient) -> None:
    """A generator that was not drawn to its end is closed with the run, not by the garbage collector."""
    numbers = Counted(100)
    async with client.meetings.get_many(getattr(numbers, kind)(), max_concurrency=2) as outcomes:
        await anext(outcomes)
        assert not numbers.closed

    assert numbers.closed
    gc.collect()  # a generator left open would cause a warning now, and warnings are errors


async def test_iterator_stays_open(client: PyasClient) -> None:
    """An iterator that is no generator can be read on after the run, from the first item that was not drawn."""
    numbers = iter(range(1, 100))
    async with client.meetings.get_many(numbers, max_concurrency=2) as outcomes:
        await anext(outcomes)

    assert next(numbers) <= 4


@pytest.mark.parametrize("no_iterable", ["12", b"12", bytearray(b"12"), 12, None, meeting(1), 1.5, object()])
def test_refused_inputs(no_iterable: Any) -> None:  # noqa: ANN401
    """An input that is no iterable, or is a single id, is refused at the call; the error says what is expected."""
    meetings = PyasClient("key", account_id="acc").meetings
    calls: list[Callable[[Any], object]] = [
        meetings.get_many,
        meetings.create_many,
        meetings.update_many,
        meetings.delete_many,
    ]
    fields = []
    for call in calls:
        with pytest.raises(InvalidArgumentError, match="an iterable, or an async iterable, of") as caught:
            call(no_iterable)
        fields.append(caught.value.field)
    assert ["meeting_ids", "meetings", "changes", "meeting_ids"] == fields


@pytest.mark.parametrize("number", [0, -1, 1.5, True, None, "many"])
def test_refused_concurrency(number: Any) -> None:  # noqa: ANN401
    """`max_concurrency` is a whole number from 1 on."""
    meetings = PyasClient("key", account_id="acc").meetings
    with pytest.raises(InvalidArgumentError, match=r"^max_concurrency: expected a whole number >= 1"):
        _ = meetings.get_many([1], max_concurrency=number)


def test_account_is_needed() -> None:
    """Without an account, each call is refused before anything is drawn."""
    meetings = PyasClient("key").meetings
    numbers: Any = itertools.count()
    calls: list[Callable[[Any], object]] = [
        meetings.get_many,
        meetings.create_many,
        meetings.update_many,
        meetings.delete_many,
    ]
    for call in calls:
        with pytest.raises(InvalidArgumentError, match=r"^account_id"):
            call(numbers)
    assert 0 == next(numbers)


def test_made_outside_of_an_event_loop(service: Service) -> None:
    """A run can be made outside of an event loop, and run inside of one."""
    http = httpx.AsyncClient(transport=httpx.MockTransport(service))
    client = PyasClient("key", account_id="acc", base_url="http://localhost", http_client=http)
    run = client.meetings.get_many([1])
    cancelled = client.meetings.get_many([2])
    cancelled.cancel()

    assert [["ok"], ["not_started"]] == [states(anyio.run(awaited, one)) for one in (run, cancelled)]
    assert [1] == service.asked


async def test_account(client: PyasClient, service: Service) -> None:
    """`account_id` counts for this run; without it, the account of the client."""
    await client.meetings.get_many([1], account_id="other")
    assert "other" in repr(client.meetings.get_many([1], account_id="other"))
    assert [1] == service.asked
