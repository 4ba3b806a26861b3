"""One attempt: a request, and the response or the fault that results."""

from collections.abc import Awaitable, Callable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeAlias

import anyio
import attrs
import httpx

from pyas_async._core.calls.messages import Call, Fault, Response, ResponseOrFault
from pyas_async._runtime.attempts.progress import Progress
from pyas_async._runtime.attempts.reading import read
from pyas_async._runtime.secrets.tracebacks import cancellation_of, without_frames
from pyas_async._runtime.timeouts import Timeouts

if TYPE_CHECKING:
    from pyas_async._runtime.http.connection import Connection

Send: TypeAlias = Callable[["Attempt"], Awaitable[httpx.Response]]
"""Builds the request of an attempt, sends it, and returns the response with its body unread."""


@attrs.define(kw_only=True, repr=False)
class Attempt:
    """One request and its result. Its inner frames hold secrets, and are in no traceback of a cancellation.

    Attributes:
        call: The call to send.
        headers: The user's own headers.
        phases: The bounds of the phases.
        progress: How far the request has come.
        fresh: Whether it must use a connection that has carried no request before.
        connection: The connection of our own client that carries it now.
        outcome: The result, if there is one.
        refusal: The head of an error response. Its status counts even if the body is lost: a refused write is never in
            doubt.
        failure: The exception that was raised instead.
        whole: Whether the response was read to its end, so that its connection can be used again.
    """

    call: Call[Any]
    # Some tools that print objects show each field that does not refuse it, whatever the `repr` of the class is.
    headers: Mapping[str, str] = attrs.field(repr=False)
    phases: Timeouts
    progress: Progress
    fresh: bool = False
    connection: "Connection | None" = None
    outcome: ResponseOrFault | None = None
    refusal: Response | None = None
    failure: BaseException | None = None
    whole: bool = False

    async def run(self, send: Send, scope: anyio.CancelScope) -> None:
        """Send the request and read the response. Store the result or the exception; raise only a cancellation."""
        try:
            self.whole = await self._exchange(send)
        except BaseException as error:  # noqa: BLE001  (the caller maps it)
            cancellation = cancellation_of(error)
            if cancellation is None or not scope.cancel_called:
                # It is no cancellation, or one that the transport may have raised.
                self.failure = error if cancellation is None else cancellation
        else:
            return
        if cancellation is not None:
            try:
                # Raise the same exception, without its frames, and outside the handler that would add them.
                raise without_frames(cancellation)
            finally:
                del cancellation  # the new traceback leads to this frame, and must not come back to the exception

    def extensions(self, *, always_traced: bool = False) -> dict[str, Any]:
        """Return the extensions of the request for the transport."""
        extensions: dict[str, Any] = {"timeout": self.phases.extension()}
        if always_traced or self.call.writes or self.fresh:
            # For a write, each step is worth tracing: it tells whether the write may have been sent, and on which
            # connection.
            extensions["trace"] = self.progress.trace
        return extensions

    async def _exchange(self, send: Send) -> bool:
        response = await send(self)
        status, headers = response.status_code, _headers_of(response)
        if not response.is_success:
            self.refusal = Response(status, headers, b"")
        encoding = headers.get("content-encoding", "")
        body = await read(response, encoding, self.connection)
        if (whole := body.finish()) is not None:
            self.outcome = Response(status, headers, whole)
            return True
        self.outcome = self.refusal or Fault("network", f"{body.fault}", sent=True, permanent=True, carried_out=True)
        return False


@lru_cache(maxsize=256)
def _lower(name: bytes) -> str:
    return name.decode("latin-1").lower()


def _headers_of(response: httpx.Response) -> dict[str, str]:
    headers: dict[str, str] = {}
    for raw, value in response.headers.raw:
        name, text = _lower(raw), value.decode("latin-1")
        headers[name] = f"{headers[name]}, {text}" if name in headers else text
    return headers
