"""The JSON documents of the models as typed dicts, from which pydantic makes its JSON schemas and its strict checks."""

import functools
import inspect
import types
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Annotated, Any, Final, Literal, NotRequired, Union, get_args, get_origin

import attrs
from pydantic import ConfigDict, Field, GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema
from typing_extensions import TypedDict  # which pydantic wants before Python 3.12

from pyas_async import UNSET, Attendee, InvalidArgumentError, MeetingCreate, MeetingType, MeetingUpdate, Recurrence

REQUESTS: Final = (Attendee, MeetingCreate, MeetingUpdate, Recurrence)
_PAGE_TOKEN: Final = "next_page_token"  # noqa: S105  (the name of a field)
# What the classes for requests check, in the words of JSON Schema. A test compares the two.
_BOUNDS: Final[Mapping[str, dict[str, Any]]] = {
    "title": {"minLength": 1, "maxLength": 200},
    "description": {"maxLength": 2_000},
    "duration": {"minimum": 1},
    "time_zone": {"examples": ["Europe/Berlin"]},
    "email": {"format": "email"},
    "interval": {"minimum": 1},
    "day_of_month": {"minimum": 1, "maximum": 31},
    "days_of_week": {"minItems": 1, "examples": [["monday", "wednesday"]]},
    "month": {"minimum": 1, "maximum": 12},
}


def wire_name(field: "attrs.Attribute[Any]") -> str:
    """Return the name that a field has in the API."""
    name: str = field.metadata.get("wire", field.name)
    return name


def wire_fields(cls: type[Any]) -> "dict[str, attrs.Attribute[Any]]":
    """Return the fields of a class by their names in the API, without private ones."""
    return {wire_name(field): field for field in attrs.fields(cls) if not field.name.startswith("_")}


@functools.cache
def document_type(cls: Any) -> Any:  # noqa: ANN401  (a class; a class of typed dicts)
    """Return the typed dict of a model's document, without secret fields, which are not written unless asked for."""
    request = cls in REQUESTS
    fields: dict[str, Any] = {}
    for wire, field in wire_fields(cls).items():
        kind = None if _is_secret(field) else _kind(field, request=request)
        if kind is not None:
            fields[wire] = kind if field.default is attrs.NOTHING else NotRequired[kind]
    make: Any = TypedDict  # type checkers want the fields in the source
    made = make(cls.__name__, fields)
    made.__module__, made.__doc__ = cls.__module__, (inspect.getdoc(cls) or "").partition("\n")[0]
    made.__pydantic_config__ = ConfigDict(strict=True, extra="forbid" if request else "allow")
    return made


def _is_secret(field: "attrs.Attribute[Any]") -> bool:
    return field.name != _PAGE_TOKEN and bool(field.metadata.get("secret"))


def _kind(field: "attrs.Attribute[Any]", *, request: bool) -> Any:  # noqa: ANN401  (an annotation)
    """Return the type of a field in a document; ``None`` for a field that documents do not have."""
    hints = get_args(field.type) if get_origin(field.type) in (Union, types.UnionType) else (field.type,)
    kinds = [kind for hint in hints if (kind := _plain(hint, field, request=request)) is not None]
    if not kinds:
        return None
    # The service answers with null for a field that it has no value of.
    if types.NoneType in hints or not (request or field.default is attrs.NOTHING):
        kinds.append(None)
    kind = Union[tuple(kinds)]  # noqa: UP007  (their number is not known here)
    if not request:
        return kind
    default = int(field.default) if isinstance(field.default, int) else field.default
    shown = {"default": default} if isinstance(default, (str, int)) else {}
    title = field.name.replace("_", " ").title()
    return Annotated[kind, Field(title=title, json_schema_extra={**_BOUNDS.get(field.name, {}), **shown})]


def _plain(hint: Any, field: "attrs.Attribute[Any]", *, request: bool) -> Any:  # noqa: ANN401  (an annotation)
    if get_origin(hint) is tuple:
        (item, _) = get_args(hint)
        kind = _plain(item, field, request=request)
        if request and _accepts(field, ["ada@example.com"]):  # an attendee may also be a plain address
            kind |= str
        return list[kind]  # type: ignore[valid-type]
    if attrs.has(hint):
        return document_type(hint)
    if hint is MeetingType:
        # The service may send numbers that are not documented; a request must not have those that are only for reading.
        return Literal[tuple(int(kind) for kind in MeetingType if _accepts(field, kind))] if request else int
    if hint in (datetime, date):
        return Annotated[hint, _AlsoAsText()]
    return hint if hint in (int, str, bool) or (get_origin(hint) is Literal and hint != Literal[UNSET]) else None


def converter_of(field: "attrs.Attribute[Any]") -> Callable[[Any], Any]:
    """Return the function that checks a value of a request's field."""
    assert callable(field.converter)  # noqa: S101  (each field of a request has one)
    return field.converter


def _accepts(field: "attrs.Attribute[Any]", value: object) -> bool:
    try:
        converter_of(field)(value)
    except InvalidArgumentError:
        return False
    return True


class _AlsoAsText:
    """Marks a time or a day. It is text in a document, which pydantic's strict mode would refuse."""

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        schema = handler(source)
        return core_schema.lax_or_strict_schema(schema, core_schema.union_schema([schema, core_schema.str_schema()]))
