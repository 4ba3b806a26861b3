"""A copy that applies the changes of rounds is the service's listing, whatever happens in between."""

from __future__ import annotations

import os
import random
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from pyas_async import SyncState
from sync.world import Copy, World, client_of, identity_of, listing, mutate

if TYPE_CHECKING:
    from pyas_async import Change, ChangeFeed, PyasClient

pytestmark = pytest.mark.anyio

STEPS = int(os.environ.get("PYAS_ASYNC_SYNC_STEPS", "60"))
"""Rounds of a test; the full proof sets more."""
SEEDS = [1, 2]


class Memory:
    """A store that keeps states as text."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}

    async def load(self, account_id: str) -> SyncState | None:
        """Return the state of an account."""
        text = self.texts.get(account_id)
        return None if text is None else SyncState.parse(text)

    async def save(self, account_id: str, state: SyncState) -> None:
        """Keep a state."""
        self.texts[account_id] = str(state)

    async def forget(self, account_id: str) -> None:
        """Delete a state."""
        self.texts.pop(account_id, None)


class Run:
    """Rounds over a world that changes, with a consumer that keeps a copy and is killed now and then."""

    def __init__(self, seed: int, keep: str, mode: str) -> None:
        self.chance = random.Random(seed)
        self.world = World()
        self.copy = Copy()
        self.keep = keep
        self.mode = mode
        self.text: str | None = None
        self.store = Memory()
        self.cancelled = Counter[int]()
        for _ in range(self.chance.randint(0, 12)):
            mutate(self.world, self.chance)

    def feed(self, client: PyasClient) -> ChangeFeed:
        """Begin a round, as a new process would."""
        if self.mode == "store":
            return client.meetings.changes(store=self.store, keep=self.keep)  # type: ignore[arg-type]
        return client.meetings.changes(since=self.text, keep=self.keep)  # type: ignore[arg-type]

    async def round(self, client: PyasClient, *, killed: bool) -> int:
        """Do a round, perhaps killed midway; return how many rows were not confirmed."""
        feed = self.feed(client)
        limit = self.chance.randint(0, 5) if killed else 10_000
        if self.mode == "chunks":
            async for changes, state in feed.chunks():
                for change in changes:
                    self._take(change)
                self.text = str(state)
                limit -= 1
                if limit < 0:
                    return -1
        else:
            count = 0
            async for change in feed:
                if count == limit:
                    return -1
                count += 1
                self._take(change)
                if self.mode == "since":
                    self.text = str(feed.state)
            self.text = str(feed.state)
        return feed.stats.unconfirmed

    def _take(self, change: Change) -> None:
        # A change that comes again finds its row gone.
        if change.kind == "deleted" and change.before is not None and identity_of(change.before) in self.copy.rows:
            # Which of its dates was cancelled cannot be told if another one has moved; how many, can.
            meeting_id = change.before.id
            self.cancelled[meeting_id] += 1
            cancelled = len(self.world.cancelled.get(meeting_id, ()))
            assert meeting_id in self.world.deleted or self.cancelled[meeting_id] <= cancelled
        self.copy.apply(change)


@pytest.mark.parametrize("mode", ["since", "store", "chunks"])
@pytest.mark.parametrize("keep", ["documents", "digests"])
@pytest.mark.parametrize("seed", SEEDS)
async def test_the_copy_is_the_listing(seed: int, keep: str, mode: str) -> None:
    """After each quiet round the copy equals the listing; what is deleted was deleted; no change is lost by a kill."""
    run = Run(seed, keep, mode)
    world, chance = run.world, run.chance
    quiet = 0
    async with client_of(world) as client:
        for _ in range(STEPS):
            for _ in range(chance.choice([0, 0, 1, 2, 5])):
                mutate(world, chance)
            if chance.random() < 0.1:
                world.kill_tokens()
            noisy = chance.random() < 0.3
            world.before_page = (lambda _: mutate(world, chance) if chance.random() < 0.4 else None) if noisy else None
            world.total_lag = chance.choice([0, 0, 0, 1, -1])
            killed = chance.random() < 0.3
            unconfirmed = await run.round(client, killed=killed)
            world.before_page = None
            if noisy or killed or unconfirmed:
                continue
            quiet += 1
            assert listing(world) == run.copy.rows
    assert quiet >= STEPS // 10
