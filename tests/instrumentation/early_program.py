"""Wraps the methods of httpx and httpcore before pyas_async is imported, as `opentelemetry-instrument` and others do.

It prints how many requests each wrapper has seen of three: the second is made while the wrappers are removed.
"""

from __future__ import annotations

import functools
import json
from typing import Any

import anyio
import httpcore
import httpx
import wrapt

SEEN: dict[str, int] = {}
ORIGINALS: list[tuple[Any, str, Any]] = []


def wrap(cls: Any, name: str) -> None:  # noqa: ANN401  (a class)
    """Wrap a method: of httpx with wrapt, of httpcore by a function."""
    original, key = getattr(cls, name), f"{cls.__name__}.{name}"
    ORIGINALS.append((cls, name, original))
    SEEN.setdefault(key, 0)

    async def count(method: Any, _instance: object, given: Any, options: Any) -> Any:  # noqa: ANN401
        SEEN[key] += 1
        return await method(*given, **options)

    @functools.wraps(original)
    async def replacement(this: object, request: object) -> Any:  # noqa: ANN401
        SEEN[key] += 1
        return await original(this, request)

    if cls.__module__.startswith("httpx"):
        wrapt.wrap_function_wrapper(cls, name, count)
    else:
        setattr(cls, name, replacement)


METHODS = (
    (httpx.AsyncClient, "send"),
    (httpx.AsyncHTTPTransport, "handle_async_request"),
    (httpcore.AsyncConnectionPool, "handle_async_request"),
    (httpcore.AsyncHTTPConnection, "handle_async_request"),
)
for method in METHODS:
    wrap(*method)

from runtime.socket_server import client_of, found, wire  # noqa: E402  (it imports pyas_async)


async def main() -> None:
    """Make three calls."""
    with wire(found) as server:
        async with client_of(server.url, way="own") as client:
            await client.meetings.get(1)
            while ORIGINALS:
                setattr(*ORIGINALS.pop())
            await client.meetings.get(2)
            for method in METHODS:
                wrap(*method)
            await client.meetings.get(3)
        assert 3 == len(server.requests)


anyio.run(main)
print(json.dumps(SEEN))  # noqa: T201
