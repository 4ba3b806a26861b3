"""Events report all that happens, and those of one call have its number; the fields of log records do not change."""

from __future__ import annotations

import asyncio
import concurrent.futures
import gc
import logging
import pickle
from typing import TYPE_CHECKING, Any

import anyio
import httpx
import pytest
import trio

import inside
from pyas_async import (
    AttemptEnded,
    CallEnded,
    CallStarted,
    ConfigurationError,
    JobEnded,
    JobStarted,
    ListingRestarted,
    OutcomeUnknownError,
    PageReceived,
    PaginationError,
    RateBudget,
    RetryPolicy,
    Waiting,
)
from pyas_async._runtime.attempts.limiter import ConnectionLimiter
from runtime.socket_server import MEETING, NEW, heard, through

if TYPE_CHECKING:
    from pyas_async import Event, PyasClient

pytestmark = pytest.mark.anyio
EXPIRED = httpx.Response(400, json={"message": "The next page token is invalid or expired.", "code": 300})
SWIFT = RetryPolicy(base=0.001, cap=0.001)


def page(number: int, following: str = "") -> httpx.Response:
    """Answer a page of one row."""
    row = {"id": number, "uuid": f"u{number}", "type": 2, "start_time": "2026-12-01T10:00:00Z"}
    data = {"page_size": 1, "total_records": 2, "next_page_token": following, "meetings": [row]}
    return httpx.Response(200, json={"success": True, "data": data})


def answers(*given: httpx.Response) -> Any:  # noqa: ANN401 -- a function that answers
    """Return a handler that answers with these responses in turn, and then with a meeting."""
    left = list(given)
    return lambda request: left.pop(0) if left else httpx.Response(200, json=MEETING)


def kinds(events: list[Event]) -> list[str]:
    """Return the names of the events, without waits for the first response."""
    waits = [event for event in events if isinstance(event, Waiting) and event.reason == "budget"]
    return [type(event).__name__ for event in events if event not in waits]


async def test_a_call() -> None:
    """A call has events from its beginning to its end, and all of them have its number."""
    events: list[Event] = []
    async with through(answers(httpx.Response(503)), retry=SWIFT, on_event=events.append) as client:
        await client.meetings.get(81)
    attempt = ["AttemptStarted", "AttemptEnded"]
    assert ["CallStarted", *attempt, "Waiting", *attempt, "CallEnded"] == kinds(events)
    assert {1} == {getattr(event, "call", None) for event in events}
    started, ended = events[0], events[-1]
    assert CallStarted(call=1, job=None, operation="meetings.get", account_id="acc") == started
    assert isinstance(ended, CallEnded)
    assert (2, "ok", None) == (ended.attempts, ended.outcome, ended.error)


class OwnError(BaseException):
    """An exception that `except Exception` does not catch."""


RAISED = [
    ValueError,
    asyncio.CancelledError,
    concurrent.futures.CancelledError,
    GeneratorExit,
    trio.TooSlowError,
    OwnError,
]


@pytest.mark.parametrize("kind", RAISED)
async def test_a_handler_that_raises(kind: type[BaseException], caplog: pytest.LogCaptureFixture) -> None:
    """Whatever a handler raises at each event of a call, a listing and a run, they succeed, and the log has it."""
    events: list[Event] = []

    def handle(event: Event) -> None:
        events.append(event)
        raise kind

    with caplog.at_level(logging.ERROR):
        async with through(answers(httpx.Response(503), page(1)), retry=SWIFT, on_event=handle) as client:
            rows = await client.meetings.iter_all().collect()
            detail = await client.meetings.get(81)
            async with client.meetings.get_many([81, 81]) as outcomes:
                found = [outcome.ok async for outcome in outcomes]

    assert ([1], 81, [True, True]) == ([row.id for row in rows], detail.id, found)
    assert {"JobStarted", "CallStarted", "AttemptStarted", "Waiting", "PageReceived", "JobEnded"} < set(kinds(events))
    logged = [record for record in caplog.records if getattr(record, "pyas_event", "") == "HandlerFailed"]
    assert len(events) == len(logged)
    assert {kind} == {record.exc_info[0] for record in logged if record.exc_info}


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit])
async def test_a_handler_that_ends_the_program(kind: type[BaseException]) -> None:
    """Ctrl-C in a handler, and a handler that ends the program, are not held back."""

    def handle(_: Event) -> None:
        raise kind

    async with through(answers(), on_event=handle) as client:
        with pytest.raises(kind):
            await client.meetings.get(81)


async def test_a_listing() -> None:
    """A listing has events from its first page to its end; those of its calls and pages have its number."""
    events: list[Event] = []
    async with through(answers(page(1, "t"), EXPIRED, page(1, "u"), page(2)), on_event=events.append) as client:
        await client.meetings.iter_all().collect()
    calls = [event for event in events if isinstance(event, CallStarted)]
    assert JobStarted(job=1, within=None, operation="meetings.iter_all", account_id="acc") == events[0]
    assert [1] * 4 == [call.job for call in calls]
    assert [2, 3, 4, 5] == [call.call for call in calls]
    told = [event for event in events if isinstance(event, (PageReceived, ListingRestarted))]
    assert [(1, 1, 1), (1, 1, 0), (1, 1, 1)] == [(e.job, e.rows, e.new) for e in told if isinstance(e, PageReceived)]
    assert ListingRestarted(job=1, account_id="acc", reason="answer", yielded=1) in told
    assert isinstance(events[-1], JobEnded)
    assert (1, "meetings.iter_all", "ok", None) == (
        events[-1].job, events[-1].operation, events[-1].outcome, events[-1].error
    )  # fmt: skip


async def test_jobs_in_jobs() -> None:
    """The listings of many accounts belong to one job, the calls of a bulk run to theirs; each job ends once."""
    events: list[Event] = []
    service = answers(page(1), page(2))
    async with through(service, on_event=events.append) as client:
        async with client.meetings.iter_accounts(["a", "b"]) as pairs:
            assert 2 == len([pair async for pair in pairs])
        await client.meetings.get_many([81, 81])
        async with client.meetings.get_many([81, 81, 81], max_concurrency=1) as outcomes:
            await anext(outcomes)
    begun = [event for event in events if isinstance(event, JobStarted)]
    ended = [event for event in events if isinstance(event, JobEnded)]
    whole, first, second, run, left = begun
    assert [None, whole.job, whole.job, None, None] == [job.within for job in begun]
    assert {"a", "b"} == {first.account_id, second.account_id}
    assert ["ok", "ok", "ok", "ok", "left"] == [job.outcome for job in ended]
    assert sorted(job.job for job in begun) == sorted(job.job for job in ended)
    calls = [event.job for event in events if isinstance(event, CallStarted)]
    assert [run.job] * 2 == calls[2:4]
    assert {left.job} == set(calls[4:])


async def test_what_ends_a_job() -> None:
    """The end of a job names its error; that of a loop that was left comes after its iterator was collected."""
    events: list[Event] = []
    refused = httpx.Response(401, json={"message": "no", "code": 401})
    async with through(answers(page(1, "t"), refused, refused, page(1, "t")), on_event=events.append) as client:
        rows = client.meetings.iter_all()
        with pytest.raises(Exception, match="401"):
            await rows.collect()
        outcomes = await client.meetings.get_many([81])
        assert not outcomes[0].ok
        async for _ in client.meetings.iter_all():
            break
        gc.collect()
        await client.meetings.get(81)
    ended = [event for event in events if isinstance(event, JobEnded)]
    assert [("meetings.iter_all", "left"), ("meetings.get_many", "ok"), ("meetings.iter_all", "left")] == [
        (job.operation, job.outcome) for job in ended
    ]
    failed = [event.error for event in events if isinstance(event, CallEnded) and event.outcome == "failed"]
    assert ["AuthenticationError"] * 2 == failed
    assert events.index(ended[-1]) < len(events) - 1


async def test_an_input_that_raises() -> None:
    """A run whose input raises has failed, and so has a listing that brings nothing new."""
    events: list[Event] = []

    def ids() -> Any:  # noqa: ANN401 -- a generator
        yield 81
        raise LookupError

    async with through(answers(), on_event=events.append) as client:
        with pytest.raises(LookupError):
            await client.meetings.get_many(ids())
        async with client.meetings.get_many(ids()) as outcomes:
            with pytest.raises(LookupError):
                assert 1 == len([outcome async for outcome in outcomes])
    async with through(answers(page(1, "t"), EXPIRED), on_event=events.append) as client:
        with pytest.raises(PaginationError):
            await client.meetings.iter_all(max_restarts=0).collect()
    ended = [event for event in events if isinstance(event, JobEnded)]
    assert ["LookupError", "LookupError", "PaginationError"] == [job.error for job in ended]
    assert {"failed"} == {job.outcome for job in ended}


async def test_reconciling_is_a_job() -> None:
    """The search for a meeting whose create got no response is a job, and its calls belong to it."""
    events: list[Event] = []

    def answer(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            raise httpx.ReadError("gone")
        return page(1)

    async with through(answer, on_event=events.append, retry=None) as client:
        slept: list[float] = []

        async def sleep(seconds: float) -> None:
            slept.append(seconds)
            await anyio.lowlevel.checkpoint()

        object.__setattr__(inside.clock(client), "sleep", sleep)
        with pytest.raises(OutcomeUnknownError):
            await client.meetings.create(NEW, on_unknown="reconcile")
    (begun,) = (event for event in events if isinstance(event, JobStarted))
    assert "meetings.reconcile" == begun.operation
    calls = [event for event in events if isinstance(event, CallStarted)]
    assert [("meetings.create", None), *[("meetings.list", begun.job)] * len(slept)] == [
        (call.operation, call.job) for call in calls
    ]
    assert isinstance(events[-1], JobEnded)
    assert ("failed", "OutcomeUnknownError") == (events[-1].outcome, events[-1].error)


async def test_a_call_that_shares_has_no_attempts() -> None:
    """Each caller of a shared call has its own call events; the attempts are those of the first."""
    events: list[Event] = []
    async with through(answers(), on_event=events.append) as plain, anyio.create_task_group() as tasks:
        client = heard(plain).with_options(single_flight=True)
        for _ in range(3):
            tasks.start_soon(client.meetings.get, 81)
    assert [0, 0, 1] == sorted(event.attempts for event in events if isinstance(event, CallEnded))
    assert 1 == sum(isinstance(event, AttemptEnded) for event in events)


async def test_headers_of_a_response() -> None:
    """The event of an attempt has the headers of its response, with secrets masked, and pickled too; else none."""
    events: list[Event] = []
    lost = True

    def answer(request: httpx.Request) -> httpx.Response:
        nonlocal lost
        if lost:
            lost = False
            raise httpx.ReadError("")
        echoed = f"a, {request.headers['x-api-key']}"
        return httpx.Response(200, json=MEETING, headers={"X-RateLimit-New": "12", "X-Echo": echoed})

    async with through(answer, on_event=events.append) as client:
        await client.meetings.get(81)
    first, second = [event for event in events if isinstance(event, AttemptEnded)]
    assert {} == first.headers
    for event in (second, pickle.loads(pickle.dumps(second))):
        assert ("12", "a, ***") == (event.headers["x-ratelimit-new"], event.headers["x-echo"])
        assert {"x-ratelimit-new", "x-echo"} <= set(event.headers)
        assert len(event.headers) == len(list(event.headers))
    assert "***" not in repr(second)


async def test_waits() -> None:
    """A call that waits for a slot in the budget emits `Waiting`."""
    events: list[Event] = []

    async def answer(request: httpx.Request) -> httpx.Response:
        await anyio.lowlevel.checkpoint()
        return httpx.Response(200, json=MEETING)

    budget = RateBudget.developer()
    async with through(answer, on_event=events.append, budget=budget) as client, anyio.create_task_group() as tasks:
        tasks.start_soon(client.meetings.get, 81)
        tasks.start_soon(client.meetings.get, 81)
    (wait,) = (event for event in events if isinstance(event, Waiting))
    # Before its first response, a client sends only one call.
    assert (2, "budget") == (wait.call, wait.reason)


async def test_waits_for_a_connection() -> None:
    """A call that finds all connections busy emits `Waiting`."""
    events: list[Event] = []
    go_on = anyio.Event()

    async def answer(request: httpx.Request) -> httpx.Response:
        await go_on.wait()
        return httpx.Response(200, json=MEETING)

    async with through(answer, on_event=events.append) as plain:
        inside.set_connection_limiter(heard(plain), ConnectionLimiter(1))
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(plain.meetings.get, 81)
            tasks.start_soon(plain.meetings.get, 81)
            while not any(isinstance(event, Waiting) for event in events):
                await anyio.lowlevel.checkpoint()
            go_on.set()
    assert [("connection", 0.0)] == [(e.reason, e.seconds) for e in events if isinstance(e, Waiting)]


async def test_subscribing() -> None:
    """Events go to all handlers, even if one of them raises, and each subscription can be ended."""
    first: list[Event] = []
    second: list[Event] = []

    def broken(event: Event) -> None:
        raise ValueError

    async with through(answers(), on_event=broken) as client:
        end_first, end_second = client.subscribe(first.append), client.for_account("b").subscribe(second.append)
        await client.meetings.get(81)
        end_first()
        end_first()
        await client.meetings.get(81)
        end_second()
        await client.meetings.get(81)
        for nothing in (None, 3, test_subscribing):
            with pytest.raises(ConfigurationError, match="on_event"):
                client.subscribe(nothing)  # type: ignore[arg-type]
    assert (1, 2) == tuple(sum(isinstance(event, CallEnded) for event in told) for told in (first, second))


async def test_listening_from_the_middle_on() -> None:
    """A handler that subscribes during a call gets the rest of its events, with the number 0."""
    events: list[Event] = []
    client: PyasClient

    def answer(request: httpx.Request) -> httpx.Response:
        if not events:
            client.subscribe(events.append)
        return httpx.Response(200, json=MEETING)

    async with through(answer) as client:
        await client.meetings.get(81)
    assert ["AttemptEnded"] == kinds(events)
    assert [0] == [event.call for event in events if isinstance(event, AttemptEnded)]


async def test_log_records(caplog: pytest.LogCaptureFixture) -> None:
    """Log records have fields whose names do not change."""
    caplog.set_level(logging.DEBUG, "pyas_async")
    service = answers(page(1, "t"), EXPIRED, page(1, "u"), page(2), httpx.Response(503))
    async with through(service, retry=SWIFT) as client:
        await client.meetings.iter_all().collect()
        await client.meetings.get(81)
    records = [
        {name: value for name, value in vars(record).items() if name.startswith("pyas_") and name != "pyas_seconds"}
        for record in caplog.records
        if record.name == "pyas_async"
    ]
    account = {"pyas_account_id": "acc"}
    assert {"pyas_event": "ListingRestarted", "pyas_reason": "answer", "pyas_yielded": 1, **account} in records
    assert {"pyas_event": "Waiting", "pyas_operation": "meetings.get", "pyas_reason": "retry"} in records
    assert all("pyas_event" in record for record in records)
