"""Equal gets that are in flight at the same time are one call; others are not shared."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import anyio
import pytest

import inside
from pyas_async import AttemptStarted, ConfigurationError, PyasClient, RetryPolicy
from pyas_async._core.calls.endpoints import get_meeting
from pyas_async._runtime.events import CallTrace
from runtime.socket_server import KEY, client_of, until, wire
from single_flight.callers import Caller, held, settle, tasks

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyas_async import Event

pytestmark = pytest.mark.anyio


async def test_equal_gets_are_one_call() -> None:
    """Ten gets of the same meeting at the same time cost one call, and each returns the meeting."""
    async with held() as (server, service, _, crowd):
        await crowd.ask(10)
        service.go.set()
        await crowd.all_ended()
        assert 1 == len(server.requests)
    assert [81] * 10 == [value.id for value in crowd.values if value is not None]


async def test_later_gets_are_calls_of_their_own() -> None:
    """A get after the response of another is a new call: sharing is no cache."""
    async with held() as (server, service, client, _):
        service.go.set()
        for _ in range(3):
            await client.meetings.get(81)
        assert 3 == len(server.requests)


async def test_off_by_default() -> None:
    """Without `single_flight`, each get is a call, and runs in the task of its caller."""
    before: list[set[int]] = []
    seen: list[Event] = []

    def note(event: Event) -> None:
        seen.append(event)
        before.append(tasks())

    with wire() as server:
        async with client_of(server.url, on_event=note) as client:
            known = tasks()
            async with anyio.create_task_group() as group:
                for _ in range(3):
                    group.start_soon(client.meetings.get, 81)
                await until(lambda: sum(isinstance(event, AttemptStarted) for event in seen) == 3)
                assert len(before[0] - known) == 3
        assert 3 == len(server.requests)


async def test_number_and_digits_are_one_id() -> None:
    """A meeting's number and its digits are the same id; its uuid is another one."""
    async with held() as (server, service, _, crowd):
        await crowd.ask(meeting_id=81)
        await crowd.ask(meeting_id="81")
        await crowd.ask(meeting_id="u81==")
        service.go.set()
        await crowd.all_ended()
    assert ["/zoom/meetings/81", "/zoom/meetings/u81%3D%3D"] == sorted(
        seen.target.partition("?")[0] for seen in server.requests
    )


VIEWS: dict[str, Callable[[PyasClient], PyasClient]] = {
    "account": lambda client: client.for_account("other"),
    "timeout": lambda client: client.with_options(timeout=4),
    "deadline": lambda client: client.with_options(deadline=5),
    "retry": lambda client: client.with_options(retry=RetryPolicy(max_attempts=2)),
    "priority": lambda client: client.with_options(priority="bulk"),
    "headers": lambda client: client.with_options(headers={"x-trace": "1"}),
    "off": lambda client: client.with_options(single_flight=False),
    "none": lambda client: client.with_options(single_flight=None),
}


@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS)
async def test_unequal_options(view: Callable[[PyasClient], PyasClient]) -> None:
    """A get with other options is another call: two are sent, and each gets its response."""
    async with held() as (server, service, client, crowd), anyio.create_task_group() as group:
        await crowd.ask(2)
        other = Caller()
        group.start_soon(other.ask, view(client))
        await until(lambda: len(server.requests) == 2)
        service.go.set()
        await other.ended.wait()
        await crowd.all_ended()
    assert None is other.error
    assert None not in (other.value, *crowd.values)


async def test_equal_views_share() -> None:
    """Views share calls with their client and with each other, if their options are equal."""
    async with held() as (server, service, client, crowd):
        for view in (client, client.for_account("acc"), client.with_options(deadline=90), client.with_options()):
            await crowd.ask(client=view)
        service.go.set()
        await crowd.all_ended()
        assert 1 == len(server.requests)


async def test_a_view_that_shares() -> None:
    """`with_options(single_flight=True)` shares on a client that does not."""
    async with held(single_flight=False) as (server, service, client, crowd):
        await crowd.ask(3, client.with_options(single_flight=True))
        service.go.set()
        await crowd.all_ended()
        assert 1 == len(server.requests)


async def test_nothing_but_gets_is_shared() -> None:
    """Listings are not shared: each page is a call."""
    with wire() as server:
        async with client_of(server.url, single_flight=True) as client, anyio.create_task_group() as group:
            for _ in range(2):
                group.start_soon(client.meetings.list)
        assert 2 == len(server.requests)


async def test_events_are_told_once() -> None:
    """`on_event` gets the events of the one call."""
    events: list[Event] = []
    async with held(on_event=events.append) as (_, service, _, crowd):
        await crowd.ask(3)
        service.go.set()
        await crowd.all_ended()
    assert 1 == sum(isinstance(event, AttemptStarted) for event in events)


async def test_context_of_the_first() -> None:
    """The call runs in the context of the first caller, as it would without sharing."""
    whose: ContextVar[str] = ContextVar("whose", default="none")
    seen: list[str] = []

    async def key() -> str:
        seen.append(whose.get())
        return KEY

    async with held(api_key=key) as (_, service, client, crowd):
        whose.set("the first's")
        first = Caller()
        async with anyio.create_task_group() as group:
            group.start_soon(first.ask, client)
            await settle(lambda: inside.waiting_for_shared_calls(client) == 1)
            whose.set("the second's")
            await crowd.ask()
            service.go.set()
    assert ["the first's"] == seen


async def test_a_shared_call_counts_no_request() -> None:
    """A call that shares the request of another counts no request."""
    async with held() as (_, service, client, crowd):
        await crowd.ask()
        trace = CallTrace()
        call = get_meeting("acc", 81)
        async with anyio.create_task_group() as group:
            group.start_soon(inside.session(client).run, call, inside.options(client), trace)
            await settle(lambda: inside.waiting_for_shared_calls(client) == 2)
            service.go.set()
    assert 0 == trace.requests


@pytest.mark.parametrize("value", ["yes", 1, 0, "", []])
def test_refused(value: Any) -> None:  # noqa: ANN401
    """A value that is not a bool is refused, and the error names the parameter."""
    with pytest.raises(ConfigurationError, match="single_flight"):
        PyasClient(KEY, single_flight=value)
    with pytest.raises(ConfigurationError, match="single_flight"):
        PyasClient(KEY).with_options(single_flight=value)
