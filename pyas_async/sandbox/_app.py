"""The ASGI application: it parses requests and sends responses. Only this module imports Starlette."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final, cast
from urllib.parse import quote

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from pyas_async.sandbox._responses import ApiResponse
from pyas_async.sandbox._seen import SeenRequest
from pyas_async.sandbox._times import http_date

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

_MASK: Final = "***"
# JavaScript's numbers represent whole numbers exactly only up to this.
_SAFE: Final = 2**53 - 1
_SAFE_DIGITS: Final = len(str(_SAFE))
# Deeper values than any client means; Python reads and writes JSON recursively, and would run out of stack.
_DEEPEST: Final = 100

Api = Callable[[SeenRequest, str | None], Awaitable[ApiResponse]]
"""Answers a request of the API, given the key that it carried."""


def build_app(
    api: Api, clock: Callable[[], float], expire: Callable[[], int], stats: Callable[[], dict[str, int]]
) -> Starlette:
    """Build the application.

    Args:
        api: Answers every request except those of the control routes.
        clock: Returns the time for the ``Date`` header, in epoch seconds.
        expire: Expires all page tokens, and returns how many were valid.
        stats: Returns the counts so far.
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
    # The API does its own routing: it needs a path's id before it is decoded, and an id may be any text, even newlines.
    app.router.default = _endpoint(api, clock)
    return app


def _endpoint(api: Api, clock: Callable[[], float]) -> ASGIApp:
    class Endpoint:
        # An instance instead of a function: Starlette passes requests of every method to it.
        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            request = Request(scope, receive)
            try:
                content = await request.body()
            except ClientDisconnect:
                return
            response = await api(_seen(request, content), request.headers.get("x-api-key"))
            if response.delivery == "hung":
                while (await receive())["type"] != "http.disconnect":
                    pass
                return
            if response.delivery == "cut":
                # A promised body that does not come leaves the server no choice but to close the connection.
                await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"1")]})
                return
            headers = {"Date": http_date(clock()), **response.headers}
            await Response(response.content, response.status, headers, response.media_type)(scope, receive, send)

    return Endpoint()


def _number(text: str) -> float:
    """Read a number as JavaScript does, which has only floats: ``30.0`` is 30, and ``1e400`` is infinite."""
    number = float(text)
    return int(number) if number.is_integer() and abs(number) <= _SAFE else number


def _integer(text: str) -> float:
    """Read a whole number: exactly if JavaScript does, whatever its length."""
    number = int(text) if len(text) <= _SAFE_DIGITS + 1 else _SAFE + 1
    return number if abs(number) <= _SAFE else float(text)


def _no_number(text: str) -> object:
    message = f"{text} is not JSON"
    raise ValueError(message)


def _check(value: object, depth: int = 0) -> None:
    """Raise ``ValueError`` for text that is no Unicode (half a surrogate pair), and for a value that is too deep."""
    if depth > _DEEPEST:
        message = f"at most {_DEEPEST} levels can be read"
        raise ValueError(message)
    if isinstance(value, str):
        value.encode()
    elif isinstance(value, dict):
        for name, item in cast("dict[str, object]", value).items():
            name.encode()
            _check(item, depth + 1)
    elif isinstance(value, list):
        for item in cast("list[object]", value):
            _check(item, depth + 1)


def _seen(request: Request, content: bytes) -> SeenRequest:
    body: Any = None
    malformed = False
    if content:
        try:
            body = json.loads(content, parse_int=_integer, parse_float=_number, parse_constant=_no_number)
            _check(body)
        except (ValueError, RecursionError):
            body, malformed = None, True
    headers = dict(request.headers)
    if "x-api-key" in headers:
        headers["x-api-key"] = _MASK
    raw_path: bytes | None = request.scope.get("raw_path")
    path = quote(request.url.path) if raw_path is None else raw_path.decode("latin-1").partition("?")[0]
    return SeenRequest(request.method, path, dict(request.query_params), body, headers, malformed)
