"""What a bulk run decides: the call of each item, what became of it, and whether the rest is still worth sending."""

import copy
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

import attrs

from pyas_async._core.calls import endpoints
from pyas_async._core.calls.messages import Call
from pyas_async.errors import (
    AuthenticationError,
    ClientClosedError,
    ConfigurationError,
    InvalidArgumentError,
    PyasError,
    RateLimitError,
    WrongEventLoopError,
)
from pyas_async.models import MeetingCreate, MeetingDetail, MeetingUpdate
from pyas_async.options import MeetingId
from pyas_async.outcomes import Outcome

T = TypeVar("T")
K = TypeVar("K")
V = TypeVar("V")

_HITS_ALL = (AuthenticationError, ClientClosedError, ConfigurationError, WrongEventLoopError)


@attrs.frozen(kw_only=True)
class BulkOperation(Generic[T, K, V]):
    """How the items of a run become calls.

    Attributes:
        operation: The run's name, as in ``"meetings.get_many"``.
        argument: The name of its input, as in ``"meeting_ids"``.
        expected: What the input is to give.
        account_id: Whose meetings.
        writes: Whether the calls change something at the service.
        key: Names an item, by its position and itself, whatever it is.
        call: Makes the call of an item, or raises `InvalidArgumentError`.
    """

    operation: str
    argument: str
    expected: str
    account_id: str
    writes: bool = True
    key: Callable[[int, T], K]
    call: Callable[[T], Call[V]]


def get_many(account_id: str) -> BulkOperation[MeetingId, MeetingId, MeetingDetail]:
    """GET /zoom/meetings/:id, for each id."""
    return BulkOperation(
        operation="meetings.get_many",
        argument="meeting_ids",
        expected="meeting ids",
        account_id=account_id,
        writes=False,
        key=_itself,
        call=lambda meeting_id: endpoints.get_meeting(account_id, meeting_id),
    )


def create_many(account_id: str) -> BulkOperation[MeetingCreate, int, MeetingDetail]:
    """POST /zoom/meetings, for each meeting."""
    return BulkOperation(
        operation="meetings.create_many",
        argument="meetings",
        expected="MeetingCreate",
        account_id=account_id,
        key=lambda position, _: position,
        call=lambda meeting: endpoints.create_meeting(account_id, meeting),
    )


def update_many(account_id: str) -> BulkOperation[tuple[MeetingId, MeetingUpdate], MeetingId, MeetingDetail | None]:
    """PATCH /zoom/meetings/:id, for each pair of an id and its changes."""
    return BulkOperation(
        operation="meetings.update_many",
        argument="changes",
        expected="pairs (meeting id, MeetingUpdate), or a mapping of ids to MeetingUpdate",
        account_id=account_id,
        key=_first_of_pair,
        call=lambda pair: _update(account_id, pair),
    )


def delete_many(account_id: str) -> BulkOperation[MeetingId, MeetingId, None]:
    """DELETE /zoom/meetings/:id, for each id."""
    return BulkOperation(
        operation="meetings.delete_many",
        argument="meeting_ids",
        expected="meeting ids",
        account_id=account_id,
        key=_itself,
        call=lambda meeting_id: endpoints.delete_meeting(account_id, meeting_id),
    )


def _itself(_: int, item: T) -> T:
    return item


def _is_pair(item: object) -> bool:
    # A string of two characters is no pair, and a set of two things has no first.
    return isinstance(item, Sequence) and not isinstance(item, (str, bytes, bytearray)) and len(item) == 2


def _first_of_pair(_: int, pair: Any) -> Any:  # noqa: ANN401  (it may be anything, where types are not checked)
    # Of what is no pair, all of it. Not its position: that would look like another meeting's number.
    return pair[0] if _is_pair(pair) else pair


def _update(account_id: str, pair: tuple[MeetingId, MeetingUpdate]) -> Call[MeetingDetail | None]:
    if not _is_pair(pair):
        raise InvalidArgumentError("changes", "a pair (meeting id, MeetingUpdate)", pair)
    meeting_id, changes = pair
    return endpoints.update_meeting(account_id, meeting_id, changes)


def hits_all(error: PyasError) -> bool:
    """Whether what one call met must meet every other one of the run: then none of them is worth sending."""
    # A limit of Zoom's day is not among them: it may be the one that each meeting has of its own.
    return isinstance(error, _HITS_ALL) or (isinstance(error, RateLimitError) and error.scope == "month")


def bare(error: PyasError) -> PyasError:
    """Take from an error what it drags along: an outcome is kept, and must keep nothing else alive."""
    error.__cause__ = error.__context__ = None
    return error.with_traceback(None)


class BulkTally(Generic[K, V]):
    """What became of the items so far, and why the run has ended, if it has.

    Attributes:
        ok: Items whose call succeeded.
        failed: Items whose call failed, or that were refused.
        not_started: Items of which nothing was sent.
        ended_by: The error of those that are not started any more; ``None`` as long as calls may be sent.
    """

    def __init__(self, plan: BulkOperation[T, K, V]) -> None:
        """Open it."""
        self.ok = 0
        self.failed = 0
        self.not_started = 0
        self.ended_by: PyasError | None = None
        self._argument = plan.argument
        self._writes = plan.writes

    def end(self, reason: PyasError) -> None:
        """Let nothing more be sent; the first reason stands."""
        if self.ended_by is None:
            # A copy: the write that met the error may have been sent, and those that are left were not.
            self.ended_by = self._not_sent(copy.copy(reason))

    def succeed(self, key: K, value: V) -> Outcome[K, V]:
        """Enter an item whose call gave this value."""
        self.ok += 1
        return Outcome(key=key, value=value, state="ok")

    def fail(self, key: K, error: PyasError) -> Outcome[K, V]:
        """Enter an item whose call failed; if all others must fail as well, the run has ended."""
        self.failed += 1
        if hits_all(error):
            self.end(error)
        return Outcome(key=key, error=bare(error), state="failed")

    def refuse(self, position: int, key: K, error: InvalidArgumentError) -> Outcome[K, V]:
        """Enter an item that makes no call; its error says which of them it is."""
        placed = copy.copy(error)
        placed.field = f"{self._argument}[{position}]"
        placed.args = (placed.field + str(error).removeprefix(error.field),)
        return self.fail(key, self._not_sent(placed))

    def leave_out(self, key: K) -> Outcome[K, V]:
        """Enter an item that is not started, since the run has ended."""
        self.not_started += 1
        return Outcome(key=key, error=self.ended_by, state="not_started")

    def _not_sent(self, error: PyasError) -> PyasError:
        if self._writes:
            error.write_state = "not_sent"
        return bare(error)
