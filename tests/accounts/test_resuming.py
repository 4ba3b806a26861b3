"""An iteration over many accounts that ends anywhere, and is resumed, yields each pair exactly once."""

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

MISSING: Final = "unknown"


@attrs.frozen
class IteratorPlan:
    """What the consumer and the service do to one iterator until it is left.

    Attributes:
        batches: How many pairs are taken before each commit.
        lost: Pairs taken after the last commit.
        max_concurrency: Active accounts at a time.
        text: Whether checkpoints are kept as text.
        streamed: Whether the accounts come from an async generator.
        deaths: After how many pairs all page tokens expire.
        ages: Whether that is by age, so that the client knows it.
        faults: Accounts whose next request fails.
        key_lasts: Calls after which the key has expired.
        cancels: Whether each step is made in a cancelled scope first, and then again.
    """

    batches: Sequence[int] = ()
    lost: int = 0
    max_concurrency: int = 3
    text: bool = True
    streamed: bool = False
    deaths: frozenset[int] = frozenset()
    ages: bool = False
    faults: Sequence[int] = ()
    key_lasts: float = math.inf
    cancels: bool = False


PLANS: Final = st.builds(
    IteratorPlan,
    batches=st.lists(st.integers(0, 9), max_size=4),
    lost=st.integers(0, 6),
    max_concurrency=st.integers(1, 5),
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
class Job:
    """A consumer that stores pairs together with the checkpoint after them."""

    world: World
    ids: Sequence[str]
    stored: list[Pair] = attrs.field(factory=list)
    checkpoint: Checkpoint | str | None = None

    async def run(self, plan: IteratorPlan) -> None:
        """Take pairs according to the plan, in a client of its own."""
        world = self.world
        world.key_lasts = world.calls.total() + plan.key_lasts
        for number in plan.faults:
            world.plan(self.ids[number % len(self.ids)], BROKEN)
        async with client_of(world) as client:
            pairs = client.meetings.iter_accounts(
                stream(self.ids) if plan.streamed else self.ids,
                max_concurrency=plan.max_concurrency,
                resume=self.checkpoint,
            )
            async with pairs:
                await self._read(pairs, plan)
        world.key_lasts = math.inf
        world.plans.clear()

    async def finish(self) -> AccountsIterator:
        """Take pairs to the end, without any failure."""
        async with client_of(self.world) as client:
            async with client.meetings.iter_accounts(self.ids, resume=self.checkpoint) as pairs:
                self.stored += [pair_of(*pair) async for pair in pairs]
            return pairs

    async def _read(self, pairs: AccountsIterator, plan: IteratorPlan) -> None:
        for count in plan.batches:
            batch = await self._take(pairs, count, plan)
            self._commit(batch, pairs.checkpoint(), plan)
        await self._take(pairs, plan.lost, plan)
        # A checkpoint does not change, however many pairs were taken after it.
        assert len(self.stored) == (Checkpoint.parse(str(self.checkpoint)).items if self.checkpoint else 0)

    async def _take(self, pairs: AccountsIterator, count: int, plan: IteratorPlan) -> list[Pair]:
        batch: list[Pair] = []
        while len(batch) < count:
            if pairs.stats.items in plan.deaths:
                self._let_tokens_die(plan)
            try:
                pair = await _step(pairs, cancelled=plan.cancels)
            except AuthenticationError as error:
                self._commit(batch, error.checkpoint, plan)
                return []
            if pair is None:
                break
            batch.append(pair)
        return batch

    def _commit(self, batch: list[Pair], checkpoint: Checkpoint | None, plan: IteratorPlan) -> None:
        assert checkpoint is not None
        self.stored += batch
        self.checkpoint = str(checkpoint) if plan.text else checkpoint

    def _let_tokens_die(self, plan: IteratorPlan) -> None:
        if plan.ages:
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


def check(backend: str, sizes: list[int], missing: int, plans: list[IteratorPlan]) -> None:
    """Check that pairs stored with checkpoints are every row of every account once."""
    ids = [f"account {number}" for number in range(len(sizes))]
    world = World(sizes=dict(zip(ids, sizes, strict=True)))
    ids.insert(missing % (len(ids) + 1), MISSING)

    async def main() -> None:
        job = Job(world, ids)
        for plan in plans:
            await job.run(plan)
        pairs = await job.finish()

        assert world.pairs() == Counter(job.stored)
        assert {MISSING} == set(pairs.failures)
        assert len(job.stored) == pairs.checkpoint().items

    anyio.run(main, backend=backend)


drawn = given(sizes=SIZES, missing=st.integers(0, 7), plans=st.lists(PLANS, max_size=5))
either = pytest.mark.parametrize("backend", ["asyncio", "trio"])


@either
@settings(max_examples=25, deadline=None)
@drawn
@example(sizes=[11, 1, 1], missing=1, plans=[IteratorPlan(batches=[1]), IteratorPlan(batches=[2], lost=5)])
@example(
    sizes=[7, 7], missing=0, plans=[IteratorPlan(batches=[4], faults=[0, 1]), IteratorPlan(batches=[5], faults=[0])]
)
@example(
    sizes=[4] * 7, missing=2, plans=[IteratorPlan(batches=[0], key_lasts=0), IteratorPlan(batches=[9], key_lasts=6)]
)
@example(
    sizes=[0, 6, 7, 0, 0, 0],
    missing=0,
    plans=[IteratorPlan(batches=[7], lost=6, max_concurrency=4, text=False, key_lasts=9)],
)
def test_every_pair_exactly_once(backend: str, sizes: list[int], missing: int, plans: list[IteratorPlan]) -> None:
    """Pairs stored with checkpoints are every row of every account once, whatever ends the iterators between them."""
    check(backend, sizes, missing, plans)


@pytest.mark.long
@either
@settings(max_examples=150, deadline=None)
@drawn
def test_every_pair_exactly_once_at_length(
    backend: str, sizes: list[int], missing: int, plans: list[IteratorPlan]
) -> None:
    """The same with six times as many examples."""
    check(backend, sizes, missing, plans)
