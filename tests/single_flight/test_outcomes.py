"""Shared calls that fail: each caller gets the error that it would have got alone, as a separate object."""

from __future__ import annotations

import threading
import traceback
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import anyio
import httpx
import pytest

import inside
from core.tools import try_acquire
from pyas_async import (
    ClientClosedError,
    NotFoundError,
    RateBudget,
    RequestTimeoutError,
    RetryPolicy,
    ServerError,
    WrongEventLoopError,
)
from pyas_async._runtime.clock import Clock
from resting import rest
from runtime.socket_server import KEY, MEETING, client_of, document, through, until
from single_flight.callers import Caller, assert_nothing_left, held, settle, tasks

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.anyio

MISSING = document({"code": 3001, "message": "Meeting does not exist"}, 404)


async def test_an_error_is_raised_to_all_callers() -> None:
    """A shared call that fails raises its error to all callers, and costs one call."""
    async with held(MISSING) as (server, service, _, crowd):
        callers = await crowd.ask(3)
        service.go.set()
        await crowd.all_ended()
        assert 1 == len(server.requests)
    errors = [caller.error for caller in callers]
    assert {NotFoundError} == {type(error) for error in errors}
    assert 1 == len({str(error) for error in errors})
    assert {(404, 3001)} == {(error.status, error.code) for error in errors if isinstance(error, NotFoundError)}


async def test_errors_are_objects_of_their_own() -> None:
    """A caller that changes the traceback, notes, cause or attributes of its error changes no other caller's."""
    async with held(MISSING) as (_, service, _, crowd):
        callers = await crowd.ask(3)
        service.go.set()
        await crowd.all_ended()
    errors = [caller.error for caller in callers]
    assert all(isinstance(error, NotFoundError) for error in errors)
    first, second, third = (error for error in errors if isinstance(error, NotFoundError))
    depths = {len(traceback.extract_tb(error.__traceback__)) for error in (first, second, third)}
    assert 1 == len(depths)
    first.add_note("mine")
    first.write_state = "done"
    with pytest.raises(NotFoundError):
        raise first from ValueError()
    for other in (second, third):
        assert (False, None, None) == (hasattr(other, "__notes__"), other.write_state, other.__cause__)
        assert {len(traceback.extract_tb(other.__traceback__))} == depths
        assert None is other.__context__


async def test_retries_are_shared() -> None:
    """A failed attempt is retried once for all callers, not once for each."""
    failed = document({"error": "x"}, 500)
    async with held(failed, failed, document(MEETING)) as (server, service, _, crowd):
        await crowd.ask(3)
        service.go.set()
        await crowd.all_ended()
        assert 3 == len(server.requests)
    assert None not in crowd.values


async def test_failed_for_good() -> None:
    """When the attempts are used up, all callers get the error of the last one."""
    async with held(document({"error": "x"}, 500), retry=RetryPolicy(max_attempts=2, base=0, cap=0)) as (
        server,
        service,
        _,
        crowd,
    ):
        callers = await crowd.ask(3)
        service.go.set()
        await crowd.all_ended()
        assert 2 == len(server.requests)
    assert {ServerError} == {type(caller.error) for caller in callers}


class OwnError(Exception):
    """An error of the user's code whose constructor does not take `args`, so that it cannot be copied."""

    def __init__(self, code: int, why: str) -> None:
        super().__init__(f"{code}: {why}")
        self.code = code


class Stop(BaseException):
    """Ends a program."""


@pytest.mark.parametrize("kind", [ValueError, OwnError, Stop, SystemExit, KeyboardInterrupt])
async def test_errors_of_the_users_code(kind: type[BaseException]) -> None:
    """Any exception of the user's code is raised to all callers of the shared call, and nowhere else."""
    error = OwnError(7, "y") if kind is OwnError else kind("x")

    async def key() -> str:
        await began.wait()
        error.add_note("of the user")
        raise error

    began = anyio.Event()
    async with held(api_key=key) as (server, _, client, crowd):
        before = tasks()
        callers = await crowd.ask(3)
        began.set()
        await crowd.all_ended()
        await assert_nothing_left(client, before)
        assert [] == server.requests
    assert {type(error)} == {type(caller.error) for caller in callers}
    assert {str(error)} == {str(caller.error) for caller in callers}
    for caller in callers:
        assert caller.error is not None
        assert ["of the user"] == caller.error.__notes__
        frames = [frame.name for frame in traceback.extract_tb(caller.error.__traceback__)]
        assert ("ask", "key") == (frames[0], frames[-1])
    first, *others = (caller.error for caller in callers)
    assert first is not None
    first.add_note("of the first")
    if kind is not OwnError:  # which cannot be copied: all callers get the same object
        assert [["of the user"]] * 2 == [other.__notes__ for other in others if other is not None]


async def test_deadline_of_its_own() -> None:
    """A caller with a shorter deadline ends by it; callers with a longer one get the meeting."""
    async with held() as (server, service, client, crowd):
        await crowd.ask(2)
        hasty = Caller()
        with anyio.fail_after(2):
            await hasty.ask(client.with_options(deadline=0.05))
        assert isinstance(hasty.error, RequestTimeoutError)
        service.go.set()
        await crowd.all_ended()
        assert 2 == len(server.requests)
    assert None not in crowd.values


async def test_deadline_of_all() -> None:
    """The deadline ends a shared call for all callers, and nothing is left."""
    async with held(deadline=0.05, timeout=None) as (_, _service, client, crowd):
        before = tasks()
        callers = await crowd.ask(3)
        await crowd.all_ended()
        assert {RequestTimeoutError} == {type(caller.error) for caller in callers}
        await assert_nothing_left(client, before)


@pytest.mark.parametrize(
    ("age", "options", "calls"),
    [
        (44.9, {}, 1),
        (45.0, {}, 2),
        (80.0, {}, 2),
        (9.9, {"deadline": 20}, 1),
        (10.0, {"deadline": 20}, 2),
        (1e6, {"deadline": None}, 1),
    ],
)
async def test_joined_in_time(age: float, options: dict[str, float | None], calls: int) -> None:
    """A call cannot be joined after half of its deadline, so that each caller has at least half of its own."""
    now = 0.0
    async with held(**options) as (server, service, client, crowd):
        inside.set_clock_of_calls(client, Clock(now=lambda: now))
        await crowd.ask(2)
        now = age
        await crowd.ask(2)
        await until(lambda: len(server.requests) == calls)
        service.go.set()
        await crowd.all_ended()
    assert calls == len(server.requests)


async def test_late_calls_are_shared_among_themselves() -> None:
    """Callers that come too late for one call share the next one."""
    now = 0.0
    async with held() as (server, service, client, crowd):
        inside.set_clock_of_calls(client, Clock(now=lambda: now))
        for now in (0.0, 50.0, 60.0, 94.0):  # noqa: B007  (the clock reads it)
            await crowd.ask()
        await until(lambda: len(server.requests) == 2)
        service.go.set()
        await crowd.all_ended()
    assert 2 == len(server.requests)


async def test_bulk_calls_are_joined_while_they_wait() -> None:
    """The deadline of a bulk call excludes its wait for the budget: it can be joined however long it has waited."""
    now = 0.0
    async with held() as (server, service, client, crowd):
        inside.set_clock_of_calls(client, Clock(now=lambda: now))
        bulk = inside.bulk_view(client)
        await crowd.ask(client=bulk)
        now = 1_000.0
        await crowd.ask(client=bulk)
        service.go.set()
        await crowd.all_ended()
    assert 1 == len(server.requests)


async def test_one_place_in_the_budget() -> None:
    """A shared call takes one slot in the call budget, also while it waits for it."""
    async with held(budget=RateBudget(1, window=1000.0), deadline=None) as (server, service, client, crowd):
        service.go.set()
        await client.meetings.get(81)
        before = tasks()
        callers = await crowd.ask(3)
        await settle(lambda: client.rate_limit.waiting == 1)
        for caller in callers:
            caller.scope.cancel()
        await crowd.all_ended()
        await assert_nothing_left(client, before)
        assert (1, 0) == (len(server.requests), client.rate_limit.waiting)


@pytest.mark.parametrize("where", ["wire", "budget", "pause", "key"])
async def test_closed_under(where: str) -> None:
    """Closing the client ends a shared call for all callers, at any step, and waits for its end."""
    asked = anyio.Event()

    async def key() -> str:
        if where == "key":
            asked.set()
            await anyio.sleep_forever()
        return KEY

    def lose(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadError("reset")

    async def hang(request: httpx.Request) -> httpx.Response:
        await anyio.sleep_forever()
        raise AssertionError

    budget = RateBudget(1, window=1000.0)
    async with through(
        lose if where == "pause" else hang,
        api_key=key,
        single_flight=True,
        budget=budget,
        retry=RetryPolicy(base=100, cap=100),
        deadline=None,
    ) as client:
        inside.set_clock_of_calls(client, Clock(random=lambda: 1.0))
        if where == "budget":
            assert try_acquire(budget, inside.clock(client).now())
        ready: dict[str, Callable[[], object]] = {
            "wire": lambda: inside.is_sending(client),
            "budget": lambda: inside.limiter(client).waiting,
            "pause": lambda: inside.is_pausing(client),
            "key": asked.is_set,
        }
        before = tasks()
        callers = [Caller() for _ in range(3)]
        async with anyio.create_task_group() as group:
            for caller in callers:
                group.start_soon(caller.ask, client)
            await settle(lambda: inside.waiting_for_shared_calls(client) == 3 and ready[where]())
            with anyio.fail_after(1):
                await client.aclose()
            assert [] == inside.shared_calls(client)
        await rest()
        assert before == tasks()
    assert {ClientClosedError} == {type(caller.error) for caller in callers}
    assert 3 == len({id(caller.error) for caller in callers})


async def test_after_closing() -> None:
    """A closed client shares no calls."""
    async with held() as (server, _, client, _crowd):
        await client.aclose()
        with pytest.raises(ClientClosedError):
            await client.meetings.get(81)
        assert [] == server.requests


def test_in_another_loop(anyio_backend: str) -> None:
    """A client that shares calls belongs to one event loop, like any other: a call of another loop cannot be joined."""
    asked, ended = threading.Event(), threading.Event()

    async def answer(request: httpx.Request) -> httpx.Response:
        asked.set()
        while not ended.is_set():  # noqa: ASYNC110  (another thread sets it)
            await anyio.sleep(0.001)
        return httpx.Response(200, json=MEETING)

    http = httpx.AsyncClient(transport=httpx.MockTransport(answer))
    client = client_of("http://localhost", http_client=http, single_flight=True)

    def get() -> int:
        return anyio.run(client.meetings.get, 81, backend=anyio_backend).id

    with ThreadPoolExecutor() as threads:
        first = threads.submit(get)
        assert asked.wait(5)
        try:
            with pytest.raises(WrongEventLoopError):
                get()
        finally:
            ended.set()
        assert 81 == first.result(5)


async def test_secrets_stay_out() -> None:
    """The frames in the traceback of a shared call's error hold no key."""
    async with held(MISSING) as (_, service, _, crowd):
        [caller] = await crowd.ask()
        service.go.set()
        await crowd.all_ended()
    assert caller.error is not None
    report = traceback.TracebackException.from_exception(caller.error, capture_locals=True)
    assert KEY not in "".join(report.format())
    assert None is caller.error.__context__
