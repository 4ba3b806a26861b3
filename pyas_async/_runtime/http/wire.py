"""How far a request has come, and the body that reports it."""

import functools
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any


class Wire:
    """How far a request has come, if the transport reports it.

    Attributes:
        heard: Whether the transport reports at all.
        begun: Whether the first byte may have been written.
    """

    def __init__(self, on_wire: Callable[[], None] | None, *, fresh: bool = False) -> None:
        """Start without any report. `on_wire` is called when the request has been written.

        If `fresh` is set, the request is kept off connections that were used before.
        """
        self.heard = False
        self.begun = False
        self.on_wire = on_wire
        self._fresh = fresh
        self._connected = False

    async def trace(self, name: str, info: object) -> None:
        """Receive a step of httpcore's trace. It has many steps, so this is used only where it is worth the cost."""
        self.heard = True
        if name.endswith((".connect_tcp.started", ".connect_unix_socket.started")):
            self._connected = True
        elif name.endswith(".send_request_headers.started"):
            request = info.get("request") if isinstance(info, Mapping) else None
            if (
                getattr(request, "method", None) == b"CONNECT"
            ):  # the request to the proxy; ours follows if the proxy accepts
                return
            if self._fresh and not self._connected and name.startswith("http11."):
                _send_elsewhere(request)
            self.begun = True

    def written(self) -> None:
        """Report that the request has been written, called by the body."""
        if self.on_wire is not None:
            self.on_wire()


def _send_elsewhere(request: object) -> None:
    """Raise the exception that makes a pool close the connection and use another one for the request.

    It is the pool's own exception for a connection that is no longer available. Nothing was written yet.
    """
    package = sys.modules.get(type(request).__module__.partition(".")[0])  # httpcore, or httpx2's httpcore2
    unavailable = getattr(package, "ConnectionNotAvailable", None)
    if unavailable is not None:
        raise unavailable


class _Once:
    """Yields its content once. Not a generator: the event loop would have to clean up one that is cancelled midway."""

    def __init__(self, content: bytes, wire: Wire) -> None:
        self._left: bytes | None = content or None
        self._wire = wire

    def __aiter__(self) -> "_Once":
        return self

    async def __anext__(self) -> bytes:
        content, self._left = self._left, None
        if content is None:
            # Headers and body are written before the next piece is requested.
            self._wire.written()
            raise StopAsyncIteration
        return content


@functools.cache
def body_class(base: type[Any]) -> type[Any]:
    """Make a class of request bodies on `base`, httpx's or httpx2's: each library requires its own class."""

    class Body(base):  # type: ignore[misc]
        def __init__(self, content: bytes, wire: Wire) -> None:
            super().__init__(content)
            self._whole = content
            self._wire = wire

        def __aiter__(self) -> AsyncIterator[bytes]:
            return _Once(self._whole, self._wire)

    return Body
