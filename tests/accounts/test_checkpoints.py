"""Checkpoints of both kinds, as objects and as text, from real iterations."""

from __future__ import annotations

import json
import pickle
import re
from typing import TYPE_CHECKING

import pytest

from accounts.world import BROKEN, MISSING, PAGE, World, client_of, pair_of
from pyas_async import Checkpoint, CheckpointError, PyasClient
from pyas_async._core.checkpoints.accounts import AccountsCheckpoint
from pyas_async._core.checkpoints.listing import ListingCheckpoint
from pyas_async._core.checkpoints.text import checksum
from resting import rest

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

pytestmark = pytest.mark.anyio

SIZES = {"a": 4 * PAGE, "b": 2 * PAGE, "c": 5, "d": 0, "e": 3 * PAGE, "f": 1}


async def checkpoint_of(pairs: int, *, world: World | None = None) -> AccountsCheckpoint:
    """Take so many pairs of six accounts, one of which fails, and return the checkpoint."""
    world = World(sizes=SIZES, fails={("b", 1): MISSING}) if world is None else world
    async with (
        client_of(world) as client,
        client.meetings.iter_accounts(SIZES, type="upcoming", max_concurrency=3) as iterator,
    ):
        for _ in range(pairs):
            await anext(iterator)
        return AccountsCheckpoint.of(iterator.checkpoint())


async def checkpoint_of_one() -> ListingCheckpoint:
    """Take some rows of one account, and return the checkpoint."""
    async with client_of(World(sizes=SIZES)) as client:
        listing = client.meetings.iter_all(account_id="a", type="upcoming")
        for _ in range(5):
            await anext(listing)
        return ListingCheckpoint.of(listing.checkpoint())


@pytest.mark.parametrize("pairs", [0, 1, 5, 9, 14, 20])
async def test_through_text_and_pickle(pairs: int) -> None:
    """A checkpoint is equal after it was written as text and read, and after pickle."""
    checkpoint = await checkpoint_of(pairs)
    again = Checkpoint.parse(str(checkpoint))
    pickled: Checkpoint = pickle.loads(pickle.dumps(checkpoint))
    assert str(checkpoint) == str(again) == str(pickled)
    assert checkpoint == again == pickled
    assert {checkpoint} == {again, pickled}
    assert pairs == again.items
    assert repr(checkpoint) == repr(again)


async def test_kinds_differ() -> None:
    """A checkpoint of one listing is not equal to one of many accounts, and the ``repr`` of each shows its kind."""
    one, many = await checkpoint_of_one(), await checkpoint_of(5)
    assert one != many
    assert ("a", None) == (one.account_id, many.account_id)
    assert (("type", "upcoming"),) == one.filters == many.filters
    assert ("Checkpoint(account_id='a', items=5, done=False)", 300) == (repr(one), one.page_size)
    # How far the accounts are whose rows were not taken yet depends on the event loop.
    assert re.fullmatch(r"Checkpoint\(drawn=[45], under_way=[23], failed=1, items=5, done=False\)", repr(many))
    assert not any(token in repr(many) for token in ("token-", "rows"))


async def test_a_kept_checkpoint_does_not_change() -> None:
    """A checkpoint that is kept as an object does not change when the iteration continues."""
    world = World(sizes=SIZES, fails={("b", 1): MISSING, ("e", 2): BROKEN, ("f", 1): MISSING})
    kept = []
    async with client_of(world) as client, client.meetings.iter_accounts(SIZES, max_concurrency=3) as pairs:
        while await anext(pairs, None) is not None:
            checkpoint = pairs.checkpoint()
            kept.append((checkpoint, str(checkpoint)))
    assert 4 * PAGE + 5 + PAGE == len(kept)
    assert [text for _, text in kept] == [str(checkpoint) for checkpoint, _ in kept]


@pytest.mark.parametrize("make", [checkpoint_of_one, lambda: checkpoint_of(9)], ids=["one", "many"])
async def test_damage_is_found(make: Callable[[], Awaitable[Checkpoint]]) -> None:
    """A text with a missing, additional or changed character anywhere is refused, and so is another version."""
    text = json.dumps(json.loads(str(await make())), separators=(",", ":"))  # spaces do not matter
    for checkpoint in range(0, len(text), 7):
        for damaged in (
            text[:checkpoint],
            text[:checkpoint] + text[checkpoint + 1 :],
            f"{text[:checkpoint]}~{text[checkpoint + 1 :]}",
        ):
            with pytest.raises(CheckpointError):
                Checkpoint.parse(damaged)
    with pytest.raises(CheckpointError, match="version 1, which this release writes, got <version 2>"):
        Checkpoint.parse(text.replace('"version":1', '"version":2'))
    for other in ("", "[]", "null", "{}", '{"version": 1}', 5, None):
        with pytest.raises(CheckpointError):
            Checkpoint.parse(other)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "crowd"},
        {"drawn": "4"},
        {"page_size": None},
        {"filters": []},
        {"under_way": [5]},
        {"under_way": [{"account": "a"}]},
        {"failed": {}},
        {"probe": 1},
    ],
)
async def test_wrong_fields_with_a_right_check_sum(change: dict[str, object]) -> None:
    """A document with wrong fields is refused, though its checksum matches."""
    document = json.loads(str(await checkpoint_of(9))) | change
    del document["check"]
    with pytest.raises(CheckpointError):
        Checkpoint.parse(json.dumps(document | {"check": checksum(document)}))


async def test_each_kind_resumes_its_own_method() -> None:
    """Each method refuses the other kind of checkpoint, and names the method that resumes from it."""
    one, many = await checkpoint_of_one(), await checkpoint_of(5)
    meetings = PyasClient("key", account_id="a").meetings
    for checkpoint in (many, str(many)):
        with pytest.raises(CheckpointError, match=r"one listing.*got <one of many accounts: iter_accounts"):
            meetings.iter_all(resume=checkpoint)
    for other in (one, str(one)):
        with pytest.raises(CheckpointError, match=r"many accounts.*got <one of the account 'a' alone: iter_all"):
            meetings.iter_accounts(SIZES, resume=other)


@pytest.mark.parametrize(
    "other", [{"type": "live"}, {"start_date": "01-01-2026"}, {"page_size": 30}, {"page_size": 10}]
)
async def test_other_filters(other: dict[str, object]) -> None:
    """Other filters, and another page size, are refused by the call."""
    checkpoint = await checkpoint_of(5)
    with pytest.raises(CheckpointError):
        PyasClient("key").meetings.iter_accounts(SIZES, resume=checkpoint, **other)  # type: ignore[arg-type]


async def test_filters_come_from_the_checkpoint() -> None:
    """Left-out filters and page size come from the checkpoint, also for accounts that are begun afterwards."""
    world = World(sizes=SIZES)
    asked = set()
    async with client_of(world) as client:
        async with client.meetings.iter_accounts(SIZES, type="upcoming", page_size=2, max_concurrency=2) as pairs:
            first = [pair_of(*await anext(pairs)) for _ in range(3)]
            checkpoint = pairs.checkpoint()
        world.on_query = lambda query: asked.add((query["type"], query["maxResults"]))
        async with client.meetings.iter_accounts(SIZES, type="upcoming", resume=checkpoint) as pairs:
            rest_of_all = [pair_of(*pair) async for pair in pairs]
    assert {("upcoming", "2")} == asked
    assert world.pairs().total() == len(first) + len(rest_of_all) == len({*first, *rest_of_all})
    assert 2 == pairs.checkpoint().page_size


@pytest.mark.parametrize("pairs", [1, 5, 9, 14])
async def test_size_of_the_text(pairs: int) -> None:
    """The text is not larger than those of the open listings, plus 100 bytes for each, plus 2 kB."""
    checkpoint = await checkpoint_of(pairs)
    assert checkpoint.active or checkpoint.failed
    open_ones = [len(str(listing)) + 100 for listing in (*checkpoint.active, *checkpoint.failed)]
    assert len(str(checkpoint)) <= sum(open_ones) + 2000


async def test_finished_accounts_are_left_out() -> None:
    """Accounts that are done, and those not yet begun, take no space in the text."""
    # Their ids alone would be longer than the bound.
    world = World(sizes={f"account {number}": 1 for number in range(120)})
    async with client_of(world) as client, client.meetings.iter_accounts(world.sizes, max_concurrency=2) as pairs:
        sizes = [len(str(pairs.checkpoint())) async for _ in pairs]
    assert max(sizes) < 1000


async def test_the_last_row_of_a_listing() -> None:
    """After the last row of a listing, it is not kept to be resumed, though its worker has not seen its end yet."""
    world = World(sizes={"a": 2, "b": 2})
    async with client_of(world) as client, client.meetings.iter_accounts(world.sizes, max_concurrency=1) as pairs:
        await anext(pairs)
        assert ["a"] == [listing.account_id for listing in AccountsCheckpoint.of(pairs.checkpoint()).active]
        await anext(pairs)
        assert () == AccountsCheckpoint.of(pairs.checkpoint()).active
        assert (2, False) == (pairs.checkpoint().items, pairs.checkpoint().done)


async def test_waiting_pages_are_not_counted() -> None:
    """Pages that wait for the consumer, or are being requested, are not counted: a checkpoint is before their rows."""
    world = World(sizes=SIZES)
    async with client_of(world) as client:
        async with client.meetings.iter_accounts(SIZES, max_concurrency=6) as pairs:
            first = pair_of(*await anext(pairs))
            await rest()
            checkpoint = pairs.checkpoint()
            assert pairs.stats.pages == 5 + 1
        assert checkpoint == pairs.checkpoint()  # leaving the block early does not move it
        assert 1 == checkpoint.items == pairs.stats.items
        async with client.meetings.iter_accounts(SIZES, resume=checkpoint) as pairs:
            others = [pair_of(*pair) async for pair in pairs]
    assert world.pairs().total() == 1 + len(others)
    assert first not in others


async def test_before_the_first_pair() -> None:
    """A checkpoint can be taken before anything was drawn, or drawn again, and is the same position."""
    world = World(sizes=SIZES)
    async with client_of(world) as client:
        start = client.meetings.iter_accounts(SIZES).checkpoint()
        assert (0, False) == (start.items, start.done)
        checkpoint = await checkpoint_of(7, world=world)
        assert checkpoint == client.meetings.iter_accounts(SIZES, resume=str(checkpoint)).checkpoint()
        async with client.meetings.iter_accounts(SIZES, resume=start) as pairs:
            assert world.pairs().total() == len([pair async for pair in pairs])


async def test_a_finished_iteration_requests_nothing() -> None:
    """After the last pair of all, nothing is requested, except for accounts that were added to the input."""
    world = World(sizes=SIZES)
    async with client_of(world) as client:
        async with client.meetings.iter_accounts(SIZES) as pairs:
            _ = [pair async for pair in pairs]
        checkpoint = pairs.checkpoint()
        assert checkpoint.done
        calls = world.calls.total()
        async with client.meetings.iter_accounts(SIZES, resume=checkpoint) as pairs:
            assert [] == [pair async for pair in pairs]
        assert calls == world.calls.total()
        assert pairs.checkpoint() == checkpoint

        world.sizes = {**SIZES, "g": 2}
        async with client.meetings.iter_accounts(world.sizes, resume=checkpoint) as pairs:
            assert [("g", 1), ("g", 2)] == [pair_of(*pair) async for pair in pairs]
