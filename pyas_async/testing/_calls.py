"""Assertions on the calls that the code under test made."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Final, overload
from urllib.parse import unquote, urlencode

from pyas_async.sandbox import OPERATIONS, Operation, SeenRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

# The fields that a test can ask about: two of its own, and those that a call has in its query or body.
_OWN_FIELDS: Final = frozenset(("meeting_id", "status"))
_FIELDS: Final = _OWN_FIELDS | frozenset(
    (
        "account_id", "start_date", "end_date", "next_page_token", "max_results", "type", "page_number", "title",
        "description", "time_zone", "attendees", "recurrence", "duration", "waiting_room", "state", "code", "name",
    )
)  # fmt: skip
_SHOWN: Final = 20
"""How many calls are listed at the start and at the end of a long list."""


class Calls(Sequence[SeenRequest]):
    """The requests that reached the sandbox so far, in order, including retries.

    `assert_made` and `assert_none` fail with a list of the calls that were seen. For everything else, use ``assert``::

        assert calls.operations == ["meetings.list", "meetings.create"]
    """

    def __init__(self, seen: Callable[[], Sequence[SeenRequest]]) -> None:
        # A function, so that the requests are always the current ones.
        self._seen = seen

    @property
    def operations(self) -> list[Operation | None]:
        """The calls, in order; ``None`` for a request that is not a call of the API."""
        return [request.operation for request in self]

    def of(self, operation: Operation, **fields: object) -> Calls:
        """Return the calls of one operation that have these fields; see `assert_made`. Later calls are not added."""
        picked = tuple(_pick(self._seen(), operation, fields))
        return Calls(lambda: picked)

    def assert_made(self, operation: Operation, *, times: int | None = None, **fields: object) -> None:
        """Assert that a call was made.

        Args:
            operation: The call, as in ``"meetings.create"``.
            times: How often, exactly. Default: at least once.
            fields: Fields of its query or its body, under the client's names (``account_id``, ``title``) and with the
                values that were sent: numbers, text, and JSON's lists and objects. A `date` or an aware `datetime`
                matches the form in which the client sends it. ``None`` matches a field that is missing or null. There
                are two more fields: ``meeting_id``, and ``status``, the status of the response.

        Raises:
            AssertionError: If it was not made, or not this often.
            TypeError: If a value is of a type that no call contains.
            ValueError: If there is no such call, or no such field.
        """
        found = len(_pick(self._seen(), operation, fields))
        if found == times or (times is None and found):
            return
        wanted = "at least 1 call" if times is None else f"{times} call{'' if times == 1 else 's'}"
        msg = f"expected {wanted} of {_description(operation, fields)}, saw {found}. {self}"
        raise AssertionError(msg)

    def assert_none(self, operation: Operation | None = None, **fields: object) -> None:
        """Assert that a call was not made; without an operation, that no call was made. See `assert_made`.

        Raises:
            AssertionError: If it was made.
            TypeError: If a value is of a type that no call contains.
            ValueError: If there is no such call, or no such field.
        """
        found = _pick(self._seen(), operation, fields)
        if found:
            msg = f"expected no call{'' if operation is None else ' of ' + _description(operation, fields)}. {self}"
            raise AssertionError(msg)

    @overload
    def __getitem__(self, index: int) -> SeenRequest: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[SeenRequest]: ...
    def __getitem__(self, index: int | slice) -> SeenRequest | Sequence[SeenRequest]:
        return self._seen()[index]

    def __len__(self) -> int:
        return len(self._seen())

    def __iter__(self) -> Iterator[SeenRequest]:
        return iter(tuple(self._seen()))

    def __str__(self) -> str:
        """List the calls, one per line; of a long list, the first and the last."""
        lines = [f"  {number}. {_line(request)}" for number, request in enumerate(self, 1)]
        count = len(lines)
        if count > 2 * _SHOWN:
            lines[_SHOWN:-_SHOWN] = ["  ..."]
        return "\n".join([f"Calls seen: {count or 'none'}", *lines])


def _pick(seen: Iterable[SeenRequest], operation: Operation | None, fields: dict[str, object]) -> list[SeenRequest]:
    if operation is not None and operation not in OPERATIONS:
        msg = f"there is no call {operation!r}; there are {', '.join(OPERATIONS)}"
        raise ValueError(msg)
    if unknown := fields.keys() - _FIELDS:
        msg = f"calls carry no field {', '.join(sorted(unknown))}; they carry {', '.join(sorted(_FIELDS))}"
        raise ValueError(msg)
    for name, value in fields.items():
        _check(name, value)
    return [
        request
        for request in tuple(seen)
        if operation in (None, request.operation) and all(_has(request, name, value) for name, value in fields.items())
    ]


def _has(request: SeenRequest, name: str, value: object) -> bool:
    if name == "status":
        return request.status == value
    if name == "meeting_id":
        if request.operation not in ("meetings.get", "meetings.update", "meetings.delete"):
            return False
        # Certain uuids with slashes are percent-encoded twice.
        encoded = request.path.rpartition("/")[2]
        return str(value) in (unquote(encoded), unquote(unquote(encoded)))
    word = re.sub(r"_(\w)", lambda match: match[1].upper(), name)
    if word in request.query:
        return _matches(request.query[word], value if isinstance(value, date) else str(value))
    body: Any = request.body if isinstance(request.body, dict) else {}
    data: Any = body.get("meetingData")
    found = body.get(word, data.get(word) if isinstance(data, dict) else None)
    return _matches(found, value)


def _matches(found: object, value: object) -> bool:
    """Whether the value that was sent matches the value of the test."""
    if isinstance(value, datetime):
        with suppress(TypeError, ValueError):
            return datetime.fromisoformat(found) == value  # type: ignore[arg-type]  # (a TypeError, if it is not text)
        return False
    return bool(found == (value.strftime("%m-%d-%Y") if isinstance(value, date) else value))


def _check(name: str, value: object) -> None:
    """Refuse values that no call contains: an assertion that there was no such call would always pass."""
    if isinstance(value, datetime) and value.tzinfo is None:
        msg = f"{name}: calls carry aware datetimes; got {value!r}"
        raise ValueError(msg)
    if isinstance(value, list):
        for entry in value:
            _check(name, entry)
    elif isinstance(value, dict):
        for entry in value.values():
            _check(name, entry)
    elif not isinstance(value, str | int | float | date | None):
        msg = f"{name}: calls carry text, numbers, lists and objects of JSON, and dates; got {value!r}"
        raise TypeError(msg)


def _description(operation: str, fields: dict[str, object]) -> str:
    return operation + ("" if not fields else " with " + ", ".join(f"{name}={fields[name]!r}" for name in fields))


def _line(request: SeenRequest) -> str:
    query = f"?{urlencode(request.query)}" if request.query else ""
    body = "" if request.body is None else f" {request.body}"
    answered = "no response" if request.status is None else request.status
    return f"{request.method} {request.path}{query}{body} -> {answered}"
