"""Limits how many requests run at once, in front of the connections."""

import weakref
from functools import cached_property
from typing import Any

import anyio

from pyas_async._runtime.attempts.private_names import limit_of

# By pool, not by client: two keys may share one pool.
_of_pools: "weakref.WeakKeyDictionary[Any, ConnectionLimiter]" = weakref.WeakKeyDictionary()


class ConnectionLimiter:
    """A slot for each connection that may be in use.

    Requests do not wait in httpx's own queue: in httpx 0.28, a request that is cancelled there may make a connection
    unusable. Waiting here also takes no time from the attempt.
    """

    def __init__(self, limit: int, *, shared: "ConnectionLimiter | None" = None) -> None:
        """Allow `limit` requests at once, each of which acquires a slot of `shared`, too."""
        self._limit = limit
        self._shared = shared

    @classmethod
    def before(cls, pool: object, limit: int) -> "ConnectionLimiter":
        """Make a limiter of the requests of one client, in front of a pool that may have a limit of its own."""
        if (whole := limit_of(pool)) is None:
            return cls(limit)
        if pool not in _of_pools:
            _of_pools[pool] = cls(whole)
        return cls(limit, shared=_of_pools[pool])

    @cached_property
    def _free(self) -> anyio.Semaphore:  # made on first use, in the event loop of the calls
        return anyio.Semaphore(self._limit, fast_acquire=True)

    @property
    def taken(self) -> int:
        """How many slots are in use."""
        return self._limit - self._free.value

    def try_acquire(self) -> bool:
        """Acquire a slot if one is free and no other request waits for it."""
        try:
            self._free.acquire_nowait()
        except anyio.WouldBlock:
            return False
        if self._shared is None or self._shared.try_acquire():
            return True
        self._free.release()
        return False

    async def acquire(self, limit: float | None) -> bool:
        """Wait for a slot, in order of arrival; return ``False`` if none was free in time."""
        if self.try_acquire():
            return True
        with anyio.move_on_after(limit):
            await self._free.acquire()
            acquired = self._shared is None
            try:
                if self._shared is not None:
                    acquired = await self._shared.acquire(None)
            finally:
                if not acquired:
                    self._free.release()
            return True
        return False

    def release(self) -> None:
        """Release a slot."""
        self._free.release()
        if self._shared is not None:
            self._shared.release()
