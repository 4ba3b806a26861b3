"""A service in process for the tests of bulk runs, and helpers."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import anyio
import anyio.lowlevel
import httpx

from pyas_async import MeetingCreate, MeetingUpdate
from resting import running_tasks
from runtime.socket_server import heard, through

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator

    from pyas_async import BulkRun, Outcome, PyasClient

    Read = Callable[[BulkRun[Any, Any]], Awaitable[Any]]
    """A way to read a run."""


CHANGE = MeetingUpdate(title="changed")


def meeting(number: int) -> MeetingCreate:
    """Make a meeting whose title is a number, which the service uses as its id."""
    return MeetingCreate(type=2, title=str(number), description="", start_date=datetime(2031, 1, 1, tzinfo=UTC))


class Service:
    """Has every meeting that is requested, and answers some of them with given handlers."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, int]] = []
        self.special: dict[int, Callable[[], Awaitable[httpx.Response]]] = {}
        self.in_flight = 0
        self.most_in_flight = 0

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer a request."""
        number = number_of(request)
        self.requests.append((request.method, number))
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            await anyio.lowlevel.checkpoint()
            special = self.special.get(number)
            return found(number) if special is None else await special()
        finally:
            self.in_flight -= 1

    @property
    def asked(self) -> list[int]:
        """The meetings that were requested, in order."""
        return [number for _, number in self.requests]

    @asynccontextmanager
    async def client(self, **options: Any) -> AsyncIterator[PyasClient]:  # noqa: ANN401  (whatever a client takes)
        """Open a client of it."""
        async with through(self, **options) as client:
            yield heard(client)


def number_of(request: httpx.Request) -> int:
    """Return the number of the meeting that a request is about."""
    if request.method == "POST":
        return int(json.loads(request.content)["meetingData"]["title"])
    return int(request.url.path.rpartition("/")[2])


def found(number: int) -> httpx.Response:
    """Answer with a meeting."""
    detail = {"id": number, "uuid": f"u{number}", "type": 2}
    return httpx.Response(200, json={"success": True, "meeting": detail})


async def refuse() -> httpx.Response:
    """Answer with an error for one meeting."""
    return httpx.Response(403, json={"success": False, "message": "no"})


async def unauthorized() -> httpx.Response:
    """Refuse the key."""
    return httpx.Response(401, json={"error": "Unauthorized. Invalid API key."})


async def never() -> httpx.Response:
    """Do not answer."""
    await anyio.sleep_forever()
    raise AssertionError


def when(event: anyio.Event, number: int) -> Callable[[], Awaitable[httpx.Response]]:
    """Answer with a meeting once something has happened."""

    async def answer() -> httpx.Response:
        await event.wait()
        return found(number)

    return answer


class Counted:
    """Yields whole numbers from 1 on, and counts how many were drawn."""

    def __init__(self, last: int) -> None:
        self.drawn = 0
        self.closed = False
        self._last = last

    def sync(self) -> Iterator[int]:
        """Yield them at once."""
        try:
            while self.drawn < self._last:
                self.drawn += 1
                yield self.drawn
        finally:
            self.closed = True

    async def asynchronous(self) -> AsyncIterator[int]:
        """Yield each after a checkpoint."""
        try:
            while self.drawn < self._last:
                await anyio.lowlevel.checkpoint()
                self.drawn += 1
                yield self.drawn
        finally:
            self.closed = True


async def streamed(run: BulkRun[Any, Any]) -> list[Outcome[Any, Any]]:
    """Read a run as a stream."""
    async with run as outcomes:
        return [outcome async for outcome in outcomes]


async def awaited(run: BulkRun[Any, Any]) -> list[Outcome[Any, Any]]:
    """Await a run."""
    return await run


def states(outcomes: Iterable[Outcome[Any, Any]]) -> list[str]:
    """Return the states of outcomes."""
    return [outcome.state for outcome in outcomes]


def tasks() -> set[int]:
    """Return the tasks of this event loop."""
    return running_tasks()
