"""An error that the user's code raises inside a request comes out without the frames that hold the request."""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

import pyas_async
from runtime.socket_server import client_of, document, rows_after, wire
from secrecy.emitted import with_related
from secrecy.planted import HEADER, KEY, TOKEN, leaks

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from pyas_async import PyasClient
    from runtime.socket_server import Seen

pytestmark = pytest.mark.anyio
HERE = Path(__file__)
OURS = Path(pyas_async.__file__).parent


class OwnError(Exception):
    """An error of the application."""


async def hook(passing: object) -> None:
    """Raise from within a request."""
    raise OwnError("mine")


async def lose() -> None:
    """Raise an error of httpx."""
    raise httpx.ReadError("lost")


async def on_error(passing: object) -> None:
    """Raise while an error of httpx is handled."""
    try:
        await lose()
    except httpx.ReadError:
        raise OwnError("mine") from None


async def deep(name: str, info: dict[str, Any]) -> None:
    """Raise from within httpcore, whose frames hold the headers of the request."""
    if name.endswith("send_request_headers.complete"):
        raise OwnError("mine")


class Deep(httpx.AsyncHTTPTransport):
    """A transport whose trace callback raises inside httpcore."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request with the callback."""
        request.extensions["trace"] = deep
        return await super().handle_async_request(request)


CLIENTS: dict[str, Callable[[], httpx.AsyncClient]] = {
    "request hook": lambda: httpx.AsyncClient(event_hooks={"request": [hook]}),
    "response hook": lambda: httpx.AsyncClient(event_hooks={"response": [hook]}),
    "while handling": lambda: httpx.AsyncClient(event_hooks={"response": [on_error]}),
    "httpcore": lambda: httpx.AsyncClient(transport=Deep()),
}
CALLS: dict[str, Callable[[PyasClient], Awaitable[object]]] = {
    "list": lambda client: client.meetings.list(next_page_token=TOKEN),
    "iterate": lambda client: client.meetings.iter_all().collect(),
}


def answer(seen: Seen) -> bytes:
    """Respond with the requested page; the first one has the planted token."""
    page = rows_after(None)
    page["data"]["next_page_token"] = "" if "nextPageToken" in seen.target else TOKEN
    return document(page)


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize("make", CLIENTS.values(), ids=CLIENTS)
async def test_bare_error(
    make: Callable[[], httpx.AsyncClient], call: Callable[[PyasClient], Awaitable[object]]
) -> None:
    """An error of a user's hook or transport keeps the user's frames and ours, except those that hold the request."""
    with wire(answer) as server:
        async with make() as http:
            client = client_of(server.url, api_key=KEY, http_client=http).with_options(headers={"x-gateway": HEADER})
            with pytest.raises(OwnError) as caught:
                await call(client)
    names, shown = [], []
    for one in with_related(caught.value):
        report = traceback.TracebackException.from_exception(one, capture_locals=True)
        names += [frame.name for frame in report.stack]
        shown += [
            f"{frame.filename} {frame.lineno} {frame.locals}" for frame in report.stack if frame.filename != str(HERE)
        ]
    assert {"hook", "on_error", "deep"} & set(names)
    assert any(str(OURS) in text for text in shown)
    assert [] == [text for text in shown if leaks(text)]
