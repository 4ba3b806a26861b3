"""The cattrs converters: the one place where hooks live.

Reading is tolerant: ``null`` is a missing field, numbers may come as digits, dates in several forms. Whatever still
does not fit fails with the path of the place. Writing gives the page's names and RFC 3339.
"""

import contextlib
import functools
import re
import types
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import attrs
from cattrs import ClassValidationError, Converter
from cattrs.gen import make_dict_structure_fn, override
from cattrs.preconf.msgspec import MsgspecJsonConverter

from pyas_async._core.codec import native
from pyas_async._core.codec.parsing import REFUSED, parse
from pyas_async._core.dates import parse_field, rfc3339
from pyas_async.models import Attendee, MeetingCreate, MeetingType, MeetingUpdate, Recurrence
from pyas_async.models._base import Model
from pyas_async.models._source import wire_name
from pyas_async.options import UNSET

T = TypeVar("T")
_DIGITS = re.compile(r"\s*-?[0-9]{1,19}\s*")
REQUESTS = (Attendee, MeetingCreate, MeetingUpdate, Recurrence)


class Misfit(ValueError):  # noqa: N818  (it never leaves the codec)
    """A value that does not fit its field."""

    def __init__(self, expected: str, value: object) -> None:
        """Say what was expected, and of what kind the value is: it is not shown itself."""
        super().__init__(f"expected {expected}, got {_kind(value)}")


# What has the right type already is the most by far, also in a row that is odd somewhere: each hook asks that first.


def _whole(value: object, _: object) -> int:
    if type(value) is int:
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str) and _DIGITS.fullmatch(value):
        return int(value)
    raise Misfit("a whole number", value)


def _text(value: object, _: object) -> str:
    if isinstance(value, str):
        return value
    if type(value) is int:
        return str(value)
    raise Misfit("text", value)


def _truth(value: object, _: object) -> bool:
    if isinstance(value, bool):
        return value
    if value in (0, 1):
        return bool(value)
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    raise Misfit("true or false", value)


def _moment(value: object, _: object) -> datetime:
    if isinstance(value, str) and (moment := parse_field(value)) is not None:
        return moment
    raise Misfit("a date and time", value)


_TYPES = {int(kind): kind for kind in MeetingType}


def _meeting_type(value: object, _: object) -> MeetingType:
    number = _whole(value, int)
    return _TYPES.get(number) or MeetingType(number)


class ItemMisfit(Exception):  # noqa: N818  (it never leaves the codec)
    """An item of a list that does not fit; its reason is the cause."""

    def __init__(self, index: int, reason: Exception) -> None:
        """Keep which item it was."""
        self.index = index
        self.reason = reason


def _items(kind: Any, converter: Converter) -> Callable[[object, Any], tuple[Any, ...]]:  # noqa: ANN401  (a generic alias)
    item_kind = kind.__args__[0]
    hook = converter.get_structure_hook(item_kind)

    def structure(value: object, _: object) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise Misfit("a list", value)
        items = []
        try:
            for item in value:
                items.append(hook(item, item_kind))  # noqa: PERF401  (how far it came says which item it was)
        except Exception as error:  # noqa: BLE001  (the reason is looked into by whoever says where it was)
            raise ItemMisfit(len(items), error) from None
        return tuple(items)

    return structure


def _is_optional(kind: Any) -> bool:  # noqa: ANN401  (an annotation)
    return isinstance(kind, types.UnionType) and kind.__args__[1:] == (type(None),)


def _optional(kind: Any, converter: Converter) -> Callable[[object, Any], Any]:  # noqa: ANN401  (an annotation)
    # `_model` leaves out what is null, so what is left is of the kind itself. cattrs' own way looks that up each time.
    hook: Callable[[object, Any], Any] = converter.get_structure_hook(kind.__args__[0])
    return hook


def _model(cls: type[Model], converter: Converter) -> Callable[[object, Any], Model]:
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
    # An empty text stands for "none" wherever text is not what the field holds.
    blankable = {
        wire_name(a)
        for a in attrs.fields(cls)
        if a.default is not attrs.NOTHING and (a.type not in (str, str | None) or not a.metadata.get("blank", True))
    }

    def structure(value: object, _: object) -> Model:
        if not isinstance(value, dict):
            raise Misfit("an object", value)
        given, values = value, value.values()
        if None in values or ("" in values and "" in [value.get(name) for name in blankable]):
            given = {k: v for k, v in value.items() if v is not None and not (v == "" and k in blankable)}
        model = build(given, cls)
        for name in moments:
            moment = getattr(model, name)
            if moment is not None and moment.tzinfo is None:
                zone = getattr(model, "timezone", None) if name == "start_time" else None
                object.__setattr__(model, name, moment.replace(tzinfo=_zone(zone)))
        object.__setattr__(model, "_source", value)
        return model

    return structure


def _zone(name: str | None) -> Any:  # noqa: ANN401  (a tzinfo)
    # Zoom writes a time without an offset in the meeting's own zone.
    if not name:
        return UTC
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, LookupError):
        return UTC


def _request_writer(cls: type, converter: Converter) -> Callable[[Any], dict[str, Any]]:
    names = [(attribute.name, wire_name(attribute)) for attribute in attrs.fields(cls)]
    left_out = UNSET if cls is MeetingUpdate else None

    def unstructure(model: object) -> dict[str, Any]:
        given = ((wire, getattr(model, name)) for name, wire in names)
        return {wire: converter.unstructure(value) for wire, value in given if value is not left_out}

    return unstructure


def _kind(value: object) -> str:
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


class Reader(MsgspecJsonConverter):
    """Reads answers: from JSON values by the hooks, and from bytes the fast way, as far as that goes."""

    def get_loads_hook(self, cl: type[T]) -> Callable[[bytes], T]:
        """Give what makes models of a class of bytes: msgspec by itself, or, if it refuses, the hooks."""
        if not native.takes(cl):
            return lambda data: self.structure(parse(data), cl)
        load, load_tolerantly = native.loader(cl), self.get_tolerant_loads_hook(cl)

        def loads(data: bytes) -> T:
            try:
                return load(data)
            except REFUSED:
                return load_tolerantly(data)

        return loads

    def get_tolerant_loads_hook(self, cl: type[T]) -> Callable[[bytes], T]:
        """Give what makes models of a class of bytes by the hooks alone."""
        known = native.known_fields(cl).decode

        def loads(data: bytes) -> T:
            try:
                value = known(data)
            except REFUSED:
                value = parse(data)
            model = self.structure(value, cl)
            native.set_source(model, data)
            return model

        return loads

    def loads(self, data: bytes, cl: type[T], **_: object) -> T:
        """Make a model of bytes."""
        return self.get_loads_hook(cl)(data)


@functools.cache
def reader(*, detailed: bool) -> Reader:
    """Give the converter for answers; `detailed` to learn where one does not fit, else the quicker one."""
    converter = Reader(detailed_validation=detailed)
    converter.register_structure_hook(int, _whole)
    converter.register_structure_hook(str, _text)
    converter.register_structure_hook(bool, _truth)
    converter.register_structure_hook(datetime, _moment)
    converter.register_structure_hook(MeetingType, _meeting_type)
    converter.register_structure_hook_factory(lambda kind: getattr(kind, "__origin__", None) is tuple, _items)
    converter.register_structure_hook_factory(_is_optional, _optional)
    converter.register_structure_hook_factory(lambda kind: isinstance(kind, type) and issubclass(kind, Model), _model)
    return converter


@functools.cache
def writer() -> Converter:
    """Give the converter for requests, and for values that a user put into a model."""
    converter = Converter()
    converter.register_unstructure_hook(datetime, rfc3339)
    converter.register_unstructure_hook(tuple, lambda items: [converter.unstructure(item) for item in items])
    for cls in (Attendee, Recurrence, MeetingCreate, MeetingUpdate):
        converter.register_unstructure_hook(cls, _request_writer(cls, converter))
    return converter


def structure(cls: type[T], value: object) -> T:
    """Make a model of a JSON value.

    Raises:
        MisfitAtError: With the path of the first place that does not fit.
    """
    # Whatever it was that did not fit: the detailed reader says where. What the quick one has made is gone by then.
    with contextlib.suppress(Exception):
        return reader(detailed=False).structure(value, cls)
    try:
        return reader(detailed=True).structure(value, cls)
    except Exception as error:  # noqa: BLE001  (as above)
        path, reason = _locate(error)
    raise MisfitAtError(path, reason)


class MisfitAtError(Exception):
    """A value that does not fit, with its place."""

    def __init__(self, path: str, reason: str) -> None:
        """Keep the place, relative to what was structured."""
        self.path = path
        self.reason = reason


def _locate(error: BaseException) -> tuple[str, str]:
    """Follow the first failure down to its place."""
    if isinstance(error, ClassValidationError):
        inner, note = error.group_exceptions()[0][0]
        path, reason = _locate(inner)
        names = {attribute.name: wire_name(attribute) for attribute in attrs.fields(error.cl)}
        return f".{names[note.name]}{path}", reason
    if isinstance(error, ItemMisfit):
        path, reason = _locate(error.reason)
        return f"[{error.index}]{path}", reason
    if isinstance(error, KeyError):
        return "", "is missing"
    return "", str(error) or type(error).__name__
