"""How far a request has come, and the body that tells it."""

import functools
from collections.abc import AsyncIterator, Callable
from typing import Any


class Wire:
    """Knows how far a request has come, where the transport tells.

    Attributes:
        heard: Whether the transport tells at all.
        begun: Whether the first byte may have been written.
    """

    def __init__(self, on_wire: Callable[[], None] | None) -> None:
        """Know nothing yet; `on_wire` is told when the request has been written."""
        self.heard = False
        self.begun = False
        self.on_wire = on_wire

    async def trace(self, name: str, _: object) -> None:
        """Be told of a step, by httpcore. It tells each step, so this is listened to only where it is worth that."""
        self.heard = True
        if name.endswith(".send_request_headers.started"):
            self.begun = True

    def written(self) -> None:
        """Be told, by the body, that there is nothing more to write."""
        if self.on_wire is not None:
            self.on_wire()


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
