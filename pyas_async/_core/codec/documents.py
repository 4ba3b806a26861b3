"""``to_dict`` and ``from_dict``: from models to plain JSON documents and back, without loss."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, TypeAlias, TypeVar

import attrs

from pyas_async._base_errors import located
from pyas_async._checks import as_int
from pyas_async._core.codec.converter import REQUESTS, request_converter, structure
from pyas_async._core.codec.hooks import StructureError
from pyas_async._core.codec.secret_fields import without_secrets
from pyas_async._core.codec.unreadable import unreadable
from pyas_async._core.dates import parse_field
from pyas_async._core.redact import redact
from pyas_async._moments import plain_datetime
from pyas_async._public import public
from pyas_async.errors import InvalidArgumentError
from pyas_async.models import Attendee, Recurrence
from pyas_async.models._base import Model
from pyas_async.models._source import document as read_source
from pyas_async.models._source import (
    is_too_deep,
    names_in_documents,
    parse_leniently,
    unreadable_fields,
    wire_name,
)
from pyas_async.options import UNSET, Unset

T = TypeVar("T")
_Zone: TypeAlias = str | Unset | None


@public
def to_dict(model: object, *, secrets: bool = True) -> dict[str, Any]:
    """Convert a model to a JSON document.

    A model from the service becomes the document that the service sent, unknown fields and the text of dates included.
    Fields that were changed since, as with ``attrs.evolve``, have their new values; fields without a value are left
    out. `MeetingCreate` and the other classes for requests become what would be sent. The caller may change the
    document: it is a fresh one.

    Args:
        model: The model.
        secrets: With ``False``, the document may be shown to the participants, in a browser or a report: passcodes, the
            host's `start_url`, keys and tokens are left out, in unknown and nested fields as well. Passwords are cut
            out of links (``pwd=``), and masked in text such as an invitation in the `agenda`. The `next_page_token`
            of a page stays: it opens nothing without the API key.

    Raises:
        InvalidArgumentError: If the argument is not a model of this library.
        DecodeError: If a field that this version does not name has more than 100 objects and lists within one another.
    """
    if isinstance(model, Model):
        document = _from_service(model)
    elif isinstance(model, REQUESTS):
        document = request_converter().unstructure(model)
    else:
        raise InvalidArgumentError("model", "a model of pyas_async", f"<{type(model).__name__}>")
    if not secrets:
        document = without_secrets(document)
    return document


def _from_service(model: Model, zone: _Zone = UNSET) -> dict[str, Any]:
    cls = type(model)
    # Dates without an offset stay as they came only if they are read as the same moment again. So they are compared as
    # read in the time zone that the meeting has now.
    zone = getattr(model, "timezone", zone)
    source = read_source(model._source)  # noqa: SLF001  (it is kept for the codec)
    original = None if source is None else structure(cls, source, zone=zone)
    written = {} if source is None else json.loads(json.dumps(source))
    partly_read = dict(unreadable_fields(model, model._source))  # noqa: SLF001  (as above)
    for attribute in attrs.fields(cls):
        if attribute.name == "_source":
            continue
        value = getattr(model, attribute.name)
        field = partly_read.get(attribute.name)
        before = attribute.default if original is None else getattr(original, attribute.name)
        if value == before and not _holds_models(value):
            continue
        if field is not None:
            if field.dropped:
                _write_readable_items(written[field.key], field.dropped, value, zone)
            continue
        name, *others = names_in_documents(attribute)
        written[name] = _value(value, zone)
        for other in others:
            written.pop(other, None)
    return written


def _holds_models(value: object) -> bool:
    # Models compare equal without their unknown fields, so each one writes its own document.
    return isinstance(value, Model) or (isinstance(value, tuple) and any(isinstance(item, Model) for item in value))


def _write_readable_items(items: list[Any], dropped: Sequence[int], value: tuple[Any, ...], zone: _Zone) -> None:
    """Write the items of a field that could be read into the list as it came, between those that could not."""
    positions = sorted(set(range(len(items))).difference(dropped))
    for index, item in zip(positions, value, strict=True):
        items[index] = _value(item, zone)


def _value(value: object, zone: _Zone) -> Any:  # noqa: ANN401  (a JSON value can be anything)
    if isinstance(value, Model):
        return _from_service(value, zone)
    if isinstance(value, tuple):
        return [_value(item, zone) for item in value]
    if isinstance(value, datetime):
        value = plain_datetime(value)
    elif not isinstance(value, (bool, int)) and (number := as_int(value)) is not None:  # numpy's, for example
        value = number
    return request_converter().unstructure(value)


@public
def from_dict(cls: type[T], document: Mapping[str, Any]) -> T:
    """Make a model of a JSON document, as tolerantly as of a response: the reverse of `to_dict`.

    Raises:
        DecodeError: If the document has no identity, such as the `id` of a meeting; `path` says where.
        InvalidArgumentError: If `cls` is not a model of this library, the document is not a JSON document, or a value
            of a request is refused.
    """
    if not isinstance(cls, type) or not issubclass(cls, (Model, *REQUESTS)):
        raise InvalidArgumentError("cls", "a model class of pyas_async", cls)
    if not isinstance(document, Mapping):
        raise InvalidArgumentError("document", "a mapping", f"<{type(document).__name__}>")
    try:
        copied = parse_leniently(json.dumps(dict(document), allow_nan=False, default=_json_value).encode())
    except (TypeError, ValueError, RecursionError) as error:
        reason = str(error)
    else:
        if not is_too_deep(copied):
            return _read(cls, copied)
        reason = "nested too deep"
    raise InvalidArgumentError("document", "a JSON document", f"<{reason}>")


def _json_value(value: object) -> object:
    # Rows of a DataFrame have whole numbers and moments of other types than JSON's.
    if isinstance(value, datetime):
        plain = plain_datetime(value)
        return None if plain is None else plain.isoformat()
    if (number := as_int(value)) is not None:
        return number
    msg = f"Object of type {type(value).__name__} is not JSON serializable"
    raise TypeError(msg)


def _read(cls: type[T], document: dict[str, Any]) -> T:
    if issubclass(cls, REQUESTS):
        return _read_request(cls, document)
    try:
        return structure(cls, document)
    except StructureError as error:
        failure = error
    raise unreadable(failure.reason, json.dumps(document).encode(), f"${failure.path}").masked(redact)


def _read_request(cls: type[T], document: dict[str, Any]) -> T:
    names = {wire_name(attribute): attribute.name for attribute in attrs.fields(cls)}  # type: ignore[arg-type]
    values: dict[str, Any] = {}
    for key, value in document.items():
        if key not in names:
            raise InvalidArgumentError(
                key, "one of " + ", ".join(names), f"<a field that {cls.__name__} does not have>"
            )
        values[names[key]] = _request_value(names[key], value)
    for attribute in attrs.fields(cls):  # type: ignore[arg-type]
        if attribute.default is attrs.NOTHING and attribute.name not in values:
            raise InvalidArgumentError(wire_name(attribute), "a value", "<nothing>")
    return cls(**values)


def _request_value(name: str, value: Any) -> Any:  # noqa: ANN401  (a JSON value can be anything)
    if name in ("start_date", "end_date") and isinstance(value, str):
        # A text without an offset goes on as it is: an error must show what was given.
        moment = parse_field(value)
        return value if moment is None or moment.tzinfo is None else moment
    if name == "attendees" and isinstance(value, list):
        return [
            _nested(f"attendees[{position}]", Attendee, item) if isinstance(item, dict) else item
            for position, item in enumerate(value)
        ]
    if name == "recurrence" and isinstance(value, dict):
        return _nested("recurrence", Recurrence, value)
    return value


def _nested(place: str, cls: type[T], document: Any) -> T:  # noqa: ANN401  (as above)
    """Make a model inside another; its errors name the field there, too."""
    try:
        return from_dict(cls, document)
    except InvalidArgumentError as error:
        wrong = located(error, f"{place}.{error.field}")
    raise wrong.with_traceback(None)
