"""Lookups that fail or have no time: the error of the create is never hidden."""

from __future__ import annotations

import threading
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
import attrs
import pytest

import inside
import pyas_async
from core.tools import try_acquire
from pyas_async import MeetingCreate, OutcomeUnknownError, PyasError, RateBudget, ServerError
from pyas_async._core.reconcile.match import WantedMeeting
from pyas_async._runtime import reconcile
from pyas_async._runtime.clock import Clock
from pyas_async._runtime.events import CallTrace
from reconcile.worlds import NEW, PAUSES, START, World, lost, refused, world_of
from resting import rest
from runtime.socket_server import KEY, document, until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyas_async import PyasClient

pytestmark = pytest.mark.anyio


@pytest.fixture
def world() -> Iterator[World]:
    """Serve a sandbox that carries out the first create and sends no response to it."""
    with world_of() as made:
        made.creates = [lost]
        yield made


async def fails(client: PyasClient, kind: type[PyasError] = OutcomeUnknownError) -> PyasError:
    """Create a meeting, and return the error."""
    with pytest.raises(PyasError) as caught:
        await client.meetings.create(NEW, on_unknown="reconcile")
    assert kind is type(caught.value)
    return caught.value


def notes(error: BaseException) -> str:
    """Return the notes of an error."""
    return "\n".join(getattr(error, "__notes__", ()))


async def test_list_fails(world: World) -> None:
    """If the listing fails, the error of the create is raised, with a note that says why."""
    world.change_list = lambda *_: document({"error": "no right to this"}, 403)
    async with world.client() as client:
        error = await fails(client)
    assert "PermissionDeniedError: 403: no right to this" in notes(error)
    assert (["create", "list"], None, None) == (world.calls(), error.__cause__, error.__context__)


async def test_list_fails_after_a_5xx(world: World) -> None:
    """The same holds for a create that got a 5xx: the ServerError is raised."""
    world.creates = [refused(502)]
    world.change_list = lambda *_: document({"error": "x"}, 401)
    async with world.client() as client:
        error = await fails(client, ServerError)
    assert ("unknown", True) == (error.write_state, "AuthenticationError" in notes(error))


async def test_get_fails(world: World) -> None:
    """If the meeting was found but its details cannot be read, the error names it, and has it as its candidate."""
    world.change_get = lambda *_: document({"error": "Not Found"}, 404)
    async with world.client() as client:
        error = await fails(client)
    assert isinstance(error, OutcomeUnknownError)
    [row] = error.candidates
    assert f"meeting {row.id} was found to match: NotFoundError" in notes(error)
    assert ["create", "list", "get"] == world.calls()


async def test_lists_are_tried_again(world: World) -> None:
    """The calls of a lookup are retried like any read."""
    answers = iter([document({"error": "x"}, 500), document({"error": "x"}, 503)])
    world.change_list = lambda _, answer: next(answers, answer)
    async with world.client() as client:
        await client.meetings.create(NEW, on_unknown="reconcile")
    assert ["create", "list", "list", "list", "get"] == world.calls()


class Time:
    """A clock that moves when a task sleeps."""

    def __init__(self, world: World, client: PyasClient) -> None:
        self.now = 0.0
        self._world = world
        inside.set_clock_of_calls(client, Clock(now=lambda: self.now, sleep=self.sleep))

    async def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds
        await self._world.sleep(seconds)


@pytest.mark.parametrize(
    ("deadline", "looks"), [(0.9, 0), (1.5, 1), (3.9, 1), (4.5, 2), (12.9, 2), (13.5, 3), (None, 3)]
)
async def test_deadline(world: World, deadline: float | None, looks: int) -> None:
    """No pause begins that would outlast the deadline of the create."""
    world.lag = 99
    async with world.client(deadline=deadline, timeout=5) as client:
        Time(world, client)
        error = await fails(client)
    assert (["create", *["list"] * looks], PAUSES[:looks]) == (world.calls(), world.pauses)
    assert ("no time was left" in notes(error)) is (looks == 0)


async def test_deadline_within_a_look(world: World) -> None:
    """A lookup ends with the deadline of the create; the error is that of the create."""
    released = threading.Event()
    world.lag = 1
    world.change_list = lambda _, answer: answer if world.calls().count("list") < 2 or released.wait(9) else None
    async with world.client(deadline=4.2, retry=None) as client:
        Time(world, client)  # at 1 s and at 4 s, nothing of which takes as long
        try:
            with anyio.fail_after(3):
                error = await fails(client)
        finally:
            released.set()
    assert "RequestTimeoutError" in notes(error)
    assert ["create", "list", "list"] == world.calls()


async def test_deadline_between_calls(world: World) -> None:
    """After the deadline no request is sent, even if the meeting was found."""
    async with world.client(deadline=20) as client:
        time = Time(world, client)

        def late(_: object, answer: bytes) -> bytes:
            time.now = 21.0
            return answer

        world.change_list = late
        error = await fails(client)
    assert "was found to match: RequestTimeoutError" in notes(error)
    assert ["create", "list"] == world.calls()


async def test_bulk_calls_have_a_deadline_each(world: World) -> None:
    """The deadline of a bulk call excludes waits for the budget: the lookup goes on after it."""
    world.lag = 2
    async with world.client(deadline=2.0, timeout=1.5) as client:
        Time(world, client)
        trace = CallTrace()
        meeting = await reconcile.create(
            inside.session(client),
            WantedMeeting(world.account, NEW),
            inside.options(client).for_bulk(),
            trace,
            on_unknown="reconcile",
        )
    assert (NEW.title, PAUSES) == (meeting.topic, world.pauses)
    assert 5 == trace.requests == len(world.calls())


async def test_no_budget(world: World) -> None:
    """The create does not wait for a lookup that gets no slot in time. No response came, so it is no limit's fault."""
    async with world.client(budget=RateBudget(1, window=1000.0)) as client:
        with anyio.fail_after(2):
            error = await fails(client)
    assert "RequestTimeoutError" in notes(error)
    assert ["create"] == world.calls()


async def test_key_function_that_fails(world: World) -> None:
    """An exception of the user's code during a lookup hides no error; its class is named, its text is not quoted."""
    keys = iter([KEY])

    async def key() -> str:
        try:
            return next(keys)
        except StopIteration:
            raise ValueError(KEY) from None

    async with world.client(api_key=key) as client:
        error = await fails(client)
    assert "failed: ValueError" in notes(error)
    assert KEY not in notes(error)


async def test_closed_while_it_waits(world: World) -> None:
    """Closing the client ends the pause of a lookup: the error of the create says that its outcome is unknown."""
    paused = anyio.Event()

    async def sleep(_: float) -> None:
        paused.set()
        await anyio.sleep_forever()

    errors: list[PyasError] = []

    async def run(client: PyasClient) -> None:
        errors.append(await fails(client))

    async with world.client(deadline=None) as client:
        inside.set_clock_of_calls(client, Clock(sleep=sleep))
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(run, client)
            await paused.wait()
            with anyio.fail_after(1):
                await client.aclose()
    assert "ClientClosedError" in notes(errors[0])
    assert (["create"], "unknown") == (world.calls(), errors[0].write_state)


@pytest.mark.parametrize("where", ["create", "pause", "list", "get"])
async def test_cancelled(world: World, where: str) -> None:
    """A cancellation ends the create or the lookup at once: nothing more is sent, and nothing is remembered."""
    released, paused = threading.Event(), anyio.Event()

    def hang(_: object, answer: bytes | None = None) -> bytes | None:
        return answer if released.wait(5) else None

    async def sleep(_: float) -> None:
        paused.set()
        if where == "pause":
            await anyio.sleep_forever()

    if where == "create":
        world.creates = [hang]
    elif where == "list":
        world.change_list = hang
    elif where == "get":
        world.change_get = hang
    async with world.client() as client:
        inside.set_clock_of_calls(client, Clock(sleep=sleep))
        scope = anyio.CancelScope()

        async def run() -> None:
            with scope:
                await client.meetings.create(NEW, on_unknown="reconcile")

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(run)
            await until(lambda: where in world.calls() or (where == "pause" and paused.is_set()))
            scope.cancel()
        assert scope.cancelled_caught
        calls = world.calls()
        released.set()
        await rest()
        assert calls == world.calls()
        assert 0 == inside.in_flight(client)
        [creation] = inside.ended(inside.session(client).creations)
        assert (where == "get") is (creation.id is not None)


async def test_a_create_that_was_never_sent_leaves_no_doubt(world: World) -> None:
    """A create that was cancelled before it was sent is not remembered."""
    budget = RateBudget(1, window=1000.0)
    async with world.client(budget=budget) as client:
        assert try_acquire(budget, inside.clock(client).now())
        with anyio.move_on_after(0.01) as scope:
            await client.with_options(deadline=None).meetings.create(NEW, on_unknown="reconcile")
        assert scope.cancelled_caught
        assert {} == inside.creations_by_key(inside.session(client).creations)


async def test_nothing_of_the_meeting_is_shown(world: World) -> None:
    """The contents of a meeting are in no text and in no frame of the package, however the lookup ends."""
    secret = attrs.evolve(NEW, title="planted-title", description="planted-agenda")
    released = threading.Event()
    world.change_list = lambda _, answer: answer if released.wait(5) else None
    async with world.client() as client:
        with pytest.raises(TimeoutError) as caught, anyio.fail_after(0.2):
            await client.meetings.create(secret, on_unknown="reconcile")
        released.set()
        world.creates.append(lost)
        world.change_list = lambda *_: document({"error": "x"}, 403)
        with pytest.raises(OutcomeUnknownError) as refused_look:
            await client.meetings.create(secret, on_unknown="reconcile")
    for error in (caught.value, refused_look.value):
        assert "planted" not in _shown(error)


def _shown(error: BaseException) -> str:
    # In the methods that users call, their own arguments stand as they stand in the users' frames above.
    faces = Path(pyas_async.__file__).parent
    told = [repr(error), str(error), notes(error)]
    while error is not None:
        report = traceback.TracebackException.from_exception(error, capture_locals=True)
        told += [
            str(frame.locals)
            for frame in report.stack
            if faces in Path(frame.filename).parents and Path(frame.filename).name != "meetings.py"
        ]
        error = error.__context__  # type: ignore[assignment]
    return "\n".join(told)


def test_a_far_start_can_be_asked_for() -> None:
    """A meeting on the last possible day has a range of days in which it is looked up."""
    last: Any = START.replace(year=9999, month=12, day=31)
    asked = WantedMeeting("acc", MeetingCreate(type=8, title="t", description="", start_date=last))
    assert "12-31-9999" == dict(asked.filters)["endDate"]
