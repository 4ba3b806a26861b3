"""Responses of a service, or of a proxy before it, that repeat the request: each with a name.

A debugging proxy writes whole requests into its errors. A broken one writes them into status lines, into headers, or
into bytes that are not HTTP.
"""

from __future__ import annotations

import base64
import html
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import attrs

from runtime.socket_server import Answerer, document, rows_after
from secrecy.planted import PASSCODE, TOKEN

if TYPE_CHECKING:
    from collections.abc import Callable

    from runtime.socket_server import Seen


@attrs.frozen
class Echo:
    """A fault, and the function that makes the bytes of its response; ``None`` closes the connection."""

    name: str
    answer: Answerer


def dump(seen: Seen) -> str:
    """Return a request as text."""
    lines = [f"{seen.method} {seen.target} HTTP/1.1", *(f"{name}: {value}" for name, value in seen.headers.items())]
    return "\n".join([*lines, "", seen.body.decode()])


def detail() -> dict[str, Any]:
    """Return a meeting that is full of secrets and cannot be read."""
    link = f"https://zoom.example/s/8?zak={PASSCODE}"
    return {
        "id": "not a number",
        "password": PASSCODE,
        "h323_password": PASSCODE,
        "pstn_password": PASSCODE,
        "encrypted_password": PASSCODE,
        "start_url": link,
        "join_url": f"https://zoom.example/j/8?a=1&pwd={PASSCODE}",
        "start_time": "soon",
    }


def raw(text: str, *, status: str = "500 Whatever", kind: str = "text/plain", **headers: str) -> bytes:
    """Write a response that is not JSON."""
    body = text.encode()
    lines = [f"HTTP/1.1 {status}", f"Content-Type: {kind}", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


def one_line(seen: Seen) -> str:
    """Return the headers and the target of a request in one line."""
    return "; ".join(f"{name}: {value}" for name, value in seen.headers.items()) + f"; {seen.target}"


def _json(made: Callable[[str], object], status: int) -> Answerer:
    return lambda seen: document(made(dump(seen)), status)


def _escaped(text: str) -> bytes:
    """Write JSON with every character escaped, and without its end."""
    return b'{"debug": "' + "".join(f"\\u{ord(letter):04x}" for letter in text).encode()


def _unread(seen: Seen) -> bytes:
    found = {"debug": dump(seen), **detail()}
    rows = {"meetings": [found], "next_page_token": TOKEN, "debug": dump(seen)}
    return document({"data": rows | {"account": {"accountId": [], **found}}, "meeting": found, "code": dump(seen)})


def _cut(seen: Seen) -> bytes:
    text = json.dumps({"start_url": f"https://z?zak={PASSCODE}", "password": PASSCODE, "debug": dump(seen)})
    return f"HTTP/1.1 200 OK\r\nContent-Length: {len(text) + 9}\r\nConnection: close\r\n\r\n{text}".encode()


def _chunked(seen: Seen) -> bytes:
    # After a valid chunk, a size that is not a number. The message of the parser repeats it.
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    return head + b"2\r\n{}\r\n" + one_line(seen).encode() + b"\r\n"


def _redirect(status: str) -> Answerer:
    def answer(seen: Seen) -> bytes:
        place = (
            f"http://127.0.0.2:9{seen.target}{'&' if '?' in seen.target else '?'}key={quote(seen.headers['x-api-key'])}"
        )
        return raw(place, status=status, Location=place, Connection="close")

    return answer


HEADERS = ("X_Request_Id", "Set_Cookie", "X_RateLimit_Reset", "Retry_After", "Date", "Warning")
ECHOES = [
    Echo("errors", _json(lambda text: {"errors": [{"msg": text, "param": text, "value": text}, text]}, 400)),
    Echo("401", _json(lambda text: {"error": f"Unauthorized. {text}"}, 401)),
    Echo("error object", _json(lambda text: {"error": {"message": text, "code": text}}, 403)),
    Echo("404", _json(lambda text: {"success": False, "error": f"Not Found: {text}", "code": 404}, 404)),
    Echo("an expired token", _json(lambda text: {"code": 300, "message": f"{text} page token is expired"}, 400)),
    Echo("409", _json(lambda text: {"message": json.dumps({"request": text})}, 409)),
    Echo("429", lambda seen: document({"error": "Rate limit exceeded", "message": dump(seen)}, 429, X=one_line(seen))),
    Echo("429 of Zoom's", _json(lambda text: {"message": f"daily limit {text}", "code": text}, 429)),
    Echo("500 text", lambda seen: raw(dump(seen))),
    Echo("502 HTML", lambda seen: raw(f"<pre>{html.escape(dump(seen))}</pre>", status="502 Bad", kind="text/html")),
    Echo("500 twice JSON", _json(lambda text: {"error": json.dumps(json.dumps({"headers": text}))}, 500)),
    Echo("500 Python", _json(lambda text: {"error": repr(text.encode())}, 500)),
    Echo("500 percent", _json(lambda text: {"error": quote(text, safe="")}, 500)),
    Echo("500 twice percent", _json(lambda text: {"error": quote(quote(text, safe=""), safe="").lower()}, 500)),
    Echo("500 upper", _json(lambda text: {"error": text.upper()}, 500)),
    Echo("500 numbers", _json(lambda text: {"error": "".join(f"&#{ord(letter)};" for letter in text)}, 500)),
    Echo("500 base64", _json(lambda text: {"error": base64.b64encode(text.encode()).decode()}, 500)),
    Echo("200 false", _json(lambda text: {"success": False, "error": text}, 200)),
    Echo("200 text", lambda seen: raw(dump(seen), status="200 OK")),
    Echo("200 HTML", lambda seen: raw(f"<pre>{html.escape(dump(seen))}</pre>", status="200 OK", kind="text/html")),
    Echo("200 escaped", lambda seen: raw(_escaped(seen.headers["x-api-key"]).decode(), status="200 OK")),
    Echo("200 unread", _unread),
    Echo("200 cut", _cut),
    Echo("chunks", _chunked),
    Echo("302", _redirect("302 Found")),
    Echo("307", _redirect("307 Temporary Redirect")),
    Echo("reason", lambda seen: raw("{}", status=f"401 {one_line(seen)}")),
    Echo("headers", lambda seen: raw("{}", status="404 No", **dict.fromkeys(HEADERS, one_line(seen)))),
    Echo("encoding", lambda seen: raw(dump(seen), status="200 OK", Content_Encoding="gzip", X_Debug=one_line(seen))),
    Echo("no status line", lambda seen: f"{one_line(seen)}\r\n\r\n".encode()),
    Echo("no header", lambda seen: f"HTTP/1.1 200 OK\r\n{one_line(seen)} \x00\r\n\r\n".encode()),
    Echo("length", lambda seen: f"HTTP/1.1 200 OK\r\nContent-Length: {one_line(seen)}\r\n\r\n".encode()),
    Echo("hung up", lambda seen: None),
    Echo("no end", lambda seen: b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n" + dump(seen).encode()),
]  # fmt: skip


def answering(echo: Echo) -> Answerer:
    """Respond with a fault, but to the first request of a listing with a page that has the planted token."""

    def answer(seen: Seen) -> bytes | None:
        if "maxResults=" in seen.target and "nextPageToken=" not in seen.target:
            page = rows_after(None)
            page["data"]["next_page_token"] = TOKEN
            return document(page)
        return echo.answer(seen)

    return answer
