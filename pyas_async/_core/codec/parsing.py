"""From bytes to JSON values, and the error for what is none."""

from typing import Any

import msgspec

from pyas_async.errors import DecodeError
from pyas_async.models._source import is_too_deep, parse_leniently

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
            reason = str(error)
    # How deep a parser goes differs from Python to Python; how deep this one goes does not.
    if reason is None and is_too_deep(document, body):
        reason = "nested too deep"
    if reason is not None:
        raise unreadable(f"not JSON: {reason}", body)
    return document


def unreadable(message: str, body: bytes, path: str = "$", cls: type[DecodeError] = DecodeError) -> DecodeError:
    """Make the error of an answer that cannot be read, with some of it.

    Whoever knows the secrets of the call masks the excerpt: what else is masked before them may tear them apart.
    """
    return cls(message, path=path, excerpt=body[:_EXCERPT].decode(errors="replace"))
