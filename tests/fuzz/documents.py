"""Documents as the service writes them, and what can become of them on the way: wrong, huge, deep, broken, doubled."""

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
    """Bytes that stand in a document as they are, whether or not they are JSON."""

    written: bytes


@attrs.frozen
class Twice:
    """A value that stands in its object twice, under the same key, and the other one that it is beside."""

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
"""What calls that succeed are answered."""
ERRORS: list[dict[str, Any]] = [
    {"message": "Too many requests! Slow down", "code": 429, "error": "Rate limit exceeded"},
    {"error": "Unauthorized. Invalid API key."},
    {"errors": [{"msg": "Invalid value", "param": "nextPageToken", "location": "query", "value": "t"}, "text"]},
    {"success": False, "error": "Invalid account id. Account Not Found", "code": 404},
    {"code": 300, "message": "The next page token is invalid or expired."},
    {"success": False, "error": {"code": 300, "message": "daily limit", "errors": []}},
]
"""What calls that fail are answered."""

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
"""Values that do not belong where they are put, or hardly."""
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
_LARGE = 1_000
"""Places of a document that grows no more: a list that is repeated in a list that is repeated has no end."""
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
    """Write a document, with what is raw in it as it is."""
    if isinstance(node, Raw):
        return node.written
    if isinstance(node, Twice):  # it has come into a list
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


def places(node: Any) -> list[tuple[Any, Any]]:  # noqa: ANN401  (a document)
    """List each place of a document: what it is in, and its key or its number there."""
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


class Chance:
    """Draws whatever is wanted from a few bytes, and the first of everything when they are used up.

    Hypothesis draws the bytes, and so less often than if it drew each thing: that makes ten times as many documents.
    """

    def __init__(self, drawn: bytes) -> None:
        self._left = list(drawn)

    def number(self, below: int) -> int:
        """Draw a whole number from 0."""
        drawn = 0
        for _ in range((below - 1).bit_length() // 8 + 1):
            drawn = drawn * 256 + (self._left.pop(0) if self._left else 0)
        return drawn % below

    def of(self, choices: Sequence[T]) -> T:
        """Draw one of some things."""
        return choices[self.number(len(choices))]


def drawn(make: Callable[[Chance], T], *, size: int = 24) -> st.SearchStrategy[T]:
    """Draw what a function makes of so many bytes."""
    return st.binary(min_size=size, max_size=size).map(lambda bytes_drawn: make(Chance(bytes_drawn)))


def copied(node: Any) -> Any:  # noqa: ANN401  (a document)
    """Copy a document, raw parts and all."""
    if isinstance(node, dict):
        return {key: copied(value) for key, value in node.items()}
    return [copied(item) for item in node] if isinstance(node, list) else node


def value_of(chance: Chance) -> Any:  # noqa: ANN401  (whatever there is)
    """Draw a value that does not belong where it is put, or a text of a few odd letters."""
    if chance.number(8):
        return copied(chance.of(NASTY))
    return "".join(chance.of(LETTERS) for _ in range(chance.number(6)))


def change(document: Any, chance: Chance) -> None:  # noqa: ANN401  (a document)
    """Change a document in one of its places."""
    kind, where = chance.of(KINDS), places(document)
    if not where or len(where) > _LARGE:
        return
    inside, key = chance.of(where)
    if isinstance(inside[key], Twice):
        return
    if kind == "put":
        inside[key] = value_of(chance)
    elif kind == "wrap":
        inside[key] = {chance.of(KEYS): inside[key]} if chance.number(2) else [inside[key]]
    elif kind == "drop":
        del inside[key]
    elif kind == "swap":
        other, there = chance.of(where)
        inside[key], other[there] = copied(other[there]), copied(inside[key])
    elif kind == "repeat" and isinstance(inside, list):
        inside.extend(copied(inside[key]) for _ in range(1 + chance.number(40)))
    elif isinstance(inside, dict):
        name = chance.of(KEYS)
        inside[key if kind == "twice" else name] = (
            Twice(inside[key], value_of(chance)) if kind == "twice" else value_of(chance)
        )


def changed(chance: Chance, documents: Sequence[Any]) -> Any:  # noqa: ANN401  (a document)
    """Draw one of some documents, and change it in a few places."""
    document = copied(chance.of(documents))
    for _ in range(chance.number(5)):
        change(document, chance)
    return document


def body_of(chance: Chance, documents: Sequence[Any]) -> bytes:
    """Draw the bytes of a changed document, which may be broken, or none at all."""
    body = write(changed(chance, documents))
    while chance.number(3) == 2:
        at, piece = chance.number(len(body) + 1), chance.of(PIECES)
        kind = chance.number(4)
        if kind == 0:
            body = body[:at]
        elif kind == 1:
            body = body[:at] + piece + body[at:]
        elif kind == 2:
            body = body[:at] + body[at + len(piece) :]
        else:
            body = body[:at] + bytes([(body[at] if at < len(body) else 0) ^ (1 << chance.number(8))]) + body[at + 1 :]
    return body


def bodies(*documents: Any) -> st.SearchStrategy[bytes]:  # noqa: ANN401  (documents)
    """Draw the bytes of changed documents, some of them broken, and some that never were a document."""
    return drawn(lambda chance: body_of(chance, documents)) | st.binary(max_size=60)
