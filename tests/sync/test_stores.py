"""A store never lags behind what was handed out, and a kill repeats at most one chunk."""

from __future__ import annotations

import contextlib
import stat
from typing import TYPE_CHECKING, Any

import pytest

from pyas_async import CheckpointError, ConfigurationError, InvalidArgumentError, SqliteSyncStore, SyncState, SyncStore
from pyas_async._runtime.sync.reader import CHUNK
from sync.test_model import Memory
from sync.world import Copy, World, client_of, listing

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.anyio
ROWS = 2 * CHUNK + 30


def world_of(rows: int) -> World:
    """Make a world with this many meetings."""
    world = World(page=CHUNK)
    for _ in range(rows):
        world.add()
    return world


def memory(_: Path) -> SyncStore:
    """Return a store in memory."""
    return Memory()


def sqlite(folder: Path) -> SyncStore:
    """Return a store in a file."""
    return SqliteSyncStore(folder / "sync.sqlite")


@pytest.mark.parametrize("make", [memory, sqlite])
@pytest.mark.parametrize("keep", ["documents", "digests"])
@pytest.mark.parametrize("initial", [True, False])
async def test_killed_after_each_change(
    make: Callable[[Path], SyncStore],
    keep: Any,  # noqa: ANN401
    initial: bool,
    tmp_path: Path,
) -> None:
    """A process that is killed after any number of changes hands out at most one chunk again, and loses none."""
    world, copy = world_of(ROWS), Copy()
    seen: list[tuple[str, int]] = []
    async with client_of(world) as client:
        store = make(tmp_path)
        if not initial:
            async for change in client.meetings.changes(store=store, keep=keep):
                copy.apply(change)
            for row in world.rows:
                row["topic"] = "new"
        for killed_after in (0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 10 * CHUNK):
            if make is sqlite:
                store = make(tmp_path)  # another process
            count = 0
            async for change in client.meetings.changes(store=store, keep=keep):
                if count == killed_after:
                    break  # without closing it, as a kill would
                count += 1
                copy.apply(change)
                found = change.meeting or change.before
                assert found is not None
                seen.append((change.kind, found.id))
    assert listing(world) == copy.rows
    assert {row["id"] for row in world.rows} == {meeting_id for _, meeting_id in seen}
    repeated = len(seen) - len(set(seen))
    assert 0 < repeated <= 4 * CHUNK


async def test_closed_midway(tmp_path: Path) -> None:
    """A block that is left hands out only its last change again: it may not have been processed."""
    world, store = world_of(ROWS), sqlite(tmp_path)
    seen = list[int]()
    async with client_of(world) as client:
        while len(seen) < 2 * ROWS:
            async with client.meetings.changes(store=store) as feed:
                count = 0
                async for change in feed:
                    assert change.meeting is not None
                    seen.append(change.meeting.id)
                    count += 1
                    if count == 50:
                        break
                else:
                    break
    assert {row["id"] for row in world.rows} == set(seen)
    assert len(seen) - ROWS == ROWS // 49


async def test_chunks_do_not_save(tmp_path: Path) -> None:
    """Chunks leave the store as it is: the consumer stores them, and each change comes exactly once."""
    world, store = world_of(ROWS), sqlite(tmp_path)
    copy, state, calls = Copy(), None, 0
    async with client_of(world) as client:
        while True:
            feed = client.meetings.changes(since=state)
            ended = True
            async for changes, reached in feed.chunks():
                assert len(changes) <= CHUNK
                for change in changes:
                    copy.apply(change)
                    calls += 1
                state, ended = str(reached), not changes
                break
            if ended:
                break
        async for _ in client.meetings.changes(store=store).chunks():
            pass
    assert None is await store.load("acc")
    assert ROWS == calls
    assert listing(world) == copy.rows


async def test_rows_are_read_only_if_they_are_needed(tmp_path: Path) -> None:
    """If nothing has changed, a round reads no row of the file, and writes nothing."""
    world = world_of(20)
    path = tmp_path / "sync.sqlite"
    async with client_of(world) as client:
        async for _ in client.meetings.changes(store=path):
            pass
        store = SqliteSyncStore(path)
        before = await store.load("acc")
        assert before is not None
        feed = client.meetings.changes(store=store)
        assert [] == [change async for change in feed]
        assert not feed.state.content.stored.is_loaded
        assert 20 == feed.state.rows
        after = await store.load("acc")
    assert str(before) == str(after)


async def test_the_file_is_private(tmp_path: Path) -> None:
    """Only the owner can read the file, and what SQLite puts beside it."""
    store = SqliteSyncStore(tmp_path / "sync.sqlite")
    await store.save("acc", SyncState(account_id="acc"))
    for file in list(tmp_path.iterdir()):  # noqa: ASYNC240
        assert 0o600 == stat.S_IMODE(file.stat().st_mode)
    await store.aclose()
    assert 0 == (await store.load("acc") or SyncState(account_id="other", rows=1)).rows
    await store.forget("acc")
    assert None is await store.load("acc")


async def test_files_that_are_refused(tmp_path: Path) -> None:
    """A file of another kind is refused by name, and stays as it is."""
    text = tmp_path / "text"
    text.write_text("This is not a database. " * 100)
    with pytest.raises(CheckpointError, match="not an SQLite file"):
        await SqliteSyncStore(text).load("acc")
    assert text.read_text().startswith("This is not a database")

    import sqlite3  # noqa: PLC0415

    other = tmp_path / "other.sqlite"
    with contextlib.closing(sqlite3.connect(other)) as db:
        db.execute("CREATE TABLE mine (x)")
    with pytest.raises(CheckpointError, match="another program"):
        await SqliteSyncStore(other).save("acc", SyncState(account_id="acc"))
    with pytest.raises(ConfigurationError, match="nowhere"):
        await SqliteSyncStore(tmp_path / "nowhere" / "file").load("acc")
    with pytest.raises(InvalidArgumentError):
        SqliteSyncStore("")


async def test_a_state_of_another_listing(tmp_path: Path) -> None:
    """The state of a listing with other filters is refused at the first step."""
    world, store = world_of(3), sqlite(tmp_path)
    async with client_of(world) as client:
        async for _ in client.meetings.changes(store=store, type="live"):
            pass
        with pytest.raises(CheckpointError, match="type="):
            await anext(client.meetings.changes(store=store, type="upcoming"))
        # Filters that are left out come from the state.
        assert [] == [change async for change in client.meetings.changes(store=store)]
