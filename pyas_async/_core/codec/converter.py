"""The cattrs converters: the tolerant path from JSON values to models, and the way from requests to JSON values."""

import functools
from collections.abc import Callable
from datetime import date, datetime
from typing import Any, TypeVar, cast

from cattrs import Converter
from cattrs.preconf.msgspec import MsgspecJsonConverter

from pyas_async._core.codec import decoding, hooks
from pyas_async._core.codec.hooks import StructureError
from pyas_async._core.dates import rfc3339
from pyas_async.models import Attendee, MeetingCreate, MeetingType, MeetingUpdate, Recurrence
from pyas_async.models._base import Model
from pyas_async.models._source import PartlyReadSource
from pyas_async.options import UNSET, Unset

T = TypeVar("T")
REQUESTS = (Attendee, MeetingCreate, MeetingUpdate, Recurrence)


class ModelConverter(MsgspecJsonConverter):
    """Makes models: of JSON values by the hooks, and of bytes on the fast path as long as that does not refuse them."""

    def structure(self, obj: object, cl: type[T], *, zone: str | Unset | None = UNSET) -> T:
        """Make a model of a JSON value.

        Args:
            obj: The value.
            cl: The class.
            zone: The time zone in which dates without an offset are read; ``UNSET`` for that of the meeting itself.

        Raises:
            StructureError: If the value has no identity; with the path of what is missing.
        """
        try:
            model: Any = super().structure(obj, cl)
        except hooks.UnexpectedValueError as error:
            reason = str(error)
        else:
            if isinstance(model, Model):
                hooks.set_offsets(model, zone)
            return cast("T", model)
        raise StructureError("", reason)

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
            model: Any = self.structure(value, cl)
            source = model._source  # noqa: SLF001  (it is kept for the codec)
            partly = isinstance(source, PartlyReadSource)
            decoding.set_source(model, PartlyReadSource(data, source.fields) if partly else data)
            made: T = model
            return made

        return loads

    def loads(self, data: bytes, cl: type[T], **_: object) -> T:
        """Make a model of bytes."""
        return self.get_loads_hook(cl)(data)


@functools.cache
def model_converter() -> ModelConverter:
    """Return the converter from JSON values to models."""
    converter = ModelConverter(detailed_validation=False)
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
    converter.register_unstructure_hook(date, date.isoformat)
    converter.register_unstructure_hook(datetime, rfc3339)
    converter.register_unstructure_hook(tuple, lambda items: [converter.unstructure(item) for item in items])
    for cls in REQUESTS:
        converter.register_unstructure_hook(cls, hooks.request_hook(cls, converter))
    return converter


def structure(cls: type[T], value: object, *, zone: str | Unset | None = UNSET) -> T:
    """Make a model of a JSON value; see `ModelConverter.structure`.

    Raises:
        StructureError: If the value has no identity; with the path of what is missing.
    """
    return model_converter().structure(value, cls, zone=zone)
