"""The models as fields of pydantic: in its models, in ``TypeAdapter``, and so as bodies and responses of FastAPI.

There is nothing to import or to configure: pydantic asks each class for its schema, and the class asks this package. So
it costs nothing where pydantic is not used. It needs pydantic 2.8 or newer.

A model is read from the API's names, and written under them, without secrets (see `pyas_async.to_dict`);
``model_dump(context={"secrets": True})`` writes the secrets as well.
"""

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import GetCoreSchemaHandler, SerializationInfo, SerializerFunctionWrapHandler
from pydantic_core import CoreSchema, PydanticSerializationUnexpectedValue, core_schema

from pyas_async import to_dict
from pyas_async.integrations.pydantic._documents import document_type
from pyas_async.integrations.pydantic._reading import from_document, is_request, narrowed, refusal, with_reasons_alone

__all__ = ["model_schema"]


def model_schema(cls: Any, handler: GetCoreSchemaHandler) -> CoreSchema:  # noqa: ANN401  (a class)
    """Return pydantic's schema for a model class of `pyas_async`: how it is validated, serialized and described."""

    def read(value: object, _: object) -> Any:  # noqa: ANN401  (an instance of `cls`)
        if isinstance(value, cls):
            return value if type(value) is cls else narrowed(cls, value)
        if not isinstance(value, Mapping):
            raise refusal(cls, value)
        return from_document(cls, value)

    def read_strictly(value: object, check: Callable[[object], object]) -> Any:  # noqa: ANN401  (an instance of `cls`)
        if type(value) is cls:
            return value
        if not isinstance(value, Mapping):
            raise refusal(cls, value)
        # Of the check, only the complaints are of use: the model keeps the text of dates, and unknown fields.
        with with_reasons_alone(cls):
            check(value)
        return from_document(cls, value)

    def write(value: object, inner: SerializerFunctionWrapHandler, info: SerializationInfo) -> Any:  # noqa: ANN401
        if not isinstance(value, cls):
            if not isinstance(value, Mapping):
                msg = f"expected a {cls.__name__}, got a {type(value).__name__}"
                raise PydanticSerializationUnexpectedValue(msg)
            value = from_document(cls, value)  # it was not validated, as after `model_construct`
        asked = isinstance(info.context, Mapping) and bool(info.context.get("secrets"))
        # A request has no secrets but those that its texts are to tell the invited.
        document = to_dict(value, secrets=asked or is_request(cls))
        return inner(_without_none(document) if info.exclude_none else document)

    read.__name__ = read_strictly.__name__ = cls.__name__  # the title of pydantic's errors
    document = handler.generate_schema(document_type(cls))
    # A document may have values of other types than documented. pydantic would warn of each if it wrote it by a schema.
    serialization = core_schema.wrap_serializer_function_ser_schema(
        write, info_arg=True, schema=core_schema.any_schema()
    )
    # In a union, pydantic prefers the class whose strict schema accepts a value: that of the value itself.
    return core_schema.lax_or_strict_schema(
        core_schema.no_info_wrap_validator_function(read, document),
        core_schema.no_info_wrap_validator_function(read_strictly, document),
        serialization=serialization,
    )


def _without_none(value: Any) -> Any:  # noqa: ANN401  (any JSON value)
    if isinstance(value, dict):
        return {key: _without_none(item) for key, item in value.items() if item is not None}
    return [_without_none(item) for item in value] if isinstance(value, list) else value
