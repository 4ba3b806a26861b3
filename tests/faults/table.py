"""The faults, and the right ending of each of the five calls under each of them.

The tests take their cases from here, and `faults.page` writes ``docs/faults.md`` from here. A fault is added with the
endings that the documentation promises; then the client is changed until it meets them.
"""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING

from faults.answers import (
    CHUNKED,
    bomb,
    chunks,
    does,
    halved,
    head,
    latin,
    mistaken,
    says,
    singly,
    squeezed,
    surplus,
    tells,
    text,
    well,
    whole,
    with_number,
)
from faults.endings import (
    ANSWERED,
    EMPTY_IS_FINE,
    IN_TIME,
    LATE,
    MISTAKEN,
    UNASKED,
    failed,
    limited,
    lost,
    refused,
    unreadable,
    unsent,
)
from faults.fault import Fault
from faults.server import Do, Drip, Later
from pyas_async import (
    APIStatusError,
    AuthenticationError,
    BadRequestError,
    NotFoundError,
    PermissionDeniedError,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

VALIDATOR = {"msg": "Invalid value", "location": "body", "value": "x"}
KEYS = {"message": "Too many requests! Try again.", "code": 429, "error": "Rate limit exceeded"}
DAYS = {
    "code": 429,
    "message": "You have exceeded the daily rate limit of (100) for Meeting Create/Update API requests",
}
SECONDS = {
    "code": 429,
    "message": "You have reached the maximum per-second rate limit for this API. Try again later.",
}
MONTHS = {"message": "You have used up the calls of this month", "code": 429}
HTML = b"<!doctype html><title>502 Bad Gateway</title><h1>Bad Gateway</h1>"
THERE = "Date: Sun, 22 Nov 2026 08:11:16 GMT"
"""The service's time. The dates of its limits are 20 seconds later."""
JAVASCRIPT = "Sun Nov 22 2026 08:11:36 GMT+0000 (Coordinated Universal Time)"
EPOCH = 1_795_335_096
"""The same moment in seconds since 1970."""

CONNECTION = (
    Fault("the connection is refused: nothing listens at the address", well, unsent(), address="closed_port"),
    Fault("a certificate that is not trusted", well, unsent(attempts=1), address="untrusted"),
    Fault("plain HTTP instead of TLS", well, unsent(), address="plain", greets=head(400)),
    Fault("closes the connection before it reads the request", well, lost(read=False), greets=Do.CLOSE),
    Fault("closes the connection before the headers", does((Do.CLOSE,)), lost()),
    Fault("resets the connection", does((Do.RESET,)), lost()),
    Fault("closes the connection inside the headers", does((head()[:40], Do.CLOSE)), lost()),
    Fault("closes the connection after the headers", does((head(200, "Content-Length: 99"), Do.CLOSE)), lost()),
    Fault(
        "closes the connection inside a body with `Content-Length`",
        does(lambda seen: (whole(text(seen))[:-9], Do.CLOSE)),
        lost(),
    ),
    Fault(
        "closes the connection between two chunks",
        does(lambda seen: (head(200, CHUNKED) + chunks(text(seen), end=b""), Do.CLOSE)),
        lost(),
    ),
    Fault(
        "closes the connection inside a chunk",
        does(lambda seen: (head(200, CHUNKED) + chunks(text(seen), end=b"")[:-9], Do.CLOSE)),
        lost(),
    ),
    Fault(
        "closes the connection inside a body without a length, which HTTP cannot tell from the end of the body",
        does(lambda seen: (head() + halved(text(seen)), Do.CLOSE)),
        unreadable(),
    ),
    Fault(
        "closes the connection before a body without a length",
        does((head(), Do.CLOSE)),
        unreadable(EMPTY_IS_FINE),
    ),
)

TIME = (
    Fault("never responds", does((Do.STALL,)), LATE, takes_time=True),
    Fault("stops inside the headers", does((head()[:40], Do.STALL)), LATE, takes_time=True),
    Fault(
        "stops inside the body",
        does(lambda seen: (whole(text(seen))[:-9], Do.STALL)),
        LATE,
        takes_time=True,
    ),
    Fault("sends the headers byte by byte, slowly", does((Drip(singly(head())),)), LATE, takes_time=True),
    Fault(
        "sends the body byte by byte, slowly",
        does(lambda seen: (head(200, "Content-Length: 999"), Drip(singly(text(seen))))),
        LATE,
        takes_time=True,
    ),
    Fault(
        "sends early hints (103) again and again, and no response",
        does((Drip([b"HTTP/1.1 103 Early Hints\r\n\r\n"] * 100),)),
        LATE,
        takes_time=True,
    ),
)

HTTP = (
    Fault("not HTTP", does((b"SSH-2.0-OpenSSH_9.9\r\n", Do.CLOSE)), lost()),
    Fault("headers without end", does((head()[:-2] + b"x-a: b\r\n" * 20_000, Do.CLOSE)), lost()),
    Fault(
        "two values of `Content-Length`", does((head(200, "Content-Length: 2", "Content-Length: 3") + b"{}",)), lost()
    ),
    Fault("a `Content-Length` that is not a number", does((head(200, "Content-Length: some") + b"{}",)), lost()),
    Fault("a chunk without a size", does((head(200, CHUNKED) + b"zz\r\n{}\r\n",)), lost()),
    Fault("another protocol (101)", does((head(101, "Upgrade: websocket", "Connection: upgrade"),)), lost()),
    Fault(
        "HTTP/1.0, without a length",
        does(lambda seen: (head().replace(b"HTTP/1.1", b"HTTP/1.0") + text(seen), Do.CLOSE)),
        ANSWERED,
    ),
    Fault(
        "extra bytes that look like the next response",
        does(lambda seen: (whole(text(seen)) + surplus(),)),
        ANSWERED,
    ),
    Fault(
        "extra bytes after the last chunk",
        does(lambda seen: (head(200, CHUNKED) + chunks(text(seen)) + surplus(),)),
        ANSWERED,
    ),
    Fault(
        "extra bytes that arrive a moment later",
        does(lambda seen: (whole(text(seen)), Later(surplus()))),
        ANSWERED,
    ),
    Fault("204 with a body", says(text, 204), unreadable(EMPTY_IS_FINE)),
    Fault(
        "a redirect to another host (302)",
        says(b"", 302, "Location: https://elsewhere.example/"),
        refused(APIStatusError, 302, "unknown"),
    ),
    Fault(
        "a redirect to another host (307)",
        says(b"", 307, "Location: https://elsewhere.example/"),
        refused(APIStatusError, 307),
    ),
)

BODY = (
    Fault("HTML with 200", says(HTML, kind="text/html"), unreadable()),
    Fault("an empty body with 200", says(b""), unreadable(EMPTY_IS_FINE)),
    Fault("another content type", says(text, kind="text/html; charset=latin-1"), ANSWERED),
    Fault("a byte order mark", says(lambda seen: b"\xef\xbb\xbf" + text(seen)), ANSWERED),
    Fault("invalid UTF-8 in a string", says(latin), ANSWERED),
    Fault("UTF-16", says(lambda seen: text(seen).decode().encode("utf-16")), unreadable()),
    Fault("`null`", says(b"null"), unreadable(EMPTY_IS_FINE)),
    Fault("`[]`", says(b"[]"), unreadable()),
    Fault('`"text"`', says(b'"text"'), unreadable()),
    Fault("half of a JSON document", says(lambda seen: halved(text(seen))), unreadable()),
    Fault("two JSON documents", says(lambda seen: text(seen) * 2), unreadable()),
    Fault("NaN", says(partial(with_number, field="duration", number="NaN")), unreadable()),
    Fault("200,000 nested arrays", says(b"[" * 200_000 + b"]" * 200_000), unreadable()),
    Fault(
        "200,000 nested arrays in an unknown field",
        says(partial(with_number, field="new", number="[" * 200_000 + "]" * 200_000)),
        unreadable(),
    ),
    Fault(
        "an id of 5,000 digits",
        says(partial(with_number, field="id", number="9" * 5_000)),
        unreadable(UNASKED),
    ),
    Fault(
        "a number of 5,000 digits in an unknown field",
        says(partial(with_number, field="new", number="9" * 5_000)),
        ANSWERED,
    ),
    Fault("more than 16 MiB", says(lambda seen: text(seen) + b" " * 2**24), unreadable()),
    Fault("a meeting without an id", says(partial(text, id=None)), unreadable(UNASKED)),
    Fault("a duration that is no number", says(partial(text, duration="abc")), ANSWERED),
    Fault("a start that is no date", says(partial(text, start_time="Invalid date")), ANSWERED),
    Fault("a list instead of the settings", says(partial(text, settings=[])), ANSWERED),
    Fault("another meeting than the requested one", says(mistaken), MISTAKEN),
)

COMPRESSION = (
    Fault("gzip, as requested", says(squeezed, 200, "Content-Encoding: gzip"), ANSWERED),
    Fault("invalid gzip", says(text, 200, "Content-Encoding: gzip"), unreadable()),
    Fault(
        "truncated gzip",
        says(lambda seen: squeezed(seen)[:-9], 200, "Content-Encoding: gzip"),
        unreadable(),
    ),
    Fault("gzip in gzip", says(squeezed, 200, "Content-Encoding: gzip, gzip"), unreadable()),
    Fault("a compression that was not requested", says(text, 200, "Content-Encoding: br"), unreadable()),
    Fault(
        "a gzip bomb: a megabyte that decompresses to a gibibyte",
        says(lambda _: bomb(1024), 200, "Content-Encoding: gzip"),
        unreadable(),
    ),
)

ERRORS = (
    Fault(
        "400, with the validator's list",
        tells({"errors": [{**VALIDATOR, "param": "startDate"}]}, 400),
        refused(BadRequestError, 400),
    ),
    Fault(
        "400, with a newer validator's list",
        tells({"errors": [{**VALIDATOR, "path": "startDate"}]}, 400),
        refused(BadRequestError, 400),
    ),
    Fault(
        "400, with an object",
        tells({"success": False, "error": {"code": 300, "message": "Odd"}}, 400),
        refused(BadRequestError, 400),
    ),
    Fault(
        "400, with Zoom's list in an object",
        tells({"error": {"code": 300, "message": "Odd", "errors": [{"field": "type", "message": "Odd"}]}}, 400),
        refused(BadRequestError, 400),
    ),
    Fault("400, with a list of messages", tells({"message": ["Odd"]}, 400), refused(BadRequestError, 400)),
    Fault("400 with text", says(b"Odd", 400, kind="text/plain"), refused(BadRequestError, 400)),
    Fault("400 with XML", says(b"<e><message>Odd</message></e>", 400), refused(BadRequestError, 400)),
    Fault(
        "400, and closes the connection inside the body",
        does((whole(HTML, 400)[:-9], Do.CLOSE)),
        refused(BadRequestError, 400),
    ),
    Fault(
        "400 with a gzip bomb",
        says(lambda _: bomb(64), 400, "Content-Encoding: gzip"),
        refused(BadRequestError, 400),
    ),
    Fault(
        "401",
        tells({"error": "Unauthorized. Invalid API key."}, 401),
        refused(AuthenticationError, 401),
    ),
    Fault("403", tells({"message": "No scope"}, 403), refused(PermissionDeniedError, 403)),
    Fault(
        "404, no such account",
        tells({"success": False, "error": "Invalid account id. Account Not Found", "code": 404}, 404),
        refused(NotFoundError, 404),
    ),
    Fault(
        "404, no such meeting",
        tells({"success": False, "error": "Not Found", "code": 404}, 404),
        refused(NotFoundError, 404),
    ),
    Fault(
        "404, in Zoom's format",
        tells({"code": 3001, "message": "Meeting does not exist"}, 404),
        refused(NotFoundError, 404),
    ),
    Fault("408", says(b"", 408), failed(408, APIStatusError)),
    Fault("409", tells({"message": "Conflict"}, 409), refused(APIStatusError, 409)),
    Fault(
        '200 with `"success": false`',
        tells({"success": False, "error": "Nope", "code": 17}),
        refused(APIStatusError, 200),
    ),
    Fault('200 with `"success": "no"` or 0', tells({"success": 0, "message": "Nope"}), refused(APIStatusError, 200)),
    Fault(
        "200 with an error's document, without `success`",
        tells({"code": 17, "message": "Nope"}),
        refused(APIStatusError, 200),
    ),
    Fault(
        "200 with an error's document whose code is 404",
        tells({"error": {"code": 404, "message": "Not Found"}}),
        refused(NotFoundError, 200),
    ),
    Fault("500", tells({"message": "Boom"}, 500), failed(500)),
    Fault("500 with invalid gzip", says(HTML, 500, "Content-Encoding: gzip"), failed(500)),
    Fault("501", says(b"", 501), failed(501, tries=1)),
    Fault("502 with HTML", says(HTML, 502, kind="text/html"), failed(502)),
    Fault(
        "502, and stops inside the body",
        does((whole(HTML, 502)[:-9], Do.STALL)),
        failed(502, tries=IN_TIME),
        takes_time=True,
    ),
    Fault("503 with `Retry-After: 20`", says(b"", 503, "Retry-After: 20"), failed(503)),
    Fault(
        "503 with `Retry-After: 3600`",
        says(b"", 503, "Retry-After: 3600"),
        failed(503, tries=1),
    ),
)

LIMITS = (
    Fault("the key's limit, without a reset time", tells(KEYS, 429), limited()),
    Fault("`Retry-After: 20`", tells(KEYS, 429, "Retry-After: 20"), limited(after=20)),
    Fault("`Retry-After: 19.5`", tells(KEYS, 429, "Retry-After: 19.5"), limited(after=20)),
    Fault(
        "`Retry-After` with an HTTP date",
        tells(KEYS, 429, THERE, "Retry-After: Sun, 22 Nov 2026 08:11:36 GMT"),
        limited(after=20),
    ),
    Fault(
        "`Retry-After` with an ISO date",
        tells(KEYS, 429, THERE, "Retry-After: 2026-11-22T08:11:36Z"),
        limited(after=20),
    ),
    Fault(
        "`Retry-After` with JavaScript's date",
        tells(KEYS, 429, THERE, f"Retry-After: {JAVASCRIPT}"),
        limited(after=20),
    ),
    Fault(
        "`Retry-After` with a date in the past",
        tells(KEYS, 429, THERE, "Retry-After: Sun, 22 Nov 2026 08:11:06 GMT"),
        limited(after=0),
    ),
    Fault(
        "`Retry-After` in seconds since 1970",
        tells(KEYS, 429, THERE, f"Retry-After: {EPOCH}"),
        limited(after=20),
    ),
    Fault(
        "`Retry-After` in milliseconds since 1970",
        tells(KEYS, 429, THERE, f"Retry-After: {EPOCH}000"),
        limited(after=20),
    ),
    Fault("`Retry-After: -5`", tells(KEYS, 429, "Retry-After: -5"), limited()),
    Fault("`Retry-After: nan`", tells(KEYS, 429, "Retry-After: nan"), limited()),
    Fault(
        "`Retry-After: 2592000` (a month)",
        tells(KEYS, 429, "Retry-After: 2592000"),
        limited(after=2_592_000, requests=1),
    ),
    Fault(
        "`Retry-After: 99999999999` (implausibly long)",
        tells(KEYS, 429, "Retry-After: 99999999999"),
        limited(),
    ),
    Fault(
        "two values of `Retry-After`, 5 and 20",
        tells(KEYS, 429, "Retry-After: 5", "Retry-After: 20"),
        limited(after=20),
    ),
    Fault(
        "`X-RateLimit-Reset` with JavaScript's date",
        tells(KEYS, 429, THERE, "X-RateLimit-Remaining: 0", f"X-RateLimit-Reset: {JAVASCRIPT}"),
        limited(after=20),
    ),
    Fault(
        "`X-RateLimit-Reset` in milliseconds since 1970",
        tells(KEYS, 429, THERE, "X-RateLimit-Remaining: 0", f"X-RateLimit-Reset: {EPOCH}000"),
        limited(after=20),
    ),
    Fault(
        "`Retry-After: 20` beside a reset that cannot be read, and a limit of 0",
        tells(
            KEYS, 429, "Retry-After: 20", "X-RateLimit-Remaining: 0", "X-RateLimit-Limit: 0", "X-RateLimit-Reset: soon"
        ),
        limited(after=20),
    ),
    Fault(
        "`X-RateLimit-Reset` a day ahead",
        tells(KEYS, 429, THERE, f"X-RateLimit-Reset: {JAVASCRIPT.replace('22', '23')}"),
        limited(after=86_420, requests=1),
    ),
    Fault("429 with HTML", says(HTML, 429), limited(scope="unknown", requests=1)),
    Fault(
        "429 with HTML, `Retry-After: 20`",
        says(HTML, 429, "Retry-After: 20"),
        limited(scope="unknown", after=20),
    ),
    Fault(
        "429, and closes the connection inside the body",
        does((whole(json.dumps(KEYS).encode(), 429)[:-9], Do.CLOSE)),
        limited(scope="unknown", requests=1),
    ),
    Fault(
        "Zoom's daily limit, until midnight",
        tells(DAYS, 429, THERE, "Retry-After: 2026-11-23T00:00:00Z"),
        limited(scope="host_day", after=56_924, requests=1),
    ),
    Fault(
        "Zoom's limit per second, without headers",
        tells(SECONDS, 429),
        limited(scope="unknown", after=1),
    ),
    Fault("the plan's monthly limit", tells(MONTHS, 429), limited(scope="month", requests=1)),
)

TABLE: Mapping[str, tuple[Fault, ...]] = {
    "The connection": CONNECTION,
    "Time": TIME,
    "HTTP": HTTP,
    "The body": BODY,
    "Compression": COMPRESSION,
    "Errors": ERRORS,
    "Limits (429)": LIMITS,
}
"""All faults, by what goes wrong."""
FAULTS = tuple(fault for faults in TABLE.values() for fault in faults)
