"""A service that responds at once from prepared bytes, so that only the client is measured.

    python server.py [--latency SECONDS ...] [--authority FILE]

It serves the sandbox's own rows and details, on a port for each latency, and prints one line of JSON once it listens.
With a file for the certificate of an authority, it listens on one more port, with TLS and without latency. An account
id
says how long its listing is: ``rows-40`` has 40 pages of rows, ``details-5`` has 5 pages whose rows have the size of
details, ``odd-5`` the same with a duration that is text in each row. The part after a second hyphen only separates
accounts. The headers of the rate limit are the sandbox's.
"""

from __future__ import annotations

import argparse
import asyncio
import functools
import json
import re
import ssl
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import trustme

from pyas_async.sandbox import Sandbox
from suite import machine

if TYPE_CHECKING:
    from collections.abc import Sequence

PAGE: Final = 300
PAGES: Final = 40
"""Pages of different rows; no listing is longer."""
LIMIT: Final = 100_000_000
WINDOW: Final = 300.0
_BEGIN: Final = 1_780_000_000.0
_TARGET: Final = re.compile(rb"GET /zoom/meetings(?:/([^? ]+))?(?:\?([^ ]*))? HTTP/1\.1\r\n")
_TOKEN: Final = re.compile(rb"nextPageToken=([0-9a-f]{40})")
_ACCOUNT: Final = re.compile(rb"accountId=(rows|details|odd)-(\d+)")


def write(document: object) -> bytes:
    """Encode JSON as the sandbox does."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


class Answers:
    """All prepared responses."""

    def __init__(self) -> None:
        with Sandbox(accounts=1, meetings=PAGE * PAGES, clock=lambda: _BEGIN) as sandbox:
            account = sandbox.account_ids[0]
            rows = sandbox.rows(account)
            details = [sandbox.document(account, row["uuid"]) for row in rows[:PAGE]]
        self.lists: dict[bytes, list[bytes]] = {
            b"rows": [self._list(rows[first : first + PAGE]) for first in range(0, len(rows), PAGE)],
            b"details": [self._list(self._numbered(details, number)) for number in range(5)],
            b"odd": [
                self._list([row | {"duration": "30"} for row in self._numbered(details, number)]) for number in range(5)
            ],
        }
        self.details = [write({"success": True, "meeting": detail}) for detail in details]
        self.ids: dict[bytes, bytes] = {
            str(row["id"]).encode(): one for row, one in zip(rows, self.details, strict=False)
        }

    @staticmethod
    def _numbered(details: Sequence[dict[str, Any]], number: int) -> list[dict[str, Any]]:
        # Repeated rows would be skipped.
        return [{**detail, "uuid": f"{number:02}{detail['uuid'][2:]}"} for detail in details]

    @staticmethod
    def _list(rows: Sequence[dict[str, Any]]) -> bytes:
        return b'"meetings":' + write(rows) + b"}}"

    def page(self, kind: bytes, length: int, token: bytes | None) -> bytes:
        """Return a page of a listing of `length` pages; the token is the page's number."""
        number = 0 if token is None else int(token, 16)
        following = b"%040x" % (number + 1) if number + 1 < length else b""
        head = b'{"success":true,"data":{"page_size":%d,"total_records":%d,"next_page_token":"%b",'
        return head % (PAGE, PAGE * length, following) + self.lists[kind][number]

    def find(self, request: bytes) -> bytes | None:
        """Return the body of the response to a request; ``None`` if there is none."""
        target = _TARGET.match(request)
        if target is None:
            return None
        if target[1] is not None:
            return self.ids.get(target[1])
        account, token = _ACCOUNT.search(target[2] or b""), _TOKEN.search(target[2] or b"")
        return None if account is None else self.page(account[1], int(account[2]), token and token[1])


class Service(asyncio.Protocol):
    """One connection."""

    calls: int = 0
    began: float = time.time()

    def __init__(self, answers: Answers, latency: float) -> None:
        self.answers = answers
        self.latency = latency
        self.pending = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport for the responses."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.loop = asyncio.get_running_loop()

    def data_received(self, data: bytes) -> None:
        """Respond to each complete request; none of them has a body."""
        self.pending += data
        while (end := self.pending.find(b"\r\n\r\n") + 4) > 3:
            request, self.pending = self.pending[:end], self.pending[end:]
            if self.latency:
                self.loop.call_later(self.latency, self.answer, request)
            else:
                self.answer(request)

    def answer(self, request: bytes) -> None:
        """Write the response."""
        cls, now = Service, time.time()
        if now >= cls.began + WINDOW:
            cls.began, cls.calls = now, 0
        cls.calls += 1
        body = self.answers.find(request)
        status, body = (b"200 OK", body) if body is not None else (b"404 Not Found", b'{"error":"Not Found"}')
        reset = time.strftime(
            "%a %b %d %Y %H:%M:%S GMT+0000 (Coordinated Universal Time)", time.gmtime(cls.began + WINDOW)
        )
        head = (
            b"HTTP/1.1 %b\r\ndate: %b\r\n"
            b"x-ratelimit-limit: %d\r\nx-ratelimit-remaining: %d\r\nx-ratelimit-reset: %b\r\n"
            b"content-length: %d\r\ncontent-type: application/json; charset=utf-8\r\n\r\n"
        )
        date = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(now)).encode()
        if not self.transport.is_closing():
            self.transport.writelines(
                [head % (status, date, LIMIT, LIMIT - cls.calls, reset.encode(), len(body)), body]
            )


def encryption(authority: str) -> ssl.SSLContext:
    """Make a certificate for this machine, and write the certificate of its authority."""
    made = trustme.CA()
    made.cert_pem.write_to_path(authority)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.issue_cert("127.0.0.1").configure_cert(context)
    return context


async def serve(latencies: Sequence[float], authority: str | None) -> None:
    """Listen on a port for each latency and with TLS, and print the ports."""
    answers, loop = Answers(), asyncio.get_running_loop()
    plans: list[tuple[float, ssl.SSLContext | None]] = [(latency, None) for latency in latencies]
    plans += [] if authority is None else [(0.0, encryption(authority))]
    servers = [
        await loop.create_server(
            functools.partial(Service, answers, latency), "127.0.0.1", 0, backlog=1024, ssl=encrypted
        )
        for latency, encrypted in plans
    ]
    ports = [server.sockets[0].getsockname()[1] for server in servers]
    urls = [
        f"{'http' if plan[1] is None else 'https'}://127.0.0.1:{port}" for port, plan in zip(ports, plans, strict=True)
    ]
    facts = {"urls": urls, "ids": [int(number) for number in answers.ids], "page": len(answers.page(b"rows", 1, None))}
    facts["detail"] = len(answers.details[0])
    facts["details"] = len(answers.page(b"details", 1, None))
    print(json.dumps(facts), flush=True)
    await asyncio.gather(*(server.serve_forever() for server in servers))


def main() -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--latency", type=float, nargs="+", default=[0.0])
    parser.add_argument("--authority")
    parser.add_argument("--core", type=int)
    options = parser.parse_args()
    machine.stay_on(options.core)
    asyncio.run(serve(options.latency, options.authority))


if __name__ == "__main__":
    main()
