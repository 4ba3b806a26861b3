"""Answers that end with whoever asked for them: what nobody waits for any more spends no calls."""

import json
from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

import anyio
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

T = TypeVar("T")


class Tell(Protocol):
    """Sends an event to the browser."""

    async def __call__(self, event: str, data: object) -> None:
        """Send it."""


async def _until_gone(receive: Receive, scope: anyio.CancelScope) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    scope.cancel()


class EventStream(Response):
    """Server-sent events, made by a function that runs until it ends, or until the browser has gone.

    Starlette's `StreamingResponse` takes a generator. One that is left in the middle is closed by nobody until it is
    garbage, so none should hold a listing's block open. A function that is cancelled leaves its blocks at once.
    """

    media_type = "text/event-stream"

    def __init__(self, work: Callable[[Tell], Awaitable[None]]) -> None:
        """Keep what makes the events."""
        super().__init__(headers={"cache-control": "no-store", "x-accel-buffering": "no"})
        del self.headers["content-length"]
        self._work = work

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 -- as ASGI has it
        """Answer a request."""

        async def tell(event: str, data: object) -> None:
            body = f"event: {event}\ndata: {json.dumps(data)}\n\n".encode()
            await send({"type": "http.response.body", "body": body, "more_body": True})

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_until_gone, receive, tasks.cancel_scope)
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            await self._work(tell)
            await send({"type": "http.response.body", "body": b"", "more_body": False})
            tasks.cancel_scope.cancel()


async def unless_gone(request: Request, work: Callable[[], Awaitable[T]]) -> T | None:
    """Do what a browser asked for; when it goes away, cancel that, and give ``None``, which nobody gets.

    For what only reads. A write whose request was sent may be carried out all the same, so let writes end.
    """
    result: T | None = None
    failure: Exception | None = None
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_until_gone, request.receive, tasks.cancel_scope)
        try:
            result = await work()
        except Exception as error:  # noqa: BLE001 -- raised below: out of the task group, it would come in a group
            failure = error
        tasks.cancel_scope.cancel()
    if failure is not None:
        raise failure
    return result
