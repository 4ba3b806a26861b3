"""Raw HTTP/1.1 answers, what httpx reads in each of them, and where this client is stricter.

The tests send each answer to stock httpx and to the client, and `faults.raw_page` writes ``docs/raw-answers.md`` from
here. The client reads what httpx reads. It is stricter only where two readers of the same bytes can disagree about
where an answer ends: a party that controls such bytes can let one call receive the answer of another
(response smuggling).
Each stricter row gives that reason.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from faults.raw import (
    BODY,
    CHUNK,
    CHUNKED,
    EMPTY,
    FAILURE,
    LAST,
    LENGTH,
    PLAIN,
    STRAY,
    N,
    RawAnswer,
    Reading,
    answer,
    chunked,
    failure,
    invalid,
    shown,
    stray,
)
from faults.server import Do, Later

if TYPE_CHECKING:
    from collections.abc import Mapping

    from faults.server import Step

# The reasons of stricter rows.
TWO_LENGTHS = "a proxy that merges, drops or rewrites one of the two ends the body elsewhere (RFC 9112, 6.3)"
BOTH = "RFC 9112 (6.1, 6.3) names the combination as a sign of smuggling: one reader ends by length, another by chunks"
LF_ONLY = "to another reader, a line feed alone ends no line, so the two see different headers (RFC 9112, 2.2)"
END_CHUNK = "readers disagree about which bytes end a line here, and so see different chunks (RFC 9112, 7.1)"
EXTENSION = (
    "RFC 9112 (7.1.1) has no such extension; extensions that readers skip differently hide chunks from one of them"
)
TRAILER = "a proxy that merges trailers into the headers reads another length (RFC 9110, 6.5.1)"
CONTROL = "RFC 9110 (5.5) forbids control characters in values, and readers disagree about which of them they trim"
SPACES = "readers disagree about blanks in chunk sizes (RFC 9112, 7.1): one reads the size, another zero or an error"
VERSION = "only HTTP/1.0 and HTTP/1.1 say where the body of such a text ends; readers that go on must guess"

LENGTHS = (
    RawAnswer("`Content-Length: N`", (PLAIN,)),
    RawAnswer("`content-length:N`", (answer(b"content-length:%d" % N),)),
    RawAnswer("`Content-Length` with blanks and tabs around the number", (answer(b"Content-Length: \t %d \t" % N),)),
    RawAnswer("`Content-Length` with leading zeros", (answer(b"Content-Length: 000%d" % N),)),
    RawAnswer("`Content-Length: 0`", (answer(b"Content-Length: 0", body=b""),), EMPTY),
    RawAnswer("`Content-Length: N` twice", (answer(LENGTH, LENGTH),), refused=TWO_LENGTHS),
    RawAnswer("`Content-Length: N, N`", (answer(b"Content-Length: %d, %d" % (N, N)),), refused=TWO_LENGTHS),
    invalid("`Content-Length: N`, then `N+1`", answer(LENGTH, b"Content-Length: %d" % (N + 1))),
    invalid("`Content-Length: N+1`, then `N`", answer(b"Content-Length: %d" % (N + 1), LENGTH)),
    invalid("`Content-Length: N, N+1`", answer(b"Content-Length: %d, %d" % (N, N + 1))),
    invalid("`Content-Length: -N`", answer(b"Content-Length: -%d" % N)),
    invalid("`Content-Length: +N`", answer(b"Content-Length: +%d" % N)),
    invalid("`Content-Length: 0xN`", answer(b"Content-Length: 0x%x" % N)),
    invalid("`Content-Length: N.0`", answer(b"Content-Length: %d.0" % N)),
    invalid("`Content-Length: N N`", answer(b"Content-Length: %d %d" % (N, N))),
    invalid("`Content-Length` with an underscore", answer(b"Content-Length: 1_0")),
    invalid("`Content-Length` without a value", answer(b"Content-Length:")),
    invalid("`Content-Length : N`", answer(b"Content-Length : %d" % N)),
    invalid("`Content-Length` of 19 digits", answer(b"Content-Length: %d" % 10**18)),
    invalid("`Content-Length` of 30 digits", answer(b"Content-Length: %d" % 10**29)),
)

CHUNKS = (
    RawAnswer("chunks", (chunked(CHUNK + LAST),)),
    RawAnswer("one chunk for each byte", (chunked(b"".join(b"1\r\n%c\r\n" % byte for byte in BODY) + LAST),)),
    RawAnswer("no chunk but the last", (chunked(LAST),), EMPTY),
    RawAnswer("a size in upper case", (chunked(b"%X\r\n%s\r\n" % (N, BODY) + LAST),)),
    RawAnswer("a size with leading zeros", (chunked(b"000%x\r\n%s\r\n" % (N, BODY) + b"000\r\n\r\n"),)),
    RawAnswer("a chunk extension", (chunked(b"%x;a=b\r\n%s\r\n" % (N, BODY) + LAST),)),
    RawAnswer("a quoted chunk extension", (chunked(b'%x;a="b;c"\r\n%s\r\n0;d\r\n\r\n' % (N, BODY)),)),
    RawAnswer("trailers", (chunked(CHUNK + b"0\r\nX-Sum: 1\r\nX-Other: 2\r\n\r\n"),)),
    RawAnswer(
        "a trailer with the name of a header",
        (
            answer(
                CHUNKED,
                start=b"HTTP/1.1 404 Not Found",
                body=b"%x\r\n%s\r\n0\r\nX-Request-Id: stray\r\n\r\n" % (len(FAILURE), FAILURE),
            ),
        ),
        shown(None),
    ),
    RawAnswer("a trailer `Content-Length`", (chunked(CHUNK + b"0\r\nContent-Length: 9\r\n\r\n"),), refused=TRAILER),
    invalid("a trailer without a colon", chunked(CHUNK + b"0\r\nsum\r\n\r\n")),
    RawAnswer("a size with a blank after it", (chunked(b"%x \r\n%s\r\n" % (N, BODY) + LAST),), refused=SPACES),
    invalid("a size with a blank before it", chunked(b" %x\r\n%s\r\n" % (N, BODY) + LAST)),
    invalid("a size with `0x`", chunked(b"0x%x\r\n%s\r\n" % (N, BODY) + LAST)),
    invalid("a negative size", chunked(b"-%x\r\n%s\r\n" % (N, BODY) + LAST)),
    invalid("a size that is no number", chunked(b"size\r\n%s\r\n" % BODY + LAST)),
    invalid("an empty size", chunked(b"\r\n%s\r\n" % BODY + LAST)),
    invalid("a size of 2^64 + N", chunked(b"%x\r\n%s\r\n" % (2**64 + N, BODY) + LAST)),
    invalid("a size of 2^60", chunked(b"%x\r\n%s\r\n" % (2**60, BODY) + LAST)),
    invalid("a size that is too small", chunked(b"%x\r\n%s\r\n" % (N - 2, BODY) + LAST)),
    invalid("a chunk without the line end after it", chunked(b"%x\r\n%s" % (N, BODY) + LAST)),
    invalid("two other bytes after a chunk", chunked(b"%x\r\n%sXX" % (N, BODY) + LAST)),
    invalid("a line feed alone after a size", chunked(b"%x\n%s\r\n" % (N, BODY) + LAST)),
    invalid("a line feed alone after a chunk", chunked(b"%x\r\n%s\n" % (N, BODY) + LAST)),
    invalid("a line feed alone in a chunk extension", chunked(b"%x;a\nb\r\n%s\r\n" % (N, BODY) + LAST)),
    invalid("a carriage return alone after a size", chunked(b"%x\r%s\r\n" % (N, BODY) + LAST)),
    RawAnswer(
        "a carriage return alone in a chunk extension",
        (chunked(b"%x;a\rb\r\n%s\r\n" % (N, BODY) + LAST), Do.CLOSE),
        refused=END_CHUNK,
    ),
    invalid("a line feed alone after the last chunk", chunked(CHUNK + b"0\n\r\n")),
    RawAnswer("a line feed alone at the end", (chunked(CHUNK + b"0\r\n\n"),), refused=END_CHUNK),
    RawAnswer("an empty chunk extension", (chunked(b"%x;\r\n%s\r\n" % (N, BODY) + LAST),), refused=EXTENSION),
    invalid("no last chunk, then closed", chunked(CHUNK)),
    invalid("a chunk extension of 150 kB", chunked(b"%x;%s\r\n%s\r\n" % (N, b"a" * 150_000, BODY) + LAST)),
    invalid("trailers of 200 kB", chunked(CHUNK + b"0\r\n" + b"X-Line: %s\r\n" % (b"a" * 90) * 2_000 + b"\r\n")),
)


def encoded(value: bytes, name: bytes = b"Transfer-Encoding: ") -> bytes:
    """Return an answer with a chunked body and this transfer encoding."""
    return answer(name + value, body=CHUNK + LAST)


ENCODINGS = (
    RawAnswer("`Transfer-Encoding: CHUNKED`", (encoded(b"CHUNKED"),)),
    RawAnswer("`Transfer-Encoding: chunked` with blanks and tabs around it", (encoded(b"\t chunked \t"),)),
    RawAnswer(
        "`Content-Length`, then `Transfer-Encoding: chunked`",
        (answer(b"Content-Length: 5", CHUNKED, body=CHUNK + LAST),),
        refused=BOTH,
    ),
    RawAnswer(
        "`Transfer-Encoding: chunked`, then `Content-Length`",
        (answer(CHUNKED, b"Content-Length: 5", body=CHUNK + LAST),),
        refused=BOTH,
    ),
    invalid("`Transfer-Encoding: gzip, chunked`", encoded(b"gzip, chunked")),
    invalid("`Transfer-Encoding: chunked, gzip`", encoded(b"chunked, gzip")),
    invalid("`Transfer-Encoding: gzip`, then `chunked`", encoded(b"gzip\r\nTransfer-Encoding: chunked")),
    invalid("`Transfer-Encoding: chunked, chunked`", encoded(b"chunked, chunked")),
    invalid("`Transfer-Encoding: chunked` twice", encoded(b"chunked\r\nTransfer-Encoding: chunked")),
    invalid("`Transfer-Encoding: identity`", answer(b"Transfer-Encoding: identity")),
    invalid("`Transfer-Encoding: identity` and `Content-Length`", answer(b"Transfer-Encoding: identity", LENGTH)),
    invalid("`Transfer-Encoding: identity, chunked`", encoded(b"identity, chunked")),
    invalid("`Transfer-Encoding: xchunked`", encoded(b"xchunked")),
    invalid("`Transfer-Encoding: chunked;q=1`", encoded(b"chunked;q=1")),
    invalid('`Transfer-Encoding: "chunked"`', encoded(b'"chunked"')),
    invalid("`Transfer-Encoding: ,chunked`", encoded(b",chunked")),
    invalid("`Transfer-Encoding: chunked,`", encoded(b"chunked,")),
    invalid("`Transfer-Encoding` without a value", encoded(b"")),
    invalid("`Transfer-Encoding` with a vertical tab before `chunked`", encoded(b"\x0bchunked")),
    RawAnswer("`Transfer-Encoding` with `chunked` on a folded line", (encoded(b"\r\n chunked"),)),
    invalid("`Transfer-Encoding : chunked`", encoded(b"chunked", b"Transfer-Encoding : ")),
    RawAnswer(
        "`Transfer-Encoding: chunked` with HTTP/1.0",
        (answer(CHUNKED, start=b"HTTP/1.0 200 OK", body=CHUNK + LAST),),
        httpx_next="new",
    ),
)

ENDS = (
    RawAnswer("a body until the service closes, HTTP/1.1", (answer(), Do.CLOSE)),
    RawAnswer("a body until the service closes, HTTP/1.0", (answer(start=b"HTTP/1.0 200 OK"), Do.CLOSE)),
    RawAnswer("a body until the service closes, in two reads", (answer()[:-9], Later(answer()[-9:]), Do.CLOSE)),
    RawAnswer("an empty body until the service closes", (answer(body=b""), Do.CLOSE), EMPTY),
    invalid("closed before the status line"),
    RawAnswer("reset before the status line", (Do.RESET,), Reading(error="ReadError")),
    invalid("closed in the status line", PLAIN[:10]),
    invalid("closed after the status line", PLAIN[:17]),
    invalid("closed in a header", PLAIN[:25]),
    invalid("closed before the blank line", answer(LENGTH, body=b"")[:-2]),
    invalid("closed right after the head", answer(LENGTH, body=b"")),
    invalid("closed in the body", PLAIN[:-9]),
    invalid("closed before the last byte of the body", PLAIN[:-1]),
    RawAnswer("closed after the body", (PLAIN, Do.CLOSE)),
    RawAnswer("reset in the body", (PLAIN[:-9], Do.RESET), Reading(error="ReadError")),
    invalid("closed right after the head of a chunked answer", chunked(b"")),
    invalid("closed in a chunk size", chunked(CHUNK[:1])),
    invalid("closed in a chunk", chunked(CHUNK[:9])),
    invalid("closed before the line end of a chunk", chunked(CHUNK[:-2])),
    invalid("closed in the last chunk", chunked(CHUNK + LAST[:-2])),
    invalid("closed in the trailers", chunked(CHUNK + b"0\r\nX-Sum: 1\r\n")),
    RawAnswer("204", (answer(start=b"HTTP/1.1 204 No Content", body=b""),), Reading(204, b"")),
    RawAnswer(
        "204 with `Content-Length: N` and no body",
        (answer(LENGTH, start=b"HTTP/1.1 204 No Content", body=b""),),
        Reading(204, b""),
    ),
    stray(
        "204 with `Content-Length: N` and a body",
        answer(LENGTH, start=b"HTTP/1.1 204 No Content"),
        "fails",
        Reading(204, b""),
    ),
    stray(
        "204 with a chunked body",
        answer(CHUNKED, start=b"HTTP/1.1 204 No Content", body=CHUNK + LAST),
        "fails",
        Reading(204, b""),
    ),
    RawAnswer(
        "304 with `Content-Length: N` and no body",
        (answer(LENGTH, start=b"HTTP/1.1 304 Not Modified", body=b""),),
        Reading(304, b""),
    ),
    stray(
        "304 with `Content-Length: N` and a body",
        answer(LENGTH, start=b"HTTP/1.1 304 Not Modified"),
        "fails",
        Reading(304, b""),
    ),
    RawAnswer(
        "205 with `Content-Length: N` and a body", (answer(LENGTH, start=b"HTTP/1.1 205 Reset Content"),), Reading(205)
    ),
    RawAnswer(
        "205 without a length, then closed",
        (answer(start=b"HTTP/1.1 205 Reset Content", body=b""), Do.CLOSE),
        Reading(205, b""),
    ),
)

EARLY = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
INTERIM = (
    RawAnswer("100, then the answer", (b"HTTP/1.1 100 Continue\r\n\r\n" + PLAIN,)),
    RawAnswer("102, then the answer in a later read", (b"HTTP/1.1 102 Processing\r\n\r\n", Later(PLAIN))),
    RawAnswer("103 with headers, then the answer", (EARLY + PLAIN,)),
    RawAnswer("a request id in 103 alone", (EARLY[:-2] + b"X-Request-Id: early\r\n\r\n" + failure(),), shown(None)),
    RawAnswer(
        "100, 102 and three of 103, then the answer",
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n" + 3 * EARLY + PLAIN,),
    ),
    RawAnswer("199, then the answer", (b"HTTP/1.1 199 Unknown\r\n\r\n" + PLAIN,)),
    RawAnswer("103 with `Content-Length: 9`, then the answer", (EARLY[:-2] + b"Content-Length: 9\r\n\r\n" + PLAIN,)),
    RawAnswer("103 with `Transfer-Encoding: chunked`, then the answer", (EARLY[:-2] + CHUNKED + b"\r\n\r\n" + PLAIN,)),
    RawAnswer("103 with `Connection: close`, then the answer", (EARLY[:-2] + b"Connection: close\r\n\r\n" + PLAIN,)),
    invalid("103 with a body, then the answer", EARLY[:-2] + LENGTH + b"\r\n\r\n" + BODY + PLAIN),
    invalid("103, then closed", EARLY),
    invalid(
        "101 with `Upgrade`",
        answer(b"Upgrade: websocket", b"Connection: upgrade", start=b"HTTP/1.1 101 Switching Protocols", body=b""),
    ),
    invalid(
        "101 with `Upgrade`, then an answer",
        answer(b"Upgrade: websocket", b"Connection: upgrade", start=b"HTTP/1.1 101 Switching Protocols", body=PLAIN),
    ),
    invalid("101 without `Upgrade`, then an answer", answer(start=b"HTTP/1.1 101 Switching Protocols", body=PLAIN)),
    RawAnswer("200 with `Upgrade`", (answer(b"Upgrade: h2c", b"Connection: upgrade", LENGTH),)),
)

STATUS_LINES = (
    RawAnswer("an empty reason, `HTTP/1.1 200 `", (answer(LENGTH, start=b"HTTP/1.1 200 "),)),
    RawAnswer("no reason, `HTTP/1.1 200`", (answer(LENGTH, start=b"HTTP/1.1 200"),)),
    RawAnswer("a reason that is not ASCII", (answer(LENGTH, start=b"HTTP/1.1 200 \xc3\xa9\xff"),)),
    invalid("NUL in the reason", answer(LENGTH, start=b"HTTP/1.1 200 O\x00K")),
    invalid("a carriage return alone in the reason", answer(LENGTH, start=b"HTTP/1.1 200 O\rK")),
    RawAnswer("the control character 1 in the reason", (answer(LENGTH, start=b"HTTP/1.1 200 O\x01K"),)),
    invalid("a status of two digits", answer(LENGTH, start=b"HTTP/1.1 20 OK")),
    invalid("a status of four digits", answer(LENGTH, start=b"HTTP/1.1 2000 OK")),
    invalid("a status with a letter", answer(LENGTH, start=b"HTTP/1.1 2x0 OK")),
    invalid("no status", answer(LENGTH, start=b"HTTP/1.1 OK")),
    invalid("the status 000", answer(LENGTH, start=b"HTTP/1.1 000 OK")),
    invalid("the status 099", answer(LENGTH, start=b"HTTP/1.1 099 OK")),
    RawAnswer("the status 600", (failure(start=b"HTTP/1.1 600 Failed"),), Reading(600, FAILURE)),
    RawAnswer("the status 999", (failure(start=b"HTTP/1.1 999 Failed"),), Reading(999, FAILURE)),
    invalid("two blanks before the status", answer(LENGTH, start=b"HTTP/1.1  200 OK")),
    invalid("a tab before the status", answer(LENGTH, start=b"HTTP/1.1\t200 OK")),
    invalid("a blank before the status line", b" " + PLAIN),
    RawAnswer("`HTTP/0.9`", (answer(LENGTH, start=b"HTTP/0.9 200 OK"),), httpx_next="new", refused=VERSION),
    RawAnswer("`HTTP/1.0`", (answer(LENGTH, start=b"HTTP/1.0 200 OK"),), httpx_next="new"),
    RawAnswer("`HTTP/1.2`", (answer(LENGTH, start=b"HTTP/1.2 200 OK"),), refused=VERSION),
    RawAnswer("`HTTP/2.0`", (answer(LENGTH, start=b"HTTP/2.0 200 OK"),), refused=VERSION),
    invalid("`HTTP/1.10`", answer(LENGTH, start=b"HTTP/1.10 200 OK")),
    invalid("`HTTP/1`", answer(LENGTH, start=b"HTTP/1 200 OK")),
    invalid("`http/1.1`", answer(LENGTH, start=b"http/1.1 200 OK")),
    invalid("`RTSP/1.0`", answer(LENGTH, start=b"RTSP/1.0 200 OK")),
    invalid("`ICE/1.0`", answer(LENGTH, start=b"ICE/1.0 200 OK")),
    invalid("no status line at all", BODY),
)

HEADERS = (
    RawAnswer("a header", (failure(b"X-Request-Id: a b"),), shown("a b")),
    RawAnswer("a header without a value", (failure(b"X-Request-Id:"),), shown("")),
    RawAnswer("a header twice", (failure(b"X-Request-Id: a", b"x-request-id: b"),), shown("a, b")),
    RawAnswer("no blank after the colon", (failure(b"X-Request-Id:a"),), shown("a")),
    RawAnswer("blanks and tabs around a value", (failure(b"X-Request-Id: \t a \t "),), shown("a")),
    RawAnswer("a tab in a value", (failure(b"X-Request-Id: a\tb"),), shown("a\tb")),
    RawAnswer("colons in a value", (failure(b"X-Request-Id: a: b: c"),), shown("a: b: c")),
    RawAnswer("a value in UTF-8", (failure("X-Request-Id: é".encode()),), shown("Ã©")),
    RawAnswer("a value in Latin-1", (failure(b"X-Request-Id: \xe9"),), shown("é")),
    invalid("NUL in a value", failure(b"X-Request-Id: a\x00b")),
    invalid("a carriage return alone in a value", failure(b"X-Request-Id: a\rb")),
    invalid("a vertical tab in a value", failure(b"X-Request-Id: a\x0bb")),
    RawAnswer(
        "the control character 1 in a value", (failure(b"X-Request-Id: a\x01b"),), shown("a\x01b"), refused=CONTROL
    ),
    RawAnswer(
        "the control character 127 in a value", (failure(b"X-Request-Id: a\x7fb"),), shown("a\x7fb"), refused=CONTROL
    ),
    RawAnswer("a folded value", (failure(b"X-Request-Id: a\r\n  b"),), shown("a b")),
    RawAnswer(
        "a folded value that looks like a header",
        (failure(b"X-Request-Id: a\r\n Content-Length: 1"),),
        shown("a Content-Length: 1"),
    ),
    invalid("a folded line before the first header", failure(b" X-Request-Id: a")),
    invalid("a blank before the colon", failure(b"X-Request-Id : a")),
    invalid("a tab before the colon", failure(b"X-Request-Id\t: a")),
    invalid("a blank in a name", failure(b"X-Request Id: a")),
    invalid("an empty name", failure(b": a")),
    invalid("a line without a colon", failure(b"X-Request-Id")),
    invalid("a name that is not ASCII", failure("X-É: a".encode())),
    invalid("NUL in a name", failure(b"X-\x00: a")),
    invalid("a parenthesis in a name", failure(b"X-(a): a")),
    RawAnswer("all characters that a name may have", (failure(b"!#$%&'*+-.^_`|~09azAZ: a"),), shown(None)),
)

LINE_ENDS = (
    RawAnswer("a line feed alone after each line", (PLAIN.replace(b"\r\n", b"\n"),), refused=LF_ONLY),
    RawAnswer("a line feed alone after the status line", (PLAIN.replace(b"\r\n", b"\n", 1),), refused=LF_ONLY),
    RawAnswer("a line feed alone after a header", (answer(b"X-Some: a\nX-Other: b", LENGTH),), refused=LF_ONLY),
    RawAnswer("a line feed alone as the blank line", (answer(LENGTH, body=b"")[:-2] + b"\n" + BODY,), refused=LF_ONLY),
    invalid("a carriage return alone after each line", PLAIN.replace(b"\r\n", b"\r")),
    invalid("two carriage returns before a line feed", answer(b"X-Other: b\r", LENGTH)),
    invalid("a blank line before the status line", b"\r\n" + PLAIN),
    invalid("a line feed before the status line", b"\n" + PLAIN),
    invalid("a carriage return before the status line", b"\r" + PLAIN),
    invalid("a blank line in an earlier read than the status line", b"\r\n", Later(PLAIN)),
)


def _pieces(text: bytes, size: int) -> tuple[Step, ...]:
    first, *rest = (text[at : at + size] for at in range(0, len(text), size))
    return (first, *map(Later, rest))


def _head(size: int) -> bytes:
    line = b"X-Line: " + b"a" * 990
    return answer(*[line] * (size // 1_000), LENGTH)


# httpx allows 100 KiB of an unfinished head, and checks that after each read of at most 64 KiB. So a head of up to
# 164 KiB may pass if it comes at once; a larger one never does.
SIZES = (
    RawAnswer("a head of 90 kB in one piece", (_head(90_000),)),
    RawAnswer("a head of 90 kB in ten pieces", _pieces(_head(90_000), 9_000)),
    RawAnswer("one header of 90 kB", (answer(b"X-Line: " + b"a" * 90_000, LENGTH),)),
    invalid("a head of 200 kB in one piece", _head(200_000)),
    invalid("a head of 150 kB in fifteen pieces", *_pieces(_head(150_000), 10_000)),
    invalid("one header of 200 kB", answer(b"X-Line: " + b"a" * 200_000, LENGTH)),
    invalid("a status line of 200 kB", answer(LENGTH, start=b"HTTP/1.1 200 " + b"a" * 200_000)),
    RawAnswer("5,000 headers", (answer(*(b"X-%d: a" % number for number in range(5_000)), LENGTH),)),
    invalid("20,000 headers", answer(*(b"X-%d: a" % number for number in range(20_000)), LENGTH)),
)

SURPLUS = (
    stray("a second answer in the same read", PLAIN + STRAY, "wrong"),
    stray("a second answer after the last chunk", chunked(CHUNK + LAST) + STRAY, "wrong"),
    stray(
        "a second answer after 204", answer(start=b"HTTP/1.1 204 No Content", body=STRAY), "wrong", Reading(204, b"")
    ),
    stray(
        "a second answer after 304",
        answer(LENGTH, start=b"HTTP/1.1 304 Not Modified", body=STRAY),
        "wrong",
        Reading(304, b""),
    ),
    stray("a second answer after `Content-Length: 0`", answer(b"Content-Length: 0", body=STRAY), "wrong", EMPTY),
    stray("the beginning of a second answer", PLAIN + STRAY[:-20], "wrong"),
    stray("early hints after the answer", PLAIN + EARLY, "reused"),
    stray("a blank line after the answer", PLAIN + b"\r\n", "fails"),
    stray("a line feed after the answer", PLAIN + b"\n", "fails"),
    stray("NUL after the answer", PLAIN + b"\x00", "fails"),
    stray("a body longer than `Content-Length`", answer(LENGTH, body=BODY + b"more"), "fails"),
    stray("a blank line after the last chunk", chunked(CHUNK + LAST) + b"\r\n", "fails"),
    RawAnswer("a second answer in a later read", (PLAIN, Later(STRAY)), httpx_next="new"),
    RawAnswer(
        "a second answer in a later read, after the last chunk", (chunked(CHUNK + LAST), Later(STRAY)), httpx_next="new"
    ),
    RawAnswer("a blank line in a later read", (PLAIN, Later(b"\r\n")), httpx_next="new"),
    RawAnswer(
        "408 in a later read, then closed",
        (PLAIN, Later(answer(b"Connection: close", start=b"HTTP/1.1 408 Request Timeout", body=b"")), Do.CLOSE),
    ),
    RawAnswer("a second answer, then closed", (PLAIN + STRAY, Do.CLOSE)),
    RawAnswer(
        "a second answer after `Connection: close`",
        (answer(b"Connection: close", LENGTH, body=BODY + STRAY),),
        httpx_next="new",
    ),
    RawAnswer(
        "a second answer after HTTP/1.0",
        (answer(LENGTH, start=b"HTTP/1.0 200 OK", body=BODY + STRAY),),
        httpx_next="new",
    ),
)

CONNECTIONS = (
    RawAnswer("`Connection: keep-alive`", (answer(b"Connection: keep-alive", LENGTH),)),
    RawAnswer("`Connection: close`", (answer(b"Connection: close", LENGTH),), httpx_next="new"),
    RawAnswer("`connection:CLOSE`", (answer(b"connection:CLOSE", LENGTH),), httpx_next="new"),
    RawAnswer("`Connection: close, keep-alive`", (answer(b"Connection: close, keep-alive", LENGTH),), httpx_next="new"),
    RawAnswer("`Connection: keep-alive, close`", (answer(b"Connection: keep-alive, close", LENGTH),), httpx_next="new"),
    RawAnswer(
        "`Connection: keep-alive`, then `close`",
        (answer(b"Connection: keep-alive", b"Connection: close", LENGTH),),
        httpx_next="new",
    ),
    RawAnswer("`Connection: x-close`", (answer(b"Connection: x-close", LENGTH),)),
    RawAnswer(
        "`Connection: close` and chunks", (answer(b"Connection: close", CHUNKED, body=CHUNK + LAST),), httpx_next="new"
    ),
    RawAnswer("`Proxy-Connection: close`", (answer(b"Proxy-Connection: close", LENGTH),)),
    RawAnswer("`Keep-Alive: timeout=5`", (answer(b"Keep-Alive: timeout=5", LENGTH),)),
    RawAnswer(
        "HTTP/1.0 with `Connection: keep-alive`",
        (answer(b"Connection: keep-alive", LENGTH, start=b"HTTP/1.0 200 OK"),),
        httpx_next="new",
    ),
    RawAnswer(
        "HTTP/1.0 with `Connection: keep-alive`, without a length",
        (answer(b"Connection: keep-alive", start=b"HTTP/1.0 200 OK"), Do.CLOSE),
    ),
)

TABLE: Mapping[str, tuple[RawAnswer, ...]] = {
    "`Content-Length`": LENGTHS,
    "Chunks": CHUNKS,
    "`Transfer-Encoding`": ENCODINGS,
    "The end of the body": ENDS,
    "Interim answers (1xx)": INTERIM,
    "The status line": STATUS_LINES,
    "Headers": HEADERS,
    "Line ends": LINE_ENDS,
    "Sizes": SIZES,
    "Bytes after the answer": SURPLUS,
    "`Connection`": CONNECTIONS,
}
ROWS = tuple(row for rows in TABLE.values() for row in rows)
