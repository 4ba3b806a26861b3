"""Planted secrets are in no part of an error: its text, its pickle, and the locals of our frames."""

from __future__ import annotations

import asyncio
import logging
import pickle
import threading
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
import httpx
import pytest

import pyas_async
from pyas_async import (
    ClientClosedError,
    ConfigurationError,
    InvalidArgumentError,
    MeetingCreate,
    PyasClient,
    PyasError,
    from_dict,
)
from runtime.socket_server import NEW, client_of, found, rows_after, through, until, wire
from secrecy.emitted import with_related

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

KEY = "planted-key-4f2a"
TOKEN = "planted-token-77"
CODE = "planted-code-c0de"
PASSWORD = "planted-password"
SECRETS = (KEY, TOKEN, CODE, PASSWORD)
OURS = Path(pyas_async.__file__).parent
FACES = {"client.py", "meetings.py", "accounts.py"}

SECRET_MEETING = from_dict(
    MeetingCreate, {"type": 2, "title": PASSWORD, "description": "", "startDate": "2026-12-01T10:00:00Z"}
)
CALLS: dict[str, Callable[[PyasClient], Awaitable[object]]] = {
    "get": lambda client: client.meetings.get(81),
    "list": lambda client: client.meetings.list(next_page_token=TOKEN),
    "iterate": lambda client: client.meetings.iter_all().collect(),
    "create": lambda client: client.meetings.create(NEW),
    "connect": lambda client: client.accounts.connect(code=CODE, name="n"),
}
every_call = pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)


def shown(error: BaseException) -> str:
    """Return the text of an error and its context, and the locals of all frames except the tests' own."""
    texts: list[str] = []
    for one in with_related(error):
        texts.append(f"{one} {one!r} {one.args!r} {vars(one)!r}")
        report = traceback.TracebackException.from_exception(one, capture_locals=True)
        texts += [f"{frame.filename}:{frame.lineno} {frame.locals}" for frame in report.stack if _told(frame.filename)]
        if isinstance(one, PyasError):
            one.checkpoint = None  # a checkpoint is made to be stored, and contains the token
            texts.append(repr(pickle.dumps(one)))
    return "\n".join(texts)


def _told(filename: str) -> bool:
    # In the frames of public methods, the arguments are the ones that the user's own frames show.
    path = Path(filename)
    return path.name not in FACES if path.is_relative_to(OURS) else "site-packages/http" in filename


def check(error: BaseException) -> None:
    """Assert that no secret is shown."""
    lines = [line[:300] for line in shown(error).splitlines() if any(secret in line for secret in SECRETS)]
    assert [] == lines


FAULTS: list[Any] = [
    httpx.ConnectError("refused"),
    httpx.ReadError("reset"),
    httpx.ReadTimeout("slow"),
    httpx.Response(400, json={"error": "bad"}),
    httpx.Response(401, json={"error": "bad"}),
    httpx.Response(429, json={"error": "Rate limit exceeded"}),
    httpx.Response(503),
    httpx.Response(200, text="<html>"),
]


@pytest.mark.anyio
@every_call
@pytest.mark.parametrize("fault", FAULTS, ids=repr)
async def test_failed_calls(call: Callable[[PyasClient], Awaitable[object]], fault: Any) -> None:  # noqa: ANN401
    """The error of a failed call shows no key, no page token and no oauth code, not even in our frames."""
    pages = iter([httpx.Response(200, json=_page())])

    def answer(request: httpx.Request) -> httpx.Response:
        if request.method == "GET" and "maxResults" in request.url.params and (page := next(pages, None)):
            return page
        if isinstance(fault, Exception):
            raise fault
        return httpx.Response(fault.status_code, headers=fault.headers, content=fault.content)

    async with through(answer, api_key=KEY, retry=None) as client:
        with pytest.raises(PyasError) as caught:
            await call(client)
    check(caught.value)


def _page() -> dict[str, Any]:
    page = rows_after(None)
    page["data"]["next_page_token"] = TOKEN
    return page


@pytest.mark.asyncio
@every_call
async def test_asyncio_timeout(call: Callable[[PyasClient], Awaitable[object]]) -> None:
    """The TimeoutError of `asyncio.timeout` has the frames of the call in its context, and they show no secret."""
    async with through(_hang, api_key=KEY) as client:
        with pytest.raises(TimeoutError) as caught:
            async with asyncio.timeout(0.01):
                await call(client)
    check(caught.value)


@pytest.mark.anyio
@every_call
async def test_fail_after(call: Callable[[PyasClient], Awaitable[object]]) -> None:
    """Anyio's `fail_after` shows no secret either."""
    async with through(_hang, api_key=KEY) as client:
        with pytest.raises(TimeoutError) as caught, anyio.fail_after(0.01):
            await call(client)
    check(caught.value)


async def _hang(request: httpx.Request) -> httpx.Response:
    if "maxResults" in request.url.params and "nextPageToken" not in request.url.params:
        return httpx.Response(200, json=_page())
    await anyio.sleep_forever()
    raise AssertionError


@pytest.mark.anyio
@every_call
async def test_closed_during_a_call(call: Callable[[PyasClient], Awaitable[object]]) -> None:
    """The error of a call whose client was closed shows no secret."""
    released = threading.Event()
    caught: list[PyasError] = []

    async def run() -> None:
        try:
            await call(client)
        except PyasError as error:
            caught.append(error)

    with wire(lambda seen: found(seen) if released.wait(5) else None) as server:
        client = client_of(server.url, api_key=KEY)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(run)
            await until(lambda: server.requests)
            await client.aclose()
        released.set()
    assert [ClientClosedError] == [type(error) for error in caught]
    check(caught[0])


def test_refused_arguments() -> None:
    """A refused key or code is not shown."""
    for refused in (f"{KEY} ", f"{KEY}\n"):
        with pytest.raises(ConfigurationError) as caught:
            PyasClient(refused)
        check(caught.value)


@pytest.mark.anyio
async def test_refused_code() -> None:
    """A code that is not text is not shown."""
    code: Any = CODE.encode()
    async with through(_hang, api_key=KEY) as client:
        with pytest.raises(InvalidArgumentError) as caught:
            await client.accounts.connect(code=code, name="n")
    assert CODE not in f"{caught.value} {caught.value!r} {vars(caught.value)}"


@pytest.mark.anyio
async def test_body_of_a_create() -> None:
    """The body of a create is in no error, and in no frame of the transport."""
    async with through(_hang, api_key=KEY) as client:
        with pytest.raises(TimeoutError) as caught, anyio.fail_after(0.01):
            await client.meetings.create(SECRET_MEETING)
    check(caught.value)


@pytest.mark.anyio
async def test_httpx_log_lines(caplog: pytest.LogCaptureFixture) -> None:
    """Httpx's log lines about our requests show no query; those about other requests stay unchanged."""
    caplog.set_level(logging.INFO, logger="httpx")
    transport = httpx.MockTransport(lambda request: httpx.Response(200, json=_page()))
    async with httpx.AsyncClient(transport=transport) as http:
        await client_of("http://localhost", api_key=KEY, http_client=http).meetings.list(next_page_token=TOKEN)
        await http.get("https://other.example/path?token=visible")
        await http.get("http://localhost/plain")
    messages = [record.getMessage() for record in caplog.records if record.name == "httpx"]
    assert 3 == len(messages)
    assert [] == [message for message in messages if TOKEN in message or "accountId" in message]
    assert "http://localhost/zoom/meetings?***" in messages[0]
    assert "https://other.example/path?token=visible" in messages[1]
    assert "http://localhost/plain" in messages[2]
