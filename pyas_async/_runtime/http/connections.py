"""Connections of our own: a transport of httpx's for each, handed out one by one.

httpcore's pool goes through all of its connections for each request, which costs more than the requests do once some
dozens are under way; and it loses connections where a task is cancelled in it. So no pool of httpcore's ever has more
than one connection, and a connection whose request did not end well is closed rather than put back: what a
cancellation may have left half done in it goes with it.
"""

from collections import deque
from collections.abc import Callable
from typing import TypeAlias

import anyio
import httpx

Connection: TypeAlias = httpx.AsyncBaseTransport

# Node closes an idle connection after 5 s, and many a proxy after little more. A request on a connection that the other
# side is just closing is lost, and must be repeated.
KEEPALIVE = 4.0
"""Seconds for which a connection may be idle."""


class Connections:
    """The connections that are idle; those in use are their users'.

    Attributes:
        idle: Connections, and since when they are idle, the last used last.
    """

    def __init__(self, make: Callable[[], Connection]) -> None:
        """Have none yet; `make` makes one, which connects when it is first used."""
        self._make = make
        self._closed = False
        self.idle: deque[tuple[Connection, float]] = deque()

    async def take(self, now: float, *, fresh: bool) -> Connection:
        """Give a connection for one request: the one that was used last, else a new one, for which an old one goes."""
        if self.idle and not fresh and now - self.idle[-1][1] < KEEPALIVE:
            return self.idle.pop()[0]
        if self.idle:
            await close(self.idle.popleft()[0])
        return self._make()

    async def release(self, connection: Connection, now: float) -> None:
        """Take a connection back whose answer was read to its end, and close one that was idle for too long."""
        self.idle.append((connection, now))
        if self._closed or now - self.idle[0][1] >= KEEPALIVE:
            await close(self.idle.popleft()[0])

    async def aclose(self) -> None:
        """Close all that are idle, and each that comes back from now on."""
        self._closed = True
        while self.idle:
            await close(self.idle.pop()[0])


async def close(connection: Connection) -> None:
    """Close a connection, whatever strikes meanwhile; a cancellation strikes afterwards."""
    struck: BaseException | None = None
    closed = False
    with anyio.CancelScope(shield=True):
        while not closed:
            try:
                await connection.aclose()
            except anyio.get_cancelled_exc_class() as cancellation:
                # The task's own, which no scope holds back. The socket was closed before anything could strike.
                struck = cancellation
            except Exception:  # noqa: BLE001  (what is broken is closed)
                closed = True
            else:
                closed = True
    if struck is not None:
        raise struck.with_traceback(None)
