"""An error of one account fails that account alone; an error that every account would meet ends the iteration."""
# ruff: noqa: PERF401 -- pairs of a loop are kept one by one, to have those before an error

from __future__ import annotations

import pickle
from collections import Counter
from typing import TYPE_CHECKING

import anyio
import httpx
import pytest

from accounts.world import (
    BROKEN,
    MISSING,
    MONTH,
    NO_KEY,
    PAGE,
    TOO_MANY,
    World,
    client_of,
    pair_of,
    stream,
)
from pyas_async import (
    AuthenticationError,
    Checkpoint,
    CheckpointError,
    ClientClosedError,
    InvalidArgumentError,
    NotFoundError,
    PaginationIncompleteError,
    PyasClient,
    PyasError,
    RateLimitError,
    ServerError,
    WrongEventLoopError,
)
from resting import rest

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from accounts.world import Pair
    from pyas_async import AccountsIterator

pytestmark = pytest.mark.anyio


async def take(pairs: AccountsIterator, into: list[Pair]) -> None:
    """Take pairs to the end; those before an error are kept."""
    async with pairs:
        async for pair in pairs:
            into.append(pair_of(*pair))


async def take_all(client: PyasClient, ids: object, **more: object) -> tuple[Counter[Pair], AccountsIterator]:
    """Take all pairs."""
    pairs = client.meetings.iter_accounts(ids, **more)  # type: ignore[arg-type]
    came: list[Pair] = []
    await take(pairs, came)
    return Counter(came), pairs


async def test_a_listing_fails_alone() -> None:
    """A listing that fails is kept with its error and checkpoint; the others reach their ends."""
    world = World(sizes={"a": 3 * PAGE, "b": 3 * PAGE, "c": 2}, fails={("b", 2): BROKEN})
    async with client_of(world) as client:
        came, pairs = await take_all(client, ["a", "unknown", "b", "c"])
        assert {"b": ServerError, "unknown": NotFoundError} == {
            name: type(error) for name, error in pairs.failures.items()
        }
        assert world.pairs("a", "c") + Counter({("b", number): 1 for number in range(1, PAGE + 1)}) == came
        assert (4, 2, 2) == (pairs.stats.begun, pairs.stats.done, pairs.stats.failed)

        checkpoint = pairs.failures["b"].checkpoint
        assert checkpoint is not None
        rest_of_b = await client.meetings.iter_all(resume=checkpoint).collect()
        assert world.pairs("b") == Counter(("b", row.id) for row in rest_of_b) + Counter(
            pair for pair in came if pair[0] == "b"
        )
    assert all(error.__traceback__ is None for error in pairs.failures.values())
    assert set(pickle.loads(pickle.dumps(pairs.failures))) == set(pairs.failures)


async def test_failed_accounts_are_retried() -> None:
    """A resumed iteration retries the failed accounts after all others, from where they failed."""
    world = World(sizes={"a": 2, "b": 3 * PAGE, "c": 2, "d": 1}, fails={("b", 3): BROKEN, ("c", 1): MISSING})
    async with client_of(world) as client:
        first, broken = await take_all(client, ["a", "b", "c"])
        assert {"b", "c"} == set(broken.failures)
        checkpoint = broken.checkpoint()
        assert not checkpoint.done
        calls = world.calls.copy()
        pairs = client.meetings.iter_accounts(["a", "b", "c", "d"], max_concurrency=1, resume=str(checkpoint))
        second: list[Pair] = []
        await take(pairs, second)

    assert ["d", *"c" * 2, *"b" * PAGE] == [account_id for account_id, _ in second]
    assert world.pairs() == first + Counter(second)
    assert {} == pairs.failures
    assert pairs.checkpoint().done
    # A listing that failed in the middle is resumed there: that takes one call, since the token is valid.
    assert Counter({"b": 1, "c": 1, "d": 1}) == world.calls - calls


async def test_an_account_is_retried_once_in_an_iteration() -> None:
    """An account that fails again in a resumed iteration is left to the iteration after it."""
    world = World(sizes={"a": 1})
    ids = ["unknown", "a", "missing"]
    checkpoint: Checkpoint | None = None
    async with client_of(world) as client:
        for turn in range(3):
            came, pairs = await take_all(client, ids, resume=checkpoint)
            checkpoint = pairs.checkpoint()
            assert {"unknown", "missing"} == set(pairs.failures)
            assert (Counter() if turn else world.pairs()) == came
            assert (1, False) == (checkpoint.items, checkpoint.done)
    assert Counter({"unknown": 3, "missing": 3, "a": 1}) == world.calls


async def test_wrong_ids() -> None:
    """A value that cannot be an id is a failure of its own, costs no call, and its error names the position."""
    world = World(sizes={"a": 1})
    async with client_of(world) as client:
        came, pairs = await take_all(client, ["", "a", None, 7, "  ", "\ud800"])
    assert world.pairs() == came
    assert {"", "None", "7", "  ", "\ud800"} == set(pairs.failures)
    assert {InvalidArgumentError} == {type(error) for error in pairs.failures.values()}
    assert "account_ids[3]: expected a string that is not blank, got 7" == str(pairs.failures["7"])
    assert (6, 1, 5) == (pairs.stats.begun, pairs.stats.done, pairs.stats.failed)
    assert Counter("a") == world.calls
    # There is nothing to retry.
    assert pairs.checkpoint().done


async def test_the_key_expires() -> None:
    """A 401 ends the iteration after the rows that came before it; its checkpoint is that of the whole iteration."""
    world = World(sizes={f"account {number}": 5 * PAGE for number in range(8)}, key_lasts=17)
    came: list[Pair] = []
    async with client_of(world) as client:
        pairs = client.meetings.iter_accounts(world.sizes, max_concurrency=4)
        with pytest.raises(AuthenticationError) as caught:
            await take(pairs, came)
        assert {} == pairs.failures
        # Of each account, all pages are yielded but a prefetched one, whose rows come after the error.
        assert 13 * PAGE <= len(came) <= 17 * PAGE
        # Requests that were in flight with it are refused as well; after that, nothing is requested.
        assert 17 < world.calls.total() <= 17 + 2 * 4
        checkpoint = caught.value.checkpoint
        assert checkpoint is not None
        assert (len(came), None) == (checkpoint.items, checkpoint.account_id)

        world.key_lasts = 1000
        others, pairs = await take_all(client, world.sizes, resume=checkpoint)
    assert world.pairs() == Counter(came) + others
    assert {} == pairs.failures


async def test_nothing_comes_after_the_end() -> None:
    """After an error that ended the iteration, there are no further pairs, and no call is made."""
    world = World(sizes=dict.fromkeys("abcdef", 4 * PAGE), key_lasts=5)
    async with client_of(world) as client, client.meetings.iter_accounts(world.sizes, max_concurrency=3) as pairs:
        with pytest.raises(AuthenticationError):
            async for _ in pairs:
                pass
        calls = world.calls.total()
        assert "the end" == await anext(pairs, "the end")
        await rest()
        assert calls == world.calls.total()


async def test_nothing_is_requested_after_an_error() -> None:
    """After an error that ends the iteration, waiting rows are yielded, but no further page is requested."""
    sizes = {f"account {number}": 5 * PAGE for number in range(8)}
    world = World(sizes=sizes | {"last": 1}, fails={("last", 1): NO_KEY}, held={"last"})
    came: list[Pair] = []
    async with client_of(world) as client, client.meetings.iter_accounts(world.sizes) as pairs:
        came.append(pair_of(*await anext(pairs)))
        await rest()
        world.release("last")
        await rest()
        calls = world.calls.copy()
        with pytest.raises(AuthenticationError):
            with anyio.fail_after(5):  # however slow the consumer, there is nothing to wait for
                async for pair in pairs:
                    came.append(pair_of(*pair))
                    world.time += 60.0
    assert 8 * PAGE == len(came)
    assert calls == world.calls


async def test_monthly_quota_is_used_up() -> None:
    """A 429 of the plan's month ends the iteration: each further account would cost a call in vain."""
    world = World(sizes=dict.fromkeys("abcdefgh", 1), fails={("c", 1): MONTH})
    async with client_of(world) as client:
        with pytest.raises(RateLimitError) as caught:
            await take_all(client, world.sizes, max_concurrency=2)
    assert "month" == caught.value.scope
    assert world.calls.total() <= 4


async def test_another_limit_fails_one_account() -> None:
    """A 429 that is not known to be of the plan fails its listing alone."""
    world = World(sizes=dict.fromkeys("abcd", 1), fails={("c", 1): TOO_MANY})
    async with client_of(world) as client:
        came, pairs = await take_all(client, world.sizes, max_concurrency=2)
    assert {"c": RateLimitError} == {account_id: type(error) for account_id, error in pairs.failures.items()}
    assert world.pairs("a", "b", "d") == came


async def test_the_client_is_closed() -> None:
    """Closing the client ends the iteration, after the rows that are there."""
    world = World(sizes=dict.fromkeys("abcd", 4 * PAGE))
    came: list[Pair] = []
    async with client_of(world) as client, client.meetings.iter_accounts(world.sizes) as pairs:
        came.append(pair_of(*await anext(pairs)))
        await client.aclose()
        with pytest.raises(ClientClosedError) as caught:
            async for pair in pairs:
                came.append(pair_of(*pair))
    assert caught.value.checkpoint is not None
    assert len(came) == caught.value.checkpoint.items
    async with client_of(world) as client:
        others, _ = await take_all(client, world.sizes, resume=caught.value.checkpoint)
    assert world.pairs() == Counter(came) + others


def test_another_event_loop() -> None:
    """A client that belongs to another event loop ends the iteration at once."""
    world = World(sizes={"a": 1, "b": 1})
    client = PyasClient("key", base_url="https://world.test", http_client=httpx.AsyncClient(transport=world))

    async def use() -> None:
        await client.meetings.list(account_id="a", max_results=1)

    async def use_again() -> None:
        with pytest.raises(WrongEventLoopError):
            await take_all(client, world.sizes)

    anyio.run(use)
    anyio.run(use_again)
    assert 1 == world.calls.total()


async def test_errors_of_the_callers_code() -> None:
    """An exception of the caller's key function is raised itself, after the rows before it."""
    world = World(sizes=dict.fromkeys("abcd", PAGE))
    mistake = LookupError("the vault is locked")
    asked = 0

    async def key() -> str:
        nonlocal asked
        asked += 1
        if asked > 2:
            raise mistake
        return "key"

    came: list[Pair] = []
    async with httpx.AsyncClient(transport=world) as http:
        client = PyasClient(key, base_url="https://world.test", http_client=http)
        pairs = client.meetings.iter_accounts(world.sizes, max_concurrency=2)
        with pytest.raises(LookupError) as caught:
            await take(pairs, came)
        others = client.meetings.iter_accounts(world.sizes, resume=pairs.checkpoint())
        asked = -100
        await take(others, came)
    assert caught.value is mistake
    assert world.pairs() == Counter(came)


@pytest.mark.parametrize("mistake", [LookupError("no database"), NotFoundError("no such user", status=404)])
@pytest.mark.parametrize("streamed", [False, True])
async def test_the_input_fails(mistake: Exception, *, streamed: bool) -> None:
    """An exception of the input is raised itself; the iteration can be resumed from its checkpoint."""
    world = World(sizes=dict.fromkeys("abcd", 3 * PAGE))

    def ids() -> object:
        yield "a"
        yield "b"
        raise mistake

    async def ids_later() -> AsyncIterator[str]:
        async for account_id in stream(["a", "b"]):
            yield account_id
        raise mistake

    came: list[Pair] = []
    async with client_of(world) as client:
        pairs = client.meetings.iter_accounts(ids_later() if streamed else ids(), max_concurrency=2)  # type: ignore[arg-type]
        with pytest.raises(type(mistake)) as caught:
            await take(pairs, came)
        assert caught.value is mistake
        checkpoint = mistake.checkpoint if isinstance(mistake, PyasError) else pairs.checkpoint()
        others, _ = await take_all(client, world.sizes, resume=checkpoint)
    assert world.pairs() == Counter(came) + others


async def test_rows_before_the_inputs_error() -> None:
    """Rows that wait when the input fails are yielded before the error."""
    world = World(sizes={"a": PAGE, "b": PAGE}, held={"b"})
    fails = anyio.Event()

    async def ids() -> AsyncIterator[str]:
        yield "a"
        yield "b"
        await fails.wait()
        msg = "no database"
        raise LookupError(msg)

    came: list[Pair] = []
    async with client_of(world) as client, client.meetings.iter_accounts(ids()) as pairs:
        came.append(pair_of(*await anext(pairs)))
        world.release("b")
        await rest()
        fails.set()
        await rest()
        with pytest.raises(LookupError, match="no database"):
            async for pair in pairs:
                came.append(pair_of(*pair))
    assert world.pairs() == Counter(came)


@pytest.mark.parametrize("ids", [["a"], ["b", "a", "c"], ["a", "B", "c"], []])
async def test_other_accounts(ids: list[str]) -> None:
    """With other accounts, or in another order, a checkpoint is refused: nothing is sent or yielded."""
    world = World(sizes=dict.fromkeys("abc", 2))
    async with client_of(world) as client:
        async with client.meetings.iter_accounts(list("abc"), max_concurrency=2) as pairs:
            await anext(pairs)
            while pairs.stats.begun < 3:
                await anext(pairs)
        checkpoint = pairs.checkpoint()
        calls = world.calls.total()
        async with client.meetings.iter_accounts(ids, resume=checkpoint) as pairs:
            with pytest.raises(CheckpointError) as caught:
                await anext(pairs)
        assert "account_ids" == caught.value.field
        assert caught.value.checkpoint == checkpoint
        assert calls == world.calls.total()


async def test_missing_rows() -> None:
    """A listing whose total does not match fails after its last row; since all rows came, it is not retried."""
    world = World(sizes={"a": 4, "b": 4}, lies={"b": 6})
    async with client_of(world) as client:
        came, pairs = await take_all(client, world.sizes, verify_total="raise")
        assert {"b": PaginationIncompleteError} == {name: type(error) for name, error in pairs.failures.items()}
        assert world.pairs() == came
        assert (10, 2) == (pairs.stats.total_reported, pairs.stats.missing)
        calls = world.calls.total()
        none, _ = await take_all(client, world.sizes, resume=pairs.checkpoint())
    assert (Counter(), calls) == (none, world.calls.total())
    assert pairs.checkpoint().done


async def test_one_consumer() -> None:
    """A second task that asks for the next pair at the same time gets an error."""
    world = World(sizes={"a": 1}, held={"a"})
    async with client_of(world) as client, client.meetings.iter_accounts(["a"]) as pairs:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(anext, pairs)
            await rest()
            with pytest.raises(RuntimeError, match="another task is waiting"):
                await anext(pairs)
            tasks.cancel_scope.cancel()
        world.release("a")
        assert [("a", 1)] == [pair_of(*pair) async for pair in pairs]
