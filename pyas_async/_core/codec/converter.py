"""The cattrs converters: the tolerant path from JSON values to models, and the way from requests to JSON values."""

import contextlib
import functools
from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

import attrs
from cattrs import ClassValidationError, Converter
from cattrs.preconf.msgspec import MsgspecJsonConverter

from pyas_async._core.codec import decoding, hooks
from pyas_async._core.dates import rfc3339
from pyas_async.models import Attendee, MeetingCreate, MeetingType, MeetingUpdate, Recurrence
from pyas_async.models._source import wire_name

T = TypeVar("T")
REQUESTS = (Attendee, MeetingCreate, MeetingUpdate, Recurrence)


class StructureError(Exception):
    """A JSON value that does not match a model.

    Attributes:
        path: Where the first mismatch is, relative to the document.
        reason: What was expected there.
    """

    def __init__(self, path: str, reason: str) -> None:
        self.path = path
        self.reason = reason


class ModelConverter(MsgspecJsonConverter):
    """Makes models: of JSON values by the hooks, and of bytes on the fast path as long as that does not refuse them."""

    def get_loads_hook(self, cl: type[T]) -> Callable[[bytes], T]:
        """Return a function from bytes to a model of a class: by msgspec alone, or by the hooks if it refuses."""
        if not decoding.supports(cl):
            return lambda data: self.structure(decoding.parse(data), cl)
        load, load_tolerantly = decoding.loader(cl), self.get_tolerant_loads_hook(cl)

        def loads(data: bytes) -> T:
            try:
                return load(data)
            except decoding.DECODE_ERRORS:
                return load_tolerantly(data)

        return loads

    def get_tolerant_loads_hook(self, cl: type[T]) -> Callable[[bytes], T]:
        """Return a function from bytes to a model of a class, by the hooks alone."""
        known = decoding.known_fields_decoder(cl).decode

        def loads(data: bytes) -> T:
            try:
                value = known(data)
            except decoding.DECODE_ERRORS:
                value = decoding.parse(data)
            model = self.structure(value, cl)
            decoding.set_source(model, data)
            return model

        return loads

    def loads(self, data: bytes, cl: type[T], **_: object) -> T:
        """Make a model of bytes."""
        return self.get_loads_hook(cl)(data)


@functools.cache
def model_converter(*, detailed: bool) -> ModelConverter:
    """Return the converter from JSON values to models: a fast one, or a `detailed` one whose errors have a path."""
    converter = ModelConverter(detailed_validation=detailed)
    converter.register_structure_hook(int, hooks.to_int)
    converter.register_structure_hook(str, hooks.to_str)
    converter.register_structure_hook(bool, hooks.to_bool)
    converter.register_structure_hook(datetime, hooks.to_datetime)
    converter.register_structure_hook(MeetingType, hooks.to_meeting_type)
    converter.register_structure_hook_factory(hooks.is_tuple, hooks.tuple_hook)
    converter.register_structure_hook_factory(hooks.is_optional, hooks.optional_hook)
    converter.register_structure_hook_factory(hooks.is_model, hooks.model_hook)
    return converter


@functools.cache
def request_converter() -> Converter:
    """Return the converter from requests, and from values that a user put into a model, to JSON values."""
    converter = Converter()
    converter.register_unstructure_hook(datetime, rfc3339)
    converter.register_unstructure_hook(tuple, lambda items: [converter.unstructure(item) for item in items])
    for cls in REQUESTS:
        converter.register_unstructure_hook(cls, hooks.request_hook(cls, converter))
    return converter


def structure(cls: type[T], value: object) -> T:
    """Make a model of a JSON value.

    Raises:
        StructureError: With the path of the first value that does not match.
    """
    # Whatever the fast converter raises, the detailed one finds again, with its path.
    with contextlib.suppress(Exception):
        return model_converter(detailed=False).structure(value, cls)
    try:
        return model_converter(detailed=True).structure(value, cls)
    except Exception as error:  # noqa: BLE001  (see above)
        path, reason = _locate(error)
    raise StructureError(path, reason)


def _locate(error: BaseException) -> tuple[str, str]:
    """Follow the first failure down to the value that does not match."""
    if isinstance(error, ClassValidationError):
        inner, note = error.group_exceptions()[0][0]
        path, reason = _locate(inner)
        names = {attribute.name: wire_name(attribute) for attribute in attrs.fields(error.cl)}
        return f".{names[note.name]}{path}", reason
    if isinstance(error, hooks.ItemError):
        path, reason = _locate(error.reason)
        return f"[{error.index}]{path}", reason
    if isinstance(error, KeyError):
        return "", "is missing"
    return "", str(error) or type(error).__name__
