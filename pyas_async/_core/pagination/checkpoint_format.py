"""The text of a checkpoint: JSON of one line, with the version of its form and a check sum."""

import base64
import binascii
import json
import sys
import zlib
from array import array
from collections.abc import Callable, Mapping
from typing import Any, NoReturn, TypeAlias, TypeGuard

from pyas_async._core.pagination.seen_rows import PROBE
from pyas_async.errors import CheckpointError

VERSION = 1
_ERAS = 1e12
"""Seconds that no clock shows, before or after 1970."""


def seal(document: dict[str, Any]) -> str:
    """Write a document as text that shows whether it was damaged, or is read by a Python that hashes otherwise."""
    document = {"version": VERSION, **document, "probe": PROBE}
    return json.dumps({**document, "check": _check(document)})


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
        damaged("it is not a JSON object")
    if document.get("version") != VERSION:
        got = f"<version {str(document.get('version'))[:20]}>"
        raise CheckpointError("checkpoint", f"version {VERSION}, which this release writes", got)
    check = document.pop("check", None)
    if check != _check(document):
        damaged("its check sum does not fit")
    check_fields(document, {"probe": whole})
    if document["probe"] != PROBE:
        got = "<one written by a Python that hashes otherwise>"
        raise CheckpointError("checkpoint", "one of this kind of Python (CPython of 64 bits)", got)
    return document


Check: TypeAlias = Callable[[object], bool]
"""Whether a value is one that this library writes. Whoever changes a text on purpose can make its check sum fit."""


def whole(value: object) -> bool:
    """Take a whole number."""
    return type(value) is int


def count(value: object) -> bool:
    """Take a whole number from 0, of 63 bits."""
    return type(value) is int and 0 <= value < 2**63


def size(value: object) -> bool:
    """Take a whole number from 1, of 63 bits."""
    return count(value) and value != 0


def moment(value: object) -> bool:
    """Take seconds of the wall clock."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < _ERAS


def flag(value: object) -> bool:
    """Take ``true`` or ``false``."""
    return isinstance(value, bool)


def name(value: object) -> TypeGuard[str]:
    """Take a text that can be sent, and that users may give: not a blank one."""
    return word(value) and bool(value.strip())


def word(value: object) -> TypeGuard[str]:
    """Take a text that can be sent."""
    if not isinstance(value, str) or not value:
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def array_of_any(value: object) -> bool:
    """Take a list."""
    return isinstance(value, list)


def nullable(check: Check) -> Check:
    """Take ``null`` as well."""
    return lambda value: value is None or check(value)


def check_fields(document: Mapping[str, Any], checks: Mapping[str, Check]) -> None:
    """Refuse a document that lacks a field, or has one that this library does not write."""
    for field, check in checks.items():
        if not check(document.get(field, ...)):
            damaged(f"{field!r} is missing or of another kind")


def pack(log: "array[int]") -> str:
    """Write numbers of 64 bits as base64, little endian."""
    if sys.byteorder == "big":
        log.byteswap()
    return base64.b64encode(log.tobytes()).decode()


def unpack(text: str) -> "array[int]":
    """Read numbers of 64 bits."""
    log = array("q")
    try:
        log.frombytes(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError):
        damaged("its rows cannot be read")
    if sys.byteorder == "big":
        log.byteswap()
    return log


def damaged(reason: str) -> NoReturn:
    """Refuse a text."""
    raise CheckpointError(
        "checkpoint", "the whole text of a checkpoint, as str(checkpoint) gave it", f"<damage: {reason}>"
    )


def _check(document: dict[str, Any]) -> str:
    return f"{zlib.crc32(json.dumps(document, sort_keys=True).encode()):08x}"
