"""What a call leaves is freed at once: nothing of it waits for the garbage collector, however the call has ended."""

from __future__ import annotations

import gc
import threading
from contextlib import contextmanager, suppress
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Any

import anyio
import anyio.lowlevel
import httpx
import pytest

from clients import own_pool_only
from pyas_async import PyasError, RetryPolicy
from runtime.raw_service import every_loop
from runtime.socket_server import NEW, Last, client_of, document, found, heard, rows_after, until, wire

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from pyas_async import PyasClient
    from runtime.socket_server import Seen, Wire

pytestmark = [pytest.mark.anyio, own_pool_only, every_loop]

COUNT = 5


def whole(seen: Seen) -> bytes:
    """Respond as the service does."""
    return document(rows_after(None)) if "/meetings?" in seen.target else found(seen)


def lost(_: Seen) -> bytes | None:
    """Close the connection instead of responding."""
    return None


def cut_off(seen: Seen) -> bytes:
    """Close the connection within the response."""
    return Last(found(seen)[:-5])


def cut_off_in_a_chunk(_: Seen) -> bytes:
    """Close the connection within a chunk."""
    return Last(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc")


def refused(_: Seen) -> bytes:
    """Refuse the request."""
    return b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\n{}"


def broken(_: Seen) -> bytes:
    """Respond with an error of the service's own."""
    return b"HTTP/1.1 500 Oops\r\nContent-Length: 2\r\n\r\n{}"


def unreadable(_: Seen) -> bytes:
    """Respond with something that is no JSON."""
    return b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{]"


def no_http(_: Seen) -> bytes:
    """Respond with something that is no HTTP."""
    return Last(b"SSH-2.0-OpenSSH_9.6\r\n\r\n")


ANSWERS = [whole, lost, cut_off, cut_off_in_a_chunk, refused, broken, unreadable, no_http]


async def prefetched(client: PyasClient) -> None:
    """Iterate with prefetching."""
    async with client.meetings.iter_all() as meetings:
        async for _ in meetings:
            pass


CALLS: dict[str, Callable[[PyasClient], Awaitable[object]]] = {
    "get": lambda client: client.meetings.get(81),
    "create": lambda client: client.meetings.create(NEW),
    "iterate": lambda client: client.meetings.iter_all().collect(),
    "prefetch": prefetched,
    "share": lambda client: client.with_options(single_flight=True).meetings.get(81),
}


def is_ours(thing: object) -> bool:
    """Return whether an object belongs to the client, to httpx, or to a traceback through either.

    The transports of asyncio's own loop refer to themselves, and are left to the garbage collector by every program.
    """
    if isinstance(thing, TracebackType):
        thing = thing.tb_frame
    module = thing.f_globals["__name__"] if isinstance(thing, FrameType) else type(thing).__module__
    return module.partition(".")[0] in ("pyas_async", "httpx", "httptools")


@contextmanager
def left_to_the_collector() -> Iterator[list[str]]:
    """Collect the types of the objects that only the garbage collector frees during the block."""
    names: list[str] = []
    gc.collect()
    # What other tests keep is never collected, and looking at all of it takes a second each time.
    gc.freeze()
    gc.disable()
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        yield names
        gc.collect()
        names.extend(sorted({type(one).__qualname__ for one in gc.garbage if is_ours(one)}))
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize("answer", ANSWERS, ids=lambda answer: answer.__name__)
async def test_after_a_response(
    answer: Callable[[Seen], bytes | None], call: Callable[[PyasClient], Awaitable[object]]
) -> None:
    """After a response, an error or a lost response, nothing is left."""

    async def make() -> None:
        with suppress(PyasError):
            await call(client)

    with wire(answer) as server:
        async with client_of(server.url, retry=RetryPolicy.none()) as client:
            await make()
            with left_to_the_collector() as names:
                for _ in range(COUNT):
                    await make()
                await anyio.lowlevel.checkpoint()
    assert COUNT < len(server.requests)
    assert [] == names


@pytest.mark.parametrize("way", ["cancelled", "timed out"])
async def test_without_a_response(way: str) -> None:
    """After a call that was cancelled, or that has timed out, nothing is left."""
    over = threading.Event()

    def answer(_: Seen) -> bytes | None:
        over.wait(10)
        return None

    async def cancel_once(count: int, scope: anyio.CancelScope, server: Wire) -> None:
        await until(lambda: len(server.requests) == count)
        scope.cancel()

    async def make(client: PyasClient, server: Wire) -> None:
        # The call is made in this task: anyio's task groups keep the exception of a task in a frame that it leads to.
        async with anyio.create_task_group() as tasks:
            with anyio.CancelScope() as scope:
                tasks.start_soon(cancel_once, len(server.requests) + 1, scope, server)
                await heard(client).meetings.get(81)

    with wire(answer) as server:
        async with client_of(
            server.url, timeout=0.05 if way == "timed out" else 30, retry=RetryPolicy.none()
        ) as client:
            with left_to_the_collector() as names:
                for _ in range(COUNT):
                    if way == "cancelled":
                        await make(client, server)
                    else:
                        with suppress(PyasError):
                            await client.meetings.get(81)
                await anyio.lowlevel.checkpoint()
            over.set()
    assert server.requests
    assert [] == names


async def test_after_an_error_of_another_library(monkeypatch: pytest.MonkeyPatch) -> None:
    """An exception that a hook or a tracer raises passes through a call, and leaves nothing once it is handled."""

    async def send(*_: Any, **__: Any) -> httpx.Response:  # noqa: ANN401
        raise ZeroDivisionError

    monkeypatch.setattr(httpx.AsyncClient, "send", send)
    async with client_of("http://127.0.0.1:1") as client:
        with left_to_the_collector() as names:
            for _ in range(COUNT):
                with suppress(ZeroDivisionError):
                    await client.meetings.get(81)
    assert [] == names
