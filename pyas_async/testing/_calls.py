"""What a test says of the calls that its code made."""

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

# What can be asked of a call, beside the places where the service's words are looked for.
_OWN_WORDS: Final = frozenset(("meeting_id", "status"))
_WORDS: Final = _OWN_WORDS | frozenset(
    (
        "account_id", "start_date", "end_date", "next_page_token", "max_results", "type", "page_number", "title",
        "description", "time_zone", "attendees", "recurrence", "duration", "waiting_room", "state", "code", "name",
    )
)  # fmt: skip
_SHOWN: Final = 20
"""How many calls are listed at either end."""


class Calls(Sequence[SeenRequest]):
    """The requests that reached the sandbox so far, retries included, in order.

    `assert_made` and `assert_none` fail with a list of what was seen. For all else there is ``assert`` itself::

        assert calls.operations == ["meetings.list", "meetings.create"]
    """

    def __init__(self, seen: Callable[[], Sequence[SeenRequest]]) -> None:
        """Look at what `seen` gives, whenever somebody looks."""
        self._seen = seen

    @property
    def operations(self) -> list[Operation | None]:
        """Which calls they were, in order; ``None`` for a request that is none of the API."""
        return [request.operation for request in self]

    def of(self, operation: Operation, **fields: object) -> Calls:
        """Pick those of one call, with these fields; as for `assert_made`."""
        picked = tuple(_pick(self._seen(), operation, fields))
        return Calls(lambda: picked)

    def assert_made(self, operation: Operation, *, times: int | None = None, **fields: object) -> None:
        """Assert that a call was made.

        Args:
            operation: Which, as in ``"meetings.create"``.
            times: How often, exactly; at least once unless given.
            fields: What it carried in its query or its body, under the client's names (``account_id``, ``title``) and
                with the values that travelled: numbers, text, and JSON's lists and objects. A `date` or an aware
                `datetime` stands for however the service writes it, ``None`` for a field that was not there, or null.
                Besides, ``meeting_id``, and the ``status`` that was answered.

        Raises:
            AssertionError: If it was not.
            TypeError: If a value is of a kind that no call carries.
            ValueError: If there is no such call, or no such field.
        """
        found = len(_pick(self._seen(), operation, fields))
        if found == times or (times is None and found):
            return
        wanted = "at least 1 call" if times is None else f"{times} call{'' if times == 1 else 's'}"
        msg = f"expected {wanted} of {_words(operation, fields)}, saw {found}. {self}"
        raise AssertionError(msg)

    def assert_none(self, operation: Operation | None = None, **fields: object) -> None:
        """Assert that a call was not made, or none at all; as for `assert_made`.

        Raises:
            AssertionError: If it was.
            TypeError: If a value is of a kind that no call carries.
            ValueError: If there is no such call, or no such field.
        """
        found = _pick(self._seen(), operation, fields)
        if found:
            msg = f"expected no call{'' if operation is None else ' of ' + _words(operation, fields)}. {self}"
            raise AssertionError(msg)

    @overload
    def __getitem__(self, index: int) -> SeenRequest: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[SeenRequest]: ...
    def __getitem__(self, index: int | slice) -> SeenRequest | Sequence[SeenRequest]:
        """Give one, or some."""
        return self._seen()[index]

    def __len__(self) -> int:
        """Count them."""
        return len(self._seen())

    def __iter__(self) -> Iterator[SeenRequest]:
        """Give one after the other."""
        return iter(tuple(self._seen()))

    def __str__(self) -> str:
        """List them, one a line; of very many, the first and the last."""
        lines = [f"  {number}. {_line(request)}" for number, request in enumerate(self, 1)]
        count = len(lines)
        if count > 2 * _SHOWN:
            lines[_SHOWN:-_SHOWN] = ["  ..."]
        return "\n".join([f"Calls seen: {count or 'none'}", *lines])


def _pick(seen: Iterable[SeenRequest], operation: Operation | None, fields: dict[str, object]) -> list[SeenRequest]:
    if operation is not None and operation not in OPERATIONS:
        msg = f"there is no call {operation!r}; there are {', '.join(OPERATIONS)}"
        raise ValueError(msg)
    if unknown := fields.keys() - _WORDS:
        msg = f"calls carry no field {', '.join(sorted(unknown))}; they carry {', '.join(sorted(_WORDS))}"
        raise ValueError(msg)
    for name, value in fields.items():
        _check(name, value)
    return [
        request
        for request in tuple(seen)
        if operation in (None, request.operation)
        and all(_carries(request, name, value) for name, value in fields.items())
    ]


def _carries(request: SeenRequest, name: str, value: object) -> bool:
    if name == "status":
        return request.status == value
    if name == "meeting_id":
        if request.operation not in ("meetings.get", "meetings.update", "meetings.delete"):
            return False
        # A uuid with certain slashes travels encoded twice.
        encoded = request.path.rpartition("/")[2]
        return str(value) in (unquote(encoded), unquote(unquote(encoded)))
    word = re.sub(r"_(\w)", lambda match: match[1].upper(), name)
    if word in request.query:
        return _is(request.query[word], value if isinstance(value, date) else str(value))
    body: Any = request.body if isinstance(request.body, dict) else {}
    data: Any = body.get("meetingData")
    found = body.get(word, data.get(word) if isinstance(data, dict) else None)
    return _is(found, value)


def _is(found: object, value: object) -> bool:
    """Tell whether what travelled is what was asked for."""
    if isinstance(value, datetime):
        with suppress(TypeError, ValueError):
            return datetime.fromisoformat(found) == value  # type: ignore[arg-type]  # (a TypeError, if it is no text)
        return False
    return bool(found == (value.strftime("%m-%d-%Y") if isinstance(value, date) else value))


def _check(name: str, value: object) -> None:
    """Refuse what no call carries: an assertion that there was none would hold for ever."""
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


def _words(operation: str, fields: dict[str, object]) -> str:
    return operation + ("" if not fields else " with " + ", ".join(f"{name}={fields[name]!r}" for name in fields))


def _line(request: SeenRequest) -> str:
    query = f"?{urlencode(request.query)}" if request.query else ""
    body = "" if request.body is None else f" {request.body}"
    answered = "no answer" if request.status is None else request.status
    return f"{request.method} {request.path}{query}{body} -> {answered}"
