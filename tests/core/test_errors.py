"""The tree of errors: it matches the drawing, survives pickle, and is public."""

from __future__ import annotations

import copy
import inspect
import pickle
import re
from typing import TYPE_CHECKING

import pytest

import pyas_async
from core.tools import NOON
from pyas_async import errors
from pyas_async._core.pagination.listing_state import ListingRules
from pyas_async._core.pagination.machine import PaginationMachine
from pyas_async.errors import FieldError, PyasError

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
