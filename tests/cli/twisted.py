"""The sandbox, but otherwise than the library assumes: a layer around it bends requests and answers."""

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
class Twists:
    """What is otherwise; as it is made, nothing is.

    Attributes:
        dates: How a filter's dates are written; ``None`` if they are not heeded, ``""`` if none is taken.
        last_day: Whether the last day of a filter counts.
        dead_tokens: Whether a token that is not valid is refused; else, it is as if there were none.
        headers: Changes the headers of an answer.
        page: Changes the document of a page, given how many pages came before.
        query: Says of a query whether it is refused.
        uuids: Whether a meeting is found by its uuid.
        echo: Says of a request, its headers, path and query, what a refusal tells of it.
    """

    dates: str | None = OURS
    last_day: bool = True
    dead_tokens: bool = True
    headers: Callable[[dict[str, str]], dict[str, str]] = dict
    page: Callable[[Json, int], Json] = lambda page, _: page
    query: Callable[[dict[str, str]], bool] = lambda _: False
    uuids: bool = True
    echo: Callable[[str], str] = lambda _: "Bad Request"


class Twisted:
    """The layer: an application around an application."""

    def __init__(self, app: Any) -> None:  # noqa: ANN401  (the sandbox's application)
        self.twists = Twists()
        self.pages = 0
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401  (ASGI)
        """Answer a request."""
        query = dict(parse_qsl(scope["query_string"].decode()))
        listing = scope["path"] == "/zoom/meetings"
        if (listing and not self._bend(query)) or (not listing and not self._found(scope["path"])):
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
                document["data"] = self.twists.page(document["data"], self.pages)
                self.pages += 1
            body = json.dumps(document).encode()
        headers = {name.decode(): value.decode() for name, value in begin["headers"]}
        headers = {**self.twists.headers(headers), "content-length": str(len(body))}
        pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
        await send({**begin, "headers": pairs})
        await send({"type": "http.response.body", "body": body})

    def _bend(self, query: dict[str, str]) -> bool:
        """Make of a query what the sandbox understands; ``False`` if it is refused."""
        if self.twists.query(query):
            return False
        if not self.twists.dead_tokens and query.get("nextPageToken", "").startswith("pyas"):
            del query["nextPageToken"]
        for name in ("startDate", "endDate"):
            if name not in query:
                continue
            if self.twists.dates is None:
                del query[name]
                continue
            try:
                day = datetime.strptime(query[name], self.twists.dates)  # noqa: DTZ007  (a day has no zone)
            except ValueError:
                return False
            if name == "endDate" and not self.twists.last_day:
                day -= timedelta(days=1)
            query[name] = day.strftime(OURS)
        return True

    def _found(self, path: str) -> bool:
        return self.twists.uuids or path.rpartition("/")[2].isdigit()

    async def _refuse(self, scope: Any, send: Any) -> None:  # noqa: ANN401
        request = " ".join(value.decode() for _, value in scope["headers"])
        request += f" {scope['path']} {scope['raw_path'].decode()}?{scope['query_string'].decode()}"
        body = json.dumps({"success": False, "error": self.twists.echo(request), "code": 400}).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 400, "headers": headers})
        await send({"type": "http.response.body", "body": body})
