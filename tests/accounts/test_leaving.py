"""However the block is left, nothing is left behind, and the iteration can be resumed."""
# ruff: noqa: PERF401 -- pairs of a loop are kept one by one, to have those before the end

from __future__ import annotations

import asyncio
import gc
from collections import Counter
from typing import TYPE_CHECKING

import anyio
import pytest

import clients
from accounts.world import PAGE, World, ask_in_vain, client_of, pair_of
from prefetch.tools import assert_nothing_left, hang_on_tokens, tasks
from pyas_async import AccountsIterator, PyasClient
from pyas_async.sandbox import Sandbox
from resting import rest

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

    from accounts.world import Pair

pytestmark = pytest.mark.anyio

SIZES = {"a": 3 * PAGE, "stuck": 1, "b": 2 * PAGE, "c": 4}
TAKEN = 5
"""Pairs that are taken before the block is left."""


class LeavingError(Exception):
    """Ends a block."""


async def some(pairs: AccountsIterator, into: list[Pair]) -> None:
    """Take some pairs."""
    for _ in range(TAKEN):
        into.append(pair_of(*await anext(pairs)))


async def by_break(pairs: AccountsIterator, into: list[Pair]) -> None:
    """Leave by `break`."""
    async with pairs:
        async for pair in pairs:
            into.append(pair_of(*pair))
            if len(into) == TAKEN:
                break


async def by_exception(pairs: AccountsIterator, into: list[Pair]) -> None:
    """Leave by an exception, which is raised itself, not in a group."""
    mistake = LeavingError()
    with pytest.raises(LeavingError) as caught:
        async with pairs:
            await some(pairs, into)
            raise mistake
    assert caught.value is mistake
    assert caught.value.__context__ is None


async def by_scope(pairs: AccountsIterator, into: list[Pair]) -> None:
    """Leave by an anyio cancel scope, while waiting for a pair that does not come."""
    with anyio.CancelScope() as scope:
        async with pairs:
            async for pair in pairs:
                into.append(pair_of(*pair))
                if len(into) == TAKEN:
                    scope.cancel()
    assert scope.cancelled_caught


async def by_scope_around_a_step(pairs: AccountsIterator, into: list[Pair]) -> None:
    """Cancel a waiting step alone, then leave."""
    async with pairs:
        into += [pair_of(*await anext(pairs)) for _ in range(sum(SIZES.values()) - 1)]
        await ask_in_vain(pairs)


async def by_entering_alone(pairs: AccountsIterator, _: list[Pair]) -> None:
    """Enter the block and ask for nothing."""
    async with pairs:
        await rest()


async def by_asyncio_timeout(pairs: AccountsIterator, into: list[Pair]) -> None:
    """Leave by `asyncio.timeout`, which relies on cancellations being passed on and counted correctly."""
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(None) as limit, pairs:
            async for pair in pairs:
                into.append(pair_of(*pair))
                if len(into) == TAKEN:
                    limit.reschedule(asyncio.get_running_loop().time())
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


async def by_task_cancel(pairs: AccountsIterator, into: list[Pair]) -> None:
    """Leave by `task.cancel()`, while waiting for a pair that does not come."""

    async def read() -> None:
        async with pairs:
            async for pair in pairs:
                into.append(pair_of(*pair))

    task = asyncio.ensure_future(read())
    await rest()
    assert len(into) == sum(SIZES.values()) - 1
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def assert_left_clean(leave: Callable[[AccountsIterator, list[Pair]], Awaitable[None]]) -> None:
    """Leave, check that nothing is left over, and resume the iteration."""
    world = World(sizes=SIZES, held={"stuck"})
    closed = []

    async def ids() -> AsyncIterator[str]:
        try:
            for account_id in SIZES:
                yield account_id
        finally:
            closed.append("begun")
            await anyio.lowlevel.checkpoint()
            closed.append("whole")

    async with client_of(world) as client:
        before = tasks()
        came: list[Pair] = []
        pairs = client.meetings.iter_accounts(ids(), max_concurrency=3)
        await leave(pairs, came)
        await rest()
        await assert_nothing_left(client, before)
        assert "closed" in repr(pairs)
        assert "the end" == await anext(pairs, "the end")

        world.release("stuck")
        calls = world.calls.total()
        await rest()
        assert calls == world.calls.total()
        async with client.meetings.iter_accounts(SIZES, resume=pairs.checkpoint()) as others:
            came += [pair_of(*pair) async for pair in others]
        assert world.pairs() == Counter(came)
        await assert_nothing_left(client, before)
    if pairs.stats.begun:
        # The generator is closed in a cancelled task, so it cannot wait without a shield.
        assert "begun" == closed[0]
    gc.collect()  # Python would warn of an async generator that was not closed


@pytest.mark.parametrize("leave", [by_break, by_exception, by_scope, by_scope_around_a_step, by_entering_alone])
async def test_leaving(leave: Callable[[AccountsIterator, list[Pair]], Awaitable[None]]) -> None:
    """No task, no request and no slot of the budget is left; an async generator of ids is closed."""
    await assert_left_clean(leave)


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.parametrize("leave", [by_asyncio_timeout, by_task_cancel])
async def test_leaving_by_asyncio(leave: Callable[[AccountsIterator, list[Pair]], Awaitable[None]]) -> None:
    """The same with asyncio's own ways of cancelling."""
    await assert_left_clean(leave)


async def test_leaving_a_socket() -> None:
    """Leaving with requests on the wire leaves no connection in use."""
    with Sandbox(accounts=5, meetings=700) as sandbox, sandbox.serve() as url:
        hang_on_tokens(sandbox)
        async with clients.make(sandbox.api_key, base_url=url, retry=None) as client:
            before = tasks()
            async with client.meetings.iter_accounts(sandbox.account_ids) as pairs:
                for _ in range(200):
                    await anext(pairs)
            await assert_nothing_left(client, before)
            sandbox.on_request, sandbox.latency = None, 0.0
            async with client.meetings.iter_accounts(sandbox.account_ids, resume=pairs.checkpoint()) as others:
                assert 5 * 700 - 200 == len([pair async for pair in others])


async def test_cancelled_steps_lose_nothing() -> None:
    """The pair of a step that a scope cancels, at whatever point, comes with the next step."""
    world = World(sizes={"a": 5 * PAGE, "b": 3 * PAGE, "c": 2})
    came: list[Pair] = []
    cancelled = 0
    async with client_of(world) as client, client.meetings.iter_accounts(world.sizes, max_concurrency=2) as pairs:
        turns = 0
        while len(came) < world.pairs().total():
            turns += 1
            async with anyio.create_task_group() as group:

                async def step() -> None:
                    came.append(pair_of(*await anext(pairs)))

                count = len(came)
                group.start_soon(step)
                for _ in range(turns % 9):
                    await anyio.lowlevel.checkpoint()
                group.cancel_scope.cancel()
            cancelled += count == len(came)
        assert [] == [pair async for pair in pairs]
    assert world.pairs() == Counter(came)
    assert cancelled >= 4


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_natively_cancelled_steps_lose_nothing() -> None:
    """The same with `task.cancel()`."""
    world = World(sizes={"a": 5 * PAGE, "b": 3 * PAGE, "c": 2})
    came: list[Pair] = []
    cancelled = turns = 0
    async with client_of(world) as client, client.meetings.iter_accounts(world.sizes, max_concurrency=2) as pairs:
        while True:
            step = asyncio.ensure_future(anext(pairs, None))
            turns += 1
            for _ in range(turns % 12):
                await asyncio.sleep(0)
            step.cancel()
            await asyncio.wait([step])
            if step.cancelled():
                cancelled += 1
            elif (pair := step.result()) is None:
                break
            else:
                came.append(pair_of(*pair))
    assert world.pairs() == Counter(came)
    assert cancelled >= 4


async def test_only_in_a_block() -> None:
    """It cannot be iterated outside of a block, and the error says how to do it."""
    client = PyasClient("key")
    pairs = client.meetings.iter_accounts(["a"])
    with pytest.raises(TypeError, match=r"async with client\.meetings\.iter_accounts"):
        async for _ in pairs:
            pass
    with pytest.raises(TypeError, match=r"async for account_id, meeting in pairs"):
        await anext(pairs)


async def test_only_once() -> None:
    """It can be entered once, and iterated once."""
    world = World(sizes={"a": 2})
    async with client_of(world) as client:
        pairs = client.meetings.iter_accounts(["a"])
        async with pairs:
            async for _ in pairs:
                break
            with pytest.raises(RuntimeError, match="call iter_accounts"):
                async for _ in pairs:
                    pass
            with pytest.raises(RuntimeError, match="call iter_accounts"):
                await pairs.__aenter__()
            assert 2 == (await anext(pairs))[1].id
        with pytest.raises(RuntimeError, match="call iter_accounts"):
            await pairs.__aenter__()
        with pytest.raises(RuntimeError, match="call iter_accounts"):
            aiter(pairs)


async def test_a_shielded_consumer() -> None:
    """A consumer that shields itself from a cancellation of the block gets all pairs."""
    world = World(sizes=SIZES)
    with anyio.CancelScope() as outer:
        async with client_of(world) as client, client.meetings.iter_accounts(SIZES) as pairs:
            found = [pair_of(*await anext(pairs))]
            with anyio.CancelScope(shield=True):
                outer.cancel()
                found += [pair_of(*pair) async for pair in pairs]
    assert world.pairs() == Counter(found)


async def test_an_input_with_a_listing() -> None:
    """A generator of ids that keeps a block open between them is closed by the task that drew from it."""
    world = World(sizes={"ids": 3 * PAGE, "account 1": 1, "account 2": 1, "account 3": 4})
    async with client_of(world) as client:

        async def ids() -> AsyncIterator[str]:
            async with client.meetings.iter_all(account_id="ids") as listing:
                async for meeting in listing:
                    yield f"account {meeting.id}"

        before = tasks()
        async with client.meetings.iter_accounts(ids(), max_concurrency=2) as pairs:
            first = pair_of(*await anext(pairs))
        await assert_nothing_left(client, before)
        async with client.meetings.iter_accounts(ids(), resume=pairs.checkpoint()) as pairs:
            others = [pair_of(*pair) async for pair in pairs]
    assert world.pairs("account 1", "account 2", "account 3") == Counter([first, *others])
    assert 3 * PAGE - 3 == len(pairs.failures)


@pytest.mark.parametrize("mistake", [KeyboardInterrupt, SystemExit])
async def test_exceptions_that_end_the_program(mistake: type[BaseException]) -> None:
    """They are raised themselves, by the next step or by the end of the block."""

    def ids() -> Iterator[str]:
        yield "a"
        raise mistake

    world = World(sizes={"a": 1})
    async with client_of(world) as client:
        with pytest.raises(mistake):
            async with client.meetings.iter_accounts(ids()) as pairs:
                async for _ in pairs:
                    pass
        with pytest.raises(mistake):
            async with client.meetings.iter_accounts(ids()) as pairs:
                await anext(pairs)


async def test_closing_the_input_fails(caplog: pytest.LogCaptureFixture) -> None:
    """An exception of closing a generator of ids is raised itself, or is logged if another one is raised."""
    world = World(sizes={"a": 2, "b": 2})

    async def ids() -> AsyncIterator[str]:
        try:
            yield "a"
            yield "b"
        finally:
            msg = "the cursor is gone"
            raise LookupError(msg)

    async with client_of(world) as client:
        with pytest.raises(LookupError, match="the cursor is gone"):
            async with client.meetings.iter_accounts(ids(), max_concurrency=1) as pairs:
                await anext(pairs)
        mistake = LeavingError()
        with pytest.raises(LeavingError) as caught:
            async with client.meetings.iter_accounts(ids(), max_concurrency=1) as pairs:
                await anext(pairs)
                raise mistake
    assert caught.value is mistake
    assert ["iter_accounts: closing the input raised this"] == [record.getMessage() for record in caplog.records]
