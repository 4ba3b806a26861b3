"""A request in flight, and one that is cancelled: what tasks, stacks, the event loop and the cancellation show."""

from __future__ import annotations

import asyncio
import faulthandler
import sys
import threading
import traceback
from typing import TYPE_CHECKING, Any

import anyio
import pytest
import trio

import inside
from runtime.socket_server import document, found, rows_after, until, wire
from secrecy.emitted import Emitted, listening
from secrecy.planted import KEY, TOKEN
from secrecy.test_everywhere import CALLS, client_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from runtime.socket_server import Seen, Wire

RELEASE = threading.Event()


def held(seen: Seen) -> bytes | None:
    """Hold every response back, except the first page of a listing, which has the planted token."""
    if "maxResults=" in seen.target and "nextPageToken=" not in seen.target:
        page = rows_after(None)
        page["data"]["next_page_token"] = TOKEN
        return document(page)
    RELEASE.wait(10)
    return found(seen) if "nextPageToken" not in seen.target else None


@pytest.fixture
def server() -> Iterator[Wire]:
    """Serve, and release all responses in the end."""
    RELEASE.clear()
    with wire(held) as server:
        yield server
        RELEASE.set()


def sample(emitted: Emitted, folder: Path) -> None:
    """Record what shows the tasks of this event loop and the stacks of this process."""
    for info in anyio.get_running_tasks():
        emitted.shown("task", info)
    tasks: list[Any] = []
    try:
        tasks += asyncio.all_tasks()
    except RuntimeError:
        pending = [trio.lowlevel.current_root_task()]
        while pending:
            if (task := pending.pop()) is not None:
                tasks.append(task)
                pending += [child for nursery in task.child_nurseries for child in nursery.child_tasks]
                emitted.text("trio task", f"{task.name} {task.coro!r} {task.context!r}")
    else:
        for one in tasks:
            with (folder / "stack").open("w+") as file:
                one.print_stack(file=file)
                file.seek(0)
                emitted.text("stack of a task", file.read())
            emitted.text("asyncio task", f"{one.get_name()} {one.get_coro()!r}")
    assert len(tasks) > 1
    for one in tasks:
        emitted.shown("task", one)
    with (folder / "faulthandler").open("w+") as file:
        faulthandler.dump_traceback(file, all_threads=True)
        file.seek(0)
        emitted.text("faulthandler", file.read())
    for frame in sys._current_frames().values():  # noqa: SLF001  (documented)
        emitted.text("stack of a thread", "".join(traceback.format_stack(frame)))


@pytest.mark.anyio
@pytest.mark.parametrize("name", ["list", "iterate", "create", "connect", "oauth_url", "many"])
async def test_tasks(name: str, server: Wire, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """While a request waits for its response, no task, no stack and no log of asyncio's debug mode shows a secret."""
    emitted = Emitted()

    async def run() -> None:
        with anyio.CancelScope() as scopes[0]:
            await CALLS[name](client)

    scopes = [anyio.CancelScope()]
    with listening(emitted, capfd):
        debugged = debugging()
        client = client_for(server.url, KEY, [])
        client = client.with_options(timeout=30)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(run)
            await until(lambda: len(server.requests) >= (2 if name == "iterate" else 1))
            sample(emitted, tmp_path)
            scopes[0].cancel()
        await inside.close(client)
        debugged()
    assert len(emitted) > 20
    assert [] == emitted.found()


def debugging() -> Callable[[], None]:
    """Switch asyncio's debug mode on, and return a function that switches it off."""
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return lambda: None
    before = loop.slow_callback_duration
    loop.set_debug(True)
    loop.slow_callback_duration = 0.0

    def end() -> None:
        loop.set_debug(False)
        loop.slow_callback_duration = before

    return end


@pytest.mark.anyio
async def test_given_up(server: Wire, capfd: pytest.CaptureFixture[str]) -> None:
    """The TimeoutError of a scope has the frames of the call that it cancelled, and they show no secret."""
    emitted = Emitted()
    with listening(emitted, capfd):
        for name, call in CALLS.items():
            client = client_for(server.url, KEY, []).with_options(timeout=30)
            with pytest.raises(TimeoutError) as caught, anyio.fail_after(0.02):
                await call(client)
            emitted.error(name, caught.value)
            await inside.close(client)
    assert len(emitted) > 50
    assert [] == emitted.found()


@pytest.mark.asyncio
async def test_given_up_by_asyncio(server: Wire, capfd: pytest.CaptureFixture[str]) -> None:
    """The same holds for `asyncio.timeout`, whose TimeoutError has a CancelledError as its cause."""
    emitted = Emitted()
    with listening(emitted, capfd):
        for name, call in CALLS.items():
            client = client_for(server.url, KEY, []).with_options(timeout=30)
            with pytest.raises(TimeoutError) as caught:
                async with asyncio.timeout(0.02):
                    await call(client)
            emitted.error(name, caught.value)
            await inside.close(client)
    assert len(emitted) > 50
    assert [] == emitted.found()
