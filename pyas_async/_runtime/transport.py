"""Bytes out, bytes in: the only module that knows httpx.

It never cancels httpx but by an anyio scope, and turns whatever httpx raises into a `Fault` that says whether the
request may have reached the service. Nothing of httpx leaves it: its exceptions hold the request, and so the API key.
"""

import contextlib
import functools
import ssl
from collections.abc import Callable, Iterator, Mapping
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TypeAlias

import anyio
import anyio.to_thread
import attrs
import httpx

from pyas_async._core.messages import Answer, Fault, Outcome
from pyas_async._runtime.key import ApiKey
from pyas_async._runtime.quiet import quiet_httpx
from pyas_async._version import __version__
from pyas_async.errors import ClientClosedError

HttpClient: TypeAlias = httpx.AsyncClient
HttpTimeout: TypeAlias = httpx.Timeout

MAX_BODY = 16 * 1024 * 1024
"""Bytes of an answer, decompressed, that are read at most."""
# Node closes an idle connection after 5 s, and many a proxy after little more. A request on a connection that the other
# side is just closing is lost, which for a create means that nobody knows its outcome.
KEEPALIVE = 4.0
_PACKAGES = {"httpx", "httpx2"}  # httpx2 has the same classes
_NETWORK = {"TransportError", "DecodingError", "StreamError", "InvalidURL"}
_NOT_SENT = {"ConnectError", "ConnectTimeout", "PoolTimeout", "UnsupportedProtocol", "LocalProtocolError", "InvalidURL"}
# What a transport may let through as it is.
_BARE = (anyio.ClosedResourceError, anyio.BrokenResourceError, ConnectionError, ssl.SSLError)
_HOPELESS = {"UnsupportedProtocol", "LocalProtocolError", "InvalidURL"}


@attrs.frozen(kw_only=True)
class Timeouts:
    """Seconds for the phases of one attempt; ``None`` for no bound. The whole attempt is bounded by the exchange."""

    connect: float | None
    read: float | None
    write: float | None
    pool: float | None

    @classmethod
    def of(cls, timeout: "float | httpx.Timeout | None") -> tuple["Timeouts", float | None]:
        """Split what the user gave into phases, and the bound of the whole attempt."""
        if isinstance(timeout, (int, float)) or timeout is None:
            # Waiting for a connection ends a little before the attempt does: then it is plain that nothing was sent.
            early = None if timeout is None else 0.95 * timeout
            return cls(connect=early, read=timeout, write=timeout, pool=early), timeout
        # httpx2's Timeout has the same face.
        phases = cls(connect=timeout.connect, read=timeout.read, write=timeout.write, pool=timeout.pool)
        bounds = (phases.connect, phases.read, phases.write, phases.pool)
        whole = None if None in bounds else sum(seconds for seconds in bounds if seconds is not None)
        return phases, whole


class _Wire:
    """Listens to httpcore for how far a request has come; other transports do not say."""

    def __init__(self, on_wire: Callable[[], None] | None) -> None:
        self.heard = False
        self.begun = False
        self._on_wire = on_wire

    async def trace(self, name: str, _: object) -> None:
        """Be told of a step."""
        self.heard = True
        if name.endswith(".send_request_headers.started"):
            self.begun = True
        elif self._on_wire is not None and name.endswith(
            (".send_request_body.complete", "http2.send_request_headers.complete")
        ):
            self._on_wire()


@functools.cache
def _ssl_context() -> ssl.SSLContext:
    # Building one takes as long as a hundred requests; all clients of the process share it.
    return httpx.create_ssl_context()


class Transport:
    """Sends requests over one `httpx.AsyncClient`: an own one, made when first needed, or an injected one."""

    def __init__(self, base_url: str, key: ApiKey, *, max_connections: int, http_client: HttpClient | None) -> None:
        """Keep what is needed to send; nothing is opened yet."""
        self._base_url = base_url
        self._key = key
        self._max_connections = max_connections
        self._injected = http_client
        self._own: httpx.AsyncClient | None = None
        self._under_way: set[anyio.CancelScope] = set()
        self._idle: anyio.Event | None = None
        self._closed = False
        quiet_httpx(base_url)

    async def aclose(self) -> None:
        """End what is under way, and close the own client; an injected one is its owner's."""
        self._closed = True
        if self._under_way:
            self._idle = anyio.Event()
            for scope in self._under_way:
                scope.cancel()
            await self._idle.wait()
        own, self._own = self._own, None
        if own is not None:
            await own.aclose()

    async def send(
        self,
        method: str,
        target: str,
        *,
        headers: Mapping[str, str],
        body: bytes | None,
        phases: Timeouts,
        limit: float | None,
        on_wire: Callable[[], None] | None = None,
    ) -> Outcome:
        """Send one request and read the whole answer.

        Args:
            method: The HTTP method.
            target: Path and query, encoded.
            headers: All headers that matter, but for the key.
            body: The body, if any.
            phases: What each phase may take.
            limit: What the whole may take.
            on_wire: Told when the request has been written.
        """
        client = self._injected or self._own or await self._open()
        wire = _Wire(on_wire)
        if client is self._own:
            headers = {"user-agent": f"pyas_async/{__version__}", **headers}
        request = self._request(client, method, target, headers, body)
        extensions: dict[str, object] = {"timeout": attrs.asdict(phases)}
        if on_wire is not None or method != "GET":
            extensions["trace"] = wire.trace
        request.extensions = extensions
        result: list[Outcome] = []
        failure: list[BaseException] = []

        async def exchange() -> None:
            with anyio.move_on_after(limit) as scope, self._counted(scope):
                try:
                    # Here and nowhere else: frames of this task are in no traceback of ours.
                    request.headers["x-api-key"] = self._key.reveal()
                    result.append(await _exchange(client, request))
                except anyio.get_cancelled_exc_class() as error:
                    if not scope.cancel_called and not result:
                        failure.append(error)
                    raise
                except BaseException as error:  # noqa: BLE001  (handed on below, out of the group)
                    failure.append(error)

        # httpx's pool loses connections when a request is cancelled by ``task.cancel()``, but not by a scope. A task
        # group turns the one into the other. (On trio there is nothing but scopes; the group costs next to nothing.)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(exchange)
        if result:
            return result[0]
        if failure:
            return self._fault(failure[0], client, wire)
        # Only httpcore says how far it came. Where it said nothing, the request may be anywhere.
        sent = wire.begun or not wire.heard
        if self._closed:
            return Fault("network", "the client was closed", sent=sent)
        return Fault("timeout", f"no whole answer within {limit} s", sent=sent)

    @contextlib.contextmanager
    def _counted(self, scope: anyio.CancelScope) -> Iterator[None]:
        self._under_way.add(scope)
        try:
            yield
        finally:
            self._under_way.discard(scope)
            if self._idle is not None and not self._under_way:
                self._idle.set()

    def _request(
        self, client: HttpClient, method: str, target: str, headers: Mapping[str, str], body: bytes | None
    ) -> httpx.Request:
        url = httpx.URL(self._base_url + target)
        if client.params:
            # httpx would put the client's own parameters in the place of ours; theirs go beside.
            url = url.copy_merge_params({k: v for k, v in client.params.items() if k not in url.params})
            params: httpx.QueryParams | None = url.params
        else:
            params = None
        return client.build_request(method, url, params=params, headers=dict(headers), content=body)

    async def _open(self) -> HttpClient:
        plain = self._base_url.startswith("http:")
        # Reading the certificates takes tens of milliseconds, which the event loop has not got.
        context = False if plain else await anyio.to_thread.run_sync(_ssl_context)
        if self._closed:  # while the call waited for its next attempt
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
        return self._own

    def _fault(self, error: BaseException, client: HttpClient, wire: _Wire) -> Fault:
        """Say what an exception means; whatever is neither httpx's nor the network's goes on as it is."""
        # By name, since an injected client may be httpx2's: the same classes under another module.
        names = {cls.__name__ for cls in type(error).__mro__ if cls.__module__.partition(".")[0] in _PACKAGES}
        if not (names & _NETWORK or isinstance(error, _BARE)):
            if isinstance(error, RuntimeError) and client.is_closed:
                msg = "the httpx client was closed"
                raise ClientClosedError(msg)
            raise error
        said = " ".join(str(error).split()) or "no details"
        text = f"{self._base_url}: {type(error).__name__}: {said[:300]}"
        untrusted = "CERTIFICATE_VERIFY_FAILED" in said
        if untrusted:
            text += " (the certificate does not fit: the service is not who it says, or a proxy stands between)"
        return Fault(
            "timeout" if "TimeoutException" in names else "network",
            text,
            sent=wire.begun or not (wire.heard or (names & _NOT_SENT and self._speaks_httpx(client))),
            hopeless=untrusted or bool(names & _HOPELESS),
        )

    def _speaks_httpx(self, client: HttpClient) -> bool:
        """Whether the names of exceptions can be taken at their word: other transports map theirs as they like."""
        find = getattr(client, "_transport_for_url", None)
        transport = find(httpx.URL(self._base_url)) if find is not None else None
        return type(transport).__module__.partition(".")[0] in _PACKAGES


async def _exchange(client: HttpClient, request: httpx.Request) -> Outcome:
    response = await client.send(request, stream=True, follow_redirects=False)
    try:
        chunks, size = [], 0
        async for chunk in response.aiter_bytes():
            size += len(chunk)
            if size > MAX_BODY:
                text = f"the answer is larger than {MAX_BODY:,} bytes"
                return Fault("network", text, sent=True, hopeless=True, delivered=response.is_success)
            chunks.append(chunk)
    finally:
        await response.aclose()
    return Answer(response.status_code, dict(response.headers.items()), b"".join(chunks))
