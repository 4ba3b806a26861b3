"""The objects that all calls of a client share."""

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

import anyio

from pyas_async._core.calls.retry import RetryQuota
from pyas_async._core.ratelimit.budget import RateBudget
from pyas_async._runtime.attempts import Sender
from pyas_async._runtime.clock import Clock
from pyas_async._runtime.events import EventEmitter
from pyas_async._runtime.loop_guard import LoopGuard
from pyas_async._runtime.ratelimit.limiter import RateLimiter
from pyas_async._runtime.secrets.api_key import ApiKey
from pyas_async.errors import ClientClosedError
from pyas_async.events import BudgetStoreFailed

if TYPE_CHECKING:
    from pyas_async._runtime.attempts.limiter import ConnectionLimiter


class CallResources:
    """The sender, the key, the clock, the limits and the event emitter of a client and all of its views.

    Attributes:
        closed: Whether the client is closed.
    """

    def __init__(self, sender: Sender, key: ApiKey, budget: RateBudget, clock: Clock) -> None:
        self.sender: Sender = sender
        self.key: ApiKey = key
        self.clock: Clock = clock
        self.events: EventEmitter = EventEmitter(clock)
        self.limiter: RateLimiter = RateLimiter(budget, clock, self._store_failed)
        self.connections: ConnectionLimiter = sender.connections
        self.quota: RetryQuota = RetryQuota()
        self.closed: bool = False
        self._pauses: set[anyio.CancelScope] = set()
        self._loop_guard = LoopGuard()

    def _store_failed(self, fault: str, seconds: float) -> None:
        self.events.emit(BudgetStoreFailed, fault=fault, seconds=seconds)

    def check_usable(self) -> None:
        """Raise if the client is closed, or belongs to another event loop or process."""
        if self.closed:
            msg = "the client is closed; make one for the whole application, and close it when the application ends"
            raise ClientClosedError(msg)
        self._loop_guard.check()

    async def pause(self, seconds: float) -> None:
        """Sleep until the time has passed or the client is closed."""
        with anyio.CancelScope() as scope, self.ended_by_closing(scope):
            await self.clock.sleep(seconds)

    @contextlib.contextmanager
    def ended_by_closing(self, scope: anyio.CancelScope) -> Iterator[None]:
        """Cancel a scope if the client is closed inside the block."""
        self._pauses.add(scope)
        try:
            yield
        finally:
            self._pauses.discard(scope)

    def use_clock(self, clock: Clock) -> None:
        """Replace the clock, as tests do; only before the first call."""
        self.clock = clock
        self.events.use_clock(clock)
        self.limiter.use_clock(clock)
        self.sender.keep_time_by(clock)

    async def aclose(self) -> None:
        """Close the sender and end every pause; from now on calls are refused."""
        self._loop_guard.check()
        self.closed = True
        for scope in self._pauses:
            scope.cancel()
        self.limiter.close()
        await self.sender.aclose()
