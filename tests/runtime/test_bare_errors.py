"""Foreign errors are raised unchanged: without a group, and without a retry."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import httpx
import pytest

import inside
from pyas_async import ClientClosedError
from runtime.socket_server import MEETING, NEW, client_of, through

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from pyas_async import PyasClient


async def ahead(client: PyasClient) -> None:
    """Iterate in a block."""
    async with client.meetings.iter_all() as listing:
        await anext(listing)


async def accounts(client: PyasClient) -> None:
    """Iterate over an account in a block."""
    async with client.meetings.iter_accounts(["a"]) as pairs:
        await anext(pairs)


async def streamed(client: PyasClient) -> None:
    """Stream a bulk run."""
    async with client.meetings.get_many([81]) as outcomes:
        await anext(outcomes)


CALLS: dict[str, Callable[[PyasClient], Awaitable[object]]] = {
    "get": lambda client: client.meetings.get(81),
    "create": lambda client: client.meetings.create(NEW),
    "create, reconciled": lambda client: client.meetings.create(NEW, on_unknown="reconcile"),
    "iterate": lambda client: client.meetings.iter_all().collect(),
    "iterate, ahead": ahead,
    "iterate over accounts": accounts,
    "get_many, awaited": lambda client: client.meetings.get_many([81]).collect(),
    "get_many, streamed": streamed,
}
every_call = pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)


class OwnError(Exception):
    """An error of the application."""


class OwnExit(BaseException):
    """The exception with which an application exits."""


BARE: list[BaseException] = [
    KeyboardInterrupt(),
    SystemExit(3),
    OwnExit("bye"),
    pytest.fail.Exception("failed"),
    OwnError("mine"),
    ValueError("mine"),
    ExceptionGroup("several", [OwnError("mine")]),
]


@pytest.mark.anyio
@every_call
@pytest.mark.parametrize("error", BARE, ids=repr)
async def test_from_a_transport(error: BaseException, call: Callable[[PyasClient], Awaitable[object]]) -> None:
    """A transport's exception that is no network fault is raised itself, in no group, and not retried."""
    seen: list[httpx.Request] = []

    def fail(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        raise error

    async with through(fail) as client:
        with pytest.raises(BaseException) as caught:
            await call(client)
        assert 0 == inside.in_flight(client)
    assert error is caught.value
    assert 1 == len(seen)


@pytest.mark.anyio
@every_call
@pytest.mark.parametrize("moment", ["request", "response"])
@pytest.mark.parametrize("error", [KeyboardInterrupt(), OwnError("mine"), pytest.fail.Exception("failed")], ids=repr)
async def test_from_a_hook(error: BaseException, moment: str, call: Callable[[PyasClient], Awaitable[object]]) -> None:
    """An exception of a user's event hook is raised itself, in no group, and not retried."""
    hooked: list[object] = []

    async def hook(passing: object) -> None:
        hooked.append(passing)
        raise error

    transport = httpx.MockTransport(lambda request: httpx.Response(200, json=MEETING))
    async with httpx.AsyncClient(transport=transport, event_hooks={moment: [hook]}) as http:
        client = client_of("http://localhost", http_client=http)
        with pytest.raises(BaseException) as caught:
            await call(client)
    assert error is caught.value
    assert 1 == len(hooked)


@pytest.mark.anyio
async def test_hook_that_raises_for_status() -> None:
    """A hook that raises httpx's error for a status, as many do, raises exactly that error."""

    async def hook(response: httpx.Response) -> None:
        response.raise_for_status()

    transport = httpx.MockTransport(lambda request: httpx.Response(503))
    async with httpx.AsyncClient(transport=transport, event_hooks={"response": [hook]}) as http:
        with pytest.raises(httpx.HTTPStatusError):
            await client_of("http://localhost", http_client=http).meetings.get(81)


@pytest.mark.asyncio
@every_call
async def test_cancelled_error_of_a_transport(call: Callable[[PyasClient], Awaitable[object]]) -> None:
    """A CancelledError that a transport itself raises is not swallowed, and not treated as a timeout."""

    async def fail(request: httpx.Request) -> httpx.Response:
        inner = asyncio.ensure_future(asyncio.sleep(10))
        asyncio.get_running_loop().call_soon(inner.cancel)
        await inner
        raise AssertionError

    async with through(fail) as client:
        with pytest.raises(asyncio.CancelledError):
            await call(client)
        assert 0 == inside.in_flight(client)
    task: Any = asyncio.current_task()
    assert 0 == task.cancelling()


@pytest.mark.anyio
async def test_error_in_on_event_of_the_base_kind() -> None:
    """A KeyboardInterrupt in `on_event` is raised, not logged."""

    def hook(event: object) -> None:
        raise KeyboardInterrupt

    async with through(lambda request: httpx.Response(200, json=MEETING), on_event=hook) as client:
        with pytest.raises(KeyboardInterrupt):
            await client.meetings.get(81)
        assert 0 == inside.in_flight(client)


@pytest.mark.anyio
async def test_injected_client_that_was_closed() -> None:
    """A closed injected client is reported with our own message."""
    http = httpx.AsyncClient()
    await http.aclose()
    with pytest.raises(ClientClosedError, match="httpx"):
        await client_of("http://localhost", http_client=http).meetings.get(81)
