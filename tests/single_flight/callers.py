"""A service that answers when it is released, and callers that wait for it."""

from __future__ import annotations

import threading
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import anyio
import anyio.lowlevel

import inside
from pyas_async import RateBudget
from resting import rest, running_tasks
from runtime.socket_server import MEETING, client_of, document, heard, until, wire

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from anyio.abc import TaskGroup

    from pyas_async import MeetingDetail, PyasClient
    from runtime.socket_server import Seen, Wire


class Held:
    """Answers requests only after `go` is set: the n-th with the n-th document, all further ones with the last."""

    def __init__(self, *answers: bytes) -> None:
        self.go = threading.Event()
        self._answers = list(answers) or [document(MEETING)]
        self._count = 0

    def __call__(self, seen: Seen) -> bytes | None:
        """Answer a request."""
        answer = self._answers[min(self._count, len(self._answers) - 1)]
        self._count += 1
        return answer if self.go.wait(60) else None


class Caller:
    """A caller that gets a meeting."""

    def __init__(self) -> None:
        self.scope = anyio.CancelScope()
        self.ended = anyio.Event()
        self.value: MeetingDetail | None = None
        self.error: BaseException | None = None

    async def ask(self, client: PyasClient, meeting_id: int | str = 81, **more: Any) -> None:  # noqa: ANN401
        """Get the meeting, and keep the value or the error."""
        try:
            with self.scope:
                self.value = await client.meetings.get(meeting_id, **more)
        except BaseException as error:  # noqa: BLE001  (the tests look at any exception)
            self.error = error
        finally:
            self.ended.set()


class Crowd:
    """Callers, started one after the other."""

    def __init__(self, tasks: TaskGroup, client: PyasClient) -> None:
        self.callers: list[Caller] = []
        self._tasks = tasks
        self._client = client

    async def ask(self, count: int = 1, client: PyasClient | None = None, meeting_id: int | str = 81) -> list[Caller]:
        """Start this many callers, and return when each of them waits, or has its answer already."""
        new = [Caller() for _ in range(count)]
        self.callers += new
        before = inside.waiting_for_shared_calls(self._client)
        for caller in new:
            self._tasks.start_soon(caller.ask, client or self._client, meeting_id)
        # A released service can answer between two looks at the calls.
        await until(
            lambda: (
                inside.waiting_for_shared_calls(self._client) + sum(caller.ended.is_set() for caller in new)
                == before + count
            )
        )
        return new

    async def all_ended(self) -> None:
        """Wait for all callers."""
        with anyio.fail_after(5):
            for caller in self.callers:
                await caller.ended.wait()

    @property
    def values(self) -> list[MeetingDetail | None]:
        """The meetings that they got."""
        return [caller.value for caller in self.callers]


@asynccontextmanager
async def held(*answers: bytes, **options: Any) -> AsyncIterator[tuple[Wire, Held, PyasClient, Crowd]]:  # noqa: ANN401
    """Serve on a socket, and open a client that shares calls."""
    service = Held(*answers)
    settings: dict[str, Any] = {"single_flight": True, "budget": RateBudget(1_000), **options}
    with wire(service) as server:
        try:
            with anyio.fail_after(20):
                async with heard(client_of(server.url, **settings)) as client, anyio.create_task_group() as tasks:
                    yield server, service, client, Crowd(tasks, client)
        finally:
            service.go.set()


async def settle(condition: Callable[[], object]) -> None:
    """Wait until a condition holds, and check that it holds for some more turns of the event loop."""
    with anyio.fail_after(5):
        await until(condition)
        for _ in range(10):
            await anyio.lowlevel.checkpoint()
        assert condition()


async def assert_nothing_left(client: PyasClient, before: set[int]) -> None:
    """Check that no call, no slot in the budget and no task is left."""
    assert {} == inside.under_way(client)
    await rest()
    assert before == tasks()


def tasks() -> set[int]:
    """Return the tasks of this event loop."""
    return running_tasks()
