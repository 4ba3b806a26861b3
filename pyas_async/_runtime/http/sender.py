"""The sender: bounds each request in time, and ends the running requests when it is closed."""

from collections.abc import Callable, Mapping
from typing import Any

import anyio
import httpx

from pyas_async._core.calls.messages import Call, Fault, ResponseOrFault
from pyas_async._runtime.clock import Clock
from pyas_async._runtime.http.attempt import Attempt
from pyas_async._runtime.http.faults import Service, fault_of
from pyas_async._runtime.http.http_client import HttpClient
from pyas_async._runtime.http.limiter import ConnectionLimiter
from pyas_async._runtime.http.own_client import OwnClient
from pyas_async._runtime.http.passed_client import PassedClient
from pyas_async._runtime.http.private_names import pool_of
from pyas_async._runtime.http.progress import Progress
from pyas_async._runtime.secrets.api_key import ApiKey
from pyas_async._runtime.secrets.tracebacks import without_request_frames
from pyas_async._runtime.timeouts import Timeouts
from pyas_async.errors import ClientClosedError


class Sender:
    """Sends requests, and can be closed while requests are running."""

    def __init__(self, base_url: str, key: ApiKey, *, max_connections: int, http_client: HttpClient | None) -> None:
        self.connections: ConnectionLimiter = (
            ConnectionLimiter(max_connections)
            if http_client is None
            else ConnectionLimiter.before(pool_of(http_client, base_url), max_connections)
        )
        """Slots for running requests."""
        url = httpx.URL(base_url)
        peer = url.raw_host.decode("ascii"), url.port or (443 if url.scheme == "https" else 80)
        self._service = Service(base_url, peer)
        # Plain http goes to the service's address alone: another receiver would be a proxy, and see the key.
        self._only_to = peer if http_client is not None and url.scheme == "http" else None
        self._client = http_client
        self._own = OwnClient(base_url, key) if http_client is None else None
        self._passed = None if http_client is None else PassedClient(base_url, key, http_client)
        self._clock = Clock()
        self._under_way: set[anyio.CancelScope] = set()
        self._idle: anyio.Event | None = None
        self._closed = False

    def keep_time_by(self, clock: Clock) -> None:
        """Use another clock for the bounds of attempts."""
        self._clock = clock

    @property
    def under_way(self) -> int:
        """How many requests are running."""
        return len(self._under_way)

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
        own, passed = self._own, self._passed
        progress = Progress(on_wire, fresh=fresh and passed is not None, only_to=self._only_to)
        attempt = Attempt(call=call, headers=headers, phases=phases, progress=progress, fresh=fresh)
        del headers  # tracebacks show variables, and a header may be a secret
        if own is not None:
            await own.open()
        if self._closed:  # closed during the await
            return Fault("network", "the client was closed", sent=False)
        if own is not None:
            await self._run(own, attempt, limit)
        elif passed is not None:
            # The pool of a passed client loses connections when `task.cancel()` cancels a request, but not when a
            # scope does. A task group turns the one into the other. (On trio there are only scopes; the group costs
            # next to nothing.)
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._run, passed, attempt, limit)
        return self._outcome(attempt)

    async def _run(self, client: OwnClient | PassedClient, attempt: Attempt, limit: float | None) -> None:
        if self._closed:
            return
        with self._clock.move_on_after(limit) as scope:
            self._under_way.add(scope)
            try:
                await client.run(attempt, scope)
            finally:
                self._under_way.discard(scope)
                if self._idle is not None and not self._under_way:
                    self._idle.set()

    def _outcome(self, attempt: Attempt) -> ResponseOrFault:
        if attempt.outcome is not None:
            return attempt.outcome
        progress, error, client = attempt.progress, attempt.failure, self._client
        if error is not None:
            trusted = self._passed is None or self._passed.speaks_httpx()
            fault = fault_of(error, progress, method=attempt.call.method, service=self._service, trusted=trusted)
            if fault is not None:
                return attempt.refusal or fault
            if client is not None and isinstance(error, RuntimeError) and client.is_closed:
                msg = "the httpx client was closed"
                raise ClientClosedError(msg)
            raise without_request_frames(error)
        if attempt.refusal is not None:
            return attempt.refusal
        # Only httpcore reports how far a request has come. Without a report, it may have been sent.
        sent = progress.begun or not progress.reported
        if self._closed:
            return Fault("network", "the client was closed", sent=sent)
        return Fault("timeout", f"{self._service.origin}: no whole answer", sent=sent, out_of_time=True)
