"""What a bulk run decides: which failures are everybody's, and what is entered for each item."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from core.tools import NOON
from pyas_async import (
    APIStatusError,
    AuthenticationError,
    BudgetTimeoutError,
    ClientClosedError,
    ConfigurationError,
    DecodeError,
    InvalidArgumentError,
    MeetingCreate,
    MeetingUpdate,
    NotFoundError,
    PermissionDeniedError,
    PyasError,
    RateLimitError,
    ServerError,
    TransportError,
    WrongEventLoopError,
)
from pyas_async._core import bulk
from pyas_async._core.calls.endpoints import create_meeting, delete_meeting, get_meeting, update_meeting

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyas_async._core.bulk import BulkOperation, BulkTally
    from pyas_async._core.calls.messages import Call

ENDING: list[PyasError] = [
    AuthenticationError("no", status=401),
    ClientClosedError("closed"),
    ConfigurationError("api_key: it is empty"),
    WrongEventLoopError("another"),
    RateLimitError("month", scope="month"),
]
ONES_OWN: list[PyasError] = [
    PermissionDeniedError("no", status=403),
    NotFoundError("Invalid account id. Account Not Found", status=404),
    RateLimitError("day", scope="host_day"),
    RateLimitError("key", scope="key"),
    RateLimitError("what", scope="unknown"),
    ServerError("down", status=503),
    APIStatusError("odd", status=409),
    TransportError("cut"),
    DecodeError("odd"),
    BudgetTimeoutError("late", retry_after=5.0),
    InvalidArgumentError("meeting_id", "an id", None),
]


MEETING = MeetingCreate(2, "t", "", NOON)
CHANGES = MeetingUpdate(title="t")
OPERATIONS: dict[
    str, tuple[Callable[[str], BulkOperation[Any, Any, Any]], str, str, bool, Any, Any, Callable[[], Call[Any]]]
] = {
    "get_many": (bulk.get_many, "meeting_ids", "ids", False, 81, 81, lambda: get_meeting("acc", 81)),
    "create_many": (
        bulk.create_many, "meetings", "MeetingCreate", True, MEETING, 7, lambda: create_meeting("acc", MEETING),
    ),
    "update_many": (
        bulk.update_many, "changes", "pairs", True, (81, CHANGES), 81, lambda: update_meeting("acc", 81, CHANGES),
    ),
    "delete_many": (bulk.delete_many, "meeting_ids", "ids", True, 81, 81, lambda: delete_meeting("acc", 81)),
}  # fmt: skip


@pytest.mark.parametrize("name", OPERATIONS)
def test_plans(name: str) -> None:
    """Each run names itself and its input in errors, and makes of the item at place 7 its key and its call."""
    make, argument, expected, writes, item, key, call = OPERATIONS[name]
    operation = make("acc")

    assert (f"meetings.{name}", argument, "acc", writes) == (
        operation.name, operation.argument, operation.account_id, operation.writes,
    )  # fmt: skip
    assert expected in operation.expected
    assert (key, call()) == (operation.key(7, item), operation.call(item))


@pytest.mark.parametrize("item", ["ab", b"ab", bytearray(b"ab"), {1, 2}, (1,), (1, 2, 3), 5, None])
def test_no_pair(item: Any) -> None:  # noqa: ANN401  (what type checkers refuse)
    """What is no pair of an id and its changes is refused, and is its own key: a position would look like an id."""
    operation = bulk.update_many("acc")
    with pytest.raises(InvalidArgumentError) as caught:
        operation.call(item)

    assert "changes" == caught.value.field
    assert "a pair (meeting id, MeetingUpdate)" == caught.value.expected
    assert repr(item)[:3] in caught.value.got
    assert item is operation.key(7, item)


@pytest.fixture
def tally() -> BulkTally[Any, Any]:
    """Open the tally of a run that writes."""
    return bulk.BulkTally(bulk.delete_many("acc"))


@pytest.mark.parametrize("error", ENDING, ids=repr)
def test_what_hits_all(error: PyasError, tally: BulkTally[Any, Any]) -> None:
    """A failure that every other call must meet ends the run."""
    tally.fail(1, error)

    assert type(tally.ended_by) is type(error)
    assert str(tally.ended_by) == str(error)


@pytest.mark.parametrize("error", ONES_OWN, ids=repr)
def test_what_is_ones_own(error: PyasError, tally: BulkTally[Any, Any]) -> None:
    """A failure that another call may be spared does not."""
    outcome = tally.fail(1, error)

    assert (1, None, error, "failed") == (outcome.key, outcome.value, outcome.error, outcome.state)
    assert tally.ended_by is None


def test_entries(tally: BulkTally[Any, Any]) -> None:
    """Each entry holds the item's key, and its value or its error."""
    ok = tally.succeed(1, "value")
    refused = tally.reject(0, 2, InvalidArgumentError("meeting_id", "an id", None))
    tally.end(ClientClosedError("closed"))
    left_out = tally.skip(3)

    assert (1, "value", None, "ok") == (ok.key, ok.value, ok.error, ok.state)
    assert (2, None, "failed") == (refused.key, refused.value, refused.state)
    assert refused.error is not None
    assert "not_sent" == refused.error.write_state
    assert (3, None, "not_started") == (left_out.key, left_out.value, left_out.state)
    assert isinstance(left_out.error, ClientClosedError)


def test_counts(tally: BulkTally[Any, Any]) -> None:
    """Each entry is counted once, as what it is."""
    for key in (1, 11, 111):
        tally.succeed(key, None)
    tally.fail(2, TransportError("cut"))
    tally.reject(2, None, InvalidArgumentError("meeting_id", "an id", None))
    tally.end(ClientClosedError("closed"))
    for key in (4, 44, 444, 4_444):
        tally.skip(key)

    assert (3, 2, 4) == (tally.ok, tally.failed, tally.not_started)


def test_first_reason_stands(tally: BulkTally[Any, Any]) -> None:
    """What has ended is not ended again, for another reason."""
    tally.end(PyasError("cancelled"))
    tally.fail(1, ClientClosedError("closed"))

    assert "cancelled" == str(tally.skip(2).error)


def test_those_left_out_were_not_sent(tally: BulkTally[Any, Any]) -> None:
    """The error of those that are left out is a copy: of the write that met it, something else may be true."""
    error = AuthenticationError("no", status=401)
    error.write_state = "unknown"
    failed = tally.fail(1, error)
    left_out = tally.skip(2)

    assert ("unknown", "not_sent") == tuple(one.error and one.error.write_state for one in (failed, left_out))


def test_reads_have_no_write_state() -> None:
    """Of reads that are left out, nothing is said of a write."""
    reads: BulkTally[Any, Any] = bulk.BulkTally(bulk.get_many("acc"))
    reads.end(ClientClosedError("closed"))
    error = reads.skip(1).error

    assert error is not None
    assert error.write_state is None


def test_place_of_a_refused_item(tally: BulkTally[Any, Any]) -> None:
    """The error of a refused item names its place in the input, and says all else as before."""
    error = InvalidArgumentError("meeting_id", "a meeting's number", -1, hint="Numbers are positive")
    placed = tally.reject(7, -1, error).error

    assert isinstance(placed, InvalidArgumentError)
    assert ("meeting_ids[7]", "a meeting's number", "-1") == (placed.field, placed.expected, placed.got)
    assert "meeting_ids[7]: expected a meeting's number, got -1. Numbers are positive" == str(placed)
    assert str(error).startswith("meeting_id: ")


def test_errors_are_bare(tally: BulkTally[Any, Any]) -> None:
    """Whatever an error drags along is taken from it before it is kept."""
    try:
        try:
            raise ValueError  # noqa: TRY301  (for its traceback)
        except ValueError as cause:
            message = "cut"
            raise TransportError(message) from cause
    except TransportError as error:
        kept = tally.fail(1, error).error

    assert kept is not None
    assert (None, None, None) == (kept.__traceback__, kept.__cause__, kept.__context__)
