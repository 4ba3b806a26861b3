"""Bytes out, bytes in: the only module that knows httpx.

It never cancels httpx but by an anyio scope, and turns whatever httpx raises into a `Fault` that says whether the
request may have reached the service. Nothing of httpx leaves it: its exceptions hold the request, and so the API key.
"""

import functools
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

import anyio
import attrs
import httpx

from pyas_async._core.messages import Answer, Fault, Outcome
from pyas_async.errors import ClientClosedError

MAX_BODY = 16 * 1024 * 1024
"""Bytes of an answer, decompressed, that are read at most."""
# Node closes an idle connection after 5 s, and many a proxy after little more. A request on a connection that the other
# side is just closing is lost, which for a create means that nobody knows its outcome.
KEEPALIVE = 4.0
_NOT_SENT = {"ConnectError", "ConnectTimeout", "PoolTimeout", "UnsupportedProtocol", "LocalProtocolError", "InvalidURL"}
_HOPELESS = {"UnsupportedProtocol", "LocalProtocolError", "InvalidURL"}
_NETWORK = {"TransportError", "DecodingError", "StreamError", "InvalidURL"}


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
            return cls(connect=timeout, read=timeout, write=timeout, pool=timeout), timeout
        # httpx2's Timeout has the same face.
        phases = cls(connect=timeout.connect, read=timeout.read, write=timeout.write, pool=timeout.pool)
        bounds = (phases.connect, phases.read, phases.write, phases.pool)
        whole = None if None in bounds else sum(seconds for seconds in bounds if seconds is not None)
        return phases, whole


@functools.cache
def _ssl_context() -> ssl.SSLContext:
    # Building one takes as long as a hundred requests; all clients of the process share it.
    return httpx.create_ssl_context()


class _Body(httpx.ByteStream):
    """A request body that knows whether its sending has begun: what was never begun never reached the service."""

    def __init__(self, content: bytes) -> None:
        super().__init__(content)
        self.begun = False
        self._content = content

    async def __aiter__(self) -> AsyncIterator[bytes]:
        self.begun = True
        yield self._content


class Transport:
    """Sends requests over one `httpx.AsyncClient`: an own one, made when first needed, or an injected one."""

    def __init__(self, base_url: str, *, max_connections: int, http_client: httpx.AsyncClient | None) -> None:
        """Keep what is needed to send; nothing is opened yet."""
        self._base_url = base_url
        self._max_connections = max_connections
        self._injected = http_client
        self._own: httpx.AsyncClient | None = None
        self._closed = False

    async def aclose(self) -> None:
        """Close the own client; an injected one is its owner's."""
        self._closed = True
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
            headers: All headers that matter.
            body: The body, if any.
            phases: What each phase may take.
            limit: What the whole may take.
            on_wire: Told when the request has been written.
        """
        client = self._client()
        extensions: dict[str, object] = {"timeout": attrs.asdict(phases)}
        if on_wire is not None:
            extensions["trace"] = _tracer(on_wire)
        request = client.build_request(
            method,
            self._base_url + target,
            headers=dict(headers),
            content=body,
            extensions=extensions,
        )
        stream = None
        if body is not None:
            stream = request.stream = _Body(body)
        result: list[Outcome | BaseException] = []

        async def exchange() -> None:
            with anyio.move_on_after(limit):
                try:
                    result.append(await _exchange(client, request))
                except Exception as error:  # noqa: BLE001  (handed on, below)
                    result.append(error)

        # httpx's pool loses connections when a request is cancelled by ``task.cancel()``, but not by a scope. A task
        # group turns the one into the other. (On trio there is nothing but scopes; the group costs next to nothing.)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(exchange)
        sent = stream is None or stream.begun
        if not result:
            return Fault("timeout", f"no whole answer within {limit:g} s", sent=sent)
        if isinstance(result[0], BaseException):
            return _fault(result[0], client, begun=sent)
        return result[0]

    def _client(self) -> httpx.AsyncClient:
        if self._closed:  # while the call waited for its next attempt
            msg = "the client was closed while the call was under way"
            raise ClientClosedError(msg)
        if self._injected is not None:
            return self._injected
        if self._own is None:
            limits = httpx.Limits(
                max_connections=self._max_connections,
                max_keepalive_connections=self._max_connections,
                keepalive_expiry=KEEPALIVE,
            )
            self._own = httpx.AsyncClient(verify=_ssl_context(), limits=limits, timeout=None, follow_redirects=False)  # noqa: S113  (each request carries its own)
        return self._own


def _tracer(on_wire: Callable[[], None]) -> Callable[[str, object], Awaitable[None]]:
    """Listen to httpcore for the end of the sending; other transports do not say."""

    async def trace(name: str, _: object) -> None:
        if name.endswith((".send_request_body.complete", "http2.send_request_headers.complete")):
            on_wire()

    return trace


async def _exchange(client: httpx.AsyncClient, request: httpx.Request) -> Outcome:
    response = await client.send(request, stream=True, follow_redirects=False)
    try:
        chunks, size = [], 0
        async for chunk in response.aiter_bytes():
            size += len(chunk)
            if size > MAX_BODY:
                return Fault("network", f"the answer is larger than {MAX_BODY:,} bytes", sent=True, hopeless=True)
            chunks.append(chunk)
    finally:
        await response.aclose()
    return Answer(response.status_code, dict(response.headers.items()), b"".join(chunks))


def _fault(error: BaseException, client: httpx.AsyncClient, *, begun: bool) -> Fault:
    """Say what an exception means; whatever is neither httpx's nor the network's goes on as it is."""
    # By name, since an injected client may be httpx2's: the same classes under another module.
    names = {cls.__name__ for cls in type(error).__mro__}
    if not (names & _NETWORK or isinstance(error, (OSError, anyio.ClosedResourceError, anyio.BrokenResourceError))):
        if isinstance(error, RuntimeError) and client.is_closed:
            msg = "the httpx client was closed"
            raise ClientClosedError(msg) from None
        raise error
    timed_out = "TimeoutException" in names
    said = " ".join(str(error).split()) or "no details"
    text = f"{type(error).__name__}: {said[:300]}"
    untrusted = "CERTIFICATE_VERIFY_FAILED" in said
    if untrusted:
        text += " (the certificate does not fit: the service is not who it says, or a proxy stands between)"
    return Fault(
        "timeout" if timed_out else "network",
        text,
        sent=begun and not names & _NOT_SENT,
        hopeless=untrusted or bool(names & _HOPELESS),
    )
