"""The base of all models that the service sends: it keeps unknown fields, and masks secrets."""

import importlib
from collections.abc import Mapping
from typing import Any

import attrs

from pyas_async._base_errors import DecodeError
from pyas_async.models._source import Source, unknown_fields, unreadable_fields, unreadable_values

_SHOWN_ITEMS = 3


def _masked(value: object) -> str:
    return "'***'" if value else repr(value)


def masked_text(value: object) -> str:
    """Return the ``repr`` of a value, without the secrets in it if it is text."""
    from pyas_async._masking import mask_secrets  # noqa: PLC0415 -- many programs print no model

    return repr(mask_secrets(value) if isinstance(value, str) else value)


# How a value is shown is declared on the field, since printers such as rich's read the fields and do not call
# ``repr``.


def secret(*, blank: bool = True, also: tuple[str, ...] = ()) -> Any:  # noqa: ANN401  (attrs gives a field the type of its annotation)
    """Declare an optional field whose value ``repr`` masks.

    Args:
        blank: ``False`` if an empty string means ``None``.
        also: Other names under which documents have the field.
    """
    return attrs.field(default=None, repr=_masked, metadata={"blank": blank, "also": also, "secret": True})


def free_text() -> Any:  # noqa: ANN401  (attrs gives a field the type of its annotation)
    """Declare an optional text that may contain secrets: a URL, or a title into which an invitation was pasted."""
    return attrs.field(default=None, repr=masked_text)


class PydanticField:
    """A class that pydantic can use for a field, and so FastAPI for a response or a body."""

    __slots__ = ()

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:  # noqa: ANN401  (pydantic's types)
        # Only pydantic calls this. What it needs is above the models, which import neither that nor pydantic.
        return importlib.import_module("pyas_async.integrations.pydantic").model_schema(cls, handler)


@attrs.frozen(kw_only=True, repr=False)
class Model(PydanticField):
    """The base of all models that the service sends.

    Fields that this version does not know are in `extra`, and values that are not as documented in `unreadable`.
    `pyas_async.to_dict` returns the document as it was received.
    """

    _source: Source = attrs.field(default=None, repr=False, eq=False, alias="_source")

    @property
    def extra(self) -> Mapping[str, Any]:
        """Fields that the service sent and this version does not know, as they were received.

        Raises:
            DecodeError: If one of them is nested more than 100 levels deep.
        """
        return unknown_fields(type(self), self._source)

    @property
    def unreadable(self) -> Mapping[str, Any]:
        """Values that the service sent and that are not as documented, as they were received, by the attribute's name.

        The attribute has its default: ``None``, or empty. Of a list, it has the items that could be read, and the whole
        list is here. Models inside have mappings of their own. The ``repr`` of the mapping masks the values.

        Raises:
            DecodeError: If a field of the document is nested more than 100 levels deep.
        """
        return unreadable_values(self, self._source)

    def __repr__(self) -> str:
        shown = []
        for attribute in attrs.fields(type(self)):
            value = getattr(self, attribute.name)
            if attribute.name == "_source" or value == attribute.default:
                continue
            shown.append(f"{attribute.name}={_shown(attribute, value)}")
        unreadable = ", ".join(sorted(name for name, _ in unreadable_fields(self, self._source)))
        if unreadable:
            shown.append(f"unreadable=<{unreadable}>")
        try:
            extra = ", ".join(sorted(self.extra))
        except DecodeError:  # a repr must not fail
            extra = "nested too deep"
        if extra:
            shown.append(f"extra=<{extra}>")
        return f"{type(self).__name__}({', '.join(shown)})"


def _shown(attribute: "attrs.Attribute[Any]", value: object) -> str:
    if callable(attribute.repr):
        return attribute.repr(value)
    if isinstance(value, tuple) and len(value) > _SHOWN_ITEMS:
        head = ", ".join(repr(item) for item in value[:_SHOWN_ITEMS])
        return f"({head}, … {len(value) - _SHOWN_ITEMS} more)"
    return repr(value)
