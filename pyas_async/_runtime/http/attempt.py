"""One attempt: a request, and the answer or the fault that it led to."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeAlias
from urllib.parse import quote

import anyio
import attrs
import httpx

from pyas_async._core.calls.messages import Call, Fault, Response, ResponseOrFault
from pyas_async._runtime.http.reading import read
from pyas_async._runtime.http.timeouts import Timeouts
from pyas_async._runtime.http.wire import Wire

Send: TypeAlias = Callable[["Attempt"], Awaitable[httpx.Response]]
"""Makes a request of an attempt, sends it, and gives the response, its body not yet read."""


@attrs.define(kw_only=True, repr=False)
class Attempt:
    """A request on its way. Its inner frames hold secrets, and are in no traceback of a cancellation.

    Attributes:
        call: What is sent.
        headers: The user's own headers.
        phases: What each phase may take.
        wire: How far it came, if the transport tells.
        fresh: Whether it must go out on a connection that has carried nothing before.
        outcome: What came of it, if anything did.
        refusal: The head of an error that came. Its status speaks, whatever becomes of the body: of a refused write,
            nobody has to wonder.
        failure: What was raised instead.
        whole: Whether the answer was read to its end, so that its connection can serve again.
    """

    call: Call[Any]
    headers: Mapping[str, str] = attrs.field(repr=False)  # some who print objects look into them all the same
    phases: Timeouts
    wire: Wire
    fresh: bool = False
    outcome: ResponseOrFault | None = None
    refusal: Response | None = None
    failure: BaseException | None = None
    whole: bool = False

    async def run(self, send: Send, scope: anyio.CancelScope) -> None:
        """Send, and read the answer; whatever happens is kept, but for a cancellation."""
        try:
            self.whole = await self._exchange(send)
        except BaseException as error:  # noqa: BLE001  (handed on, by whoever knows what it means)
            cancellation = _cancellation(error)
            if cancellation is None or not scope.cancel_called:
                # Either no cancellation, or nobody has cancelled us, as far as we can see: the transport raised it.
                self.failure = error if cancellation is None else cancellation
        else:
            return
        if cancellation is not None:
            # The same one, without the frames that it came through, and outside of the handler that would add them.
            raise _bare(cancellation)

    def extensions(self) -> dict[str, Any]:
        """Write what the transport is to know beside the request."""
        extensions: dict[str, Any] = {"timeout": self.phases.extension()}
        if self.call.writes or self.fresh:
            # Whether a write may have been sent, and over what, is worth being told of each step.
            extensions["trace"] = self.wire.trace
        return extensions

    async def _exchange(self, send: Send) -> bool:
        response = await send(self)
        status, headers = response.status_code, _headers_of(response)
        if not response.is_success:
            self.refusal = Response(status, headers, b"")
        try:
            body = await read(response)
        finally:
            await response.aclose()
        if (whole := body.finish()) is not None:
            self.outcome = Response(status, headers, whole)
            return True
        self.outcome = self.refusal or Fault("network", f"{body.fault}", sent=True, permanent=True, carried_out=True)
        return False


def _headers_of(response: httpx.Response) -> dict[str, str]:
    headers: dict[str, str] = {}
    for raw, value in response.headers.raw:
        name, text = raw.decode("latin-1").lower(), value.decode("latin-1")
        headers[name] = f"{headers[name]}, {text}" if name in headers else text
    return headers


def _cancellation(error: BaseException) -> BaseException | None:
    """Give the cancellation that an exception is; ``None`` if it is, or holds, another.

    On trio, tasks that are cancelled together raise a group: so does opening a connection to a host of two addresses.
    """
    cancelled = anyio.get_cancelled_exc_class()
    while isinstance(error, BaseExceptionGroup) and error.split(cancelled)[1] is None:
        error = error.exceptions[0]
    return error if isinstance(error, cancelled) else None


def _bare(cancellation: BaseException) -> BaseException:
    """Take the frames off a cancellation, and off those that it stands for, which say who has cancelled."""
    link: BaseException | None = cancellation
    while link is not None:
        link.__traceback__ = link.__cause__ = None
        if not isinstance(link.__context__, anyio.get_cancelled_exc_class()):
            link.__context__ = None
        link = link.__context__
    return cancellation


def target_of(call: Call[Any]) -> str:
    """Write path and query."""
    if not call.query:
        return call.path
    # Most have nothing in them that `quote` would have to look for.
    pairs = [
        f"{name}={value if value.isalnum() and value.isascii() else quote(value, safe='')}"
        for name, value in call.query
    ]
    return f"{call.path}?{'&'.join(pairs)}"
