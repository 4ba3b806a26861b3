"""The JSON document behind a model: how it is kept, and how it is parsed again.

A model made from a response keeps a reference to the bytes it was parsed from, which all meetings of a page share. So
nothing that the service sent is lost, and each meeting needs little memory. The JSON is parsed again only on demand.
"""

import json
import math
from collections.abc import Mapping
from typing import Any, TypeAlias

import attrs

from pyas_async._base_errors import DecodeError

MAX_DEPTH = 100
"""How deep nested objects and lists may be. Python recurses into them, and the caller's stack may be deep already."""
Source: TypeAlias = object
"""``None``; a mapping; a buffer of JSON; or ``(buffer, key, …)``: the object under those keys of the document."""


def document(source: Source) -> dict[str, Any] | None:
    """Return a model's document. A buffer is parsed again. A mapping is not copied, and must not be changed.

    Raises:
        DecodeError: If it is nested too deep.
    """
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


def unknown_fields(cls: type, source: Source) -> Mapping[str, Any]:
    """Return the fields of a document that a model does not have."""
    found = document(source)
    if not found:
        return {}
    known = {wire_name(attribute) for attribute in attrs.fields(cls)}
    # A mapping that was not parsed just now belongs to the model, so the caller gets a copy.
    found = json.loads(json.dumps(found)) if found is source else found
    return {key: value for key, value in found.items() if key not in known}
