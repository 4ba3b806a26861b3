"""One request and its answer, in a task of their own."""

import functools
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any
from urllib.parse import quote

import anyio
import attrs
import httpx

from pyas_async._core.messages import Answer, Call, Fault, Outcome
from pyas_async._runtime.key import ApiKey

MAX_BODY = 16 * 1024 * 1024
"""Bytes of an answer, decompressed, that are read at most."""


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

    def starting_within(self, seconds: float | None) -> "Timeouts":
        """Give the same, for a request that is of no use if it has no connection after so many seconds."""
        if seconds is None:
            return self
        return attrs.evolve(self, connect=least(self.connect, seconds), pool=least(self.pool, seconds))


def least(*limits: float | None) -> float | None:
    """Give the least of some bounds, of which ``None`` is none."""
    return min((limit for limit in limits if limit is not None), default=None)


class Wire:
    """Listens to httpcore for how far a request has come; other transports do not say."""

    def __init__(self, on_wire: Callable[[], None] | None) -> None:
        """Know nothing yet."""
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


@attrs.define(kw_only=True, repr=False)
class Attempt:
    """A request on its way. Its frames, which hold secrets, are in no traceback of ours: it runs in a task of its own.

    Attributes:
        outcome: What came of it, if anything did.
        failure: What was raised instead.
        wire: How far it came, if the transport tells.
    """

    client: httpx.AsyncClient
    base_url: str
    key: ApiKey
    call: Call[Any]
    headers: Mapping[str, str] = attrs.field(repr=False)  # some who print objects look into them all the same
    phases: Timeouts
    wire: Wire
    traced: bool
    outcome: Outcome | None = None
    failure: BaseException | None = None

    async def run(self, scope: anyio.CancelScope) -> None:
        """Send, and read the answer; whatever happens is kept, but for a cancellation."""
        try:
            self.outcome = await self._exchange(self._request())
        except BaseException as error:  # noqa: BLE001  (handed on, out of the task group)
            cancellation = _cancellation(error)
            if cancellation is None or not scope.cancel_called:
                # Either no cancellation, or nobody has cancelled us, as far as we can see: the transport raised it.
                self.failure = error if cancellation is None else cancellation
        else:
            return
        if cancellation is not None:
            # The same one, without the frames that it came through, and outside of the handler that would add them.
            raise cancellation.with_traceback(None)

    def _request(self) -> httpx.Request:
        call = self.call
        url = self.base_url + target_of(call)
        params: httpx.QueryParams | None = None
        if self.client.params:
            # httpx would put the client's own parameters in the place of ours; theirs go beside.
            params = self.client.params.merge(dict(call.query))
        request = self.client.build_request(
            call.method, url, params=params, headers=dict(self.headers), content=call.body
        )
        kind: Any = type(request.stream)
        request.stream = _stream_class(kind)(call.body or b"")
        extensions: dict[str, object] = {"timeout": attrs.asdict(self.phases)}
        if self.traced:
            extensions["trace"] = self.wire.trace
        request.extensions = extensions
        request.headers["x-api-key"] = self.key.reveal()
        return request

    async def _exchange(self, request: httpx.Request) -> Outcome:
        response = await self.client.send(request, stream=True, follow_redirects=False)
        try:
            body = await _read(response)
        finally:
            await response.aclose()
        if body is None:
            text = f"the answer is larger than {MAX_BODY:,} bytes"
            return Fault("network", text, sent=True, hopeless=True, delivered=response.is_success)
        return Answer(response.status_code, dict(response.headers.items()), body)


def _cancellation(error: BaseException) -> BaseException | None:
    """Give the cancellation that an exception is; ``None`` if it is, or holds, another.

    On trio, tasks that are cancelled together raise a group: so does opening a connection to a host of two addresses.
    """
    cancelled = anyio.get_cancelled_exc_class()
    while isinstance(error, BaseExceptionGroup) and error.split(cancelled)[1] is None:
        error = error.exceptions[0]
    return error if isinstance(error, cancelled) else None


async def _read(response: httpx.Response) -> bytes | None:
    """Read a body; ``None`` if it is too large."""
    chunks: list[bytes] = []
    size = 0
    try:
        async for chunk in response.aiter_bytes():
            size += len(chunk)
            if size <= MAX_BODY:
                chunks.append(chunk)
            elif (stream := response.extensions.get("network_stream")) is not None:
                # Hanging up lets all of the generators in between end by themselves; one that is left in the middle
                # would have to be cleaned up by the event loop.
                await stream.aclose()
            else:
                break
    except Exception:
        if size <= MAX_BODY:
            raise
    return b"".join(chunks) if size <= MAX_BODY else None


class _Once:
    """Gives its content once. No generator: one that is cancelled in the middle is left for the event loop to end."""

    def __init__(self, content: bytes) -> None:
        self._left: bytes | None = content

    def __aiter__(self) -> "_Once":
        return self

    async def __anext__(self) -> bytes:
        content, self._left = self._left, None
        if content is None:
            raise StopAsyncIteration
        return content


@functools.cache
def _stream_class(base: type[Any]) -> type[Any]:
    # httpx asks for a stream of its own kind, and httpx2 for one of its own.
    class Body(base):  # type: ignore[misc]
        def __init__(self, content: bytes) -> None:
            super().__init__(content)
            self._whole = content

        def __aiter__(self) -> AsyncIterator[bytes]:
            return _Once(self._whole)

    return Body


def target_of(call: Call[Any]) -> str:
    """Write path and query."""
    if not call.query:
        return call.path
    pairs = (f"{name}={quote(value, safe='')}" for name, value in call.query)
    return f"{call.path}?{'&'.join(pairs)}"
