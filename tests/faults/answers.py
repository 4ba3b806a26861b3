"""What the service of the fault tests says when it is well, and the ways in which that can be spoilt."""

from __future__ import annotations

import functools
import gzip
import json
import zlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

from runtime.wires import Seen

if TYPE_CHECKING:
    from faults.server import Script, Step

ID = 81
"""The meeting that the five calls are about; `create` makes it."""
OTHER = 666
"""The meeting in answers to questions that nobody asked."""
Body: TypeAlias = bytes | Callable[[Seen], bytes]
"""A body, or what makes it of the request."""


def operation(seen: Seen) -> str:
    """Name the call that a request is."""
    if seen.method == "GET":
        return "list" if seen.target.partition("?")[0].endswith("/meetings") else "get"
    return {"POST": "create", "PATCH": "update", "DELETE": "delete"}[seen.method]


def meeting(number: int, **more: object) -> dict[str, Any]:
    """Write a meeting."""
    return {"id": number, "uuid": f"u{number}==", "type": 2, "topic": f"Café {number}", **more}


def document(seen: Seen, **more: object) -> dict[str, Any]:
    """Write the document that answers a request, with more fields in its meeting, or in itself if it has none."""
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
    """Write the body that answers a request."""
    return json.dumps(document(seen, **more), ensure_ascii=False).encode()


def head(status: int = 200, *lines: str, kind: str = "application/json") -> bytes:
    """Write the head of an answer, without saying how long its body is."""
    return "\r\n".join([f"HTTP/1.1 {status} Whatever", f"Content-Type: {kind}", *lines, "", ""]).encode()


def whole(body: bytes, status: int = 200, *lines: str, kind: str = "application/json") -> bytes:
    """Write a whole answer."""
    return head(status, f"Content-Length: {len(body)}", *lines, kind=kind) + body


def chunks(*pieces: bytes, end: bytes = b"0\r\n\r\n") -> bytes:
    """Write a body in chunks."""
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + end


CHUNKED = "Transfer-Encoding: chunked"


def well(seen: Seen) -> tuple[Step, ...]:
    """Answer as the service does when it is well."""
    return (whole(text(seen)),)


def says(body: Body, status: int = 200, *lines: str, kind: str = "application/json") -> Script:
    """Answer each request with a body."""
    return lambda seen: (whole(body if isinstance(body, bytes) else body(seen), status, *lines, kind=kind),)


def tells(document: object, status: int = 200, *lines: str) -> Script:
    """Answer each request with a JSON document."""
    return says(json.dumps(document).encode(), status, *lines)


def does(steps: Callable[[Seen], tuple[Step, ...]] | tuple[Step, ...]) -> Script:
    """Do the same to each request, or what is made of it."""
    return steps if callable(steps) else lambda _: steps


def halved(body: bytes) -> bytes:
    """Cut a body in two, and give the first half."""
    return body[: len(body) // 2]


def singly(text: bytes) -> list[bytes]:
    """Take a text byte by byte."""
    return [bytes([byte]) for byte in text]


def latin(seen: Seen) -> bytes:
    """Write the body in Latin-1, which is no UTF-8."""
    return text(seen).decode().encode("latin-1")


def mistaken(seen: Seen) -> bytes:
    """Write the body for another meeting, if the request names one."""
    return text(seen, id=OTHER) if operation(seen) in ("get", "update") else text(seen)


def with_number(seen: Seen, field: str, number: str) -> bytes:
    """Write the body with a number in a field that Python's own writer would not write."""
    return text(seen, **{field: "here"}).replace(b'"here"', number.encode())


def surplus() -> bytes:
    """Write an answer that fits each of the five questions, and that none of them has asked for."""
    found = meeting(OTHER)
    data = {**found, "page_size": 300, "total_records": 1, "next_page_token": "", "meetings": [found]}
    return whole(json.dumps({"success": True, "meeting": found, "data": data}).encode())


def squeezed(seen: Seen) -> bytes:
    """Compress the body."""
    return gzip.compress(text(seen))


@functools.cache
def bomb(mebibytes: int) -> bytes:
    """Write a body of so many mebibytes of blanks, compressed a thousandfold; what stands at its end is left out."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
    blanks = b" " * 2**20
    first = packer.compress(blanks) + packer.flush(zlib.Z_FULL_FLUSH)
    # After a full flush, the packer remembers nothing: each mebibyte is packed into the same bytes.
    return first + (packer.compress(blanks) + packer.flush(zlib.Z_FULL_FLUSH)) * (mebibytes - 1)
