"""Programs that drop a client instead of closing it: `python drop_program.py URL LOOP PROGRAM`.

LOOP is `asyncio`, `uvloop` or `trio`.
"""

from __future__ import annotations

import gc
import sys
from typing import TYPE_CHECKING, Any

import anyio
import anyio.lowlevel
import httpx

from pyas_async import PyasClient

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

URL, LOOP, NAME = sys.argv[1:]
kept: list[object] = []


def run(main: Callable[[], Awaitable[object]]) -> Any:  # noqa: ANN401  (whatever the function returns)
    """Run an event loop to its end."""
    return anyio.run(
        main,
        backend="trio" if LOOP == "trio" else "asyncio",
        backend_options={"use_uvloop": True} if LOOP == "uvloop" else {},
    )


async def used() -> PyasClient:
    """Return a client with two idle connections."""
    client = PyasClient("key", account_id="acc", base_url=URL)
    await client.meetings.get(81)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(client.meetings.get, 82)
        tasks.start_soon(client.meetings.get, 83)
    return client


def dropped_in_the_loop() -> None:
    """Drop a client while the event loop runs."""

    async def main() -> None:
        await used()
        gc.collect()
        await anyio.lowlevel.checkpoint()

    run(main)


def dropped_after_the_loop() -> None:
    """Drop a client when its event loop has ended."""
    client = run(used)
    del client
    gc.collect()


def left_to_the_end() -> None:
    """Keep a client until the interpreter ends."""
    kept.append(run(used))


def left_in_a_running_listing() -> None:
    """End the event loop while a listing is half read, and keep all of it until the interpreter ends."""

    async def main() -> None:
        client = await used()
        rows = client.meetings.iter_all()
        kept.extend((client, rows, await anext(rows)))

    run(main)


def traced() -> None:
    """Drop a client whose requests go through httpx's transport, since a tracer has replaced a method of it."""
    real = httpx.AsyncHTTPTransport.handle_async_request

    async def handle_async_request(transport: Any, request: httpx.Request) -> httpx.Response:  # noqa: ANN401
        return await real(transport, request)

    httpx.AsyncHTTPTransport.handle_async_request = handle_async_request  # type: ignore[assignment,method-assign]
    dropped_after_the_loop()


def closed() -> None:
    """Close a client, which is no reason for a warning."""

    async def main() -> None:
        client = await used()
        await client.aclose()

    run(main)


def unused() -> None:
    """Drop a client that has opened no connection, which is no reason for a warning."""
    kept.append(PyasClient("key", account_id="acc", base_url=URL))


if __name__ == "__main__":
    programs = (
        dropped_in_the_loop,
        dropped_after_the_loop,
        left_to_the_end,
        left_in_a_running_listing,
        traced,
        closed,
        unused,
    )
    {program.__name__: program for program in programs}[NAME]()
