"""Responses that end when the browser disconnects, so that work which no browser waits for spends no calls."""

import json
from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

import anyio
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

T = TypeVar("T")


class Tell(Protocol):
    """A function that sends an event to the browser; the data become JSON."""

    async def __call__(self, event: str, data: object) -> None:
        """Send one event of the type `event`."""


async def _until_gone(receive: Receive, scope: anyio.CancelScope) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    scope.cancel()


class EventStream(Response):
    """Server-sent events from a function, which runs until it returns or the browser disconnects.

    Starlette's `StreamingResponse` takes a generator. If the response ends in the middle, the generator is not closed
    until it is garbage-collected, so it should not hold a listing's block open. A function that is cancelled leaves its
    blocks at once.
    """

    media_type = "text/event-stream"

    def __init__(self, work: Callable[[Tell], Awaitable[None]]) -> None:
        super().__init__(headers={"cache-control": "no-store", "x-accel-buffering": "no"})
        del self.headers["content-length"]
        self._work = work

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 -- ASGI's signature
        """Send the events; cancel the function that makes them when the browser disconnects."""

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
    """Return the result of `work`; if the browser disconnects first, cancel `work` and return ``None``.

    Use it for reads only. The service may carry out a write after its request was sent, so let writes finish.
    """
    result: T | None = None
    failure: Exception | None = None
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_until_gone, request.receive, tasks.cancel_scope)
        try:
            result = await work()
        except Exception as error:  # noqa: BLE001 -- raised below: the task group would wrap it in a group
            failure = error
        tasks.cancel_scope.cancel()
    if failure is not None:
        raise failure
    return result
