"""The tree of errors: it matches the drawing, survives pickle, and is public."""

from __future__ import annotations

import copy
import inspect
import json
import pickle
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

import pyas_async
from core.strategies import brisk
from core.tools import NOON
from pyas_async import errors
from pyas_async._core.pagination.listing_state import ListingRules
from pyas_async._core.pagination.machine import PaginationMachine
from pyas_async.errors import FieldError, PyasError, RateLimitScope, WriteState

if TYPE_CHECKING:
    from collections.abc import Callable

CLASSES: dict[str, type[PyasError]] = {
    name: cls for name, cls in vars(errors).items() if inspect.isclass(cls) and issubclass(cls, PyasError)
}
CHECKPOINT = PaginationMachine(ListingRules()).checkpoint("acc", (), 0)
ANSWER: dict[str, object] = {"status": 400, "code": "c", "errors": [FieldError("bad", "type")], "request_id": "r"}
ARGUMENTS: dict[str, tuple[tuple[object, ...], dict[str, object]]] = {
    "InvalidArgumentError": (("field", "a number", "x"), {"hint": "Count"}),
    "CheckpointError": (("resume", "a checkpoint", "x"), {}),
    "RateLimitError": (("m",), ANSWER | {"status": 429, "retry_after": 1.5, "scope": "key"}),
    "DecodeError": (("m",), {"path": "$.data", "excerpt": "{}"}),
    "OutcomeUnknownError": (
        ("m",),
        {"operation": "meetings.create", "sent_at": NOON, "meeting_id": 5, "candidates": [pyas_async.Meeting(id=1)]},
    ),
    "BudgetTimeoutError": (("m",), {"retry_after": 2.5}),
}


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=30) | st.sampled_from(["<b>", "429: slow", "'x'"])
moments = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  (hypothesis adds the zone)
ids = st.integers(1, 2**64) | texts
rows = st.builds(
    pyas_async.Meeting,
    id=st.integers(1, 2**64),
    uuid=texts,
    host_id=st.none() | texts,
    topic=st.none() | st.sampled_from(["Planning", "1:1"]),
    type=st.none() | st.integers(-1, 99).map(pyas_async.MeetingType),
    start_time=st.none() | moments,
    duration=st.none() | st.integers(0, 2**70),
    timezone=st.none() | texts,
    created_at=st.none() | moments,
)
PARAMETERS: dict[str, st.SearchStrategy[Any]] = {
    "message": texts,
    "field": texts,
    "expected": texts,
    "got": texts
    | st.sampled_from(["y" * 900, f"<{'y' * 900}"])
    | st.integers()
    | st.lists(texts)
    | st.none()
    | st.builds(object),
    "hint": texts,
    "described": st.booleans(),
    "status": st.integers(0, 999),
    "code": st.none() | st.integers() | texts,
    "errors": st.lists(st.builds(FieldError, texts, st.none() | texts), max_size=3),
    "request_id": st.none() | texts,
    "account_id": st.none() | texts,
    "excerpt": texts | st.just("x" * 900),
    "retry_after": st.floats(0, 1e9) | st.integers(0, 10**9),
    "scope": st.sampled_from(get_args(RateLimitScope)),
    "path": texts,
    "operation": texts,
    "sent_at": moments | moments.map(lambda moment: moment.astimezone(None) + timedelta(microseconds=1)),
    "meeting_id": st.none() | ids,
    "candidates": st.lists(rows, max_size=2),
    "write_state": st.none() | st.sampled_from(get_args(WriteState)),
}
"""What each parameter of the constructors may be."""


@st.composite
def any_errors(draw: st.DrawFn) -> PyasError:
    """Draw an error of any class, with any arguments, as the client makes it."""
    cls: Callable[..., PyasError] = CLASSES[draw(st.sampled_from(sorted(CLASSES)))]
    parameters = inspect.signature(cls).parameters
    error = cls(**{name: draw(PARAMETERS[name]) for name in parameters if name != "write_state"})
    error.write_state = draw(PARAMETERS["write_state"])
    return error


def drawn() -> dict[str, tuple[str | None, str | None]]:
    """Read the tree in the docstring: the parent of each class, and the built-in one in brackets."""
    found: dict[str, tuple[str | None, str | None]] = {}
    above: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        match = re.match(r"^    ([│├└─ ]*)(\w+Error)(?: \((\w+)\))?", line)
        if match:
            depth = len(match[1]) // 4
            del above[depth:]
            found[match[2]] = (above[-1] if above else None, match[3])
            above.append(match[2])
    return found


def make(name: str) -> PyasError:
    """Make an error with all attributes set."""
    cls: Callable[..., PyasError] = CLASSES[name]
    default = ANSWER if issubclass(CLASSES[name], pyas_async.APIStatusError) else {}
    args, named = ARGUMENTS.get(name, (("m",), default))
    error = cls(*args, **named)
    error.checkpoint = CHECKPOINT
    error.write_state = "unknown"
    error.add_note("a note")
    return error


def test_tree_is_drawn() -> None:
    """The docstring draws each class below its parent, with its built-in base class."""
    builtins = {"ValueError", "TimeoutError"}
    actual = {
        name: (
            next((base.__name__ for base in cls.__bases__ if issubclass(base, PyasError)), None),
            next((base.__name__ for base in cls.__bases__ if base.__name__ in builtins), None),
        )
        for name, cls in CLASSES.items()
    }

    assert actual == drawn()


each = pytest.mark.parametrize("name", CLASSES)


@each
@pytest.mark.parametrize("protocol", [0, pickle.HIGHEST_PROTOCOL])
def test_pickle(name: str, protocol: int) -> None:
    """Pickle keeps the class, the text and all attributes of an error."""
    error = make(name)
    came = pickle.loads(pickle.dumps(error, protocol))

    assert type(error) is type(came)
    assert vars(error) == vars(came)
    assert (str(error), repr(error), error.args) == (str(came), repr(came), came.args)


@each
def test_copy(name: str) -> None:
    """A copy has the text and all attributes of the error."""
    error = make(name)
    for copied in (copy.copy(error), copy.deepcopy(error)):
        assert (str(error), vars(error)) == (str(copied), vars(copied))


@brisk
@given(any_errors())
def test_made_anew_from_json(error: PyasError) -> None:
    """Task queues store ``args`` as JSON, and call the class with them: the error has the same text and attributes."""
    again = type(error)(*json.loads(json.dumps(error.args)))

    assert (str(error), repr(error)) == (str(again), repr(again))
    assert vars(error) == vars(again)
    assert error.args == type(again)(*again.args).args


@brisk
@given(any_errors(), st.sampled_from([copy.copy, copy.deepcopy, lambda error: pickle.loads(pickle.dumps(error))]))
def test_copies(error: PyasError, packed: Callable[[PyasError], PyasError]) -> None:
    """Pickle and copies keep the class, the text and all attributes, whatever they are."""
    error.checkpoint = CHECKPOINT
    error.add_note("a note")
    again = packed(error)

    assert type(error) is type(again)
    assert (str(error), repr(error), error.args) == (str(again), repr(again), again.args)
    assert (vars(error), str(error.checkpoint)) == (vars(again), str(again.checkpoint))


@each
def test_each_is_made_anew(name: str) -> None:
    """Each class can be called with the ``args`` of its errors; only the checkpoint is lost: it has a page token."""
    error = make(name)
    again = type(error)(*json.loads(json.dumps(error.args)))

    assert (type(error), str(error), repr(error)) == (type(again), str(again), repr(again))
    assert vars(error) == vars(again) | {"checkpoint": CHECKPOINT, "__notes__": ["a note"]}


@each
def test_groups(name: str) -> None:
    """A group of errors can be split, derived and pickled, as ``except*`` and task groups do."""
    group = ExceptionGroup("several", [make(name), ValueError("another")])
    found, rest = group.split(CLASSES[name])
    assert found is not None
    derived = found.derive(found.exceptions)
    [error] = pickle.loads(pickle.dumps(derived)).exceptions

    assert (CLASSES[name], str(make(name)), vars(make(name))) == (type(error), str(error), vars(error))
    assert rest is not None or issubclass(CLASSES[name], ValueError)


def test_text_is_not_doubled() -> None:
    """The text of an error that is made anew, twice, is the text of the first."""
    error = pyas_async.RateLimitError("slow down", retry_after=2)
    again = type(error)(*error.args)

    assert "429: slow down (free again in 2 s)" == str(error) == str(again) == str(type(again)(*again.args))


def test_state_of_a_write_that_is_made_anew() -> None:
    """Whether a write took place is part of ``args``: a task that is repeated after it would do it twice."""
    error = pyas_async.ServerError("Boom", status=500)
    error.write_state = "unknown"

    assert "unknown" == type(error)(*error.args).write_state


def test_text_that_is_replaced() -> None:
    """Assigning ``args`` replaces the text, as for every exception, and keeps the attributes."""
    error = pyas_async.NotFoundError("no", status=404)
    error.args = (f"meeting 5: {error}",)

    assert ("meeting 5: 404: no", 404) == (str(error), error.status)


@each
def test_public(name: str) -> None:
    """Every error is exported, and its module is ``pyas_async``."""
    assert CLASSES[name] is getattr(pyas_async, name)
    assert name in pyas_async.__all__
    assert "pyas_async" == CLASSES[name].__module__


@each
def test_defaults(name: str) -> None:
    """By default an error has no checkpoint, and only OutcomeUnknownError has a write state."""
    cls: Callable[..., PyasError] = CLASSES[name]
    default = ANSWER if issubclass(CLASSES[name], pyas_async.APIStatusError) else {}
    args, named = ARGUMENTS.get(name, (("m",), default))
    error = cls(*args, **named)

    assert error.checkpoint is None
    assert ("unknown" if name == "OutcomeUnknownError" else None) == error.write_state


def test_built_in_handlers() -> None:
    """Handlers of TimeoutError and ValueError catch the errors of that kind."""
    assert isinstance(make("RequestTimeoutError"), TimeoutError)
    assert isinstance(make("BudgetTimeoutError"), TimeoutError)
    assert isinstance(make("InvalidArgumentError"), ValueError)


def test_message_of_a_refusal() -> None:
    """The message names the argument, what was expected, what came (shortened), and what to do."""
    assert "field: expected a number, got 'x'. Count" == str(make("InvalidArgumentError"))
    assert len(str(pyas_async.InvalidArgumentError("field", "less", "x" * 10_000))) < 300


def test_excerpt_is_short() -> None:
    """An excerpt has 500 characters at most."""
    assert 500 == len(pyas_async.DecodeError("m", excerpt="x" * 10_000).excerpt)
