"""How far a request has come, and the body that tells it."""

import functools
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any


class Wire:
    """Knows how far a request has come, where the transport tells.

    Attributes:
        heard: Whether the transport tells at all.
        begun: Whether the first byte may have been written.
    """

    def __init__(self, on_wire: Callable[[], None] | None, *, fresh: bool = False) -> None:
        """Know nothing yet; `on_wire` is told when the request has been written.

        If the request is to be on a fresh connection, it is sent away from those that were used.
        """
        self.heard = False
        self.begun = False
        self.on_wire = on_wire
        self._fresh = fresh
        self._connected = False

    async def trace(self, name: str, info: object) -> None:
        """Be told of a step, by httpcore. It tells each step, so this is listened to only where it is worth that."""
        self.heard = True
        if name.endswith((".connect_tcp.started", ".connect_unix_socket.started")):
            self._connected = True
        elif name.endswith(".send_request_headers.started"):
            request = info.get("request") if isinstance(info, Mapping) else None
            if getattr(request, "method", None) == b"CONNECT":  # a proxy's own; ours follows if it agrees
                return
            if self._fresh and not self._connected and name.startswith("http11."):
                _send_elsewhere(request)
            self.begun = True

    def written(self) -> None:
        """Be told, by the body, that there is nothing more to write."""
        if self.on_wire is not None:
            self.on_wire()


def _send_elsewhere(request: object) -> None:
    """Raise what makes the pool close the connection, and take another for the request, if it is a pool.

    It is the pool's own word for a connection that is not to be had after all. Nothing was written yet.
    """
    package = sys.modules.get(type(request).__module__.partition(".")[0])  # httpcore, or httpx2's httpcore2
    unavailable = getattr(package, "ConnectionNotAvailable", None)
    if unavailable is not None:
        raise unavailable


class _Once:
    """Gives its content once. No generator: one that is cancelled in the middle is left for the event loop to end."""

    def __init__(self, content: bytes, wire: Wire) -> None:
        self._left: bytes | None = content or None
        self._wire = wire

    def __aiter__(self) -> "_Once":
        return self

    async def __anext__(self) -> bytes:
        content, self._left = self._left, None
        if content is None:
            # Headers and body are written before the next piece is asked for.
            self._wire.written()
            raise StopAsyncIteration
        return content


@functools.cache
def body_class(base: type[Any]) -> type[Any]:
    """Make a class of request bodies; `base` is httpx's, or httpx2's, each of which asks for a body of its own kind."""

    class Body(base):  # type: ignore[misc]
        def __init__(self, content: bytes, wire: Wire) -> None:
            super().__init__(content)
            self._whole = content
            self._wire = wire

        def __aiter__(self) -> AsyncIterator[bytes]:
            return _Once(self._whole, self._wire)

    return Body
