"""The decisions of a bulk run: which errors end it, and the outcome of each item."""

from __future__ import annotations

from functools import partial
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
from pyas_async._core.calls.endpoints import delete_meeting, get_meeting, update_meeting
from pyas_async._core.reconcile.match import WantedMeeting

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyas_async._core.bulk import BulkOperation, BulkTally

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


MEETING = MeetingCreate("t", NOON)
CHANGES = MeetingUpdate(title="t")
OPERATIONS: dict[
    str, tuple[Callable[[str], BulkOperation[Any, Any, Any]], str, str, bool, Any, Any, Callable[[], object]]
] = {
    "get_many": (bulk.get_many, "meeting_ids", "ids", False, 81, 81, lambda: get_meeting("acc", 81)),
    "create_many": (
        bulk.create_many, "meetings", "MeetingCreate", True, MEETING, 7, lambda: WantedMeeting("acc", MEETING),
    ),
    "create_many, by key": (
        partial(bulk.create_many, by_key=True), "meetings", "mapping", True, ("a", MEETING), "a",
        lambda: WantedMeeting("acc", MEETING),
    ),
    "update_many": (
        bulk.update_many, "changes", "pairs", True, (81, CHANGES), 81, lambda: update_meeting("acc", 81, CHANGES),
    ),
    "delete_many": (bulk.delete_many, "meeting_ids", "ids", True, 81, 81, lambda: delete_meeting("acc", 81)),
}  # fmt: skip


@pytest.mark.parametrize("name", OPERATIONS)
def test_plans(name: str) -> None:
    """Each operation has its names for errors, and returns the key and the request of an item at position 7."""
    make, argument, expected, writes, item, key, call = OPERATIONS[name]
    operation = make("acc")

    assert (f"meetings.{name.partition(',')[0]}", argument, "acc", writes) == (
        operation.name, operation.argument, operation.account_id, operation.writes,
    )  # fmt: skip
    assert expected in operation.expected
    assert (key, call()) == (operation.key(7, item), operation.request(item))


@pytest.mark.parametrize("item", ["ab", b"ab", bytearray(b"ab"), {1, 2}, (1,), (1, 2, 3), 5, None])
def test_no_pair(item: Any) -> None:  # noqa: ANN401  (type checkers would reject it)
    """An item that is no pair of an id and changes is refused, and is its own key: a position would look like an id."""
    operation = bulk.update_many("acc")
    with pytest.raises(InvalidArgumentError) as caught:
        operation.request(item)

    assert "changes" == caught.value.field
    assert "a pair (meeting id, MeetingUpdate)" == caught.value.expected
    assert repr(item)[:3] in caught.value.got
    assert item is operation.key(7, item)


@pytest.fixture
def tally() -> BulkTally[Any, Any]:
    """Make the tally of a run that writes."""
    return bulk.BulkTally(bulk.delete_many("acc"))


@pytest.mark.parametrize("error", ENDING, ids=repr)
def test_errors_that_end_the_run(error: PyasError, tally: BulkTally[Any, Any]) -> None:
    """An error that every other call must get ends the run."""
    tally.fail(1, error)

    assert type(tally.ended_by) is type(error)
    assert str(tally.ended_by) == str(error)


@pytest.mark.parametrize("error", ONES_OWN, ids=repr)
def test_errors_of_one_item(error: PyasError, tally: BulkTally[Any, Any]) -> None:
    """An error that another call need not get does not end the run."""
    outcome = tally.fail(1, error)

    assert (1, None, error, "failed") == (outcome.key, outcome.value, outcome.error, outcome.state)
    assert tally.ended_by is None


def test_outcomes(tally: BulkTally[Any, Any]) -> None:
    """Each outcome has the key of its item, and its value or error."""
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
    """Each outcome is counted once, by its state."""
    for key in (1, 11, 111):
        tally.succeed(key, None)
    tally.fail(2, TransportError("cut"))
    tally.reject(2, None, InvalidArgumentError("meeting_id", "an id", None))
    tally.end(ClientClosedError("closed"))
    for key in (4, 44, 444, 4_444):
        tally.skip(key)

    assert (3, 2, 4) == (tally.ok, tally.failed, tally.not_started)


def test_first_reason_stands(tally: BulkTally[Any, Any]) -> None:
    """A run that has ended keeps the first reason."""
    tally.end(PyasError("cancelled"))
    tally.fail(1, ClientClosedError("closed"))

    assert "cancelled" == str(tally.skip(2).error)


def test_those_left_out_were_not_sent(tally: BulkTally[Any, Any]) -> None:
    """The error of skipped items is a copy, since the write that got it may have another state."""
    error = AuthenticationError("no", status=401)
    error.write_state = "unknown"
    failed = tally.fail(1, error)
    left_out = tally.skip(2)

    assert ("unknown", "not_sent") == tuple(one.error and one.error.write_state for one in (failed, left_out))


def test_reads_have_no_write_state() -> None:
    """The error of skipped reads has no write state."""
    reads: BulkTally[Any, Any] = bulk.BulkTally(bulk.get_many("acc"))
    reads.end(ClientClosedError("closed"))
    error = reads.skip(1).error

    assert error is not None
    assert error.write_state is None


def test_place_of_a_refused_item(tally: BulkTally[Any, Any]) -> None:
    """The error of an invalid item names its position in the input, and is otherwise unchanged."""
    error = InvalidArgumentError("meeting_id", "a meeting's number", -1, hint="Numbers are positive")
    placed = tally.reject(7, -1, error).error

    assert isinstance(placed, InvalidArgumentError)
    assert ("meeting_ids[7]", "a meeting's number", "-1") == (placed.field, placed.expected, placed.got)
    assert "meeting_ids[7]: expected a meeting's number, got -1. Numbers are positive" == str(placed)
    assert str(error).startswith("meeting_id: ")


def test_errors_are_bare(tally: BulkTally[Any, Any]) -> None:
    """Traceback, cause and context of an error are removed before it is kept."""
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
