"""The text of a checkpoint: one line of JSON, with the version of the format and a checksum."""

import base64
import binascii
import json
import sys
import zlib
from array import array
from collections.abc import Callable, Mapping
from typing import Any, NoReturn, TypeAlias, TypeGuard

from pyas_async._core.calls.endpoints import MAX_PAGE_TOKEN, fits_url
from pyas_async._core.checkpoints.seen_rows import PROBE
from pyas_async.errors import CheckpointError

VERSION = 1
_FILTERS = ("startDate", "endDate", "type")
"""The filters of a listing as the service names them. With others, a forged text could add parameters to requests."""
_MAX_MOMENT = 1e12
"""Seconds before or after 1970 that no clock shows: more than 30,000 years."""

Check: TypeAlias = Callable[[object], bool]
"""Whether a value is one that this library writes. A forged text can have the right checksum and wrong values."""


def seal(document: dict[str, Any]) -> str:
    """Write a document as text that shows whether it was damaged, or is read by a Python that hashes differently."""
    document = {"version": VERSION, **document, "probe": PROBE}
    return json.dumps({**document, "check": checksum(document)})


def unseal(text: object) -> dict[str, Any]:
    """Read a document from its text.

    Raises:
        CheckpointError: If the text is damaged, or written by another version or another kind of Python.
    """
    if not isinstance(text, str):
        raise CheckpointError("checkpoint", "the text of a checkpoint", f"<{type(text).__name__}>")
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        refuse("it is not a JSON object")
    if document.get("version") != VERSION:
        got = f"<version {str(document.get('version'))[:20]}>"
        raise CheckpointError("checkpoint", f"version {VERSION}, which this release writes", got)
    check = document.pop("check", None)
    if check != checksum(document):
        refuse("its checksum does not match")
    check_fields(document, {"probe": is_whole})
    if document["probe"] != PROBE:
        got = "<one written by a Python that hashes differently>"
        raise CheckpointError("checkpoint", "one of this kind of Python (CPython of 64 bits)", got)
    return document


def read_filters(document: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Read the filters, which both kinds of checkpoints have.

    Raises:
        CheckpointError: If they are missing, or are not filters of a listing.
    """
    filters = document.get("filters")
    if not isinstance(filters, dict) or not all(
        name in _FILTERS and is_filled(value) for name, value in filters.items()
    ):
        refuse("'filters' are missing, or others than there are")
    return tuple(filters.items())


def is_whole(value: object) -> bool:
    """Accept whole numbers."""
    return type(value) is int


def is_count(value: object) -> bool:
    """Accept whole numbers from 0, of 63 bits."""
    return type(value) is int and 0 <= value < 2**63


def is_positive(value: object) -> bool:
    """Accept whole numbers from 1, of 63 bits."""
    return is_count(value) and value != 0


def is_moment(value: object) -> bool:
    """Accept seconds of the wall clock."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < _MAX_MOMENT


def is_flag(value: object) -> bool:
    """Accept ``true`` and ``false``."""
    return isinstance(value, bool)


def is_filled(value: object) -> TypeGuard[str]:
    """Accept text that can be sent in a URL and is not blank, as arguments must be."""
    return is_text(value) and bool(value.strip()) and fits_url(value)


def is_page_token(value: object) -> TypeGuard[str]:
    """Accept text that can be sent as a page token."""
    return is_text(value) and fits_url(value, MAX_PAGE_TOKEN)


def is_text(value: object) -> TypeGuard[str]:
    """Accept text that can be sent: not empty, and encodable as UTF-8."""
    if not isinstance(value, str) or not value:
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def is_list(value: object) -> bool:
    """Accept lists."""
    return isinstance(value, list)


def nullable(check: Check) -> Check:
    """Accept ``null`` as well."""
    return lambda value: value is None or check(value)


def check_fields(document: Mapping[str, Any], checks: Mapping[str, Check]) -> None:
    """Refuse a document that lacks a field, or has one that this library does not write.

    Raises:
        CheckpointError: Names the first such field.
    """
    for field, check in checks.items():
        if not check(document.get(field, ...)):
            refuse(f"{field!r} is missing or of another kind")


def pack(numbers: "array[int]") -> str:
    """Write numbers of 64 bits as base64, little endian."""
    if sys.byteorder == "big":
        numbers.byteswap()
    return base64.b64encode(numbers.tobytes()).decode()


def unpack(text: str) -> "array[int]":
    """Read what `pack` wrote.

    Raises:
        CheckpointError: If it is not base64, or not of whole numbers.
    """
    numbers = array("q")
    try:
        numbers.frombytes(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError):
        refuse("its rows cannot be read")
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers


def refuse(reason: str) -> NoReturn:
    """Raise the error for a damaged text."""
    raise CheckpointError(
        "checkpoint", "the whole text of a checkpoint, as str(checkpoint) gave it", f"<damage: {reason}>"
    )


def checksum(document: dict[str, Any]) -> str:
    """Return the checksum of a document without one."""
    return f"{zlib.crc32(json.dumps(document, sort_keys=True).encode()):08x}"
