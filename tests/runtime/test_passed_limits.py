"""How many requests a passed client carries at once: `max_connections`, and the limit of its own pool."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import anyio
import attrs
import httpx
import httpx2
import pytest

import inside
from pyas_async import ClientClosedError, PyasClient, TransportError, Waiting
from runtime.calls import check_usable
from runtime.socket_server import NEW, client_of, found, heard, through, until, wire

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from pyas_async import Event
    from runtime.socket_server import Wire

both = pytest.mark.parametrize("library", [httpx, httpx2])


class Held:
    """A service that answers no request before `release`, and counts those that it holds."""

    def __init__(self, server: Wire, released: threading.Event) -> None:
        self.server = server
        self.release = released.set

    async def holds(self, count: int) -> None:
        """Wait until the service has received so many requests, and check that no more follow."""
        await until(lambda: len(self.server.requests) >= count)
        await anyio.wait_all_tasks_blocked()
        assert count == len(self.server.requests)


@asynccontextmanager
async def held() -> AsyncIterator[Held]:
    """Run a service that holds the requests."""
    released = threading.Event()
    with wire(lambda seen: found(seen) if released.wait(5) else None) as server:
        try:
            yield Held(server, released)
        finally:
            released.set()


def http_of(library: Any, limit: int | None) -> Any:  # noqa: ANN401  (a module; its client)
    """Make a client of a library whose pool has this limit."""
    return library.AsyncClient(limits=library.Limits(max_connections=limit), trust_env=False, verify=False)


def clients_of(service: Held, http: Any, *limits: int, **settings: Any) -> list[PyasClient]:  # noqa: ANN401
    """Make a client of ours for each of these limits, all with other keys, through one passed client."""
    return [
        heard(
            client_of(service.server.url, api_key=f"key-{number}", http_client=http, max_connections=limit, **settings)
        )
        for number, limit in enumerate(limits)
    ]


@pytest.mark.anyio
@both
@pytest.mark.parametrize(
    ("pool", "limits", "expected"),
    [
        (100, [2], 2),
        (None, [2], 2),
        (1, [5], 1),
        (3, [2, 2], 3),
        (100, [2, 1], 3),
        (1, [2, 2], 1),
    ],
)
async def test_requests_at_once(library: Any, pool: int | None, limits: list[int], expected: int) -> None:  # noqa: ANN401
    """No client has more requests under way than its `max_connections`, nor all of them more than the pool allows.

    The others wait, and report that they wait for a connection. All are sent in the end.
    """
    events: list[Event] = []
    async with held() as service, http_of(library, pool) as http, anyio.create_task_group() as tasks:
        clients = clients_of(service, http, *limits, on_event=events.append)
        for client in clients * 3:
            tasks.start_soon(client.meetings.get, 81)
        await service.holds(expected)
        keys = Counter(seen.headers["x-api-key"] for seen in service.server.requests)
        assert all(keys[f"key-{number}"] <= limit for number, limit in enumerate(limits))
        waiting = [event for event in events if isinstance(event, Waiting) and event.reason == "connection"]
        assert 3 * len(limits) - expected == len(waiting)
        service.release()
    assert 3 * len(limits) == len(service.server.requests)
    assert [{}] * len(clients) == [inside.under_way(client) for client in clients]


@pytest.mark.anyio
async def test_transport_without_a_pool() -> None:
    """`max_connections` holds for any transport."""
    running = most = 0

    async def answer(request: httpx.Request) -> httpx.Response:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await anyio.wait_all_tasks_blocked()
        running -= 1
        return httpx.Response(200, json={"success": True, "meeting": {"id": 81, "type": 2}})

    async with through(answer, max_connections=3) as client, anyio.create_task_group() as tasks:
        for _ in range(10):
            tasks.start_soon(heard(client).meetings.get, 81)
    assert 3 == most


@pytest.mark.anyio
@both
async def test_requests_of_the_owner(library: Any) -> None:  # noqa: ANN401
    """`max_connections` does not hold back what the owner of the client sends."""
    async with held() as service, http_of(library, 100) as http, anyio.create_task_group() as tasks:
        [client] = clients_of(service, http, 1)
        tasks.start_soon(client.meetings.get, 81)
        await service.holds(1)
        for _ in range(3):
            tasks.start_soon(http.get, f"{service.server.url}/owner")
        await service.holds(4)
        service.release()


@pytest.mark.anyio
@both
@pytest.mark.parametrize(("pool", "limit"), [(100, 1), (1, 2)])
async def test_no_connection_in_time(library: Any, pool: int, limit: int) -> None:  # noqa: ANN401
    """A wait for either limit ends with the timeout of the pool: the call was not sent, and holds nothing."""
    async with held() as service, http_of(library, pool) as http, anyio.create_task_group() as tasks:
        [client] = clients_of(service, http, limit)
        tasks.start_soon(client.meetings.get, 81)
        await service.holds(1)
        impatient = client.with_options(retry=None, timeout=httpx.Timeout(5.0, pool=0.01))
        with pytest.raises(TransportError, match="no connection was free") as caught:
            await impatient.meetings.create(NEW)
        assert "not_sent" == caught.value.write_state
        assert 1 == inside.connection_limiter(client).taken
        service.release()


async def cancel_scope(get: Callable[[], Any], blocked: Callable[[], Any]) -> None:
    """Cancel a call with a scope once it waits."""
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(get)
        await blocked()
        tasks.cancel_scope.cancel()


async def cancel_task(get: Callable[[], Any], blocked: Callable[[], Any]) -> None:
    """Cancel a call with `task.cancel()` once it waits."""
    task = asyncio.ensure_future(get())
    await blocked()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def check_released(library: Any, limits: Limits, cancel: Callable[..., Any]) -> None:  # noqa: ANN401
    """Cancel a call that waits for a connection, and then one that has one; check that both release their slots."""
    async with held() as service, http_of(library, limits.pool) as http:
        *_, busy, client = clients_of(service, http, *limits.ours) * 2
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(busy.meetings.get, 81)
            await service.holds(1)
            taken = inside.connection_limiter(client).taken
            await cancel(lambda: client.meetings.get(81), anyio.wait_all_tasks_blocked)
            assert taken == inside.connection_limiter(client).taken
            assert 1 == len(service.server.requests)
            tasks.cancel_scope.cancel()
        await cancel(lambda: client.meetings.get(81), lambda: service.holds(2))
        assert [0, 0] == [inside.connection_limiter(one).taken for one in (busy, client)]
        assert [{}, {}] == [inside.under_way(one) for one in (busy, client)]
        service.release()
        await check_usable(client)
        await check_usable(busy)


@attrs.frozen
class Limits:
    """The limit of the pool, and the `max_connections` of our clients."""

    pool: int
    ours: tuple[int, ...]


LIMITS = pytest.mark.parametrize(
    "limits", [Limits(100, (1,)), Limits(1, (2,)), Limits(1, (1, 1))], ids=["max_connections", "pool", "shared pool"]
)
"""What a second call waits for: the limit of its client, or that of the pool, which another client may use up."""


@pytest.mark.anyio
@both
@LIMITS
async def test_cancelled_by_scope(library: Any, limits: Limits) -> None:  # noqa: ANN401
    """A scope that cancels a waiting or running request releases its slots at once, on asyncio and trio."""
    await check_released(library, limits, cancel_scope)


@pytest.mark.asyncio
@both
@LIMITS
async def test_cancelled_task(library: Any, limits: Limits) -> None:  # noqa: ANN401
    """So does `task.cancel()`."""
    await check_released(library, limits, cancel_task)


async def ends(client: PyasClient) -> None:
    """Make a call that the closing of its client ends."""
    with pytest.raises(ClientClosedError):
        await client.meetings.get(81)


@pytest.mark.anyio
@both
async def test_closed_client(library: Any) -> None:  # noqa: ANN401
    """A client of ours that is closed releases its slots, so that another one can use the passed client's pool."""
    async with held() as service, http_of(library, 1) as http, anyio.create_task_group() as tasks:
        first, second = clients_of(service, http, 2, 2)
        tasks.start_soon(ends, first)
        await service.holds(1)
        tasks.start_soon(ends, first)
        tasks.start_soon(second.meetings.get, 81)
        await anyio.wait_all_tasks_blocked()
        await first.aclose()
        await service.holds(2)
        assert 0 == inside.connection_limiter(first).taken
        service.release()


@pytest.mark.anyio
@both
@pytest.mark.parametrize(("pool", "limit"), [(1, 2), (100, 1)])
async def test_closed_while_waiting(library: Any, pool: int, limit: int) -> None:  # noqa: ANN401
    """A call that waits for a connection ends when its client is closed, even if another client holds the pool."""
    async with held() as service, http_of(library, pool) as http, anyio.create_task_group() as tasks:
        first, second = clients_of(service, http, limit, limit)
        tasks.start_soon(second.meetings.get, 81)
        await service.holds(1)
        async with anyio.create_task_group() as ending:
            for _ in range(3):
                ending.start_soon(ends, first)
            await service.holds(1 if pool == 1 else 2)
            await first.aclose()
            ending.cancel_scope.deadline = anyio.current_time() + 2
        assert not ending.cancel_scope.cancelled_caught
        assert 0 == inside.connection_limiter(first).taken
        service.release()
