"""A write to a meeting ends the sharing of its gets: no caller gets the state from before a write that it knows of."""

from __future__ import annotations

import threading
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import anyio
import pytest

import inside
from pyas_async import PyasError
from runtime.socket_server import CHANGE, MEETING, NEW, client_of, document, heard, until, wire
from single_flight.callers import Caller

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from pyas_async import PyasClient
    from runtime.socket_server import Seen, Wire

pytestmark = pytest.mark.anyio

WRITES: dict[str, Callable[[PyasClient], Awaitable[object]]] = {
    "update": lambda client: client.meetings.update(81, CHANGE),
    "delete": lambda client: client.meetings.delete(81),
    "by its digits": lambda client: client.meetings.update("81", CHANGE),
    "by a view": lambda client: client.with_options(single_flight=False).meetings.update(81, CHANGE),
}
every_write = pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)


class Gates:
    """Answers gets and writes only when they are released."""

    def __init__(self) -> None:
        self.get, self.write = threading.Event(), threading.Event()
        self.answer: bytes | None = document(MEETING)

    def __call__(self, seen: Seen) -> bytes | None:
        """Answer a request."""
        if seen.method == "GET":
            return document(MEETING) if self.get.wait(5) else None
        return self.answer if self.write.wait(5) else None


class Scene:
    """A client, its service, and the callers of the meeting."""

    def __init__(self, server: Wire, gates: Gates, client: PyasClient, tasks: Any) -> None:  # noqa: ANN401
        self.server, self.gates, self.client, self._tasks = server, gates, client, tasks
        self.callers: list[Caller] = []
        self.written = anyio.Event()

    @property
    def gets(self) -> int:
        """Gets that the service has seen."""
        return sum(seen.method == "GET" for seen in self.server.requests)

    async def ask(self, meeting_id: int | str = 81) -> None:
        """Start a caller that gets the meeting."""
        caller, before = Caller(), inside.waiting_for_shared_calls(self.client)
        self.callers.append(caller)
        self._tasks.start_soon(caller.ask, self.client, meeting_id)
        await until(lambda: inside.waiting_for_shared_calls(self.client) == before + 1)

    async def begin(self, write: Callable[[PyasClient], Awaitable[object]]) -> None:
        """Begin a write, and wait until its request was sent."""

        async def run() -> None:
            try:
                await write(self.client)
            except PyasError:
                pass
            finally:
                self.written.set()

        before = len(self.server.requests) - self.gets
        self._tasks.start_soon(run)
        await until(lambda: len(self.server.requests) - self.gets > before)

    async def end(self) -> None:
        """Let the write end."""
        self.gates.write.set()
        await self.written.wait()

    async def gets_are(self, count: int) -> None:
        """Check that the service has received this many gets, after all have ended."""
        await until(lambda: self.gets >= count)
        self.gates.get.set()
        for caller in self.callers:
            await caller.ended.wait()
        assert count == self.gets
        assert None not in [caller.value for caller in self.callers]


@asynccontextmanager
async def scene() -> AsyncIterator[Scene]:
    """Serve on a socket, and open a client that shares calls."""
    gates = Gates()
    with wire(gates) as server:
        try:
            async with heard(client_of(server.url, single_flight=True)) as client, anyio.create_task_group() as tasks:
                with anyio.fail_after(5):
                    yield Scene(server, gates, client, tasks)
        finally:
            gates.get.set()
            gates.write.set()


@every_write
async def test_asked_before_and_during(write: Callable[[PyasClient], Awaitable[object]]) -> None:
    """A get after the beginning of a write does not share a get from before it."""
    async with scene() as stage:
        await stage.ask()
        await stage.ask()
        await stage.begin(write)
        await stage.ask()
        await stage.ask()
        await stage.gets_are(2)
        await stage.end()


@every_write
async def test_asked_during_and_after(write: Callable[[PyasClient], Awaitable[object]]) -> None:
    """A get after the end of a write does not share a get from before its end."""
    async with scene() as stage:
        await stage.begin(write)
        await stage.ask()
        await stage.ask()
        await stage.end()
        await stage.ask()
        await stage.ask()
        await stage.gets_are(2)


@every_write
async def test_asked_before_and_after(write: Callable[[PyasClient], Awaitable[object]]) -> None:
    """Gets before, during and after a write are three groups, each with its own call."""
    async with scene() as stage:
        await stage.ask()
        await stage.begin(write)
        await stage.ask()
        await stage.end()
        await stage.ask()
        await stage.gets_are(3)


@pytest.mark.parametrize("status", [400, 404, 500])
async def test_writes_that_fail(status: int) -> None:
    """A write that fails ends the sharing as well: it may have been carried out."""
    async with scene() as stage:
        stage.gates.answer = document({"error": "x"}, status)
        await stage.begin(WRITES["update"])
        await stage.ask()
        await stage.end()
        await stage.ask()
        await stage.gets_are(2)


async def test_writes_that_are_cancelled() -> None:
    """A write that is cancelled ends the sharing as well."""
    async with scene() as stage:
        scope = anyio.CancelScope()

        async def write(client: PyasClient) -> None:
            with scope:
                await client.meetings.update(81, CHANGE)

        await stage.begin(write)
        await stage.ask()
        scope.cancel()
        await stage.written.wait()
        await stage.ask()
        await stage.gets_are(2)


async def test_two_writes_at_once() -> None:
    """With two writes in flight, the end of each ends the sharing."""
    async with scene() as stage:
        scope = anyio.CancelScope()

        async def given_up(client: PyasClient) -> None:
            with scope:
                await client.meetings.update(81, CHANGE)

        await stage.begin(WRITES["update"])
        await stage.ask()
        await stage.begin(given_up)
        await stage.ask()
        scope.cancel()
        await stage.written.wait()
        await stage.ask()
        await stage.gets_are(3)
        stage.gates.write.set()


@pytest.mark.parametrize(
    "write",
    [
        pytest.param(lambda client: client.meetings.update(82, CHANGE), id="another meeting"),
        pytest.param(lambda client: client.meetings.update("u81==", CHANGE), id="its uuid"),
        pytest.param(lambda client: client.meetings.create(NEW), id="create"),
    ],
)
async def test_writes_elsewhere(write: Callable[[PyasClient], Awaitable[object]]) -> None:
    """A write to another id, even to the uuid of the same meeting, does not end the sharing."""
    async with scene() as stage:
        await stage.ask()
        await stage.begin(write)
        await stage.ask()
        await stage.end()
        await stage.ask()
        await stage.gets_are(1)


async def test_callers_from_before_a_write() -> None:
    """Callers from before the write get the meeting: the write does not cancel their call."""
    async with scene() as stage:
        await stage.ask()
        await until(lambda: stage.gets == 1)
        await stage.begin(WRITES["delete"])
        await stage.end()
        await stage.gets_are(1)
    assert [81] == [caller.value.id for caller in stage.callers if caller.value is not None]


async def test_reads_between_leave_it() -> None:
    """A get of the same meeting with other options does not end the sharing."""
    async with scene() as stage:
        await stage.ask()
        stage.gates.get.set()
        await stage.callers[0].ended.wait()
        stage.gates.get.clear()
        await stage.ask()
        other = Caller()
        async with anyio.create_task_group() as group:
            group.start_soon(other.ask, stage.client.with_options(single_flight=False))
            await until(lambda: stage.gets == 3)
            await stage.ask()
            await stage.gets_are(3)
