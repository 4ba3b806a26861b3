"""The loop that a user would write by hand: `httpx.AsyncClient.get`, msgspec into Structs, token after token."""

from __future__ import annotations

import asyncio
import ssl
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import httpx

from suite.peers import KEY, LISTING, PAGE, Act, Where
from suite.peers.structs import DECODER, DETAIL_DECODER, Row

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


def params(pages: int) -> dict[str, Any]:
    """Return the query of a listing of `pages` pages."""
    return {"accountId": f"{LISTING}-{pages}", "maxResults": PAGE}


async def walk(client: httpx.AsyncClient, pages: int) -> int:
    """Read a listing."""
    query, count = params(pages), 0
    while True:
        response = await client.get("/zoom/meetings", params=query)
        response.raise_for_status()
        data = DECODER.decode(response.content).data
        for _ in data.meetings:
            count += 1
        if not data.next_page_token:
            return count
        query["nextPageToken"] = data.next_page_token


@asynccontextmanager
async def base(where: Where) -> AsyncIterator[Act]:
    """BASE: the loop, inline, with rows in a plain `for`."""
    async with httpx.AsyncClient(base_url=where.url, headers={"x-api-key": KEY}) as client:
        yield lambda pages: walk(client, pages)


@asynccontextmanager
async def encrypted(where: Where) -> AsyncIterator[Act]:
    """The loop over TLS."""
    context = ssl.create_default_context(cafile=where.authority)
    async with httpx.AsyncClient(base_url=where.encrypted_url, headers={"x-api-key": KEY}, verify=context) as client:
        yield lambda pages: walk(client, pages)


@asynccontextmanager
async def generator(where: Where) -> AsyncIterator[Act]:
    """The loop as an async generator of rows."""
    async with httpx.AsyncClient(base_url=where.url, headers={"x-api-key": KEY}) as client:

        async def rows(pages: int) -> AsyncIterator[Row]:
            query = params(pages)
            while True:
                response = await client.get("/zoom/meetings", params=query)
                response.raise_for_status()
                data = DECODER.decode(response.content).data
                for row in data.meetings:
                    yield row
                if not data.next_page_token:
                    return
                query["nextPageToken"] = data.next_page_token

        async def act(pages: int) -> int:
            count = 0
            async for _ in rows(pages):
                count += 1
            return count

        yield act


@asynccontextmanager
async def aiohttp_transport(where: Where) -> AsyncIterator[Act]:
    """The loop over the httpx-aiohttp transport."""
    import httpx_aiohttp

    async with httpx_aiohttp.HttpxAiohttpClient(base_url=where.url, headers={"x-api-key": KEY}) as client:
        yield lambda pages: walk(client, pages)


async def burst(client: httpx.AsyncClient, where: Where, number: int) -> int:
    """Get `number` meetings at once."""

    async def get(meeting: int) -> None:
        response = await client.get(f"/zoom/meetings/{meeting}", params={"accountId": "rows-1"})
        response.raise_for_status()
        DETAIL_DECODER.decode(response.content)

    await asyncio.gather(*(get(where.ids[index]) for index in range(number)))
    return number


@asynccontextmanager
async def gets(where: Where) -> AsyncIterator[Act]:
    """Get meetings at once, with a plain client."""
    async with httpx.AsyncClient(base_url=where.slow_url, headers={"x-api-key": KEY}) as client:
        yield lambda number: burst(client, where, number)


@asynccontextmanager
async def gets_aiohttp_transport(where: Where) -> AsyncIterator[Act]:
    """Get meetings at once, over the httpx-aiohttp transport."""
    import httpx_aiohttp

    async with httpx_aiohttp.HttpxAiohttpClient(base_url=where.slow_url, headers={"x-api-key": KEY}) as client:
        yield lambda number: burst(client, where, number)


@asynccontextmanager
async def accounts(where: Where) -> AsyncIterator[Act]:
    """List sixteen accounts by hand, with a task for each."""
    async with httpx.AsyncClient(base_url=where.slow_url, headers={"x-api-key": KEY}) as client:

        async def act(length: int) -> int:
            return sum(await asyncio.gather(*(walk(client, length) for _ in range(16))))

        yield act
