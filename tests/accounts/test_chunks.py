"""The pairs of many accounts by chunks, each to be stored in one transaction with the checkpoint after it."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import anyio
import pytest

from accounts.world import BROKEN, PAGE, Pair, World, client_of, pair_of
from pyas_async import AuthenticationError, Checkpoint, InvalidArgumentError
from resting import rest

pytestmark = pytest.mark.anyio

SIZES = {"a": 3 * PAGE, "none": 0, "b": 2 * PAGE + 1, "nothing": 0, "c": 1}


async def test_killed_after_each_chunk() -> None:
    """Stored chunks are every row once, although the process ends after each of them; a chunk is a page."""
    world, stored, checkpoint, chunks = World(sizes=SIZES), list[Pair](), None, 0
    done = False
    while not done and chunks < 20:
        async with (
            client_of(world) as client,
            client.meetings.iter_accounts(SIZES, max_concurrency=1, resume=checkpoint) as pairs,
        ):
            async for chunk, reached in pairs.chunks(pages=1):
                assert len(chunk) <= PAGE
                stored += [pair_of(*pair) for pair in chunk]
                checkpoint, done = str(reached), reached.done
                chunks += 1
                break
        assert len(stored) == Checkpoint.parse(checkpoint or "").items
    assert world.pairs() == Counter(stored)
    # Each page is a chunk, and each end of an account that is not seen together with its page.
    assert 7 <= chunks <= 7 + len(SIZES)


@pytest.mark.parametrize("pages", [1, 2, 100])
async def test_all_chunks(pages: int) -> None:
    """Chunks have at most `pages` pages, which are not split; the last checkpoint is done."""
    world, stored, done = World(sizes=SIZES), list[Pair](), False
    async with client_of(world) as client, client.meetings.iter_accounts(SIZES) as pairs:
        async for chunk, checkpoint in pairs.chunks(pages=pages):
            assert len(chunk) <= pages * PAGE
            stored += [pair_of(*pair) for pair in chunk]
            assert len(stored) == checkpoint.items
            done = checkpoint.done
        assert None is await anext(pairs, None)
    assert world.pairs() == Counter(stored)
    assert done


async def test_accounts_without_rows() -> None:
    """Accounts without rows end chunks as well: their checkpoints come before the next pair is there."""
    world = World(sizes={"none": 0, "nothing": 0, "a": 1}, held={"a"})
    async with client_of(world) as client, client.meetings.iter_accounts(world.sizes, max_concurrency=1) as pairs:
        chunks = pairs.chunks(seconds=0.01)
        chunk, checkpoint = await anext(chunks)
        while pairs.stats.done < 2:  # on a busy machine, the second account ends after the first chunk
            chunk, checkpoint = await anext(chunks)
        assert ([], False) == (chunk, checkpoint.done)
        world.release("a")
        chunk, _ = await anext(chunks)
        assert [("a", 1)] == [pair_of(*pair) for pair in chunk]
        async with client.meetings.iter_accounts(world.sizes, resume=checkpoint) as resumed:
            assert [("a", 1)] == [pair_of(*pair) async for pair in resumed]
    assert {"none": 1, "nothing": 1} == {name: world.calls[name] for name in ("none", "nothing")}


async def test_many_accounts_without_rows() -> None:
    """A chunk ends after as many accounts as it may have pages, so that no more calls are lost if it is not stored."""
    world = World(sizes={f"none {number}": 0 for number in range(20)})
    async with client_of(world) as client, client.meetings.iter_accounts(world.sizes, max_concurrency=2) as pairs:
        ended = [pairs.stats.done async for chunk, _ in pairs.chunks(pages=4, seconds=60.0) if not chunk]
    assert len(ended) >= 4
    assert 20 == ended[-1]


async def test_it_waits() -> None:
    """A chunk is never empty: while no account ends and no page comes, it waits, longer than `seconds`."""
    world = World(sizes={"a": 1}, held={"a"})
    async with client_of(world) as client, client.meetings.iter_accounts(world.sizes) as pairs:
        with anyio.move_on_after(0.03) as scope:
            await anext(pairs.chunks(seconds=0.001))
        assert scope.cancelled_caught


async def test_a_cancelled_step() -> None:
    """The pairs that a cancelled step had gathered come with the next."""
    world = World(sizes={"a": 2, "b": 1}, held={"b"})
    async with client_of(world) as client, client.meetings.iter_accounts(world.sizes) as pairs:
        chunks = pairs.chunks(seconds=60.0)

        async def step() -> None:
            await anext(chunks)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(step)
            await rest()
            tasks.cancel_scope.cancel()
        world.release("b")
        gathered = [pair_of(*pair) async for chunk, _ in chunks for pair in chunk]
    assert [("a", 1), ("a", 2), ("b", 1)] == gathered


async def test_an_error_comes_last() -> None:
    """If the iteration fails, the pairs before come first, then the error, and then nothing more."""
    world = World(sizes={"a": 3 * PAGE}, key_lasts=2)
    async with client_of(world) as client, client.meetings.iter_accounts(world.sizes) as pairs:
        chunks = pairs.chunks()
        chunk, checkpoint = await anext(chunks)
        with pytest.raises(AuthenticationError) as caught:
            await anext(chunks)
        with pytest.raises(StopAsyncIteration):
            await anext(chunks)
    assert 2 * PAGE == len(chunk) == checkpoint.items
    assert str(checkpoint) == str(caught.value.checkpoint)


async def test_failed_accounts() -> None:
    """An account that fails ends a chunk as well, and the checkpoint contains it."""
    world = World(sizes={"a": 1})
    world.plan("a", BROKEN)
    async with client_of(world) as client:
        async with client.meetings.iter_accounts(world.sizes) as pairs:
            ((chunk, checkpoint),) = [chunk async for chunk in pairs.chunks()]
        assert ([], False, {"a"}) == (chunk, checkpoint.done, set(pairs.failures))
        async with client.meetings.iter_accounts(world.sizes, resume=checkpoint) as pairs:
            assert [("a", 1)] == [pair_of(*pair) async for chunk, _ in pairs.chunks() for pair in chunk]


@pytest.mark.parametrize("arguments", [{"pages": 0}, {"pages": 10_001}, {"seconds": 0}, {"seconds": math.inf}])
async def test_arguments(arguments: dict[str, Any]) -> None:
    """Arguments out of bounds are refused, and nothing is begun."""
    world = World(sizes={})
    async with client_of(world) as client, client.meetings.iter_accounts([]) as pairs:
        with pytest.raises(InvalidArgumentError):
            pairs.chunks(**arguments)
        assert [([], True)] == [(chunk, checkpoint.done) async for chunk, checkpoint in pairs.chunks()]


async def test_once_and_in_its_block() -> None:
    """Chunks can be iterated once, and in a block, as pairs can."""
    async with client_of(World(sizes={})) as client:
        pairs = client.meetings.iter_accounts([])
        with pytest.raises(TypeError, match="block"):
            pairs.chunks()
        async with pairs:
            pairs.chunks()
            with pytest.raises(RuntimeError, match="have been iterated"):
                pairs.chunks()
