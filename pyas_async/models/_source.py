"""The JSON document behind a model: how it is kept, and how it is parsed again.

A model made from a response keeps a reference to the bytes it was parsed from, which all meetings of a page share. So
nothing that the service sent is lost, and each meeting needs little memory. The JSON is parsed again only on demand.
"""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import attrs

from pyas_async._base_errors import DecodeError

MAX_DEPTH = 100
"""How deep nested objects and lists may be. Python recurses into them, and the caller's stack may be deep already."""
Source: TypeAlias = object
"""``None``; a mapping; a buffer of JSON; ``(buffer, key, …)``: the object under those keys of the document; or a
`PartlyReadSource` of one of these."""


class UnreadableField:
    """A field whose value in the document is not as documented.

    Attributes:
        key: The name of the field in the document.
        read: What the model has instead: the default, or, of a list, the items that could be read.
        dropped: The positions of the items that could not be read, if the value is a list.
    """

    __slots__ = ("dropped", "key", "read")

    def __init__(self, key: str, read: object, dropped: Sequence[int] = ()) -> None:
        self.key = key
        self.read = read
        self.dropped = dropped


class UnreadableRow:
    """A row of a page that has no identity, so that no `Meeting` can be made of it.

    Attributes:
        index: Its position on the page.
        path: The place in the row that could not be read.
        reason: What is wrong there.
        content: The row as JSON, written in one way: the same row has the same content in every response.
    """

    __slots__ = ("content", "index", "path", "reason")

    def __init__(self, index: int, path: str, reason: str, content: str) -> None:
        self.index = index
        self.path = path
        self.reason = reason
        self.content = content


class PartlyReadSource:
    """The source of a model of whose document not everything could be read.

    Attributes:
        inner: The document.
        fields: The unreadable fields, by the names of the attributes.
        rows: The unreadable rows, if the model is a page.
        token_lost: Whether the model is a page whose page token could not be read.
    """

    __slots__ = ("fields", "inner", "rows", "token_lost")

    def __init__(
        self,
        inner: Source,
        fields: Mapping[str, UnreadableField],
        rows: Sequence[UnreadableRow] = (),
        *,
        token_lost: bool = False,
    ) -> None:
        self.inner = inner
        self.fields = fields
        self.rows = rows
        self.token_lost = token_lost


def document(source: Source) -> dict[str, Any] | None:
    """Return a model's document. A buffer is parsed again. A mapping is not copied, and must not be changed.

    Raises:
        DecodeError: If it is nested too deep.
    """
    if source is None:
        return None
    if isinstance(source, PartlyReadSource):
        return document(source.inner)
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
    # The decoder skips fields that no model has, so they may contain broken UTF-8, which is replaced here, or be nested
    # to any depth.
    body = bytes(buffer)  # type: ignore[call-overload]
    parsed = None
    try:
        parsed = parse_leniently(body, keep_odd_numbers=True)
        deep = is_too_deep(parsed, body)
    except RecursionError:
        deep = True
    if deep:
        raise too_deep()
    return parsed


def too_deep() -> DecodeError:
    """Return the error for a document that is nested too deep."""
    return DecodeError("a field that this version does not name is nested too deep")


def is_too_deep(parsed: object, body: bytes | None = None) -> bool:
    """Whether objects and lists are nested deeper than `MAX_DEPTH`; `body` is the JSON that was parsed, if known.

    The depth at which a parser gives up differs between Python versions, and with the depth of the stack. This limit is
    always the same.
    """
    # Counting brackets in the bytes is cheaper than walking the values.
    if body is not None and body.count(b"{") + body.count(b"[") <= MAX_DEPTH:
        return False
    level = [parsed]
    for _ in range(MAX_DEPTH):
        level = [
            item
            for value in level
            for item in (value.values() if isinstance(value, dict) else value)  # type: ignore[attr-defined]
            if isinstance(item, (dict, list))
        ]
        if not level:
            return False
    return True


def parse_leniently(body: bytes, *, keep_odd_numbers: bool = False) -> Any:  # noqa: ANN401  (a JSON document can be anything)
    """Parse JSON leniently: a byte order mark, broken UTF-8 and a lone surrogate are accepted.

    Zoom cuts `agenda` at 250 UTF-16 units, which can leave the first half of an emoji. It becomes U+FFFD, since text
    with half a character can be neither printed nor sent. With `keep_odd_numbers`, numbers that Python cannot represent
    stay text.

    Raises:
        ValueError: If it is not JSON.
        RecursionError: If it is nested too deep.
    """
    document = json.loads(
        body.decode("utf-8-sig", "replace"),
        parse_constant=_refuse,
        parse_int=_whole_number if keep_odd_numbers else None,
        parse_float=_number if keep_odd_numbers else None,
    )
    return _whole(document) if b"\\u" in body else document


def _refuse(word: str) -> None:
    msg = f"{word} is not JSON"
    raise ValueError(msg)


def _whole_number(text: str) -> int | str:
    try:
        return int(text)
    except ValueError:  # more digits than Python converts: keep the text
        return text


def _number(text: str) -> float | str:
    number = float(text)
    return number if math.isfinite(number) else text


def _whole(value: Any) -> Any:  # noqa: ANN401  (a JSON document can be anything)
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    if isinstance(value, dict):
        return {_whole(key): _whole(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_whole(item) for item in value]
    return value


def wire_name(attribute: "attrs.Attribute[Any]") -> str:
    """Return the name that a field has in the service's JSON."""
    name: str = attribute.metadata.get("wire", attribute.name)
    return name


def names_in_documents(attribute: "attrs.Attribute[Any]") -> tuple[str, ...]:
    """Return the names under which a field is looked for in the service's JSON: the first one that has a value wins."""
    return (wire_name(attribute), *attribute.metadata.get("also", ()))


def unknown_fields(cls: type, source: Source) -> Mapping[str, Any]:
    """Return the fields of a document that a model does not have."""
    found = document(source)
    if not found:
        return {}
    known = {name for attribute in attrs.fields(cls) for name in names_in_documents(attribute)}
    return {key: value for key, value in _copied(found, source).items() if key not in known}


def unreadable_fields(model: object, source: Source) -> Iterator[tuple[str, UnreadableField]]:
    """Yield the fields of a model that could not be read, with their names, unless they were changed since."""
    if isinstance(source, PartlyReadSource):
        for name, field in source.fields.items():
            value = getattr(model, name)
            if value is field.read or value == field.read:
                yield name, field


def unreadable_values(model: object, source: Source) -> Mapping[str, Any]:
    """Return the values of a document that could not be read, by the names of the attributes."""
    fields = dict(unreadable_fields(model, source))
    found = document(source) if fields else None
    if not found:
        return MaskedMapping()
    found = _copied(found, source)
    return MaskedMapping({name: found[field.key] for name, field in fields.items() if field.key in found})


def _copied(found: dict[str, Any], source: Source) -> dict[str, Any]:
    # A mapping that was not parsed just now belongs to the model, so the caller gets a copy.
    kept = source.inner if isinstance(source, PartlyReadSource) else source
    copied: dict[str, Any] = json.loads(json.dumps(found)) if found is kept else found
    return copied


class MaskedMapping(dict[str, Any]):
    """Values that may be secrets: ``repr`` shows the names alone."""

    def __repr__(self) -> str:
        return f"<{', '.join(sorted(self))}>"
