"""The connections: an own `httpx.AsyncClient`, made when first needed, or an injected one."""

import contextlib
import functools
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any

import anyio
import anyio.to_thread
import httpx

from pyas_async._core.messages import Answer, Call, Fault, Outcome
from pyas_async._runtime.key import ApiKey
from pyas_async._runtime.quiet import quiet_httpx
from pyas_async._runtime.transport.attempt import Attempt, Timeouts, Wire, least
from pyas_async._runtime.transport.face import HttpClient
from pyas_async._runtime.transport.faults import fault_of, transport_of
from pyas_async._runtime.transport.pools import mend, places_of
from pyas_async._version import __version__
from pyas_async.errors import ClientClosedError, ConfigurationError

# Node closes an idle connection after 5 s, and many a proxy after little more. A request on a connection that the other
# side is just closing is lost, and must be repeated. (A create, which cannot be, goes out on a fresh one in any case.)
KEEPALIVE = 4.0


@functools.cache
def _ssl_context() -> ssl.SSLContext:
    # Building one takes as long as a hundred requests; all clients of the process share it.
    return httpx.create_ssl_context()


def _flaw_of_environment(error: Exception) -> str:
    """Say what the environment asks for that cannot be done; httpx takes proxies and certificates from there."""
    if isinstance(error, OSError):  # ssl's are, too
        return f"the certificates to trust cannot be read ({error}); SSL_CERT_FILE or SSL_CERT_DIR may name none"
    name = "the proxy of the environment (HTTPS_PROXY, ALL_PROXY) cannot be used"
    if isinstance(error, ImportError):
        return f"{name}: SOCKS needs another package; install httpx[socks]"
    return f"{name}: expected an address such as http://proxy.example:3128"


class Transport:
    """Sends requests, and can be closed under them."""

    def __init__(self, base_url: str, key: ApiKey, *, max_connections: int, http_client: HttpClient | None) -> None:
        """Keep what is needed to send; nothing is opened yet."""
        self._base_url = base_url
        self._key = key
        self._max_connections = max_connections
        self._injected = http_client
        self._own: httpx.AsyncClient | None = None
        # Nobody waits in httpx's own queue: a waiter that is cancelled there can take a connection out of use for good.
        self._places = None if http_client is None else places_of(http_client, base_url)
        self._under_way: set[anyio.CancelScope] = set()
        self._idle: anyio.Event | None = None
        self._closed = False
        quiet_httpx(base_url)

    async def aclose(self) -> None:
        """End what is under way, and close the own client; an injected one is its owner's."""
        self._closed = True
        if self._under_way:
            self._idle = anyio.Event() if self._idle is None else self._idle
            for scope in self._under_way:
                scope.cancel()
            await self._idle.wait()
        own, self._own = self._own, None
        if own is not None:
            # As in `send`: a ``task.cancel()`` between two connections would leave the second to nobody.
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(own.aclose)

    async def send(
        self,
        call: Call[Any],
        *,
        headers: Mapping[str, str],
        phases: Timeouts,
        limit: float | None,
        fresh: bool = False,
        on_wire: Callable[[], None] | None = None,
    ) -> Outcome:
        """Send one request and read the whole answer.

        Args:
            call: What to send.
            headers: All headers that matter, but for the key.
            phases: What each phase may take.
            limit: What the whole may take.
            fresh: Whether it must go out on a connection that has carried nothing before.
            on_wire: Told when the request has been written.
        """
        attempt = Attempt(
            client=self._injected or self._own or await self._open(),
            base_url=self._base_url,
            key=self._key,
            call=call,
            headers=headers if self._injected else {"user-agent": f"pyas_async/{__version__}", **headers},
            phases=phases,
            wire=Wire(on_wire, fresh=fresh),
            traced=on_wire is not None or fresh or call.method != "GET",
        )
        began = anyio.current_time()
        async with self._place(least(limit, phases.pool)) as free:
            if self._closed:
                return Fault("network", "the client was closed", sent=False)
            if not free:
                return Fault("timeout", f"no connection was free within {limit} s", sent=False)
            left = None if limit is None else limit - (anyio.current_time() - began)
            # httpx's pool loses connections when a request is cancelled by ``task.cancel()``, but not by a scope. A
            # task group turns the one into the other. (On trio there is nothing but scopes; the group costs next to
            # nothing.)
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._run, attempt, left)
        return self._outcome(attempt, limit)

    async def _run(self, attempt: Attempt, limit: float | None) -> None:
        if self._closed:
            return
        with anyio.move_on_after(limit) as scope:
            self._under_way.add(scope)
            try:
                await attempt.run(scope)
            finally:
                if not isinstance(attempt.outcome, Answer):
                    await mend(attempt.client, self._base_url)
                self._under_way.discard(scope)
                if self._idle is not None and not self._under_way:
                    self._idle.set()

    def _outcome(self, attempt: Attempt, limit: float | None) -> Outcome:
        if attempt.outcome is not None:
            return attempt.outcome
        wire, error = attempt.wire, attempt.failure
        if error is not None:
            trusted = transport_of(attempt.client, self._base_url) is not None
            fault = fault_of(error, wire, origin=self._base_url, trusted=trusted)
            if fault is not None:
                return fault
            if isinstance(error, RuntimeError) and attempt.client.is_closed:
                msg = "the httpx client was closed"
                raise ClientClosedError(msg)
            raise error
        # Only httpcore says how far it came. Where it said nothing, the request may be anywhere.
        sent = wire.begun or not wire.heard
        if self._closed:
            return Fault("network", "the client was closed", sent=sent)
        return Fault("timeout", f"{self._base_url}: no whole answer within {limit} s", sent=sent)

    @contextlib.asynccontextmanager
    async def _place(self, limit: float | None) -> AsyncIterator[bool]:
        """Hold a place in the pool; ``False`` if none came free in time."""
        places = self._places
        if places is None:
            yield True
            return
        taken = False
        with anyio.move_on_after(limit):
            await places.acquire()
            taken = True
        try:
            yield taken
        finally:
            if taken:
                places.release()

    async def _open(self) -> HttpClient:
        try:
            return await self._make()
        except (ImportError, OSError, ValueError, httpx.InvalidURL) as error:
            flaw = _flaw_of_environment(error)
        # Outside of the handler, whose exception may hold the proxy's password.
        raise ConfigurationError(flaw)

    async def _make(self) -> HttpClient:
        plain = self._base_url.startswith("http:")
        # Reading the certificates takes tens of milliseconds, which the event loop has not got.
        context = False if plain else await anyio.to_thread.run_sync(_ssl_context)
        if self._closed:  # meanwhile
            msg = "the client was closed under the call"
            raise ClientClosedError(msg)
        if self._own is None:
            limits = httpx.Limits(
                max_connections=self._max_connections,
                max_keepalive_connections=self._max_connections,
                keepalive_expiry=KEEPALIVE,
            )
            self._own = httpx.AsyncClient(
                verify=context,
                limits=limits,
                timeout=None,  # noqa: S113  (each request carries its own)
                follow_redirects=False,
                # Plain http stays on this machine: no proxy gets to see the key.
                trust_env=not plain,
                cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
            )
            self._places = anyio.Semaphore(self._max_connections, fast_acquire=True)
        return self._own
