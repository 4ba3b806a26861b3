"""A block may be left in another task than it was entered in, and leaves nothing behind then either."""

from __future__ import annotations

import gc
import warnings
from typing import TYPE_CHECKING, Any

import anyio
import anyio.lowlevel
import httpx
import pytest

import inside
from prefetch.tools import assert_nothing_left, tasks
from resting import rest
from runtime.socket_server import MEETING, heard, rows_after, through

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from contextlib import AbstractAsyncContextManager

    from pyas_async import PyasClient

    Block = AbstractAsyncContextManager[AsyncIterator[Any]]

pytestmark = pytest.mark.anyio

BLOCKS: dict[str, Callable[[PyasClient], Block]] = {
    "iter_all": lambda client: client.meetings.iter_all(),
    "iter_accounts": lambda client: client.meetings.iter_accounts(["a"]),
    "get_many": lambda client: client.meetings.get_many([81, 90], max_concurrency=2),
}
"""Each kind of block. After its first item, a request of it is under way that gets no response."""
every_block = pytest.mark.parametrize("make", BLOCKS.values(), ids=BLOCKS)


async def answer(request: httpx.Request) -> httpx.Response:
    """Answer each listing's first page and one meeting, and nothing else."""
    if "nextPageToken" in request.url.params or request.url.path.endswith("/90"):
        await anyio.sleep_forever()
    if request.url.path.endswith("/81"):
        return httpx.Response(200, json=MEETING)
    return httpx.Response(200, json=rows_after(None))


async def in_a_task_that_ends(block: Block) -> None:
    """Enter in a task that ends, and leave in another, as two cells of a notebook do."""

    async def enter() -> None:
        await anext(await block.__aenter__())
        await rest()

    async with anyio.create_task_group() as cells:
        cells.start_soon(enter)
    async with anyio.create_task_group() as cells:
        cells.start_soon(block.__aexit__, None, None, None)


async def in_a_child(block: Block) -> None:
    """Enter, and leave in a child of the task, in which the block is entered and left as well."""
    await anext(await block.__aenter__())
    with anyio.fail_after(5):
        async with anyio.create_task_group() as children:
            children.start_soon(block.__aexit__, None, None, None)
    await anyio.lowlevel.checkpoint()


async def by_another_task_meanwhile(block: Block) -> None:
    """Leave while the task that entered waits for the next item: its wait ends."""
    items = await block.__aenter__()
    await anext(items)
    ended = []

    async def wait() -> None:
        try:
            await anext(items)
        except (StopAsyncIteration, RuntimeError) as error:
            ended.append(error)

    async with anyio.create_task_group() as children:
        children.start_soon(wait)
        await rest()
        await block.__aexit__(None, None, None)
    assert 1 == len(ended)


async def by_the_event_loop(block: Block) -> None:
    """Abandon an async generator by `break`: the event loop finalizes it in a task of its own."""

    async def items() -> AsyncIterator[Any]:
        async with block as found:
            async for item in found:
                yield item

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # trio's advice to use `aclosing`
        async with anyio.create_task_group():  # a scope that the block did not enter
            async for _ in items():
                await rest()
                break
            gc.collect()
        await rest()


@every_block
@pytest.mark.parametrize(
    "leave",
    [in_a_task_that_ends, in_a_child, by_another_task_meanwhile, by_the_event_loop],
    ids=lambda leave: leave.__name__,
)
async def test_left_in_another_task(
    make: Callable[[PyasClient], Block], leave: Callable[[Block], Awaitable[None]], caplog: pytest.LogCaptureFixture
) -> None:
    """No error is raised or logged, the requests under way are cancelled, and no task is left."""
    async with through(answer) as client:
        before = tasks()
        await leave(make(heard(client)))
        await assert_nothing_left(client, before)
        assert 0 == inside.in_flight(client)
        assert 81 == (await client.meetings.get(81)).id
    assert [] == caplog.records
