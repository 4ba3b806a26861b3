"""Requests through an `httpx.AsyncClient` of our own, over connections of our own."""

import ssl
import warnings
import weakref
from functools import partial

import anyio
import anyio.lowlevel
import anyio.to_thread
import httpx

from pyas_async._core.calls.body_reader import supported_encodings
from pyas_async._runtime.attempts.attempt import Attempt
from pyas_async._runtime.http.client import NO_AUTH, LazyURL, RequestBody, new_client
from pyas_async._runtime.http.connection import CONNECTION, Connection, ConnectionTransport
from pyas_async._runtime.http.environment import names_proxy, no_context, proxy_flaw, tls_context
from pyas_async._runtime.http.instrumentation import is_instrumented
from pyas_async._runtime.http.pool import AnyConnection, ConnectionPool, HttpxConnection
from pyas_async._runtime.secrets.api_key import ApiKey
from pyas_async._version import __version__
from pyas_async.errors import ConfigurationError


async def open_client(base_url: str, key: ApiKey) -> "OwnClient":
    """Read the environment, and return a client for it.

    Raises:
        ConfigurationError: If the environment names a proxy or certificates that cannot be used.
    """
    url = httpx.URL(base_url)
    if url.scheme != "https":
        # Plain http uses no proxy, which would see the key.
        return OwnClient(base_url, key, no_context(), proxied=False)
    # Reading the certificates takes tens of milliseconds, too long for the event loop.
    context = await anyio.to_thread.run_sync(tls_context)
    client = OwnClient(base_url, key, context, proxied=names_proxy("https", url.host))
    await client.check_proxy()
    return client


class OwnClient:
    """Sends through the client's own connections, in the task of the call.

    `task.cancel()` leaves connections of an httpx pool unusable; here it does no harm (see `pool`).
    """

    def __init__(self, base_url: str, key: ApiKey, context: ssl.SSLContext, *, proxied: bool) -> None:
        self._base_url = base_url
        self._url = httpx.URL(base_url)
        self._prefix = self._url.raw_path.decode("ascii").removesuffix("/")
        self._key = key
        self._headers = httpx.Headers(
            {
                "host": self._url.netloc.decode("ascii"),
                "accept": "application/json",
                "accept-encoding": "gzip",
                "user-agent": f"pyas_async/{__version__}",
            }
        )
        self._context = context
        self._proxied = self._uses_httpx = proxied
        stock = partial(httpx.AsyncHTTPTransport, verify=context, trust_env=False)
        self._client = new_client(transport=ConnectionTransport(stock), trust_env=False)
        self.pool = ConnectionPool()
        # Not `__del__`: the garbage collector may finalize the sockets before it.
        weakref.finalize(self, _close_dropped, self.pool)

    async def check_proxy(self) -> None:
        """Raise a `ConfigurationError` if the environment names a proxy that httpx cannot use."""
        if not self._proxied:
            return
        try:
            await self._httpx_connection().aclose()
        except (ImportError, ValueError, httpx.InvalidURL) as error:
            flaw = proxy_flaw(error)
        else:
            return
        # Outside the handler, whose exception may hold the proxy's password.
        raise ConfigurationError(flaw)

    async def aclose(self) -> None:
        """Close all connections."""
        await self.pool.aclose()
        await self._client.aclose()
        await anyio.lowlevel.checkpoint()  # asyncio closes the sockets in its next iteration

    async def run(self, attempt: Attempt, scope: anyio.CancelScope) -> None:
        """Run one attempt."""
        uses_httpx = self._proxied or is_instrumented()
        if uses_httpx is not self._uses_httpx:
            self._uses_httpx = uses_httpx
            self.pool.close_idle()
        connection = self.pool.take(fresh=attempt.fresh) or self._connect()
        own = attempt.connection = connection if isinstance(connection, Connection) else None
        try:
            await attempt.run(partial(self._send, connection), scope)
        finally:
            attempt.connection = None
            reusable = attempt.whole and (own is None or own.settle())
            # A connection of the other kind must not carry requests past a tool that has come meanwhile.
            await self.pool.release(connection, reusable=reusable and (own is None) is self._uses_httpx)

    def _connect(self) -> AnyConnection:
        if self._uses_httpx:
            return self._httpx_connection()
        encrypted = self._url.scheme == "https"
        # Not `host`: asyncio encodes an international name by another rule than httpx, into another name.
        host, port = self._url.raw_host.decode("ascii"), self._url.port or (443 if encrypted else 80)
        return Connection(host, port, self._context if encrypted else None)

    def _httpx_connection(self) -> HttpxConnection:
        limits = httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=None)
        return HttpxConnection(new_client(verify=self._context, trust_env=self._proxied, limits=limits))

    async def _send(self, connection: AnyConnection, attempt: Attempt) -> httpx.Response:
        client = connection.client if isinstance(connection, HttpxConnection) else self._client
        return await client.send(self._request(attempt), stream=True, auth=NO_AUTH, follow_redirects=False)

    def _request(self, attempt: Attempt) -> httpx.Request:
        call, connection = attempt.call, attempt.connection
        url: httpx.URL = LazyURL(self._base_url + call.target)
        extensions = attempt.extensions(always_traced=connection is None)
        if connection is not None:
            # httpx resolves a segment with dots. What is sent is what `request.url` says.
            target = url.raw_path if "/." in call.target else (self._prefix + call.target).encode("ascii")
            connection.prepare(url, target)
            extensions[CONNECTION] = connection
        stream = RequestBody(call.body or b"", attempt.progress.written)
        request = httpx.Request(
            call.method, self._url, headers=self._headers_of(attempt), stream=stream, extensions=extensions
        )
        request.url = url
        return request

    def _headers_of(self, attempt: Attempt) -> httpx.Headers:
        headers = httpx.Headers(self._headers)
        headers["x-api-key"] = self._key.reveal()
        for name, value in attempt.headers.items():
            headers[name] = supported_encodings(value) if name == "accept-encoding" else value
        if attempt.call.body is not None:
            headers["content-type"] = "application/json"
            headers["content-length"] = str(len(attempt.call.body))
        return headers


def _close_dropped(pool: ConnectionPool) -> None:
    """Close the connections of a client that was dropped, and warn if that had to be done."""
    if not pool.is_closed and pool.abandon():
        msg = "a PyasClient was dropped and not closed; use `async with`, or await its aclose()"
        warnings.warn(msg, ResourceWarning, stacklevel=3, source=pool)
