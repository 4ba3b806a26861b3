"""A client that is dropped instead of closed emits one warning, and leaves no socket; a closed one emits none."""

from __future__ import annotations

import gc
import os
import re
import subprocess
import sys
import threading
import warnings
import weakref
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
import anyio.lowlevel
import anyio.to_thread
import pytest

import inside
from clients import own_pool_only
from runtime.raw_service import every_loop, plain_and_encrypted
from runtime.socket_server import client_of, found, until, wire
from runtime.trust import served, trusted

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator

    from pyas_async import PyasClient
    from runtime.socket_server import Wire

pytestmark = own_pool_only

PROGRAM = Path(__file__).parent / "drop_program.py"
TEXT = "a PyasClient was dropped and not closed; use `async with`, or await its aclose()"
LOOPS: dict[str, tuple[str, dict[str, Any]]] = {
    "asyncio": ("asyncio", {}),
    "uvloop": ("asyncio", {"use_uvloop": True}),
    "trio": ("trio", {}),
}


@pytest.fixture
def context(tmp_path: Path, secure: bool) -> Iterator[ssl.SSLContext | None]:
    """Return the TLS context of a service that clients trust; ``None`` for plain HTTP."""
    with trusted(tmp_path):
        yield served() if secure else None


async def used(url: str) -> PyasClient:
    """Return a client with an idle connection."""
    client = client_of(url)
    await client.meetings.get(81)
    return client


@contextmanager
def warned() -> Iterator[list[str]]:
    """Record all warnings of the block and of what it leaves to the garbage collector."""
    texts: list[str] = []
    with warnings.catch_warnings(record=True) as recorded:
        warnings.simplefilter("always")
        yield texts
        gc.collect()
    texts.extend(f"{warning.category.__name__}: {warning.message}" for warning in recorded)


PROGRAMS = {
    "dropped_in_the_loop": 1,
    "dropped_after_the_loop": 1,
    "left_to_the_end": 1,
    "left_in_a_running_listing": 1,
    "traced": 1,
    "closed": 0,
    "unused": 0,
}
"""The programs of `drop_program.py`, and how many warnings each of them shows."""


def collected(server: Wire) -> bool:
    """Run the garbage collector; return whether the service has seen the end of its only connection.

    A client may live on for a moment: until anyio's thread that has read the certificates has ended.
    """
    gc.collect()
    return server.closed == server.connections == 1


OURS = [f"ResourceWarning: {TEXT}"]


@pytest.mark.anyio
@every_loop
@plain_and_encrypted
async def test_in_the_loop(context: ssl.SSLContext | None) -> None:
    """The connections of a client that is dropped while its event loop runs are closed."""
    with wire(found, context) as server:
        with warned() as texts:
            await used(server.url)
            with anyio.fail_after(5):
                await until(lambda: collected(server))
        assert OURS == texts


@pytest.mark.anyio
@every_loop
async def test_in_another_thread() -> None:
    """A client may be dropped in another thread, where the garbage collector happens to run."""
    with wire() as server:
        with warned() as texts:
            clients = [await used(server.url)]

            def drop() -> None:
                clients.clear()
                gc.collect()

            await anyio.to_thread.run_sync(drop)
            with anyio.fail_after(5):
                await until(lambda: collected(server))
        assert OURS == texts


@pytest.mark.parametrize("loop", LOOPS)
@plain_and_encrypted
def test_after_the_loop(loop: str, context: ssl.SSLContext | None) -> None:
    """The connections of a client that is dropped when its event loop has ended are closed, too."""
    backend, options = LOOPS[loop]
    with wire(found, context) as server:
        with warned() as texts:
            clients = [anyio.run(used, server.url, backend=backend, backend_options=options)]
            alive = weakref.ref(clients[0])
            clients.clear()
            never = threading.Event()
            for _ in range(500):
                if (collected(server) and alive() is None) or never.wait(0.01):
                    break
        assert (1, 1) == (server.connections, server.closed)
        assert OURS == texts


@pytest.mark.anyio
@every_loop
@pytest.mark.parametrize("way", ["closed", "unused", "expired"])
async def test_no_reason(way: str) -> None:
    """A client warns only if it leaves connections, not if it was closed or unused, or if they were closed in time."""
    with wire() as server, warned() as texts:
        if way == "unused":
            client = client_of(server.url)
        else:
            client = await used(server.url)
        if way == "closed":
            await client.aclose()
        elif way == "expired":
            inside.own_pool(client).close_idle()
            with anyio.fail_after(5):
                await until(lambda: server.closed == 1)
        del client
        gc.collect()
        for _ in range(10):
            await anyio.lowlevel.checkpoint()
    assert [] == texts


@pytest.mark.anyio
@every_loop
@pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows does not fork")
async def test_in_a_forked_process() -> None:
    """A process that was forked off and drops the client leaves its parent's connections as they are."""
    with wire() as server:
        clients = [await used(server.url)]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # threads of the service are no problem here
            child = os.fork()
        if child == 0:
            try:
                with warned() as texts:
                    clients.clear()
                    gc.collect()
                os._exit(len(texts))
            except BaseException:  # noqa: BLE001  (this process must not run on as a second pytest)
                os._exit(99)
        assert 0 == os.waitpid(child, 0)[1]  # noqa: ASYNC222  (the parent must not use its loop meanwhile)
        with anyio.fail_after(5):
            await clients[0].meetings.get(82)
        assert [1, 2] == [seen.turn for seen in server.requests]
        await clients[0].aclose()


# As a whole program, with all checks of Python, and warnings as errors.


@pytest.fixture(scope="module")
def service() -> Iterator[Wire]:
    """Serve on a socket."""
    with wire() as server:
        yield server


def each_program() -> Iterator[object]:
    """Yield each program on each loop, and how many warnings it shows."""
    for program, count in PROGRAMS.items():
        for loop in LOOPS:
            # trio has no way to close httpx's connections once its run has ended, and Python warns of their sockets.
            if (program, loop) != ("traced", "trio"):
                yield pytest.param(loop, program, count, id=f"{program}-{loop}")


@pytest.mark.parametrize(("loop", "program", "count"), list(each_program()))
def test_program(service: Wire, loop: str, program: str, count: int) -> None:
    """With Python's development mode and warnings as errors, a program shows our warning and no other."""
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error", PROGRAM, service.url, loop, program],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    shown = re.findall(r"^\w*(?:Warning|Error): .*|^Task .*|^Exception .*", done.stderr, re.MULTILINE)
    ours = [line for line in shown if TEXT in line]
    others = [line for line in shown if line not in ours and "<finalize object" not in line]
    assert (0, count, []) == (done.returncode, len(ours), others), done.stderr
