"""The client's own connections: one httpx transport for each, handed out one at a time.

For each request, httpcore's pool goes through all of its connections, which costs more than the requests do with some
dozens of requests at once. It also loses connections when a task is cancelled in it. So no httpcore pool here has more
than one connection, and a connection whose request did not end well is closed instead of reused: any state that a
cancellation left in it is discarded.
"""

from collections import deque
from collections.abc import Callable
from typing import TypeAlias

import anyio
import httpx

Connection: TypeAlias = httpx.AsyncBaseTransport

# Node closes an idle connection after 5 s, and many proxies a little later. A request on a connection that the other
# side is closing at that moment is lost, and must be repeated.
KEEPALIVE = 4.0
"""Seconds for which a connection may be idle."""


class Connections:
    """The idle connections. A connection in use belongs to its request.

    Attributes:
        idle: Connections and the time from which each is idle, the last used last.
    """

    def __init__(self, make: Callable[[], Connection]) -> None:
        self._make = make
        self._closed = False
        self.idle: deque[tuple[Connection, float]] = deque()

    async def take(self, now: float, *, fresh: bool) -> Connection:
        """Return the connection used last, or a new one, for which the oldest idle one is closed."""
        if self.idle and not fresh and now - self.idle[-1][1] < KEEPALIVE:
            return self.idle.pop()[0]
        if self.idle:
            await close(self.idle.popleft()[0])
        return self._make()

    async def release(self, connection: Connection, now: float) -> None:
        """Take back a connection whose response was read to its end, and close one that was idle for too long."""
        self.idle.append((connection, now))
        if self._closed or now - self.idle[0][1] >= KEEPALIVE:
            await close(self.idle.popleft()[0])

    async def aclose(self) -> None:
        """Close all idle connections, and from now on each connection that is released."""
        self._closed = True
        while self.idle:
            await close(self.idle.pop()[0])


async def close(connection: Connection) -> None:
    """Close a connection whatever happens meanwhile. A cancellation is raised afterwards."""
    struck: BaseException | None = None
    closed = False
    with anyio.CancelScope(shield=True):
        while not closed:
            try:
                await connection.aclose()
            except anyio.get_cancelled_exc_class() as cancellation:
                # A cancellation of the task itself, which no scope shields from. The socket was closed before it could
                # be raised.
                struck = cancellation
            except Exception:  # noqa: BLE001  (a broken connection counts as closed)
                closed = True
            else:
                closed = True
    if struck is not None:
        raise struck.with_traceback(None)
