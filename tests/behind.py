"""Lets a test server pass requests on to a sandbox without a second socket."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

import httpx

from runtime.socket_server import Seen

if TYPE_CHECKING:
    from pyas_async.sandbox import Sandbox

Ask: TypeAlias = Callable[[Seen], httpx.Response]

PASSED = ("x-api-key", "content-type")
"""The headers that are passed on to the sandbox."""


def behind(sandbox: Sandbox) -> Ask:
    """Return a function that passes requests on to a sandbox. Threads without an event loop call it, one at a time."""
    transport, turns = sandbox.transport(), threading.Lock()

    async def answer(request: httpx.Request) -> httpx.Response:
        response = await transport.handle_async_request(request)
        await response.aread()
        return response

    def ask(seen: Seen) -> httpx.Response:
        headers = {name: seen.headers[name] for name in PASSED if name in seen.headers}
        with turns:
            return asyncio.run(
                answer(httpx.Request(seen.method, f"http://sandbox{seen.target}", headers=headers, content=seen.body))
            )

    return ask
