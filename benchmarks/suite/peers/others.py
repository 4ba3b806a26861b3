"""Other libraries, and the lower bound: the traffic alone, without a client above it."""

from __future__ import annotations

import asyncio
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from suite import generated
from suite.peers import KEY, LISTING, PAGE, Act, Where

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    import httpx


async def _walk(page: Callable[[dict[str, Any]], Awaitable[tuple[list[Any], str | None]]], pages: int) -> int:
    query: dict[str, Any] = {"accountId": f"{LISTING}-{pages}", "maxResults": PAGE}
    count = 0
    while True:
        rows, token = await page(query)
        for _ in rows:
            count += 1
        if not token:
            return count
        query["nextPageToken"] = token


@asynccontextmanager
async def pydantic(where: Where) -> AsyncIterator[Act]:
    """Httpx with pydantic's models."""
    import httpx

    from suite.peers.classes import PydanticAnswer

    async with httpx.AsyncClient(base_url=where.url, headers={"x-api-key": KEY}) as client:

        async def page(query: dict[str, Any]) -> tuple[list[Any], str | None]:
            response = await client.get("/zoom/meetings", params=query)
            response.raise_for_status()
            data = PydanticAnswer.model_validate_json(response.content).data
            return data.meetings, data.next_page_token

        yield lambda pages: _walk(page, pages)


@asynccontextmanager
async def openai(where: Where) -> AsyncIterator[Act]:
    """Httpx with the models of the openai client, constructed as it constructs them."""
    import httpx
    from openai._models import construct_type

    from suite.peers.classes import OpenAIAnswer

    async with httpx.AsyncClient(base_url=where.url, headers={"x-api-key": KEY}) as client:

        async def page(query: dict[str, Any]) -> tuple[list[Any], str | None]:
            response = await client.get("/zoom/meetings", params=query)
            response.raise_for_status()
            data: Any = construct_type(type_=OpenAIAnswer, value=response.json())
            return data.data.meetings, data.data.next_page_token

        yield lambda pages: _walk(page, pages)


@asynccontextmanager
async def openapi(where: Where) -> AsyncIterator[Act]:
    """A client that openapi-python-client generated."""
    sys.path.insert(0, where.generated)
    import importlib

    call = importlib.import_module(f"{generated.NAME}.api.meetings.list_meetings")
    made = importlib.import_module(f"{generated.NAME}.client")
    async with made.AuthenticatedClient(
        base_url=where.url, token=KEY, prefix="", auth_header_name="x-api-key"
    ) as client:
        names = {"accountId": "account_id", "maxResults": "max_results", "nextPageToken": "next_page_token"}

        async def page(query: dict[str, Any]) -> tuple[list[Any], str | None]:
            answer = await call.asyncio(client=client, **{names[name]: value for name, value in query.items()})
            return answer.data.meetings, answer.data.next_page_token

        yield lambda pages: _walk(page, pages)


@asynccontextmanager
async def aiohttp(where: Where) -> AsyncIterator[Act]:
    """Aiohttp by hand, with msgspec's Structs."""
    import aiohttp as library

    from suite.peers.structs import DECODER

    async with library.ClientSession(where.url, headers={"x-api-key": KEY}) as client:

        async def page(query: dict[str, Any]) -> tuple[list[Any], str | None]:
            async with client.get("/zoom/meetings", params=query, raise_for_status=True) as response:
                data = DECODER.decode(await response.read()).data
            return data.meetings, data.next_page_token

        yield lambda pages: _walk(page, pages)


@asynccontextmanager
async def transport(where: Where) -> AsyncIterator[Act]:
    """Httpx's transport, called directly, with msgspec's Structs."""
    import httpx

    async with httpx.AsyncHTTPTransport() as client:
        yield lambda pages: _walk_transport(where, client, pages)


@asynccontextmanager
async def connection(where: Where) -> AsyncIterator[Act]:
    """The same over a connection of ours, in place of the transport's pool."""
    import httpx

    from pyas_async._runtime.http.connection import Connection

    class OneConnection(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            ours.settle()
            ours.prepare(request.url, request.url.raw_path)
            return await ours.exchange(request)

    url = httpx.URL(where.url)
    ours = Connection(url.host, url.port or 80, None)
    yield lambda pages: _walk_transport(where, OneConnection(), pages)
    await ours.aclose()


async def _walk_transport(where: Where, client: httpx.AsyncBaseTransport, pages: int) -> int:
    import httpx

    from suite.peers.structs import DECODER

    async def page(query: dict[str, Any]) -> tuple[list[Any], str | None]:
        text = "&".join(f"{name}={value}" for name, value in query.items())
        request = httpx.Request("GET", f"{where.url}/zoom/meetings?{text}", headers={"x-api-key": KEY})
        response = await client.handle_async_request(request)
        data = DECODER.decode(await response.aread()).data
        return data.meetings, data.next_page_token

    return await _walk(page, pages)


@asynccontextmanager
async def streams(where: Where) -> AsyncIterator[Act]:
    """Asyncio's streams, with as little HTTP as this one service needs."""
    from suite.peers.structs import DECODER

    parts = urlsplit(where.url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port, limit=1 << 20)

    async def page(query: dict[str, Any]) -> tuple[list[Any], str | None]:
        text = "&".join(f"{name}={value}" for name, value in query.items())
        head = f"GET /zoom/meetings?{text} HTTP/1.1\r\nhost: {parts.netloc}\r\nx-api-key: {KEY}\r\n\r\n"
        writer.write(head.encode())
        answer = await reader.readuntil(b"\r\n\r\n")
        length = int(answer.partition(b"content-length: ")[2].partition(b"\r\n")[0])
        data = DECODER.decode(await reader.readexactly(length)).data
        return data.meetings, data.next_page_token

    yield lambda pages: _walk(page, pages)
    writer.close()


@asynccontextmanager
async def aiohttp_gets(where: Where) -> AsyncIterator[Act]:
    """Get meetings at once, with aiohttp by hand."""
    import aiohttp as library

    from suite.peers.structs import DETAIL_DECODER

    async with library.ClientSession(where.slow_url, headers={"x-api-key": KEY}) as client:

        async def get(meeting: int) -> None:
            query = {"accountId": "rows-1"}
            async with client.get(f"/zoom/meetings/{meeting}", params=query, raise_for_status=True) as response:
                DETAIL_DECODER.decode(await response.read())

        async def act(number: int) -> int:
            await asyncio.gather(*(get(where.ids[index]) for index in range(number)))
            return number

        yield act


@asynccontextmanager
async def transport_gets(where: Where) -> AsyncIterator[Act]:
    """Get meetings at once, each over its own httpx transport, called directly."""
    import httpx

    from suite.peers.structs import DETAIL_DECODER

    transports: list[httpx.AsyncHTTPTransport] = []

    async def get(transport: httpx.AsyncHTTPTransport, meeting: int) -> None:
        url = f"{where.slow_url}/zoom/meetings/{meeting}?accountId=rows-1"
        response = await transport.handle_async_request(httpx.Request("GET", url, headers={"x-api-key": KEY}))
        DETAIL_DECODER.decode(await response.aread())

    async def act(number: int) -> int:
        transports.extend(httpx.AsyncHTTPTransport(verify=False) for _ in range(number - len(transports)))
        await asyncio.gather(*(get(transports[index], where.ids[index]) for index in range(number)))
        return number

    yield act
    for transport in transports:
        await transport.aclose()
