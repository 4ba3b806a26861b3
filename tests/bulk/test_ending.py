"""What ends a run early: the rest of the items is reported, and nothing is sent for it."""
# ruff: noqa: PERF401 -- outcomes of a loop are kept one by one, to have those before an error

from __future__ import annotations

import asyncio
import logging
from functools import partial
from typing import TYPE_CHECKING, Any

import anyio
import anyio.lowlevel
import httpx
import pytest

import inside
from bulk.tools import (
    CHANGE,
    Counted,
    Service,
    awaited,
    found,
    meeting,
    never,
    number_of,
    refuse,
    states,
    streamed,
    tasks,
    unauthorized,
    when,
)
from pyas_async import (
    AuthenticationError,
    BulkStats,
    ClientClosedError,
    ConfigurationError,
    OutcomeUnknownError,
    PyasClient,
    PyasError,
    RateBudget,
    RateLimitError,
    Waiting,
    WrongEventLoopError,
)
from pyas_async._core.ratelimit.tickets import Ticket
from resting import rest
from runtime.socket_server import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

    from bulk.tools import Read
    from pyas_async import BulkRun, Event, Outcome

pytestmark = pytest.mark.anyio
either_way = pytest.mark.parametrize("read", [awaited, streamed])
either_kind = pytest.mark.parametrize("kind", ["sync", "asynchronous"])


def in_order(outcomes: list[Outcome[Any, Any]]) -> list[Outcome[Any, Any]]:
    """Sort outcomes by key."""
    return sorted(outcomes, key=lambda outcome: outcome.key)


@either_kind
@either_way
async def test_refused_key(read: Read, kind: str, client: PyasClient, service: Service) -> None:
    """A refused key ends the run: the rest is drawn but not sent, and each item has its outcome."""
    service.special[10] = unauthorized

    outcomes = in_order(await read(client.meetings.get_many(getattr(Counted(500), kind)(), max_concurrency=1)))

    assert ["ok"] * 9 + ["failed"] + ["not_started"] * 490 == states(outcomes)
    assert list(range(1, 501)) == [outcome.key for outcome in outcomes]
    assert {AuthenticationError} == {type(outcome.error) for outcome in outcomes[9:]}
    assert list(range(1, 11)) == service.asked


async def test_refused_key_among_others(client: PyasClient, service: Service) -> None:
    """Calls that were in flight when the key was refused keep their own outcomes."""
    late = anyio.Event()
    service.special[1] = when(late, 1)
    service.special[2] = unauthorized
    service.special[3] = refuse

    keys = []
    async with client.meetings.get_many(range(1, 9), max_concurrency=3) as outcomes:
        async for outcome in outcomes:
            keys.append((outcome.key, outcome.state))
            if len(keys) == 7:
                late.set()

    assert (1, "ok") == keys[-1]
    assert {(2, "failed"), (3, "failed")} == {(key, state) for key, state in keys if state == "failed"}
    assert {4, 5, 6, 7, 8} == {key for key, state in keys if state == "not_started"}


async def month_used_up() -> httpx.Response:
    """Answer that the plan's month is used up."""
    return httpx.Response(429, json={"code": 429, "message": "Monthly limit of your plan reached"})


async def day_used_up() -> httpx.Response:
    """Answer with Zoom's limit of the day."""
    message = "You have exceeded the daily rate limit of (100) for Meeting Create/Update API requests"
    return httpx.Response(429, json={"code": 429, "message": message})


async def test_month_used_up(client: PyasClient, service: Service) -> None:
    """When the plan's monthly quota is used up, the run ends, since every other call must fail as well."""
    service.special[2] = month_used_up

    outcomes = await client.meetings.get_many(range(1, 6), max_concurrency=1)

    assert ["ok", "failed", "not_started", "not_started", "not_started"] == states(outcomes)
    assert {RateLimitError} == {type(outcome.error) for outcome in outcomes[1:]}


async def test_day_used_up(client: PyasClient, service: Service) -> None:
    """Zoom's daily limit fails one item only: it may be the limit of that meeting."""
    service.special[2] = day_used_up

    outcomes = await client.meetings.update_many([(number, CHANGE) for number in range(1, 5)], max_concurrency=1)

    assert ["ok", "failed", "ok", "ok"] == states(outcomes)


@either_way
async def test_closed_client(read: Read, service: Service) -> None:
    """On a closed client nothing is sent, and the outcome of every item says why."""
    async with service.client() as client:
        await client.aclose()
        run = client.meetings.delete_many(range(1, 50))
        outcomes = in_order(await read(run))

    assert ["failed"] + ["not_started"] * 48 == sorted(states(outcomes))
    assert {(ClientClosedError, "not_sent")} == {
        (type(outcome.error), outcome.error and outcome.error.write_state) for outcome in outcomes
    }
    assert 0 == run.stats.calls == len(service.requests)


@either_way
async def test_closed_under_way(read: Read, service: Service) -> None:
    """If the client is closed in the middle, calls in flight fail, the rest is not started, and each has an outcome."""
    outcomes: list[Outcome[Any, Any]] = []
    async with service.client(retry=None) as client:
        service.special.update(dict.fromkeys(range(10, 20), never))
        run = client.meetings.delete_many(range(1, 50), max_concurrency=4)

        async def run_it() -> None:
            outcomes.extend(in_order(await read(run)))

        async with anyio.create_task_group() as group:
            group.start_soon(run_it)
            await until(lambda: 4 == service.in_flight and run.stats.ok == 9)
            await client.aclose()

    assert ["ok"] * 9 + ["unknown"] * 4 + ["not_started"] * 36 == states(outcomes)
    assert {ClientClosedError} == {type(outcome.error) for outcome in outcomes[9:]}
    # The outcome of the four writes on the wire is unknown; the others were certainly not sent.
    assert ["unknown"] * 4 + ["not_sent"] * 36 == [one.error and one.error.write_state for one in outcomes[9:]]
    assert BulkStats(ok=9, failed=0, unknown=4, not_started=36, calls=13) == run.stats


def test_wrong_loop() -> None:
    """A client of another event loop ends the run, as a closed client does."""
    service = Service()

    async def once(client: PyasClient) -> list[Outcome[Any, Any]]:
        return await client.meetings.get_many(range(1, 6), max_concurrency=1)

    http = httpx.AsyncClient(transport=httpx.MockTransport(service))
    client = PyasClient("key", account_id="acc", base_url="http://localhost", http_client=http)
    assert ["ok"] * 5 == states(anyio.run(once, client))

    outcomes = anyio.run(once, client)

    assert ["failed"] + ["not_started"] * 4 == states(outcomes)
    assert {WrongEventLoopError} == {type(outcome.error) for outcome in outcomes}


async def test_key_function_without_a_key(service: Service) -> None:
    """A key function that returns no key ends the run."""

    async def key() -> str:
        return ""

    async with service.client(api_key=key) as client:
        outcomes = await client.meetings.get_many(range(1, 6), max_concurrency=1)

    assert ["failed"] + ["not_started"] * 4 == states(outcomes)
    assert {ConfigurationError} == {type(outcome.error) for outcome in outcomes}


async def test_error_of_the_rest(client: PyasClient, service: Service) -> None:
    """The error of an item that was not started says that nothing was sent, even if the call that ended the run was."""
    service.special[2] = unauthorized

    outcomes = await client.meetings.create_many(map(meeting, range(1, 5)), max_concurrency=1)

    write_states = [outcome.error and outcome.error.write_state for outcome in outcomes]
    assert [None, "rejected", "not_sent", "not_sent"] == write_states
    with pytest.raises(AuthenticationError):
        outcomes[3].unwrap()


@either_way
async def test_cancel(read: Read, client: PyasClient, service: Service) -> None:
    """`cancel` lets the calls in flight finish, and starts no more."""
    event = anyio.Event()
    service.special.update({number: when(event, number) for number in (3, 4)})
    numbers = Counted(20)
    run = client.meetings.delete_many(numbers.sync(), max_concurrency=2)
    outcomes: list[Outcome[Any, Any]] = []

    async def run_it() -> None:
        outcomes.extend(in_order(await read(run)))

    async with anyio.create_task_group() as group:
        group.start_soon(run_it)
        await until(lambda: 2 == service.in_flight and run.stats.ok == 2)
        run.cancel()
        run.cancel()
        event.set()

    assert ["ok"] * 4 + ["not_started"] * 16 == states(outcomes)
    assert [1, 2, 3, 4] == sorted(service.asked)
    assert 20 == numbers.drawn
    errors = {outcome.error for outcome in outcomes[4:]}
    assert ["meetings.delete_many: the run was cancelled before this was started"] == [str(error) for error in errors]
    assert ["not_sent"] == [error and error.write_state for error in errors]
    with pytest.raises(PyasError, match="was cancelled"):
        outcomes[-1].unwrap()


async def test_cancel_beforehand(client: PyasClient, service: Service) -> None:
    """A run that is cancelled before it begins sends nothing."""
    run = client.meetings.get_many([1, 2, 3])
    run.cancel()

    assert ["not_started"] * 3 == states(await run)
    assert [] == service.requests


async def test_no_worker_for_items_not_started(client: PyasClient) -> None:
    """An item that is not started needs no task."""
    before = len(tasks())
    counts: set[int] = set()

    def source() -> Iterator[int]:
        for number in range(1, 300):
            counts.add(len(tasks()))
            yield number

    run = client.meetings.get_many(source())
    run.cancel()
    await run

    assert {before} == counts


async def test_cancel_afterwards(client: PyasClient) -> None:
    """`cancel` after the end of a run changes nothing."""
    run = client.meetings.get_many([1])
    outcomes = await run
    run.cancel()

    assert ["ok"] == states(outcomes) == states(run.collected)


async def test_cancel_by_the_input(client: PyasClient, service: Service) -> None:
    """An input may cancel the run that draws from it: its items after that are not started."""

    def source() -> Iterator[int]:
        yield 1
        run.cancel()
        yield 2

    run = client.meetings.get_many(source(), max_concurrency=1)

    assert ["ok", "not_started"] == states(await run)
    assert [1] == service.asked


async def test_cancel_before_a_worker_begins(client: PyasClient, service: Service) -> None:
    """An item whose worker has not run yet is not started."""

    def source() -> Iterator[int]:
        yield 1
        run.cancel()
        yield 2

    run = client.meetings.get_many(source(), max_concurrency=2)

    assert ["not_started"] * 2 == states(await run)
    assert [] == service.requests


async def test_cancel_by_the_consumer(client: PyasClient, service: Service) -> None:
    """A consumer that cancels the run can read on, and gets the outcome of each item."""
    run = client.meetings.delete_many(range(1, 101), max_concurrency=3)
    seen: list[str] = []
    async with run as outcomes:
        async for outcome in outcomes:
            run.cancel()
            seen.append(outcome.state)

    assert 100 == len(seen)
    assert len(service.requests) == seen.count("ok") <= 4


def budget_of(calls: int) -> RateBudget:
    """Make a budget that lets this many calls through, and then none for a long time."""
    return RateBudget(calls, window=3_600.0, guard=1.0)


@pytest.mark.parametrize("warmed", [False, True])
async def test_waiting_calls_are_cancelled(warmed: bool, service: Service) -> None:
    """A call that waits for a slot was not started: `cancel` neither waits for it nor lets it be sent."""
    budget = budget_of(3)
    async with service.client(budget=budget) as client:
        if warmed:
            await client.meetings.get(99)
        run = client.meetings.delete_many(range(1, 10), max_concurrency=5)
        outcomes: list[Outcome[Any, Any]] = []

        async def run_it() -> None:
            outcomes.extend(await run)

        async with anyio.create_task_group() as group:
            group.start_soon(run_it)
            await until(lambda: client.rate_limit.waiting == 5)
            run.cancel()

        done = 1 if warmed else 3  # one slot is kept back for the next single call
        assert ["not_started"] * (9 - done) + ["ok"] * done == sorted(states(outcomes))
        write_states = {outcome.error.write_state for outcome in outcomes if outcome.error is not None}
        assert {"not_sent"} == write_states
        assert done + warmed == len(service.requests)
        assert 0 == budget.in_flight
        assert 0 == client.rate_limit.waiting


async def test_waiting_calls_after_a_refusal(service: Service) -> None:
    """When the key is refused, calls that wait for a slot are not sent."""
    valid = iter([True, True])

    async def answer(number: int) -> httpx.Response:
        return found(number) if next(valid, False) else await unauthorized()

    service.special.update({number: partial(answer, number) for number in range(1, 10)})
    async with service.client(budget=budget_of(3)) as client:
        with anyio.fail_after(5):
            outcomes = await client.meetings.get_many(range(1, 10), max_concurrency=5)

        assert ["failed"] + ["not_started"] * 6 + ["ok"] * 2 == sorted(states(outcomes))
        assert 0 == client.rate_limit.waiting


async def test_cancel_when_a_slot_is_granted(service: Service) -> None:
    """A call that is cancelled at the moment at which it gets its slot releases the slot, and is not sent."""
    budget = budget_of(1)
    async with service.client(budget=budget) as client:
        limiter = inside.limiter(client)
        ticket = Ticket()
        assert limiter.try_acquire(ticket)
        run = client.meetings.delete_many([1, 2, 3])
        outcomes: list[Outcome[Any, Any]] = []

        async def run_it() -> None:
            outcomes.extend(await run)

        async with anyio.create_task_group() as group:
            group.start_soon(run_it)
            await until(lambda: client.rate_limit.waiting == 3)
            limiter.cancel(ticket)
            run.cancel()

        assert ["not_started"] * 3 == states(outcomes)
        assert [] == service.requests
        assert 0 == budget.in_flight == client.rate_limit.waiting
        assert 50 == (await client.meetings.get(50)).id


async def test_cancel_by_an_event(service: Service) -> None:
    """`on_event` may cancel the run when a call is about to wait: then the call does not wait."""
    runs: list[BulkRun[Any, Any]] = []

    def on_event(event: Event) -> None:
        if isinstance(event, Waiting):
            runs[0].cancel()

    async with service.client(budget=budget_of(1), on_event=on_event) as client:
        runs.append(client.meetings.get_many([1, 2, 3]))
        with anyio.fail_after(5):
            assert ["not_started", "not_started", "ok"] == sorted(states(await runs[0]))


async def test_retries_are_under_way(service: Service) -> None:
    """`cancel` does not stop the retries of a write that was sent once, so that its outcome becomes known."""
    answers: Iterator[httpx.Response | Exception] = iter([httpx.ReadError("cut"), found(1)])

    async def answer() -> httpx.Response:
        reply = next(answers)
        run.cancel()
        if isinstance(reply, Exception):
            raise reply
        return reply

    service.special[1] = answer
    async with service.client() as client:
        run = client.meetings.delete_many([1, 2], max_concurrency=1)
        outcomes = await run

    assert ["ok", "not_started"] == states(outcomes)
    assert [1, 1] == service.asked


class OwnError(Exception):
    """An error of the application."""


class OwnExit(BaseException):
    """An exception with which an application ends itself."""


def raising(error: BaseException) -> Callable[[], Awaitable[httpx.Response]]:
    """Make a handler that raises this instead of a response."""

    async def answer() -> httpx.Response:
        raise error

    return answer


@either_way
@pytest.mark.parametrize("error", [OwnError("mine"), ValueError("mine"), ExceptionGroup("two", [OwnError("mine")])])
async def test_foreign_exception(error: Exception, read: Read, client: PyasClient, service: Service) -> None:
    """An exception that is no `PyasError` is raised as it is after the calls in flight, and nothing more is sent."""
    service.special[3] = raising(error)
    run = client.meetings.delete_many(range(1, 100), max_concurrency=2)
    with pytest.raises(type(error)) as caught:
        await read(run)

    assert caught.value is error
    assert caught.value.__context__ is None
    assert len(service.requests) <= 5
    assert 0 == service.in_flight
    assert len(service.requests) - 1 == run.stats.ok


async def test_outcomes_before_a_foreign_exception(client: PyasClient, service: Service) -> None:
    """A stream yields the outcomes of all calls that were in flight before it raises."""
    event = anyio.Event()
    service.special[1] = when(event, 1)
    service.special[2] = raising(OwnError("mine"))
    keys = []
    async with client.meetings.get_many([1, 2, 3], max_concurrency=2) as outcomes:
        await rest()
        event.set()
        with pytest.raises(OwnError):
            async for outcome in outcomes:
                keys.append((outcome.key, outcome.state))

    assert [(1, "ok")] == keys


async def test_two_foreign_exceptions(client: PyasClient, service: Service, caplog: pytest.LogCaptureFixture) -> None:
    """Of two such exceptions, the first is raised, and the second is logged."""
    event = anyio.Event()

    async def late() -> httpx.Response:
        await event.wait()
        message = "second"
        raise OwnError(message)

    async def early() -> httpx.Response:
        event.set()
        message = "first"
        raise OwnError(message)

    service.special.update({1: late, 2: early})
    with caplog.at_level(logging.ERROR, logger="pyas_async"), pytest.raises(OwnError, match="first"):
        # Raised by the second of two calls that are in flight together.
        await client.meetings.get(9)
        await client.meetings.get_many([1, 2])

    assert ["meetings.get_many: this was raised, too, while the run was ending"] == caplog.messages


async def test_input_that_raises_when_it_is_closed(
    client: PyasClient, service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    """An error in the `finally` of the input is logged, and does not hide the error that ended the run."""
    service.special[1] = raising(OwnError("mine"))

    async def source() -> AsyncIterator[int]:
        try:
            yield 1
            await anyio.sleep_forever()
        finally:
            raise ValueError

    with caplog.at_level(logging.ERROR, logger="pyas_async"), pytest.raises(OwnError):
        await client.meetings.get_many(source())

    assert ["meetings.get_many: this was raised, too, while the run was ending"] == caplog.messages


async def test_input_that_raises_when_the_block_is_left(client: PyasClient, caplog: pytest.LogCaptureFixture) -> None:
    """If the input raises when the consumer leaves early, the error is logged, and not raised to the consumer."""

    async def source() -> AsyncIterator[int]:
        try:
            for number in range(1, 100):
                yield number
        finally:
            raise ValueError

    with caplog.at_level(logging.ERROR, logger="pyas_async"):
        async with client.meetings.get_many(source(), max_concurrency=2) as outcomes:
            await anext(outcomes)

    assert ["meetings.get_many: this was raised when the block was left early"] == caplog.messages


async def test_foreign_exception_while_the_input_waits(client: PyasClient, service: Service) -> None:
    """When a call has ended the run with an exception, an input that waits is closed at once."""
    service.special[1] = raising(OwnError("mine"))
    closed = False

    async def source() -> AsyncIterator[int]:
        nonlocal closed
        try:
            yield 1
            await anyio.sleep_forever()
        finally:
            closed = True

    with pytest.raises(OwnError), anyio.fail_after(5):
        await client.meetings.get_many(source())
    assert closed


@either_way
@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(3), OwnExit("bye")], ids=repr)
@pytest.mark.parametrize("by", ["call", "input"])
async def test_exit(by: str, error: BaseException, read: Read, client: PyasClient, service: Service) -> None:
    """An exception that ends the program ends a run at once: it is raised as it is, and no task is left."""
    service.special.update(dict.fromkeys((1, 2), never))
    if by == "call":
        service.special[3] = raising(error)

    async def source() -> AsyncIterator[int]:
        for number in (1, 2, 3):
            yield number
        while service.in_flight < 2:
            await anyio.lowlevel.checkpoint()
        if by == "input":
            raise error
        await anyio.sleep_forever()

    before = tasks()
    with pytest.raises(type(error)) as caught, anyio.fail_after(5):
        await read(client.meetings.get_many(source()))

    assert caught.value is error
    assert 0 == service.in_flight
    assert before == tasks()


async def test_exit_while_the_consumer_leaves(client: PyasClient, service: Service) -> None:
    """An exception that ends the program is raised even if the consumer has left before."""
    service.special[1] = raising(OwnExit("bye"))
    with pytest.raises(OwnExit):
        async with client.meetings.get_many([1, 2]):
            await rest()


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@either_way
@pytest.mark.parametrize("by", ["call", "input"])
async def test_cancelled_error_from_outside(by: str, read: Read, client: PyasClient, service: Service) -> None:
    """A CancelledError that does not come from a cancellation of the run is not swallowed."""

    async def fail(*_: object) -> Any:  # noqa: ANN401
        inner = asyncio.ensure_future(asyncio.sleep(10))
        asyncio.get_running_loop().call_soon(inner.cancel)
        await inner

    async def source() -> AsyncIterator[int]:
        yield 1
        if by == "input":
            await fail()

    if by == "call":
        service.special[1] = fail
    with pytest.raises(asyncio.CancelledError):
        await read(client.meetings.get_many(source()))
    task = asyncio.current_task()
    assert task is not None
    assert 0 == task.cancelling()


async def test_lost_answers_then_closed(service: Service) -> None:
    """If the client is closed during a run, each create says whether its meeting may exist."""

    async def lose() -> httpx.Response:
        raise httpx.ReadError("cut")

    service.special[2] = lose
    async with service.client() as client:

        async def close() -> httpx.Response:
            group.start_soon(client.aclose)
            return await never()

        service.special[3] = close
        async with anyio.create_task_group() as group:
            outcomes = await client.meetings.create_many(map(meeting, range(1, 6)), max_concurrency=1)

    assert ["ok", "unknown", "unknown", "not_started", "not_started"] == states(outcomes)
    assert [OutcomeUnknownError, ClientClosedError] == [type(outcome.error) for outcome in outcomes[1:3]]
    assert ["unknown", "unknown", "not_sent", "not_sent"] == [
        one.error and one.error.write_state for one in outcomes[1:]
    ]


def test_numbers_of_requests() -> None:
    """The service of these tests finds the meeting number in a request of any kind."""
    assert 5 == number_of(httpx.Request("GET", "http://localhost/zoom/meetings/5?accountId=a"))
    assert 6 == number_of(httpx.Request("POST", "http://localhost/zoom/meetings", json={"meetingData": {"title": "6"}}))


async def test_a_shielded_consumer(client: PyasClient) -> None:
    """A consumer that shields itself from a cancellation of the block gets all outcomes."""
    with anyio.CancelScope() as outer:
        async with client.meetings.get_many(range(1, 5), max_concurrency=1) as outcomes:
            first = await anext(outcomes)
            with anyio.CancelScope(shield=True):
                outer.cancel()
                others = [outcome async for outcome in outcomes]
    assert [1, 2, 3, 4] == [outcome.key for outcome in [first, *others]]
