"""The document behind a model: where it is kept, and how it is read again.

A model that came from the service remembers the JSON it was made of, as bytes that its page shares, so that nothing
which the service sent is lost and a held meeting stays small. The text is parsed again only when somebody asks for it.
"""

import json
from collections.abc import Mapping
from typing import Any, TypeAlias

import attrs

Source: TypeAlias = object
"""``None``; a mapping; a buffer of JSON; or ``(buffer, key, …)``, the object under those keys of the document."""


def document(source: Source) -> dict[str, Any] | None:
    """Read a model's document; a fresh one where it was text, else the one that is kept, not to be changed."""
    if source is None:
        return None
    if isinstance(source, dict):
        return source
    if isinstance(source, tuple):
        found = _parse(source[0])
        for key in source[1:]:
            found = found[key]
        return found if isinstance(found, dict) else None
    parsed = _parse(source)
    return parsed if isinstance(parsed, dict) else None


def _parse(buffer: object) -> Any:  # noqa: ANN401  (a JSON document can be anything)
    # A field that no model knows may hold broken UTF-8: the decoder has no reason to look into it. Show it as well as
    # can be.
    return json.loads(bytes(buffer).decode("utf-8-sig", "replace"))  # type: ignore[call-overload]


def wire_name(attribute: "attrs.Attribute[Any]") -> str:
    """Name a field as the page spells it."""
    name: str = attribute.metadata.get("wire", attribute.name)
    return name


def unknown_fields(cls: type, source: Source) -> Mapping[str, Any]:
    """Pick what the document has and the class does not name."""
    found = document(source)
    if not found:
        return {}
    known = {wire_name(attribute) for attribute in attrs.fields(cls)}
    return {key: value for key, value in found.items() if key not in known}
