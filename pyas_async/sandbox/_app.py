"""The ASGI application: requests become values, answers become responses. The one importer of Starlette."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from pyas_async.sandbox._answers import Answer
from pyas_async.sandbox._seen import SeenRequest
from pyas_async.sandbox._times import http_date

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

_MASK: Final = "***"
# Beyond this, JavaScript's numbers are not whole ones any more.
_SAFE: Final = 2**53 - 1

Api = Callable[[SeenRequest, str | None], Awaitable[Answer]]
"""Answers a request of the API, given the key that it carried."""


def build_app(
    api: Api, clock: Callable[[], float], expire: Callable[[], int], stats: Callable[[], dict[str, int]]
) -> Starlette:
    """Build the application.

    Args:
        api: Answers every request but those of the control routes.
        clock: Gives the time for the ``Date`` header.
        expire: Kills the page tokens, and counts them.
        stats: Counts what happened so far.
    """

    async def expire_tokens(_: Request) -> Response:
        return JSONResponse({"expired": expire()})

    async def statistics(_: Request) -> Response:
        return JSONResponse(stats())

    app = Starlette(
        routes=[
            Route("/_sandbox/expire_tokens", expire_tokens, methods=["POST"]),
            Route("/_sandbox/stats", statistics, methods=["GET"]),
        ]
    )
    # The API routes for itself: an id in a path must be read before it is decoded, and may be any text, line ends too.
    app.router.default = _endpoint(api, clock)
    return app


def _endpoint(api: Api, clock: Callable[[], float]) -> ASGIApp:
    class Endpoint:
        # An object rather than a function: Starlette lets every method through to it.
        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            request = Request(scope, receive)
            try:
                content = await request.body()
            except ClientDisconnect:
                return
            answer = await api(_seen(request, content), request.headers.get("x-api-key"))
            if answer.fate == "hung":
                while (await receive())["type"] != "http.disconnect":
                    pass
                return
            if answer.fate == "cut":
                # A body is promised that does not come: then the server can only close the connection.
                await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"1")]})
                return
            headers = {"Date": http_date(clock()), **answer.headers}
            response = Response(answer.content, answer.status, headers, answer.media_type)
            await response(scope, receive, send)

    return Endpoint()


def _number(text: str) -> float:
    """Read a number as JavaScript does, which has one kind of them: ``30.0`` is 30."""
    number = float(text)
    return int(number) if number.is_integer() and abs(number) <= _SAFE else number


def _no_number(text: str) -> object:
    message = f"{text} is no JSON"
    raise ValueError(message)


def _seen(request: Request, content: bytes) -> SeenRequest:
    body: Any = None
    malformed = False
    if content:
        try:
            body = json.loads(content, parse_float=_number, parse_constant=_no_number)
        except (ValueError, RecursionError):
            malformed = True
    headers = dict(request.headers)
    if "x-api-key" in headers:
        headers["x-api-key"] = _MASK
    raw_path: bytes | None = request.scope.get("raw_path")
    path = quote(request.url.path) if raw_path is None else raw_path.decode("latin-1").partition("?")[0]
    return SeenRequest(request.method, path, dict(request.query_params), body, headers, malformed)
