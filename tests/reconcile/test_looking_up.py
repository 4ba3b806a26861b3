"""``on_unknown="reconcile"``: a meeting whose create got no response is looked up, and never created again."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import anyio
import attrs
import pytest

from pyas_async import (
    DecodeError,
    InvalidArgumentError,
    MeetingCreate,
    MeetingType,
    OutcomeUnknownError,
    PyasError,
    RateLimitError,
    Recurrence,
    ServerError,
)
from reconcile.worlds import NEW, PAUSES, START, World, lost, refused, unreadable, world_of
from runtime.socket_server import document, heard, until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pyas_async import MeetingDetail, PyasClient
    from runtime.socket_server import Seen

pytestmark = pytest.mark.anyio


@pytest.fixture
def world() -> Iterator[World]:
    """Serve a sandbox whose responses can be lost."""
    with world_of() as made:
        yield made


async def create(client: PyasClient, meeting: MeetingCreate = NEW) -> MeetingDetail:
    """Create a meeting with ``on_unknown="reconcile"``."""
    return await client.meetings.create(meeting, on_unknown="reconcile")


async def fails(client: PyasClient, meeting: MeetingCreate = NEW) -> OutcomeUnknownError:
    """Create a meeting, and return the error that says that its outcome is unknown."""
    with pytest.raises(OutcomeUnknownError) as caught:
        await create(client, meeting)
    return caught.value


def mine(world: World, title: str = NEW.title) -> list[int]:
    """Return the numbers of the meetings with this title."""
    return list(dict.fromkeys(row["id"] for row in world.rows if row["topic"] == title))


def twin(world: World, **changes: Any) -> int:  # noqa: ANN401
    """Add a meeting equal to the new one, made an hour ago unless given otherwise."""
    row = {
        "topic": NEW.title,
        "type": 2,
        "start_time": "2031-05-06T09:30:00Z",
        "duration": 45,
        "timezone": "Europe/Berlin",
        "agenda": NEW.description,
        "created_at": f"{datetime.now(UTC) - timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}",
    }
    added: int = world.sandbox.add_meeting(world.account, row | changes)["id"]
    return added


@pytest.mark.parametrize("answer", [lost, refused(500), refused(503), unreadable], ids=["lost", "500", "503", "odd"])
async def test_found(world: World, answer: Callable[[Seen, bytes], bytes | None]) -> None:
    """A meeting whose response was lost or unusable is found by the first lookup; it was created once."""
    world.creates = [answer]
    async with world.client() as client:
        meeting = await create(client)
    assert [meeting.id] == mine(world)
    assert (NEW.title, NEW.description, START) == (meeting.topic, meeting.agenda, meeting.start_time)
    assert meeting.settings is not None
    assert (["create", "list", "get"], PAUSES[:1]) == (world.calls(), world.pauses)


async def test_found_among_many(world: World) -> None:
    """The lookup lists the days around the start, and finds the meeting among older ones that are equal."""
    world.creates = [lost]
    older = twin(world)
    async with world.client() as client:
        meeting = await create(client)
    assert meeting.id != older
    assert {"startDate": "05-03-2031", "endDate": "05-09-2031", "type": "scheduled", "maxResults": "300"} == {
        name: value for name, value in world.server.requests[1].query.items() if name != "accountId"
    }


async def test_days_in_the_format_of_the_client(world: World) -> None:
    """The lookup writes its days as the client writes them, and finds the meeting."""
    world.creates, world.sandbox.date_format = [lost, lost], "%Y-%m-%d"
    async with world.client() as client:
        view = client.with_options(date_format="%Y-%m-%d")
        one = await create(view)
        [many] = await view.meetings.create_many([attrs.evolve(NEW, title="Another")], on_unknown="reconcile")
    assert [one.id, many.unwrap().id] == [*mine(world), *mine(world, "Another")]
    assert "2031-05-03" == world.server.requests[1].query["startDate"]


@pytest.mark.parametrize("lag", [1, 2])
async def test_found_later(world: World, lag: int) -> None:
    """A listing that lags is read again, after longer pauses."""
    world.creates, world.lag = [lost], lag
    async with world.client() as client:
        assert [(await create(client)).id] == mine(world)
    assert (["create", *["list"] * (lag + 1), "get"], PAUSES[: lag + 1]) == (world.calls(), world.pauses)


@pytest.mark.parametrize("older", [False, True])
async def test_not_found(world: World, older: bool) -> None:
    """A meeting that was not created is not found, is not created again, and no older one is taken for it."""
    world.creates, world.unexecuted = [lost], {0}
    ids = [twin(world)] if older else []
    async with world.client() as client:
        before = datetime.now(UTC)
        error = await fails(client)
    assert (["create", "list", "list", "list"], PAUSES) == (world.calls(), world.pauses)
    assert ids == [row.id for row in error.candidates]
    assert ("meetings.create", None, "unknown") == (error.operation, error.meeting_id, error.write_state)
    assert timedelta(0) <= error.sent_at - before < timedelta(seconds=30)
    assert "3 times" in str(error)
    assert None is error.__cause__ is error.__context__


@pytest.mark.parametrize(
    ("answer", "state", "cause"), [(refused(502), "unknown", ServerError), (unreadable, "done", DecodeError)]
)
async def test_not_found_after_an_answer(
    world: World, answer: Callable[[Seen, bytes], bytes | None], state: str, cause: type[PyasError]
) -> None:
    """If there was a response, the error says what it meant, and has its error as the cause."""
    world.creates, world.lag = [answer], 9
    async with world.client() as client:
        error = await fails(client)
    assert (state, cause, ()) == (error.write_state, type(error.__cause__), error.candidates)


async def test_several_fit(world: World) -> None:
    """If two meetings match, neither is returned: both are candidates, after one lookup."""
    world.creates = [lost]
    other = twin(world, created_at=f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}")
    async with world.client() as client:
        error = await fails(client)
    assert sorted([other, *mine(world)[-1:]]) == sorted(row.id for row in error.candidates)
    assert (["create", "list"], "once") == (world.calls(), "once" if "once" in str(error) else str(error))
    copied = pickle.loads(pickle.dumps(error))
    assert (str(error), error.candidates) == (str(copied), copied.candidates)


async def test_rows_of_unknown_age(world: World) -> None:
    """If rows do not say when they were made, the only match may be older: it is a candidate."""
    world.creates = [lost]
    world.change_rows = lambda rows: [{name: row[name] for name in row if name != "created_at"} for row in rows]
    async with world.client() as client:
        error = await fails(client)
    assert (mine(world), ["create", "list"]) == ([row.id for row in error.candidates], world.calls())


async def test_made_a_moment_before(world: World) -> None:
    """An equal meeting that this client made just before is not returned for one that was not made."""
    world.creates, world.unexecuted = [lambda _, answer: answer, lost], {1}
    async with world.client() as client:
        first = await client.meetings.create(NEW)
        error = await fails(client)
    assert ([first.id], ()) == (mine(world), error.candidates)


async def test_made_and_lost_a_moment_before(world: World) -> None:
    """An equal meeting that this client may have made just before is not returned either: it is a candidate."""
    world.creates, world.unexecuted = [lost, lost], {1}
    async with world.client() as client:
        with pytest.raises(OutcomeUnknownError):
            await client.meetings.create(NEW)
        error = await fails(client)
    assert mine(world) == [row.id for row in error.candidates]


@pytest.mark.parametrize("executed", [1, 2])
async def test_both_lost(world: World, executed: int) -> None:
    """Two equal creates without a response: neither gets a meeting, since it may be that of the other."""
    world.creates, world.unexecuted = [lost, lost], set(range(executed, 2))
    errors: list[OutcomeUnknownError] = []

    async def one(client: PyasClient) -> None:
        errors.append(await fails(client))

    async with world.client() as client, anyio.create_task_group() as tasks:
        tasks.start_soon(one, client)
        tasks.start_soon(one, client)
    assert [sorted(mine(world))] * 2 == [sorted(row.id for row in error.candidates) for error in errors]
    assert executed == len(mine(world))


async def test_while_its_like_is_under_way(world: World) -> None:
    """While an equal create is in flight, a lookup is repeated, to learn which meeting that one made."""
    world.creates = [lambda _, answer: answer if world.second_look.wait(20) else None, lost]
    given: list[MeetingDetail] = []
    # Pauses take no time here: without this, all looks may be over before the other create's answer has arrived.
    world.until_then = answered = anyio.Event()

    async def first(client: PyasClient) -> None:
        given.append(await client.meetings.create(NEW))
        answered.set()

    # Of two creates without an answer before them, the second would be held back for a second of real time.
    async with world.client() as client, anyio.create_task_group() as tasks:
        heard(client)
        tasks.start_soon(first, client)
        await until(lambda: mine(world))
        given.append(await create(client))
    assert sorted(mine(world)) == sorted(meeting.id for meeting in given)
    assert 2 == len({meeting.id for meeting in given})
    assert PAUSES[:2] == world.pauses


async def test_two_in_a_row_are_told_apart(world: World) -> None:
    """Two equal creates, one after the other and both without a response, get a meeting each."""
    world.creates = [lost, lost]
    async with world.client() as client:
        ids = [(await create(client)).id for _ in range(2)]
    assert mine(world) == ids


async def test_off_by_default(world: World) -> None:
    """By default, a create without a response is not looked up."""
    world.creates = [lost]
    async with world.client() as client:
        with pytest.raises(OutcomeUnknownError) as caught:
            await client.meetings.create(NEW)
    assert (["create"], ()) == (world.calls(), caught.value.candidates)


async def test_answered(world: World) -> None:
    """A create with a response costs one call."""
    async with world.client() as client:
        assert [(await create(client)).id] == mine(world)
    assert ["create"] == world.calls()


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422])
async def test_refused(world: World, status: int) -> None:
    """A create that was rejected is not looked up."""
    world.creates, world.unexecuted = [refused(status)], {0}
    async with world.client() as client:
        with pytest.raises(PyasError) as caught:
            await create(client)
    assert (["create"], "rejected") == (world.calls(), caught.value.write_state)


async def test_turned_away_by_a_limit(world: World) -> None:
    """A create that met the daily limit of the host is not looked up."""
    body = {"code": 429, "message": "You have exceeded the daily rate limit of (100) for Meeting Create/Update API"}
    world.creates, world.unexecuted = [lambda *_: document(body, 429)], {0}
    async with world.client() as client:
        with pytest.raises(RateLimitError):
            await create(client)
    assert ["create"] == world.calls()


@pytest.mark.parametrize("word", ["look", "", None, True, "Raise"])
async def test_invalid_arguments(world: World, word: Any) -> None:  # noqa: ANN401
    """Any `on_unknown` but the two words, and any object but a meeting, is refused before a request is sent."""
    async with world.client() as client:
        with pytest.raises(InvalidArgumentError) as caught:
            await client.meetings.create(NEW, on_unknown=word)
        assert "on_unknown" == caught.value.field
        thing: Any = {"title": "x"}
        with pytest.raises(InvalidArgumentError):
            await create(client, thing)
    assert [] == world.server.requests


SERIES = attrs.evolve(NEW, type=8, recurrence=Recurrence("weekly", 1, days_of_week=["friday"]))
KINDS = {
    "instant": attrs.evolve(NEW, type=1),
    "scheduled": NEW,
    "no fixed time": attrs.evolve(NEW, type=3),
    "no fixed time, recurring": attrs.evolve(NEW, type=3, recurrence=Recurrence("daily", 2)),
    "fixed": attrs.evolve(NEW, type=8),
    "series": SERIES,
    "daily": attrs.evolve(NEW, type=8, recurrence=Recurrence("daily", 2)),
    "monthly": attrs.evolve(NEW, type=8, recurrence=Recurrence("monthly", 1, day_of_month=1)),
    "long": attrs.evolve(NEW, description="what comes next; " * 50),
    "no zone": attrs.evolve(NEW, time_zone=None),
    "odd second": attrs.evolve(NEW, start_date=START + timedelta(milliseconds=900)),
}


@pytest.mark.parametrize("meeting", KINDS.values(), ids=KINDS)
async def test_every_kind(world: World, meeting: MeetingCreate) -> None:
    """Meetings of every type are found, also series whose first day is not the start."""
    world.creates = [lost]
    async with world.client() as client:
        found = await create(client, meeting)
    assert [found.id] == mine(world)
    assert (MeetingType(meeting.type), meeting.description) == (found.type, found.agenda)


async def test_dear_listings_are_looked_at_once() -> None:
    """If a lookup takes many calls, as for types without a start, there is only one, and it reads all pages."""
    with world_of(40) as world:
        world.sandbox.max_page_size = 10
        world.creates, world.lag = [lost], 99
        async with world.client() as client:
            error = await fails(client, KINDS["no fixed time"])
        assert (["create", *["list"] * 5], ()) == (world.calls(), error.candidates)
        assert {"scheduled"} == {seen.query["type"] for seen in world.server.requests[1:]}


async def test_pages_are_followed() -> None:
    """A meeting on a later page is found."""
    with world_of(35) as world:
        world.sandbox.max_page_size = 10
        world.creates = [lost]
        async with world.client() as client:
            found = await create(client, KINDS["no fixed time"])
        assert [found.id] == mine(world)
        assert ["create", *["list"] * 4, "get"] == world.calls()


async def test_a_page_size_that_is_refused() -> None:
    """A service that refuses pages of 300 is asked for its default size, as by any listing."""
    with world_of(35) as world:
        world.sandbox.max_page_size, world.sandbox.oversize = 50, "refuse"
        world.creates = [lost]
        async with world.client() as client:
            found = await create(client)
        assert [found.id] == mine(world)
        assert ["create", "list", "list", "get"] == world.calls()
