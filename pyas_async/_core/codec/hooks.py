"""What the converters do with each type: the tolerant reading of a value, and the writing of a request.

``null`` is a missing field, numbers may come as digits, and dates come in several forms. Each hook checks first for a
value of the right type, since most values have it, even in a row that has an undocumented value elsewhere.
"""

import re
import types
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import attrs
from cattrs import Converter
from cattrs.gen import make_dict_structure_fn, override

from pyas_async._core.dates import parse_field
from pyas_async.models import MeetingType, MeetingUpdate
from pyas_async.models._base import Model
from pyas_async.models._source import wire_name
from pyas_async.options import UNSET

Hook = Callable[[object, Any], Any]
_DIGITS = re.compile(r"\s*-?[0-9]{1,19}\s*")


class UnexpectedValueError(ValueError):
    """A value that does not match its field. The message names its kind, not the value itself."""

    def __init__(self, expected: str, value: object) -> None:
        super().__init__(f"expected {expected}, got {_describe(value)}")


class ItemError(Exception):
    """An item of a list that does not match.

    Attributes:
        index: The position of the item.
        reason: What was raised for it.
    """

    def __init__(self, index: int, reason: Exception) -> None:
        self.index = index
        self.reason = reason


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
        items = []
        try:
            for item in value:
                items.append(hook(item, item_kind))  # noqa: PERF401  (their number is the index of the failing one)
        except Exception as error:  # noqa: BLE001  (`structure` looks at the reason when it finds the path)
            raise ItemError(len(items), error) from None
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
    """Make the hook that reads an object as a model, and sets its source."""
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
    moments = [attribute.name for attribute in attrs.fields(cls) if attribute.type == datetime | None]
    # In fields that do not hold text, and in text fields declared so, an empty text means ``None``.
    blankable = {
        wire_name(a)
        for a in attrs.fields(cls)
        if a.default is not attrs.NOTHING and (a.type not in (str, str | None) or not a.metadata.get("blank", True))
    }

    def structure(value: object, _: object) -> Model:
        if not isinstance(value, dict):
            raise UnexpectedValueError("an object", value)
        given, values = value, value.values()
        if None in values or ("" in values and "" in [value.get(name) for name in blankable]):
            given = {k: v for k, v in value.items() if v is not None and not (v == "" and k in blankable)}
        model = build(given, cls)
        for name in moments:
            moment = getattr(model, name)
            if moment is not None and moment.tzinfo is None:
                zone = getattr(model, "timezone", None) if name == "start_time" else None
                object.__setattr__(model, name, moment.replace(tzinfo=_timezone(zone)))
        object.__setattr__(model, "_source", value)
        return model

    return structure


def _timezone(name: str | None) -> Any:  # noqa: ANN401  (a tzinfo)
    # Zoom writes a start without an offset in the meeting's own time zone.
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
