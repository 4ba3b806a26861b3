"""Our client with every feature on: types, budget, retries, deadline, memory of rows, safety from cancellation."""

from __future__ import annotations

import asyncio
import os
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Final

import httpx

from pyas_async import PyasClient
from pyas_async._runtime.http.client import new_client
from suite.peers import KEY, LISTING, Act, Where

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

ACCOUNTS: Final = 16
"""Accounts that are listed at once."""


async def _rows(client: PyasClient, pages: int) -> int:
    count = 0
    async for _ in client.meetings.iter_all(account_id=f"{LISTING}-{pages}"):
        count += 1
    return count


async def _pages(client: PyasClient, pages: int) -> int:
    count = 0
    async for page in client.meetings.iter_all(account_id=f"{LISTING}-{pages}").pages():
        for _ in page:
            count += 1
    return count


@asynccontextmanager
async def rows(where: Where) -> AsyncIterator[Act]:
    """Iterate by row."""
    async with PyasClient(KEY, base_url=where.url) as client:
        yield lambda pages: _rows(client, pages)


@asynccontextmanager
async def pages(where: Where) -> AsyncIterator[Act]:
    """Iterate by page, and by row within it."""
    async with PyasClient(KEY, base_url=where.url) as client:
        yield partial(_pages, client)


@asynccontextmanager
async def encrypted(where: Where) -> AsyncIterator[Act]:
    """Iterate by row, over TLS."""
    os.environ["SSL_CERT_FILE"] = where.authority
    async with PyasClient(KEY, base_url=where.encrypted_url) as client:
        yield lambda pages: _rows(client, pages)


class _Memory(httpx.AsyncBaseTransport):
    """A transport that repeats what a real one has received."""

    def __init__(self) -> None:
        self._real = httpx.AsyncHTTPTransport()
        self._kept: dict[str, tuple[httpx.Headers, bytes]] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        url = str(request.url)
        if url not in self._kept:
            response = await self._real.handle_async_request(request)
            self._kept[url] = response.headers, await response.aread()
        headers, body = self._kept[url]
        return httpx.Response(200, headers=headers, stream=httpx.ByteStream(body))

    async def aclose(self) -> None:
        await self._real.aclose()


@asynccontextmanager
async def unsent(where: Where) -> AsyncIterator[Act]:
    """Iterate by page, over a transport that repeats its responses: everything except the network."""
    async with PyasClient(KEY, base_url=where.url) as client:
        own = await client._session.resources.sender._open()
        own._client = new_client(transport=_Memory())
        yield partial(_pages, client)


@asynccontextmanager
async def prefetched(where: Where) -> AsyncIterator[Act]:
    """Iterate by row, with prefetching."""
    async with PyasClient(KEY, base_url=where.url) as client:

        async def act(length: int) -> int:
            count = 0
            async with client.meetings.iter_all(account_id=f"{LISTING}-{length}") as meetings:
                async for _ in meetings:
                    count += 1
            return count

        yield act


@asynccontextmanager
async def aiohttp_transport(where: Where) -> AsyncIterator[Act]:
    """Iterate by row, over the httpx-aiohttp transport."""
    async with _over_aiohttp() as http, PyasClient(KEY, base_url=where.url, http_client=http) as client:
        yield lambda pages: _rows(client, pages)


def _over_aiohttp() -> httpx.AsyncClient:
    import httpx
    import httpx_aiohttp

    return httpx.AsyncClient(transport=httpx_aiohttp.AiohttpTransport())


async def burst(client: PyasClient, where: Where, number: int) -> int:
    """Get `number` meetings at once."""
    calls = (client.meetings.get(where.ids[index], account_id="rows-1") for index in range(number))
    await asyncio.gather(*calls)
    return number


@asynccontextmanager
async def gets(where: Where) -> AsyncIterator[Act]:
    """Get meetings at once."""
    async with PyasClient(KEY, base_url=where.slow_url) as client:
        yield lambda number: burst(client, where, number)


@asynccontextmanager
async def gets_aiohttp_transport(where: Where) -> AsyncIterator[Act]:
    """Get meetings at once, over the httpx-aiohttp transport."""
    async with _over_aiohttp() as http, PyasClient(KEY, base_url=where.slow_url, http_client=http) as client:
        yield lambda number: burst(client, where, number)


@asynccontextmanager
async def accounts(where: Where) -> AsyncIterator[Act]:
    """List sixteen accounts, sixteen at once."""
    async with PyasClient(KEY, base_url=where.slow_url) as client:

        async def act(length: int) -> int:
            count, ids = 0, [f"{LISTING}-{length}-{number}" for number in range(ACCOUNTS)]
            async with client.meetings.iter_accounts(ids, max_concurrency=ACCOUNTS) as pairs:
                async for _ in pairs:
                    count += 1
            assert not pairs.failures
            return count

        yield act
