"""The sender: bounds each request in time, and ends the running requests when it is closed."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import anyio
import httpx

from pyas_async._core.calls.messages import Call, Fault, ResponseOrFault
from pyas_async._runtime.attempts.attempt import Attempt
from pyas_async._runtime.attempts.faults import Service, fault_of
from pyas_async._runtime.attempts.limiter import ConnectionLimiter
from pyas_async._runtime.attempts.passed_client import HttpClient, PassedClient
from pyas_async._runtime.attempts.progress import Progress
from pyas_async._runtime.clock import Clock
from pyas_async._runtime.secrets.api_key import ApiKey
from pyas_async._runtime.secrets.tracebacks import without_request_frames
from pyas_async._runtime.timeouts import Timeouts
from pyas_async.errors import ClientClosedError

if TYPE_CHECKING:
    from pyas_async._runtime.attempts.own_client import OwnClient


class Sender:
    """Sends requests, and can be closed while requests are running.

    Attributes:
        connections: Slots for running requests.
    """

    def __init__(self, base_url: str, key: ApiKey, *, max_connections: int, http_client: HttpClient | None) -> None:
        url = httpx.URL(base_url)
        peer = url.raw_host.decode("ascii"), url.port or (443 if url.scheme == "https" else 80)
        self._service = Service(base_url, peer)
        self._key = key
        self._own: OwnClient | None = None
        self._passed = None if http_client is None else PassedClient(base_url, key, http_client)
        pool = None if self._passed is None else self._passed.pool()
        self.connections: ConnectionLimiter = ConnectionLimiter.before(pool, max_connections)
        self._clock = Clock()
        self._under_way: set[anyio.CancelScope] = set()
        self._idle: anyio.Event | None = None
        self._closed = False

    def keep_time_by(self, clock: Clock) -> None:
        """Use another clock for the bounds of attempts."""
        self._clock = clock

    async def aclose(self) -> None:
        """End the running requests, and close our own connections. A passed client belongs to its owner."""
        self._closed = True
        try:
            if self._under_way:
                self._idle = anyio.Event() if self._idle is None else self._idle
                for scope in self._under_way:
                    scope.cancel()
                await self._idle.wait()
        finally:
            if self._own is not None:
                await self._own.aclose()

    async def send(
        self,
        call: Call[Any],
        *,
        headers: Mapping[str, str],
        phases: Timeouts,
        limit: float | None,
        fresh: bool = False,
        on_wire: Callable[[], None] | None = None,
    ) -> ResponseOrFault:
        """Send one request and read the whole answer.

        Args:
            call: The call to send.
            headers: The user's own headers.
            phases: The bounds of the phases.
            limit: Seconds for the whole attempt.
            fresh: Whether it must use a connection that has carried no request before.
            on_wire: Called when the request has been written.
        """
        attempt = Attempt(call=call, headers=headers, phases=phases, progress=Progress(on_wire), fresh=fresh)
        del headers  # tracebacks show variables, and a header may be a secret
        client = self._passed or self._own or await self._open()
        if self._closed:  # during the await
            return Fault("network", "the client was closed", sent=False)
        with self._clock.move_on_after(limit) as scope:
            self._under_way.add(scope)
            try:
                await client.run(attempt, scope)
            except BaseException:
                attempt.failure = None  # as in `_outcome`
                raise
            finally:
                self._under_way.discard(scope)
                if self._idle is not None and not self._under_way:
                    self._idle.set()
        return self._outcome(attempt)

    async def _open(self) -> "OwnClient":
        # Loaded so late, since many programs import the package and make no call.
        from pyas_async._runtime.attempts.own_client import open_client  # noqa: PLC0415

        client = await open_client(self._service.origin, self._key)
        if self._own is None:  # another call may have been faster
            self._own = client
        return self._own

    def _outcome(self, attempt: Attempt) -> ResponseOrFault:
        if attempt.outcome is not None:
            return attempt.outcome
        progress, error, passed = attempt.progress, attempt.failure, self._passed
        attempt.failure = None  # the traceback leads to frames with the attempt, and must not come back to the error
        if error is not None:
            trusted = passed is None or passed.speaks_httpx()
            fault = fault_of(error, progress, method=attempt.call.method, service=self._service, trusted=trusted)
            if fault is not None:
                return attempt.refusal or fault
            if passed is not None and isinstance(error, RuntimeError) and passed.client.is_closed:
                msg = "the httpx client was closed"
                raise ClientClosedError(msg)
            try:
                raise without_request_frames(error)
            finally:
                del error
        if attempt.refusal is not None:
            return attempt.refusal
        # Only httpcore reports how far a request has come. Without a report, it may have been sent.
        sent = progress.begun or not progress.reported
        if self._closed:
            return Fault("network", "the client was closed", sent=sent)
        return Fault("timeout", f"{self._service.origin}: no whole answer", sent=sent, out_of_time=True)
