"""Programs that end without cleaning up: `python exit_program.py URL BACKEND NAME`."""

from __future__ import annotations

import asyncio
import signal
import sys
import threading
from typing import TYPE_CHECKING

import anyio
import anyio.lowlevel

from pyas_async import PyasClient

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

URL, BACKEND, NAME = sys.argv[1:]
HELD = 90
"""A meeting that never gets a response."""

client = PyasClient("key", account_id="acc", base_url=URL)
kept: list[object] = []


def run(main: Callable[[], Awaitable[object]]) -> None:
    """Run an event loop to its end."""
    anyio.run(main, backend=BACKEND)


def unclosed() -> None:
    """Leave a client, a listing and its pages half read at the end of the program."""

    async def main() -> None:
        rows, pages = client.meetings.iter_all(), client.meetings.iter_all().pages()
        kept.extend((rows, pages, await anext(rows), await anext(pages), client.meetings.get_many([1])))

    run(main)


def tasks_left() -> None:
    """Let the main function end while its tasks are running."""

    async def main() -> None:
        await client.meetings.get(1)
        shared = client.with_options(single_flight=True).meetings
        work = (shared.get(HELD), shared.get(HELD), client.meetings.get_many([HELD] * 3).collect())
        kept.extend(asyncio.ensure_future(call) for call in work)
        await asyncio.sleep(0.02)

    run(main)


def exit_in_blocks() -> None:
    """End the program in the middle of a listing, a bulk run, and the listings of many accounts."""

    async def main() -> None:
        async with (
            client,
            client.meetings.iter_all() as rows,
            client.meetings.get_many([1, HELD, HELD]) as outcomes,
            client.meetings.iter_accounts(["a", "b"]) as pairs,
        ):
            await anext(rows)
            await anext(outcomes)
            await anext(aiter(pairs))
            sys.exit(0)

    run(main)


def interrupted() -> None:
    """End the program with Ctrl-C in the middle of a listing."""

    async def main() -> None:
        async with client.meetings.iter_all() as rows:
            await anext(rows)
            signal.raise_signal(signal.SIGINT)
            await anyio.sleep_forever()

    # A shell that runs the tests in the background disables SIGINT for all of their child processes too.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        run(main)
    except KeyboardInterrupt:
        sys.stdout.write("interrupted")


def in_daemon_threads() -> None:
    """End the program while event loops run in daemon threads."""
    busy = threading.Barrier(3)

    async def iterate() -> None:
        mine = PyasClient("key", account_id="acc", base_url=URL)
        async with mine.meetings.iter_all() as rows:
            await anext(rows)
            busy.wait(10)
            await mine.with_options(single_flight=True).meetings.get(HELD)

    async def do_many() -> None:
        mine = PyasClient("key", account_id="acc", base_url=URL)
        async with mine.meetings.get_many([1, HELD, HELD]) as outcomes:
            await anext(outcomes)
            busy.wait(10)
            await anext(outcomes)

    for main in (iterate, do_many):
        threading.Thread(target=run, args=(main,), daemon=True).start()
    busy.wait(10)


def stopped() -> None:
    """Stop an event loop in the middle of its work, and never close it."""

    async def main() -> None:
        async with client.meetings.iter_all() as rows:
            await anext(rows)
            asyncio.get_running_loop().call_soon(loop.stop)
            await client.with_options(single_flight=True).meetings.get(HELD)

    loop = asyncio.new_event_loop()
    kept.append(loop.create_task(main()))
    loop.run_forever()


if __name__ == "__main__":
    programs = (unclosed, tasks_left, exit_in_blocks, interrupted, in_daemon_threads, stopped)
    {program.__name__: program for program in programs}[NAME]()
