"""Accounts under way are bounded, and take turns."""

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
    """An input that says how much of it was drawn; it never ends, and its accounts are not there."""

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


async def test_short_listings_get_through() -> None:
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


async def test_no_more_than_so_many_at_a_time() -> None:
    """So many accounts are under way, no more and no fewer, and no id is drawn ahead of that."""
    ids = Ids("a", "b", "c", "d", "e", "f", "g")
    world = World(sizes=dict.fromkeys("abcdefg", 2 * PAGE), held=set("abcdefg"))
    async with client_of(world) as client, client.meetings.iter_accounts(ids, max_concurrency=3) as pairs:
        await rest()
        assert (0, 0) == (ids.drawn, world.calls.total())  # nothing before the first pair is asked for
        await ask_in_vain(pairs)
        assert (Counter("abc"), 3) == (world.calls, ids.drawn)

        world.let_go("b")
        await rest()
        assert (Counter("abbc"), 3) == (world.calls, ids.drawn)

        came = [pair_of(*await anext(pairs)) for _ in range(2 * PAGE)]
        assert world.pairs("b") == Counter(came)
        await ask_in_vain(pairs)
        assert (Counter("abbcd"), 4) == (world.calls, ids.drawn)
        assert (4, 1, 0) == (pairs.stats.begun, pairs.stats.done, pairs.stats.failed)


async def test_waiting_reader_holds_all_back() -> None:
    """While the reader is busy, each account gets two pages at most, and no other is begun."""
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
    """What costs memory is what is under way, and not what may come: an endless input can be read from."""
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


async def test_listing_that_waits_holds_no_other_back() -> None:
    """Rows of others are handed out while one account gets no answer."""
    world = World(sizes={"stuck": 1, "a": 4 * PAGE, "b": 5, "c": 2}, held={"stuck"})
    async with client_of(world) as client, client.meetings.iter_accounts(world.sizes, max_concurrency=2) as pairs:
        others = [pair_of(*await anext(pairs)) for _ in range(4 * PAGE + 7)]
        assert world.pairs("a", "b", "c") == Counter(others)
        world.let_go("stuck")
        assert [("stuck", 1)] == [pair_of(*pair) async for pair in pairs]


@pytest.mark.parametrize("computes", [False, True], ids=["awaits", "computes"])
@pytest.mark.parametrize(
    ("accounts", "pages", "seconds"),
    [(16, 10, 60.0), pytest.param(64, 10, 120.0, marks=pytest.mark.long), (30, 8, 300.0)],
)
async def test_slow_reader(accounts: int, pages: int, seconds: float, *, computes: bool) -> None:
    """The slower the reader, the fewer accounts are under way, so that their page tokens do not die one by one."""
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
    # Only of those that were begun together, before anybody knew how slow it is, a token may die, and once.
    assert pairs.stats.restarts <= 16
    assert world.calls.total() <= accounts * pages + 2 * 16
    # None of them waits until others that were begun later are through.
    assert set(list(world.sizes)[:16]) == set(finished[:16])


async def test_slow_moment() -> None:
    """A reader that was held up once goes on with as many accounts as before."""
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
    """A list, a set, a generator, an async generator: ids come from anything that gives them."""
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
    """It is listed twice: what is the same is the input's to say."""
    world = World(sizes={"a": PAGE + 1})
    async with client_of(world) as client, client.meetings.iter_accounts(["a", "a"]) as pairs:
        came = Counter([pair_of(*pair) async for pair in pairs])
    assert world.pairs() + world.pairs() == came
    assert 2 == pairs.stats.done


@pytest.mark.parametrize("ids", ["account", b"account", None, 5])
def test_no_iterable_of_ids(ids: object) -> None:
    """What is no iterable of ids is refused at the call, a single id above all."""
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
    """An argument that cannot be is refused at the call, by name."""
    with pytest.raises(InvalidArgumentError) as caught:
        PyasClient("key").meetings.iter_accounts([], **{field: value})  # type: ignore[arg-type]
    assert {"resume": "checkpoint"}.get(field, field) == caught.value.field
