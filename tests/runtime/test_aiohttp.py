"""A client that sends through aiohttp."""

from __future__ import annotations

import asyncio
import threading
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import aiohttp
import httpx
import httpx_aiohttp
import pytest

import inside
from pyas_async import AttemptStarted, OutcomeUnknownError, TransportError
from runtime.calls import check_usable
from runtime.socket_server import CHANGE, MEETING, NEW, client_of, document, found, wire

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from pyas_async import Event, PyasClient
    from runtime.socket_server import Seen

pytestmark = pytest.mark.asyncio


@asynccontextmanager
async def by_aiohttp(url: str, **options: Any) -> AsyncIterator[PyasClient]:  # noqa: ANN401  (the client's arguments)
    """Open a client that sends through aiohttp."""
    async with (
        httpx.AsyncClient(transport=httpx_aiohttp.AiohttpTransport()) as http,
        client_of(url, http_client=http, **options) as client,
    ):
        yield client


async def test_calls() -> None:
    """Every kind of call works, with bodies."""
    with wire() as server:
        async with by_aiohttp(server.url) as client:
            assert 81 == (await client.meetings.get(81)).id
            assert 81 == (await client.meetings.create(NEW)).id
            await client.meetings.update(81, CHANGE)
            await client.meetings.delete(81)
            assert [1, 2] == [row.id async for row in client.meetings.iter_all()]
        assert ["GET", "POST", "PATCH", "DELETE", "GET", "GET"] == [seen.method for seen in server.requests]


@pytest.mark.parametrize("reused", [False, True])
async def test_lost_answer(reused: bool) -> None:
    """The exception for a lost response, which looks like a failed connection, is not mistaken for one."""
    with wire(lambda seen: found(seen) if seen.method == "GET" else None) as server:
        async with by_aiohttp(server.url) as client:
            if reused:
                await client.meetings.get(81)
            with pytest.raises(OutcomeUnknownError):
                await client.meetings.create(NEW)
        assert 1 == sum(seen.method == "POST" for seen in server.requests)


async def test_refused_connection() -> None:
    """If the connection cannot be opened, a create was not sent, and is retried."""
    events: list[Event] = []
    with wire() as server:
        url = server.url
    async with by_aiohttp(url, on_event=events.append) as client:
        with pytest.raises(TransportError) as caught:
            await client.meetings.create(NEW)
    assert (4, "not_sent") == (sum(isinstance(e, AttemptStarted) for e in events), caught.value.write_state)


async def test_prefetch_while_computing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The consumer gets its page once the next request is sent, although aiohttp does not report that moment."""
    monkeypatch.setattr(inside.PREFETCH_HOLD, 60.0)
    asked: list[str] = []
    worked = threading.Event()

    def answer(seen: Seen) -> bytes:
        asked.append(seen.target)
        assert len(asked) < 2 or worked.wait(5)
        return found(seen)

    with wire(answer) as server:
        async with by_aiohttp(server.url) as client, client.meetings.iter_all() as listing:
            async with asyncio.timeout(5):
                assert 1 == (await anext(listing)).id
            ends = time.monotonic() + 5
            while len(asked) < 2 and time.monotonic() < ends:
                time.sleep(0.001)  # noqa: ASYNC251  (a computation)
            assert 2 == len(asked)
            worked.set()


async def test_cancelled() -> None:
    """Cancelled calls leave nothing behind."""
    with wire() as server:
        async with by_aiohttp(server.url) as client:
            for _ in range(20):
                task = asyncio.ensure_future(client.meetings.get(81))
                await asyncio.sleep(0)
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
            await check_usable(client)


@pytest.mark.parametrize(
    ("jar", "second"), [(aiohttp.DummyCookieJar, None), (aiohttp.CookieJar, "session=abc")], ids=["none", "default"]
)
async def test_cookies(jar: type[aiohttp.abc.AbstractCookieJar], second: str | None) -> None:
    """A session without a jar of its own keeps no cookies. Those of a jar cannot be kept out of the next request."""

    def answer(seen: Seen) -> bytes:
        return document(MEETING, Set_Cookie="session=abc; Path=/")

    transport = httpx_aiohttp.AiohttpTransport(client=lambda: aiohttp.ClientSession(cookie_jar=jar()))
    with wire(answer) as server:
        async with httpx.AsyncClient(transport=transport) as http:
            # aiohttp's jar takes no cookies from an address of digits.
            client = client_of(server.url.replace("127.0.0.1", "localhost"), http_client=http)
            await client.meetings.get(81)
            await client.meetings.get(81, account_id="other")
        assert [None, second] == [seen.headers.get("cookie") for seen in server.requests]
