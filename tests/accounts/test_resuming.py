"""An iteration over many accounts that is broken off anywhere, and gone on with, gives each pair exactly once."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Final

import anyio
import attrs
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from accounts.world import BROKEN, Pair, World, client_of, pair_of, stream
from pyas_async import AccountsIterator, AuthenticationError, Checkpoint

MISSING: Final = "nobody"


@attrs.frozen
class Leg:
    """One iterator: what its reader and the service do until it is left.

    Attributes:
        batches: How many pairs are taken before each commit.
        lost: Pairs taken after the last commit.
        wide: Accounts under way at a time.
        text: Whether checkpoints are kept as text.
        streamed: Whether the accounts come from an async generator.
        deaths: After which pairs all page tokens die.
        ages: Whether they are then known to be too old.
        faults: Accounts whose next request fails.
        key_lasts: Calls after which the key has expired.
        cancels: Whether every step is cancelled once before it is made.
    """

    batches: Sequence[int] = ()
    lost: int = 0
    wide: int = 3
    text: bool = True
    streamed: bool = False
    deaths: frozenset[int] = frozenset()
    ages: bool = False
    faults: Sequence[int] = ()
    key_lasts: float = math.inf
    cancels: bool = False


LEGS: Final = st.builds(
    Leg,
    batches=st.lists(st.integers(0, 9), max_size=4),
    lost=st.integers(0, 6),
    wide=st.integers(1, 5),
    text=st.booleans(),
    streamed=st.booleans(),
    deaths=st.frozensets(st.integers(0, 12), max_size=3),
    ages=st.booleans(),
    faults=st.lists(st.integers(0, 7), max_size=3),
    key_lasts=st.just(math.inf) | st.integers(0, 12),
    cancels=st.booleans(),
)
SIZES: Final = st.lists(st.sampled_from([0, 1, 2, 3, 4, 6, 7, 11]), min_size=1, max_size=7)


@attrs.define
class Journey:
    """A reader with a store, where pairs are stored together with the checkpoint behind them."""

    world: World
    ids: Sequence[str]
    stored: list[Pair] = attrs.field(factory=list)
    place: Checkpoint | str | None = None

    async def travel(self, leg: Leg) -> None:
        """Read as far as the leg goes, in a client of its own."""
        world = self.world
        world.key_lasts = world.calls.total() + leg.key_lasts
        for number in leg.faults:
            world.plan(self.ids[number % len(self.ids)], BROKEN)
        async with client_of(world) as client:
            pairs = client.meetings.iter_accounts(
                stream(self.ids) if leg.streamed else self.ids, max_concurrency=leg.wide, resume=self.place
            )
            async with pairs:
                await self._read(pairs, leg)
        world.key_lasts = math.inf
        world.plans.clear()

    async def arrive(self) -> AccountsIterator:
        """Read to the end, with nothing in the way."""
        async with client_of(self.world) as client:
            async with client.meetings.iter_accounts(self.ids, resume=self.place) as pairs:
                self.stored += [pair_of(*pair) async for pair in pairs]
            return pairs

    async def _read(self, pairs: AccountsIterator, leg: Leg) -> None:
        for count in leg.batches:
            batch = await self._take(pairs, count, leg)
            self._commit(batch, pairs.checkpoint(), leg)
        await self._take(pairs, leg.lost, leg)
        # However far it was read after it was taken, a checkpoint stays what it was.
        assert len(self.stored) == (Checkpoint.parse(str(self.place)).items if self.place else 0)

    async def _take(self, pairs: AccountsIterator, count: int, leg: Leg) -> list[Pair]:
        batch: list[Pair] = []
        while len(batch) < count:
            if pairs.stats.items in leg.deaths:
                self._let_tokens_die(leg)
            try:
                pair = await _step(pairs, cancelled=leg.cancels)
            except AuthenticationError as error:
                self._commit(batch, error.checkpoint, leg)
                return []
            if pair is None:
                break
            batch.append(pair)
        return batch

    def _commit(self, batch: list[Pair], place: Checkpoint | None, leg: Leg) -> None:
        assert place is not None
        self.stored += batch
        self.place = str(place) if leg.text else place

    def _let_tokens_die(self, leg: Leg) -> None:
        if leg.ages:
            self.world.time += 901.0
        else:
            self.world.kill()


async def _step(pairs: AccountsIterator, *, cancelled: bool) -> Pair | None:
    if cancelled:
        with anyio.CancelScope() as scope:
            scope.cancel()
            return await _pair(pairs)
    return await _pair(pairs)


async def _pair(pairs: AccountsIterator) -> Pair | None:
    pair = await anext(pairs, None)
    return None if pair is None else pair_of(*pair)


def check(backend: str, sizes: list[int], missing: int, legs: list[Leg]) -> None:
    """See that pairs stored with checkpoints are every row of every account once."""
    ids = [f"account {number}" for number in range(len(sizes))]
    world = World(sizes=dict(zip(ids, sizes, strict=True)))
    ids.insert(missing % (len(ids) + 1), MISSING)

    async def main() -> None:
        journey = Journey(world, ids)
        for leg in legs:
            await journey.travel(leg)
        pairs = await journey.arrive()

        assert world.pairs() == Counter(journey.stored)
        assert {MISSING} == set(pairs.failures)
        assert len(journey.stored) == pairs.checkpoint().items

    anyio.run(main, backend=backend)


journeys = given(sizes=SIZES, missing=st.integers(0, 7), legs=st.lists(LEGS, max_size=5))
either = pytest.mark.parametrize("backend", ["asyncio", "trio"])


@either
@settings(max_examples=25, deadline=None)
@journeys
@example(sizes=[11, 1, 1], missing=1, legs=[Leg(batches=[1]), Leg(batches=[2], lost=5)])
@example(sizes=[7, 7], missing=0, legs=[Leg(batches=[4], faults=[0, 1]), Leg(batches=[5], faults=[0])])
@example(sizes=[4] * 7, missing=2, legs=[Leg(batches=[0], key_lasts=0), Leg(batches=[9], key_lasts=6)])
@example(sizes=[0, 6, 7, 0, 0, 0], missing=0, legs=[Leg(batches=[7], lost=6, wide=4, text=False, key_lasts=9)])
def test_every_pair_exactly_once(backend: str, sizes: list[int], missing: int, legs: list[Leg]) -> None:
    """Pairs stored with checkpoints are every row of every account once, whatever ends the iterators between them."""
    check(backend, sizes, missing, legs)


@pytest.mark.long
@either
@settings(max_examples=150, deadline=None)
@journeys
def test_every_pair_exactly_once_on_many_ways(backend: str, sizes: list[int], missing: int, legs: list[Leg]) -> None:
    """So it is on many more ways than there is time for in the ordinary run."""
    check(backend, sizes, missing, legs)
