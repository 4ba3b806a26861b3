"""A watch goes through its accounts for ever, tells their changes, and survives what happens to single ones."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import anyio
import anyio.lowlevel
import attrs
import httpx
import pytest

import inside
from pyas_async import (
    AuthenticationError,
    Change,
    ConfigurationError,
    InvalidArgumentError,
    PyasClient,
    SqliteSyncStore,
    SyncState,
    WatchPassed,
)
from pyas_async._core.sync.schedule import shard_of
from pyas_async._runtime.clock import Clock
from sync.test_model import Memory
from sync.world import EPOCH, Copy, World, listing

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from pyas_async import Watcher

pytestmark = pytest.mark.anyio


@attrs.define(eq=False)
class Worlds(httpx.AsyncBaseTransport):
    """A service with several accounts, each a world of its own; all of them have one clock."""

    worlds: dict[str, World]
    refusal: httpx.Response | None = None

    @property
    def time(self) -> float:
        """Virtual seconds."""
        return next(iter(self.worlds.values())).time

    async def sleep(self, seconds: float) -> None:
        """Let virtual time pass once all other tasks are blocked."""
        end = self.time + seconds
        for _ in range(20):
            await anyio.lowlevel.checkpoint()
        for world in self.worlds.values():
            world.time = max(world.time, end)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Respond to a request."""
        if self.refusal is not None:
            return self.refusal
        account_id = request.url.params["accountId"]
        if account_id not in self.worlds:
            return httpx.Response(404, json={"success": False, "error": "Invalid account id. Account Not Found"})
        return await self.worlds[account_id].handle_async_request(request)


def worlds_of(count: int, rows: int = 4) -> Worlds:
    """Make a service with this many accounts."""
    worlds = {f"acc-{number}": World() for number in range(count)}
    for world in worlds.values():
        for _ in range(rows):
            world.add()
    return Worlds(worlds)


@contextlib.asynccontextmanager
async def client_of(worlds: Worlds, **options: Any) -> AsyncIterator[PyasClient]:  # noqa: ANN401
    """Open a client whose clocks are the service's."""
    from datetime import timedelta  # noqa: PLC0415

    async with httpx.AsyncClient(transport=worlds, trust_env=False) as http:
        client = PyasClient("key", base_url="https://world.test", http_client=http, retry=None, **options)
        clock = Clock(
            now=lambda: worlds.time,
            wall=lambda: EPOCH + timedelta(seconds=worlds.time),
            sleep=worlds.sleep,
            random=lambda: 0.5,
        )
        inside.set_clock(client, clock)
        async with client:
            yield client


async def take(changes: Watcher, count: int) -> list[Change]:
    """Take this many changes of a watch."""
    with anyio.fail_after(20):
        return [await anext(changes) for _ in range(count)]


async def test_changes_of_all_accounts() -> None:
    """Each account's changes come with its id, in this pass or a later one, and no account is looked at too often."""
    worlds, events = worlds_of(3), list[WatchPassed]()
    copies = {name: Copy() for name in worlds.worlds}

    def on_event(event: object) -> None:
        if isinstance(event, WatchPassed):
            events.append(event)

    async with (
        client_of(worlds, on_event=on_event) as client,
        client.meetings.watch(worlds.worlds, store=Memory(), every=60.0) as changes,
    ):
        first = await take(changes, 12)
        assert all(change.initial for change in first)
        worlds.worlds["acc-1"].rows[0]["topic"] = "new"
        worlds.worlds["acc-2"].add()
        found = await take(changes, 2)
        for change in (*first, *found):
            copies[change.account_id].apply(change)
        assert {("acc-1", "updated"), ("acc-2", "created")} == {(change.account_id, change.kind) for change in found}
        assert not any(change.initial for change in found)
        assert 60.0 <= worlds.time <= 130.0
        assert {name: listing(world) for name, world in worlds.worlds.items()} == {
            name: copy.rows for name, copy in copies.items()
        }
        stats = changes.stats
        assert (3, 13, 1) == (stats.accounts, stats.created, stats.updated)
        assert 0 <= changes.lag <= 130.0
    assert (3, 0) == (events[0].accounts, events[0].failing)


async def test_accounts_come_and_go() -> None:
    """Each pass draws the accounts anew: a new one is looked at, a removed one is not."""
    worlds, names = worlds_of(3), ["acc-0", "acc-1"]

    async def accounts() -> list[str]:
        await anyio.lowlevel.checkpoint()
        return list(names)

    async with client_of(worlds) as client, client.meetings.watch(accounts, store=Memory(), every=10.0) as changes:
        await take(changes, 8)
        names[:] = ["acc-1", "acc-2"]
        found = await take(changes, 4)
        assert {"acc-2"} == {change.account_id for change in found}
        calls = worlds.worlds["acc-0"].calls
        worlds.worlds["acc-1"].add()
        await take(changes, 1)
        assert calls == worlds.worlds["acc-0"].calls


async def test_an_iterator_is_read_once() -> None:
    """The accounts of an iterator, which cannot be read again, are kept."""
    worlds = worlds_of(2)
    async with (
        client_of(worlds) as client,
        client.meetings.watch(iter(list(worlds.worlds)), store=Memory(), every=10.0) as changes,
    ):
        await take(changes, 8)
        worlds.worlds["acc-1"].add()
        worlds.worlds["acc-0"].add()
        assert 2 == len(await take(changes, 2))


async def test_an_account_that_fails() -> None:
    """A failing account is set aside, with its error, and is looked at again later; the others go on."""
    worlds = worlds_of(2)
    names = ["acc-0", "gone", "acc-1"]
    async with client_of(worlds) as client, client.meetings.watch(names, store=Memory(), every=10.0) as changes:
        await take(changes, 8)
        for _ in range(5):
            worlds.worlds["acc-0"].add()
            await take(changes, 1)
        assert {"gone"} == set(changes.failures)
        assert "Account Not Found" in str(changes.failures["gone"])
        assert 1 == changes.stats.failing
        time = worlds.time
        worlds.worlds["gone"] = World(time=time)
        worlds.worlds["gone"].add()
        [change] = await take(changes, 1)
        assert "gone" == change.account_id
        worlds.worlds["acc-0"].add()
        await take(changes, 1)
        assert {} == changes.failures


async def test_what_ends_it() -> None:
    """A wrong key ends the watch, and so does closing the client; then nothing more comes."""
    worlds = worlds_of(2)
    async with client_of(worlds) as client, client.meetings.watch(worlds.worlds, store=Memory(), every=10.0) as changes:
        await take(changes, 8)
        worlds.refusal = httpx.Response(401, json={"error": "Unauthorized"})
        with pytest.raises(AuthenticationError), anyio.fail_after(20):
            await anext(changes)
        with pytest.raises(StopAsyncIteration):
            await anext(changes)


async def test_cancelled_steps_lose_nothing() -> None:
    """A step that is cancelled while it waits loses no change."""
    worlds, copy = worlds_of(1, rows=9), Copy()
    async with client_of(worlds) as client, client.meetings.watch(worlds.worlds, store=Memory(), every=10.0) as changes:
        found = list[Change]()
        while len(found) < 9:
            with anyio.move_on_after(0):
                found.append(await anext(changes))
                continue
            found += await take(changes, 1)
        for change in found:
            copy.apply(change)
    assert listing(worlds.worlds["acc-0"]) == copy.rows


@pytest.mark.parametrize("closed", [True, False], ids=["closed", "killed"])
async def test_stopped_midway(closed: bool, tmp_path: Path) -> None:
    """A watch that goes on after another was stopped hands out at most one chunk again, and loses nothing."""
    worlds = worlds_of(2, rows=150)
    for world in worlds.worlds.values():
        world.page = 300
    copies = {name: Copy() for name in worlds.worlds}
    count = processes = 0
    async with client_of(worlds) as client:
        while any(listing(world) != copies[name].rows for name, world in worlds.worlds.items()):
            store = SqliteSyncStore(tmp_path / "watch.sqlite")
            async with client.meetings.watch(worlds.worlds, store=store, every=10.0) as changes:
                with anyio.move_on_after(20):
                    for _ in range(130):
                        change = await anext(changes)
                        copies[change.account_id].apply(change)
                        count += 1
                        if all(listing(world) == copies[name].rows for name, world in worlds.worlds.items()):
                            break
                processes += 1
                if not closed:
                    inside.forget_current_chunk(changes)
            assert processes < 10
    assert count <= 300 + processes * (1 if closed else 100)


async def test_one_watch_a_file(tmp_path: Path) -> None:
    """A second watch on the same file is refused at its block, before any call; afterwards the file is free."""
    worlds, path = worlds_of(1), tmp_path / "watch.sqlite"
    async with client_of(worlds) as client:
        async with client.meetings.watch(worlds.worlds, store=path):
            with pytest.raises(ConfigurationError, match="another watch"):
                await client.meetings.watch(worlds.worlds, store=path).__aenter__()
        async with client.meetings.watch(worlds.worlds, store=path):
            pass
    assert 0 == worlds.worlds["acc-0"].calls


async def test_chunks() -> None:
    """Chunks come with the account and the state after them; the watch saves nothing."""
    worlds, store = worlds_of(2), Memory()
    copies = {name: Copy() for name in worlds.worlds}
    async with client_of(worlds) as client, client.meetings.watch(worlds.worlds, store=store, every=10.0) as watcher:
        news = 0
        async for account_id, changes, state in watcher.chunks():
            for change in changes:
                copies[account_id].apply(change)
            store.texts[account_id] = str(state)
            news += 1
            if news == 6:
                worlds.worlds["acc-1"].add()
            if news > 6:
                break
        assert 2 * 5 >= news
    assert listing(worlds.worlds["acc-1"]) == copies["acc-1"].rows
    assert 5 == SyncState.parse(store.texts["acc-1"]).rows


async def test_shards() -> None:
    """The shards of several watches have every account exactly once."""
    worlds = worlds_of(8, rows=1)
    seen = []
    async with client_of(worlds) as client:
        for shard in range(3):
            own = [name for name in worlds.worlds if shard_of(name, 3) == shard]
            if not own:
                continue
            async with client.meetings.watch(worlds.worlds, store=Memory(), shard=(shard, 3)) as changes:
                seen += [change.account_id for change in await take(changes, len(own))]
    assert sorted(worlds.worlds) == sorted(seen)


async def test_misuse() -> None:
    """A watch without its block, or iterated twice, says what to do."""
    worlds = worlds_of(1)
    async with client_of(worlds) as client:
        watcher = client.meetings.watch(worlds.worlds, store=Memory())
        with pytest.raises(TypeError, match="needs a block"):
            aiter(watcher)
        async with watcher:
            aiter(watcher)
            with pytest.raises(RuntimeError, match="has been iterated"):
                watcher.chunks()
        with pytest.raises(RuntimeError, match="has been iterated"):
            await watcher.__aenter__()


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"every": 0}, "every"),
        ({"every": "60"}, "every"),
        ({"shard": 3}, "shard"),
        ({"shard": (3, 3)}, "shard[0]"),
        ({"shard": (-1, 3)}, "shard[0]"),
        ({"shard": (0, 0)}, "shard[1]"),
        ({"max_concurrency": 0}, "max_concurrency"),
        ({"account_ids": "acc"}, "account_ids"),
        ({"account_ids": 5}, "account_ids"),
        ({"store": 5}, "store"),
        ({"confirm": "x"}, "confirm"),
    ],
)
async def test_arguments_that_are_refused(arguments: dict[str, Any], field: str) -> None:
    """A wrong argument is refused at the call."""
    async with client_of(worlds_of(1)) as client:
        watch: Callable[..., Watcher] = client.meetings.watch
        with pytest.raises(InvalidArgumentError) as caught:
            watch(**{"account_ids": ["acc"], "store": Memory(), **arguments})
    assert field == caught.value.field
