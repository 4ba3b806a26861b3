"""HTTP/1.1 without I/O: writes the head of a request, and parses one response from the bytes that arrive.

httptools (llhttp, the parser of node) parses responses. It takes a fifteenth of the time of h11. It is lenient in a
few ways in which this module is not: see `ResponseParser.feed`.
"""

import contextlib
import re
import select
from collections import deque
from collections.abc import Sequence
from typing import Any

import attrs
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
_BLANK_END = re.compile(rb"[ \t]+\r\n")
_FOLD = re.compile(rb"(?<=.)[ \t]*\r\n[ \t]+")
_CLOSE = re.compile(rb"(?:^|,)[ \t]*close[ \t]*(?:,|$)", re.IGNORECASE)

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


@attrs.define(eq=False, repr=False)
class ResponseParser:
    """Parses the bytes of one response.

    httptools parses heads and chunks. A body with a Content-Length, or one that ends with its connection, needs no
    parser.

    Attributes:
        by_pieces: Whether the reader wants to see each part of a success as it arrives. Otherwise, it wants to see the
            success once it is complete, or once `MANY` bytes have arrived.
        status: The status, once the head is complete.
        headers: The headers, in the spelling of the service.
        http_version: The version of the response, as in ``b"HTTP/1.1"``.
        reason: The text after the status.
        pieces: The parts of the body that have arrived and that `take` has not returned.
        complete: Whether the whole response has arrived.
        reusable: Whether the connection can carry another request: the response is complete, both sides keep the
            connection open, and no byte followed the response.
        failed: Whether the rest of the response cannot be read; `error` says why.
        ready: Whether there is something for the reader: the end of the response, an error, the head of a response
            other than a success, or a part of a body that is read piece by piece.
    """

    by_pieces: bool
    status: int | None = None
    headers: list[tuple[bytes, bytes]] = attrs.field(factory=list)
    http_version: bytes = b""
    reason: bytes = b""
    pieces: deque[bytes] = attrs.field(factory=deque)
    complete: bool = False
    reusable: bool = False
    failed: bool = False
    ready: bool = False
    _error: tuple[type[httpx.TransportError], str] = (httpx.ReadError, "")
    _head: bytes = b""  # the part of a head that has arrived
    _framing: int = MAX_HEAD  # how many bytes of heads, chunk sizes and trailers may follow
    _stays_open: bool = False  # whether both sides keep the connection open
    _missing: int | None = None  # how many bytes of the body will follow, if its length is known
    _chunks: "_Parsed | None" = None  # what httptools has read of a body in chunks, and its parser
    _chunk_parser: Any = None
    _tail: bytes = b""  # the last bytes of a body in chunks
    _unread: int = 0  # the number of bytes in `pieces`

    def take(self) -> bytes:
        """Return the next part of the body."""
        piece = self.pieces.popleft()
        self._unread -= len(piece)
        if not self.pieces:
            self.ready = self.complete or self.failed
        return piece

    def feed(self, data: bytes) -> None:
        """Parse the next bytes.

        Beside what httptools refuses, a response is an error if it begins with anything but its status line (httptools
        skips blank lines, which may be the rest of another response), if its head is too long, if its version is none
        of HTTP/1, if it switches protocols, or if it has a transfer encoding other than "chunked".
        """
        if self.complete or self.failed:
            self.reusable = False
            return
        try:
            rest = self._feed_heads(data) if self.status is None else data
            if self._chunks is not None:
                self._feed_chunks(rest, self._chunks)
            elif self.status is not None:
                self._feed_plain(rest)
        except (_ResponseError, httptools.HttpParserError) as error:
            self._fail(httpx.RemoteProtocolError, str(error))

    def end(self, error: Exception | None) -> None:
        """Note that no more bytes will arrive, because of an error or because the service has closed the connection."""
        self.reusable = False
        if self.complete or self.failed:
            return
        if error is not None:
            self._fail(httpx.ReadError, str(error) or "the connection was closed")
        elif self.status is None:
            self._fail(httpx.RemoteProtocolError, "Server disconnected without sending a response.")  # httpcore's words
        elif self._chunks is not None or self._missing is not None:
            self._fail(httpx.RemoteProtocolError, "peer closed connection without sending complete message body")
        else:  # the end of the connection is the end of the body
            self.complete = self.ready = True

    def error(self) -> httpx.TransportError:
        """Return why the rest of the response cannot be read.

        Each is a new exception: the traceback of one that was raised leads to this object, which would keep it alive.
        """
        kind, text = self._error
        return kind(text)

    def _fail(self, kind: type[httpx.TransportError], text: str) -> None:
        self._error = kind, text
        self.failed = self.ready = True

    def _feed_heads(self, data: bytes) -> bytes | memoryview:
        """Parse heads up to that of the response itself; return what follows it."""
        searched = max(len(self._head) - 2, 0)  # the beginning of the end may have arrived before
        rest = memoryview(self._head + data)
        while self.status is None and (found := _END_OF_HEAD.search(rest, searched)) is not None:
            head, rest, searched = bytes(rest[: found.end()]), rest[found.end() :], 0
            self._check_framing(len(head))
            self._framing -= len(head)
            self._parse_head(head)
        if self.status is None:
            self._check_framing(len(rest))
            self._head = bytes(rest)
        return rest

    def _parse_head(self, text: bytes) -> None:
        """Parse the head of an informational response, of which nothing is kept, or of the response itself."""
        begins_well = text.startswith(b"HTTP/1.")  # httptools skips blank lines
        if _BLANKS.search(text):
            # RFC 9112, 5.2: a folded line continues the value of a header. httptools refuses it, and keeps blanks at
            # the end of a value.
            status_line, _, lines = text.partition(b"\r\n")
            text = status_line + b"\r\n" + _BLANK_END.sub(b"\r\n", _FOLD.sub(b" ", lines))
        head = _Parsed()
        parser: Any = httptools.HttpResponseParser(head)
        with contextlib.suppress(httptools.HttpParserUpgrade):  # its status, 101, is refused below
            parser.feed_data(text)
        status, version = parser.get_status_code(), parser.get_http_version()
        if not begins_well or status < 100 or status == 101 or b"\0" in head.reason or version not in ("1.0", "1.1"):
            msg = "it does not begin with a status line of HTTP/1, or the service switches to another protocol"
            raise _ResponseError(msg)
        if status < 200:
            return
        self._stays_open = version == "1.1"
        for name, value in head.headers:
            length = len(name)  # cheaper than to fold the case of each name
            if length == 14 and name.lower() == b"content-length":
                self._missing = int(value)
            elif length == 17 and name.lower() == b"transfer-encoding":
                if self._chunks is not None or value.lower() != b"chunked":
                    msg = "unsupported Transfer-Encoding"
                    raise _ResponseError(msg)
                self._chunks, self._chunk_parser = head, parser
            elif length == 10 and name.lower() == b"connection":
                self._stays_open = self._stays_open and not _CLOSE.search(value)
        if status in (204, 304):
            self._missing, self._chunks = 0, None
        self.http_version = b"HTTP/" + version.encode("ascii")
        self.reason, self.headers, self.status = head.reason, head.headers, status
        head.headers = []  # for trailers, which are dropped
        self.ready = self.by_pieces or not 200 <= status < 300

    def _feed_plain(self, data: bytes | memoryview) -> None:
        """Take a part of a body without chunks."""
        if piece := bytes(data[: self._missing]):
            self._take(piece)
        if self._missing is not None:
            self._missing -= len(piece)
            if self._missing == 0:
                self._finish(surplus=len(data) > len(piece))

    def _feed_chunks(self, data: bytes | memoryview, chunks: "_Parsed") -> None:
        """Parse a part of a body with chunks."""
        surplus = False
        try:
            self._chunk_parser.feed_data(data)
        except httptools.HttpParserError:
            if not chunks.complete:
                raise
            surplus = True
        self._framing -= len(data)
        for piece in chunks.pieces:
            self._framing += 9 * len(piece)  # small chunks have more framing than content
            self._take(piece)
        chunks.pieces.clear()
        self._check_framing(0)
        self._tail = (self._tail + bytes(data[-6:]))[-6:]
        if chunks.complete:
            # httptools drops blank lines after the one that ends the response without a word.
            surplus = surplus or self._tail[-4:] != b"\r\n\r\n" or self._tail[:2] == b"\r\n"
            self._finish(surplus=surplus)

    def _check_framing(self, more: int) -> None:
        if more > self._framing:
            msg = f"heads, chunk sizes and trailers of the response have more than {MAX_HEAD} bytes"
            raise _ResponseError(msg)

    def _take(self, piece: bytes) -> None:
        self.pieces.append(piece)
        self._unread += len(piece)
        if self._unread > MAX_UNREAD:
            msg = "the body arrives faster than it is read"
            raise _ResponseError(msg)
        self.ready = self.ready or self.by_pieces or self._unread >= MANY

    def _finish(self, *, surplus: bool) -> None:
        self.complete = self.ready = True
        self.reusable = self._stays_open and not surplus


class _ResponseError(Exception):
    """Says why a response cannot be read."""


class _Parsed:
    """What httptools has parsed. It calls these methods.

    The parser refers to this object. If this one referred to the parser, the garbage collector would have to free both.
    """

    def __init__(self) -> None:
        self.reason = b""
        self.headers: list[tuple[bytes, bytes]] = []
        self.pieces: list[bytes] = []
        self.complete = False

    def on_message_begin(self) -> None:
        if self.complete:
            raise _ResponseError  # another response, for which no request was sent

    def on_status(self, reason: bytes) -> None:
        self.reason = reason

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name, value))

    def on_body(self, piece: bytes) -> None:
        self.pieces.append(piece)

    def on_message_complete(self) -> None:
        self.complete = True


def has_input(socket: Any) -> bool:  # noqa: ANN401  (a socket, or the object by which an event loop shows one)
    """Whether a read would return at once: there are bytes, the connection has ended, or the socket is closed."""
    if socket is None or (number := socket.fileno()) < 0:
        return True
    if not hasattr(select, "poll"):  # Windows
        return bool(select.select([number], [], [], 0)[0])
    poller = select.poll()
    poller.register(number, select.POLLIN)
    return bool(poller.poll(0))
