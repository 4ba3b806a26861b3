"""Closing a client ends its calls soon, and each call reports its state."""

from __future__ import annotations

import threading
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import anyio
import anyio.lowlevel
import httpx
import pytest

import inside
from core.tools import try_acquire
from pyas_async import (
    ClientClosedError,
    PyasError,
    RateBudget,
    RetryPolicy,
    WrongEventLoopError,
)
from pyas_async._runtime.clock import Clock
from runtime.socket_server import CHANGE, KEY, MEETING, NEW, client_of, found, heard, through, until, wire

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from pyas_async import PyasClient

pytestmark = pytest.mark.anyio

CALLS: dict[str, tuple[Callable[[PyasClient], Awaitable[object]], str | None]] = {
    "get": (lambda client: client.meetings.get(81), None),
    "list": (lambda client: client.meetings.list(), None),
    "create": (lambda client: client.meetings.create(NEW), "not_sent"),
    "update": (lambda client: client.meetings.update(81, CHANGE), "not_sent"),
    "delete": (lambda client: client.meetings.delete(81), "not_sent"),
    "iterate": (lambda client: client.meetings.iter_all().collect(), None),
}
every_call = pytest.mark.parametrize(("do", "unsent"), CALLS.values(), ids=CALLS)


class Caught(list[PyasError]):
    """The errors of calls during which the client was closed."""

    async def call(self, do: Callable[[PyasClient], Awaitable[object]], client: PyasClient) -> None:
        """Make a call that fails."""
        try:
            await do(client)
        except PyasError as error:
            self.append(error)


async def close_under(
    client: PyasClient, do: Callable[[PyasClient], Awaitable[object]], ready: Callable[[], bool]
) -> PyasError:
    """Start a call, close the client when it is ready, and return the call's error."""
    caught = Caught()
    with anyio.fail_after(1):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(caught.call, do, client)
            await until(ready)
            await client.aclose()
    [error] = caught
    assert isinstance(error, ClientClosedError)
    assert 0 == client.rate_limit.waiting
    return error


@every_call
async def test_on_the_wire(do: Callable[[PyasClient], Awaitable[object]], unsent: str | None) -> None:
    """Closing ends a call whose request was sent; a write may have been carried out."""
    released = threading.Event()
    with wire(lambda seen: found(seen) if released.wait(5) else None) as server:
        client = client_of(server.url)
        error = await close_under(client, do, lambda: bool(server.requests))
        released.set()
        assert 1 == len(server.requests)
    assert ("unknown" if unsent else None) == error.write_state
    assert 0 == inside.in_flight(client)


async def test_before_the_wire() -> None:
    """A create that waits for a connection when the client is closed was certainly not sent."""
    released = threading.Event()
    with wire(lambda seen: found(seen) if released.wait(5) else None) as server:
        client = heard(client_of(server.url, max_connections=1))
        caught = Caught()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(caught.call, CALLS["get"][0], client)
            await until(lambda: server.requests)
            error = await close_under(client, CALLS["create"][0], lambda: inside.in_flight(client) > 1)
        released.set()
    assert (1, 1) == (len(caught), len(server.requests))
    assert error.write_state in ("not_sent", "unknown")  # httpcore does not report the wait


@every_call
async def test_in_a_pause(do: Callable[[PyasClient], Awaitable[object]], unsent: str | None) -> None:
    """A call in the pause before a retry ends at once and sends nothing more; the lost attempt still counts."""
    seen: list[httpx.Request] = []

    def lose(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        raise httpx.ConnectError("refused") if request.method == "POST" else httpx.ReadError("reset")

    async with through(lose, retry=RetryPolicy(base=10, cap=10)) as client:
        inside.set_clock_of_calls(client, Clock(random=lambda: 1.0))
        error = await close_under(client, do, lambda: bool(seen))
        await anyio.lowlevel.checkpoint()
        assert 0 == inside.in_flight(client)
    assert 1 == len(seen)
    expected = None if unsent is None else "not_sent" if seen[0].method == "POST" else "unknown"
    assert expected == error.write_state


@every_call
async def test_in_the_queue(do: Callable[[PyasClient], Awaitable[object]], unsent: str | None) -> None:
    """A call that waits for the call budget ends at once: it is not sent, and not counted."""
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json=MEETING)

    async with through(answer, budget=RateBudget(1, window=50.0)) as client:
        await client.meetings.get(81)
        error = await close_under(client, do, lambda: client.rate_limit.waiting == 1)
        assert 0 == inside.in_flight(client)
    assert (1, unsent) == (len(seen), error.write_state)


async def test_slot_acquired_while_closing() -> None:
    """A call that got its slot in the moment of the closing is not sent, and releases the slot."""
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json=MEETING)

    budget = RateBudget(1, window=1_000.0)
    async with through(answer, budget=budget) as client:
        assert try_acquire(budget, inside.clock(client).now())
        caught = Caught()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(caught.call, CALLS["create"][0], client)
            await until(lambda: client.rate_limit.waiting)
            budget.cancel()
            inside.limiter(client).grant_waiting()
            await client.aclose()
    assert [] == seen
    assert (0, 1) == (budget.in_flight, client.rate_limit.remaining)
    assert "not_sent" == caught[0].write_state


@pytest.mark.parametrize("injected", [False, True])
async def test_while_the_key_is_fetched(injected: bool) -> None:
    """A call whose key arrives after the closing is not sent, through any pool, and not counted."""
    asked, given = anyio.Event(), anyio.Event()

    async def key() -> str:
        asked.set()
        await given.wait()
        return KEY

    @asynccontextmanager
    async def made(url: str) -> AsyncIterator[PyasClient]:
        async with httpx.AsyncClient() as http:
            yield client_of(url, api_key=key, http_client=http if injected else None, budget=RateBudget(5))

    caught = Caught()
    with wire() as server:
        async with made(server.url) as client, anyio.create_task_group() as tasks:
            tasks.start_soon(caught.call, CALLS["create"][0], client)
            await asked.wait()
            await client.aclose()
            given.set()
        assert [] == server.requests
    assert isinstance(caught[0], ClientClosedError)
    assert ("not_sent", 5) == (caught[0].write_state, client.rate_limit.remaining)


async def test_while_the_key_hangs() -> None:
    """A call whose key never arrives ends with the client."""
    asked = anyio.Event()

    async def key() -> str:
        asked.set()
        await anyio.sleep_forever()
        return KEY

    async with through(lambda request: httpx.Response(200, json=MEETING), api_key=key, deadline=None) as client:
        error = await close_under(client, CALLS["create"][0], asked.is_set)
    assert "not_sent" == error.write_state


async def test_during_an_iteration() -> None:
    """An iteration that waits for a page when its client is closed gives a checkpoint."""
    released = threading.Event()

    def answer(seen: Any) -> bytes | None:  # noqa: ANN401
        return None if "nextPageToken" in seen.query and not released.wait(5) else found(seen)

    with wire(answer) as server:
        client = client_of(server.url)
        rows = client.meetings.iter_all()
        assert 1 == (await anext(rows)).id
        error = await close_under(client, lambda _: anext(rows), lambda: len(server.requests) == 2)
        released.set()
    assert error.checkpoint is not None
    assert str(rows.checkpoint()) == str(error.checkpoint)


async def test_closing_again() -> None:
    """Closing twice, even at the same time, does nothing the second time."""
    released = threading.Event()
    with wire(lambda seen: found(seen) if released.wait(5) else None) as server:
        client = client_of(server.url)
        caught = Caught()
        with anyio.fail_after(1):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(caught.call, CALLS["get"][0], client)
                await until(lambda: server.requests)
                tasks.start_soon(client.aclose)
                tasks.start_soon(client.aclose)
            await client.aclose()
        released.set()
    assert [ClientClosedError] == [type(error) for error in caught]


def test_closing_in_another_loop(anyio_backend: str) -> None:
    """A client that was used in one event loop cannot be closed in another, which does not have its connections."""
    with wire() as server:
        client = client_of(server.url)

        async def use() -> None:
            await client.meetings.get(81)
            await client.aclose()

        anyio.run(use, backend=anyio_backend)
        with pytest.raises(WrongEventLoopError, match="event loop"):
            anyio.run(client.aclose, backend=anyio_backend)
