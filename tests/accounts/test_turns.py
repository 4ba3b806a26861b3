"""The active accounts are bounded, and their pages take turns."""

from __future__ import annotations

import itertools
from collections import Counter
from typing import TYPE_CHECKING

import anyio
import pytest

from accounts.world import PAGE, World, ask_in_vain, client_of, pair_of, stream
from pyas_async import InvalidArgumentError, PyasClient
from resting import rest

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from accounts.world import Pair

pytestmark = pytest.mark.anyio


class Ids:
    """An input that counts the ids drawn from it; after the first ids it has endless ids of unknown accounts."""

    def __init__(self, *first: str) -> None:
        self.drawn = 0
        self._first = first

    def __iter__(self) -> Iterator[str]:
        for number in itertools.count():
            self.drawn += 1
            yield self._first[number] if number < len(self._first) else f"endless {number}"

    async def __aiter__(self) -> AsyncIterator[str]:
        for account_id in self:
            await anyio.lowlevel.checkpoint()
            yield account_id


async def test_short_listings_are_not_kept_waiting() -> None:
    """A long listing that was begun first does not keep short ones waiting: pages take turns."""
    short = [f"short {number}" for number in range(24)]
    world = World(sizes={"long": 100 * PAGE, **dict.fromkeys(short, PAGE)})
    long_ones = 0
    finished: dict[str, int] = {}
    async with client_of(world) as client, client.meetings.iter_accounts(world.sizes, max_concurrency=4) as pairs:
        async for account_id, meeting in pairs:
            long_ones += account_id == "long"
            if account_id != "long" and meeting.id == PAGE:
                finished[account_id] = long_ones // PAGE

    assert set(short) == set(finished)
    # Three short ones at a time beside the long one, which gets one page in four.
    assert max(finished.values()) <= 24 // 3 + 3
    assert long_ones == 100 * PAGE


async def test_max_concurrency() -> None:
    """Exactly `max_concurrency` accounts are active, and no id is drawn before it is needed."""
    ids = Ids("a", "b", "c", "d", "e", "f", "g")
    world = World(sizes=dict.fromkeys("abcdefg", 2 * PAGE), held=set("abcdefg"))
    async with client_of(world) as client, client.meetings.iter_accounts(ids, max_concurrency=3) as pairs:
        await rest()
        assert (0, 0) == (ids.drawn, world.calls.total())  # nothing before the first pair is asked for
        await ask_in_vain(pairs)
        assert (Counter("abc"), 3) == (world.calls, ids.drawn)

        world.release("b")
        await rest()
        assert (Counter("abbc"), 3) == (world.calls, ids.drawn)

        came = [pair_of(*await anext(pairs)) for _ in range(2 * PAGE)]
        assert world.pairs("b") == Counter(came)
        await ask_in_vain(pairs)
        assert (Counter("abbcd"), 4) == (world.calls, ids.drawn)
        assert (4, 1, 0) == (pairs.stats.begun, pairs.stats.done, pairs.stats.failed)


async def test_a_busy_consumer_holds_all_back() -> None:
    """While the consumer is busy, each account requests two pages at most, and no other account is begun."""
    world = World(sizes={f"account {number}": 9 * PAGE for number in range(30)})
    async with client_of(world) as client, client.meetings.iter_accounts(world.sizes, max_concurrency=5) as pairs:
        await anext(pairs)
        await rest()
        assert [2] * 5 == list(world.calls.values())
        for _ in range(PAGE):
            await anext(pairs)
        await rest()
        assert [2, 2, 2, 2, 3] == sorted(world.calls.values())


async def test_endless_input() -> None:
    """The input may be endless: only active accounts take memory."""
    ids = Ids("a")
    world = World(sizes={"a": 50 * PAGE})
    async with (
        client_of(world) as client,
        client.meetings.iter_accounts(iter(ids), max_concurrency=2) as pairs,
    ):
        async for _, meeting in pairs:
            if meeting.id == 50 * PAGE:
                break
        stats = pairs.stats
        assert ids.drawn == stats.begun
        assert ids.drawn - stats.failed <= 2
        assert len(anyio.get_running_tasks()) <= 8


async def test_a_listing_that_waits_holds_no_other_back() -> None:
    """Rows of other accounts are yielded while one account gets no response."""
    world = World(sizes={"stuck": 1, "a": 4 * PAGE, "b": 5, "c": 2}, held={"stuck"})
    async with client_of(world) as client, client.meetings.iter_accounts(world.sizes, max_concurrency=2) as pairs:
        others = [pair_of(*await anext(pairs)) for _ in range(4 * PAGE + 7)]
        assert world.pairs("a", "b", "c") == Counter(others)
        world.release("stuck")
        assert [("stuck", 1)] == [pair_of(*pair) async for pair in pairs]


@pytest.mark.parametrize("computes", [False, True], ids=["awaits", "computes"])
@pytest.mark.parametrize(
    ("accounts", "pages", "seconds"),
    [(16, 10, 60.0), pytest.param(64, 10, 120.0, marks=pytest.mark.long), (30, 8, 300.0)],
)
async def test_a_slow_consumer(accounts: int, pages: int, seconds: float, *, computes: bool) -> None:
    """The slower the consumer, the fewer accounts are active, so that their page tokens do not expire."""
    world = World(sizes={f"account {number}": pages * PAGE for number in range(accounts)})
    came: Counter[Pair] = Counter()
    finished = []
    async with client_of(world) as client, client.meetings.iter_accounts(world.sizes, max_concurrency=16) as pairs:
        async for pair in pairs:
            came[pair_of(*pair)] += 1
            if pair[1].id == pages * PAGE:
                finished.append(pair[0])
            world.time += seconds / PAGE
            if not computes:
                await rest()

    assert (world.pairs(), {}) == (came, pairs.failures)
    # Only the accounts that were begun before the first page was taken may lose a token, each once.
    assert pairs.stats.restarts <= 16
    assert world.calls.total() <= accounts * pages + 2 * 16
    # None of them waits until accounts that were begun later have ended.
    assert set(list(world.sizes)[:16]) == set(finished[:16])


async def test_a_slow_moment() -> None:
    """After one slow page, as many accounts are active as before."""
    world = World(sizes=dict.fromkeys(map(str, range(200)), 1))
    async with client_of(world) as client, client.meetings.iter_accounts(world.sizes, max_concurrency=8) as pairs:
        await anext(pairs)
        world.time += 10_000.0
        for _ in range(30):
            await anext(pairs)
        await rest()
        assert 8 == pairs.stats.begun - pairs.stats.done
        assert 200 - 31 == len([pair async for pair in pairs])


async def test_kinds_of_inputs() -> None:
    """The ids may be a list, a set, a generator, an async generator, or any iterable."""
    world = World(sizes={"a": 2, "b": PAGE + 1})

    class Asynchronous:
        def __aiter__(self) -> AsyncIterator[str]:
            return stream(world.sizes)

    async with client_of(world) as client:
        for ids in (list(world.sizes), set(world.sizes), iter(world.sizes), stream(world.sizes), Asynchronous()):
            async with client.meetings.iter_accounts(ids) as pairs:
                assert world.pairs() == Counter([pair_of(*pair) async for pair in pairs])
        async with client.meetings.iter_accounts([]) as pairs:
            assert [] == [pair async for pair in pairs]
            assert pairs.checkpoint().done


async def test_an_id_that_comes_twice() -> None:
    """An id that comes twice is listed twice: removing duplicates is left to the caller."""
    world = World(sizes={"a": PAGE + 1})
    async with client_of(world) as client, client.meetings.iter_accounts(["a", "a"]) as pairs:
        came = Counter([pair_of(*pair) async for pair in pairs])
    assert world.pairs() + world.pairs() == came
    assert 2 == pairs.stats.done


@pytest.mark.parametrize("ids", ["account", b"account", None, 5])
def test_input_that_is_no_iterable_of_ids(ids: object) -> None:
    """An input that is no iterable of ids is refused by the call; a single id is one."""
    with pytest.raises(InvalidArgumentError) as caught:
        PyasClient("key").meetings.iter_accounts(ids)  # type: ignore[arg-type]
    assert "account_ids" == caught.value.field


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("max_concurrency", 0),
        ("max_concurrency", True),
        ("page_size", 0),
        ("max_restarts", -1),
        ("on_expired", "weep"),
        ("verify_total", "maybe"),
        ("type", "past"),
        ("start_date", 5),
        ("resume", 5),
    ],
)
def test_arguments_are_checked_at_the_call(field: str, value: object) -> None:
    """A wrong argument is refused by the call; the error names it."""
    with pytest.raises(InvalidArgumentError) as caught:
        PyasClient("key").meetings.iter_accounts([], **{field: value})  # type: ignore[arg-type]
    assert {"resume": "checkpoint"}.get(field, field) == caught.value.field


@pytest.mark.parametrize("refused", [False, True], ids=["empty", "missing"])
@pytest.mark.parametrize("chunked", [False, True], ids=["pairs", "chunks"])
async def test_accounts_without_rows_wait_for_the_consumer(chunked: bool, refused: bool) -> None:
    """While the consumer is busy, only a few accounts without rows are listed: a kill would waste their calls."""
    others = [f"none {number}" for number in range(100)]
    world = World(sizes={"first": 1, **({} if refused else dict.fromkeys(others, 0)), "last": 1})
    seen = list[str]()
    async with (
        client_of(world) as client,
        client.meetings.iter_accounts(["first", *others, "last"], max_concurrency=4) as pairs,
    ):
        if chunked:
            async for chunk, _ in pairs.chunks(pages=4):
                listed = pairs.stats.done + pairs.stats.failed
                await rest()
                assert pairs.stats.done + pairs.stats.failed <= listed + 2 * 4
                seen += [account_id for account_id, _ in chunk]
        else:
            async for account_id, _ in pairs:
                listed = pairs.stats.done + pairs.stats.failed
                await rest()
                assert pairs.stats.done + pairs.stats.failed <= listed + 2 * 4
                seen.append(account_id)
        assert {"first", "last"} == set(seen)
        assert 102 == pairs.stats.done + pairs.stats.failed
    assert 102 == world.calls.total()
