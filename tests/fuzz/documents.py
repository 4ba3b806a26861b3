"""Documents as the service writes them, and ways to damage them: wrong, huge, deep, broken or repeated values."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeVar

import attrs
from hypothesis import strategies as st

from contract.tools import sample

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

T = TypeVar("T")


@attrs.frozen
class Raw:
    """Bytes that are written into a document unchanged, whether or not they are JSON."""

    written: bytes


@attrs.frozen
class Twice:
    """Two values for the same key of an object, which has the key twice."""

    first: Any
    second: Any


ROW = {
    "id": 81,
    "uuid": "u81==",
    "host_id": "h",
    "topic": "Planning",
    "type": 2,
    "start_time": "2026-11-22T08:11:36Z",
    "duration": 30,
    "timezone": "Europe/Berlin",
    "agenda": "What comes next",
    "created_at": "2026-11-01T08:11:36Z",
    "join_url": "https://zoom.example/j/81?pwd=abc",
}
DETAIL: dict[str, Any] = {
    **sample("get")["meeting"],
    "occurrences": [
        {"occurrence_id": "1", "start_time": "2026-11-22T08:11:36Z", "duration": 30, "status": "available"}
    ],
    "recurrence": {"type": 2, "repeat_interval": 1, "weekly_days": "1,3", "end_date_time": "2026-12-22T08:11:36Z"},
    "tracking_fields": [{"field": "f", "value": "v", "visible": True}],
    "timezone": "America/New_York",
    "start_time": "2026-11-22T08:11:36",
}
PAGE = {
    "page_size": 300,
    "total_records": 3,
    "next_page_token": "token",
    "meetings": [ROW, {**ROW, "id": "82"}, {"id": 83}],
}
ACCOUNT = {
    "accountId": "acc",
    "email": "ada@example.com",
    "name": "n",
    "provider": "zoom",
    "status": "active",
    "scopes": ["meeting:read", "meeting:write"],
}
ANSWERS: list[dict[str, Any]] = [
    {"success": True, "data": PAGE},
    PAGE,
    {"success": True, "meeting": DETAIL},
    {"success": True, "data": DETAIL},
    {"success": True, "data": {"meeting": DETAIL}},
    DETAIL,
    {"success": True, "data": {"account": ACCOUNT}},
    {"success": True, "url": "https://zoom.us/oauth/authorize?state=s"},
    {"success": True, "data": {"url": "https://zoom.us/oauth/authorize?state=s"}},
    {"success": True},
]
"""Responses to calls that succeed."""
ERRORS: list[dict[str, Any]] = [
    {"message": "Too many requests! Slow down", "code": 429, "error": "Rate limit exceeded"},
    {"error": "Unauthorized. Invalid API key."},
    {"errors": [{"msg": "Invalid value", "param": "nextPageToken", "location": "query", "value": "t"}, "text"]},
    {"success": False, "error": "Invalid account id. Account Not Found", "code": 404},
    {"code": 300, "message": "The next page token is invalid or expired."},
    {"success": False, "error": {"code": 300, "message": "daily limit", "errors": []}},
]
"""Responses to calls that fail."""

_DEEP = (60, 99, 101, 450, 790, 5_000)
NASTY: list[Any] = [
    *(None, True, False, 0, -1, 1, 2, 8, 77, 2**31, 2**53 + 1, 2**63 - 1, 2**63, 2**64, -(2**63) - 1, 10**18, 10**30),
    *(0.0, -0.0, 0.5, 2.0, 1e16, 1e308, -1e308, 5e-324),
    *(
        "",
        " ",
        "0",
        "-7",
        " 12 ",
        "1e5",
        "1_000",
        "0x10",
        "٣",
        "9" * 19,
        "9" * 20,
        "9" * 5_000,
        "true",
        "FALSE",
        "null",
    ),
    *("\0", "é", "😀", "\u2028", "\ufeff", "a" * 300, "b" * 20_000, '"', "\\", "</script>", "%s %d {0}", "%00"),
    *("2026-11-22", "2026-11-22T08:11:36", "2026-11-22T08:11:36.123456789Z", "2026-02-30T08:11:36Z", "24:00", "soon"),
    *("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00", "9999-12-31T23:59:59.999999"),
    *("2026-11-22T08:11:36+23:59:59", "2026-11-22T08:11:60Z", "2026-W47-7", "20261122T081136Z", "2026-10-25T02:30:00"),
    *(
        "Mars/Olympus",
        "../../etc/passwd",
        "Europe",
        "UTC",
        "Etc/GMT+12",
        "A" * 300,
        "a/" * 2_000,
        "\0",
        "posixrules",
        ".",
    ),
    *(
        "https://zoom.us/?pwd=",
        "?pwd=a&zak=b",
        "page token expired",
        "Rate limit exceeded",
        "daily",
        "month",
        "account",
    ),
    *([], {}, [[]], [{}], {"": None}, [None] * 40, list(range(100)), {"id": 1}, {"meeting": None}, {"meetings": []}),
    *({"error": {"error": {}}}, {"msg": 5, "param": []}, {"message": ["x"]}, ["a", 1, None, {}], {"code": True}),
    *(Raw(word) for word in (b"NaN", b"Infinity", b"-Infinity", b"1e999", b"-1e999", b"01", b"+1", b"1.", b"tru", b"")),
    *(Raw(b"9" * digits) for digits in (20, 400, 4_299, 4_301, 20_000)),
    *(Raw(b"-1" + b"0" * 400 + b".5"), Raw(b"1E+400"), Raw(b"0." + b"3" * 5_000), Raw(b"'text'"), Raw(b"/* */ 1")),
    *(
        Raw(text)
        for text in (b'"\\ud83d"', b'"\\udc00\\ud800"', b'"\xff"', b'"\xed\xa0\x80"', b'"a\nb"', b'"\\x"', b'"\\u00"')
    ),
    *(Raw(b"[" * n + b"]" * n) for n in _DEEP),
    *(Raw(b"[" * n + b'"\\u00e9"' + b"]" * n) for n in _DEEP),
    *(Raw(b'{"a":' * n + b"1" + b"}" * n) for n in _DEEP),
    *(
        Raw(b"[" * 300),
        Raw(b'{"a":' * 300),
        Raw(b"]"),
        Raw(b"}"),
        Raw(b","),
        Raw(b'"'),
        Raw(b"\x00"),
        Raw(b"\xef\xbb\xbf"),
    ),
]
"""Values that rarely fit where they are put."""
KINDS = ("put", "put", "put", "wrap", "drop", "swap", "repeat", "twice", "add")
PIECES = (
    b"\0",
    b"\xff",
    b"{",
    b"}",
    b"[",
    b"]",
    b'"',
    b",",
    b":",
    b"\\",
    b"\\u",
    b"9" * 50,
    b"\xef\xbb\xbf",
    b"<html>",
    b" ",
)
_MAX_POSITIONS = 1_000
"""Number of positions above which a document is not changed further: repeating lists in lists never ends."""
LETTERS = 'a0-:.TZ \0é\ud800😀"\\%{}'
KEYS = [
    "id",
    "uuid",
    "data",
    "meeting",
    "meetings",
    "account",
    "success",
    "error",
    "code",
    "",
    "\0",
    "é",
    "x",
    "__class__",
]


def write(node: Any) -> bytes:  # noqa: ANN401  (a document)
    """Write a document as JSON, with its raw parts unchanged."""
    if isinstance(node, Raw):
        return node.written
    if isinstance(node, Twice):  # it was moved into a list
        return write(node.first)
    if isinstance(node, dict):
        pairs = []
        for key, value in node.items():
            values = (value.first, value.second) if isinstance(value, Twice) else (value,)
            pairs += [json.dumps(key).encode() + b":" + write(one) for one in values]
        return b"{" + b",".join(pairs) + b"}"
    if isinstance(node, list):
        return b"[" + b",".join(map(write, node)) + b"]"
    return json.dumps(node, ensure_ascii=False).encode("utf-8", "surrogatepass")


def positions(node: Any) -> list[tuple[Any, Any]]:  # noqa: ANN401  (a document)
    """List each position in a document: the object or list, and the key or index in it."""
    found: list[tuple[Any, Any]] = []
    ahead = [node]
    while ahead:
        one = ahead.pop()
        inner: list[tuple[Any, Any]] = []
        if isinstance(one, dict):
            inner = list(one.items())
        elif isinstance(one, list):
            inner = list(enumerate(one))
        found += [(one, key) for key, _ in inner]
        ahead += [value for _, value in inner]
    return found


class Draws:
    """Draws numbers and choices from a few bytes, and the first choice each time once they are used up.

    Hypothesis draws the bytes in one go. Drawing each choice by itself would make a tenth of the documents.
    """

    def __init__(self, drawn: bytes) -> None:
        self._left = list(drawn)

    def number(self, below: int) -> int:
        """Draw a whole number from 0 to below a bound."""
        drawn = 0
        for _ in range((below - 1).bit_length() // 8 + 1):
            drawn = drawn * 256 + (self._left.pop(0) if self._left else 0)
        return drawn % below

    def of(self, choices: Sequence[T]) -> T:
        """Draw one of several choices."""
        return choices[self.number(len(choices))]


def drawn(make: Callable[[Draws], T], *, size: int = 24) -> st.SearchStrategy[T]:
    """Draw what a function makes of a number of bytes."""
    return st.binary(min_size=size, max_size=size).map(lambda bytes_drawn: make(Draws(bytes_drawn)))


def copied(node: Any) -> Any:  # noqa: ANN401  (a document)
    """Copy a document, its raw parts included."""
    if isinstance(node, dict):
        return {key: copied(value) for key, value in node.items()}
    return [copied(item) for item in node] if isinstance(node, list) else node


def value_of(draws: Draws) -> Any:  # noqa: ANN401  (a JSON value)
    """Draw a value that rarely fits where it is put, or a text of a few odd characters."""
    if draws.number(8):
        return copied(draws.of(NASTY))
    return "".join(draws.of(LETTERS) for _ in range(draws.number(6)))


def change(document: Any, draws: Draws) -> None:  # noqa: ANN401  (a document)
    """Change a document at one of its positions."""
    kind, where = draws.of(KINDS), positions(document)
    if not where or len(where) > _MAX_POSITIONS:
        return
    inside, key = draws.of(where)
    if isinstance(inside[key], Twice):
        return
    if kind == "put":
        inside[key] = value_of(draws)
    elif kind == "wrap":
        inside[key] = {draws.of(KEYS): inside[key]} if draws.number(2) else [inside[key]]
    elif kind == "drop":
        del inside[key]
    elif kind == "swap":
        other, there = draws.of(where)
        inside[key], other[there] = copied(other[there]), copied(inside[key])
    elif kind == "repeat" and isinstance(inside, list):
        inside.extend(copied(inside[key]) for _ in range(1 + draws.number(40)))
    elif isinstance(inside, dict):
        name = draws.of(KEYS)
        inside[key if kind == "twice" else name] = (
            Twice(inside[key], value_of(draws)) if kind == "twice" else value_of(draws)
        )


def changed(draws: Draws, documents: Sequence[Any]) -> Any:  # noqa: ANN401  (a document)
    """Draw one of several documents, and change it at a few positions."""
    document = copied(draws.of(documents))
    for _ in range(draws.number(5)):
        change(document, draws)
    return document


def body_of(draws: Draws, documents: Sequence[Any]) -> bytes:
    """Draw the bytes of a changed document, which may no longer be JSON."""
    body = write(changed(draws, documents))
    while draws.number(3) == 2:
        at, piece = draws.number(len(body) + 1), draws.of(PIECES)
        kind = draws.number(4)
        if kind == 0:
            body = body[:at]
        elif kind == 1:
            body = body[:at] + piece + body[at:]
        elif kind == 2:
            body = body[:at] + body[at + len(piece) :]
        else:
            body = body[:at] + bytes([(body[at] if at < len(body) else 0) ^ (1 << draws.number(8))]) + body[at + 1 :]
    return body


def bodies(*documents: Any) -> st.SearchStrategy[bytes]:  # noqa: ANN401  (documents)
    """Draw the bytes of changed documents, some of which are not JSON, or arbitrary bytes."""
    return drawn(lambda draws: body_of(draws, documents)) | st.binary(max_size=60)
