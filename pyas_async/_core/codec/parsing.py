"""From bytes to JSON values, and the error for what is none."""

from typing import Any

import msgspec

from pyas_async.errors import DecodeError
from pyas_async.models._source import parse_leniently

MAX_DEPTH = 100
"""Objects and lists within one another that an answer may have: so many that Python can also walk through them later,
from within whatever calls."""
_EXCERPT = 2_000
"""Bytes of an answer that may be shown: more than the 500 characters that an error holds."""
REFUSED = (msgspec.MsgspecError, ValueError, RecursionError)
"""What msgspec raises for what it does not take; broken UTF-8 is a ValueError."""


def parse(body: bytes) -> Any:  # noqa: ANN401  (a JSON document can be anything)
    """Parse JSON.

    Raises:
        DecodeError: If it is none.
    """
    reason = None
    document = None
    try:
        document = msgspec.json.decode(body)
    except REFUSED:
        try:
            document = parse_leniently(body, keep_odd_numbers=True)
        except RecursionError:
            reason = "nested too deep"
        except ValueError as error:
            reason = str(error)[:200]
    # How deep a parser goes differs from Python to Python; how deep this one goes does not.
    if reason is None and _brackets(body) > MAX_DEPTH and is_too_deep(document):
        reason = "nested too deep"
    if reason is not None:
        raise unreadable(f"not JSON: {reason}", body)
    return document


def reads_too_deep(body: bytes, *, side_by_side: int = 0) -> bool:
    """Whether bytes that can be read are nested too deep, in what a model does not look into.

    Args:
        body: The document.
        side_by_side: How many of its objects are known to be in one list.
    """
    if _brackets(body) - side_by_side <= MAX_DEPTH:
        return False
    try:
        return is_too_deep(msgspec.json.decode(body))
    except REFUSED:
        return True  # or odd: the slow way says


def _brackets(body: bytes) -> int:
    return body.count(b"{") + body.count(b"[")


def is_too_deep(document: object) -> bool:
    """Whether there are more objects and lists within one another than there may be."""
    level = [document]
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


def unreadable(message: str, body: bytes, path: str = "$", cls: type[DecodeError] = DecodeError) -> DecodeError:
    """Make the error of an answer that cannot be read, with some of it.

    Whoever knows the secrets of the call masks the excerpt: what else is masked before them may tear them apart.
    """
    return cls(message, path=path, excerpt=body[:_EXCERPT].decode("utf-8", "replace"))
