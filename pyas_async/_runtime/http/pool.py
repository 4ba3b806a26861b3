"""The client's own connections, each used by one request at a time.

httpcore's pool goes through all of its connections for each request, which costs more than the requests do once there
are some dozens of them, and it loses connections when a task is cancelled in it. Here a request takes the connection
that was used last, or opens one. Nothing is searched, and no request waits: how many run at once is limited before.
A connection whose exchange did not end well is closed: any state that a cancellation left in it is discarded.
"""

import contextlib
import os
import weakref
from collections import deque
from typing import TYPE_CHECKING, TypeAlias

import anyio
import httpx

from pyas_async._runtime.backend import Timer, before_loop_ends, loop_clock, loop_entry, spawn
from pyas_async._runtime.http.connection import Connection

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

# Node closes an idle connection after 5 s, and many proxies a little later. A request on a connection that the other
# side is closing at that moment is lost, and must be repeated.
KEEPALIVE = 4.0
"""Seconds after which an idle connection is closed."""
_TOLERANCE = 0.05
"""Seconds by which a connection may be closed too early, so that the timer need not run again for it."""


class ConnectionPool:
    """The idle connections. One in use belongs to its request.

    Attributes:
        idle: Idle connections, each with the time since when it is idle; the last used is the last.
    """

    def __init__(self) -> None:
        self.idle: deque[tuple[AnyConnection, float]] = deque()
        self.now: Callable[[], float] = loop_clock()
        self.is_closed = False
        self._timer: Timer | None = None
        self._process = os.getpid()
        self._call_in_loop = loop_entry()
        self._loop_watch: AsyncGenerator[None] | None = None
        self._outlived_loop = False

    def take(self, *, fresh: bool) -> "AnyConnection | None":
        """Return the connection that was used last; ``None`` if a new one is needed.

        `fresh` asks for a new one. Then the oldest idle one is closed, so that there are not more connections than
        requests may run at once.
        """
        if not self.idle:
            return None
        if fresh:
            self.idle.popleft()[0].close_soon()
        elif self.idle[-1][1] > self.now() - KEEPALIVE:
            return self.idle.pop()[0]
        else:
            self.close_idle()
        return None

    async def release(self, connection: "AnyConnection", *, reusable: bool) -> None:
        """Take a connection back; keep it if it can carry another request."""
        if self.is_closed or not reusable:
            await connection.aclose()
            return
        if self._loop_watch is None:
            self._loop_watch = await before_loop_ends(self._close_with_loop)
        self.idle.append((connection, self.now()))
        if self._timer is None:
            # The timer must not keep a pool alive that was dropped.
            close_expired = weakref.WeakMethod(self._close_expired)
            self._timer = Timer(KEEPALIVE, lambda: act() if (act := close_expired()) else None, TIMER)

    def close_idle(self) -> None:
        """Close all idle connections, without waiting."""
        while self.idle:
            self.idle.pop()[0].close_soon()

    async def aclose(self) -> None:
        """Close all idle connections, and from now on each connection that is released."""
        self.is_closed = True
        if self._timer is not None:
            self._timer.cancel()
        if self._loop_watch is not None:
            await self._loop_watch.aclose()
        while self.idle:
            await self.idle.pop()[0].aclose()

    def abandon(self) -> bool:
        """Close the connections of a client that was dropped; return whether it had left any.

        Any thread may call this, also once the event loop has ended.
        """
        if os.getpid() != self._process:
            # This process was forked off. Closing its copies would disturb the parent's event loop.
            _inherited.append(self)
            return False
        left = bool(self.idle) or self._outlived_loop
        try:
            self._call_in_loop(self.close_idle)
        except RuntimeError:  # the loop has ended
            with contextlib.suppress(RuntimeError):
                self.close_idle()
        return left

    async def _close_with_loop(self) -> None:
        self._outlived_loop = bool(self.idle) and not self.is_closed
        while self.idle:
            await self.idle.pop()[0].aclose()

    def _close_expired(self) -> float | None:
        now = self.now()
        while self.idle:
            left = self.idle[0][1] + KEEPALIVE - now
            if left >= _TOLERANCE:
                return left
            self.idle.popleft()[0].close_soon()
        self._timer = None
        return None


_inherited: list[ConnectionPool] = []
"""Pools of a parent process. They are kept, so that this process never finalizes what belongs to the parent's loop."""

TIMER = "pyas_async: idle connections"
"""The name of the task of trio that closes idle connections."""


class HttpxConnection:
    """An `httpx.AsyncClient` with one connection, for what only httpx's own transports do.

    It is used where the environment names a proxy, which httpx chooses by its own rules, and while another library
    has replaced methods of httpx's or httpcore's transports. If the service has closed the connection, the client opens
    another one.

    Attributes:
        client: The client.
    """

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client: httpx.AsyncClient = client
        self._closing: object = None

    def close_soon(self) -> None:
        """Close in a task of its own."""
        self._closing = spawn(self.aclose, "pyas_async: close a connection")

    async def aclose(self) -> None:
        """Close, even if the task is cancelled meanwhile."""
        with anyio.CancelScope(shield=True), contextlib.suppress(Exception):  # a broken connection counts as closed
            await self.client.aclose()


AnyConnection: TypeAlias = Connection | HttpxConnection
"""Carries one request at a time."""
