"""What the converters do with each type: the tolerant reading of a value, and the writing of a request.

``null`` is a missing field, numbers may come as digits, and dates come in several forms. Each hook checks first for a
value of the right type, since most values have it, even in a row that has an undocumented value elsewhere.

A value that cannot be read costs its own field alone: the field has its default, and the model's source says which
fields these are. Only a required field, the identity of a meeting or of an account, makes its model unreadable.
"""

import re
import types
from collections.abc import Callable
from datetime import UTC, datetime, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

import attrs
from cattrs import Converter
from cattrs.gen import make_dict_structure_fn, override

from pyas_async._core.dates import parse_field
from pyas_async.models import MeetingType, MeetingUpdate
from pyas_async.models._base import Model
from pyas_async.models._source import PartlyReadSource, Source, UnreadableField, names_in_documents, wire_name
from pyas_async.options import UNSET, Unset

Hook = Callable[[object, Any], Any]
_DIGITS = re.compile(r"\s*-?[0-9]{1,19}\s*")


class UnexpectedValueError(ValueError):
    """A value that does not match its field. The message names its kind, not the value itself."""

    def __init__(self, expected: str, value: object) -> None:
        super().__init__(f"expected {expected}, got {_describe(value)}")


class StructureError(Exception):
    """A JSON value of which no model can be made.

    Attributes:
        path: Where the mismatch is, relative to the value.
        reason: What was expected there.
    """

    def __init__(self, path: str, reason: str) -> None:
        self.path = path
        self.reason = reason


class PartlyReadError(Exception):
    """A list of which some items could not be read.

    Attributes:
        items: The others.
        dropped: The positions of those that could not be read.
    """

    def __init__(self, items: tuple[Any, ...], dropped: tuple[int, ...]) -> None:
        self.items = items
        self.dropped = dropped


UNREADABLE = (UnexpectedValueError, StructureError, PartlyReadError)
"""What the hooks raise for a value that does not match."""


def _describe(value: object) -> str:
    if isinstance(value, str):
        return f"text of {len(value)} characters" if value else "empty text"
    names = {
        dict: "an object",
        list: "a list",
        bool: "true or false",
        type(None): "null",
        int: "a number",
        float: "a number",
    }
    return names[type(value)]


def to_int(value: object, _: object) -> int:
    """Read a whole number: also a float without a fraction, or up to 19 digits as text."""
    if type(value) is int:
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str) and _DIGITS.fullmatch(value):
        return int(value)
    raise UnexpectedValueError("a whole number", value)


def to_str(value: object, _: object) -> str:
    """Read text: also a whole number."""
    if isinstance(value, str):
        return value
    if type(value) is int:
        return str(value)
    raise UnexpectedValueError("text", value)


def to_bool(value: object, _: object) -> bool:
    """Read a flag: also 0, 1, or "true" and "false" in any case."""
    if isinstance(value, bool):
        return value
    if value in (0, 1):
        return bool(value)
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    raise UnexpectedValueError("true or false", value)


def to_datetime(value: object, _: object) -> datetime:
    """Read a date and time; naive if the text has no offset."""
    if isinstance(value, str) and (moment := parse_field(value)) is not None:
        return moment
    raise UnexpectedValueError("a date and time", value)


_MEETING_TYPES = {int(kind): kind for kind in MeetingType}


def to_meeting_type(value: object, _: object) -> MeetingType:
    """Read the number of a meeting type, a known or an unknown one."""
    number = to_int(value, int)
    return _MEETING_TYPES.get(number) or MeetingType(number)


def is_tuple(kind: Any) -> bool:  # noqa: ANN401  (an annotation)
    """Whether an annotation is ``tuple[X, ...]``."""
    return getattr(kind, "__origin__", None) is tuple


def tuple_hook(kind: Any, converter: Converter) -> Hook:  # noqa: ANN401  (an annotation)
    """Make the hook that reads a list as a tuple."""
    item_kind = kind.__args__[0]
    hook = converter.get_structure_hook(item_kind)

    def structure(value: object, _: object) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise UnexpectedValueError("a list", value)
        items, dropped = [], []
        for index, item in enumerate(value):
            try:
                items.append(hook(item, item_kind))
            except UNREADABLE:
                dropped.append(index)
        if dropped:
            raise PartlyReadError(tuple(items), tuple(dropped))
        return tuple(items)

    return structure


def is_optional(kind: Any) -> bool:  # noqa: ANN401  (an annotation)
    """Whether an annotation is ``X | None``."""
    return isinstance(kind, types.UnionType) and kind.__args__[1:] == (type(None),)


def optional_hook(kind: Any, converter: Converter) -> Hook:  # noqa: ANN401  (an annotation)
    """Make the hook for ``X | None``, which is that of ``X``: the hook of a model has dropped every ``null`` before."""
    # cattrs' own hook would look this up for each value.
    hook: Hook = converter.get_structure_hook(kind.__args__[0])
    return hook


def is_model(kind: Any) -> bool:  # noqa: ANN401  (an annotation)
    """Whether an annotation is the class of a model."""
    return isinstance(kind, type) and issubclass(kind, Model)


def model_hook(cls: type[Model], converter: Converter) -> Callable[[object, Any], Model]:
    """Make the hook that reads an object as a model, and sets its source. Dates without an offset stay naive."""
    renames: dict[str, Any] = {
        attribute.name: override(rename=wire_name(attribute))
        for attribute in attrs.fields(cls)
        if wire_name(attribute) != attribute.name
    }
    build = make_dict_structure_fn(
        cls,
        converter,
        _source=override(omit=True),
        **renames,
    )
    build_by_field = _field_by_field(cls, converter)
    # In fields that do not hold text, and in text fields declared so, an empty text means ``None``.
    blankable = {
        wire_name(a)
        for a in attrs.fields(cls)
        if a.default is not attrs.NOTHING and (a.type not in (str, str | None) or not a.metadata.get("blank", True))
    }
    renamed = {other: names[0] for a in attrs.fields(cls) for names in [names_in_documents(a)] for other in names[1:]}

    def structure(value: object, _: object) -> Model:
        if not isinstance(value, dict):
            raise UnexpectedValueError("an object", value)
        given: dict[str, Any] = value
        source: Source = value
        keys: dict[str, str] = {}
        if renamed:
            keys = {name: other for other, name in renamed.items() if value.get(other) and not value.get(name)}
            given = value | {name: value[other] for name, other in keys.items()}
        values = given.values()
        if None in values or ("" in values and "" in [given.get(name) for name in blankable]):
            given = {k: v for k, v in given.items() if v is not None and not (v == "" and k in blankable)}
        try:
            model = build(given, cls)
        except RecursionError:
            raise
        except Exception:  # noqa: BLE001  (what it is, is found out field by field)
            model, unreadable = build_by_field(given, keys)
            if unreadable:
                source = PartlyReadSource(value, unreadable)
        object.__setattr__(model, "_source", source)
        return model

    return structure


def _field_by_field(
    cls: type[Model], converter: Converter
) -> Callable[[dict[str, Any], dict[str, str]], tuple[Model, dict[str, UnreadableField]]]:
    """Make the function that reads each field of an object by itself, and says which ones cannot be read.

    Its second argument has the names in the document of those fields that are there under another name.
    """
    fields = [(a, wire_name(a), converter.get_structure_hook(a.type)) for a in attrs.fields(cls) if a.name != "_source"]
    paths = {wire: f".{wire}" for _, wire, _ in fields}  # made once: a page may have many rows with the same mistake

    def build(given: dict[str, Any], keys: dict[str, str]) -> tuple[Model, dict[str, UnreadableField]]:
        values: dict[str, Any] = {}
        unreadable: dict[str, UnreadableField] = {}
        for attribute, wire, hook in fields:
            name = attribute.name
            if wire not in given:
                if attribute.default is attrs.NOTHING:
                    raise StructureError(paths[wire], "is missing")
                continue
            try:
                values[name] = hook(given[wire], attribute.type)
            except PartlyReadError as some:
                values[name] = some.items
                unreadable[name] = UnreadableField(keys.get(wire, wire), some.items, some.dropped)
            except UNREADABLE as error:
                if attribute.default is attrs.NOTHING:
                    raise StructureError(paths[wire], str(error)) from None
                unreadable[name] = UnreadableField(keys.get(wire, wire), attribute.default)
        return cls(**values), unreadable

    return build


_LOCAL = {"start_time", "end_date_time"}
"""The dates that Zoom writes in the meeting's own time zone where it writes no offset; all others are in UTC."""


class _Parts(dict[type, tuple[bool, tuple[str, ...], tuple[str, ...]]]):
    """For each model: whether it names a time zone, its fields for dates, and those for models and tuples of models."""

    def __missing__(self, cls: type[Any]) -> tuple[bool, tuple[str, ...], tuple[str, ...]]:
        fields = [attribute for attribute in attrs.fields(cls) if attribute.name != "_source"]
        self[cls] = found = (
            any(attribute.name == "timezone" for attribute in fields),
            tuple(attribute.name for attribute in fields if attribute.type == datetime | None),
            tuple(attribute.name for attribute in fields if any(map(is_model, _kinds_in(attribute.type)))),
        )
        return found


def _kinds_in(kind: Any) -> tuple[Any, ...]:  # noqa: ANN401  (an annotation)
    return getattr(kind, "__args__", None) or (kind,)


_parts = _Parts()


def set_offsets(model: Model, zone: str | Unset | None = UNSET) -> None:
    """Make all dates in a new model aware: those without an offset are read in the meeting's time zone, or in UTC.

    Args:
        model: The model.
        zone: The time zone of the meeting; ``UNSET`` for the one that the model itself names.
    """
    names_zone, moments, parts = _parts[type(model)]
    for name in moments:
        moment = getattr(model, name)
        if moment is not None and moment.tzinfo is None:
            local = name in _LOCAL and (names_zone or zone is not UNSET)
            tzinfo = _timezone(model.timezone if zone is UNSET else zone) if local else UTC  # type: ignore[attr-defined]  # it has the field
            object.__setattr__(model, name, moment.replace(tzinfo=tzinfo))
    if parts and names_zone and zone is UNSET:
        zone = model.timezone  # type: ignore[attr-defined]  # it has the field
    for name in parts:
        value = getattr(model, name)
        for part in value if isinstance(value, tuple) else () if value is None else (value,):
            set_offsets(part, zone)


def _timezone(name: str | None) -> tzinfo:
    if not name:
        return UTC
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, LookupError):
        return UTC


def request_hook(cls: type, converter: Converter) -> Callable[[Any], dict[str, Any]]:
    """Make the hook that writes a request under the documented names, without the fields that were not given."""
    names = [(attribute.name, wire_name(attribute)) for attribute in attrs.fields(cls)]
    left_out = UNSET if cls is MeetingUpdate else None

    def unstructure(model: object) -> dict[str, Any]:
        given = ((wire, getattr(model, name)) for name, wire in names)
        return {wire: converter.unstructure(value) for wire, value in given if value is not left_out}

    return unstructure
