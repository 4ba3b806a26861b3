"""Checkpoints of both kinds, as objects and as text."""

from __future__ import annotations

import json
import pickle
import re
from typing import TYPE_CHECKING

import pytest

from accounts.world import BROKEN, MISSING, PAGE, World, client_of, pair_of, rest
from pyas_async import Checkpoint, CheckpointError, PyasClient
from pyas_async._core.checkpoints.accounts import AccountsCheckpoint
from pyas_async._core.checkpoints.listing import ListingCheckpoint
from pyas_async._core.checkpoints.text import check_sum

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

pytestmark = pytest.mark.anyio

SIZES = {"a": 4 * PAGE, "b": 2 * PAGE, "c": 5, "d": 0, "e": 3 * PAGE, "f": 1}


async def place_of(pairs: int, *, world: World | None = None) -> AccountsCheckpoint:
    """Read so many pairs of six accounts, one of which fails, and mark the place."""
    world = World(sizes=SIZES, fails={("b", 1): MISSING}) if world is None else world
    async with (
        client_of(world) as client,
        client.meetings.iter_accounts(SIZES, type="upcoming", max_concurrency=3) as iterator,
    ):
        for _ in range(pairs):
            await anext(iterator)
        return AccountsCheckpoint.of(iterator.checkpoint())


async def place_in_one() -> ListingCheckpoint:
    """Read some rows of one account, and mark the place."""
    async with client_of(World(sizes=SIZES)) as client:
        listing = client.meetings.iter_all(account_id="a", type="upcoming")
        for _ in range(5):
            await anext(listing)
        return ListingCheckpoint.of(listing.checkpoint())


@pytest.mark.parametrize("pairs", [0, 1, 5, 9, 14, 20])
async def test_through_text_and_pickle(pairs: int) -> None:
    """A checkpoint is the same after its way through text, and through pickle."""
    place = await place_of(pairs)
    again = Checkpoint.parse(str(place))
    pickled: Checkpoint = pickle.loads(pickle.dumps(place))
    assert str(place) == str(again) == str(pickled)
    assert place == again == pickled
    assert {place} == {again, pickled}
    assert pairs == again.items
    assert repr(place) == repr(again)


async def test_kinds_differ() -> None:
    """A place in one listing is not one among many, and both say what they are."""
    one, many = await place_in_one(), await place_of(5)
    assert one != many
    assert ("a", None) == (one.account_id, many.account_id)
    assert (("type", "upcoming"),) == one.filters == many.filters
    assert ("Checkpoint(account_id='a', items=5, done=False)", 300) == (repr(one), one.page_size)
    # How far the accounts are whose rows nobody has taken yet, is the event loop's affair.
    assert re.fullmatch(r"Checkpoint\(drawn=[45], under_way=[23], failed=1, items=5, done=False\)", repr(many))
    assert not any(token in repr(many) for token in ("token-", "rows"))


async def test_it_stays_what_it_was() -> None:
    """A checkpoint that was kept as an object does not change when the iteration goes on."""
    world = World(sizes=SIZES, fails={("b", 1): MISSING, ("e", 2): BROKEN, ("f", 1): MISSING})
    kept = []
    async with client_of(world) as client, client.meetings.iter_accounts(SIZES, max_concurrency=3) as pairs:
        while await anext(pairs, None) is not None:
            place = pairs.checkpoint()
            kept.append((place, str(place)))
    assert 4 * PAGE + 5 + PAGE == len(kept)
    assert [text for _, text in kept] == [str(place) for place, _ in kept]


@pytest.mark.parametrize("make", [place_in_one, lambda: place_of(9)], ids=["one", "many"])
async def test_damage_is_found(make: Callable[[], Awaitable[Checkpoint]]) -> None:
    """A text with a character too few, too many or changed is refused, wherever that is; so is another version."""
    text = json.dumps(json.loads(str(await make())), separators=(",", ":"))  # spaces between the words are no matter
    for place in range(0, len(text), 7):
        for damaged in (text[:place], text[:place] + text[place + 1 :], f"{text[:place]}~{text[place + 1 :]}"):
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
async def test_a_document_that_cannot_be(change: dict[str, object]) -> None:
    """A document whose check sum fits, but whose fields do not, is refused as well."""
    document = json.loads(str(await place_of(9))) | change
    del document["check"]
    with pytest.raises(CheckpointError):
        Checkpoint.parse(json.dumps(document | {"check": check_sum(document)}))


async def test_each_kind_leads_back_where_it_came_from() -> None:
    """A checkpoint of one kind is refused where the other goes on, with a word on where to go on from it."""
    one, many = await place_in_one(), await place_of(5)
    meetings = PyasClient("key", account_id="a").meetings
    for place in (many, str(many)):
        with pytest.raises(CheckpointError, match=r"one listing.*got <one of many accounts: iter_accounts"):
            meetings.iter_all(resume=place)
    for other in (one, str(one)):
        with pytest.raises(CheckpointError, match=r"many accounts.*got <one of the account 'a' alone: iter_all"):
            meetings.iter_accounts(SIZES, resume=other)


@pytest.mark.parametrize("other", [{"type": "live"}, {"start_date": "01-01-2026"}, {"page_size": 30}])
async def test_other_filters(other: dict[str, object]) -> None:
    """Other filters, and another page size, are refused at the call."""
    place = await place_of(5)
    with pytest.raises(CheckpointError):
        PyasClient("key").meetings.iter_accounts(SIZES, resume=place, **other)  # type: ignore[arg-type]


async def test_filters_come_from_it() -> None:
    """Filters and size that are left out come from the checkpoint, for accounts that are begun afterwards as well."""
    world = World(sizes=SIZES)
    asked = set()
    async with client_of(world) as client:
        async with client.meetings.iter_accounts(SIZES, type="upcoming", page_size=2, max_concurrency=2) as pairs:
            first = [pair_of(*await anext(pairs)) for _ in range(3)]
            place = pairs.checkpoint()
        world.on_query = lambda query: asked.add((query["type"], query["maxResults"]))
        async with client.meetings.iter_accounts(SIZES, type="upcoming", resume=place) as pairs:
            rest_of_all = [pair_of(*pair) async for pair in pairs]
    assert {("upcoming", "2")} == asked
    assert world.pairs().total() == len(first) + len(rest_of_all) == len({*first, *rest_of_all})
    assert 2 == pairs.checkpoint().page_size


@pytest.mark.parametrize("pairs", [1, 5, 9, 14])
async def test_its_size(pairs: int) -> None:
    """Its text is not larger than those of the open listings, 100 bytes for each, and 2 kB."""
    place = await place_of(pairs)
    assert place.under_way or place.failed
    open_ones = [len(str(listing)) + 100 for listing in (*place.under_way, *place.failed)]
    assert len(str(place)) <= sum(open_ones) + 2000


async def test_what_is_finished_is_left_out() -> None:
    """Accounts that are done, and those not yet begun, take no room in it."""
    world = World(sizes=dict.fromkeys(map(str, range(500)), 1))
    async with client_of(world) as client, client.meetings.iter_accounts(world.sizes, max_concurrency=2) as pairs:
        sizes = [len(str(pairs.checkpoint())) async for _ in pairs]
    assert max(sizes) < 1000


async def test_the_last_row_of_a_listing() -> None:
    """Behind the last row of a listing, nothing of it is left to go on with, though its end was not yet seen."""
    world = World(sizes={"a": 2, "b": 2})
    async with client_of(world) as client, client.meetings.iter_accounts(world.sizes, max_concurrency=1) as pairs:
        await anext(pairs)
        assert ["a"] == [listing.account_id for listing in AccountsCheckpoint.of(pairs.checkpoint()).under_way]
        await anext(pairs)
        assert () == AccountsCheckpoint.of(pairs.checkpoint()).under_way
        assert (2, False) == (pairs.checkpoint().items, pairs.checkpoint().done)


async def test_pages_at_hand_are_not_read() -> None:
    """Pages that wait for the reader, or travel to it, count as not read: a checkpoint leads to their first rows."""
    world = World(sizes=SIZES)
    async with client_of(world) as client:
        async with client.meetings.iter_accounts(SIZES, max_concurrency=6) as pairs:
            first = pair_of(*await anext(pairs))
            await rest()
            place = pairs.checkpoint()
            assert pairs.stats.pages == 5 + 1
        assert place == pairs.checkpoint()  # left early, it stands where it stood
        assert 1 == place.items == pairs.stats.items
        async with client.meetings.iter_accounts(SIZES, resume=place) as pairs:
            others = [pair_of(*pair) async for pair in pairs]
    assert world.pairs().total() == 1 + len(others)
    assert first not in others


async def test_before_the_first_pair() -> None:
    """A checkpoint can be taken before anything was drawn, or drawn again, and leads to the same place."""
    world = World(sizes=SIZES)
    async with client_of(world) as client:
        start = client.meetings.iter_accounts(SIZES).checkpoint()
        assert (0, False) == (start.items, start.done)
        place = await place_of(7, world=world)
        assert place == client.meetings.iter_accounts(SIZES, resume=str(place)).checkpoint()
        async with client.meetings.iter_accounts(SIZES, resume=start) as pairs:
            assert world.pairs().total() == len([pair async for pair in pairs])


async def test_a_finished_one_asks_for_nothing() -> None:
    """Behind the last pair of all, there is nothing to ask for; accounts added to the input are listed."""
    world = World(sizes=SIZES)
    async with client_of(world) as client:
        async with client.meetings.iter_accounts(SIZES) as pairs:
            _ = [pair async for pair in pairs]
        place = pairs.checkpoint()
        assert place.done
        calls = world.calls.total()
        async with client.meetings.iter_accounts(SIZES, resume=place) as pairs:
            assert [] == [pair async for pair in pairs]
        assert calls == world.calls.total()
        assert pairs.checkpoint() == place

        world.sizes = {**SIZES, "g": 2}
        async with client.meetings.iter_accounts(world.sizes, resume=place) as pairs:
            assert [("g", 1), ("g", 2)] == [pair_of(*pair) async for pair in pairs]
