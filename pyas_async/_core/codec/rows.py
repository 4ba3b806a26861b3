"""``to_row``: a model as a flat row, for a DataFrame or a CSV file."""

import functools
import json
import types
from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeAlias

import attrs

from pyas_async._core.codec.documents import to_dict
from pyas_async._core.codec.secret_fields import is_secret_name, text_without_secrets
from pyas_async._moments import in_utc
from pyas_async._public import public
from pyas_async.errors import InvalidArgumentError
from pyas_async.models import Page
from pyas_async.models._base import Model
from pyas_async.models.meetings import end_of

Cell: TypeAlias = int | str | bool | datetime | None
_Reader: TypeAlias = Callable[[Any], Cell]
_LARGEST = 2**63 - 1
"""The largest whole number of a column: a single one above it would change the type of the whole column."""


@public
def to_row(model: object) -> dict[str, Any]:
    """Convert a model to a flat row, such as ``polars.DataFrame(map(to_row, meetings))`` takes.

    The keys are the names of the attributes, and `end_time`. Each row of a class has the same keys in the same order,
    and a value is ``None`` or of the type that `row_types` names:

    - A time is aware, in UTC. A number that needs more than 64 bits, or a time that UTC does not have, is ``None``.
    - The type of a meeting is its number.
    - The attributes of a model inside have its name before theirs: `settings_waiting_room`.
    - Several values, such as the `occurrences` of a meeting, are JSON in a text.
    - There are no secrets: a `password` or `start_url` has no key, ``pwd=`` is cut out of `join_url`, and passcodes in
      a text are masked.
    - Unknown fields, which would give every row other keys, are left out: they are in `extra`.

    Raises:
        InvalidArgumentError: If the argument is not a model that the service sends, or is a `Page`, which has many.
    """
    return {name: read(model) for name, _, read in _columns(_checked("model", model, type(model)))}


@public
def row_types(cls: type) -> dict[str, type]:
    """Return the columns of `to_row` for a class, and the type of each: ``int``, ``str``, ``bool`` or ``datetime``.

    A column without any value in it has no type that a DataFrame could find, so a schema of these makes the frames of
    all listings fit together.

    Raises:
        InvalidArgumentError: If the class is not that of a model that the service sends, or is `Page`.
    """
    return {name: kind for name, kind, _ in _columns(_checked("cls", cls, cls))}


def _checked(field: str, given: object, cls: object) -> Any:  # noqa: ANN401  (mypy takes no class of attrs for hashable)
    if isinstance(cls, type) and issubclass(cls, Model) and not issubclass(cls, Page):
        return cls
    hint = "A page has many: map(to_row, page.meetings)" if isinstance(cls, type) and issubclass(cls, Page) else ""
    shown = f"<{(given if isinstance(given, type) else type(given)).__name__}>"
    raise InvalidArgumentError(field, "a Meeting or another single model that the service sends", shown, hint=hint)


@functools.cache
def _columns(cls: Any) -> tuple[tuple[str, type, _Reader], ...]:  # noqa: ANN401  (see `_checked`)
    """Return the columns of a class: the name, the type, and the function that reads the value from a model."""
    common = attrs.fields_dict(Model)
    columns: list[tuple[str, type, _Reader]] = []
    for field in attrs.fields(cls):
        if field.name not in common and not is_secret_name(field.name):
            columns += _columns_of(field.name, field.type)
    if hasattr(cls, "end_time"):
        columns.append(("end_time", datetime, _end))
    return tuple(columns)


def _columns_of(name: str, hint: Any) -> list[tuple[str, type, _Reader]]:  # noqa: ANN401  (an annotation)
    kind = hint.__args__[0] if isinstance(hint, types.UnionType) else hint
    if getattr(kind, "__origin__", None) is tuple:
        return [(name, str, lambda model: _several(getattr(model, name)))]
    if issubclass(kind, Model):
        return [(f"{name}_{inner}", column, _inside(name, read)) for inner, column, read in _columns(kind)]
    # The type of a meeting is an ``int``, too.
    column = next(column for column in _CELLS if issubclass(kind, column))
    cell = _CELLS[column]
    return [(name, column, lambda model: cell(getattr(model, name)))]


def _end(model: Any) -> datetime | None:  # noqa: ANN401  (a model with a start and a duration)
    return end_of(_moment(model.start_time), _whole(model.duration))


def _inside(name: str, read: _Reader) -> _Reader:
    return lambda model: None if (inner := getattr(model, name)) is None else read(inner)


# A model that was made by hand may have a value of any type.


def _several(values: object) -> str | None:
    if not isinstance(values, tuple):
        return None
    items = [to_dict(item, secrets=False) if isinstance(item, Model) else _text(item) for item in values]
    return json.dumps(items, ensure_ascii=False)


def _flag(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


def _whole(value: object) -> int | None:
    # ``int()`` makes a number of a MeetingType.
    fits = isinstance(value, int) and not isinstance(value, bool) and -_LARGEST <= value <= _LARGEST
    return int(value) if fits else None  # type: ignore[call-overload]


def _text(value: object) -> str | None:
    return text_without_secrets(value) if isinstance(value, str) else None


def _moment(value: object) -> datetime | None:
    return in_utc(value) if isinstance(value, datetime) and value.utcoffset() is not None else None


_CELLS: dict[type, Callable[[object], Cell]] = {bool: _flag, int: _whole, str: _text, datetime: _moment}
"""What makes a value of a type; ``bool`` comes first, since it is an ``int`` as well."""
