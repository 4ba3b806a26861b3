"""From a document to a model, with our own complaints as pydantic's errors: each with its place and without secrets."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final, get_args, get_origin

import attrs
from pydantic_core import InitErrorDetails, PydanticCustomError, ValidationError, to_jsonable_python

from pyas_async import DecodeError, InvalidArgumentError, MeetingUpdate, from_dict, to_dict
from pyas_async.integrations.pydantic._documents import REQUESTS, converter_of, wire_fields

Place = tuple[int | str, ...]
_STEP: Final = re.compile(r"\[(\d+)\]|([^.\[\]]+)")


def is_request(cls: type[Any]) -> bool:
    """Whether a class is one that is sent to the service, not one that the service sends."""
    return cls in REQUESTS


def refusal(cls: type[Any], value: object) -> ValidationError:
    """Return the error for a value that is neither a model of the class nor a document."""
    expected = f"expected an object, or a {cls.__name__}, got a {type(value).__name__}"
    return ValidationError.from_exception_data(cls.__name__, [_complaint((), expected, value)])


def narrowed(cls: type[Any], model: object) -> Any:  # noqa: ANN401  (an instance of `cls`)
    """Return a model of a subclass as one of the class itself, as pydantic narrows a response to its declared type."""
    more = wire_fields(type(model)).keys() - wire_fields(cls).keys()
    return from_dict(cls, {name: value for name, value in to_dict(model).items() if name not in more})


def from_document(cls: type[Any], document: Mapping[Any, Any]) -> Any:  # noqa: ANN401  (an instance of `cls`)
    """Make a model of a document, in which there may also be Python values such as a `datetime`, and models.

    Raises:
        ValidationError: If the document does not fit.
    """
    complaints: list[InitErrorDetails] = []
    model = _request(cls, document, (), complaints) if is_request(cls) else _received(cls, document, complaints)
    if complaints:
        raise ValidationError.from_exception_data(cls.__name__, complaints)
    return model


@contextmanager
def with_reasons_alone(cls: type[Any]) -> Iterator[None]:
    """Let pydantic's own errors pass, without the values in them, which may be secrets."""
    complaints: list[InitErrorDetails] = []
    try:
        yield
    except ValidationError as error:
        complaints = [
            _complaint(found["loc"], found["msg"], found["input"], found["type"])
            for found in error.errors(include_url=False, include_context=False)
        ]
    if complaints:
        raise ValidationError.from_exception_data(cls.__name__, complaints)


def _complaint(place: Place, reason: str, value: object, kind: str = "invalid_argument") -> InitErrorDetails:
    # The input is shown in messages and logs, so it is replaced by its kind.
    error = PydanticCustomError(kind, reason)  # pyright: ignore[reportArgumentType]  (only literal text is typed)
    return {"type": error, "loc": place, "input": f"<{type(value).__name__}>"}


def _received(cls: type[Any], document: Mapping[Any, Any], complaints: list[InitErrorDetails]) -> Any:  # noqa: ANN401
    try:
        return from_dict(cls, to_jsonable_python(dict(document), fallback=to_dict))
    except DecodeError as error:
        place, reason = error.path.removeprefix("$"), error.reason
    except ValueError as error:  # an InvalidArgumentError, or what cannot be JSON
        place, reason = "", str(error)
    complaints.append(_complaint(tuple(_steps(place)), reason, document, "unreadable"))
    return None


def _steps(path: str) -> Iterator[int | str]:
    for index, name in _STEP.findall(path):
        yield name or int(index)


def _request(cls: type[Any], document: Mapping[Any, Any], at: Place, complaints: list[InitErrorDetails]) -> Any:  # noqa: ANN401
    """Make a request of a document, and collect all that is wrong with it, not only what is found first."""
    fields, before = wire_fields(cls), len(complaints)
    values: dict[str, Any] = {}
    for key, value in document.items():
        if (field := fields.get(key)) is None:
            reason = f"expected one of {', '.join(fields)}, got a field that {cls.__name__} does not have"
            complaints.append(_complaint((*at, str(key)), reason, value, "extra_forbidden"))
            continue
        ready = len(complaints)
        values[field.name] = _value(field, value, (*at, key), complaints)
        if len(complaints) == ready:
            _try(converter_of(field), values[field.name], cls, at, complaints)
    for key, field in fields.items():
        if field.default is attrs.NOTHING and field.name not in values:
            complaints.append(_complaint((*at, key), "expected a value, got nothing", document, "missing"))
    return None if len(complaints) > before else _try(lambda given: cls(**given), values, cls, at, complaints)


def _value(field: "attrs.Attribute[Any]", value: Any, at: Place, complaints: list[InitErrorDetails]) -> Any:  # noqa: ANN401
    """Make what the model takes for a field: requests inside, and times of text."""
    inside = _request_in(field)
    if inside is not None and isinstance(value, Mapping):
        return _request(inside, value, at, complaints)
    if inside is not None and isinstance(value, (list, tuple)):
        return [
            _request(inside, item, (*at, index), complaints) if isinstance(item, Mapping) else item
            for index, item in enumerate(value)
        ]
    if isinstance(value, str) and datetime in (*get_args(field.type), field.type):
        try:
            return from_dict(MeetingUpdate, {"startDate": value}).start_date
        except InvalidArgumentError:
            return value  # which the model refuses, in the name of its own field
    return value


def _request_in(field: "attrs.Attribute[Any]") -> type[Any] | None:
    kinds = [field.type, *get_args(field.type)]
    kinds += [inner for kind in kinds if get_origin(kind) is tuple for inner in get_args(kind)]
    return next((kind for kind in kinds if kind in REQUESTS), None)


def _try(make: Any, value: Any, cls: type[Any], at: Place, complaints: list[InitErrorDetails]) -> Any:  # noqa: ANN401
    try:
        return make(value)
    except InvalidArgumentError as error:
        # The hint is for people who write Python, and this is for those who sent a document.
        reason = f"expected {error.expected}, got {error.got}"
        complaints.append(_complaint((*at, *_wire_steps(cls, error.field)), reason, value))
        return None


def _wire_steps(cls: type[Any] | None, path: str) -> Iterator[int | str]:
    """Write the path of an error, such as ``attendees[0].email``, in the names of the API."""
    for step in _steps(path):
        named = {field.name: (wire, field) for wire, field in wire_fields(cls).items()} if cls else {}
        if step in named:
            wire, field = named[step]
            cls = _request_in(field)
            yield wire
        else:
            yield step
