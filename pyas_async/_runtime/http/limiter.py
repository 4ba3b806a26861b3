"""How many requests may be under way at once: the waiting in front of our own connections."""

import anyio


class ConnectionLimiter:
    """A place for each connection that may be in use.

    httpx's own queue is not waited in: it loses connections where somebody who waits is cancelled. Nor does waiting
    here take anything from the time that an attempt has.
    """

    def __init__(self, limit: int | None) -> None:
        """Have so many places; ``None`` for as many as are asked for, where somebody else's pool has its own bound."""
        self._limit = limit
        self._free: anyio.Semaphore | None = None

    @property
    def taken(self) -> int:
        """How many places are held; 0 if nobody counts."""
        return 0 if self._limit is None or self._free is None else self._limit - self._free.value

    def try_acquire(self) -> bool:
        """Take a place if one is free, and nobody waits for it."""
        if self._limit is None:
            return True
        if self._free is None:
            self._free = anyio.Semaphore(self._limit, fast_acquire=True)
        try:
            self._free.acquire_nowait()
        except anyio.WouldBlock:
            return False
        return True

    async def take(self, limit: float | None) -> bool:
        """Wait for a place, in the order of coming; ``False`` if none came free in time."""
        if self.try_acquire():
            return True
        assert self._free is not None  # noqa: S101  (there is a bound, or a place would have been free)
        with anyio.move_on_after(limit):
            await self._free.acquire()
            return True
        return False

    def release(self) -> None:
        """Give a place back."""
        if self._free is not None:
            self._free.release()
