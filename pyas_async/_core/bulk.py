"""The decisions of a bulk run: the call for each item, its outcome, and whether the run can go on."""

import copy
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import attrs

from pyas_async._base_errors import located, shown
from pyas_async._core.calls import endpoints
from pyas_async._core.calls.messages import Call
from pyas_async._core.dates import DATE_FORMAT
from pyas_async.errors import (
    AuthenticationError,
    ClientClosedError,
    ConfigurationError,
    InvalidArgumentError,
    PyasError,
    RateLimitError,
    WrongEventLoopError,
)
from pyas_async.models import MeetingDetail, MeetingUpdate
from pyas_async.options import MeetingId
from pyas_async.outcomes import Outcome

if TYPE_CHECKING:
    from pyas_async._core.reconcile.match import WantedMeeting

T = TypeVar("T")
K = TypeVar("K")
V = TypeVar("V")

_ENDS_RUN = (AuthenticationError, ClientClosedError, ConfigurationError, WrongEventLoopError)


@attrs.frozen(kw_only=True)
class BulkOperation(Generic[T, K, V]):
    """An operation on many items: how each becomes a call.

    Attributes:
        name: The name of the operation, as in ``"meetings.get_many"``.
        argument: The name of its input, as in ``"meeting_ids"``.
        expected: What the items of the input must be.
        account_id: The account of the meetings.
        writes: Whether the calls change something at the service.
        by_key: Whether errors name an item by its key, since the input is a mapping, and not by its position.
        key: Returns the key of an item, from its position and the item, which may be of any type.
        request: Returns what an item asks for, its call or its `WantedMeeting`, or raises `InvalidArgumentError`.
    """

    name: str
    argument: str
    expected: str
    account_id: str
    writes: bool = True
    by_key: bool = False
    key: Callable[[int, T], K]
    request: Callable[[T], "Call[V] | WantedMeeting"]


def get_many(account_id: str) -> BulkOperation[MeetingId, MeetingId, MeetingDetail]:
    """GET /zoom/meetings/:id, for each id."""
    return BulkOperation(
        name="meetings.get_many",
        argument="meeting_ids",
        expected="meeting ids",
        account_id=account_id,
        writes=False,
        key=_item_itself,
        request=lambda meeting_id: endpoints.get_meeting(account_id, meeting_id),
    )


def create_many(
    account_id: str, *, by_key: bool = False, date_format: str = DATE_FORMAT
) -> BulkOperation[Any, Any, MeetingDetail]:
    """POST /zoom/meetings, for each meeting, or for each pair of a key and a meeting."""
    from pyas_async._core.reconcile.match import WantedMeeting  # noqa: PLC0415 -- the other operations do not need it

    return BulkOperation(
        name="meetings.create_many",
        argument="meetings",
        expected="MeetingCreate, or a mapping of keys to MeetingCreate",
        account_id=account_id,
        by_key=by_key,
        key=_first_of_pair if by_key else _position,
        request=lambda item: WantedMeeting(account_id, item[1] if by_key else item, date_format),
    )


def update_many(
    account_id: str, *, by_key: bool = False
) -> BulkOperation[tuple[MeetingId, MeetingUpdate], MeetingId, MeetingDetail | None]:
    """PATCH /zoom/meetings/:id, for each pair of an id and its changes."""
    return BulkOperation(
        name="meetings.update_many",
        argument="changes",
        expected="pairs (meeting id, MeetingUpdate), or a mapping of ids to MeetingUpdate",
        account_id=account_id,
        by_key=by_key,
        key=_first_of_pair,
        request=lambda pair: _update(account_id, pair),
    )


def delete_many(account_id: str) -> BulkOperation[MeetingId, MeetingId, None]:
    """DELETE /zoom/meetings/:id, for each id."""
    return BulkOperation(
        name="meetings.delete_many",
        argument="meeting_ids",
        expected="meeting ids",
        account_id=account_id,
        key=_item_itself,
        request=lambda meeting_id: endpoints.delete_meeting(account_id, meeting_id),
    )


def _position(position: int, _: object) -> int:
    return position


def _item_itself(_: int, item: T) -> T:
    return item


def _is_pair(item: object) -> bool:
    # A string of two characters is not a pair, and a set of two items has no first one.
    return isinstance(item, Sequence) and not isinstance(item, (str, bytes, bytearray)) and len(item) == 2


def _first_of_pair(_: int, pair: Any) -> Any:  # noqa: ANN401  (an item may have any type, where types are not checked)
    # An item that is not a pair is its own key. Its position would look like the number of another meeting.
    return pair[0] if _is_pair(pair) else pair


def _update(account_id: str, pair: tuple[MeetingId, MeetingUpdate]) -> Call[MeetingDetail | None]:
    if not _is_pair(pair):
        raise InvalidArgumentError("changes", "a pair (meeting id, MeetingUpdate)", pair)
    meeting_id, changes = pair
    return endpoints.update_meeting(account_id, meeting_id, changes)


def ends_run(error: PyasError) -> bool:
    """Whether every other call of the run must fail with the same error, so that none of them is worth sending."""
    # Zoom's daily limit is not such an error: it may be the limit that each meeting has for itself.
    return isinstance(error, _ENDS_RUN) or (isinstance(error, RateLimitError) and error.scope == "month")


def without_context(error: PyasError) -> PyasError:
    """Remove traceback, cause and context from an error: an outcome is kept, and must not keep other objects alive."""
    error.__cause__ = error.__context__ = None
    return error.with_traceback(None)


class BulkTally(Generic[K, V]):
    """Makes the outcomes of a run, counts them, and keeps the reason why the run has ended.

    Attributes:
        ok: Items whose call succeeded.
        failed: Items whose call failed, or that are invalid.
        unknown: Items whose write may have been carried out.
        not_started: Items for which nothing was sent.
        ended_by: The error of the items that are not started any more; ``None`` as long as calls may be sent.
    """

    def __init__(self, operation: BulkOperation[T, K, V]) -> None:
        self.ok = 0
        self.failed = 0
        self.unknown = 0
        self.not_started = 0
        self.ended_by: PyasError | None = None
        self._argument = operation.argument
        self._writes = operation.writes
        self._by_key = operation.by_key

    def end(self, reason: PyasError) -> None:
        """End the run; only the first reason is kept."""
        if self.ended_by is None:
            # A copy: the call that raised the error may have been sent, and the items that are left were not.
            self.ended_by = self._not_sent(copy.copy(reason))

    def succeed(self, key: K, value: V) -> Outcome[K, V]:
        """Count an item whose call returned this value."""
        self.ok += 1
        return Outcome(key=key, value=value, state="ok")

    def fail(self, key: K, error: PyasError) -> Outcome[K, V]:
        """Count an item whose call failed; an error that all other calls would get ends the run."""
        if ends_run(error):
            self.end(error)
        # A write whose response cannot be read was carried out. To repeat it is as wrong as where that is not known.
        if error.write_state in ("unknown", "done"):
            self.unknown += 1
            return Outcome(key=key, error=without_context(error), state="unknown")
        self.failed += 1
        return Outcome(key=key, error=without_context(error), state="failed")

    def reject(self, position: int, key: K, error: InvalidArgumentError) -> Outcome[K, V]:
        """Count an invalid item, for which there is no call; its error names its position in the input, or its key."""
        place = f"{self._argument}[{shown(key) if self._by_key else position}]"
        return self.fail(key, self._not_sent(located(error, place)))

    def skip(self, key: K) -> Outcome[K, V]:
        """Count an item that is not started because the run has ended."""
        self.not_started += 1
        return Outcome(key=key, error=self.ended_by, state="not_started")

    def _not_sent(self, error: PyasError) -> PyasError:
        if self._writes:
            error.write_state = "not_sent"
        return without_context(error)
