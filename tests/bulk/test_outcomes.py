"""Every item gets its outcome, in order, with its key and its value or error."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from bulk.tools import CHANGE, Service, awaited, meeting, refuse, states, streamed
from pyas_async import (
    AuthenticationError,
    BulkStats,
    InvalidArgumentError,
    MeetingUpdate,
    NotFoundError,
    Outcome,
    OutcomeUnknownError,
    PermissionDeniedError,
    PyasError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bulk.tools import Read
    from pyas_async import BulkRun, PyasClient

pytestmark = pytest.mark.anyio
either_way = pytest.mark.parametrize("read", [awaited, streamed])

RUNS: dict[str, Callable[[PyasClient, list[int]], BulkRun[Any, Any]]] = {
    "get": lambda client, ids: client.meetings.get_many(ids),
    "create": lambda client, ids: client.meetings.create_many(map(meeting, ids)),
    "update": lambda client, ids: client.meetings.update_many((number, CHANGE) for number in ids),
    "delete": lambda client, ids: client.meetings.delete_many(ids),
}
every_run = pytest.mark.parametrize("run", RUNS.values(), ids=RUNS)
METHODS = {"get": "GET", "create": "POST", "update": "PATCH", "delete": "DELETE"}


@pytest.mark.parametrize("name", RUNS)
@either_way
async def test_one_call_for_each(name: str, read: Read, client: PyasClient, service: Service) -> None:
    """For each item, the call of the method is sent once."""
    outcomes = await read(RUNS[name](client, [3, 1, 2]))

    assert ["ok"] * 3 == states(outcomes)
    assert {(METHODS[name], number) for number in (1, 2, 3)} == set(service.requests)
    assert 3 == len(service.requests)


async def test_order(client: PyasClient) -> None:
    """`await` returns the outcomes in the order of the input, each with its meeting."""
    ids = [(number * 7) % 101 for number in range(1, 101)]

    outcomes = await client.meetings.get_many(ids)

    assert ids == [outcome.key for outcome in outcomes]
    assert ids == [outcome.unwrap().id for outcome in outcomes]


async def test_keys_of_a_create(client: PyasClient) -> None:
    """The key of an outcome of `create_many` is the position."""
    outcomes = await client.meetings.create_many([meeting(30), meeting(10)])

    assert [(0, 30), (1, 10)] == [(outcome.key, outcome.unwrap().id) for outcome in outcomes]


async def test_keys_as_given(client: PyasClient) -> None:
    """The key of an outcome is the id as it was given, a string of digits as a string."""
    outcomes = await client.meetings.delete_many(["12", 12])

    assert ["12", 12] == [outcome.key for outcome in outcomes]


async def test_values(client: PyasClient) -> None:
    """The value of a deletion that succeeded is ``None``, and its outcome is ok."""
    (outcome,) = await client.meetings.delete_many([5])

    assert (True, None, None) == (outcome.ok, outcome.value, outcome.error)
    assert outcome.unwrap() is None


async def test_mapping(client: PyasClient, service: Service) -> None:
    """`update_many` takes a mapping of ids to changes as well."""
    outcomes = await client.meetings.update_many({1: CHANGE, 2: MeetingUpdate(duration=5)})

    assert [1, 2] == [outcome.key for outcome in outcomes]
    assert {("PATCH", 1), ("PATCH", 2)} == set(service.requests)


@either_way
async def test_duplicates(read: Read, client: PyasClient, service: Service) -> None:
    """An id that comes twice has two outcomes, and two calls."""
    outcomes = await read(client.meetings.get_many([4, 4, 4]))

    assert [4, 4, 4] == [outcome.unwrap().id for outcome in outcomes]
    assert [4, 4, 4] == service.asked


async def test_nothing(client: PyasClient) -> None:
    """An empty input has no outcomes, either way."""
    assert [] == await client.meetings.get_many([])
    assert [] == await streamed(client.meetings.get_many([]))


@every_run
@either_way
async def test_failure_is_an_outcome(
    read: Read,
    run: Callable[[PyasClient, list[int]], BulkRun[Any, Any]],
    client: PyasClient,
    service: Service,
) -> None:
    """The error of a call is the error of its outcome, and the other calls go on."""
    service.special[2] = refuse

    outcomes = await read(run(client, [1, 2, 3]))

    failed = [outcome for outcome in outcomes if not outcome.ok]
    assert [("failed", None, PermissionDeniedError)] == [(one.state, one.value, type(one.error)) for one in failed]
    assert 2 == sum(outcome.ok for outcome in outcomes)


async def test_lost_create(service: Service) -> None:
    """A create without a response is sent once, and its outcome is unknown, not failed."""

    async def lose() -> httpx.Response:
        raise httpx.ReadError("cut")

    service.special[2] = lose
    async with service.client() as client:
        outcomes = await client.meetings.create_many([meeting(1), meeting(2), meeting(3)])

    assert ["ok", "unknown", "ok"] == states(outcomes)
    assert isinstance(outcomes[1].error, OutcomeUnknownError)
    assert 3 == len(service.requests)


@either_way
@pytest.mark.parametrize(
    ("answer", "write_state"),
    [(lambda: httpx.Response(503), "unknown"), (lambda: httpx.Response(200, json=[1]), "done")],
    ids=["server error", "not readable"],
)
async def test_creates_that_may_exist(
    answer: Callable[[], httpx.Response], write_state: str, read: Read, service: Service
) -> None:
    """The outcome of a create is unknown wherever its meeting may exist, and the counts say so."""

    async def respond() -> httpx.Response:
        return answer()

    service.special = {2: respond, 3: refuse}
    async with service.client() as client:
        run = client.meetings.create_many([meeting(1), meeting(2), meeting(3)])
        outcomes = sorted(await read(run), key=lambda outcome: outcome.key)

    assert ["ok", "unknown", "failed"] == states(outcomes)
    assert outcomes[1].error is not None
    assert (False, None, write_state) == (outcomes[1].ok, outcomes[1].value, outcomes[1].error.write_state)
    assert BulkStats(ok=1, failed=1, unknown=1, not_started=0, calls=3) == run.stats
    assert "1 ok, 1 failed, 1 unknown, 0 not started, 3 calls" in repr(run)


@pytest.mark.parametrize("name", ["update", "delete"])
async def test_other_lost_writes(name: str, service: Service) -> None:
    """An update or a delete whose responses were all lost has an unknown outcome, too."""

    async def lose() -> httpx.Response:
        raise httpx.ReadError("cut")

    service.special[2] = lose
    async with service.client(retry=None) as client:
        outcomes = await RUNS[name](client, [1, 2, 3])

    assert ["ok", "unknown", "ok"] == states(outcomes)


async def test_lost_read(service: Service) -> None:
    """A read whose response was lost has failed: it can be repeated."""

    async def lose() -> httpx.Response:
        raise httpx.ReadError("cut")

    service.special[2] = lose
    async with service.client(retry=None) as client:
        assert ["ok", "failed", "ok"] == states(await client.meetings.get_many([1, 2, 3]))


@either_way
async def test_creates_of_a_mapping(read: Read, client: PyasClient, service: Service) -> None:
    """`create_many` takes a mapping, and the key of an outcome is the key of its meeting, of whatever type."""
    service.special[2] = refuse
    new = {"a": meeting(1), ("b", 2): meeting(2), None: meeting(3)}

    outcomes = await read(client.meetings.create_many(new))

    by_key = {outcome.key: outcome for outcome in outcomes}
    assert new.keys() == by_key.keys()
    assert (1, 3) == (by_key["a"].unwrap().id, by_key[None].unwrap().id)
    assert "failed" == by_key["b", 2].state


@pytest.mark.parametrize(
    ("run", "field"),
    [
        (lambda meetings: meetings.create_many({"a": meeting(1), "b": CHANGE}), "meetings['b']"),
        (lambda meetings: meetings.update_many({1: CHANGE, 7: "title"}), "changes[7]"),
        (lambda meetings: meetings.update_many([(1, CHANGE), (7, "title")]), "changes[1]"),
    ],
)
async def test_place_in_a_mapping(run: Any, field: str, client: PyasClient) -> None:  # noqa: ANN401
    """The error of an invalid item of a mapping names its key, and that of any other input its position."""
    outcomes = await run(client.meetings)

    assert isinstance(outcomes[1].error, InvalidArgumentError)
    assert field == outcomes[1].error.field


@pytest.mark.parametrize(
    ("refused", "run"),
    [
        (None, lambda client, it: client.meetings.get_many([1, it, 3])),
        (2.5, lambda client, it: client.meetings.delete_many([1, it, 3])),
        (True, lambda client, it: client.meetings.get_many([1, it, 3])),
        ("", lambda client, it: client.meetings.get_many([1, it, 3])),
        (-1, lambda client, it: client.meetings.delete_many([1, it, 3])),
        ((7, MeetingUpdate()), lambda client, it: client.meetings.update_many([(1, CHANGE), it, (3, CHANGE)])),
        ((7, "title"), lambda client, it: client.meetings.update_many([(1, CHANGE), it, (3, CHANGE)])),
        ((None, CHANGE), lambda client, it: client.meetings.update_many([(1, CHANGE), it, (3, CHANGE)])),
        ((7,), lambda client, it: client.meetings.update_many([(1, CHANGE), it, (3, CHANGE)])),
        ("ab", lambda client, it: client.meetings.update_many([(1, CHANGE), it, (3, CHANGE)])),
        (7, lambda client, it: client.meetings.update_many([(1, CHANGE), it, (3, CHANGE)])),
        ({"title": "t"}, lambda client, it: client.meetings.create_many([meeting(1), it, meeting(3)])),
    ],
)
async def test_refused_item(refused: object, run: Any, client: PyasClient, service: Service) -> None:  # noqa: ANN401
    """An invalid item is a failed outcome that names its position; nothing is sent for it."""
    outcomes = await run(client, refused)

    assert ["ok", "failed", "ok"] == states(outcomes)
    error = outcomes[1].error
    assert isinstance(error, InvalidArgumentError)
    assert error.field in {"meeting_ids[1]", "changes[1]", "meetings[1]"}
    assert str(error).startswith(f"{error.field}: expected ")
    assert {1, 3} == set(service.asked)


async def test_write_state_of_refused(client: PyasClient) -> None:
    """The error of an invalid item of a write says that nothing was sent; that of a read has no write state."""
    no_id: Any = None
    (deleted,) = await client.meetings.delete_many([no_id])
    (read,) = await client.meetings.get_many([no_id])

    assert ("not_sent", None) == (deleted.error and deleted.error.write_state, read.error and read.error.write_state)


async def test_keys_of_bad_pairs(client: PyasClient) -> None:
    """The key of a bad pair is its id, or the pair itself if it has none, never a number that looks like an id."""
    pairs: Any = [(7, None), "ab", (1, 2, 3), 5]

    outcomes = await client.meetings.update_many(pairs)

    assert [7, "ab", (1, 2, 3), 5] == [outcome.key for outcome in outcomes]


@either_way
async def test_stats(read: Read, client: PyasClient, service: Service) -> None:
    """The counts add up to the number of items, and `calls` counts the requests."""
    service.special[2] = refuse
    bad: Any = None
    run = client.meetings.get_many([1, 2, bad, 4])
    before = run.stats

    await read(run)

    assert BulkStats(ok=0, failed=0, not_started=0, calls=0) == before
    assert BulkStats(ok=2, failed=2, not_started=0, calls=3) == run.stats


async def test_stats_are_live(client: PyasClient) -> None:
    """During a run, its counts grow."""
    run = client.meetings.get_many(range(1, 6), max_concurrency=1)
    async with run as outcomes:
        seen = [run.stats.ok async for _ in outcomes]

    assert [1, 2, 3, 4, 5] == seen


async def test_stats_count_retries(service: Service) -> None:
    """A call that was sent again counts twice."""
    answers = iter([httpx.Response(503), httpx.Response(200, json={"meeting": {"id": 2, "uuid": "u"}})])

    async def second_time() -> httpx.Response:
        return next(answers)

    service.special[2] = second_time
    async with service.client() as client:
        run = client.meetings.get_many([1, 2])
        outcomes = await run

    assert ["ok", "ok"] == states(outcomes)
    assert 3 == run.stats.calls


async def test_repr(client: PyasClient) -> None:
    """The `repr` of a run shows its operation, its account and its progress."""
    run = client.meetings.delete_many([1, 2])
    before = repr(run)
    await run

    counts = "0 ok, 0 failed, 0 not started, 0 calls"
    assert f"<BulkRun meetings.delete_many of account 'acc': {counts}, new>" == before
    assert "<BulkRun meetings.delete_many of account 'acc': 2 ok, 0 failed, 0 not started, 2 calls, ended>" == repr(run)


async def test_errors_keep_nothing_alive(client: PyasClient, service: Service) -> None:
    """The error of an outcome has no frames and no context, which would hold the objects of the call."""
    service.special[2] = refuse
    bad: Any = None

    outcomes = await client.meetings.create_many([meeting(2), bad])

    errors = [outcome.error for outcome in outcomes]
    assert [(None, None, None)] * 2 == [
        (error.__traceback__, error.__context__, error.__cause__) for error in errors if error is not None
    ]


@pytest.mark.parametrize(
    "outcome",
    [
        Outcome(key=1, value="value", state="ok"),
        Outcome(key="uuid==", error=NotFoundError("no", status=404), state="failed"),
        Outcome(key=0, error=AuthenticationError("no", status=401), state="not_started"),
    ],
)
def test_pickle(outcome: Outcome[Any, Any]) -> None:
    """An outcome survives pickle, with its error."""
    again = pickle.loads(pickle.dumps(outcome))

    assert (outcome.key, outcome.value, outcome.state, outcome.ok) == (again.key, again.value, again.state, again.ok)
    assert repr(outcome.error) == repr(again.error)


async def test_pickle_of_what_came(client: PyasClient, service: Service) -> None:
    """The outcomes of a run can be sent to another process."""
    service.special[2] = refuse

    again = pickle.loads(pickle.dumps(await client.meetings.get_many([1, 2])))

    assert 1 == again[0].unwrap().id
    assert isinstance(again[1].error, PermissionDeniedError)


def frames(error: BaseException) -> Iterator[str]:
    """Yield the names of the functions in a traceback."""
    traceback = error.__traceback__
    while traceback is not None:
        yield traceback.tb_frame.f_code.co_name
        traceback = traceback.tb_next


def test_unwrap_raises() -> None:
    """`unwrap` raises the error itself, each time only with the frames of that time."""
    outcome: Outcome[int, str] = Outcome(key=1, error=PyasError("failed"), state="failed")

    for _ in range(2):
        with pytest.raises(PyasError) as caught:
            outcome.unwrap()
        assert caught.value is outcome.error
        assert ["test_unwrap_raises", "unwrap"] == list(frames(caught.value))


def test_frozen() -> None:
    """An outcome cannot be changed."""
    outcome: Any = Outcome(key=1, value=2, state="ok")
    with pytest.raises(AttributeError):
        outcome.state = "failed"
