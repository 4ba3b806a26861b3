"""A layer around the sandbox that changes requests and responses, so that the service differs from what is assumed."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode

import attrs

Json = dict[str, Any]
OURS = "%m-%d-%Y"


@attrs.define
class Changes:
    """The differences; by default there are none.

    Attributes:
        dates: The format of a filter's dates; ``None`` if they are ignored, ``""`` if none is accepted.
        last_day: Whether the last day of a filter counts.
        dead_tokens: Whether an invalid token is refused; otherwise it is ignored.
        headers: Changes the headers of a response.
        page: Changes the document of a page, given the number of earlier pages.
        query: Returns whether a query is refused.
        uuids: Whether a meeting is found by its uuid.
        echo: Returns the text of a refusal from the request's headers, path and query.
    """

    dates: str | None = OURS
    last_day: bool = True
    dead_tokens: bool = True
    headers: Callable[[dict[str, str]], dict[str, str]] = dict
    page: Callable[[Json, int], Json] = lambda page, _: page
    query: Callable[[dict[str, str]], bool] = lambda _: False
    uuids: bool = True
    echo: Callable[[str], str] = lambda _: "Bad Request"


class ChangedService:
    """The layer: an ASGI application around an application."""

    def __init__(self, app: Any) -> None:  # noqa: ANN401  (the sandbox's application)
        self.changes = Changes()
        self.pages = 0
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401  (ASGI)
        """Respond to a request."""
        query = dict(parse_qsl(scope["query_string"].decode()))
        listing = scope["path"] == "/zoom/meetings"
        if (listing and not self._translate(query)) or (not listing and not self._found(scope["path"])):
            await self._refuse(scope, send)
            return
        scope = {**scope, "query_string": urlencode(query).encode()}
        begin: Json = {}
        body = b""

        async def gather(message: Json) -> None:
            nonlocal body
            if message["type"] == "http.response.start":
                begin.update(message)
                return
            body += message.get("body", b"")
            if not message.get("more_body"):
                await self._answer(begin, body, send, listing=listing)

        await self._app(scope, receive, gather)

    async def _answer(self, begin: Json, body: bytes, send: Any, *, listing: bool) -> None:  # noqa: ANN401
        if listing and begin["status"] == 200:
            document = json.loads(body)
            if "data" in document:
                document["data"] = self.changes.page(document["data"], self.pages)
                self.pages += 1
            body = json.dumps(document).encode()
        headers = {name.decode(): value.decode() for name, value in begin["headers"]}
        headers = {**self.changes.headers(headers), "content-length": str(len(body))}
        pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
        await send({**begin, "headers": pairs})
        await send({"type": "http.response.body", "body": body})

    def _translate(self, query: dict[str, str]) -> bool:
        """Translate a query for the sandbox; return ``False`` if it is refused."""
        if self.changes.query(query):
            return False
        if not self.changes.dead_tokens and query.get("nextPageToken", "").startswith("pyas"):
            del query["nextPageToken"]
        for name in ("startDate", "endDate"):
            if name not in query:
                continue
            if self.changes.dates is None:
                del query[name]
                continue
            try:
                day = datetime.strptime(query[name], self.changes.dates)  # noqa: DTZ007  (a date has no zone)
            except ValueError:
                return False
            if name == "endDate" and not self.changes.last_day:
                day -= timedelta(days=1)
            query[name] = day.strftime(OURS)
        return True

    def _found(self, path: str) -> bool:
        return self.changes.uuids or path.rpartition("/")[2].isdigit()

    async def _refuse(self, scope: Any, send: Any) -> None:  # noqa: ANN401
        request = " ".join(value.decode() for _, value in scope["headers"])
        request += f" {scope['path']} {scope['raw_path'].decode()}?{scope['query_string'].decode()}"
        body = json.dumps({"success": False, "error": self.changes.echo(request), "code": 400}).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 400, "headers": headers})
        await send({"type": "http.response.body", "body": body})
