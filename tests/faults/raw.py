"""A raw HTTP/1.1 answer, what httpx reads in it, and what the client reads."""

from __future__ import annotations

import json
from typing import Literal, TypeAlias

import attrs

from faults.answers import ID, whole
from faults.server import Do, Step


def document(number: int, topic: str = "Expected") -> bytes:
    """Return the body of an answer about a meeting."""
    return json.dumps({"meeting": {"id": number, "topic": topic}}).encode()


BODY = document(ID)
"""The body of most answers. Its length is N, 44 bytes, which is 2c in a chunk size."""
N = len(BODY)
FAILURE = json.dumps({"message": "No such meeting"}).encode()
"""The body of the answers with an error status, whose request id the client shows."""
FOLLOWING = document(ID + 1)
"""The body of the right answer to the next call."""
STRAY = whole(document(ID + 1, "Stray"))
"""An answer that no request has asked for, about the meeting that the next call asks for."""

Next: TypeAlias = Literal["reused", "new", "wrong", "fails"]
"""What the next call meets: the same connection, a new one, the stray answer, or an error."""


@attrs.frozen
class Reading:
    """What a client makes of an answer: a status, a body and a request id, or an exception.

    Attributes:
        status: The status.
        body: The body.
        request_id: The value of ``X-Request-Id``, with its bytes read as Latin-1.
        error: The name of the exception's class. Then the other attributes mean nothing.
    """

    status: int = 200
    body: bytes = BODY
    request_id: str | None = None
    error: str | None = None


ANSWERED = Reading()
REFUSED = Reading(error="RemoteProtocolError")
FAILED = Reading(error="TransportError")


@attrs.frozen
class RawAnswer:
    """An answer, byte by byte.

    Attributes:
        name: Its name on the page.
        sends: What the service does after the request. Afterwards, the connection is open, unless it is closed here.
        httpx: What stock httpx reads.
        httpx_next: What httpx's next call meets.
        refused: Why the client refuses the answer although httpx reads it.
        retired: Why the client does not reuse the connection although httpx does.
    """

    name: str
    sends: tuple[Step, ...]
    httpx: Reading = ANSWERED
    httpx_next: Next = attrs.field(kw_only=True)
    refused: str = attrs.field(default="", kw_only=True)
    retired: str = attrs.field(default="", kw_only=True)

    @httpx_next.default
    def _default_next(self) -> Next:
        return "new" if self.httpx.error or Do.CLOSE in self.sends else "reused"

    @property
    def ours(self) -> Reading:
        """What the client reads."""
        return FAILED if self.httpx.error or self.refused else self.httpx

    @property
    def reason(self) -> str:
        """Why the client is stricter than httpx."""
        return self.retired or self.refused

    @property
    def ending(self) -> str:
        """How the client's call ends: the name of its error, or ``"answered"``."""
        if self.ours.error is not None:
            return self.ours.error
        status = self.ours.status
        if status < 300:
            return "answered" if self.ours.body == BODY else "DecodeError"
        return "ServerError" if status >= 500 else {404: "NotFoundError"}.get(status, "APIStatusError")

    @property
    def ours_next(self) -> Next:
        """What the client's next call meets."""
        return "new" if self.reason else self.httpx_next


def answer(*lines: bytes, start: bytes = b"HTTP/1.1 200 OK", body: bytes = BODY) -> bytes:
    """Return an answer of a status line, header lines and a body."""
    return b"\r\n".join((start, *lines, b"", b"")) + body


def chunked(body: bytes) -> bytes:
    """Return an answer whose body is already divided into chunks."""
    return answer(CHUNKED, body=body)


def failure(*lines: bytes, start: bytes = b"HTTP/1.1 404 Not Found") -> bytes:
    """Return an answer with an error status and these header lines."""
    return answer(*lines, b"Content-Length: %d" % len(FAILURE), start=start, body=FAILURE)


def shown(request_id: str | None) -> Reading:
    """Return the reading of `failure`, with its request id."""
    return Reading(404, FAILURE, request_id)


LENGTH = b"Content-Length: %d" % N
CHUNKED = b"Transfer-Encoding: chunked"
CHUNK = b"%x\r\n%s\r\n" % (N, BODY)
LAST = b"0\r\n\r\n"
PLAIN = answer(LENGTH)
STRAY_BYTES = "the next call would be given the bytes after the end"
EMPTY = Reading(body=b"")


def invalid(name: str, *sends: Step) -> RawAnswer:
    """Return an answer that httpx refuses. The service closes after it, in case a client waits for more."""
    return RawAnswer(name, (*sends, Do.CLOSE), REFUSED)


def stray(name: str, sends: bytes, httpx_next: Next, reading: Reading = ANSWERED) -> RawAnswer:
    """Return an answer with bytes after its end, which httpx takes for the beginning of the next one."""
    return RawAnswer(name, (sends,), reading, httpx_next=httpx_next, retired=STRAY_BYTES)
