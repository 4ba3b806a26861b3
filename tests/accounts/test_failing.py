"""What goes wrong with one account is that account's; what no account would be spared ends the iteration."""
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


async def read(pairs: AccountsIterator, into: list[Pair]) -> None:
    """Read to the end; what comes before an error counts."""
    async with pairs:
        async for pair in pairs:
            into.append(pair_of(*pair))


async def read_all(client: PyasClient, ids: object, **more: object) -> tuple[Counter[Pair], AccountsIterator]:
    """Read everything."""
    pairs = client.meetings.iter_accounts(ids, **more)  # type: ignore[arg-type]
    came: list[Pair] = []
    await read(pairs, came)
    return Counter(came), pairs


async def test_a_failure_is_one_accounts() -> None:
    """A listing that fails is kept with its error, and its place; the others go on to their ends."""
    world = World(sizes={"a": 3 * PAGE, "b": 3 * PAGE, "c": 2}, fails={("b", 2): BROKEN})
    async with client_of(world) as client:
        came, pairs = await read_all(client, ["a", "nobody", "b", "c"])
        assert {"b": ServerError, "nobody": NotFoundError} == {
            name: type(error) for name, error in pairs.failures.items()
        }
        assert world.pairs("a", "c") + Counter({("b", number): 1 for number in range(1, PAGE + 1)}) == came
        assert (4, 2, 2) == (pairs.stats.begun, pairs.stats.done, pairs.stats.failed)

        place = pairs.failures["b"].checkpoint
        assert place is not None
        rest_of_b = await client.meetings.iter_all(resume=place).collect()
        assert world.pairs("b") == Counter(("b", row.id) for row in rest_of_b) + Counter(
            pair for pair in came if pair[0] == "b"
        )
    assert all(error.__traceback__ is None for error in pairs.failures.values())
    assert set(pickle.loads(pickle.dumps(pairs.failures))) == set(pairs.failures)


async def test_failed_accounts_are_tried_again() -> None:
    """A resumed iteration tries the accounts that had failed again, after all others, from where they stood."""
    world = World(sizes={"a": 2, "b": 3 * PAGE, "c": 2, "d": 1}, fails={("b", 3): BROKEN, ("c", 1): MISSING})
    async with client_of(world) as client:
        first, broken = await read_all(client, ["a", "b", "c"])
        assert {"b", "c"} == set(broken.failures)
        place = broken.checkpoint()
        assert not place.done
        calls = world.calls.copy()
        pairs = client.meetings.iter_accounts(["a", "b", "c", "d"], max_concurrency=1, resume=str(place))
        second: list[Pair] = []
        await read(pairs, second)

    assert ["d", *"c" * 2, *"b" * PAGE] == [account_id for account_id, _ in second]
    assert world.pairs() == first + Counter(second)
    assert {} == pairs.failures
    assert pairs.checkpoint().done
    # Whoever had failed in the middle of a listing is gone on with there: one call, the token being alive.
    assert Counter({"b": 1, "c": 1, "d": 1}) == world.calls - calls


async def test_failures_are_not_tried_again_in_the_same_iteration() -> None:
    """Whatever fails again in a resumed iteration is left to the one after it."""
    world = World(sizes={"a": 1})
    ids = ["nobody", "a", "nowhere"]
    place: Checkpoint | None = None
    async with client_of(world) as client:
        for turn in range(3):
            came, pairs = await read_all(client, ids, resume=place)
            place = pairs.checkpoint()
            assert {"nobody", "nowhere"} == set(pairs.failures)
            assert (Counter() if turn else world.pairs()) == came
            assert (1, False) == (place.items, place.done)
    assert Counter({"nobody": 3, "nowhere": 3, "a": 1}) == world.calls


async def test_ids_that_cannot_be() -> None:
    """What cannot be an id is a failure of its own, costs no call, and names its place."""
    world = World(sizes={"a": 1})
    async with client_of(world) as client:
        came, pairs = await read_all(client, ["", "a", None, 7, "  ", "\ud800"])
    assert world.pairs() == came
    assert {"", "None", "7", "  ", "\ud800"} == set(pairs.failures)
    assert {InvalidArgumentError} == {type(error) for error in pairs.failures.values()}
    assert "account_ids[3]: expected a string that is not blank, got 7" == str(pairs.failures["7"])
    assert (6, 1, 5) == (pairs.stats.begun, pairs.stats.done, pairs.stats.failed)
    assert Counter("a") == world.calls
    # Another attempt would be none.
    assert pairs.checkpoint().done


async def test_the_key_expires() -> None:
    """A 401 ends the iteration behind the rows that came before it; its checkpoint is the place of all accounts."""
    world = World(sizes={f"account {number}": 5 * PAGE for number in range(8)}, key_lasts=17)
    came: list[Pair] = []
    async with client_of(world) as client:
        pairs = client.meetings.iter_accounts(world.sizes, max_concurrency=4)
        with pytest.raises(AuthenticationError) as caught:
            await read(pairs, came)
        assert {} == pairs.failures
        # All pages but the last that were answered are handed out: those that travelled ahead are not rows before it.
        assert 13 * PAGE <= len(came) <= 17 * PAGE
        # Those that were under way with it are refused as well; then nobody asks any more.
        assert 17 < world.calls.total() <= 17 + 2 * 4
        place = caught.value.checkpoint
        assert place is not None
        assert (len(came), None) == (place.items, place.account_id)

        world.key_lasts = 1000
        others, pairs = await read_all(client, world.sizes, resume=place)
    assert world.pairs() == Counter(came) + others
    assert {} == pairs.failures


async def test_nothing_comes_after_the_end() -> None:
    """Whoever goes on after an error that ended the iteration gets nothing more, and no call is made."""
    world = World(sizes=dict.fromkeys("abcdef", 4 * PAGE), key_lasts=5)
    async with client_of(world) as client, client.meetings.iter_accounts(world.sizes, max_concurrency=3) as pairs:
        with pytest.raises(AuthenticationError):
            async for _ in pairs:
                pass
        calls = world.calls.total()
        assert "the end" == await anext(pairs, "the end")
        await rest()
        assert calls == world.calls.total()


async def test_nobody_asks_any_more() -> None:
    """When an error has ended the iteration, rows that wait are handed out, but no further page is asked for."""
    sizes = {f"account {number}": 5 * PAGE for number in range(8)}
    world = World(sizes=sizes | {"last": 1}, fails={("last", 1): NO_KEY}, held={"last"})
    came: list[Pair] = []
    async with client_of(world) as client, client.meetings.iter_accounts(world.sizes) as pairs:
        came.append(pair_of(*await anext(pairs)))
        await rest()
        world.let_go("last")
        await rest()
        calls = world.calls.copy()
        with pytest.raises(AuthenticationError):
            with anyio.fail_after(5):  # however slow the reader, there is nothing to wait for
                async for pair in pairs:
                    came.append(pair_of(*pair))
                    world.time += 60.0
    assert 8 * PAGE == len(came)
    assert calls == world.calls


async def test_the_months_calls_are_used_up() -> None:
    """A 429 of the plan's month ends the iteration: each account more would cost a call in vain."""
    world = World(sizes=dict.fromkeys("abcdefgh", 1), fails={("c", 1): MONTH})
    async with client_of(world) as client:
        with pytest.raises(RateLimitError) as caught:
            await read_all(client, world.sizes, max_concurrency=2)
    assert "month" == caught.value.scope
    assert world.calls.total() <= 4


async def test_another_limit_is_one_accounts() -> None:
    """A 429 that is not known to be about the plan fails its listing alone."""
    world = World(sizes=dict.fromkeys("abcd", 1), fails={("c", 1): TOO_MANY})
    async with client_of(world) as client:
        came, pairs = await read_all(client, world.sizes, max_concurrency=2)
    assert {"c": RateLimitError} == {account_id: type(error) for account_id, error in pairs.failures.items()}
    assert world.pairs("a", "b", "d") == came


async def test_the_client_is_closed() -> None:
    """A client that is closed under way ends the iteration, behind the rows that are there."""
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
        others, _ = await read_all(client, world.sizes, resume=caught.value.checkpoint)
    assert world.pairs() == Counter(came) + others


def test_another_event_loop() -> None:
    """A client of another event loop ends the iteration at once."""
    world = World(sizes={"a": 1, "b": 1})
    client = PyasClient("key", base_url="https://world.test", http_client=httpx.AsyncClient(transport=world))

    async def use() -> None:
        await client.meetings.list(account_id="a", max_results=1)

    async def use_again() -> None:
        with pytest.raises(WrongEventLoopError):
            await read_all(client, world.sizes)

    anyio.run(use)
    anyio.run(use_again)
    assert 1 == world.calls.total()


async def test_the_users_own_errors() -> None:
    """What the function that gives the key raises comes out as itself, after the rows before it."""
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
            await read(pairs, came)
        others = client.meetings.iter_accounts(world.sizes, resume=pairs.checkpoint())
        asked = -100
        await read(others, came)
    assert caught.value is mistake
    assert world.pairs() == Counter(came)


@pytest.mark.parametrize("mistake", [LookupError("no database"), NotFoundError("no such user", status=404)])
@pytest.mark.parametrize("streamed", [False, True])
async def test_the_input_fails(mistake: Exception, *, streamed: bool) -> None:
    """What the input raises comes out as itself; the place of all accounts is known, and can be gone on from."""
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
            await read(pairs, came)
        assert caught.value is mistake
        place = mistake.checkpoint if isinstance(mistake, PyasError) else pairs.checkpoint()
        others, _ = await read_all(client, world.sizes, resume=place)
    assert world.pairs() == Counter(came) + others


async def test_rows_before_the_inputs_error() -> None:
    """Rows that wait when the input fails are handed out before the error."""
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
        world.let_go("b")
        await rest()
        fails.set()
        await rest()
        with pytest.raises(LookupError, match="no database"):
            async for pair in pairs:
                came.append(pair_of(*pair))
    assert world.pairs() == Counter(came)


@pytest.mark.parametrize("ids", [["a"], ["b", "a", "c"], ["a", "B", "c"], []])
async def test_other_accounts(ids: list[str]) -> None:
    """A checkpoint is not gone on from with other accounts, or in another order: nothing is sent or handed out."""
    world = World(sizes=dict.fromkeys("abc", 2))
    async with client_of(world) as client:
        async with client.meetings.iter_accounts(list("abc"), max_concurrency=2) as pairs:
            await anext(pairs)
            while pairs.stats.begun < 3:
                await anext(pairs)
        place = pairs.checkpoint()
        calls = world.calls.total()
        async with client.meetings.iter_accounts(ids, resume=place) as pairs:
            with pytest.raises(CheckpointError) as caught:
                await anext(pairs)
        assert "account_ids" == caught.value.field
        assert caught.value.checkpoint == place
        assert calls == world.calls.total()


async def test_rows_that_are_missing() -> None:
    """A listing whose total does not fit fails after its last row; all rows came, and it is not tried again."""
    world = World(sizes={"a": 4, "b": 4}, lies={"b": 6})
    async with client_of(world) as client:
        came, pairs = await read_all(client, world.sizes, verify_total="raise")
        assert {"b": PaginationIncompleteError} == {name: type(error) for name, error in pairs.failures.items()}
        assert world.pairs() == came
        assert (10, 2) == (pairs.stats.total_reported, pairs.stats.missing)
        calls = world.calls.total()
        none, _ = await read_all(client, world.sizes, resume=pairs.checkpoint())
    assert (Counter(), calls) == (none, world.calls.total())
    assert pairs.checkpoint().done


async def test_one_reader() -> None:
    """Two tasks that ask for the next pair are a mistake, and told so."""
    world = World(sizes={"a": 1}, held={"a"})
    async with client_of(world) as client, client.meetings.iter_accounts(["a"]) as pairs:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(anext, pairs)
            await rest()
            with pytest.raises(RuntimeError, match="another task is waiting"):
                await anext(pairs)
            tasks.cancel_scope.cancel()
        world.let_go("a")
        assert [("a", 1)] == [pair_of(*pair) async for pair in pairs]
