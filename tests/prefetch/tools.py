"""A service in process for the tests of prefetching, and their helpers."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import anyio
import anyio.lowlevel
import httpx

import inside
from resting import rest, running_tasks

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from pyas_async import (
        Meeting,
        MeetingIterator,
        PyasClient,
    )
    from pyas_async.sandbox import Sandbox, SeenRequest


PAGE = 10
ROWS = 50
FOREVER = 3600.0


class Service:
    """Responds to list calls in process with `ROWS` rows; `special` has other responses to the n-th request, from 1."""

    def __init__(self) -> None:
        self.requests: list[str | None] = []
        self.special: dict[int, Callable[[httpx.Request], Awaitable[httpx.Response]]] = {}

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        """Respond to a request."""
        token = request.url.params.get("nextPageToken")
        self.requests.append(token)
        await anyio.lowlevel.checkpoint()
        if special := self.special.get(len(self.requests)):
            return await special(request)
        first, size = int(token or 0), int(request.url.params["maxResults"])
        last = min(first + size, ROWS)
        rows = [{"uuid": f"uuid {number}", "id": number + 1} for number in range(first, last)]
        following = str(last) if last < ROWS else ""
        data = {"page_size": size, "total_records": ROWS, "next_page_token": following, "meetings": rows}
        return httpx.Response(200, json={"success": True, "data": data})


def all_of(client: PyasClient) -> MeetingIterator:
    """List everything, in small pages."""
    return client.meetings.iter_all(page_size=PAGE)


def ids(rows: list[Meeting]) -> list[int]:
    """Return the ids of meetings."""
    return [row.id for row in rows]


def tasks() -> set[int]:
    """Return the ids of this event loop's tasks."""
    return running_tasks()


def hang_on_tokens(sandbox: Sandbox) -> None:
    """Let the sandbox respond to no request with a page token."""

    def hang(request: SeenRequest) -> None:
        if "nextPageToken" in request.query:
            sandbox.latency = FOREVER

    sandbox.on_request = hang


async def assert_nothing_left(client: PyasClient, before: set[int]) -> None:
    """Check that no task, no request in the pool and no slot of the budget is left over."""
    await rest()
    assert before == tasks()
    assert inside.under_way(client) == {}


def seen_by(sandbox: Sandbox, count: int) -> bool:
    """Wait for requests while blocking the event loop: only requests that are on the wire can arrive."""
    ends = time.monotonic() + 5
    while len(sandbox.requests) < count and time.monotonic() < ends:
        time.sleep(0.001)
    return len(sandbox.requests) >= count


async def refuse(_: httpx.Request) -> httpx.Response:
    """Refuse a request."""
    return httpx.Response(403, json={"success": False, "message": "no"})
