"""Requests over the client's own connections."""

import ssl
from collections.abc import Callable
from functools import cache, partial
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import anyio
import anyio.to_thread
import httpx

from pyas_async._runtime.http.address import address
from pyas_async._runtime.http.attempt import Attempt, target_of
from pyas_async._runtime.http.connections import Connection, Connections, close
from pyas_async._runtime.http.onlookers import Relay, is_watched
from pyas_async._runtime.http.wire import body_class
from pyas_async._runtime.secrets.api_key import ApiKey
from pyas_async._version import __version__
from pyas_async.errors import ConfigurationError

_Body = body_class(httpx.ByteStream)


class Own:
    """Sends through the client's own connections, in the task of the call.

    `task.cancel()` leaves connections of an httpx pool unusable; here it does no harm (see `connections`).
    """

    def __init__(self, base_url: str, key: ApiKey) -> None:
        self._base_url = base_url
        self._address = address(base_url)
        self._key = key
        self._fixed = httpx.Headers(
            {
                "host": self._address.host,
                "accept": "application/json",
                "accept-encoding": "gzip",
                "user-agent": f"pyas_async/{__version__}",
            }
        )
        self._relay: Relay | None = None
        self.connections: Connections | None = None
        self._now = anyio.current_time

    async def open(self) -> None:
        """Prepare the connections, unless that was done.

        Raises:
            ConfigurationError: If the environment names a proxy or certificates that cannot be used.
        """
        if self.connections is not None:
            return
        try:
            make = await self._maker()
        except (ImportError, OSError, ValueError, httpx.InvalidURL) as error:
            flaw = _flaw_of_environment(error)
        else:
            if self.connections is None:  # checked again after the await
                self.connections = Connections(make)
            return
        # Outside the handler, whose exception may hold the proxy's password.
        raise ConfigurationError(flaw)

    async def _maker(self) -> Callable[[], Connection]:
        if self._base_url.startswith("http:"):
            # Plain http stays on this machine: no proxy may see the key.
            return _maker(_no_context(), None)
        # Reading the certificates takes tens of milliseconds, too long for the event loop.
        context, proxy = await anyio.to_thread.run_sync(_context), _proxy_for(self._base_url)
        make = _maker(context, proxy)
        if proxy is not None:
            await close(make())  # fail now if it cannot be made
        return make

    async def aclose(self) -> None:
        """Close all connections."""
        if self.connections is not None:
            await self.connections.aclose()

    async def run(self, attempt: Attempt, scope: anyio.CancelScope) -> None:
        """Run one attempt. `open` must have been called."""
        connections = self.connections
        assert connections is not None  # noqa: S101  (see above)
        connection = await connections.take(self._now(), fresh=attempt.fresh)
        try:
            await attempt.run(partial(self._send, connection), scope)
        finally:
            if attempt.whole:
                await connections.release(connection, self._now())
            else:
                await close(connection)

    async def _send(self, connection: Connection, attempt: Attempt) -> httpx.Response:
        request = self._request(attempt)
        if is_watched():
            if self._relay is None:
                self._relay = Relay()
            return await self._relay.send(request, connection)
        return await connection.handle_async_request(request)

    def _request(self, attempt: Attempt) -> httpx.Request:
        call = attempt.call
        headers = httpx.Headers(self._fixed)
        for name, value in attempt.headers.items():
            headers[name] = value
        if call.body is not None:
            headers["content-type"] = "application/json"
            headers["content-length"] = str(len(call.body))
        headers["x-api-key"] = self._key.reveal()
        return httpx.Request(
            call.method,
            self._address.of(target_of(call)),
            headers=headers,
            stream=_Body(call.body or b"", attempt.wire),
            extensions=attempt.extensions(),
        )


def _maker(context: ssl.SSLContext, proxy: str | None) -> Callable[[], Connection]:
    if proxy is None:
        from pyas_async._runtime.http import single  # noqa: PLC0415 -- httpcore, which httpx loads so late, too

        return partial(single.transport, context)
    limits = httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=None)
    return partial(httpx.AsyncHTTPTransport, verify=context, trust_env=False, limits=limits, proxy=proxy)


@cache
def _context() -> ssl.SSLContext:
    # Building a context takes as long as a hundred requests, so all clients of the process share it.
    context = httpx.create_ssl_context()
    context.set_alpn_protocols(["http/1.1"])
    return context


@cache
def _no_context() -> ssl.SSLContext:
    # Nothing is encrypted with it, but without one each connection would build its own.
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def _proxy_for(base_url: str) -> str | None:
    """Return the proxy that the environment, or the system, names for an address."""
    parts = urlsplit(base_url)
    proxies = getproxies()
    proxy = proxies.get(parts.scheme) or proxies.get("all")
    if not proxy or proxy_bypass(parts.netloc.rpartition("@")[2]):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


def _flaw_of_environment(error: Exception) -> str:
    """Describe the setting of the environment that cannot be used."""
    if isinstance(error, OSError):  # so are the errors of ssl
        return f"the certificates to trust cannot be read ({error}); SSL_CERT_FILE or SSL_CERT_DIR may name none"
    name = "the proxy of the environment (HTTPS_PROXY, ALL_PROXY) cannot be used"
    if isinstance(error, ImportError):
        return f"{name}: SOCKS needs another package; install httpx[socks]"
    return f"{name}: expected an address such as http://proxy.example:3128"
