"""One connection below an httpx transport, in place of its pool.

For each request, a pool searches its connections and acquires a lock, and so does each connection. Here there is one
connection, used by one request at a time, so neither a search nor a lock is needed.
"""

import logging
import ssl
import sys
from typing import Any

import anyio
import httpcore
import httpx

from pyas_async._runtime.http.line import Line
from pyas_async._runtime.http.onlookers import Seat

_logs = logging.getLogger("httpcore.connection"), logging.getLogger("httpcore.http11")
# vcrpy replaces the pool's method, Elastic's agent the connection's, and respx both.
_pool = Seat(httpcore.AsyncConnectionPool, "handle_async_request")
_connection = Seat(httpcore.AsyncHTTPConnection, "handle_async_request")


class Single(httpcore.AsyncConnectionPool):
    """A pool of one connection, used directly.

    While another library has replaced httpcore's own methods, or httpcore's log is read, it behaves like any other
    pool.
    """

    def __init__(self, context: ssl.SSLContext) -> None:
        self._backend = _backend()
        self._context = context
        self._line: Line | None = None
        self._was_pool = False
        super().__init__(context, max_connections=1, network_backend=self._backend)

    async def handle_async_request(self, request: httpcore.Request) -> httpcore.Response:
        """Send a request, over a new connection if the last one is closed."""
        if _is_watched():
            await self._hang_up()
            self._was_pool = True
            return await super().handle_async_request(request)
        if self._was_pool:
            self._was_pool = False
            await super().aclose()
        if self._line is not None and (self._line.is_closed() or self._line.has_expired()):
            await self._hang_up()
        if self._line is None:
            self._line = await self._connect(request)
        return await self._line.handle_async_request(request)

    @property
    def connections(self) -> list[Any]:
        """The connection, if it is open."""
        return [*super().connections, *(() if self._line is None else (self._line,))]

    async def aclose(self) -> None:
        """Close the connection."""
        try:
            await self._hang_up()
        finally:
            await super().aclose()

    async def _hang_up(self) -> None:
        line, self._line = self._line, None
        if line is not None:
            await line.aclose()

    async def _connect(self, request: httpcore.Request) -> Line:
        origin, extensions = request.url.origin, request.extensions
        if "trace" in extensions:  # `Wire` listens, and must learn that the transport reports its steps
            await extensions["trace"]("connection.connect_tcp.started", {})
        host, timeout = origin.host.decode("ascii"), extensions.get("timeout", {}).get("connect")
        stream = await self._backend.connect_tcp(host, origin.port, timeout)
        if origin.scheme == b"https":
            try:
                stream = await stream.start_tls(self._context, host, timeout)
            except BaseException:  # on cancellation, httpcore's stream for trio does not close itself
                with anyio.CancelScope(shield=True):
                    await stream.aclose()
                raise
        return Line(stream)


def _is_watched() -> bool:
    return _pool.is_taken() or _connection.is_taken() or any(log.isEnabledFor(logging.DEBUG) for log in _logs)


def transport(context: ssl.SSLContext) -> httpx.AsyncHTTPTransport:
    """Make an httpx transport with one connection; httpx's own constructor always makes a pool."""
    made = httpx.AsyncHTTPTransport(verify=context, trust_env=False)
    if hasattr(made, "_pool"):  # a mock has none, and a later httpx may keep it elsewhere
        made._pool = Single(context)  # noqa: SLF001
    return made


def _backend() -> Any:  # noqa: ANN401  (mypy sees only one of httpcore's)
    asyncio = sys.modules.get("asyncio")
    if asyncio is None or anyio.get_cancelled_exc_class() is not asyncio.CancelledError:
        return httpcore.TrioBackend()
    from pyas_async._runtime.http.streams import Backend  # noqa: PLC0415 -- on trio, asyncio need not be imported

    return Backend()
