"""The normal responses of the service in the fault tests, and the ways to damage them."""

from __future__ import annotations

import functools
import gzip
import json
import zlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

from runtime.socket_server import Seen

if TYPE_CHECKING:
    from faults.server import Script, Step

ID = 81
"""The meeting of the five calls; `create` makes it."""
OTHER = 666
"""The meeting in responses that belong to another request."""
Body: TypeAlias = bytes | Callable[[Seen], bytes]
"""A body, or a function that makes it from the request."""


def operation(seen: Seen) -> str:
    """Return the name of the call that a request is."""
    if seen.method == "GET":
        return "list" if seen.target.partition("?")[0].endswith("/meetings") else "get"
    return {"POST": "create", "PATCH": "update", "DELETE": "delete"}[seen.method]


def meeting(number: int, **more: object) -> dict[str, Any]:
    """Return a meeting's document."""
    return {"id": number, "uuid": f"u{number}==", "type": 2, "topic": f"Café {number}", **more}


def document(seen: Seen, **more: object) -> dict[str, Any]:
    """Return the response to a request, with more fields in its meeting, or at the top if it has no meeting."""
    call = operation(seen)
    tail = seen.target.partition("?")[0].rpartition("/")[2]
    found = meeting(int(tail) if tail.isdigit() else ID, **more)
    if call == "list":
        data = {"page_size": 300, "total_records": 1, "next_page_token": "", "meetings": [found]}
        return {"success": True, "data": data}
    if call == "delete":
        return {"success": True, **more}
    return {"success": True, "data" if call == "create" else "meeting": found}


def text(seen: Seen, **more: object) -> bytes:
    """Return the response body for a request."""
    return json.dumps(document(seen, **more), ensure_ascii=False).encode()


def head(status: int = 200, *lines: str, kind: str = "application/json") -> bytes:
    """Return the head of a response, without the length of its body."""
    return "\r\n".join([f"HTTP/1.1 {status} Whatever", f"Content-Type: {kind}", *lines, "", ""]).encode()


def whole(body: bytes, status: int = 200, *lines: str, kind: str = "application/json") -> bytes:
    """Return a complete response."""
    return head(status, f"Content-Length: {len(body)}", *lines, kind=kind) + body


def chunks(*pieces: bytes, end: bytes = b"0\r\n\r\n") -> bytes:
    """Return a chunked body."""
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + end


CHUNKED = "Transfer-Encoding: chunked"


def well(seen: Seen) -> tuple[Step, ...]:
    """Respond as the service normally does."""
    return (whole(text(seen)),)


def says(body: Body, status: int = 200, *lines: str, kind: str = "application/json") -> Script:
    """Return a script that sends a body in response to each request."""
    return lambda seen: (whole(body if isinstance(body, bytes) else body(seen), status, *lines, kind=kind),)


def tells(document: object, status: int = 200, *lines: str) -> Script:
    """Return a script that sends a JSON document in response to each request."""
    return says(json.dumps(document).encode(), status, *lines)


def does(steps: Callable[[Seen], tuple[Step, ...]] | tuple[Step, ...]) -> Script:
    """Return a script of fixed steps, or of a function that makes them from the request."""
    return steps if callable(steps) else lambda _: steps


def halved(body: bytes) -> bytes:
    """Return the first half of a body."""
    return body[: len(body) // 2]


def singly(text: bytes) -> list[bytes]:
    """Split a text into single bytes."""
    return [bytes([byte]) for byte in text]


def latin(seen: Seen) -> bytes:
    """Return the body in Latin-1, which is not valid UTF-8."""
    return text(seen).decode().encode("latin-1")


def mistaken(seen: Seen) -> bytes:
    """Return the body for another meeting if the request names one."""
    return text(seen, id=OTHER) if operation(seen) in ("get", "update") else text(seen)


def with_number(seen: Seen, field: str, number: str) -> bytes:
    """Return the body with a number, in one field, that Python's encoder would not write."""
    return text(seen, **{field: "here"}).replace(b'"here"', number.encode())


def surplus() -> bytes:
    """Return a response that matches each of the five calls and belongs to none of them."""
    found = meeting(OTHER)
    data = {**found, "page_size": 300, "total_records": 1, "next_page_token": "", "meetings": [found]}
    return whole(json.dumps({"success": True, "meeting": found, "data": data}).encode())


def squeezed(seen: Seen) -> bytes:
    """Return the compressed body."""
    return gzip.compress(text(seen))


@functools.cache
def bomb(mebibytes: int) -> bytes:
    """Return a gzip body of `mebibytes` MiB of blanks, compressed a thousandfold; the trailer is missing."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
    blanks = b" " * 2**20
    first = packer.compress(blanks) + packer.flush(zlib.Z_FULL_FLUSH)
    # A full flush resets the compressor, so each mebibyte is compressed to the same bytes.
    return first + (packer.compress(blanks) + packer.flush(zlib.Z_FULL_FLUSH)) * (mebibytes - 1)
