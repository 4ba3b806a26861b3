"""Requests through an `httpx.AsyncClient` of our own, over connections of our own."""

import warnings
import weakref
from functools import cache, partial
from typing import TYPE_CHECKING, Any

import anyio
import anyio.lowlevel
import anyio.to_thread
import httpx

from pyas_async._core.calls.body_reader import supported_encodings
from pyas_async._runtime.http.attempt import Attempt
from pyas_async._runtime.http.environment import (
    names_proxy,
    no_context,
    proxy_flaw,
    tls_context,
)
from pyas_async._runtime.http.instrumentation import is_instrumented
from pyas_async._runtime.http.progress import RequestBody
from pyas_async._runtime.secrets.api_key import ApiKey
from pyas_async._version import __version__
from pyas_async.errors import ConfigurationError

if TYPE_CHECKING:
    from pyas_async._runtime.http.pool import AnyConnection, ConnectionPool, HttpxConnection

_NO_AUTH = httpx.Auth()
"""Without it, httpx parses the address of each request to look for a user name."""


class OwnClient:
    """Sends through the client's own connections, in the task of the call.

    `task.cancel()` leaves connections of an httpx pool unusable; here it does no harm (see `pool`).
    """

    def __init__(self, base_url: str, key: ApiKey) -> None:
        self._base_url = base_url
        self._url = httpx.URL(base_url)
        self._prefix = self._url.raw_path.decode("ascii").removesuffix("/")
        self._key = key
        self._fixed = httpx.Headers(
            {
                "host": self._url.netloc.decode("ascii"),
                "accept": "application/json",
                "accept-encoding": "gzip",
                "user-agent": f"pyas_async/{__version__}",
            }
        )
        self._prepared = _Prepared(self._fixed, "")
        self._context = no_context()
        self._proxied = self._uses_httpx = False
        self._client: httpx.AsyncClient | None = None
        self.pool: ConnectionPool | None = None
        self._dropped = _Dropped()
        # Not `__del__`: the garbage collector may finalize the sockets before it.
        weakref.finalize(self, self._dropped)

    async def open(self) -> None:
        """Read the environment, unless that was done.

        Raises:
            ConfigurationError: If the environment names a proxy or certificates that cannot be used.
        """
        if self.pool is not None:
            return
        # Loaded so late, since many programs import the package and make no call.
        from pyas_async._runtime.http.connection import ConnectionTransport  # noqa: PLC0415
        from pyas_async._runtime.http.pool import ConnectionPool  # noqa: PLC0415

        # Plain http uses no proxy, which would see the key.
        if self._url.scheme == "https":
            # Reading the certificates takes tens of milliseconds, too long for the event loop.
            self._context = await anyio.to_thread.run_sync(tls_context)
            self._proxied = self._uses_httpx = names_proxy("https", self._url.host)
        if self._proxied:
            await self._check_proxy()
        if self.pool is None:  # checked again after the awaits
            stock = partial(httpx.AsyncHTTPTransport, verify=self._context, trust_env=False)
            self._client = new_client(transport=ConnectionTransport(stock), trust_env=False)
            self.pool = self._dropped.pool = ConnectionPool()

    async def _check_proxy(self) -> None:
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
        if self.pool is not None and self._client is not None:
            await self.pool.aclose()
            await self._client.aclose()
            await anyio.lowlevel.checkpoint()  # asyncio closes the sockets in its next iteration

    async def run(self, attempt: Attempt, scope: anyio.CancelScope) -> None:
        """Run one attempt. `open` must have been called."""
        pool = self.pool
        assert pool is not None  # noqa: S101
        uses_httpx = self._proxied or is_instrumented()
        if uses_httpx is not self._uses_httpx:
            self._uses_httpx = uses_httpx
            pool.close_idle()
        connection = await pool.take(fresh=attempt.fresh) or self._connect()
        attempt.connection = connection
        try:
            await attempt.run(self._send, scope)
        finally:
            attempt.connection = None
            # A connection of the other kind must not carry requests past a tool that has come meanwhile.
            await pool.release(connection, whole=attempt.whole and connection.is_ours is not self._uses_httpx)

    def _connect(self) -> "AnyConnection":
        if self._uses_httpx:
            return self._httpx_connection()
        from pyas_async._runtime.http.connection import Connection  # noqa: PLC0415 -- see `open`

        assert self._client is not None  # noqa: S101
        port = self._url.port or (443 if self._url.scheme == "https" else 80)
        context = self._context if self._url.scheme == "https" else None
        # Not `host`: asyncio encodes an international name by another rule than httpx, into another name.
        return Connection(self._client, self._url.raw_host.decode("ascii"), port, context)

    def _httpx_connection(self) -> "HttpxConnection":
        from pyas_async._runtime.http.pool import HttpxConnection  # noqa: PLC0415 -- see `open`

        limits = httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=None)
        return HttpxConnection(new_client(verify=self._context, trust_env=self._proxied, limits=limits))

    async def _send(self, attempt: Attempt) -> httpx.Response:
        connection = attempt.connection
        assert connection is not None  # noqa: S101
        request = self._request(attempt, connection)
        return await connection.client.send(request, stream=True, auth=_NO_AUTH, follow_redirects=False)

    def _request(self, attempt: Attempt, connection: "AnyConnection") -> httpx.Request:
        call = attempt.call
        target = call.target
        url: httpx.URL = LazyURL(self._base_url + target)
        # httpx resolves such a segment. What is sent is what `request.url` says.
        path = url.raw_path if "/." in target else (self._prefix + target).encode("ascii")
        extensions = attempt.extensions(always_traced=not connection.is_ours)
        connection.prepare(url, path, extensions)
        stream = RequestBody(call.body or b"", attempt.progress)
        request = httpx.Request(
            call.method, self._url, headers=self._headers(attempt), stream=stream, extensions=extensions
        )
        request.url = url
        return request

    def _headers(self, attempt: Attempt) -> httpx.Headers:
        body = attempt.call.body
        if self._prepared.key != self._key.reveal():
            headers = httpx.Headers(self._fixed)
            headers["x-api-key"] = self._key.reveal()
            self._prepared = _Prepared(headers, self._key.reveal())
        headers = self._prepared.headers
        if attempt.headers or body is not None:
            headers = httpx.Headers(headers)
            for name, value in attempt.headers.items():
                headers[name] = supported_encodings(value) if name == "accept-encoding" else value
            if body is not None:
                headers["content-type"] = "application/json"
                headers["content-length"] = str(len(body))
        return headers


class _Dropped:
    """What is done when a client is dropped. It outlives the client, and so do the connections that it closes."""

    def __init__(self) -> None:
        self.pool: ConnectionPool | None = None

    def __call__(self) -> None:
        """Close the connections, and warn if that had to be done."""
        if self.pool is not None and not self.pool.is_closed and self.pool.abandon():
            msg = "a PyasClient was dropped and not closed; use `async with`, or await its aclose()"
            warnings.warn(msg, ResourceWarning, stacklevel=3, source=self)


class _Prepared:
    """The headers of each request with a key. It has no ``__dict__`` that shows the key when objects are dumped."""

    __slots__ = ("headers", "key")

    def __init__(self, headers: httpx.Headers, key: str) -> None:
        self.headers = headers
        self.key = key


class LazyURL(httpx.URL):
    """An address that is parsed when an attribute is read. Parsing takes half as long as the rest of `send`.

    `send` reads none. Event hooks, logs, mocks and tracers do, and see a complete `httpx.URL`.
    """

    def __init__(self, text: str) -> None:
        self._text = text

    def __getattr__(self, name: str) -> object:
        if name == "_text":
            raise AttributeError(name)
        super().__init__(self._text)  # sets the attributes that were missing
        del self._text
        self.__class__ = httpx.URL  # type: ignore[assignment]
        return object.__getattribute__(self, name)

    def __reduce__(self) -> tuple[type[httpx.URL], tuple[str]]:
        return httpx.URL, (self._text,)


class _NoCookies(httpx.Cookies):
    def extract_cookies(self, response: httpx.Response) -> None:
        """Store none: the service sets none, and to look for them takes longer than the rest of `send`."""


_NO_COOKIES = _NoCookies()


def new_client(**settings: Any) -> httpx.AsyncClient:  # noqa: ANN401
    # Asked for now, since a tracer may have replaced the class `httpx.AsyncClient`, even by something that is none.
    made: Any = httpx.AsyncClient
    client: httpx.AsyncClient = (_client_class(made) if issubclass(type(made), type) else made)(
        timeout=None, **settings
    )
    return client


@cache
def _client_class(base: type[httpx.AsyncClient]) -> type[httpx.AsyncClient]:
    class Client(base):  # type: ignore[misc,valid-type]
        @property
        def cookies(self) -> httpx.Cookies:
            return _NO_COOKIES

        @cookies.setter
        def cookies(self, cookies: object) -> None:
            """Store none."""

    return Client
