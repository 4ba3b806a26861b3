"""Helpers of the contract tests: a scripted service, and clients of it and of the sandbox."""

from __future__ import annotations

import json
from collections import Counter
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

import anyio
import httpx

import clients
from pyas_async import Meeting, PyasClient, RetryPolicy

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping

    from pyas_async import Event
    from pyas_async.sandbox import Sandbox

KEY = "contract-key-5e1f0c"
ACCOUNT = "123654-46204525-b574-9ad72ae18c9e"
"""The account id of the page's example."""
SWIFT = RetryPolicy(base=0, cap=0)
"""The default retries, but without pauses."""

Json = dict[str, Any]
Identity = tuple[object, object, object]


def sample(name: str) -> Json:
    """Read a JSON document that was copied from the page."""
    document: Json = json.loads((Path(__file__).parent / "samples" / f"{name}.json").read_text())
    return document


def identities(rows: Iterable[Meeting | Json]) -> Counter[Identity]:
    """Count rows by id, uuid and start time."""
    return Counter(_identity(row) for row in rows)


def _identity(row: Meeting | Json) -> Identity:
    if isinstance(row, Meeting):
        return row.id, row.uuid, row.start_time
    start = row.get("start_time")
    return row["id"], row["uuid"], start and datetime.fromisoformat(start)


class Options(TypedDict, total=False):
    """Settings of a client that tests change."""

    api_key: str | Callable[[], Awaitable[str]]
    account_id: str | None
    base_url: str
    retry: RetryPolicy | None
    timeout: float | None
    deadline: float | None
    page_token_ttl: float
    on_event: Callable[[Event], None]


def client_of(url: str, http: httpx.AsyncClient | None = None, **options: Unpack[Options]) -> PyasClient:
    """Make a client for a service on a socket, with an injected client of httpx if one is given."""
    settings: Options = {"api_key": KEY, "retry": SWIFT, "base_url": url, **options}
    return clients.make(**settings, http_client=http)


@asynccontextmanager
async def over(transport: httpx.AsyncBaseTransport, **options: Unpack[Options]) -> AsyncIterator[PyasClient]:
    """Open a client that sends through a transport."""
    settings: Options = {"api_key": KEY, "retry": SWIFT, "account_id": ACCOUNT, **options}
    async with httpx.AsyncClient(transport=transport) as http, PyasClient(**settings, http_client=http) as client:
        yield client


@asynccontextmanager
async def in_process(sandbox: Sandbox, **options: Unpack[Options]) -> AsyncIterator[PyasClient]:
    """Open a client of a sandbox without a socket, bound to its first account."""
    settings: Options = {"account_id": sandbox.account_ids[0], **options}
    async with over(httpx.ASGITransport(app=sandbox.app), **settings) as client:
        yield client


@dataclass(frozen=True)
class Reply:
    """A response: a document is sent as JSON, text as it is, None as an empty body."""

    status: int = 200
    body: object = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def response(self) -> httpx.Response:
        """Make the response of httpx."""
        if self.body is None:
            return httpx.Response(self.status, headers=self.headers)
        if isinstance(self.body, str):
            return httpx.Response(self.status, headers=self.headers, text=self.body)
        return httpx.Response(self.status, headers=self.headers, json=self.body)


HANG = Reply(0)
"""Never answers."""
DETAIL: Json = {"id": 81, "uuid": "u81==", "topic": "Found", "type": 2}
FOUND = Reply(200, {"success": True, "meeting": DETAIL})
CREATED = Reply(200, {"success": True, "data": DETAIL})


def listing(rows: Iterable[Json], token: str | None = "", **more: object) -> Reply:
    """Answer a page of a listing."""
    meetings = list(rows)
    data = {"page_size": 300, "total_records": 3, "next_page_token": token, "meetings": meetings, **more}
    return Reply(200, {"success": True, "data": data})


def rows_of(*numbers: int) -> list[Json]:
    """Make rows with these ids."""
    start = "2026-12-01T10:00:00Z"
    return [{"id": n, "uuid": f"u{n}==", "type": 2, "topic": f"Row {n}", "start_time": start} for n in numbers]


class Service:
    """A service that answers from a script, repeats its last line, and records the requests.

    A line is an answer, or a fault of the network to raise.
    """

    def __init__(self, *script: Reply | Exception) -> None:
        self.requests: list[httpx.Request] = []
        self._script = list(script) or [Reply(500, "nothing was to be sent")]

    async def answer(self, request: httpx.Request) -> httpx.Response:
        """Answer a request with the next line of the script."""
        await request.aread()
        line = self._script[min(len(self.requests), len(self._script) - 1)]
        self.requests.append(request)
        if isinstance(line, Exception):
            raise type(line)(*line.args)
        if line is HANG:
            await anyio.sleep_forever()
        return line.response()

    @asynccontextmanager
    async def client(self, **options: Unpack[Options]) -> AsyncIterator[PyasClient]:
        """Open a client of the service."""
        async with over(httpx.MockTransport(self.answer), **options) as client:
            yield client

    @property
    def sent(self) -> list[tuple[str, str, dict[str, str], Any]]:
        """The requests as method, path as sent, query and body."""
        return [
            (
                request.method,
                request.url.raw_path.decode().partition("?")[0],
                dict(request.url.params),
                json.loads(request.content) if request.content else None,
            )
            for request in self.requests
        ]
