"""What a round says about each kind of change, and what it does not say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest

from pyas_async import (
    AuthenticationError,
    Change,
    ChangeStats,
    CheckpointError,
    InvalidArgumentError,
    NotFoundError,
    PyasClient,
    SyncState,
)
from sync.world import Copy, World, at, client_of, listing

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.anyio


async def changes_of(client: PyasClient, since: SyncState | str | None, **more: Any) -> tuple[list[Change], SyncState]:  # noqa: ANN401
    """Do a round, and return its changes and the state after it."""
    feed = client.meetings.changes(since=since, **more)
    found = [change async for change in feed]
    return found, feed.state


def kinds(changes: list[Change]) -> list[str]:
    """Return the kinds of changes, sorted."""
    return sorted(change.kind for change in changes)


async def test_first_round() -> None:
    """In a first round every row is new, and `initial` says so; the following round has no changes."""
    world = World()
    for _ in range(7):
        world.add()
    async with client_of(world) as client:
        found, state = await changes_of(client, None)
        assert ["created"] * 7 == kinds(found)
        assert all(change.initial and change.before is None and "acc" == change.account_id for change in found)
        assert 7 == state.rows
        assert 3 == world.calls
        again, after = await changes_of(client, str(state))
        assert [] == again
        assert 7 == after.rows
        world.add()
        [new], _ = await changes_of(client, after)
        assert not new.initial


async def test_updated() -> None:
    """A changed row is one change, with both rows and the names of the changed fields, unknown ones included."""
    world = World()
    world.add()
    world.add(topic="old")
    async with client_of(world) as client:
        _, state = await changes_of(client, None)
        row = world.rows[1]
        row.update(topic="new", start_time=at(9), another={"unknown": 1})
        del row["duration"]
        [change], after = await changes_of(client, state)
        assert ("updated", ("topic", "start_time", "another", "duration")) == (change.kind, change.fields)
        assert change.before is not None
        assert change.meeting is not None
        assert ("old", "new") == (change.before.topic, change.meeting.topic)
        assert [] == world.gets
        assert 2 == after.rows


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ([1, 2, 3], [1, 2, 3], {}),
        ([1, 2, 3], [1, 2, 4], {"updated": 1}),  # the last date moves
        ([1, 2, 3], [4, 5, 6], {"updated": 3}),  # the whole series moves
        ([1, 2, 3], [2, 3, 4], {"left": 1, "created": 1}),  # the series goes on for a day
        ([1, 2, 3], [1, 3, 4], {"left": 1, "created": 1}),  # a date would pass another one
        ([1, 5, 9], [2, 5, 8], {"updated": 2}),  # on both sides of one that stays
        ([1, 2], [3], {"updated": 1, "left": 1}),
        ([1], [2, 3], {"updated": 1, "created": 1}),
    ],
)
async def test_dates_of_a_series(old: list[int], new: list[int], expected: dict[str, int]) -> None:
    """The dates of a series are matched in order, and none passes a date that stays."""
    world = World()
    world.add(dates=len(old))
    for row, day in zip(world.rows, old, strict=True):
        row["start_time"] = at(day)
    async with client_of(world) as client:
        first, state = await changes_of(client, None)
        copy = Copy()
        for change in first:
            copy.apply(change)
        template = world.rows[0]
        world.rows[:] = [{**template, "start_time": at(day)} for day in new]
        world.over.extend({**template, "start_time": at(day)} for day in old if day not in new)
        found, _ = await changes_of(client, state)
        for change in found:
            copy.apply(change)
    assert expected == {kind: kinds(found).count(kind) for kind in kinds(found)}
    assert listing(world) == copy.rows


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (None, "left"),  # the meeting itself: it is over
        (httpx.Response(404, json={"code": 3001, "message": "Meeting does not exist: 81."}), "deleted"),
        (httpx.Response(404, json={"success": False, "error": "Not Found"}), "deleted"),
        (httpx.Response(410, json={"error": "Gone"}), "deleted"),
        (httpx.Response(400, json={"code": 3001, "message": "Meeting does not exist"}), "deleted"),
        (httpx.Response(403, json={"error": "Forbidden"}), "left"),
        (httpx.Response(400, json={"code": 3000, "message": "Cannot access"}), "left"),
        (httpx.Response(500, json={"error": "Internal"}), None),
        (httpx.Response(503, text="<html>"), None),
    ],
)
async def test_missing(answer: httpx.Response | None, expected: str | None) -> None:
    """A get tells a deleted meeting from one that is over. If it tells nothing, nothing is said, and the row stays."""
    world = World()
    meeting_id = world.add()
    world.add()
    async with client_of(world) as client:
        _, state = await changes_of(client, None)
        world.end(world.rows[0])
        if answer is not None:
            world.answers[meeting_id] = answer
        feed = client.meetings.changes(since=state)
        found = [change async for change in feed]
        if expected is None:
            assert [] == found
            assert (1, 2) == (feed.stats.unconfirmed, feed.state.rows)
            world.answers.clear()
            found, after = await changes_of(client, feed.state)
            assert (["left"], 1) == (kinds(found), after.rows)
        else:
            [change] = found
            assert (expected, None) == (change.kind, change.meeting)
            assert change.before is not None
            assert meeting_id == change.before.id
            assert 1 == feed.state.rows
        assert "SECRET" not in repr(found) + str(feed.state)


async def test_cancelled_date() -> None:
    """A date that its series calls cancelled was deleted; one get tells that for all dates of the series."""
    world = World()
    meeting_id = world.add(dates=4)
    async with client_of(world) as client:
        _, state = await changes_of(client, None)
        world.cancel_date(world.rows[1])
        world.cancel_date(world.rows[2])
        found, _ = await changes_of(client, state)
    assert ["deleted", "deleted"] == kinds(found)
    assert [meeting_id] == world.gets


async def test_confirm_off() -> None:
    """Without confirmation, no get is sent, and a missing row has left."""
    world = World()
    meeting_id = world.add()
    async with client_of(world) as client:
        _, state = await changes_of(client, None)
        world.delete(meeting_id)
        found, _ = await changes_of(client, state, confirm="off")
    assert ["left"] == kinds(found)
    assert [] == world.gets


@pytest.mark.parametrize(
    ("status", "document", "expected"),
    [
        (404, {"error": "Invalid account id. Account Not Found"}, NotFoundError),
        (401, {"error": "Unauthorized"}, AuthenticationError),
    ],
)
async def test_answers_that_end_the_round(status: int, document: dict[str, str], expected: type[Exception]) -> None:
    """What every other call would meet as well ends the round; the state has what was handed out before."""
    world = World()
    meeting_id = world.add()
    world.add()
    async with client_of(world) as client:
        _, state = await changes_of(client, None)
        world.delete(meeting_id)
        world.rows[0]["topic"] = "new"
        world.answers[meeting_id] = httpx.Response(status, json=document)
        feed = client.meetings.changes(since=state)
        found = []
        with pytest.raises(expected):
            async for change in feed:
                found.append(change)  # noqa: PERF401  (it raises)
        assert None is await anext(feed, None)
        world.answers.clear()
        rest, _ = await changes_of(client, str(feed.state))
    assert ["updated"] == kinds(found)
    assert ["deleted"] == kinds(rest)


async def test_few_gets() -> None:
    """A round looks up at most 20 meetings, or as many as it had pages; the following rounds look up the rest."""
    world = World()
    ids = [world.add() for _ in range(50)]
    async with client_of(world) as client:
        _, state = await changes_of(client, None)
        for meeting_id in ids:
            world.delete(meeting_id)
        gets, left = list[int](), list[int]()
        while state.rows:
            feed = client.meetings.changes(since=state)
            found = [change async for change in feed]
            assert len(found) + feed.stats.unconfirmed == state.rows
            gets.append(len(found))
            left.append(feed.stats.unconfirmed)
            state = feed.state
    assert ([20, 20, 10], [30, 10, 0]) == (gets, left)
    assert sorted(ids) == sorted(world.gets)


async def test_drift() -> None:
    """A row that one walk misses, since the listing changed, is not gone: the listing is walked again."""
    world = World()
    for _ in range(9):
        world.add()
    async with client_of(world) as client:
        _, state = await changes_of(client, None)

        def change_once(offset: int) -> None:
            if offset == 3:
                world.before_page = None
                world.delete(world.rows[0]["id"])  # the rows behind it move up, and one is missed

        world.before_page = change_once
        feed = client.meetings.changes(since=state)
        found = [change async for change in feed]
    assert ["deleted"] == kinds(found)
    assert ChangeStats(rows=8, pages=6, calls=7, deleted=1, drifted=1) == feed.stats


async def test_drift_without_end() -> None:
    """If the listing changes within each walk, nothing counts as gone; the next quiet round says it."""
    world = World()
    for _ in range(9):
        world.add()
    async with client_of(world) as client:
        _, state = await changes_of(client, None)

        def change(offset: int) -> None:
            if offset == 3:
                world.delete(world.rows[0]["id"])

        world.before_page = change
        feed = client.meetings.changes(since=state)
        found = [one async for one in feed]
        assert [] == found
        assert 3 == feed.stats.drifted
        world.before_page = None
        rest, after = await changes_of(client, feed.state)
    assert {"deleted": 3} == {kind: kinds(rest).count(kind) for kind in kinds(rest)}
    assert len(world.rows) == after.rows


async def test_a_total_that_is_always_off() -> None:
    """A total that differs by the same number in each round is no sign of a change."""
    world = World(total_lag=5)
    ids = [world.add() for _ in range(4)]
    async with client_of(world) as client:
        _, state = await changes_of(client, None)
        world.delete(ids[0])
        feed = client.meetings.changes(since=str(state))
        assert ["deleted"] == kinds([change async for change in feed])
    assert 0 == feed.stats.drifted


@pytest.mark.parametrize("keep", ["documents", "digests"])
async def test_ignore(keep: Any) -> None:  # noqa: ANN401
    """Changes of ignored fields do not count, and are not named; they count again once they are not ignored."""
    world = World()
    world.add()
    async with client_of(world) as client:
        _, state = await changes_of(client, None, keep=keep, ignore=["topic"])
        world.rows[0]["topic"] = "new"
        found, state = await changes_of(client, state, ignore=["topic"])
        assert [] == found
        world.rows[0].update(topic="newer", duration=60)
        [change], state = await changes_of(client, str(state), ignore=["topic"])
        assert ("duration",) == change.fields
        found, state = await changes_of(client, state)
        assert [] == found
        world.rows[0]["topic"] = "newest"
        [change], _ = await changes_of(client, str(state))
        assert ("topic",) == change.fields


async def test_equal_json() -> None:
    """Rows are compared as JSON: the order of fields does not count, and true is not 1."""
    world = World()
    world.add()
    world.rows[0]["flag"] = True
    async with client_of(world) as client:
        _, state = await changes_of(client, None)
        world.rows[0] = dict(reversed(list(world.rows[0].items())))
        world.rows[0]["duration"] = 30.0
        found, state = await changes_of(client, state)
        assert [] == found
        world.rows[0]["flag"] = 1
        [change], _ = await changes_of(client, state)
    assert ("flag",) == change.fields


async def test_digests_hold_no_secret() -> None:
    """With digests, a state holds neither titles nor links, and a row before has its identity alone."""
    world = World()
    world.add(topic="SECRET title")
    world.rows[0]["join_url"] = "https://zoom.test/j/81?pwd=SECRET"
    async with client_of(world) as client:
        _, state = await changes_of(client, None, keep="digests")
        world.rows[0]["topic"] = "other SECRET"
        [change], after = await changes_of(client, str(state))
    assert "SECRET" not in str(state) + str(after)
    assert change.before is not None
    assert (81, None, "other SECRET", ("topic",)) == (
        change.before.id,
        change.before.topic,
        change.meeting and change.meeting.topic,
        change.fields,
    )


def broken(text: str) -> list[tuple[str, Any]]:
    """Return texts that are no state of this listing, each with what is wrong."""
    return [
        ("not text", 5),
        ("empty", ""),
        ("not JSON", "x"),
        ("cut", text[:-10]),
        ("a byte changed", text.replace('"topic"', '"topik"', 1)),
        ("another version", text.replace('"version": 1', '"version": 99', 1)),
        ("a checkpoint", '{"version": 1, "account": "acc"}'),
        ("nothing else", "{}"),
        ("twice", text + text),
    ]


async def test_states_that_are_refused() -> None:
    """A damaged or foreign state is refused at the call, with an error that says how, and without its rows."""
    world = World()
    world.add()
    async with client_of(world) as client:
        _, state = await changes_of(client, None)
        for name, text in broken(str(state)):
            with pytest.raises(CheckpointError) as caught:
                client.meetings.changes(since=text)
            assert "since" == caught.value.field, name
            assert "topic" not in str(caught.value), name
        refused: list[Callable[[], object]] = [
            lambda: client.meetings.changes(since=state, account_id="other"),
            lambda: client.meetings.changes(since=state, type="live"),
            lambda: client.meetings.changes(since=state, keep="digests"),
        ]
        for call in refused:
            with pytest.raises(CheckpointError):
                call()
        assert [] == (await changes_of(client, state, page_size=30))[0]
    assert "topic" not in repr(state)


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"confirm": "post"}, "confirm"),
        ({"keep": "nothing"}, "keep"),
        ({"ignore": "topic"}, "ignore"),
        ({"ignore": [1]}, "ignore[0]"),
        ({"page_size": 0}, "page_size"),
        ({"store": 5}, "store"),
        ({"store": object()}, "store"),
    ],
)
async def test_arguments_that_are_refused(arguments: dict[str, Any], field: str) -> None:
    """A wrong argument is refused at the call, before anything is sent."""
    world = World()
    async with client_of(world) as client:
        with pytest.raises(InvalidArgumentError) as caught:
            client.meetings.changes(**arguments)
        with pytest.raises(InvalidArgumentError):
            client.meetings.changes(since="x", store="file")
    assert field == caught.value.field
    assert 0 == world.calls
