"""HTTP/1.1 without I/O: writes the head of a request, and parses one response from the bytes that arrive.

httptools (llhttp, the parser of node) parses responses. It takes a fifteenth of the time of h11. It is lenient in a
few ways in which this module is not: see `ResponseParser.feed`.
"""

import re
import select
from collections import deque
from collections.abc import Sequence
from typing import Any

import httptools
import httpx

MAX_HEAD = 100 * 1024
"""The largest number of bytes before the body of a response, informational responses included. It is httpcore's."""
MANY = 1 << 18
"""Bytes of a body with which its reader is woken."""
MAX_UNREAD = 1 << 25
"""Bytes of a body that its reader may leave untaken: no body that is used is so large."""
_TOKEN = re.compile(rb"[-!#$%&'*+.^_`|~0-9A-Za-z]+")
_VALUE = re.compile(rb"[\x21-\x7e\x80-\xff](?:[\t \x21-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?|")
_TARGET = re.compile(rb"[\x21-\x7e]+")
# A line end without CR ends the head too: httptools refuses such a head, and must get to see it.
_END_OF_HEAD = re.compile(rb"\n\r?\n")
_BLANKS = re.compile(rb"[ \t]\r\n|\r\n[ \t]")
_FOLDED = re.compile(rb"(?<=.)[ \t]*\r\n[ \t]+")
_BLANK_END = re.compile(rb"[ \t]+\r\n")

Headers = Sequence[tuple[bytes, bytes]]


def request_head(method: bytes, target: bytes, header_lines: bytes) -> bytes:
    """Write the head of a request.

    Raises:
        LocalProtocolError: If the method or the target has characters that cannot be sent.
    """
    if not _TOKEN.fullmatch(method) or not _TARGET.fullmatch(target):
        msg = "illegal request line"
        raise httpx.LocalProtocolError(msg)
    return b"%b %b HTTP/1.1\r\n%b\r\n" % (method, target, header_lines)


def header_lines(headers: Headers) -> bytes:
    """Write the header lines of a request.

    Raises:
        LocalProtocolError: If a name or a value has characters that cannot be sent.
    """
    for name, value in headers:
        if not _TOKEN.fullmatch(name) or not _VALUE.fullmatch(value):
            msg = f"illegal header {name!r}"  # the value may be a secret
            raise httpx.LocalProtocolError(msg)
    return b"".join([b"%b: %b\r\n" % header for header in headers])


class ResponseParser:
    """Parses the bytes of one response.

    Attributes:
        status: The status, once the head is complete.
        headers: The headers, in the spelling of the service.
        http_version: The version of the response, as in ``b"HTTP/1.1"``.
        reason: The text after the status.
        pieces: The parts of the body that have arrived and that `take` has not returned.
        complete: Whether the whole response has arrived.
        by_pieces: Whether the reader wants to see each part that arrives.
        reusable: Whether the connection can carry another request: the response is complete, both sides keep the
            connection open, and no byte followed the response.
        error: Why the rest of the response cannot be read.
        ready: Whether there is something for the reader: the end of the response, an error, the head of a response
            other than a success, or a part of a body that is read piece by piece.
    """

    __slots__ = (
        "_fed",
        "_framed",
        "_head",
        "_head_length",
        "_held",
        "_left",
        "_parser",
        "_received",
        "_stays_open",
        "_tail",
        "by_pieces",
        "complete",
        "error",
        "headers",
        "http_version",
        "pieces",
        "ready",
        "reason",
        "reusable",
        "status",
    )

    def __init__(self, *, by_pieces: bool) -> None:
        """Expect a response.

        Args:
            by_pieces: Whether the reader wants to see each part of a success. By default, it wants to see it once it is
                complete, or once `MANY` bytes have arrived.
        """
        self.status: int | None = None
        self.headers: list[tuple[bytes, bytes]] = []
        self.http_version = self.reason = b""
        self.pieces: deque[bytes] = deque()
        self.complete = self.reusable = self.ready = False
        self.error: httpx.TransportError | None = None
        self.by_pieces = by_pieces
        self._framed = False
        self._left: int | None = None  # bytes that are missing of a body with a Content-Length
        self._fed = self._received = 0  # bytes of any other body, with and without its framing
        self._tail = b""
        self._stays_open = False
        self._head = bytearray()
        self._head_length = 0
        self._held = 0
        # It refers to this object and this one to it, until the response has ended.
        self._parser: Any = httptools.HttpResponseParser(self)

    def take(self) -> bytes:
        """Return the next part of the body."""
        piece = self.pieces.popleft()
        self._held -= len(piece)
        if not self.pieces:
            self.ready = self.complete or self.error is not None
        return piece

    def feed(self, data: bytes) -> None:
        """Parse the next bytes.

        Beside what httptools refuses, a response is an error if it begins with anything but its status line (httptools
        skips blank lines, which may be the rest of another response), if its head is too long, if its version is none
        of HTTP/1, if it switches protocols, or if it has a transfer encoding other than "chunked".
        """
        if self.error is not None:
            return
        if self.complete:
            self.reusable = False
            return
        try:
            rest = self._feed_heads(data) if self.status is None else data
            if not rest:
                return
            if self.complete:
                self.reusable = False
            elif self._left is None:
                self._feed_chunks(rest)
            else:
                self._stays_open = self._stays_open and len(rest) <= (self._left or 0)
                self._parser.feed_data(rest)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            if self.complete:
                self.reusable = False  # the bytes that follow the response are wrong, not the response
            elif self.error is None:
                self._fail(httpx.RemoteProtocolError(str(error)))

    def _feed_heads(self, data: bytes) -> memoryview | None:
        """Parse heads up to that of the response itself; return what follows, or ``None`` if more must arrive."""
        searched = max(len(self._head) - 2, 0)
        received: bytes | bytearray = data  # usually the whole head, and not copied for that
        if self._head:
            received = self._head
            received += data
        begin = 0
        while (found := _END_OF_HEAD.search(received, max(searched, begin))) is not None:
            end = found.end()
            self._head_length += end - begin
            if self._head_length > MAX_HEAD:
                break
            head = bytes(received[begin:end])
            if not head.startswith(b"HTTP/1."):
                self._fail(httpx.RemoteProtocolError("the response does not begin with an HTTP/1 status line"))
                return None
            if _BLANKS.search(head):
                # RFC 9112, 5.2: a folded line continues the value of a header. httptools refuses it, and keeps blanks
                # at the end of a value.
                status_line, _, lines = head.partition(b"\r\n")
                head = status_line + b"\r\n" + _BLANK_END.sub(b"\r\n", _FOLDED.sub(b" ", lines))
            self._parser.feed_data(head)
            if self.status is not None:
                return memoryview(received)[end:]
            begin = end
            self._parser = httptools.HttpResponseParser(self)  # an informational response says nothing of this one
        if self._head_length + len(received) - begin > MAX_HEAD:
            self._fail(httpx.RemoteProtocolError(f"the head of the response has more than {MAX_HEAD} bytes"))
        elif received is not self._head or begin:
            self._head = bytearray(received[begin:])
        return None

    def _feed_chunks(self, data: bytes | memoryview) -> None:
        """Parse a part of a body without a Content-Length."""
        self._parser.feed_data(data)
        self._fed += len(data)
        if self._fed - self._received > MAX_HEAD + 8 * self._received:
            self._fail(httpx.RemoteProtocolError(f"chunk extensions and trailers have more than {MAX_HEAD} bytes"))
        # httptools drops empty lines after the response without a word.
        self._tail = (self._tail + bytes(data[-6:]))[-6:]
        if self.complete and (self._tail[-4:] != b"\r\n\r\n" or self._tail[:2] == b"\r\n"):
            self.reusable = False

    def end(self, error: Exception | None) -> None:
        """Note that no more bytes will arrive, because of an error or because the service has closed the connection."""
        self.reusable = False
        if self.complete or self.error is not None:
            return
        if error is not None:
            self._fail(httpx.ReadError(str(error) or "the connection was closed"))
        elif self.status is None:
            self._fail(httpx.RemoteProtocolError("Server disconnected without sending a response."))  # httpcore's words
        elif self._framed:
            self._fail(httpx.RemoteProtocolError("peer closed connection without sending complete message body"))
        else:  # the end of the connection is the end of the body
            self.complete = self.ready = True
            self._parser = None

    def fresh_error(self) -> httpx.TransportError:
        """Return a copy of `error` to raise. Its traceback leads to this object, which must not lead back to it."""
        return type(self.error)(str(self.error)) if self.error is not None else httpx.ReadError("")

    def _fail(self, error: httpx.TransportError) -> None:
        self.error = error
        self._parser = None
        self.complete = self.reusable = False
        self.ready = True

    # httptools calls these.

    def on_message_begin(self) -> None:
        """Begin an informational response, or the response itself."""
        if self.complete:
            self.reusable = False
            raise _NoResponseError
        self.headers.clear()
        self.reason = b""

    def on_status(self, reason: bytes) -> None:
        """Take the text after the status."""
        self.reason += reason

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header; trailers are dropped."""
        if self.status is None:
            self.headers.append((name, value.rstrip(b" \t")))

    def on_headers_complete(self) -> None:
        """Take the head."""
        status = self._parser.get_status_code()
        version = self._parser.get_http_version()
        if status < 100 or status == 101 or b"\0" in self.reason or version not in ("1.0", "1.1"):
            self._refuse("the status line is none of HTTP/1, or the service switches to another protocol")
        if status < 200:
            return
        self._stays_open = version == "1.1"
        for name, value in self.headers:
            length = len(name)  # cheaper than to fold the case of each name
            if length == 14 and name.lower() == b"content-length":
                self._framed, self._left = True, int(value)
            elif length == 17 and name.lower() == b"transfer-encoding":
                if self._framed or value.lower() != b"chunked":
                    self._refuse("unsupported Transfer-Encoding")
                self._framed = True
            elif length == 10 and name.lower() == b"connection" and b"close" in _tokens(value):
                self._stays_open = False
        if status in (204, 304):
            self._left = 0
        self.http_version = b"HTTP/" + version.encode("ascii")
        self.status = status
        self.ready = self.by_pieces or not 200 <= status < 300

    def on_body(self, piece: bytes) -> None:
        """Take a part of the body."""
        self.pieces.append(piece)
        self._held += len(piece)
        self._received += len(piece)
        if self._left is not None:
            self._left -= len(piece)
        if self.by_pieces or self._held >= MANY:
            self.ready = True
        if self._held > MAX_UNREAD:
            self._refuse("the body arrives faster than it is read")

    def on_message_complete(self) -> None:
        """Note the end of the response; an informational response is followed by another one."""
        if self.status is not None:
            self.complete = self.ready = True
            self.reusable = self._stays_open
            self._parser = None

    def _refuse(self, reason: str) -> None:
        self._fail(httpx.RemoteProtocolError(reason))
        raise _NoResponseError


def _tokens(value: bytes) -> list[bytes]:
    return [token.strip() for token in value.lower().split(b",")]


class _NoResponseError(Exception):
    """Makes httptools stop."""


def has_input(socket: Any) -> bool:  # noqa: ANN401  (a socket, or the object by which an event loop shows one)
    """Whether a read would return at once: there are bytes, the connection has ended, or the socket is closed."""
    if socket is None or (number := socket.fileno()) < 0:
        return True
    if not hasattr(select, "poll"):  # Windows
        return bool(select.select([number], [], [], 0)[0])
    poller = select.poll()
    poller.register(number, select.POLLIN)
    return bool(poller.poll(0))
