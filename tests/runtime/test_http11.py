"""The parser of responses, for any response, any cutting of its bytes into pieces, and any damage to them."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import attrs
import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pyas_async._runtime.http.http11 import MAX_HEAD, ResponseParser

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

TOKEN = st.text("abcXYZ09-_!", min_size=1, max_size=8).map(str.encode)
VALUE = st.text("abc XYZ\t0,;=\"'\u00e9", max_size=12).map(lambda text: text.strip().encode())
SMALL = st.binary(max_size=40)
PIECES = st.lists(st.binary(min_size=1, max_size=30), max_size=4)
CUTS = st.lists(st.integers(0, 400), max_size=8)
FRAMED = (b"content-length", b"transfer-encoding", b"connection")


@attrs.frozen
class Answer:
    """A valid response, and what is to be read of it."""

    head: bytes
    sent: bytes
    """The body, as it is sent."""
    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes
    ends_with_connection: bool
    keeps_open: bool

    @property
    def text(self) -> bytes:
        """Return all bytes."""
        return self.head + self.sent


def lines(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Write header lines."""
    return b"".join(b"%b: %b\r\n" % header for header in headers)


def in_chunks(pieces: Sequence[bytes], extension: bytes, trailers: Sequence[tuple[bytes, bytes]]) -> bytes:
    """Write a body in chunks."""
    chunks = b"".join(b"%x%b\r\n%b\r\n" % (len(piece), extension, piece) for piece in pieces)
    return chunks + b"0\r\n" + lines(trailers) + b"\r\n"


HEADERS = st.lists(st.tuples(TOKEN, VALUE).filter(lambda header: header[0].lower() not in FRAMED), max_size=4)


@st.composite
def answers(draw: st.DrawFn, kinds: Sequence[str] = ("length", "chunks", "connection", "none")) -> Answer:
    """Return a response of a kind: its body has a length or chunks, ends with the connection, or there is none."""
    kind = draw(st.sampled_from(kinds))
    interim = draw(st.lists(st.sampled_from([b"100 Continue", b"103 Early Hints"]), max_size=2))
    version = draw(st.sampled_from([b"1.1", b"1.1", b"1.0"]))
    status = draw(st.sampled_from([204, 304])) if kind == "none" else draw(st.sampled_from([200, 201, 404, 503]))
    closes = draw(st.booleans())
    headers = draw(HEADERS)
    pieces = draw(PIECES)
    body = b"" if kind == "none" else b"".join(pieces)
    sent = body
    if kind == "length":
        headers.append((b"Content-Length", b"%d" % len(body)))
    elif kind == "chunks":
        headers.append((draw(st.sampled_from([b"Transfer-Encoding", b"transfer-encoding"])), b"chunked"))
        sent = in_chunks(pieces, draw(st.sampled_from([b"", b";a=b"])), draw(HEADERS))
    if closes:
        headers.append((b"Connection", draw(st.sampled_from([b"close", b"Close", b"x, close"]))))
    headers = draw(st.permutations(headers))
    before = b"".join(b"HTTP/1.1 %b\r\nX-Early: 1\r\n\r\n" % line for line in interim)
    head = before + b"HTTP/%b %d Some words\r\n%b\r\n" % (version, status, lines(headers))
    return Answer(
        head=head,
        sent=sent,
        status=status,
        headers=headers,
        body=body,
        ends_with_connection=kind == "connection",
        keeps_open=kind != "connection" and not closes and version == b"1.1",
    )


def cut(text: bytes, cuts: Iterable[int]) -> list[bytes]:
    """Cut bytes into pieces, none of which is empty."""
    at = [0, *sorted(min(one, len(text)) for one in cuts), len(text)]
    return [text[begin:end] for begin, end in itertools.pairwise(at) if begin < end]


def parse(pieces: Iterable[bytes], *, ends: bool = False, by_pieces: bool = False) -> ResponseParser:
    """Parse the pieces of a response; with `ends`, the connection ends after them."""
    parser = ResponseParser(by_pieces=by_pieces)
    for piece in pieces:
        parser.feed(piece)
    if ends:
        parser.end(None)
    return parser


def result(parser: ResponseParser) -> tuple[Any, ...]:
    """Return what a parser has found. What has arrived of a body that cannot be read on does not count."""
    if parser.failed:
        return ("failed", type(parser.error()))
    body = b"".join(parser.pieces)
    return (parser.status, parser.headers, body, parser.complete, parser.reusable, parser.ready)


@given(answers(), CUTS, st.booleans())
def test_valid_response(answer: Answer, cuts: list[int], by_pieces: bool) -> None:
    """A response is read as it was written, however its bytes are cut, and only a finished one is complete."""
    pieces = cut(answer.text, cuts)
    parser = parse(pieces, by_pieces=by_pieces)
    assert answer.ends_with_connection is not parser.complete
    assert answer.keeps_open is parser.reusable
    parser.end(None)
    assert not parser.failed
    expected = answer.status, answer.headers, answer.body, True, False, True
    assert expected == result(parser)


@given(answers(), st.data())
def test_part_of_a_response(answer: Answer, data: st.DataObject) -> None:
    """A response that is cut off is never complete, unless the end of the connection is the end of its body."""
    end = data.draw(st.integers(0, len(answer.text) - 1))
    parser = parse([answer.text[:end]])
    assert not parser.complete
    assert not parser.failed
    parser.end(None)
    if answer.ends_with_connection and end >= len(answer.head):
        assert answer.sent[: end - len(answer.head)] == b"".join(parser.pieces)
    else:
        assert isinstance(parser.error(), httpx.RemoteProtocolError)
        assert not parser.complete


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """Return a response some of whose bytes are replaced, removed, repeated or added."""
    text = bytearray(draw(answers()).text)
    for _ in range(draw(st.integers(1, 3))):
        begin = draw(st.integers(0, len(text)))
        end = draw(st.integers(begin, min(begin + 12, len(text))))
        new = draw(
            st.one_of(
                st.binary(max_size=6),
                st.just(bytes(text[begin:end]) * 2),
                st.sampled_from(
                    [b"\r\n", b"\n", b"\r", b"\r\n\r\n", b" ", b"\r\n ", b":", b"\0", b"0\r\n\r\n", b"-1", b"99999999"]
                ),
                st.sampled_from(
                    [
                        b"Content-Length: 3\r\n",
                        b"Transfer-Encoding: chunked\r\n",
                        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
                    ]
                ),
            )
        )
        text[begin:end] = new
    return bytes(text)


@given(damaged(), CUTS, st.booleans())
@example(b"HTTP/1.1 200 OK\r\nContent-Length: \xb2\r\n\r\n", [], False)
@example(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\n", [], False)
@example(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", [], False)
def test_damaged_response(text: bytes, cuts: list[int], by_pieces: bool) -> None:
    """Whatever arrives is a response, an error or a part of a response, the same however it is cut.

    There is no other exception. Once the connection has ended, there is a result, so that no reader waits for ever.
    """
    parser, whole = parse(cut(text, cuts), by_pieces=by_pieces), parse([text], by_pieces=by_pieces)
    assert result(whole) == result(parser)
    assert parser.complete or not parser.reusable
    for one in (parser, whole):
        one.end(None)
        assert one.ready
        assert one.complete is not one.failed
        assert not one.reusable
    assert result(whole) == result(parser)


TRANSFER = (b"Transfer-Encoding", b"chunked")
CHUNKED = Answer(b"HTTP/1.1 200 OK\r\n%b\r\n" % lines([TRANSFER]), b"0\r\n\r\n", 200, [TRANSFER], b"", False, True)


@given(answers(["length", "chunks", "none"]), st.one_of(st.binary(min_size=1, max_size=60), answers()), CUTS)
@example(Answer(b"HTTP/1.1 204 No\r\n\r\n", b"", 204, [], b"", False, True), b"\n", [])
@example(CHUNKED, b"\r\n", [])
@example(CHUNKED, b"\n", [])
def test_surplus(answer: Answer, surplus: bytes | Answer, cuts: list[int]) -> None:
    """Bytes after a response change nothing in it, and the connection carries no other request, however all is cut."""
    more = surplus if isinstance(surplus, bytes) else surplus.text
    parser = parse(cut(answer.text + more, cuts))
    assert parser.complete
    assert not parser.reusable
    assert (answer.status, answer.headers, answer.body) == result(parser)[:3]


@given(st.integers(100, 40_000), st.sampled_from(["one line", "lines", "interim responses", "trailers"]))
@example(40_000, "one line")
def test_endless_framing(size: int, kind: str) -> None:
    """A head, interim responses and trailers without an end are an error after a bounded number of bytes."""
    begin, more = {
        "one line": (b"HTTP/1.1 200 OK\r\nX: ", b"x" * size),
        "lines": (b"HTTP/1.1 200 OK\r\n", b"X: x\r\n" * (size // 6 + 1)),
        "interim responses": (b"", b"HTTP/1.1 100 Continue\r\n\r\n" * (size // 25 + 1)),
        "trailers": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", b"X: x\r\n" * (size // 6 + 1)),
    }[kind]
    parser = parse([begin])
    sent = 0
    while not parser.failed:
        parser.feed(more)
        sent += len(more)
        assert sent <= MAX_HEAD + len(more)
    assert f"more than {MAX_HEAD} bytes" in str(parser.error())


@pytest.mark.parametrize("size", [1, 7, 500])
def test_small_chunks(size: int) -> None:
    """A body in small chunks is read however long it is, although its framing is larger than its content."""
    parser = parse([b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"])
    chunks = b"%x\r\n%b\r\n" % (size, b"x" * size)
    for _ in range(400):
        parser.feed(chunks * 100)
    parser.feed(b"0\r\n\r\n")
    assert (True, True) == (parser.complete, parser.reusable)
    assert 40_000 * size == sum(map(len, parser.pieces))
