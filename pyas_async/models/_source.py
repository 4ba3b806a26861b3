"""The document behind a model: where it is kept, and how it is read again.

A model that came from the service remembers the JSON it was made of, as bytes that its page shares, so that nothing
which the service sent is lost and a held meeting stays small. The text is parsed again only when somebody asks for it.
"""

import json
import math
from collections.abc import Mapping
from typing import Any, TypeAlias

import attrs

from pyas_async.errors import DecodeError

MAX_DEPTH = 100
"""Objects and lists that may be within one another where Python walks through them, from within whatever calls."""
Source: TypeAlias = object
"""``None``; a mapping; a buffer of JSON; or ``(buffer, key, …)``, the object under those keys of the document."""


def document(source: Source) -> dict[str, Any] | None:
    """Read a model's document; a fresh one where it was text, else the one that is kept, not to be changed.

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
    # The decoder has no reason to look into a field that no model knows. So it may hold broken UTF-8: show what can be
    # shown. And it may be nested without an end.
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
    """Make the error for a document that nobody can look into."""
    return DecodeError("a field that this version does not name is nested too deep")


def is_too_deep(parsed: object, body: bytes | None = None) -> bool:
    """Whether more objects and lists are within one another than there may be; `body`: what was parsed, if known.

    How deep a parser goes differs from Python to Python, and with the calls that it is called from. This does not.
    """
    # Looking at a few bytes is cheaper than at what they hold.
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
    """Parse JSON as it comes: a byte order mark, broken UTF-8, or half of a character that somebody cut in two.

    Zoom cuts `agenda` at 250 units of UTF-16, which can leave the first half of an emoji. It becomes U+FFFD, since text
    with half a character in it can neither be printed nor sent. With `keep_odd_numbers`, numbers that Python has no
    number for stay text.

    Raises:
        ValueError: If it is not JSON all the same.
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
    except ValueError:  # more digits than Python converts: kept as text, so that nothing is lost
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
    """Name a field as the page spells it."""
    name: str = attribute.metadata.get("wire", attribute.name)
    return name


def unknown_fields(cls: type, source: Source) -> Mapping[str, Any]:
    """Pick what the document has and the class does not name."""
    found = document(source)
    if not found:
        return {}
    known = {wire_name(attribute) for attribute in attrs.fields(cls)}
    # A document that was not parsed afresh is still in use.
    found = json.loads(json.dumps(found)) if found is source else found
    return {key: value for key, value in found.items() if key not in known}
